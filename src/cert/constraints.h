/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_CONSTRAINTS_H
#define STK_CERT_CONSTRAINTS_H

#include "base/arena.h"
#include "cert/cert.h"
#include "model/constraints.h"

/*
 * What the leaf says itself that it may sign: the telephone numbers of its TNAuthList (RFC 8226
 * section 9), normalised, and its JWTClaimConstraints (RFC 8226 section 8) or
 * EnhancedJWTClaimConstraints (RFC 9118 section 3). Read strictly, as DER. CERT_INVALID says what
 * is malformed, given twice, both at once (RFC 9118 section 3), or past a limit of
 * model/constraints.h; TOO_LARGE when the arena is used up (STK_CONSTRAINTS_ARENA is enough for any
 * certificate). `ret_constraints` refers to `arena` alone and is untouched on failure.
 * stk_constraints_any tells whether there are any. Any thread.
 */
#define STK_CONSTRAINTS_ARENA (256 * 1024)
enum stirkeep_status stk_chain_constraints(const struct stk_chain *chain, struct stk_arena *arena,
                                           struct stk_constraints *ret_constraints,
                                           struct stk_error *error);

/* The same of the DER of a certificate that was read before: nothing else of it is looked at, so
 * that it costs next to nothing for those that have no constraints. */
enum stirkeep_status stk_der_constraints(struct stk_bytes certificate, struct stk_arena *arena,
                                         struct stk_constraints *ret_constraints,
                                         struct stk_error *error);

/* ---- the parts, for the gate: each adds what it reads to `constraints` */

enum stirkeep_status stk_constraints_take_numbers(struct stk_bytes certificate,
                                                  struct stk_arena *arena,
                                                  struct stk_constraints *constraints,
                                                  struct stk_error *error);
enum stirkeep_status stk_constraints_take_claims(struct stk_bytes certificate,
                                                 struct stk_arena *arena,
                                                 struct stk_constraints *constraints,
                                                 struct stk_error *error);

#endif
