/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_VERIFIER_H
#define STK_AUDIT_VERIFIER_H

#include "audit/checker.h"
#include "audit/merkle_whole.h"
#include "audit/verify.h"
#include "audit/window.h"

/* The inside of a verifier, shared by verify.c and verify_seal.c. */
struct stk_verifier {
    struct stk_checker *keys;
    size_t key_count;
    struct stk_seal *witness; /* by what they cover, the first ones first */
    size_t witness_count;
    size_t witnessed; /* of them: done */

    struct stk_chain chain;
    uint8_t before[STK_DIGEST_LENGTH]; /* of the record before the first one */
    struct stk_window window;          /* behind the last seal's `through` */
    uint64_t through;                  /* of the last seal */
    struct stk_verdict verdict;
    enum stirkeep_status failed; /* OK: it goes on */

    const char *name; /* of the file that is read */
    uint64_t line;    /* in it */

    enum stirkeep_status (*each)(void *context, struct stk_verifier *verifier,
                                 const struct stk_verified *record, struct stk_error *error);
    void *context;
    const struct stk_seal *seal;   /* the record just taken is this one; NULL: none */
    struct stk_merkle_whole whole; /* its tree, once a path was asked for */
};

/* NOT_VERIFIED: "NAME: line N (record N): " and what is wrong. */
enum stirkeep_status stk_verifier_wrong(const struct stk_verifier *verifier, uint64_t record,
                                        struct stk_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The line just taken into the chain is a seal: `seal`, which gets it, is the verifier's when it is
 * good, until stk_verifier_seal_done, which is to follow in any case. */
enum stirkeep_status stk_verifier_seal(struct stk_verifier *verifier, const void *data,
                                       size_t length, struct stk_seal *seal,
                                       struct stk_error *error);
void stk_verifier_seal_done(struct stk_verifier *verifier);

/* The witness on the record just taken into the chain; and on what is not there at the end. */
enum stirkeep_status stk_verifier_witness(struct stk_verifier *verifier, struct stk_error *error);
enum stirkeep_status stk_verifier_witness_end(struct stk_verifier *verifier,
                                              struct stk_error *error);

#endif
