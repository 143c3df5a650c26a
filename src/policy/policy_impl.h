/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_POLICY_IMPL_H
#define STK_POLICY_POLICY_IMPL_H

#include "policy/policy.h"

#define STK_PPTS_KNOWN (STK_PPT_BASE | STK_PPT_SHAKEN)
#define STK_ATTESTS_KNOWN 7u /* A, B, C */

struct stk_policy {
    struct stk_grant **grants; /* each owns its lists */
    size_t count;
};

#endif
