/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_STATE_H
#define STK_AUDIT_STATE_H

#include "audit/tail.h"
#include "audit/trail.h"
#include "audit/unsealed.h"
#include "base/buffer.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

/* The inside of a trail, shared by the files that make one: everything under `lock`. */

#define STK_TRAIL_INTERVAL_MS 50 /* from the first unsynced record to the sync's beginning */
#define STK_TRAIL_RETRY_MS 100   /* between two tries after a sync that failed */
#define STK_TRAIL_NOTE_MAX 1024

/* With ALWAYS: one whose records are on disk only later, or were taken out of the file again. */
struct stk_waiter {
    struct stk_waiter *next;
    uint64_t sequence; /* of its last record */
    enum { STK_WAITING, STK_ON_DISK, STK_TAKEN_BACK } state;
};

struct stk_trail {
    char path[PATH_MAX];
    enum stk_trail_sync sync;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* synced, syncing, stopping, written */

    int fd; /* -1: no file at the moment */
    dev_t device;
    ino_t inode;
    struct stk_position written; /* what the file holds, or is to hold when `unclean` */
    struct stk_position synced;  /* what is known to be on disk of it */
    bool unclean;                /* a failed append may have left bytes behind `written` */
    bool sync_failed;            /* what lies between synced and written may not reach the disk */
    int sync_errno;              /* why, the last time */
    bool syncing;                /* somebody is in fdatasync(fd) without the lock */
    atomic_bool writable;        /* read without the lock, which a hanging disk may hold for long */
    struct stk_waiter *waiters;

    /* A record about the trail itself, to go before the next ones. */
    const char *note_act;   /* NULL: none */
    uint64_t note_sequence; /* the number that it was written under; 0: not yet */
    char note[STK_TRAIL_NOTE_MAX];
    struct stk_buffer lines; /* of the append under way */
    size_t last_line;        /* where the last of them begins */

    struct stk_unsealed unsealed;
    int64_t begun_us;        /* when the file's first record was written; 0: it has none */
    bool directory_unsynced; /* a rotation's names may not be on disk: nothing is written before */
    int64_t text_second;     /* of time_text */
    char time_text[STK_TIME_TEXT];

    bool stopping;
    bool has_thread;
    pthread_t thread;
};

/* ---- trail.c */

/* Take the chain back to an earlier position, and with it a note that was written after it. */
void stk_trail_step_back(struct stk_trail *trail, const struct stk_position *position);

/* `real_us` as the records have it, until the next call. */
const char *stk_trail_time_text(struct stk_trail *trail, int64_t real_us);

/* Append one record in its finished form as stk_trail_append does: a seal, which is written only
 * if it is still true then (INVALID), and whose line `line` gets. */
enum stirkeep_status stk_trail_append_seal(struct stk_trail *trail, const struct stk_seal *seal,
                                           int64_t real_us, struct stk_buffer *line,
                                           struct stk_error *error);

/* ---- opening.c */

/* Open the file at the path and find its end. At a process's start, `written` is {0} and the chain
 * of the file is taken over; later the chain in memory goes on, and a file that does not end with
 * it is put aside. BUSY, IO, INVALID. */
enum stirkeep_status stk_trail_take_file(struct stk_trail *trail, int64_t real_us,
                                         struct stk_error *error);

/* Open, with these further flags, and lock a file that is to be the trail's. `ret_about` is of the
 * locked file. BUSY, IO, INVALID. */
enum stirkeep_status stk_trail_open_file(const char *path, int flags, int *ret_fd,
                                         struct stat *ret_about, struct stk_error *error);

/* Go on in this file, in which the chain stands at `position` and all is on disk. */
void stk_trail_adopt(struct stk_trail *trail, int fd, const struct stat *about,
                     const struct stk_position *position);

/* A record about the trail itself goes before the next ones. */
void stk_trail_add_note(struct stk_trail *trail, const char *act, const char *text);

/* Is the file at the path the one that is open, as long as it should be, and fit to be written?
 * Makes it so if it can; may let go of the lock meanwhile. */
enum stirkeep_status stk_trail_make_ready(struct stk_trail *trail, int64_t real_us,
                                          struct stk_error *error);

/* ---- sync.c */

/* With ALWAYS: wait until the disk holds everything up to `sequence`, syncing for all that wait.
 * On failure every unsynced record is taken out of the file again. */
enum stirkeep_status stk_trail_sync_through(struct stk_trail *trail, uint64_t sequence,
                                            struct stk_error *error);

/* Tell those who wait whose records are on disk by now; with `taken_back`, that the others' are not
 * in the file any more. Their numbers may be given to new records from then on. */
void stk_trail_tell(struct stk_trail *trail, bool taken_back);

/* Cut off what a failed append left; sets `unclean` when it cannot be. */
bool stk_trail_cut_back(struct stk_trail *trail);

/* Sync all that is written; lets go of the lock meanwhile, but not after the last of it. On failure
 * (AUDIT_UNAVAILABLE) it is as after any sync that failed. Not while somebody else is syncing. */
enum stirkeep_status stk_trail_sync_held(struct stk_trail *trail, struct stk_error *error);

/* ---- rotation.c */

/* "PATH.000000001234": the name that a file gets whose last record has this number. False when it
 * is too long. */
bool stk_trail_rotated_name(const char *path, uint64_t sequence, char ret_name[PATH_MAX]);

/* Sync the directory, so that the names that a rotation gave are on disk; false with errno, and
 * then `directory_unsynced`. */
bool stk_trail_sync_names(struct stk_trail *trail);

/* A rotation was cut off before the new file had the path: the old one has two names. Take its new
 * one away. `about` is of the open file, and is made new. */
void stk_trail_undo_rotation(int fd, const char *path, struct stat *about);

/* At a process's start: remove what a rotation that was cut off left beside the file. */
void stk_trail_remove_next(const char *path);

/* The thread of INTERVAL: pthread_create(..., trail). */
void *stk_trail_sync_thread(void *trail);

#endif
