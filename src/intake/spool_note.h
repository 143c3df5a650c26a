/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_NOTE_H
#define STK_INTAKE_SPOOL_NOTE_H

#include "base/limits.h"
#include "model/name.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/*
 * What is remembered of the names in the spool, and of who uploads: bounded, and nothing that may
 * not be forgotten: what has to last is in the upload's directory.
 */

#define STK_SPOOL_NOTES_MAX 4096
#define STK_SPOOL_WATCHES_MAX 512

struct stk_spool_note {
    struct stk_name name;
    unsigned pass;     /* the last one that has found it */
    uint64_t first_us; /* when it was found first */
    int watch;         /* of inotify; -1: none */
    bool hinted;       /* to be looked at soon */
    ino_t moved;       /* this directory was renamed in, so it is whole; 0: not seen */
    bool refused;      /* in this state */
    uint8_t refused_state[STK_DIGEST_LENGTH];
    uint64_t settling_us; /* since when it is as it is; 0: not looked at */
    uint8_t settling_state[STK_DIGEST_LENGTH];
    unsigned tries;    /* that failed in passing */
    uint64_t again_us; /* not before; 0: whenever */
    uint64_t told;     /* what the log says of it */
    LIST_ENTRY(stk_spool_note) same_bucket;
    LIST_ENTRY(stk_spool_note) same_watch; /* bucket; when watched */
    TAILQ_ENTRY(stk_spool_note) all;
    TAILQ_ENTRY(stk_spool_note) hint;
};

#define STK_SPOOL_BUCKETS 1024

TAILQ_HEAD(stk_spool_note_list, stk_spool_note);
LIST_HEAD(stk_spool_bucket, stk_spool_note);

struct stk_spool_notes {
    struct stk_spool_bucket buckets[STK_SPOOL_BUCKETS]; /* by name */
    struct stk_spool_bucket watched[STK_SPOOL_BUCKETS]; /* by watch */
    struct stk_spool_note_list all;
    struct stk_spool_note_list hints;
    unsigned count;
    unsigned watches;
};

void stk_spool_notes_init(struct stk_spool_notes *notes);
struct stk_spool_note *stk_spool_note_find(struct stk_spool_notes *notes, const char *name);
/* Found, or made, perhaps in the place of one that says nothing that could not be found out again.
 * NULL when there is no room for it. */
struct stk_spool_note *stk_spool_note_make(struct stk_spool_notes *notes,
                                           const struct stk_name *name);
/* Its watch has come; or gone (-1). */
void stk_spool_note_set_watch(struct stk_spool_notes *notes, struct stk_spool_note *note,
                              int watch);
struct stk_spool_note *stk_spool_note_watched(struct stk_spool_notes *notes, int watch);
void stk_spool_note_hint(struct stk_spool_notes *notes, struct stk_spool_note *note);
/* The next one to be looked at, taken from the hints; NULL: none. */
struct stk_spool_note *stk_spool_note_next(struct stk_spool_notes *notes);
/* The caller has taken its watch away. */
void stk_spool_note_drop(struct stk_spool_notes *notes, struct stk_spool_note *note);

/* Is this the first time in a row that it is said of it? */
bool stk_spool_note_tells(struct stk_spool_note *note, const char *text);

/* ---- uploaders */

#define STK_SPOOL_OWNERS 64

/* An uploader's refused uploads cost work and records: so many at once, and one every few seconds. */
struct stk_spool_pace {
    struct {
        uid_t uid;
        uint64_t paid_us; /* when all that was taken so far is within the rate; 0: nobody */
    } owners[STK_SPOOL_OWNERS];
};

/* May an upload of theirs be tried now? */
bool stk_spool_pace_allows(const struct stk_spool_pace *pace, uid_t uid, uint64_t now_us);
void stk_spool_pace_charge(struct stk_spool_pace *pace, uid_t uid, uint64_t now_us);

#endif
