/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/verify.h"
#include "base/file.h"
#include "run.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TRAIL_MAX ((size_t)64 * 1024 * 1024)

uint64_t trail_records(const struct run *run, const char *file)
{
    int fd = open(run_path(run, file), O_RDONLY | O_CLOEXEC);
    struct stk_error error = {0};
    uint64_t records = 0;

    assert_true(fd >= 0);
    if (stk_trail_verify(fd, file, &records, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    (void)close(fd);
    return records;
}

static bool holds(const char *line, size_t length, const char *text)
{
    return memmem(line, length, text, strlen(text)) != NULL;
}

size_t trail_count(const struct run *run, const char *file, const char *one, const char *other)
{
    struct stk_buffer data = {0};
    struct stk_error error = {0};
    const char *line = NULL;
    const char *end = NULL;
    size_t count = 0;

    if (stk_file_read(run_path(run, file), TRAIL_MAX, &data, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    line = (const char *)data.data;
    end = line + data.length;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline == NULL ? end : newline) - line);

        count += holds(line, length, one) && holds(line, length, other);
        line += length + 1;
    }
    stk_buffer_free(&data);
    return count;
}
