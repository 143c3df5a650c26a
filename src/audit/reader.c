/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/reader.h"

#include "audit/line.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)256 * 1024) /* asked for at a time */

/* More bytes behind those not yet given out; false with errno. */
static bool fill(struct stk_reader *reader)
{
    struct stk_buffer *data = &reader->data;
    ssize_t got = 0;

    stk_buffer_drop(data, reader->taken);
    reader->taken = 0;
    if (stk_buffer_reserve(data, BLOCK) != STIRKEEP_OK) {
        errno = ENOMEM;
        return false;
    }
    do {
        got = reader->at < 0 ? read(reader->fd, data->data + data->length, BLOCK)
                             : pread(reader->fd, data->data + data->length, BLOCK, reader->at);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return false;
    reader->ended = got == 0;
    data->length += (size_t)got;
    if (reader->at >= 0)
        reader->at += got;
    return true;
}

enum stk_reader_state stk_reader_next(struct stk_reader *reader, const uint8_t **ret_line,
                                      size_t *ret_length)
{
    size_t searched = 0;

    for (;;) {
        const uint8_t *start = reader->data.data + reader->taken;
        size_t length = reader->data.length - reader->taken;
        const uint8_t *newline =
            length > searched ? memchr(start + searched, '\n', length - searched) : NULL;

        if (newline != NULL) {
            *ret_line = start;
            *ret_length = (size_t)(newline - start);
            reader->taken += *ret_length + 1;
            return STK_READER_LINE;
        }
        if (reader->ended)
            return length == 0 ? STK_READER_END : STK_READER_TORN;
        if (length >= STK_LINE_MAX)
            return STK_READER_LONG;
        searched = length;
        if (!fill(reader))
            return STK_READER_ERROR;
    }
}

void stk_reader_free(struct stk_reader *reader)
{
    stk_buffer_free(&reader->data);
}
