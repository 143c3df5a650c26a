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
 *   IDLE --> READING --> RECORDING --> FRONT --> INTAKE --> IDLE
 *               '-----------'------------'---- a fault: as before
 *
 * READING: a process of its own reads, resolves and compiles it. RECORDING: intake brings it into the
 * trail that this policy is about to take over; what cannot be recorded is not done. FRONT: front decides by it from
 * its next request on, or says why not; one that is starting or ending is waited for, one that is
 * not there is born with it. From here on it is in force. INTAKE: the same, but one that does not
 * take it is replaced. Nothing here waits: the rooms are cared for meanwhile.
 *
 * Who asks while one is under way is served by the next, together with all who ask until that
 * begins. intake is told each outcome, for the trail, whether it was there at the time or not.
 *
 * FIRST: the service starts, and front, which decides by it, is not born before the trail says which
 * policy is in force.
 */
enum stk_reload_state {
    STK_RELOAD_IDLE,
    STK_RELOAD_FIRST,
    STK_RELOAD_READING,
    STK_RELOAD_RECORDING,
    STK_RELOAD_FRONT,
    STK_RELOAD_INTAKE
};

#define STK_RELOAD_UNTOLD_MAX 8 /* outcomes that wait for intake; past it no reload begins */

struct stk_reload {
    const char *path; /* of the configuration */
    enum stk_reload_state state;
    struct stk_reader reader;
    struct stk_reading next;   /* RECORDING, FRONT: read, and not in force yet */
    uint64_t number;           /* of the last CONFIG, POLICY or POLICY_NEXT */
    pid_t offered_to;          /* the room's process that was sent it; 0: not yet */
    uint64_t due_us;           /* when what is waited for is given up; 0: to be set */
    struct stk_askers serving; /* by the one under way */
    struct stk_askers waiting; /* for the next */
    struct stk_outcomes outcomes;
    bool told_full;  /* that reloads wait until intake is there */
    bool told_first; /* that front waits until the policy can be recorded */
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

/* RECORDED from intake. */
void stk_reload_recorded(struct stk_rooms *rooms, const struct stk_control_message *message,
                         uint64_t now_us);

/* The service starts, and intake is there: record the policy, then give birth to front. */
void stk_reload_first(struct stk_rooms *rooms);
/* intake is there, and knows nothing of what its predecessor was told. */
void stk_reload_intake_up(struct stk_rooms *rooms);
/* intake died: its numbers are nobody's. */
void stk_reload_intake_down(struct stk_rooms *rooms);

/* Do what is due; when the next thing is (UINT64_MAX: nothing). */
uint64_t stk_reload_tick(struct stk_rooms *rooms, uint64_t now_us);

/* The service stops: nothing more is taken, and who asked is told. */
void stk_reload_stop(struct stk_rooms *rooms, uint64_t now_us);

#endif
