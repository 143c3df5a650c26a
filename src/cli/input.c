/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/input.h"

#include "base/file.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static enum stirkeep_status read_standard_input(size_t limit, struct stk_buffer *ret_text,
                                                struct stk_error *error)
{
    struct stk_buffer text = {0};
    enum stirkeep_status status = stk_buffer_reserve(&text, limit + 1);
    ssize_t got = 1;

    while (status == STIRKEEP_OK && got != 0 && text.length <= limit) {
        got = read(STDIN_FILENO, text.data + text.length, limit + 1 - text.length);
        if (got < 0 && errno != EINTR)
            status = stk_error_set(error, STIRKEEP_IO, "standard input: %s", strerror(errno));
        if (got > 0)
            text.length += (size_t)got;
    }
    if (status == STIRKEEP_NO_MEMORY)
        (void)stk_error_set(error, status, "out of memory");
    if (status == STIRKEEP_OK && text.length > limit)
        status =
            stk_error_set(error, STIRKEEP_TOO_LARGE, "standard input: more than %zu bytes", limit);
    if (status == STIRKEEP_OK)
        *ret_text = text;
    else
        stk_buffer_free(&text);
    return status;
}

enum stirkeep_status stk_input_read(const char *given, size_t limit, struct stk_buffer *ret_text,
                                    struct stk_error *error)
{
    struct stk_buffer text = {.ceiling = limit};
    enum stirkeep_status status = STIRKEEP_OK;

    if (given == NULL || strcmp(given, "-") == 0)
        return read_standard_input(limit, ret_text, error);
    if (given[0] == '@')
        return stk_file_read(given + 1, limit, ret_text, error);
    status = stk_buffer_add_text(&text, given);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "argument: %s", stirkeep_status_text(status));
    *ret_text = text;
    return STIRKEEP_OK;
}

static enum stirkeep_status make_text(const char *path, struct stk_buffer *text,
                                      struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    text->ceiling = 0; /* which does not count the '\0' */
    status = stk_buffer_reserve(text, 1);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s: out of memory", path);
    if (memchr(text->data, '\0', text->length) != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: there is a NUL in it", path);
    if (text->length > 0 && text->data[text->length - 1] == '\n')
        text->length--;
    if (text->length > 0 && text->data[text->length - 1] == '\r')
        text->length--;
    text->data[text->length] = '\0';
    return STIRKEEP_OK;
}

enum stirkeep_status stk_input_file(const char *path, size_t limit, struct stk_buffer *ret_text,
                                    struct stk_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    struct stk_buffer text = {0};
    enum stirkeep_status status = standard ? read_standard_input(limit, &text, error)
                                           : stk_file_read(path, limit, &text, error);

    if (status == STIRKEEP_OK)
        status = make_text(standard ? "standard input" : path, &text, error);
    if (status != STIRKEEP_OK) {
        stk_buffer_free(&text);
        return status;
    }
    *ret_text = text;
    return STIRKEEP_OK;
}
