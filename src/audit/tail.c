/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/tail.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 16384
#define START_LENGTH 128 /* no line is shorter, and number, time and act stand before */

bool stk_tail_read(int fd, void *data, size_t length, off_t at)
{
    uint8_t *to = data;

    while (length > 0) {
        ssize_t got = pread(fd, to, length, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* it was longer a moment ago */
        if (got <= 0)
            return false;
        to += got;
        at += got;
        length -= (size_t)got;
    }
    return true;
}

/* The place of the last newline before `before`; -1 when there is none. False with errno. */
static bool newline_before(int fd, off_t before, off_t *ret_at)
{
    uint8_t block[BLOCK];

    while (before > 0) {
        size_t length = before < BLOCK ? (size_t)before : BLOCK;
        const uint8_t *found = NULL;

        if (!stk_tail_read(fd, block, length, before - (off_t)length))
            return false;
        found = memrchr(block, '\n', length);
        if (found != NULL) {
            *ret_at = before - (off_t)length + (found - block);
            return true;
        }
        before -= (off_t)length;
    }
    *ret_at = -1;
    return true;
}

/* Does it begin like a trail, or like what a power cut leaves of one? */
static bool begins_like_a_trail(const char *start, size_t length)
{
    static const char first[] = "{\"seq\":";
    size_t known = sizeof(first) - 1;

    return start[0] == '\0' || memcmp(start, first, length < known ? length : known) == 0;
}

static bool whole_line(int fd, off_t from, off_t newline, struct stk_buffer *line,
                       struct stk_position *ret_position, bool *ret_whole)
{
    struct stk_line read = {0};
    size_t length = (size_t)(newline - from);

    *ret_whole = false;
    if (newline - from >= STK_LINE_MAX)
        return true;
    line->length = 0;
    if (stk_buffer_reserve(line, length + 1) != STIRKEEP_OK) {
        errno = ENOMEM;
        return false;
    }
    if (!stk_tail_read(fd, line->data, length, from))
        return false;
    if (stk_line_read(line->data, length, &read) != NULL)
        return true;
    ret_position->chain.sequence = read.sequence;
    memcpy(ret_position->chain.digest, read.digest, sizeof(read.digest));
    ret_position->end = newline + 1;
    *ret_whole = true;
    return true;
}

enum stirkeep_status stk_tail_find(int fd, const char *path, off_t size,
                                   struct stk_position *ret_position, struct stk_error *error)
{
    struct stk_position position = {0};
    struct stk_buffer line = {0};
    char start[8] = "";
    size_t start_length = size < (off_t)sizeof(start) ? (size_t)size : sizeof(start);
    off_t newline = 0;
    off_t before = 0;
    bool whole = size == 0;
    bool read = stk_tail_read(fd, start, start_length, 0);

    if (read && !whole && !begins_like_a_trail(start, start_length))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: not an audit trail", path);
    if (read && !whole)
        read = newline_before(fd, size, &newline);
    while (read && !whole && newline >= 0) {
        read = newline_before(fd, newline, &before) &&
               whole_line(fd, before + 1, newline, &line, &position, &whole);
        newline = before;
    }
    stk_buffer_free(&line);
    if (!read)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    *ret_position = position;
    return STIRKEEP_OK;
}

int64_t stk_tail_begun(int fd)
{
    char start[START_LENGTH];
    struct stk_line_start line = {0};

    return stk_tail_read(fd, start, sizeof(start), 0) &&
                   stk_line_begins(start, sizeof(start), &line)
               ? line.real_us
               : 0;
}

bool stk_tail_name(const char *path, const char *kind, int64_t real_us, char ret_name[PATH_MAX])
{
    char text[STK_TIME_TEXT] = "";
    char *to = text;
    int length = 0;

    stk_clock_text(real_us, text);
    for (const char *from = text; *from != '\0'; from++)
        if (*from != '-' && *from != ':')
            *to++ = *from;
    *to = '\0';
    length = snprintf(ret_name, PATH_MAX, "%s.%s-%s", path, kind, text);
    return length > 0 && length < PATH_MAX;
}

static bool copy(int from, off_t at, off_t end, int to)
{
    uint8_t block[BLOCK];

    while (at < end) {
        size_t length = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
        if (!stk_tail_read(from, block, length, at) || !stk_file_write_all(to, block, length))
            return false;
        at += (off_t)length;
    }
    return fsync(to) == 0;
}

enum stirkeep_status stk_tail_cut(int fd, const char *path, off_t end, off_t size, const char *name,
                                  struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int saved = 0;

    if (to < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", name, strerror(errno));
    if (!copy(fd, end, size, to) || !stk_file_directory_of(path, directory, sizeof(directory)) ||
        !stk_file_sync_directory(directory) || ftruncate(fd, end) != 0) {
        saved = errno;
        (void)close(to);
        (void)unlink(name);
        return stk_error_set(error, STIRKEEP_IO, "%s: what follows the last whole line of %s: %s",
                             name, path, strerror(saved));
    }
    /* Should the power go before the cut is on disk, the same bytes are found and cut again. */
    (void)close(to);
    return STIRKEEP_OK;
}
