/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_COMPRESS_H
#define STK_KEEPER_COMPRESS_H

#include "base/error.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * Compress the rotated files of the trail at `path` (PATH.<12 or more digits>), oldest first:
 * each becomes PATH.<digits>.zst, which is on disk and was read back and compared before the plain
 * one goes. A kill at any moment leaves one whole copy, and the rest to the next call. Files of
 * others, and one with a second name (it is just being rotated), are left alone. One that fails is
 * passed over. STORAGE: there is no room on the disk, of which the trail itself has the first need.
 * `error` is of the last that failed. One call at a time.
 */
enum stirkeep_status stk_compress_rotated(const char *path, size_t *ret_count,
                                          struct stk_error *error);

/* A thread that does so whenever it is told, and for what failed every minute, with whatever time
 * others leave it. */
struct stk_compressor {
    const char *path;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wanted;
};

void stk_compressor_init(struct stk_compressor *compressor, const char *path);
/* Any thread. */
void stk_compressor_want(struct stk_compressor *compressor);
/* pthread_create(..., compressor). It never ends: what it does may be cut off at any moment. */
void *stk_compressor_run(void *compressor);

#endif
