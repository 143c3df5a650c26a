/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/ini_lines.h"

#include <ini.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

/* inih asks for one line after the other and reports what it found in between, so the line last
 * given is the one that an event belongs to. */
struct lines {
    const char *at;
    size_t left;
    unsigned line;
    bool more; /* the line given goes on with the key above */
    bool open; /* the value above ended with a comma */
    bool own;  /* what failed is a line, not an event */
    const struct stk_ini_events *events;
    enum stirkeep_status status;
    struct stk_error *error;
};

static enum stirkeep_status check_characters(struct lines *lines, const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
            return stk_error_set(lines->error, STIRKEEP_CONFIG,
                                 "a control character (0x%02x) in column %zu",
                                 (unsigned)(unsigned char)line[i], i + 1);
    if (length > STK_INI_LINE_MAX)
        return stk_error_set(lines->error, STIRKEEP_CONFIG,
                             "longer than %d characters (a list may go on in an indented line "
                             "after a comma)",
                             STK_INI_LINE_MAX);
    return STIRKEEP_OK;
}

static enum stirkeep_status begin_section(struct lines *lines, const char *line, size_t length)
{
    char name[STK_INI_LINE_MAX + 1] = "";
    const char *end = memchr(line, ']', length);
    const char *rest = NULL;

    if (end == NULL)
        return stk_error_set(lines->error, STIRKEEP_CONFIG, "a section without its ']'");
    for (rest = end + 1; rest < line + length && strchr(blanks, *rest) != NULL; rest++)
        ;
    if (rest < line + length && (rest == end + 1 || *rest != ';'))
        return stk_error_set(lines->error, STIRKEEP_CONFIG, "text behind a section's ']'");
    memcpy(name, line + 1, (size_t)(end - line) - 1);
    lines->open = false;
    lines->own = false;
    return lines->events->section(lines->events->context, name, lines->line, lines->error);
}

/* Judge one line before inih sees it. A comment may be long: inih need not see it whole. */
static enum stirkeep_status judge(struct lines *lines, const char **line, size_t *length)
{
    const char *start = *line;
    size_t left = *length;
    enum stirkeep_status status = STIRKEEP_OK;

    while (left > 0 && (*start == ' ' || *start == '\t')) {
        start++;
        left--;
    }
    if (left > 0 && (*start == ';' || *start == '#')) {
        *length = 0;
        left = 0;
    }
    lines->more = left > 0 && start > *line && *start != '[' && lines->open;
    if (!lines->more) {
        *line = start; /* indentation means nothing */
        *length = left;
    }
    status = check_characters(lines, *line, *length);
    if (status == STIRKEEP_OK && left > 0 && *start == '[')
        status = begin_section(lines, start, left);
    return status;
}

/* inih's ini_reader. */
static char *give_line(char *buffer, int size, void *stream)
{
    struct lines *lines = stream;
    const char *line = lines->at;
    const char *end = NULL;
    size_t length = 0;

    if (lines->status != STIRKEEP_OK || lines->left == 0)
        return NULL;
    end = memchr(line, '\n', lines->left);
    length = end == NULL ? lines->left : (size_t)(end - line);
    lines->line++;
    lines->at += length + (end == NULL ? 0 : 1);
    lines->left -= length + (end == NULL ? 0 : 1);
    if (length > 0 && end != NULL && line[length - 1] == '\r')
        length--;
    lines->own = true;
    lines->status = judge(lines, &line, &length);
    if (lines->status == STIRKEEP_OK && length + 2 > (size_t)size)
        lines->status = stk_error_set(lines->error, STIRKEEP_CONFIG, "the line is too long");
    if (lines->status != STIRKEEP_OK)
        return NULL;
    memcpy(buffer, line, length);
    buffer[length] = '\n';
    buffer[length + 1] = '\0';
    return buffer;
}

/* Not every inih cuts a comment off an indented line. */
static void cut_comment(char *text)
{
    size_t length = 0;

    while (text[length] != '\0' &&
           !(text[length] == ';' && length > 0 && strchr(blanks, text[length - 1]) != NULL))
        length++;
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
}

/* inih's ini_handler. Its `section` is cut at 49 characters; ours came by begin_section. */
static int take_value(void *user, const char *section, const char *key, const char *value)
{
    struct lines *lines = user;
    char text[STK_INI_LINE_MAX + 1] = "";
    size_t length = strlen(value);
    (void)section;

    if (lines->status != STIRKEEP_OK || length >= sizeof(text))
        return 0;
    memcpy(text, value, length);
    if (lines->more)
        cut_comment(text);
    length = strlen(text);
    lines->open = length > 0 && text[length - 1] == ',';
    lines->own = false;
    lines->status = lines->events->value(lines->events->context, key, text, lines->more,
                                         lines->line, lines->error);
    return lines->status == STIRKEEP_OK;
}

enum stirkeep_status stk_ini_read(const char *text, size_t length,
                                  const struct stk_ini_events *events, unsigned *ret_line,
                                  bool *ret_own, struct stk_error *error)
{
    struct lines lines = {.at = text, .left = length, .events = events, .error = error};
    int bad_line = 0;

    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        lines.at += 3;
        lines.left -= 3;
    }
    bad_line = ini_parse_stream(give_line, &lines, take_value, &lines);
    *ret_line = lines.line;
    *ret_own = lines.status != STIRKEEP_OK && lines.own;
    if (bad_line < 0)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (bad_line > 0 && (lines.status == STIRKEEP_OK || (unsigned)bad_line < lines.line)) {
        *ret_line = (unsigned)bad_line;
        *ret_own = true;
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "neither \"key = value\" nor \"[section]\" nor a comment");
    }
    return lines.status;
}
