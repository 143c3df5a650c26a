/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_UNSEALED_H
#define STK_AUDIT_UNSEALED_H

#include "audit/tail.h"
#include "audit/window.h"

/*
 * What a trail remembers of the records that no seal covers yet. Seals themselves are in it, since
 * the next seal's tree has them, but do not count: a trail that is idle is not sealed for the sake
 * of its last seal. Under the trail's lock.
 */
struct stk_unsealed {
    struct stk_window window; /* of the next seal's tree; real_us 0: a seal */
    uint64_t acts;            /* in it that are no seals */
    uint64_t left;            /* acts that left the tree before they were sealed ... */
    int64_t left_since_us;    /* ... and when the oldest of them was recorded */
    uint64_t sealed;          /* the last one that is covered; 0: none known */
};

bool stk_unsealed_make(struct stk_unsealed *ret_unsealed);
void stk_unsealed_free(struct stk_unsealed *unsealed);

/* The next record. Room is made for it, and lack of memory met, by having the oldest ones leave the
 * tree: the chain covers them. */
void stk_unsealed_add(struct stk_unsealed *unsealed, uint64_t sequence,
                      const uint8_t digest[STK_DIGEST_LENGTH], bool seal, int64_t real_us);

/* Those behind `last` were taken back. */
void stk_unsealed_take_back(struct stk_unsealed *unsealed, uint64_t last);

/* A seal covers everything up to `through`. */
void stk_unsealed_sealed(struct stk_unsealed *unsealed, uint64_t through);

/* All that is held leaves the tree: those records are nowhere any more. */
void stk_unsealed_leave(struct stk_unsealed *unsealed);

/* Acts that no seal covers, and since when the oldest of them waits (0: none). */
uint64_t stk_unsealed_count(const struct stk_unsealed *unsealed, int64_t *ret_since_us);

/* Would a seal over the records up to `last` say anything new? */
bool stk_unsealed_is_due(const struct stk_unsealed *unsealed, uint64_t last);

/*
 * At a process's start: find what is unsealed at the end of a file, in which the chain stands at
 * `position`. From its end back to its last seal, and from there on again; at most
 * STK_SEAL_RECORDS_MAX records and STK_UNSEALED_FIND_MAX bytes, so that a start is never long.
 * Whatever cannot be read or is damaged is left out.
 */
#define STK_UNSEALED_FIND_MAX ((off_t)256 * 1024 * 1024)
void stk_unsealed_find(struct stk_unsealed *unsealed, int fd, const struct stk_position *position);

#endif
