/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_CONNECTION_H
#define STK_FRONT_CONNECTION_H

#include "base/buffer.h"
#include "front/peer.h"
#include "front/queue.h"
#include "policy/policy.h"
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/queue.h>

/*
 * A client's connection. While events are handled a connection only changes its state; what
 * follows from it (writing, going on with what was read, closing) is done once, at the end of the
 * turn, by stk_connection_settle. So nobody who holds a connection loses it under their hands, and
 * all answers of a turn leave with one write.
 */

#define STK_READ_MAX (16 * 1024)       /* read at once, unless a frame is larger */
#define STK_UNSENT_MAX (256 * 1024)    /* answers not taken: past it, reading stops ... */
#define STK_UNSENT_RESUME (128 * 1024) /* ... until it is down to this */
#define STK_UNANSWERED_MAX 1024        /* requests in flight: past it, reading stops ... */
#define STK_UNANSWERED_RESUME 768      /* ... until it is down to this */
/* Answers not taken, and those to come at their largest: past it, reading stops until it is down to
 * the second. Past a user's, of all connections together, each has one request under way. */
#define STK_OWED_MAX (2 * 1024 * 1024)
#define STK_OWED_RESUME (STK_OWED_MAX / 2)
#define STK_OWED_OF_USER_MAX (32 * 1024 * 1024)
#define STK_OWED_OF_USER_RESUME (STK_OWED_OF_USER_MAX / 2)
#define STK_OUTPUT_MAX (3 * STK_OWED_MAX) /* beside them lies what was sent already */
#define STK_LINGER_US 1000000             /* for the client to take the last answer */

struct stk_front;

enum stk_connection_state {
    STK_CONNECTION_OPEN,
    STK_CONNECTION_ENDING,    /* reads no more; closes when all answers are out */
    STK_CONNECTION_LINGERING, /* all is out; what still comes in is thrown away */
    STK_CONNECTION_BROKEN     /* closed at the end of the turn */
};

/* Is it known which program is at the other end? */
enum stk_program_state {
    STK_PROGRAM_UNKNOWN, /* nobody needs to know, or nobody could tell */
    STK_PROGRAM_WANTED,  /* the porter has to be asked ... */
    STK_PROGRAM_ASKED,   /* ... is asked: nothing is read until then */
    STK_PROGRAM_KNOWN
};

/* Which queue of deadlines it stands in. */
enum stk_connection_wait { STK_WAIT_NONE, STK_WAIT_REQUEST, STK_WAIT_LINGER };

struct stk_connection {
    struct stk_front *front;
    int fd;
    uint32_t place;  /* in front's table */
    uint64_t serial; /* never used again for another one */
    enum stk_connection_state state;
    struct stk_peer peer;
    struct stk_grants *grants; /* owned; of the policy in force */
    enum stk_program_state program;
    uint64_t program_until_us; /* WANTED, ASKED */
    char *program_text;        /* owned; the next two point into it, or are NULL: not known */
    const char *executable;
    const char *unit;
    struct event readable;
    struct event writable;
    bool reading; /* which of the two events are set */
    bool writing;
    bool asked;   /* has brought a complete request */
    bool eof;     /* will send no more */
    bool drained; /* the service ends: what it had sent by then is read, and no more is */
    bool paused;  /* see above */
    bool hungry;  /* stands in line to be read from */
    bool dirty;   /* stands in front's list of those to settle */
    enum stk_connection_wait wait;
    uint64_t wait_until_us;
    uint32_t unanswered;
    size_t promised;      /* what the answers to those take at most */
    size_t owed;          /* with what is not sent yet; as counted in the user's */
    struct stk_flow flow; /* its orders that wait for the keeper */
    struct stk_buffer in;
    struct stk_buffer out;
    size_t out_sent;          /* of `out` */
    uint64_t visible_version; /* of the names, for which ... */
    uint32_t visible;         /* ... so many may be seen; counted once */
    bool taking;              /* answers wait until it reads ... */
    uint64_t taking_until_us; /* ... at the latest until then, unless it takes some */
    TAILQ_ENTRY(stk_connection) program_entry;
    TAILQ_ENTRY(stk_connection) taking_entry;
    TAILQ_ENTRY(stk_connection) dirty_entry;
    TAILQ_ENTRY(stk_connection) hungry_entry;
    TAILQ_ENTRY(stk_connection) wait_entry;
};

