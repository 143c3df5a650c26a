/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_BORN_H
#define STK_TEST_BORN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "room/room.h"
#include <sys/types.h>

/*
 * A room's real program, born as the porter gives birth to it; the test is the porter, and holds
 * the other ends of its links. For front and intake, whose descriptors have the same shape.
 */
struct born {
    char directory[64];
    char socket[96]; /* where clients connect */
    enum stk_room room;
    const char *program;
    pid_t pid; /* 0: not running */
    int control;
    int listener;
    int keeper;      /* what the keeper would hold */
    int other;       /* what intake would hold for front, and front for intake */
    int room_keeper; /* the porter's copies of the room's ends: they outlive it */
    int room_other;
    int rules; /* attestation rules for front, which are closed with it; -1: none */
};

/* A directory, a socket, links; no process yet. `variable` names the program. */
void born_new(struct born *born, enum stk_room room, const char *variable);
void born_free(struct born *born);

/* Start it with this configuration; fails the test when it does not become ready. */
void born_start(struct born *born, const char *config);
/* SIGKILL, and it is gone. */
void born_kill(struct born *born);
/* Wait for its end, at most ten seconds; its exit status, or -1 when a signal ended it. */
int born_wait(struct born *born);
bool born_runs(const struct born *born);
void born_tell(const struct born *born, enum stk_control_kind kind, enum stk_room room);
/* What the room says next to its porter; fails the test when it says nothing. */
struct stk_control_message born_hear(const struct born *born);

/* A sealed memfd, as the porter hands them out; and one with a configuration, resolved. */
int born_sealed(const void *data, size_t length);
int born_config(const char *config);
/* CONFIG with this configuration and these rules (-1: none); the descriptors are closed. */
void born_reload(const struct born *born, uint64_t number, int config, int rules);

/* ---- clients */

struct client {
    int fd;
    struct stk_buffer in;
    size_t seen; /* of what is in front of `in` */
};

struct client client_new(const struct born *born);
void client_free(struct client *client);
void client_send(const struct client *client, const void *data, size_t length);
/* The next whole frame; lives until the next one. */
struct stk_bytes client_frame(struct client *client);
/* Is it here already, as a whole? */
bool client_has_frame(struct client *client);
/* Is the next thing the end of the conversation? */
bool client_ended(const struct client *client);
/* Is there something to be received within so long? */
bool born_readable(int fd, int milliseconds);

#endif
