/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_ROOM_ROOM_H
#define STK_ROOM_ROOM_H

#include "base/error.h"
#include "config/config.h"

/*
 * What every room and the porter share: which descriptors a room is born with, the control channel
 * between porter and room, and the steps that take rights away.
 *
 * The porter makes the links between rooms once, keeps both ends, and gives each new room its
 * ends: what is queued on a link outlives the room that dies, and nobody has to reconnect.
 */

#define STK_FD_CONTROL 3 /* SOCK_SEQPACKET to the porter */
#define STK_FD_CONFIG 4  /* the configuration as stk_config_resolve made it, a sealed memfd */
#define STK_FD_FIRST 5
/* front:  5 listening sign.sock, 6 link to the keeper, 7 link to intake, 8 the image of attestation
 *         rules, a sealed memfd (absent when there are none)
 * intake: 5 listening admin.sock, 6 link to the keeper, 7 link to front
 * keeper: 5 link to front, 6 link to intake, 7 the PIN file (absent when it was refused before),
 *         8 the key for numbers, a file (absent when they are not hashed) */
#define STK_FD_FRONT_LISTEN 5
#define STK_FD_FRONT_KEEPER 6
#define STK_FD_FRONT_INTAKE 7
#define STK_FD_FRONT_RULES 8
#define STK_FD_INTAKE_LISTEN 5
#define STK_FD_INTAKE_KEEPER 6
#define STK_FD_INTAKE_FRONT 7
#define STK_FD_KEEPER_FRONT 5
#define STK_FD_KEEPER_INTAKE 6
#define STK_FD_KEEPER_PIN 7
#define STK_FD_KEEPER_NUMBERS 8

/* "keeper", "intake", "front". */
const char *stk_room_name(enum stk_room room);

enum stk_control_kind {
    /* room -> porter */
    STK_CONTROL_READY = 1,    /* it does its work from now on; `text` as stk_lockdown_word */
    STK_CONTROL_PIN_REFUSED,  /* do not hand out this PIN file again until it changes */
    STK_CONTROL_PIN_TRIED,    /* keeper: the token is about to be given the PIN ... */
    STK_CONTROL_PIN_TAKEN,    /* ... and it is right, */
    STK_CONTROL_PIN_UNJUDGED, /* or the token had another trouble */
    STK_CONTROL_FAILED,       /* cannot start; `text` says why (the porter logs it once) */
    STK_CONTROL_RELOAD,       /* intake: somebody asks for it; `number` is theirs */
    STK_CONTROL_TAKEN,        /* front, intake: CONFIG `number` is in force, or (`status`) is not */
    STK_CONTROL_WHO,          /* front: `text` is a process id: which program is it? */
    STK_CONTROL_RECORDED, /* intake: POLICY or POLICY_NEXT `number` is in the trail, or (`status`)
                             cannot be: `text` says why */
    STK_CONTROL_STANDING_BY, /* begun as far as can be beside a stirkeepd that still serves */
    STK_CONTROL_SEALED, /* keeper: a seal of the trail, for the witness: `text` is its line, and
                                `number` the last record that it covers */
    STK_CONTROL_PONG,   /* its loop turns */
    /* porter -> room */
    STK_CONTROL_GO,          /* to one that stands by: go on, the one before has ended */
    STK_CONTROL_DRAIN,       /* finish what is in flight, then exit 0 */
    STK_CONTROL_ROOM_UP,     /* `room` is ready (again): repeat what it has not answered */
    STK_CONTROL_ROOM_DOWN,   /* `room` is not there; `text` says how it ended, when it just did */
    STK_CONTROL_POLICY,      /* intake: record that the policy `text` is in force from now on */
    STK_CONTROL_POLICY_NEXT, /* intake: record that the policy `text` is about to take over */
    STK_CONTROL_CONFIG,   /* front, intake: another configuration (as at STK_FD_CONFIG), and with it
                             to front the rules (as at STK_FD_FRONT_RULES) when there are any */
    STK_CONTROL_RELOADED, /* intake: how RELOAD `number` (0: nobody's) ended: `status`, and `text`
                             says why, or as STK_POLICY_TEXT which policy is in force */
    STK_CONTROL_PROGRAM, /* front: the answer to WHO: `text` is "EXECUTABLE\nUNIT", each may be "" */
    STK_CONTROL_LOCKED, /* intake: how each process is locked down: `text` is a line each, and bit n
                            of `number` is set when the n-th line's process, from 0, is open */
    STK_CONTROL_PING,   /* any: PONG at once */
    STK_CONTROL_KIND_END
};

