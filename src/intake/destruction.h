/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_DESTRUCTION_H
#define STK_INTAKE_DESTRUCTION_H

#include "catalog/catalog.h"

/*
 * The end of a condemned key: the keeper destroys its objects, then is asked to sign with it, which
 * it must not be able to; then the catalog knows it as destroyed, with the record of how it was
 * shown. One thread.
 */

struct stk_intake;

#define STK_DESTRUCTION_PROOF 512

struct stk_destruction {
    uint32_t generations; /* that had the key */
    char proof[STK_DESTRUCTION_PROOF];
};

/* `destruction` is NULL with an error, and gone after the call. */
typedef void stk_destruction_done(void *context, const struct stk_destruction *destruction,
                                  const struct stk_error *error);

/*
 * Carry a DESTROY intent out. TOKEN_ERROR when the key still signs; UNAVAILABLE without an answer.
 * All of it may be done twice. `peer` and `request_id` are for the record. `done` is called exactly
 * once, never before this returns.
 */
void stk_destruct(struct stk_intake *intake, const struct stk_intent *intent,
                  const struct stk_peer *peer, uint64_t request_id, stk_destruction_done *done,
                  void *context);

#endif
