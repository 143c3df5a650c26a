/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_CERTIFICATE_H
#define STK_MODEL_CERTIFICATE_H

#include "model/constraints.h"
#include "model/key_id.h"
#include "model/name.h"
#include <stdbool.h>

/* What signing needs to know of a name: its active generation. */
struct stk_certificate {
    struct stk_name name;
    uint32_t generation; /* 1, 2, ... under one name */
    struct stk_key_id key_id;
    char x5u[STK_X5U_MAX + 1];
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
    bool active;                               /* false: held, but retired, staged or destroyed */
    const struct stk_constraints *constraints; /* NULL: none; belongs to whoever filled it in */
};

#endif
