/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_EXAMINE_H
#define STK_TOKEN_EXAMINE_H

#include "token/session.h"
#include "token/token.h"

/* The parts of stk_token_examine, for this folder only. Each fails only when the token does, and
 * ends within its budget. */

/* Those that matter of the token's mechanisms, and how many there are. */
CK_RV stk_examine_mechanisms(struct stk_token *token, struct stk_diagnosis *diagnosis);

/* Keys of ours, and others: how many, whether a bounded number of them proves itself, and how fast
 * they sign. */
enum stirkeep_status stk_examine_keys(struct stk_token *token, uint64_t budget_us,
                                      struct stk_diagnosis *diagnosis, struct stk_error *error);

/* Which key seals the trail, and whether it signs. */
void stk_examine_audit_key(struct stk_token *token, struct stk_diagnosis *diagnosis);

/* The directory that the token's files are in, where it has one, and the files. */
void stk_examine_files(const struct stk_token *token, uint64_t budget_us,
                       struct stk_diagnosis *diagnosis);

/* A key pair made as session objects for a trial; CKR_OK: it signs what its public half verifies,
 * and its private half is the caller's to destroy. */
CK_RV stk_examine_generate(struct stk_session *session, CK_OBJECT_HANDLE *ret_private);

#endif
