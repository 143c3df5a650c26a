/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_VERIFY_H
#define STK_AUDIT_VERIFY_H

#include "audit/line.h"
#include "audit/merkle.h"
#include "audit/seal.h"
#include "base/bytes.h"
#include "base/error.h"
#include <stdint.h>

/*
 * Verifying a trail, from its first file to its last: is each line whole, in sequence and chained to
 * the one before; is each seal right about what it covers and signed by the audit key? Memory does
 * not grow with the trail but for the digests under one seal (at most 80 MiB) and what zstd takes.
 * One thread; several verifiers may run at once.
 */
struct stk_verifier;

/* A record that was just found good. Valid during the call. */
struct stk_verified {
    uint64_t sequence;
    struct stk_bytes line; /* without its newline */
    const uint8_t *digest; /* SHA-256 of the line */
    const char *file;      /* its name as given, and the line in it from 1 */
    uint64_t line_number;
    const struct stk_seal
        *seal; /* NULL: it is none. A good one, signed by a key if keys were given */
};

struct stk_verifier_options {
    const uint8_t (*keys)[STK_SPKI_LENGTH]; /* audit keys, of which each seal has to be of one;
                                               none: seals are held against the chain alone */
    size_t key_count;
    /* Seals that somebody outside kept (seals of a witness file): the trail has to hold each one
     * whose records it should have, and end no earlier than the last one. In any order. They are
     * copied. */
    const struct stk_seal *witness;
    size_t witness_count;
    /* Told of each record in turn, after it was checked; what it returns other than OK ends the
     * verifying with that status and its error. NULL: nobody. During the call for a seal,
     * stk_verifier_path gives the way from each record below it to its root. */
    enum stirkeep_status (*each)(void *context, struct stk_verifier *verifier,
                                 const struct stk_verified *record, struct stk_error *error);
    void *context;
};

struct stk_verdict {
    uint64_t records;
    uint64_t first; /* sequence numbers; 0: there is none */
    uint64_t last;
    uint64_t seals;
    uint64_t sealed;    /* the last record that a seal covers; 0: none */
    uint64_t files;     /* read */
    uint64_t uncovered; /* records up to `sealed` that are in no tree of which all records were
                           given: covered by the chain alone */
    uint64_t
        witnessed; /* seals of the witness: held against the record that each one covers last */
    uint64_t unwitnessed; /* and not, because that one is before what was given */
};

/* INVALID: a key is none (P-256, 91 bytes). NO_MEMORY. */
enum stirkeep_status stk_verifier_new(const struct stk_verifier_options *options,
                                      struct stk_verifier **ret_verifier, struct stk_error *error);
void stk_verifier_free(struct stk_verifier *verifier);

/*
 * The next file, from where `fd` stands to its end; `name` is for messages. zstd files are read as
 * what is in them. NOT_VERIFIED names file, line, record and what is wrong ("audit.jsonl: line 17
 * (record 1017): ..."); IO. After a failure no further file is taken: the same status again.
 */
enum stirkeep_status stk_verifier_file(struct stk_verifier *verifier, int fd, const char *name,
                                       struct stk_error *error);

/*
 * Within `each` for a seal: the way from record `sequence` to the seal's root. False: the record is
 * not below it, not all of the records below it were given, or there is no memory. The first one of
 * a seal costs as much as its tree (19 ms for 100,000 records) and 64 bytes a record until the call
 * is over; the others are had for nothing.
 */
bool stk_verifier_path(struct stk_verifier *verifier, uint64_t sequence,
                       struct stk_merkle_path *ret_path);

/* The end: is all there that the witness has seen? NOT_VERIFIED as well when each of its seals is of
 * records before the first one given: then it says nothing of these files. */
enum stirkeep_status stk_verifier_end(struct stk_verifier *verifier,
                                      struct stk_verdict *ret_verdict, struct stk_error *error);

/*
 * The seals of a witness file: lines of seals as they stand in the trail. Other lines (one that a
 * power cut tore, for instance) are counted and passed over. NULL with a count of 0 for none;
 * free() releases them. IO, NO_MEMORY, TOO_LARGE past STK_WITNESS_MAX seals.
 */
#define STK_WITNESS_MAX ((size_t)16 * 1024 * 1024)
enum stirkeep_status stk_witness_read(int fd, const char *name, struct stk_seal **ret_seals,
                                      size_t *ret_count, size_t *ret_passed_over,
                                      struct stk_error *error);

#endif
