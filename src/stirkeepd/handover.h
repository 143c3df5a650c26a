/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_HANDOVER_H
#define STK_STIRKEEPD_HANDOVER_H

#include "base/error.h"
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

struct stk_rooms;

/*
 * One stirkeepd takes over from another, which serves until then (stirkeepd --take-over). They meet
 * at SIGN.handover, a SOCK_SEQPACKET socket that only the same user can connect to. Messages are
 * words, so that two versions understand each other:
 *
 *   new: TAKE 1 VERSION   old: OFFER, with the listening sockets and their locks; or NO REASON
 *        its rooms begin as far as they can, each says that it stands by
 *   new: GO               old: its rooms answer what they have taken, and end
 *                         old: GONE
 *        its rooms go on
 *   new: UP               old: ends; the names of the sockets stay
 *
 * OFFER has further words (stk_pin_words) when the token has refused PIN files; and the new one says
 * such words when it does, and ends when it has not said UP. So neither tries it again.
 *
 * Before GO, whatever goes wrong with the new one concerns nobody. From GO on the old one holds
 * sockets and locks still, and starts its own rooms again when the new one ends without UP; it ends
 * one that does not come to UP in the time that a keeper may take to open its token, and 10 s more.
 * The new one ends when the old one does without GONE.
 */

/* One who has knocked and said nothing yet. It has STK_HANDOVER_SPEAK_MS to say TAKE; of more than
 * there is room for, who came first goes. So nobody who is silent is in the way. */
#define STK_HANDOVER_CALLERS 8
#define STK_HANDOVER_SPEAK_MS 2000
struct stk_caller {
    int fd; /* -1: none */
    pid_t pid;
    uint64_t until_us;
};

struct stk_handover {
    struct sockaddr_un address;
    int listener; /* where the next one may knock; -1: nowhere */
    dev_t device; /* of the listener's name, to remove no other */
    ino_t inode;
    struct stk_caller callers[STK_HANDOVER_CALLERS];
    int to;               /* who takes over from us: it has the offer; -1: nobody */
    pid_t to_pid;         /* who that is */
    bool to_killed;       /* it was too slow: nothing that it says counts any more */
    uint64_t to_until_us; /* when it has to have said GO, and later UP */
    bool is_wanted;       /* it said GO: the rooms end for its sake */
    int from;             /* whom we take over from; -1: nobody */
    bool go_said;         /* all our rooms stand by */
    bool taken;     /* it has ended for our sake, and its sockets are ours once all rooms serve */
    bool handed_on; /* the names of the sockets are another one's */
};

#define STK_HANDOVER_FDS (3 + STK_HANDOVER_CALLERS) /* that are waited for */

void stk_handover_init(struct stk_handover *handover);

/* Connect to who serves with this configuration, and get its sockets (rooms->sign, rooms->admin).
 * `ret_found` false, OK: nobody is there. CONFIG, BUSY, IO: it does not go, with the reason. */
enum stirkeep_status stk_handover_take(struct stk_rooms *rooms, bool *ret_found,
                                       struct stk_error *error);

/* Wait for the next one. That it cannot be is logged, and no reason not to serve. */
void stk_handover_listen(struct stk_rooms *rooms);

/* What to poll, and what came of it. */
void stk_handover_watch(const struct stk_handover *handover,
                        struct pollfd ret_watched[STK_HANDOVER_FDS]);
void stk_handover_hear(struct stk_rooms *rooms, const struct pollfd watched[STK_HANDOVER_FDS],
                       uint64_t now_us);

/* Part with those whose time is over; when the next one's is, or STK_DUE_NEVER. */
uint64_t stk_handover_tick(struct stk_rooms *rooms, uint64_t now_us);

/* A room stands by: when all do, the old one is told. */
void stk_handover_stood_by(struct stk_rooms *rooms);

/* The token has refused the PIN: whom we take over from is told. */
void stk_handover_tell_pin(struct stk_rooms *rooms);

/* Is one there that starts its rooms again when we end? */
bool stk_handover_may_go_back(const struct stk_rooms *rooms);

/* All rooms serve: if we took over, the sockets are ours now. */
void stk_handover_all_up(struct stk_rooms *rooms);

/* Our rooms have ended for the next one's sake: it is told. False: it is not there any more. */
bool stk_handover_gone(struct stk_rooms *rooms, uint64_t now_us);

/* The end: the socket's name is removed, unless it is another one's. */
void stk_handover_close(struct stk_handover *handover);

/* ---- handover_words.c: messages; a text has no '\0' in it, and no more than this */

#define STK_HANDOVER_TEXT_MAX 512
#define STK_HANDOVER_GIVEN 4 /* sign.sock, its lock, admin.sock, its lock */

bool stk_handover_say(int fd, const char *text, const int *fds, size_t fd_count);
/* One message, waiting up to `wait_ms`; '\0'-terminated. UNAVAILABLE: none came; NOT_CONNECTED,
 * MALFORMED. Descriptors that came are the caller's, close-on-exec; places without one are -1. */
enum stirkeep_status stk_handover_get(int fd, int wait_ms, char ret_text[STK_HANDOVER_TEXT_MAX + 1],
                                      int ret_fds[STK_HANDOVER_GIVEN]);

#endif
