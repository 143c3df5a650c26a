/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_READER_H
#define STK_STIRKEEPD_READER_H

#include "stirkeepd/reading.h"
#include <stdbool.h>
#include <sys/types.h>

/*
 * Reads a configuration in a process of its own: a file of a million rules takes longer than the
 * rooms can do without the porter, a directory service may not answer at all, and whatever a file
 * can do to its reader it does not do to the service.
 */
struct stk_reader {
    pid_t pid; /* 0: none, or it was waited for */
    int fd;    /* can be read when there is a result; -1: nothing is being read */
};

/* Begin. `now`: the reading has to be able to take over from that. IO. From a process with one
 * thread. */
enum stirkeep_status stk_reader_start(struct stk_reader *reader, const char *path,
                                      const struct stk_config *now, struct stk_error *error);

/* Is it done? Then the error's status is OK, and the reading the caller's (its config is NULL), or
 * it says what is wrong: a fault of the configuration is always CONFIG. */
bool stk_reader_done(struct stk_reader *reader, struct stk_reading *ret_reading,
                     struct stk_error *ret_error);

/* A child was waited for: it may be this one. */
void stk_reader_bury(struct stk_reader *reader, pid_t pid);

/* Nobody wants the result any more. */
void stk_reader_stop(struct stk_reader *reader);

#endif
