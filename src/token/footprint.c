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

/* As the Itanium C++ ABI names operator new(size_t), the same that throws nothing, operator
 * delete(void *) and (void *, size_t), and those of arrays: all of a family, so that what one of them
 * took is never given to another's. */
EXPORTED void *_Znwm(size_t size);
EXPORTED void *_ZnwmRKSt9nothrow_t(size_t size, const void *tag);
EXPORTED void *_Znam(size_t size);
EXPORTED void *_ZnamRKSt9nothrow_t(size_t size, const void *tag);
EXPORTED void _ZdlPv(void *taken);
EXPORTED void _ZdlPvm(void *taken, size_t size);
EXPORTED void _ZdaPv(void *taken);
EXPORTED void _ZdaPvm(void *taken, size_t size);

void stk_footprint_note(const void *at, size_t size)
{
    if (noting != NULL && noting->count < NOTES_MAX)
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

/* It throws, which C cannot. A module may have C++ behind it by a library of its own. */
static void *no_memory(size_t size)
{
    if (atomic_load(&fallback) == NULL)
        stk_footprint_prepare(dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD));
    if (atomic_load(&fallback) == NULL)
        abort();
    return atomic_load(&fallback)(size);
}

static void *take(size_t size)
{
    void *taken = malloc(size == 0 ? 1 : size);

    if (taken != NULL)
        stk_footprint_note(taken, size);
    return taken;
}

EXPORTED void *_Znwm(size_t size)
{
    void *taken = take(size);

    return taken == NULL ? no_memory(size) : taken;
}

EXPORTED void *_ZnwmRKSt9nothrow_t(size_t size, const void *tag)
{
    (void)tag;
    return take(size);
}

EXPORTED void *_Znam(size_t size)
{
    return _Znwm(size);
}

EXPORTED void *_ZnamRKSt9nothrow_t(size_t size, const void *tag)
{
    return _ZnwmRKSt9nothrow_t(size, tag);
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

EXPORTED void _ZdaPv(void *taken)
{
    _ZdlPv(taken);
}

EXPORTED void _ZdaPvm(void *taken, size_t size)
{
    _ZdlPvm(taken, size);
}

void stk_footprint_prepare(void *library)
{
    void *symbol = library == NULL ? NULL : dlvsym(library, "_Znwm", "GLIBCXX_3.4");
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

/* Another line, by address. */
static void add(struct stk_footprint *footprint, uint64_t line)
{
    struct stk_footprint_piece *piece =
        footprint->count == 0 ? NULL : &footprint->pieces[footprint->count - 1];

    if (piece == NULL || line - piece->from >= STK_FOOTPRINT_SPAN) {
        if (footprint->count == STK_FOOTPRINT_PIECES)
            return;
        piece = &footprint->pieces[footprint->count++];
        *piece = (struct stk_footprint_piece){.from = line};
    }
    piece->lines |= 1U << (line - piece->from);
}

void stk_footprint_end(struct stk_footprint *ret_footprint)
{
    struct notes *notes = noting;

    noting = NULL;
    ret_footprint->count = 0;
    if (notes == NULL)
        return;
    qsort(notes->taken, notes->count, sizeof(notes->taken[0]), by_address);
    for (size_t i = 0; i < notes->count; i++) {
        const uintptr_t at = (uintptr_t)notes->taken[i].at;
        const size_t size =
            notes->taken[i].size > STK_CACHE_LINE ? STK_FOOTPRINT_HEAD : notes->taken[i].size;

        for (uint64_t line = at / STK_CACHE_LINE; line <= (at + size - 1) / STK_CACHE_LINE; line++)
            add(ret_footprint, line);
    }
    free(notes);
}
