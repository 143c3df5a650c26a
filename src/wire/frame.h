/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_FRAME_H
#define STK_WIRE_FRAME_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

/* 4-byte big-endian length, then so many bytes of message. Bytes in, bytes out, no descriptor. */

enum stk_frame_state {
    STK_FRAME_NONE, /* not yet a whole frame: read more */
    STK_FRAME_WHOLE,
    STK_FRAME_TOO_LARGE, /* longer than the limit: the connection cannot go on */
    STK_FRAME_EMPTY      /* length 0 is no message: the connection cannot go on */
};

/*
 * Look at the first frame in `data`. WHOLE: `ret_message` is the view of it in `data`, and
 * `*ret_taken` bytes belong to it, header included. TOO_LARGE is known from the header alone.
 */
enum stk_frame_state stk_frame_next(const void *data, size_t length, size_t limit,
                                    struct stk_bytes *ret_message, size_t *ret_taken);

/*
 * How many bytes to read next behind the `length` in `data`, at least 1: up to `least` in all, or to
 * the end of a frame that has begun and keeps the limit.
 */
size_t stk_frame_room(const void *data, size_t length, size_t limit, size_t least);

/* Write the header for a message of `length` bytes. */
void stk_frame_header(size_t length, uint8_t ret_header[STK_FRAME_HEADER]);

#endif
