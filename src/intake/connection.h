/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_CONNECTION_H
#define STK_INTAKE_CONNECTION_H

#include "base/arena.h"
#include "base/buffer.h"
#include "model/peer.h"
#include "wire/codec_admin.h"
#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/queue.h>

/*
 * An administrator's connection. One request at a time: the next one is not read before the last
 * one is answered. A client that goes away does not stop what it has asked for.
 */

struct stk_intake;
struct stk_task;

enum stk_connection_state {
    STK_CONNECTION_OPEN,
    STK_CONNECTION_ENDING,   /* closes when its answer is out */
    STK_CONNECTION_LINGERING /* all is out; what still comes in is thrown away */
};

struct stk_connection {
    struct stk_intake *intake;
    int fd;
    enum stk_connection_state state;
    struct stk_peer peer;
    struct event readable;
    struct event writable;
    struct event timer;   /* for a request to come, and for the client to take its answer */
    struct event proceed; /* go on with what was read, in a turn of its own */
    bool asked;           /* has brought a complete request */
    bool eof;
    struct stk_task *task; /* NULL: none under way */
    struct stk_buffer in;
    struct stk_buffer out;
    size_t out_sent;
    TAILQ_ENTRY(stk_connection) entry;
};

TAILQ_HEAD(stk_connection_list, stk_connection);

/* A request under way. Frees itself when it is answered. */
struct stk_task {
    struct stk_intake *intake;
    struct stk_connection *connection; /* NULL: the client has gone */
    struct stk_peer peer;
    struct stk_buffer message; /* what the request's views show */
    struct stk_arena arena;    /* its texts, and the answer's */
    struct stk_admin_request request;
    struct stk_admin_response response;
    uint64_t push; /* what front was told or asked for it */
    TAILQ_ENTRY(stk_task) entry;
};

TAILQ_HEAD(stk_task_list, stk_task);

/* Take a descriptor over; closed on failure. */
bool stk_connection_open(struct stk_intake *intake, int fd, const struct stk_peer *peer);

/* One answer with id 0, then the end: for what is no request, and for those who may not ask. */
void stk_connection_end(struct stk_connection *connection, enum stirkeep_status status,
                        const char *message);
void stk_connection_free(struct stk_connection *connection);

/* The same for one whose user is no administrator any more; it is recorded. */
void stk_connection_dismiss(struct stk_connection *connection);

/* No more requests are read from now on. */
void stk_connection_stop_reading(struct stk_connection *connection);

/* ---- task.c */

/* Begin with a message; NO_MEMORY when there is no room for it. */
enum stirkeep_status stk_task_begin(struct stk_connection *connection, struct stk_bytes message);
/* Answer with task->response, of this kind. The task is gone afterwards. */
void stk_task_answer(struct stk_task *task, enum stk_admin_kind kind);
/* Answer with an error. The task is gone afterwards. */
void stk_task_refuse(struct stk_task *task, const struct stk_error *error);
/* Free those that nobody finishes any more. For the end of the program. */
void stk_tasks_free(struct stk_intake *intake);

/* The task has ended with this answer: send it, read on. */
void stk_connection_answered(struct stk_connection *connection,
                             const struct stk_admin_response *response);

#endif
