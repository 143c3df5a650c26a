/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_FORM_H
#define STK_AUDIT_FORM_H

/* The fixed parts of a line (audit/line.h), for those who write and those who read them. */
#define STK_FORM_SEQ "{\"seq\":"
#define STK_FORM_TIME ",\"time\":\""
#define STK_FORM_ACT "\",\"act\":\"" /* its first byte ends the time */
#define STK_FORM_PREV ",\"prev\":\""
#define STK_FORM_SUM "\",\"sum\":\"" /* its first byte ends prev and is the last that is summed */
#define STK_FORM_END "\"}"

/* How a seal's line goes on behind its time, and its members (audit/seal.h). */
#define STK_FORM_SEAL STK_FORM_ACT "seal\","
#define STK_FORM_SEAL_KEY STK_FORM_SEAL "\"outcome\":\"ok\",\"key_id\":\""
#define STK_FORM_FROM ",\"from\":"
#define STK_FORM_THROUGH ",\"through\":"
#define STK_FORM_HEAD ",\"head\":"
#define STK_FORM_ROOT ",\"root\":"
#define STK_FORM_SEALED ",\"sealed\":"
#define STK_FORM_SIGNATURE ",\"seal\":"

#define STK_FORM_LENGTH(form) (sizeof(form) - 1)

#endif
