/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_EXPORT_TAKE_H
#define STK_CLI_EXPORT_TAKE_H

#include "audit/trail.h"
#include "cli/export_bundle.h"
#include "cli/report_tally.h"
#include "cli/trail_files.h"
#include <openssl/evp.h>

/*
 * What is exported, taken out of a trail while that is verified: records as they stand, a proof of
 * each as soon as the seal over it arrives, and the seals. Memory: the digests (and the tree
 * over them) and the places of the records under one seal. One thread.
 */

/* Records in a row (of those taken) that have no proof. */
struct stk_export_run {
    uint64_t first, last;
    uint64_t count;
};

#define STK_EXPORT_RUNS_MAX 1000

/* A seal may cover so many records and stand so many behind them; older ones wait for none. */
#define STK_EXPORT_WAITING_MAX ((uint64_t)2 * STK_SEAL_RECORDS_MAX + 1)

struct stk_export_runs {
    struct stk_export_run runs[STK_EXPORT_RUNS_MAX];
    size_t count;
    uint64_t records;  /* all of them */
    uint64_t left_out; /* of them: in runs past the limit */
    uint64_t last;     /* number in the row of what was taken, of the last one */
};

/* One more, which is number `number` in the row of those taken, or read, in their order. */
void stk_export_runs_add(struct stk_export_runs *runs, uint64_t sequence, uint64_t number);

/* How many kinds of acts, outcomes and names are counted, each; the rest is counted as others. */
#define STK_EXPORT_TALLY_ROWS 4096

/* One of the trail's files: what was verified of it, unpacked. */
struct stk_export_file {
    char *name;
    EVP_MD_CTX *context;
    uint8_t digest[STK_DIGEST_LENGTH]; /* of its lines */
    uint64_t bytes;
    uint64_t first, last; /* records */
};

struct stk_export {
    const struct stk_trail_filter *filter;
    struct stk_bundle *bundle;
    struct stk_buffer waiting; /* of struct waiting: taken, and under no seal yet */
    struct stk_buffer line;
    struct stk_buffer proof;
    uint64_t records; /* taken */
    uint64_t first, last;
    char first_time[STK_TIME_TEXT], last_time[STK_TIME_TEXT];
    uint64_t proofs;
    uint64_t checkpoints;
    bool has_one_after; /* the seal after the period */
    struct stk_export_runs chain_only;
    struct stk_export_runs unsealed;
    struct stk_tally acts, outcomes, names;
    struct stk_buffer files; /* of struct stk_export_file */
};

/* NULL without memory. */
struct stk_export *stk_export_new(const struct stk_trail_filter *filter, struct stk_bundle *bundle);
void stk_export_free(struct stk_export *self);

/* For struct stk_verifier_options; `context` is the export. */
enum stirkeep_status stk_export_each(void *context, struct stk_verifier *verifier,
                                     const struct stk_verified *record, struct stk_error *error);

/* After the last file: what is still waiting is unsealed. */
enum stirkeep_status stk_export_finish(struct stk_export *self, struct stk_error *error);

#endif
