/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/notes.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct stk_note *)left)->text, ((const struct stk_note *)right)->text);
}

struct stk_note *stk_notes_find(const struct stk_notes *notes, const char *text)
{
    const struct stk_note wanted = {.text = text};
    struct stk_note *const *found = tfind(&wanted, &notes->root, compare);

    return found != NULL ? *found : NULL;
}

struct stk_note *stk_notes_add(struct stk_notes *notes, const char *text)
{
    size_t size = strlen(text) + 1;
    struct stk_note *note = malloc(sizeof(*note) + size);

    if (note == NULL)
        return NULL;
    memcpy(note + 1, text, size);
    *note = (struct stk_note){.text = (const char *)(note + 1)};
    if (tsearch(note, &notes->root, compare) == NULL) {
        free(note);
        return NULL;
    }
    if (notes->last != NULL)
        notes->last->next = note;
    else
        notes->list = note;
    notes->last = note;
    return note;
}

/* The tree refers to the notes, which the list owns. */
static void leave(void *note)
{
    (void)note;
}

void stk_notes_free(struct stk_notes *notes)
{
    tdestroy(notes->root, leave);
    for (struct stk_note *note = notes->list, *next = NULL; note != NULL; note = next) {
        next = note->next;
        free(note);
    }
    *notes = (struct stk_notes){0};
}
