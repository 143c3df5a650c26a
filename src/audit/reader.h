/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_READER_H
#define STK_AUDIT_READER_H

#include "base/buffer.h"
#include <stdbool.h>
#include <sys/types.h>

struct stk_unpack;

/*
 * Lines out of a descriptor, in memory that does not grow past one line and a block (and what
 * zstd takes, up to 128 MiB for a file packed with the largest window). {.fd = FD, .at = -1} to
 * begin with. One thread.
 */
struct stk_reader {
    int fd;
    off_t at;           /* pread from here; negative: read */
    bool may_be_packed; /* what begins like a zstd file is unpacked */
    bool begun;
    struct stk_unpack *unpack; /* NULL: it is plain */
    struct stk_buffer data;
    size_t taken; /* of data: given out already */
    bool ended;
    const char *why; /* after STK_READER_DAMAGED */
};

enum stk_reader_state {
    STK_READER_LINE,
    STK_READER_END,     /* after the last newline nothing follows */
    STK_READER_TORN,    /* it ends without a newline */
    STK_READER_LONG,    /* no newline within STK_LINE_MAX */
    STK_READER_DAMAGED, /* it cannot be unpacked, or not to its end */
    STK_READER_ERROR    /* errno says why */
};

/* `line` (without its newline) is valid until the next call. */
enum stk_reader_state stk_reader_next(struct stk_reader *reader, const uint8_t **ret_line,
                                      size_t *ret_length);

void stk_reader_free(struct stk_reader *reader);

#endif
