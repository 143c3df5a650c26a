/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_AUDIT_FORGE_H
#define STK_TEST_AUDIT_FORGE_H

#include "scratch.h"

/*
 * What somebody can do who owns the host and knows the format, written without the code under test:
 * a trail's files as lines that are changed, taken out, put in, and given numbers, links and sums
 * that fit again.
 */
struct forged_line {
    char *text; /* without its newline, '\0' behind it */
    size_t file;
};

struct forgery {
    struct forged_line *lines;
    size_t count;
    size_t files;
};

/* All files of a trail; forgery_free. */
struct forgery forgery_load(const struct files *files);
struct forgery forgery_copy(const struct forgery *forgery);
void forgery_free(struct forgery *forgery);

void forgery_remove(struct forgery *forgery, size_t at);
/* Before line `at`, in the same file as that. */
void forgery_insert(struct forgery *forgery, size_t at, const char *text);
/* The first `from` in line `at` becomes `to`; fails the test when there is none. */
void forgery_replace(struct forgery *forgery, size_t at, const char *from, const char *to);

/* Give line `at` a link to the one before and a sum that fits. */
void forgery_relink(struct forgery *forgery, size_t at);
/* All lines from `at` on, with new numbers, too. */
void forgery_rechain(struct forgery *forgery, size_t at);

bool forgery_is_seal(const struct forgery *forgery, size_t at);
/* The seal in line `at`, signed anew by this key over what is now where it says that it looked. */
void forgery_reseal(struct forgery *forgery, size_t at, const struct audit_key *key);

/* The content of one of the files. */
struct stk_buffer forgery_file(const struct forgery *forgery, size_t file);

/* Verify files from memory, in this order. */
enum stirkeep_status verify_buffers(const struct stk_buffer *files, size_t count,
                                    const struct stk_verifier_options *options,
                                    struct stk_verdict *ret_verdict, struct stk_error *error);
enum stirkeep_status forgery_verify(const struct forgery *forgery,
                                    const struct stk_verifier_options *options,
                                    struct stk_verdict *ret_verdict, struct stk_error *error);

#endif
