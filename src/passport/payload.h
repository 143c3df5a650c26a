/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_PAYLOAD_H
#define STK_PASSPORT_PAYLOAD_H

#include "model/claims.h"

/* The one way to write claims; only for src/passport. */

/* The payload, keys in code-point order at every level. */
void stk_payload_write(const struct stk_claims *claims, struct stk_canonical *json);

/* The value of one claim by its name. False, and nothing is written, when it is not there. */
bool stk_payload_write_claim(const struct stk_claims *claims, const char *name,
                             struct stk_canonical *json);

#endif
