/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PRUNE_PLAN_H
#define STK_CLI_PRUNE_PLAN_H

#include "cli/prune_keys.h"
#include <sys/stat.h>

/* Which files of a trail may go. */

/* How long records are kept: calendar years, or days. */
struct stk_prune_age {
    unsigned years;
    unsigned days;
};

/* "2y" or "731d", two years at least. INVALID. */
enum stirkeep_status stk_prune_age_read(const char *text, struct stk_prune_age *ret_age,
                                        struct stk_error *error);

/* The moment so long after `end_s`. */
int64_t stk_prune_age_after(const struct stk_prune_age *age, int64_t end_s);

struct stk_prune_file {
    const char *path;
    struct stat about;               /* before it was read */
    uint64_t first, last;            /* records; 0: none */
    bool continues;                  /* it begins with a "continue" */
    int64_t last_us;                 /* its latest record, or a later one before it */
    uint64_t bytes;                  /* of its lines */
    uint8_t head[STK_DIGEST_LENGTH]; /* of its last line */
    /* what becomes of it */
    bool named; /* by --file */
    bool goes;
    char why[STK_ERROR_MAX];
    size_t living; /* keys with records in it that have not ended so long ago */
};

struct stk_prune_plan {
    struct stk_prune_age age;
    int64_t now_s;
    struct stk_prune_file *files; /* as given, the oldest first */
    size_t count;
    size_t reading;    /* which of them */
    int64_t latest_us; /* of all records so far */
    struct stk_prune_keys keys;
};

/* Is the name that of a rotated file, and of which record? PATH.NNNNNNNNNNNN, also with .zst;
 * `ret_stem` is the length of PATH. */
bool stk_prune_is_rotated(const char *path, uint64_t *ret_number, size_t *ret_stem);

/* Look at each file before it is read. NO_MEMORY, IO, INVALID: not a regular file. */
enum stirkeep_status stk_prune_plan_make(struct stk_prune_plan *plan, char *const *paths,
                                         size_t count, struct stk_error *error);
void stk_prune_plan_free(struct stk_prune_plan *plan);

/* For struct stk_verifier_options; `context` is the plan. */
enum stirkeep_status stk_prune_each(void *context, struct stk_verifier *verifier,
                                    const struct stk_verified *record, struct stk_error *error);

/*
 * Decide, once all is read and the ends of keys are known: files go from the oldest on, as long as
 * each may; never the last one, nor one that is no rotated file. INVALID: one that is named by
 * --file cannot go, because one before it stays.
 */
enum stirkeep_status stk_prune_decide(struct stk_prune_plan *plan, struct stk_error *error);

#endif
