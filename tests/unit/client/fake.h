/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_FAKE_H
#define STK_TEST_FAKE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "wire/codec_sign.h"
#include <pthread.h>
#include <stdatomic.h>

/* A service played by a thread of the test: it does what `play` does, good or bad. */
struct fake {
    char directory[64];
    char path[80];
    int listener;
    void (*play)(struct fake *fake);
    pthread_t thread;
    atomic_bool go; /* for plays and tests that wait for one another */
    atomic_int seen;
    struct stk_arena arena;
    struct stk_buffer in;
};

void fake_start(struct fake *fake, void (*play)(struct fake *fake));
/* Waits for the play to end and cleans up. */
void fake_stop(struct fake *fake);

void fake_listen(struct fake *fake);
void fake_unlisten(struct fake *fake);
int fake_accept(struct fake *fake);
void fake_close(struct fake *fake, int fd);

/* The next request; false at the end of the connection. Fails the test's thread on nonsense. */
bool fake_request(struct fake *fake, int fd, struct stk_request *ret_request);

/* Read more into `in`; false at the end. */
bool fake_more(struct fake *fake, int fd);

/* "NAME/FIRST-DEST" (or, of an input, "NAME/PAYLOAD") is what the fake's signatures say, so that an
 * answer shows whose it is. */
void fake_sign(int fd, const struct stk_request *request);
/* The same of a batch, with `count` results; names that begin with "no" are refused. */
void fake_batch(int fd, const struct stk_request *request, size_t count);
void fake_refuse(int fd, uint64_t id, enum stirkeep_status status, const char *message);
void fake_write(int fd, const void *data, size_t length);

/* Wait until the flag is set. */
void fake_wait(atomic_bool *flag);

#endif