/* SHA-256 of the configuration file, and of the file of attestation rules or "-"; then how many
 * grants and rules there are. */
#define STK_POLICY_TEXT "configuration %s attestation %s grants %zu rules %zu"

#define STK_CONTROL_TEXT_MAX 1024 /* with its end */
#define STK_CONTROL_FDS_MAX 2

struct stk_control_message {
    uint32_t kind;   /* enum stk_control_kind */
    uint32_t room;   /* enum stk_room */
    uint32_t status; /* enum stirkeep_status; OK where the kind has none */
    uint32_t fd_count;
    uint64_t number;
    char text[STK_CONTROL_TEXT_MAX];
    int fds[STK_CONTROL_FDS_MAX]; /* SCM_RIGHTS; as received they are the receiver's to close */
};

/* One message; false when the other side is gone or the channel is full. A text too long is cut.
 * Any thread. */
bool stk_control_send(int fd, enum stk_control_kind kind, enum stk_room room, const char *text);
/* The same with all its fields; the descriptors stay the sender's. */
bool stk_control_send_message(int fd, const struct stk_control_message *message);

/* One message without waiting. OK; UNAVAILABLE: nothing there; NOT_CONNECTED: the other side is
 * gone; MALFORMED. The text is '\0'-terminated; descriptors come close-on-exec: with CONFIG one or
 * two, with any other kind none. Places without one are -1. */
enum stirkeep_status stk_control_receive(int fd, struct stk_control_message *ret_message);

/* Close the descriptors of a received message that were not taken out of it (-1 instead). */
void stk_control_drop(struct stk_control_message *message);

/*
 * Start of a room's main(): log opened; SIGPIPE, SIGHUP, SIGINT and SIGTERM ignored (the porter
 * says when a room ends, by DRAIN or by closing the control channel); no capabilities, no core dump,
 * not dumpable, no new privileges; only its descriptors open and none inherited further; configuration read from
 * STK_FD_CONFIG, which is closed. On failure the porter is told and the process exits with 1. Run
 * before any thread exists.
 */
struct stk_config *stk_room_begin(enum stk_room room);

/*
 * A room that is to take over from one that still serves is started with this argument: it begins as
 * far as it can without what only one may have (the trail, the catalog, a listening socket), says
 * STANDING_BY, and goes on at GO. Nothing else is said to it before that but DRAIN.
 */
#define STK_ROOM_STAND_BY "stand-by"

/* Is it started like that? */
bool stk_room_stands_by(int argc, char **argv);

/* Say so, and wait for GO; a room that is not wanted any more ends here. At once when it was not
 * started like that. */
void stk_room_await_go(enum stk_room room, int argc, char **argv);

/* The configuration behind a descriptor as the porter gives it at STK_FD_CONFIG and with CONFIG,
 * which stays open. As stk_config_parse_resolved; IO. */
enum stirkeep_status stk_room_read_config(int fd, struct stk_config **ret_config,
                                          struct stk_error *error);

/* Tell the porter why the room cannot start, log nothing, exit with 1. */
_Noreturn void stk_room_fail(enum stk_room room, const struct stk_error *error);

/* ---- links between rooms: SOCK_SEQPACKET, at most STK_LINK_MESSAGE_MAX a message */

/*
 * Waiting: `wait_ms` 0 not at all, negative as long as it takes. The descriptors stay blocking and
 * are never changed (their file descriptions are shared with the porter): each call says itself
 * whether it waits (MSG_DONTWAIT, poll). Any number of threads may receive from one link.
 */

/* One message. UNAVAILABLE: no room in time; NOT_CONNECTED; TOO_LARGE; IO. */
enum stirkeep_status stk_link_send(int fd, const void *data, size_t length, int wait_ms,
                                   struct stk_error *error);

/* One message into `data` (STK_LINK_MESSAGE_MAX bytes). UNAVAILABLE: none in time; NOT_CONNECTED:
 * the other side is gone; TOO_LARGE: it was longer and is dropped. With a negative wait the thread
 * blocks in recvmsg itself, so that the kernel wakes exactly one of several. */
enum stirkeep_status stk_link_receive(int fd, int wait_ms, uint8_t *data, size_t *ret_length,
                                      struct stk_error *error);

#endif
