/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_TAIL_H
#define STK_AUDIT_TAIL_H

#include "audit/line.h"
#include <limits.h>
#include <sys/types.h>

/* The end of a trail's file. Descriptors are not moved. Any thread. */

/* Where the chain stands after the bytes before `end`. */
struct stk_position {
    struct stk_chain chain;
    off_t end;
};

/*
 * The last whole line of a file of `size` bytes, sought from its end, so that only as much is read
 * as is damaged. Nothing whole in a file that begins like a trail: position {0}. INVALID when it
 * does not begin like one, IO.
 */
enum stirkeep_status stk_tail_find(int fd, const char *path, off_t size,
                                   struct stk_position *ret_position, struct stk_error *error);

/* When the file's first record was written; 0 when it does not begin with one. */
int64_t stk_tail_begun(int fd);

/* `length` bytes from `at`; false with errno. */
bool stk_tail_read(int fd, void *data, size_t length, off_t at);

/* "PATH.KIND-20261125T200624.123456Z"; false when it is too long. */
bool stk_tail_name(const char *path, const char *kind, int64_t real_us, char ret_name[PATH_MAX]);

/*
 * Move the bytes from `end` to `size` to a new file `name` (0600) and cut them off: on disk there
 * before they are gone here. IO, and then nothing is cut.
 */
enum stirkeep_status stk_tail_cut(int fd, const char *path, off_t end, off_t size, const char *name,
                                  struct stk_error *error);

#endif
