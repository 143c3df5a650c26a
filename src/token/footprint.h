/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_FOOTPRINT_H
#define STK_TOKEN_FOOTPRINT_H

#include "base/fetch.h"
#include <stdint.h>

/*
 * Where a key lies in memory, so that it can be fetched at once.
 *
 * SoftHSM keeps a key as some forty attributes in a tree, each with its value elsewhere, and looks
 * through it for each signature. When the last one by this key is long ago, and those of thousands of
 * others were between, each step waits for memory, one after another: a tenth of the signature. Who
 * knows where they all lie has the processor fetch them at the same time, before the module asks.
 *
 * A module written in C++ takes its memory by operator new and gives it back by operator delete.
 * Programs' symbols come before libraries': the program that links this defines both, as malloc and
 * free, which is what libstdc++ makes of them, and while a thread makes a copy of a key it notes what
 * it took. What a footprint says is a hint: memory that was given back since, or never was the key's, is
 * fetched in vain and no harm is done. Nothing of it is ever read. A module that is written in
 * another language has empty footprints.
 */

#define STK_FOOTPRINT_PIECES 40 /* SoftHSM takes about 12 for a key, of 100 lines together */
#define STK_FOOTPRINT_SPAN 16   /* lines from the first to the last of a piece, at most */

/* Of an object larger than a line, what comes behind this is left out: a class's own members come first. Of
 * an attribute's 160 octets SoftHSM looks at 48; the others are a set and a map, for the types that
 * have these. */
#define STK_FOOTPRINT_HEAD 48

struct stk_footprint {
    uint32_t count;
    struct stk_footprint_piece {
        uint64_t from : 48;                  /* the number of its first line */
        uint64_t lines : STK_FOOTPRINT_SPAN; /* which of those from there on: bit 0 is the first */
    } pieces[STK_FOOTPRINT_PIECES];
};

/* The module's library, as dlopen gave it: what its operator new does when there is no memory is
 * left to it. Any thread, before the first thread is in the module. */
void stk_footprint_prepare(void *library);

/* From now on until its end, what this thread takes is noted. Not nested. */
void stk_footprint_begin(void);
void stk_footprint_end(struct stk_footprint *ret_footprint);

/* While this thread notes: it has taken `size` octets at `at` for the module in another way. That they
 * are given back need not be told. */
void stk_footprint_note(const void *at, size_t size);

/* Have it fetched. Waits for nothing. Any thread. */
static inline void stk_footprint_fetch(const struct stk_footprint *footprint)
{
    for (uint32_t i = 0; i < footprint->count; i++) {
        const struct stk_footprint_piece piece = footprint->pieces[i];

        for (uint32_t lines = piece.lines; lines != 0; lines &= lines - 1)
            __builtin_prefetch(
                (const void *)((piece.from + (uint64_t)__builtin_ctz(lines)) * STK_CACHE_LINE), 0,
                2);
    }
}

#endif
