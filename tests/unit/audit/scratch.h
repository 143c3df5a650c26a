/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_AUDIT_SCRATCH_H
#define STK_TEST_AUDIT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/trail.h"
#include "audit/verify.h"
#include "base/buffer.h"
#include <limits.h>
#include <openssl/evp.h>

/* A directory of its own for each test, with a trail's path in it. */
struct scratch {
    char directory[64];
    char path[PATH_MAX];
};

#define NOW_US 1792958784123456 /* 2026-10-25T20:06:24.123456Z */

int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* A sign record like the keeper's. */
struct stk_record sign_record(uint64_t request_id);

/* Open it, append `count` sign records one by one from `first`, all of which must go well. */
struct stk_trail *open_trail(const struct scratch *scratch, enum stk_trail_sync sync);
void append_some(struct stk_trail *trail, uint64_t first, size_t count);

/* The whole file; the caller frees the buffer. */
struct stk_buffer read_whole(const char *path);
void write_whole(const char *path, const void *data, size_t length);

#define FILES_MAX 64

/* The files of a trail, the oldest first: those that were rotated, then the one at the path. */
struct files {
    char paths[FILES_MAX][PATH_MAX];
    size_t count;
};
void find_files(const struct scratch *scratch, struct files *ret_files);

/* Verify files, with the verdict or the message; `options` NULL: no key and no witness. */
enum stirkeep_status verify_files(const struct files *files,
                                  const struct stk_verifier_options *options,
                                  struct stk_verdict *ret_verdict, struct stk_error *error);

/* The verdict on all of a trail; fails the test when it does not verify. */
struct stk_verdict verdict_of(const struct scratch *scratch,
                              const struct stk_verifier_options *options);

/* Verify a file alone: its status, with the number of records or the message. */
enum stirkeep_status verify_path(const char *path, uint64_t *ret_records, struct stk_error *error);

/* How many records there are; fails the test when the file does not verify. */
uint64_t records_in(const char *path);

/* An audit key, as the token has one. */
struct audit_key {
    EVP_PKEY *pkey;
    uint8_t spki[1][STK_SPKI_LENGTH];
    struct stk_key_id key_id;
};
struct audit_key audit_key_make(void);
void audit_key_free(struct audit_key *key);

/* Name the key and the time in a seal, and sign it. */
void sign_seal(const struct audit_key *key, struct stk_seal *seal);

/* Seal what the trail holds, which has to be something; returns the seal. `witness`, if not NULL,
 * gets its line. */
struct stk_seal seal_trail(struct stk_trail *trail, const struct audit_key *key,
                           struct stk_buffer *witness);

/* The one file beside the trail whose name holds ".KIND-"; false when there is none. */
bool find_aside(const struct scratch *scratch, const char *kind, char ret_path[PATH_MAX]);

#endif
