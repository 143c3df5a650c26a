/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_CLAIM_LIST_H
#define STK_CERT_CLAIM_LIST_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/constraints.h"

/*
 * JWTClaimConstraints ::= SEQUENCE { mustInclude [0] JWTClaimNames OPTIONAL,
 *                                    permittedValues [1] JWTClaimPermittedValuesList OPTIONAL }
 * and, `enhanced`, the same with mustExclude [2] JWTClaimNames OPTIONAL; at least one of them is
 * there. RFC 8226 section 8, RFC 9118 section 3; explicit tags. `der` is the extension's value,
 * `name` the extension's for messages. CERT_INVALID; TOO_LARGE when the arena is used up.
 */
enum stirkeep_status stk_claim_lists_read(struct stk_bytes der, bool enhanced,
                                          struct stk_arena *arena,
                                          struct stk_constraints *constraints,
                                          struct stk_error *error);

#endif
