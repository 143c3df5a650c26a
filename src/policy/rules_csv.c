/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rules_impl.h"

#include <string.h>

#define FIELD_MAX 64 /* characters: two numbers with separators are fewer */
#define LINE_MAX_SHOWN 40
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct reader {
    struct stk_rules_draft *draft;
    const char *file;
    size_t line;   /* number, from 1 */
    bool has_rows; /* a line with something to say was there already */
    struct stk_error *error;
};

struct field {
    const char *text;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct field trimmed(const char *text, size_t length)
{
    while (length > 0 && is_blank(text[0])) {
        text++;
        length--;
    }
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    return (struct field){.text = text, .length = length};
}

static bool is(struct field field, const char *text)
{
    return field.length == strlen(text) && memcmp(field.text, text, field.length) == 0;
}

static enum stirkeep_status fail(const struct reader *reader, const char *reason)
{
    return stk_error_set(reader->error, STIRKEEP_CONFIG, "%s:%zu: %s", reader->file, reader->line,
                         reason);
}

static enum stirkeep_status read_number(const struct reader *reader, struct field field,
                                        struct stk_number_pattern *ret_pattern)
{
    char text[FIELD_MAX + 1] = "";
    struct stk_error why = {0};

    if (field.length == 0)
        return fail(reader, "no number before the comma");
    if (field.length > FIELD_MAX)
        return fail(reader, "the number: too long");
    memcpy(text, field.text, field.length);
    if (stk_number_pattern_read(text, "the number", ret_pattern, &why) != STIRKEEP_OK)
        return fail(reader, why.message);
    return STIRKEEP_OK;
}

static enum stirkeep_status read_level(const struct reader *reader, struct field field,
                                       enum stk_level *ret_level)
{
    char text[8] = "";

    if (field.length == 0)
        return fail(reader, "no level behind the comma");
    if (field.length < sizeof(text)) {
        memcpy(text, field.text, field.length);
        if (stk_level_read(text, ret_level))
            return STIRKEEP_OK;
    }
    return stk_error_set(
        reader->error, STIRKEEP_CONFIG, "%s:%zu: the level \"%.*s\" is none of A, B, C, none",
        reader->file, reader->line,
        (int)(field.length < LINE_MAX_SHOWN ? field.length : LINE_MAX_SHOWN), field.text);
}

static enum stirkeep_status take_row(const struct reader *reader, struct field number,
                                     struct field level_field)
{
    struct stk_number_pattern pattern = {0};
    enum stk_level level = STK_LEVEL_NONE;
    enum stirkeep_status status = read_number(reader, number, &pattern);

    if (status == STIRKEEP_OK)
        status = read_level(reader, level_field, &level);
    if (status != STIRKEEP_OK)
        return status;
    status = reader->line > STK_RULES_LINE_MAX
                 ? STIRKEEP_TOO_LARGE
                 : stk_rules_draft_add(reader->draft, &pattern, level, 1, (uint32_t)reader->line);
    if (status == STIRKEEP_TOO_LARGE)
        return stk_error_set(reader->error, STIRKEEP_CONFIG, "%s:%zu: more than %d rules",
                             reader->file, reader->line, STK_RULES_MAX);
    if (status == STIRKEEP_INVALID)
        return fail(reader, "the number: not a range");
    if (status != STIRKEEP_OK)
        return stk_error_set(reader->error, status, "out of memory");
    return STIRKEEP_OK;
}

/* A line without its end. */
static enum stirkeep_status take_line(struct reader *reader, const char *text, size_t length)
{
    struct field line = trimmed(text, length);
    const char *comma = NULL;
    struct field number = {0};
    struct field level = {0};
    bool first = !reader->has_rows;

    if (line.length == 0 || line.text[0] == '#')
        return STIRKEEP_OK;
    reader->has_rows = true;
    if (line.length > 4 * FIELD_MAX)
        return fail(reader, "the line is too long for a number and a level");
    if (memchr(line.text, '\r', line.length) != NULL)
        return fail(reader, "a carriage return within the line");
    if (memchr(line.text, '"', line.length) != NULL)
        return fail(reader, "quotes are not taken: write number,level");
    comma = memchr(line.text, ',', line.length);
    if (comma == NULL)
        return fail(reader, "no comma in it: write number,level");
    number = trimmed(line.text, (size_t)(comma - line.text));
    level = trimmed(comma + 1, line.length - (size_t)(comma + 1 - line.text));
    if (memchr(level.text, ',', level.length) != NULL)
        return fail(reader, "more than one comma in it: write number,level");
    if (first && is(number, "number") && is(level, "level"))
        return STIRKEEP_OK;
    return take_row(reader, number, level);
}

static size_t line_of(const char *text, const char *place)
{
    size_t line = 1;

    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

enum stirkeep_status stk_rules_draft_csv(struct stk_rules_draft *draft, const char *text,
                                         size_t length, const char *name, struct stk_error *error)
{
    struct reader reader = {.draft = draft, .file = draft->file, .line = 1, .error = error};
    const char *end = length > 0 ? text + length : text;
    const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_rules_file(name, draft->file);
    if (nul != NULL) {
        reader.line = line_of(text, nul);
        return fail(&reader, "a NUL byte: this is not UTF-8 text");
    }
    if (length >= strlen(BYTE_ORDER_MARK) &&
        memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        text += strlen(BYTE_ORDER_MARK);
    for (; text < end && status == STIRKEEP_OK; reader.line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end;
        size_t line_length = (size_t)(stop - text);

        if (line_length > 0 && text[line_length - 1] == '\r')
            line_length--;
        status = take_line(&reader, text, line_length);
        text = newline != NULL ? newline + 1 : end;
    }
    return status;
}
