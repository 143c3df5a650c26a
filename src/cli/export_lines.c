/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)256 * 1024)

enum stirkeep_status stk_lines_open(int directory, const char *name, size_t most,
                                    struct stk_lines *ret_lines, struct stk_error *error)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    struct stat about = {0};

    *ret_lines = (struct stk_lines){.fd = fd, .name = name, .most = most};
    if (fd < 0 || fstat(fd, &about) != 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", name, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return stk_error_set(error, STIRKEEP_IO, "%s: not a regular file", name);
    return STIRKEEP_OK;
}

static enum stirkeep_status fill(struct stk_lines *lines, struct stk_error *error)
{
    struct stk_buffer *data = &lines->data;
    ssize_t got = 0;

    stk_buffer_drop(data, lines->taken);
    lines->taken = 0;
    if (stk_buffer_reserve(data, BLOCK) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    do {
        got = read(lines->fd, data->data + data->length, BLOCK);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", lines->name, strerror(errno));
    lines->ended = got == 0;
    data->length += (size_t)got;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_lines_next(struct stk_lines *lines, struct stk_bytes *ret_line,
                                    struct stk_error *error)
{
    size_t searched = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_line = (struct stk_bytes){0};
    while (status == STIRKEEP_OK) {
        size_t length = lines->data.length - lines->taken;
        const uint8_t *start = length > 0 ? lines->data.data + lines->taken : NULL;
        const uint8_t *newline =
            length > searched ? memchr(start + searched, '\n', length - searched) : NULL;

        if (newline != NULL) {
            lines->number++;
            lines->taken += (size_t)(newline - start) + 1;
            *ret_line = (struct stk_bytes){start, (size_t)(newline - start)};
            return STIRKEEP_OK;
        }
        if (lines->ended && length == 0)
            return STIRKEEP_OK;
        if (lines->ended)
            return stk_error_set(error, STIRKEEP_INVALID, "%s: line %" PRIu64 ": it has no end",
                                 lines->name, lines->number + 1);
        if (length >= lines->most)
            return stk_error_set(error, STIRKEEP_TOO_LARGE,
                                 "%s: line %" PRIu64 ": longer than %zu bytes", lines->name,
                                 lines->number + 1, lines->most);
        searched = length;
        status = fill(lines, error);
    }
    return status;
}

void stk_lines_close(struct stk_lines *lines)
{
    if (lines->fd >= 0)
        (void)close(lines->fd);
    stk_buffer_free(&lines->data);
}
