/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_LIVES_H
#define STK_STIRKEEPD_LIVES_H

#include "stirkeepd/rooms.h"
#include <stdbool.h>
#include <stdint.h>

/* What the files behind rooms.h share. */

#define STK_DUE_NEVER UINT64_MAX
#define STK_LEAVE_MS 2000 /* for a room that said FAILED, or closed its control channel */
#define STK_DRAIN_MS 5000 /* to finish what is in flight */

static inline uint64_t stk_due_after(uint64_t now_us, unsigned ms)
{
    return now_us + (uint64_t)ms * 1000;
}

/* Is there a process? */
bool stk_room_is_alive(const struct stk_room_record *record);

/* SIGKILL, once. */
void stk_room_kill(struct stk_room_record *record);

/* It has to be gone in `ms`. */
void stk_room_expect_end(struct stk_room_record *record, uint64_t now_us, unsigned ms);

/* Tell the rooms alive, but for `about` itself. The text may be NULL. */
void stk_rooms_tell_others(const struct stk_rooms *rooms, enum stk_control_kind kind,
                           enum stk_room about, const char *text);

/* Start it now; when that cannot be, again later, or the service ends when it was never ready. */
void stk_rooms_give_birth(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us);

/* It stands by: it goes on, and has to be ready in time. */
void stk_room_let_go(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us);

/* It is its turn in the start: one that stands by goes on, else it is started. */
void stk_rooms_bring_up(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us);

/* Have it finish what is in flight and leave. */
void stk_room_drain(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us);

/* Start it after its back-off, which grows. */
void stk_room_wait(struct stk_room_record *record, uint64_t now_us);

/* What a room says. False when it says what it may not: it has gone astray. */
bool stk_rooms_take_message(struct stk_rooms *rooms, enum stk_room room,
                            const struct stk_control_message *message, uint64_t now_us);

#endif
