/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_NOTES_H
#define STK_CONFIG_NOTES_H

#include <stdbool.h>
#include <stdint.h>

/* What is known of a text: a line that it stands in, or the numbers that a name means. */
struct stk_note {
    const char *text;
    uint32_t first;
    uint32_t second;
    bool used;
    struct stk_note *next; /* in the order they were added */
};

/* Texts with notes, none twice. A balanced tree: a look-up is quick whatever the texts are. `{0}` is
 * an empty one. One thread. */
struct stk_notes {
    void *root;
    struct stk_note *list;
    struct stk_note *last;
};

struct stk_note *stk_notes_find(const struct stk_notes *notes, const char *text);

/* The text is copied and must not be there yet. NULL: out of memory. */
struct stk_note *stk_notes_add(struct stk_notes *notes, const char *text);

void stk_notes_free(struct stk_notes *notes);

#endif
