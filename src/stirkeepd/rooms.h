/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_ROOMS_H
#define STK_STIRKEEPD_ROOMS_H

#include "lockdown/lockdown.h"
#include "room/room.h"
#include "stirkeepd/health.h"
#include "stirkeepd/handover.h"
#include "stirkeepd/links.h"
#include "stirkeepd/pin.h"
#include "stirkeepd/reading.h"
#include "stirkeepd/reload.h"
#include "stirkeepd/sockets.h"
#include "stirkeepd/user.h"
#include "stirkeepd/witness.h"
#include <sys/types.h>

/*
 * The rooms' lives. Times are microseconds of CLOCK_MONOTONIC and passed in.
 *
 *   ABSENT --> WAITING --> STARTING --> UP --> ENDING --> (died)
 *                 ^                                          |
 *                 '-------------- back-off ------------------'
 *
 * Taking over from another stirkeepd, a room is STANDING between STARTING and STARTING.
 */
enum stk_room_state {
    STK_ROOM_ABSENT,   /* not its turn yet, or ended for good */
    STK_ROOM_WAITING,  /* to be started at due_us */
    STK_ROOM_STARTING, /* has to be ready, or to stand by, by due_us */
    STK_ROOM_STANDING, /* begun as far as can be beside the stirkeepd that still serves */
    STK_ROOM_UP,
    STK_ROOM_ENDING /* has to be gone by due_us, or is killed */
};

struct stk_room_record {
    enum stk_room_state state;
    pid_t pid;
    int control; /* our end; -1: none */
    uint64_t due_us;
    uint64_t up_since_us; /* 0: was not ready in this life */
    unsigned backoff_ms;
    bool killed;
    bool explained;     /* why it ends was logged */
    uint64_t ping_us;   /* when it is to be asked next whether its loop turns; 0: at once */
    uint64_t silent_us; /* since when it owes the answer; 0: it does not */
    char lockdown[STK_LOCKDOWN_WORD]; /* what it said with READY */
};

enum stk_phase {
    STK_PHASE_STANDING_BY, /* another stirkeepd serves; what fails now ends this one */
    STK_PHASE_STARTING,    /* one room after the other; what fails now ends the service */
    STK_PHASE_RUNNING,
    STK_PHASE_STOPPING,
    STK_PHASE_HANDED_OVER, /* all rooms are gone, and the next stirkeepd starts its own */
    STK_PHASE_STOPPED
};

/* What rooms are started from, and what is known of them. */
struct stk_rooms {
    const struct stk_config *config; /* as at the start; in what rooms are started by, a reload
                                        changes nothing */
    const char *libexec;
    struct stk_reading in_force; /* what rooms are born with; its config is NULL */
    struct stk_reload reload;
    struct stk_handover handover;
    struct stk_listener sign;
    struct stk_listener admin;
    struct stk_links links;
    struct stk_user users[STK_ROOM_COUNT];
    struct stk_pin pin;
    int number_key; /* descriptor of the key for numbers, for the service's life; -1: none */
    struct stk_witness witness;
    struct stk_health health;
    char lockdown[STK_LOCKDOWN_WORD]; /* this process's own */
    uint64_t pin_look_us; /* while the keeper lacks one that works: when to look; 0: it does not */
    enum stk_phase phase;
    int exit_status;
    struct stk_room_record records[STK_ROOM_COUNT];
};

/* Start with the keeper; the next one follows when it is ready. */
void stk_rooms_begin(struct stk_rooms *rooms, uint64_t now_us);

/* All rooms begin as far as they can; then, the stirkeepd before having ended, they go on. */
void stk_rooms_stand_by(struct stk_rooms *rooms, uint64_t now_us);
void stk_rooms_go(struct stk_rooms *rooms, uint64_t now_us);

/* The next stirkeepd has the sockets: the end. Or it has ended itself: all rooms are started again. */
void stk_rooms_hand_on(struct stk_rooms *rooms);
void stk_rooms_revive(struct stk_rooms *rooms, uint64_t now_us);

/* Something arrived on a room's control channel. */
void stk_rooms_hear(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us);

/* A child was waited for. */
void stk_rooms_bury(struct stk_rooms *rooms, pid_t pid, int wait_status, uint64_t now_us);

/* Do what is due; milliseconds until the next thing is (-1: nothing is). */
int stk_rooms_tick(struct stk_rooms *rooms, uint64_t now_us);

/*
 * End: front, then intake, then the keeper, each with time to finish what is in flight. The first
 * call counts, but that one that hands over can still be stopped. The phase is STOPPED when all are
 * gone, or HANDED_OVER.
 */
void stk_rooms_stop(struct stk_rooms *rooms, int exit_status, uint64_t now_us);

#endif
