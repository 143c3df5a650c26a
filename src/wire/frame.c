/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/frame.h"

#include <assert.h>

static size_t announced(const uint8_t header[STK_FRAME_HEADER])
{
    return (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
}

enum stk_frame_state stk_frame_next(const void *data, size_t length, size_t limit,
                                    struct stk_bytes *ret_message, size_t *ret_taken)
{
    const uint8_t *bytes = data;
    size_t message = 0;

    if (length < STK_FRAME_HEADER)
        return STK_FRAME_NONE;
    message = announced(bytes);
    if (message == 0)
        return STK_FRAME_EMPTY;
    if (message > limit)
        return STK_FRAME_TOO_LARGE;
    if (message > length - STK_FRAME_HEADER)
        return STK_FRAME_NONE;
    *ret_message = (struct stk_bytes){bytes + STK_FRAME_HEADER, message};
    *ret_taken = STK_FRAME_HEADER + message;
    return STK_FRAME_WHOLE;
}

size_t stk_frame_room(const void *data, size_t length, size_t limit, size_t least)
{
    size_t whole = least;

    if (length >= STK_FRAME_HEADER) {
        size_t message = announced(data);

        if (message <= limit && message + STK_FRAME_HEADER > whole)
            whole = message + STK_FRAME_HEADER;
    }
    return whole > length ? whole - length : 1;
}

void stk_frame_header(size_t length, uint8_t ret_header[STK_FRAME_HEADER])
{
    assert(length > 0 && length <= UINT32_MAX);
    ret_header[0] = (uint8_t)(length >> 24);
    ret_header[1] = (uint8_t)(length >> 16);
    ret_header[2] = (uint8_t)(length >> 8);
    ret_header[3] = (uint8_t)length;
}
