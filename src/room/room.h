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
#define STK_FD_CONFIG 4  /* the configuration's text, a sealed memfd */
#define STK_FD_FIRST 5
/* front:  5 listening sign.sock, 6 link to the keeper, 7 link to intake
 * intake: 5 listening admin.sock, 6 link to the keeper, 7 link to front
 * keeper: 5 link to front, 6 link to intake, 7 the PIN file (absent when it was refused before) */
#define STK_FD_FRONT_LISTEN 5
#define STK_FD_FRONT_KEEPER 6
#define STK_FD_FRONT_INTAKE 7
#define STK_FD_INTAKE_LISTEN 5
#define STK_FD_INTAKE_KEEPER 6
#define STK_FD_INTAKE_FRONT 7
#define STK_FD_KEEPER_FRONT 5
#define STK_FD_KEEPER_INTAKE 6
#define STK_FD_KEEPER_PIN 7

/* "keeper", "intake", "front". */
const char *stk_room_name(enum stk_room room);

enum stk_control_kind {
    /* room -> porter */
    STK_CONTROL_READY = 1,   /* it does its work from now on */
    STK_CONTROL_PIN_REFUSED, /* do not hand out this PIN file again until it changes */
    STK_CONTROL_FAILED,      /* cannot start; `text` says why (the porter logs it once) */
    /* porter -> room */
    STK_CONTROL_DRAIN,   /* finish what is in flight, then exit 0 */
    STK_CONTROL_ROOM_UP, /* `room` is ready (again): repeat what it has not answered */
    STK_CONTROL_ROOM_DOWN
};

struct stk_control_message {
    uint32_t kind; /* enum stk_control_kind */
    uint32_t room; /* enum stk_room */
    char text[STK_ERROR_MAX];
};

/* One message; false when the other side is gone or the channel is full. Any thread. */
bool stk_control_send(int fd, enum stk_control_kind kind, enum stk_room room, const char *text);

/* One message without waiting. OK; UNAVAILABLE: nothing there; NOT_CONNECTED: the other side is
 * gone; MALFORMED. The text is '\0'-terminated. */
enum stirkeep_status stk_control_receive(int fd, struct stk_control_message *ret_message);

/*
 * Start of a room's main(): log opened; SIGPIPE, SIGHUP, SIGINT and SIGTERM ignored (the porter
 * says when a room ends, by DRAIN or by closing the control channel); no core dump, not dumpable,
 * no new privileges; only its descriptors open and none inherited further; configuration read from
 * STK_FD_CONFIG, which is closed. On failure the porter is told and the process exits with 1. Run
 * before any thread exists.
 */
struct stk_config *stk_room_begin(enum stk_room room);

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
