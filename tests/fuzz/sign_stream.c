/* SPDX-License-Identifier: BSD-2-Clause */
#include "composed.h"
#include "fuzz.h"
#include "wire/codec_sign.h"
#include "wire/frame.h"
#include <string.h>

/* What a client sends to sign.sock: frames one after the other, each decoded as front does it, and
 * what it asks for composed as the keeper does it. */

static void take_message(struct stk_bytes message)
{
    struct stk_request request = {0};
    struct stk_request_sketch sketch = {0};
    struct stk_error error = {0};
    const struct stk_bytes glimpse = stk_request_glimpse(message);
    enum stirkeep_status status =
        stk_request_decode(message, fuzz_arena(0, STK_DECODE_ARENA_MAX), &request, &sketch, &error);

    FUZZ_CHECK(glimpse.length == 0 ||
               (glimpse.data >= message.data &&
                glimpse.data + glimpse.length <= message.data + message.length));
    FUZZ_CHECK(strlen(sketch.name) <= STK_NAME_MAX && strlen(sketch.ppt) <= STK_PPT_MAX);
    FUZZ_CHECK(strlen(sketch.orig) <= STK_URI_MAX && strlen(sketch.dest) <= STK_URI_MAX);
    FUZZ_CHECK(strlen(sketch.origid) <= STK_ORIGID_LENGTH);
    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return;
    }
    FUZZ_CHECK(request.signing_count <= STK_SIGNINGS_MAX);
    if (request.kind == STK_REQUEST_SIGN)
        FUZZ_CHECK(glimpse.length == 0 || /* with other fields before it */
                   (glimpse.length == strlen(request.signings[0].name.text) &&
                    memcmp(glimpse.data, request.signings[0].name.text, glimpse.length) == 0));
    else
        FUZZ_CHECK(glimpse.length == 0);
    for (size_t i = 0; i < request.signing_count; i++)
        if (request.signings[i].status == STIRKEEP_OK && !request.signings[i].is_input)
            fuzz_compose(&request.signings[i].claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes message = {0};
    size_t taken = 0;

    while (size > 0) {
        size_t room = stk_frame_room(data, size, STK_SIGN_MESSAGE_MAX, 512);

        FUZZ_CHECK(room >= 1 && room <= STK_SIGN_MESSAGE_MAX + STK_FRAME_HEADER);
        if (stk_frame_next(data, size, STK_SIGN_MESSAGE_MAX, &message, &taken) != STK_FRAME_WHOLE)
            return 0;
        FUZZ_CHECK(taken <= size && message.length + STK_FRAME_HEADER == taken);
        FUZZ_CHECK(message.data == data + STK_FRAME_HEADER && message.length > 0);
        take_message(message);
        data += taken;
        size -= taken;
    }
    return 0;
}
