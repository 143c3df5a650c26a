/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_admin.h"

#include "wire/frame.h"
#include <stdlib.h>

bool fake_admin_request(struct fake *fake, int fd, struct stk_admin_request *ret_request)
{
    struct stk_bytes message = {0};
    size_t taken = 0;

    while (fake->in.length == 0 ||
           stk_frame_next(fake->in.data, fake->in.length, STK_ADMIN_MESSAGE_MAX, &message,
                          &taken) != STK_FRAME_WHOLE)
        if (!fake_more(fake, fd))
            return false;
    stk_arena_reset(&fake->arena);
    /* Bytes stay where they are until the next request. */
    if (stk_admin_request_decode(message, &fake->arena, ret_request, NULL) != STIRKEEP_OK)
        abort();
    stk_buffer_drop(&fake->in, taken);
    return true;
}

void fake_admin_answer(int fd, const struct stk_admin_response *response)
{
    struct stk_buffer out = {0};

    if (stk_admin_response_encode(response, &out) != STIRKEEP_OK)
        abort();
    fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

void fake_admin_refuse(int fd, uint64_t id, enum stirkeep_status status, const char *message)
{
    const struct stk_admin_response response = {.id = id, .status = status, .message = message};

    fake_admin_answer(fd, &response);
}
