/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_LARGE_PAGES_H
#define STK_KEEPER_LARGE_PAGES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The keys of ten thousand names take 400 MiB in SoftHSM. When each signature is by another one of
 * them, finding where its pages of 4 KiB lie takes a tenth of its time. So a keeper that has grown
 * large moves its memory to pages of 2 MiB, where the kernel has MADV_COLLAPSE (Linux 6.1): some
 * in each turn of the loop, up to half a millisecond each, of memory that is in use at least by half. It
 * takes no more memory that way. Keepers with few names do nothing. One thread.
 */

#define STK_LARGE_PAGE ((size_t)2 * 1024 * 1024)
#define STK_LARGE_FROM ((size_t)64 * 1024 * 1024) /* a process of this size is large */
#define STK_LARGE_MORE ((size_t)8 * 1024 * 1024)  /* grown by this, it is gone through again */
#define STK_LARGE_LOOK_US (2 * UINT64_C(1000000))
#define STK_LARGE_TURN 16 /* pages in one call */
#define STK_LARGE_RANGES_MAX 512

struct stk_large_pages {
    uint64_t look_us; /* when the process's size is looked at again */
    size_t size;      /* when it was gone through, octets */
    struct stk_large_range {
        uintptr_t from; /* multiples of STK_LARGE_PAGE */
        uintptr_t to;
    } ranges[STK_LARGE_RANGES_MAX]; /* what is to be gone through yet */
    size_t count;
};

/* A turn of it, `now_us` by CLOCK_MONOTONIC. Of {0} at first. How many pages it has moved, those
 * included that were large already. */
size_t stk_large_pages_turn(struct stk_large_pages *self, uint64_t now_us);

#endif
