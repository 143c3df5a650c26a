/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_TRAIL_FILES_H
#define STK_CLI_TRAIL_FILES_H

#include "audit/fields.h"
#include "audit/verify.h"
#include "cli/verb.h"
#include <stdbool.h>

/*
 * What the audit verbs that read trails have in common: the files in order, the audit keys, and one
 * verified pass over all records. They read files alone: no service is needed, and an auditor may
 * run them elsewhere.
 */

#define STK_AUDIT_KEYS_MAX 256

struct stk_audit_keys {
    uint8_t spki[STK_AUDIT_KEYS_MAX][STK_SPKI_LENGTH];
    size_t count;
};

/* All PUBLIC KEY blocks of these PEM files. */
enum stirkeep_status stk_audit_keys_read(const struct stk_texts *paths,
                                         struct stk_audit_keys *ret_keys, struct stk_error *error);

/* The seals of a witness file, one at least; NULL paths give none. free() releases them. */
enum stirkeep_status stk_audit_witness_read(const char *path, struct stk_seal **ret_seals,
                                            size_t *ret_count, size_t *ret_passed_over,
                                            struct stk_error *error);

/*
 * Verify the positionals as one trail, `options` (keys, witness, each, context) as in
 * audit/verify.h. A directory or a single FILE that has rotated files beside it is not expanded:
 * what is read is what is named.
 */
enum stirkeep_status stk_trail_files_pass(const struct stk_cli *cli,
                                          const struct stk_verifier_options *options,
                                          struct stk_verdict *ret_verdict, struct stk_error *error);

/*
 * Which records are asked for; zero-filled: all. Times are microseconds since 1970, `until` not
 * included.
 */
struct stk_trail_filter {
    int64_t since_us, until_us; /* 0: no bound */
    const char *name;           /* certificate name, or a pattern as in grants */
    const char *number;         /* in orig or dest: canonical (model/tn.h), a URI, or "h:..." */
    const char *number_hash;    /* what the same number is as a keyed hash; NULL: not known */
    const char *act;
    const char *outcome; /* a status name, or "refused" for whatever is not ok and not begun */
    const char *request; /* request_id */
    const char *key_id;  /* 64 hex digits, or its beginning of 8 and more */
    bool has_uid;
    uint32_t uid;
};

bool stk_trail_filter_takes(const struct stk_trail_filter *filter, const struct stk_fields *fields);

/* Option texts into times: RFC 3339 "2026-11-25T20:06:24Z", a day "2026-11-25" (its begin, UTC), or
 * a month "2026-11". INVALID names the option. */
enum stirkeep_status stk_trail_time(const char *text, const char *option, int64_t *ret_us,
                                    struct stk_error *error);

#endif