TAILQ_HEAD(stk_connection_list, stk_connection);

/* ---- hunger.c: who is read from next. A turn does not read all that there is: as much as is done
 * within STK_TURN_US, from one user after the other, and of each user from one connection after the
 * other. So nobody's flood keeps others waiting, nor the keeper's answers and what has a deadline. */

#define STK_TURN_US 500
#define STK_BITE_REQUESTS 8 /* of one connection, before others have their turn */

/* It has something to read, or a request that was read: at the end of the line. */
void stk_hunger_note(struct stk_connection *connection);
void stk_hunger_forget(struct stk_connection *connection);
/* Read from those who stand in line. */
void stk_hunger_feed(struct stk_front *front);

/* Take a descriptor over (closed on failure) at a free place of the table. */
enum stirkeep_status stk_connection_open(struct stk_front *front, int fd, uint32_t place,
                                         const struct stk_peer *peer, struct stk_grants *grants);

/* Other grants, of which it becomes the owner. */
void stk_connection_grant(struct stk_connection *connection, struct stk_grants *grants);

/* Have it settled at the end of the turn. */
void stk_connection_touch(struct stk_connection *connection);

/* It cannot go on, and nothing can be said any more. */
void stk_connection_break(struct stk_connection *connection);

/* It cannot go on: one answer with id 0 says why, then it ends. */
void stk_connection_end(struct stk_connection *connection, enum stirkeep_status status,
                        const char *message);

/* Its place in the queue of deadlines: `until_us` must not be earlier than those before it. */
void stk_connection_wait(struct stk_connection *connection, enum stk_connection_wait wait,
                         uint64_t until_us);

/* Its socket is full of answers: it has client-timeout-ms from now to take some. */
void stk_connection_await_reader(struct stk_connection *connection);
void stk_connection_forget_reader(struct stk_connection *connection);

/* Write, go on, close. May free it. */
void stk_connection_settle(struct stk_connection *connection);

/* Its deadline has come. */
void stk_connection_expire(struct stk_connection *connection);

/* Close and free. For settle and the end of the program. */
void stk_connection_free(struct stk_connection *connection);

/* ---- input.c */

/* The libevent callback of `readable`. */
void stk_input_ready(evutil_socket_t fd, short what, void *context);

/* Read, and handle STK_BITE_REQUESTS complete frames that are in the buffer, unless paused; if there
 * may be more, it stands in line again. */
void stk_input_bite(struct stk_connection *connection);
void stk_input_process(struct stk_connection *connection);

/* Does a request, or what is none, lie in the buffer? */
bool stk_input_has_frame(const struct stk_connection *connection);

bool stk_input_may_resume(const struct stk_connection *connection);

/* ---- owed.c: the memory that answers take, of a connection and of all of a user's */

/* What is unsent has changed. */
void stk_owed_count(struct stk_connection *connection);
/* A request is under way, the answer to which takes so many bytes at most; and it is not any more. */
void stk_owed_promise(struct stk_connection *connection, size_t length);
void stk_owed_fulfil(struct stk_connection *connection, size_t length);
/* The end of a connection. */
void stk_owed_forget(struct stk_connection *connection);

/* Is it so much that no further request may be read; so little that they may be again? A connection
 * to which nothing is owed may always bring one: nobody waits for what others do not take. */
bool stk_owed_is_much(const struct stk_connection *connection);
bool stk_owed_is_little(const struct stk_connection *connection);

/* ---- program.c */

#define STK_PROGRAM_WAIT_US 1000000 /* for the porter's answer; then it counts as not known */

/* Have it found out, unless it is known; nothing is read meanwhile. */
void stk_program_ask(struct stk_connection *connection);
bool stk_program_pending(const struct stk_connection *connection);
/* The end of a connection. */
void stk_program_forget(struct stk_connection *connection);

/* ---- output.c: each appends an answer; what cannot be kept breaks the connection. */

void stk_output_error(struct stk_connection *connection, uint64_t id, enum stirkeep_status status,
                      const char *message);

/* The end of any other answer: `status` as the encoder said. */
void stk_output_done(struct stk_connection *connection, enum stirkeep_status status);

size_t stk_output_unsent(const struct stk_connection *connection);

/* Write what the socket takes. */
void stk_output_write(struct stk_connection *connection);

/* The libevent callback of `writable`. */
void stk_output_ready(evutil_socket_t fd, short what, void *context);

#endif
