/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_SEAL_H
#define STK_AUDIT_SEAL_H

#include "base/clock.h"
#include "base/error.h"
#include "model/key_id.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * A checkpoint: the audit key's signature over where the chain stood. It is a record of its own
 * (act "seal"), which may come some records after the last one that it covers, because signing
 * holds nobody up. The same line goes to the witness. Pure; any thread.
 */
struct stk_seal {
    uint64_t from;                   /* first record in the tree */
    uint64_t through;                /* last one */
    uint8_t head[STK_DIGEST_LENGTH]; /* digest of record `through`: all records before it, too */
    uint8_t root[STK_DIGEST_LENGTH]; /* of the tree over `from` to `through` (audit/merkle.h) */
    char time[STK_TIME_TEXT];        /* when it was signed, RFC 3339 */
    struct stk_key_id key_id;        /* SHA-256 of the audit key's SubjectPublicKeyInfo */
    uint8_t signature[STK_SIGNATURE_LENGTH]; /* r||s, ECDSA P-256 over stk_seal_digest */
};

/*
 * What the audit key signs: SHA-256 of
 *   "stirkeep audit seal 1\n" FROM "\n" THROUGH "\n" HEAD "\n" ROOT "\n" TIME "\n" KEY "\n"
 * numbers in decimal, digests in lower-case hex.
 */
void stk_seal_digest(const struct stk_seal *seal, uint8_t ret_digest[STK_DIGEST_LENGTH]);

/* A seal out of the line of its record, whose ends were checked (audit/line.h); false when it is
 * none, or not as this version writes one. */
bool stk_seal_read(const void *line, size_t length, struct stk_seal *ret_seal);

/* Is it signed by this key (91 bytes DER SubjectPublicKeyInfo)? */
bool stk_seal_signed_by(const struct stk_seal *seal, const uint8_t spki[STK_SPKI_LENGTH]);

#endif
