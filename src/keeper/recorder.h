/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_RECORDER_H
#define STK_KEEPER_RECORDER_H

#include "audit/trail.h"
#include <pthread.h>
#include <stdatomic.h>

/* Of the record before an act that changes the token: a trail that cannot be written stops the act
 * before anything is done, and one that was cut off in the middle shows. */
#define STK_OUTCOME_BEGUN "begun"

/*
 * The trail as the keeper uses it: it may not be there yet (a disk that is full, a directory that
 * is missing) and comes by itself; the log hears of it once when it goes and once when it is back.
 */
struct stk_recorder {
    const char *path;
    enum stk_trail_sync sync;
    const char *start_detail; /* of the record "start", the first one of this process */
    _Atomic(struct stk_trail *) trail;
    pthread_mutex_t opening;
    uint64_t next_try_us; /* CLOCK_MONOTONIC */
    struct stk_error why; /* the last try's */
    atomic_bool complained;
};

/* Set up and try to open, for 3 s where another process still writes it; `path` and `start_detail` must live on. */
void stk_recorder_begin(struct stk_recorder *recorder, const char *path, enum stk_trail_sync sync,
                        const char *start_detail);

/* Open it if it is not open yet (at most one try every 100 ms). Any thread but main, which must not
 * wait for a disk. */
void stk_recorder_try(struct stk_recorder *recorder);

/* Append all or none, opening the trail first if need be (at most one try every 100 ms).
 * AUDIT_UNAVAILABLE with the reason; INVALID: an act that only the trail itself records. Any thread. */
enum stirkeep_status stk_recorder_append(struct stk_recorder *recorder,
                                         const struct stk_record *records, size_t count,
                                         struct stk_error *error);

/* The same for what stk_trail_compose made. */
enum stirkeep_status stk_recorder_append_composed(struct stk_recorder *recorder,
                                                  const struct stk_buffer *const *bodies,
                                                  size_t count, struct stk_error *error);

/* Until the disk holds what was appended, in every mode that syncs at all. AUDIT_UNAVAILABLE. */
enum stirkeep_status stk_recorder_sync(struct stk_recorder *recorder, struct stk_error *error);

/* Tell the log when the trail went unwritable without anybody appending. The main thread. */
void stk_recorder_watch(struct stk_recorder *recorder);

/* NULL: it could not be opened so far. Any thread, until stk_recorder_close. */
struct stk_trail *stk_recorder_trail(struct stk_recorder *recorder);

uint64_t stk_recorder_sequence(struct stk_recorder *recorder);
bool stk_recorder_writable(struct stk_recorder *recorder);

/* Record "stop" and have it on disk, as far as the mode promises it. Nobody but who seals it may
 * append any more. */
void stk_recorder_stop(struct stk_recorder *recorder, const char *detail);

/* Sync and close. Nobody may use it any more. */
void stk_recorder_close(struct stk_recorder *recorder);

#endif
