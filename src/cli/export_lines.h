/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_EXPORT_LINES_H
#define STK_CLI_EXPORT_LINES_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>

/* The lines of a bundle's file, which may be anybody's: none longer than `most` bytes. One thread. */
struct stk_lines {
    int fd;
    const char *name; /* for messages */
    size_t most;
    uint64_t number; /* of the line given last, from 1 */
    struct stk_buffer data;
    size_t taken;
    bool ended;
};

/* IO: it cannot be opened, or is no regular file. `name` must live as long. */
enum stirkeep_status stk_lines_open(int directory, const char *name, size_t most,
                                    struct stk_lines *ret_lines, struct stk_error *error);

/* The next line without its newline, valid until the next call; at the end OK with data NULL.
 * INVALID: the last one has no end. TOO_LARGE, IO, NO_MEMORY. */
enum stirkeep_status stk_lines_next(struct stk_lines *lines, struct stk_bytes *ret_line,
                                    struct stk_error *error);

void stk_lines_close(struct stk_lines *lines);

#endif
