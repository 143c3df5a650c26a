/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/frame.h"

#include <assert.h>

enum stk_frame_state stk_frame_next(const void *data, size_t length, size_t limit,
                                    struct stk_bytes *ret_message, size_t *ret_taken)
{
    const uint8_t *bytes = data;
    uint32_t message = 0;

    if (length < STK_FRAME_HEADER)
        return STK_FRAME_NONE;
    message = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
              (uint32_t)bytes[3];
    if (message == 0)
        return STK_FRAME_EMPTY;
    if (message > limit)
        return STK_FRAME_TOO_LARGE;
    if (message > length - STK_FRAME_HEADER)
        return STK_FRAME_NONE;
    *ret_message = (struct stk_bytes){bytes + STK_FRAME_HEADER, message};
    *ret_taken = STK_FRAME_HEADER + (size_t)message;
    return STK_FRAME_WHOLE;
}

void stk_frame_header(size_t length, uint8_t ret_header[STK_FRAME_HEADER])
{
    assert(length > 0 && length <= UINT32_MAX);
    ret_header[0] = (uint8_t)(length >> 24);
    ret_header[1] = (uint8_t)(length >> 16);
    ret_header[2] = (uint8_t)(length >> 8);
    ret_header[3] = (uint8_t)length;
}
