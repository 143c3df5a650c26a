/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "run.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TRAIL_MAX ((size_t)64 * 1024 * 1024)

struct stk_verdict trail_verdict(const struct run *run, const char *const *files, size_t count,
                                 const uint8_t (*key)[STK_SPKI_LENGTH])
{
    const struct stk_verifier_options options = {.keys = key, .key_count = key == NULL ? 0 : 1};
    struct stk_verifier *verifier = NULL;
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_verifier_new(&options, &verifier, &error);

    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++) {
        int fd = open(run_path(run, files[i]), O_RDONLY | O_CLOEXEC);

        if (fd < 0)
            fail_msg("%s is not there", files[i]);
        status = stk_verifier_file(verifier, fd, files[i], &error);
        (void)close(fd);
    }
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, &verdict, &error);
    if (status != STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_verifier_free(verifier);
    return verdict;
}

uint64_t trail_records(const struct run *run, const char *file)
{
    return trail_verdict(run, &file, 1, NULL).records;
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
