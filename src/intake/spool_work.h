/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_WORK_H
#define STK_INTAKE_SPOOL_WORK_H

#include "intake/spool_dir.h"
#include <event2/event_struct.h>
#include <pthread.h>

/*
 * Reading an upload and sealing its key, in a thread of its own: a passphrase may cost seconds, and
 * the loop has others to serve. One at a time; the thread touches nothing but this.
 */
struct stk_spool_work {
    /* given; the directory and what it is called stay open and in place until it is done */
    int directory;
    struct stk_material_paths paths;
    bool has_x5u;
    bool has_activate_at;
    struct stk_buffer wrapping_spki;

    /* found */
    struct stk_material material; /* sealed; no plaintext */
    char x5u[STK_X5U_MAX + 1];    /* "": none */
    int64_t activate_at;          /* 0: at once */
    struct stk_error error;       /* its status is OK, or why it cannot be imported */

    pthread_t thread;
    bool running;
    int signal; /* eventfd: it is done */
    struct event done;
};

/* For once; `done` is called in the loop when a work is, with `context`. False: cannot be set up. */
bool stk_spool_work_start(struct stk_spool_work *work, struct event_base *base,
                          void (*done)(evutil_socket_t fd, short what, void *context),
                          void *context);
/* Begin with what is given. False with work->error when there is no thread to be had. */
bool stk_spool_work_begin(struct stk_spool_work *work);
/* To be called from `done`, first. False: it was called for nothing. */
bool stk_spool_work_end(struct stk_spool_work *work);
/* Forget and wipe what was given and found. */
void stk_spool_work_clear(struct stk_spool_work *work);
/* For the end of the program. A thread that does not end in a moment is left alone: false. */
bool stk_spool_work_stop(struct stk_spool_work *work);

#endif
