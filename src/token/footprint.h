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

#define STK_FOOTPRINT_PIECES 40 /* SoftHSM takes about 30 for a key, of 150 lines together */
#define STK_FOOTPRINT_LINES 512 /* of all together */

struct stk_footprint {
    uint32_t count;
    struct stk_footprint_piece {
        uint64_t from : 48; /* the number of its first line */
        uint64_t lines : 16;
    } pieces[STK_FOOTPRINT_PIECES];
};

/* The module's library, as dlopen gave it: what its operator new does when there is no memory is
 * left to it. Any thread, before the first thread is in the module. */
void stk_footprint_prepare(void *library);

/* From now on until its end, what this thread takes is noted. Not nested. */
void stk_footprint_begin(void);
void stk_footprint_end(struct stk_footprint *ret_footprint);

/* Have it fetched. Waits for nothing. Any thread. */
static inline void stk_footprint_fetch(const struct stk_footprint *footprint)
{
    for (uint32_t i = 0; i < footprint->count; i++)
        for (uint64_t line = 0; line < footprint->pieces[i].lines; line++)
            __builtin_prefetch((const void *)((footprint->pieces[i].from + line) * STK_CACHE_LINE),
                               0, 2);
}

#endif
