/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_DIAGNOSIS_H
#define STK_MODEL_DIAGNOSIS_H

/* What an examination of the service and its token finds. The texts belong to whoever filled it in;
 * none is NULL. */

#define STK_FACTS_MAX 64
#define STK_TROUBLES_MAX 64
#define STK_DIAGNOSIS_TEXT_MAX 512 /* one text, without its end */

struct stk_fact {
    const char *name;
    const char *value;
};

struct stk_trouble {
    const char *severity; /* "error": something does not work; "warning" */
    const char *what;
    const char *cure;
};

#endif
