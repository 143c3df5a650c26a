/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/footprint.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define NOTES_MAX 1024

typedef void *(*taker)(size_t size);

/* What this thread has taken and not given back since it began to note. */
static _Thread_local struct notes {
    size_t count;
    struct taken {
        const void *at;
        size_t size;
    } taken[NOTES_MAX];
} * noting;

static taker _Atomic fallback;

/* As the Itanium C++ ABI names operator new(size_t), operator delete(void *) and (void *, size_t). */
EXPORTED void *_Znwm(size_t size);
EXPORTED void _ZdlPv(void *taken);
EXPORTED void _ZdlPvm(void *taken, size_t size);

static void note(const void *at, size_t size)
{
    if (noting->count < NOTES_MAX)
        noting->taken[noting->count++] = (struct taken){at, size == 0 ? 1 : size};
}

static void forget(const void *at)
{
    size_t i = noting->count;

    while (i > 0 && noting->taken[i - 1].at != at)
        i--;
    if (i > 0)
        noting->taken[i - 1] = noting->taken[--noting->count];
}

/* It throws, which C cannot. */
static void *no_memory(size_t size)
{
    const taker own = atomic_load(&fallback);

    if (own == NULL)
        abort();
    return own(size);
}

EXPORTED void *_Znwm(size_t size)
{
    void *taken = malloc(size == 0 ? 1 : size);

    if (taken == NULL)
        return no_memory(size);
    if (noting != NULL)
        note(taken, size);
    return taken;
}

EXPORTED void _ZdlPv(void *taken)
{
    if (noting != NULL && taken != NULL)
        forget(taken);
    free(taken);
}

EXPORTED void _ZdlPvm(void *taken, size_t size)
{
    (void)size;
    _ZdlPv(taken);
}

void stk_footprint_prepare(void *library)
{
    void *symbol = dlvsym(library, "_Znwm", "GLIBCXX_3.4");
    taker own = NULL;

    memcpy(&own, &symbol, sizeof(own)); /* C has no cast from object to function */
    atomic_store(&fallback, own);
}

void stk_footprint_begin(void)
{
    noting = malloc(sizeof(*noting));
    if (noting != NULL)
        noting->count = 0;
}

static int by_address(const void *left, const void *right)
{
    const struct taken *a = left;
    const struct taken *b = right;

    return (a->at > b->at) - (a->at < b->at);
}

/* What comes next by address, in one piece with what is before it when no more than a line is
 * between them. */
static void add(struct stk_footprint *footprint, const struct taken *taken)
{
    const uintptr_t from = (uintptr_t)taken->at / STK_FOOTPRINT_LINE;
    const uintptr_t to = ((uintptr_t)taken->at + taken->size - 1) / STK_FOOTPRINT_LINE + 1;
    struct stk_footprint_piece *last =
        footprint->count == 0 ? NULL : &footprint->pieces[footprint->count - 1];

    if (last == NULL || from > last->from + last->lines + 1) {
        if (footprint->count == STK_FOOTPRINT_PIECES)
            return;
        last = &footprint->pieces[footprint->count++];
        *last = (struct stk_footprint_piece){.from = from};
    }
    if (to > last->from + last->lines)
        last->lines = to - last->from < STK_FOOTPRINT_LINES ? to - last->from : STK_FOOTPRINT_LINES;
}

void stk_footprint_end(struct stk_footprint *ret_footprint)
{
    struct notes *notes = noting;

    noting = NULL;
    ret_footprint->count = 0;
    if (notes == NULL)
        return;
    qsort(notes->taken, notes->count, sizeof(notes->taken[0]), by_address);
    for (size_t i = 0; i < notes->count; i++)
        add(ret_footprint, &notes->taken[i]);
    free(notes);
}
