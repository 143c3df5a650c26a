/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_RELOAD_H
#define STK_STIRKEEPD_RELOAD_H

#include "stirkeepd/outcomes.h"
#include "stirkeepd/reader.h"
#include <stdbool.h>

struct stk_rooms;

/*
 * Another configuration takes over, all of it or nothing:
 *
 *   IDLE --> READING --> FRONT --> INTAKE --> IDLE
 *               '----------'---- a fault: as before
 *
 * READING: a process of its own reads, resolves and compiles it. FRONT: front decides by it from
 * its next request on, or says why not; one that is starting or ending is waited for, one that is
 * not there is born with it. From here on it is in force. INTAKE: the same, but one that does not
 * take it is replaced. Nothing here waits: the rooms are cared for meanwhile.
 *
 * Who asks while one is under way is served by the next, together with all who ask until that
 * begins. intake is told each outcome, for the trail, whether it was there at the time or not.
 */
enum stk_reload_state { STK_RELOAD_IDLE, STK_RELOAD_READING, STK_RELOAD_FRONT, STK_RELOAD_INTAKE };

#define STK_RELOAD_UNTOLD_MAX 8 /* outcomes that wait for intake; past it no reload begins */

struct stk_reload {
    const char *path; /* of the configuration */
    enum stk_reload_state state;
    struct stk_reader reader;
    struct stk_reading next;   /* FRONT: read, and not in force yet */
    uint64_t number;           /* of the last CONFIG */
    pid_t offered_to;          /* the room's process that was sent it; 0: not yet */
    uint64_t due_us;           /* when what is waited for is given up */
    struct stk_askers serving; /* by the one under way */
    struct stk_askers waiting; /* for the next */
    struct stk_outcomes outcomes;
    bool told_full; /* that reloads wait until intake is there */
};

void stk_reload_init(struct stk_reload *reload, const char *path);

/* Somebody asks: intake under a number of its own, 0 for a signal. False when there are more than
 * intake may have. */
bool stk_reload_ask(struct stk_rooms *rooms, uint64_t number);

/* The reader's descriptor can be read. */
void stk_reload_read(struct stk_rooms *rooms);

/* TAKEN from front or intake. */
void stk_reload_taken(struct stk_rooms *rooms, enum stk_room room,
                      const struct stk_control_message *message);

/* All rooms are there for the first time. */
void stk_reload_all_up(struct stk_rooms *rooms);
/* intake is there, and knows nothing of what its predecessor was told. */
void stk_reload_intake_up(struct stk_rooms *rooms);
/* intake died: its numbers are nobody's. */
void stk_reload_intake_down(struct stk_rooms *rooms);

/* Do what is due; when the next thing is (UINT64_MAX: nothing). */
uint64_t stk_reload_tick(struct stk_rooms *rooms, uint64_t now_us);

/* The service stops: nothing more is taken, and who asked is told. */
void stk_reload_stop(struct stk_rooms *rooms, uint64_t now_us);

#endif
