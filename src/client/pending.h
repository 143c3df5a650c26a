/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLIENT_PENDING_H
#define STK_CLIENT_PENDING_H

#include "base/buffer.h"
#include "wire/codec_sign.h"
#include <stdbool.h>

/*
 * The requests of one client that have no answer yet: each in a slot that its id names, so that an
 * answer finds it without a search, with the bytes to send again when a connection breaks. Slots
 * and their bytes are used again: nothing is allocated per request once the table has grown to
 * what is needed. One thread.
 */

#define STK_UNDER_WAY_MAX 4096 /* requests of one client without an answer; a power of two */

struct stk_slot {
    uint64_t id; /* sequence number * STK_UNDER_WAY_MAX + index; never 0 in use */
    uint64_t tag;
    uint64_t deadline_us;    /* CLOCK_MONOTONIC */
    uint64_t again_us;       /* when it is to be sent again; 0: it is not (again.h) */
    uint64_t again_pause_us; /* how long it waited for that the last time */
    enum stk_request_kind kind;
    enum stirkeep_status failure; /* FAILED: why */
    enum stk_slot_state { STK_SLOT_FREE, STK_SLOT_NEW, STK_SLOT_WAITING, STK_SLOT_FAILED } state;
    uint32_t index;
    uint32_t before; /* in its list */
    uint32_t after;
    struct stk_buffer frame; /* the request as it is sent */
};

struct stk_slot_list {
    uint32_t first;
    uint32_t last;
};

struct stk_pending {
    struct stk_slot *slots;
    size_t capacity;
    size_t count;                 /* slots that are not free */
    struct stk_slot_list unused;  /* FREE */
    struct stk_slot_list waiting; /* in the order of submission */
    struct stk_slot_list failed;  /* have their answer on this side; not fetched yet */
    uint64_t sequence;
    uint64_t earliest_us; /* no deadline of a waiting one is before this */
};

void stk_pending_start(struct stk_pending *pending);

/* Release everything. */
void stk_pending_free(struct stk_pending *pending);

/*
 * A slot with an id of its own and an empty frame, state NEW. OVERLOADED past STK_UNDER_WAY_MAX,
 * NO_MEMORY. Pointers to slots are dead after this call. Follow with stk_pending_wait or
 * stk_pending_release.
 */
enum stirkeep_status stk_pending_take(struct stk_pending *pending, struct stk_slot **ret_slot);

/* The slot's request is complete: it waits for its answer from now on. */
void stk_pending_wait(struct stk_pending *pending, struct stk_slot *slot);

/* The slot is done with. */
void stk_pending_release(struct stk_pending *pending, struct stk_slot *slot);

/* The waiting request of that id; NULL: none (answered, timed out, never asked). */
struct stk_slot *stk_pending_find(const struct stk_pending *pending, uint64_t id);

/* First and next waiting one, in the order of submission; NULL at the end. */
struct stk_slot *stk_pending_first(const struct stk_pending *pending);
struct stk_slot *stk_pending_next(const struct stk_pending *pending, const struct stk_slot *slot);

/* Waiting ones whose deadline is over become FAILED with TIMEOUT. True when there were any. */
bool stk_pending_expire(struct stk_pending *pending, uint64_t now_us);

/* All waiting ones become FAILED with `failure`. */
void stk_pending_fail(struct stk_pending *pending, enum stirkeep_status failure);

/* The first failed one; NULL: none. */
struct stk_slot *stk_pending_failed(const struct stk_pending *pending);

/* Forget all of them; memory is kept. */
void stk_pending_forget(struct stk_pending *pending);

#endif
