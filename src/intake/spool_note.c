/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_note.h"

#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

#define ROOM_TURNS 64
#define PACE_US 3000000 /* for each refusal ... */
#define PACE_BURST 20   /* ... past so many */

static uint64_t hash(const char *text)
{
    return stk_hash(text, strlen(text), 0);
}

static struct stk_spool_bucket *bucket_of(struct stk_spool_notes *notes, const char *name)
{
    return &notes->buckets[hash(name) % STK_SPOOL_BUCKETS];
}

void stk_spool_notes_init(struct stk_spool_notes *notes)
{
    memset(notes, 0, sizeof(*notes));
    TAILQ_INIT(&notes->all);
    TAILQ_INIT(&notes->hints);
}

struct stk_spool_note *stk_spool_note_find(struct stk_spool_notes *notes, const char *name)
{
    struct stk_spool_note *note = NULL;

    LIST_FOREACH(note, bucket_of(notes, name), same_bucket)
    if (strcmp(note->name.text, name) == 0)
        return note;
    return NULL;
}

/* One that was told, or has to wait for its owner's turn, and no more. */
static bool is_forgettable(const struct stk_spool_note *note)
{
    return note->watch < 0 && !note->hinted && !note->refused && note->moved == 0 &&
           note->tries == 0 && note->settling_us == 0;
}

/* The oldest that may be; those before it become the youngest. */
static bool make_room(struct stk_spool_notes *notes)
{
    for (unsigned turn = 0; turn < ROOM_TURNS; turn++) {
        struct stk_spool_note *note = TAILQ_FIRST(&notes->all);

        if (is_forgettable(note)) {
            stk_spool_note_drop(notes, note);
            return true;
        }
        TAILQ_REMOVE(&notes->all, note, all);
        TAILQ_INSERT_TAIL(&notes->all, note, all);
    }
    return false;
}

struct stk_spool_note *stk_spool_note_make(struct stk_spool_notes *notes,
                                           const struct stk_name *name)
{
    struct stk_spool_note *note = stk_spool_note_find(notes, name->text);

    if (note != NULL)
        return note;
    if (notes->count == STK_SPOOL_NOTES_MAX && !make_room(notes))
        return NULL;
    note = calloc(1, sizeof(*note));
    if (note == NULL)
        return NULL;
    note->name = *name;
    note->watch = -1;
    LIST_INSERT_HEAD(bucket_of(notes, name->text), note, same_bucket);
    TAILQ_INSERT_TAIL(&notes->all, note, all);
    notes->count++;
    return note;
}

static struct stk_spool_bucket *bucket_of_watch(struct stk_spool_notes *notes, int watch)
{
    return &notes->watched[(unsigned)watch % STK_SPOOL_BUCKETS];
}

void stk_spool_note_set_watch(struct stk_spool_notes *notes, struct stk_spool_note *note, int watch)
{
    if (note->watch >= 0) {
        LIST_REMOVE(note, same_watch);
        notes->watches--;
    }
    note->watch = watch;
    if (watch >= 0) {
        LIST_INSERT_HEAD(bucket_of_watch(notes, watch), note, same_watch);
        notes->watches++;
    }
}

struct stk_spool_note *stk_spool_note_watched(struct stk_spool_notes *notes, int watch)
{
    struct stk_spool_note *note = NULL;

    LIST_FOREACH(note, bucket_of_watch(notes, watch), same_watch)
    if (note->watch == watch)
        return note;
    return NULL;
}

void stk_spool_note_hint(struct stk_spool_notes *notes, struct stk_spool_note *note)
{
    if (!note->hinted)
        TAILQ_INSERT_TAIL(&notes->hints, note, hint);
    note->hinted = true;
}

struct stk_spool_note *stk_spool_note_next(struct stk_spool_notes *notes)
{
    struct stk_spool_note *note = TAILQ_FIRST(&notes->hints);

    if (note == NULL)
        return NULL;
    TAILQ_REMOVE(&notes->hints, note, hint);
    note->hinted = false;
    return note;
}

void stk_spool_note_drop(struct stk_spool_notes *notes, struct stk_spool_note *note)
{
    if (note->hinted)
        TAILQ_REMOVE(&notes->hints, note, hint);
    stk_spool_note_set_watch(notes, note, -1);
    LIST_REMOVE(note, same_bucket);
    TAILQ_REMOVE(&notes->all, note, all);
    notes->count--;
    free(note);
}

bool stk_spool_note_tells(struct stk_spool_note *note, const char *text)
{
    uint64_t told = hash(text);

    if (note->told == told)
        return false;
    note->told = told;
    return true;
}

/* ---- uploaders */

bool stk_spool_pace_allows(const struct stk_spool_pace *pace, uid_t uid, uint64_t now_us)
{
    for (size_t i = 0; i < STK_SPOOL_OWNERS; i++)
        if (pace->owners[i].paid_us != 0 && pace->owners[i].uid == uid)
            return pace->owners[i].paid_us < now_us + (uint64_t)PACE_BURST * PACE_US;
    return true;
}

void stk_spool_pace_charge(struct stk_spool_pace *pace, uid_t uid, uint64_t now_us)
{
    size_t place = 0;

    /* Its own place; or the one whose owner has been paid up for longest. */
    for (size_t i = 0; i < STK_SPOOL_OWNERS; i++) {
        if (pace->owners[i].paid_us != 0 && pace->owners[i].uid == uid) {
            place = i;
            break;
        }
        if (pace->owners[i].paid_us < pace->owners[place].paid_us)
            place = i;
    }
    if (pace->owners[place].uid != uid || pace->owners[place].paid_us < now_us)
        pace->owners[place].paid_us = now_us;
    pace->owners[place].uid = uid;
    pace->owners[place].paid_us += PACE_US;
}
