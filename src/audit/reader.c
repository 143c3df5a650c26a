/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/reader.h"

#include "audit/line.h"
#include "audit/unpack.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)512 * 1024) /* asked for at a time */

/* Of the file: -1 with errno, 0 at its end. */
static ssize_t read_some(struct stk_reader *reader, void *data, size_t length)
{
    ssize_t got = 0;

    do {
        got = reader->at < 0 ? read(reader->fd, data, length)
                             : pread(reader->fd, data, length, reader->at);
    } while (got < 0 && errno == EINTR);
    if (got > 0 && reader->at >= 0)
        reader->at += got;
    return got;
}

/* The first bytes, by which a zstd file is known; they stay what is read next. */
static bool begin(struct stk_reader *reader)
{
    uint8_t *room = NULL;
    size_t length = 0;
    ssize_t got = 1;

    reader->begun = true;
    reader->unpack = stk_unpack_new();
    if (reader->unpack == NULL) {
        errno = ENOMEM;
        return false;
    }
    (void)stk_unpack_room(reader->unpack, &room);
    while (length < STK_UNPACK_MAGIC_LENGTH && got > 0) {
        got = read_some(reader, room + length, STK_UNPACK_MAGIC_LENGTH - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return false;
    if (length == STK_UNPACK_MAGIC_LENGTH &&
        memcmp(room, STK_UNPACK_MAGIC, STK_UNPACK_MAGIC_LENGTH) == 0) {
        stk_unpack_given(reader->unpack, length);
        return true;
    }
    if (stk_buffer_add(&reader->data, room, length) != STIRKEEP_OK) {
        errno = ENOMEM;
        return false;
    }
    stk_unpack_free(reader->unpack);
    reader->unpack = NULL;
    return true;
}

/* As read_some, of what is inside; -1 with `why` when it is damaged. */
static ssize_t unpack_some(struct stk_reader *reader, void *data, size_t length)
{
    for (;;) {
        ssize_t got = stk_unpack_next(reader->unpack, data, length, &reader->why);
        uint8_t *room = NULL;
        size_t size = 0;
        ssize_t given = 0;

        if (got != 0)
            return got;
        size = stk_unpack_room(reader->unpack, &room);
        given = size > 0 ? read_some(reader, room, size) : 0;
        if (given == 0 && !stk_unpack_is_whole(reader->unpack))
            reader->why = "it ends too early";
        if (given <= 0)
            return reader->why != NULL ? -1 : given;
        stk_unpack_given(reader->unpack, (size_t)given);
    }
}

/* More bytes behind those not yet given out; false with errno, or `why`. */
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
    if (reader->may_be_packed && !reader->begun && !begin(reader))
        return false;
    got = reader->unpack != NULL
              ? unpack_some(reader, data->data + data->length, BLOCK)
              : read_some(reader, data->data + data->length, data->capacity - data->length);
    if (got < 0)
        return false;
    reader->ended = got == 0;
    data->length += (size_t)got;
    return true;
}

enum stk_reader_state stk_reader_next(struct stk_reader *reader, const uint8_t **ret_line,
                                      size_t *ret_length)
{
    size_t searched = 0;

    for (;;) {
        size_t length = reader->data.length - reader->taken;
        const uint8_t *start = length > 0 ? reader->data.data + reader->taken : NULL;
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
            return reader->why != NULL ? STK_READER_DAMAGED : STK_READER_ERROR;
    }
}

void stk_reader_free(struct stk_reader *reader)
{
    stk_unpack_free(reader->unpack);
    stk_buffer_free(&reader->data);
}
