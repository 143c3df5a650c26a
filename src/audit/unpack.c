/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/unpack.h"

#include <stdlib.h>
#include <zstd.h>

#define BLOCK ((size_t)256 * 1024) /* of the file, read at a time */

struct stk_unpack {
    ZSTD_DStream *stream;
    ZSTD_inBuffer in;
    bool between; /* frames: there it may end */
    bool full;    /* the last call gave as much as there was room for: it may hold back more */
    uint8_t block[BLOCK];
};

struct stk_unpack *stk_unpack_new(void)
{
    struct stk_unpack *unpack = malloc(sizeof(*unpack));

    if (unpack == NULL)
        return NULL;
    unpack->stream = ZSTD_createDStream();
    unpack->in = (ZSTD_inBuffer){.src = unpack->block};
    unpack->between = true;
    unpack->full = false;
    if (unpack->stream == NULL) {
        free(unpack);
        return NULL;
    }
    return unpack;
}

void stk_unpack_free(struct stk_unpack *unpack)
{
    if (unpack == NULL)
        return;
    (void)ZSTD_freeDStream(unpack->stream);
    free(unpack);
}

size_t stk_unpack_room(struct stk_unpack *unpack, uint8_t **ret_room)
{
    if (unpack->in.pos < unpack->in.size || unpack->full)
        return 0;
    *ret_room = unpack->block;
    return sizeof(unpack->block);
}

void stk_unpack_given(struct stk_unpack *unpack, size_t length)
{
    unpack->in.pos = 0;
    unpack->in.size = length;
}

ssize_t stk_unpack_next(struct stk_unpack *unpack, void *data, size_t length, const char **ret_why)
{
    ZSTD_outBuffer out = {.dst = data, .size = length};

    while (out.pos == 0 && (unpack->in.pos < unpack->in.size || unpack->full)) {
        size_t left = ZSTD_decompressStream(unpack->stream, &out, &unpack->in);

        if (ZSTD_isError(left)) {
            *ret_why = ZSTD_getErrorName(left);
            return -1;
        }
        unpack->between = left == 0;
        unpack->full = out.pos == out.size && !unpack->between;
    }
    return (ssize_t)out.pos;
}

bool stk_unpack_is_whole(const struct stk_unpack *unpack)
{
    return unpack->between;
}
