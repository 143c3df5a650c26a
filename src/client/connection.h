/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLIENT_CONNECTION_H
#define STK_CLIENT_CONNECTION_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "wire/frame.h"
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * One connection to a service's Unix socket: frames out, frames in, never blocking but in
 * stk_connection_wait. No signal is ever raised. One thread.
 */
struct stk_connection {
    int fd;              /* -1: none */
    size_t message_max;  /* longest message accepted */
    bool sending_failed; /* what had come before is still read, then it is over */
    dev_t device;        /* of the socket behind fd, to tell it from a later user of the number */
    ino_t inode;
    struct stk_buffer in;
    size_t in_taken; /* so much of `in` has been handed out */
    struct stk_buffer out;
    size_t out_sent;
    struct sockaddr_un address;
    struct stk_error failure; /* why there is none, or why the last one ended; path and reason */
};

/* INVALID when the path is empty or too long for a Unix socket. */
enum stirkeep_status stk_connection_start(struct stk_connection *connection, const char *path,
                                          size_t message_max, struct stk_error *error);

/* Close it and release its memory. */
void stk_connection_free(struct stk_connection *connection);

/*
 * One attempt to connect, without waiting. NOT_CONNECTED: nobody is there, it is not allowed, or no
 * descriptor is left. BUSY: somebody is, but the queue of new connections is full.
 */
enum stirkeep_status stk_connection_open(struct stk_connection *connection);

/* Close it, and forget what was to be sent and what was not yet read. */
void stk_connection_close(struct stk_connection *connection);

/*
 * In a child after fork: let go of the parent's connection. The descriptor is closed only when it
 * still is that socket: programs that become daemons close everything and use the numbers again.
 */
void stk_connection_disown(struct stk_connection *connection);

enum stk_movement {
    STK_MOVEMENT_NONE,  /* nothing arrived */
    STK_MOVEMENT_BYTES, /* some did: see stk_connection_next */
    STK_MOVEMENT_END    /* the other side is gone; `failure` says how it was noticed */
};

/* Send what the socket takes, then read what is there, once. */
enum stk_movement stk_connection_move(struct stk_connection *connection);

/* Only send what the socket takes. */
void stk_connection_flush(struct stk_connection *connection);

/* Take the next message read; the view is valid until the next call that moves or closes. */
enum stk_frame_state stk_connection_next(struct stk_connection *connection,
                                         struct stk_bytes *ret_message);

/* Does a whole message lie ready? */
bool stk_connection_ready(const struct stk_connection *connection);

/* Bytes that wait to be sent. */
size_t stk_connection_unsent(const struct stk_connection *connection);

/* Wait until something can be moved or `until_us` (CLOCK_MONOTONIC) is there, or less long.
 * Without a connection: just wait. */
void stk_connection_wait(const struct stk_connection *connection, uint64_t until_us);

#endif
