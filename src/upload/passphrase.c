/* SPDX-License-Identifier: BSD-2-Clause */
#include "upload/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PASSPHRASE_MAX 1023

static enum stirkeep_status read_start(int fd, const char *path, struct stk_secret *data,
                                       struct stk_error *error)
{
    ssize_t got = 1;

    while (got != 0 && data->length < data->capacity) {
        got = read(fd, data->data + data->length, data->capacity - data->length);
        if (got < 0 && errno != EINTR)
            return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
        if (got > 0)
            data->length += (size_t)got;
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_passphrase_take(const struct stk_secret *data, const char *name,
                                         struct stk_secret *ret_passphrase, struct stk_error *error)
{
    const uint8_t *end = data->length > 0 ? memchr(data->data, '\n', data->length) : NULL;
    size_t length = end != NULL ? (size_t)(end - data->data) : data->length;
    struct stk_secret line = {0};

    if (length > 0 && data->data[length - 1] == '\r')
        length--;
    if (length > PASSPHRASE_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE,
                             "%s: its first line is longer than %d bytes", name, PASSPHRASE_MAX);
    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: its first line is empty", name);
    if (stk_secret_new(&line, length) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", name);
    memcpy(line.data, data->data, length);
    line.length = length;
    *ret_passphrase = line;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_passphrase_file(const char *path, struct stk_secret *ret_passphrase,
                                         struct stk_error *error)
{
    struct stk_secret start = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    /* Room for the longest line, CR LF behind it, to tell it from one that is longer. */
    if (stk_secret_new(&start, PASSPHRASE_MAX + 2) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    else
        status = read_start(fd, path, &start, error);
    (void)close(fd);
    if (status == STIRKEEP_OK)
        status = stk_passphrase_take(&start, path, ret_passphrase, error);
    stk_secret_free(&start);
    return status;
}
