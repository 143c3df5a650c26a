/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLIENT_EXCHANGE_H
#define STK_CLIENT_EXCHANGE_H

#include "base/arena.h"
#include "client/connection.h"
#include "client/pending.h"
#include "wire/codec_sign.h"
#include <stirkeep/client.h>

/* What a client is made of, and the one loop that all its calls go through. */
struct stirkeep_client {
    pid_t process; /* that the connection and what is under way belong to */
    uint32_t timeout_ms;
    struct stk_connection connection;
    uint64_t retry_at_us; /* not to connect again before */
    uint64_t retry_delay_us;
    struct {
        uint64_t lost_us; /* when the last connection was lost; 0: none was */
        uint64_t patience_us;
        uint64_t due_us; /* when something under way is to be asked again; UINT64_MAX: nothing is */
        struct stk_error reason; /* of the last UNAVAILABLE after which something is asked again */
    } again;
    struct stk_pending pending;
    struct stk_arena arena;       /* of the answer handed out last */
    struct stk_error error;       /* of the last call that failed */
    struct stk_error failure;     /* why what was under way was given up */
    struct stk_error refusal;     /* message of the answer handed out last */
    struct stk_buffer listed;     /* struct stk_certificate, of the last stirkeep_list */
    struct stk_buffer list_shown; /* struct stirkeep_certificate */
};

/* One answer. `message` and the texts of `response` are valid until the next call. */
struct stk_result {
    uint64_t tag;
    enum stirkeep_status status;
    const char *message;          /* when status is not OK */
    struct stk_response response; /* when it is; of the kind that was asked for */
};

/* Every public call begins with this: notices a fork, and gives the last answer's memory back. */
void stk_client_enter(struct stirkeep_client *client);

/* Encodes the request into `out` with the id. */
typedef enum stirkeep_status stk_encode(uint64_t id, uint32_t deadline_ms, const void *what,
                                        struct stk_buffer *out);

/*
 * Put a request under way, connecting when necessary; never waits. OVERLOADED, NO_MEMORY,
 * TOO_LARGE, INVALID by `encode`; NOT_CONNECTED when nobody is at the socket and nothing else is
 * under way. The client's error is set.
 */
enum stirkeep_status stk_client_begin(struct stirkeep_client *client, enum stk_request_kind kind,
                                      uint64_t deadline_us, uint64_t tag, stk_encode *encode,
                                      const void *what);

/* When stk_client_next is to be called again, at `until_us` at the latest: an answer lies ready (0), a
 * deadline passes, or a connection is tried. */
uint64_t stk_client_due(const struct stirkeep_client *client, uint64_t until_us);

/* Wait until `until_us` for one answer. OK, or TIMEOUT with nothing handed out. */
enum stirkeep_status stk_client_next(struct stirkeep_client *client, uint64_t until_us,
                                     struct stk_result *ret_result);

/*
 * Both in one: an answer that is not OK becomes the returned status and the client's error.
 * INVALID when something else is under way.
 */
enum stirkeep_status stk_client_ask(struct stirkeep_client *client, enum stk_request_kind kind,
                                    uint64_t deadline_us, stk_encode *encode, const void *what,
                                    struct stk_result *ret_result);

/* `ms` (0: the client's time-out) from now, CLOCK_MONOTONIC. */
uint64_t stk_client_deadline(const struct stirkeep_client *client, uint32_t ms);

#endif
