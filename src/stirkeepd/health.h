/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_HEALTH_H
#define STK_STIRKEEPD_HEALTH_H

#include "room/room.h"
#include <stdint.h>

/*
 * Whether everybody is alive and not only there. Each room that is up is asked (PING) and has to
 * answer (PONG) within a time that no loop takes to turn; one that does not is killed, and replaced
 * in the usual way. The service manager's watchdog (WATCHDOG_USEC, sd_watchdog_enabled(3)) is told
 * after that look, so that a ping of its means: this loop turns, and every room answers or is being
 * replaced. A token or a disk that fails is none of the watchdog's business: a restart would take the
 * rest of the service away. Times are microseconds of CLOCK_MONOTONIC.
 */
#define STK_PING_MS 5000
#define STK_SILENT_MS 30000

struct stk_health {
    bool pings;              /* false: rooms are not asked */
    uint64_t watchdog_us;    /* between two pings of the service manager's watchdog; 0: none */
    uint64_t watchdog_at_us; /* when it is due */
};

struct stk_rooms;
void stk_health_start(struct stk_health *health);
/* PONG. */
void stk_health_answered(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us);
/* Do what is due; when the next thing is (STK_DUE_NEVER). */
uint64_t stk_health_tick(struct stk_rooms *rooms, uint64_t now_us);

#endif
