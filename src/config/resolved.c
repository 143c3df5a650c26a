/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/loader.h"
#include "config/number.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *     stirkeep-resolved 1
 *     user NAME UID GID
 *     group NAME GID
 *     text LENGTH
 *     TEXT
 *
 * Any number of users and groups, in the order the text first names them; a NAME may have spaces.
 */
#define HEADER "stirkeep-resolved 1"
#define LINE_MAX (STK_INI_LINE_MAX + 64)

static enum stirkeep_status write_line(struct stk_buffer *out, const struct stk_note *note)
{
    char numbers[64] = "";
    enum stirkeep_status status = stk_buffer_add_text(out, note->text);

    if (strncmp(note->text, "user ", 5) == 0)
        (void)snprintf(numbers, sizeof(numbers), " %" PRIu32 " %" PRIu32 "\n", note->first,
                       note->second);
    else
        (void)snprintf(numbers, sizeof(numbers), " %" PRIu32 "\n", note->first);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add_text(out, numbers);
    return status;
}

static enum stirkeep_status write_all(const struct stk_people *people, const char *text,
                                      size_t length, struct stk_buffer *out)
{
    char last[64] = "";
    enum stirkeep_status status = stk_buffer_add_text(out, HEADER "\n");

    for (const struct stk_note *note = people->found.list; note != NULL; note = note->next)
        if (status == STIRKEEP_OK)
            status = write_line(out, note);
    (void)snprintf(last, sizeof(last), "text %zu\n", length);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add_text(out, last);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add(out, text, length);
    return status;
}

enum stirkeep_status stk_config_resolve(const char *text, size_t length, const char *name,
                                        struct stk_config **ret_config,
                                        struct stk_buffer *ret_resolved, struct stk_error *error)
{
    struct stk_people people = {0};
    struct stk_buffer resolved = {.ceiling = STK_CONFIG_RESOLVED_MAX};
    struct stk_config *config = NULL;
    enum stirkeep_status status = stk_config_load(text, length, name, &people, &config, error);

    if (status == STIRKEEP_OK) {
        status = write_all(&people, text, length, &resolved);
        if (status != STIRKEEP_OK)
            (void)stk_error_set(error, status, "%s: out of memory", name);
    }
    stk_people_free(&people);
    if (status != STIRKEEP_OK) {
        stk_buffer_free(&resolved);
        stk_config_free(config);
        return status;
    }
    *ret_config = config;
    *ret_resolved = resolved;
    return STIRKEEP_OK;
}

/* ---- reading */

/* One line of the head, without its end; false when there is none that is whole and clean. */
static bool take_line(const char **at, const char *end, char ret_line[LINE_MAX + 1])
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    size_t length = stop != NULL ? (size_t)(stop - *at) : 0;

    if (stop == NULL || length > LINE_MAX || memchr(*at, '\0', length) != NULL)
        return false;
    memcpy(ret_line, *at, length);
    ret_line[length] = '\0';
    *at = stop + 1;
    return true;
}

/* Cut the last word off, which is a number as this program writes it. */
static bool take_number(char *line, uint64_t maximum, uint64_t *ret_number)
{
    char *space = strrchr(line, ' ');

    if (space == NULL || (space[1] == '0' && space[2] != '\0') ||
        !stk_number_parse(space + 1, 0, maximum, ret_number))
        return false;
    *space = '\0';
    return true;
}

/* "user NAME UID GID" or "group NAME GID". */
static enum stirkeep_status take_person(struct stk_people *people, char *line)
{
    bool is_user = strncmp(line, "user ", 5) == 0;
    uint64_t first = 0;
    uint64_t second = 0;
    struct stk_note *note = NULL;

    if (!is_user && strncmp(line, "group ", 6) != 0)
        return STIRKEEP_MALFORMED;
    if ((is_user && !take_number(line, UINT32_MAX - 1, &second)) ||
        !take_number(line, UINT32_MAX - 1, &first) || strlen(line) <= (is_user ? 5 : 6) ||
        stk_notes_find(&people->found, line) != NULL)
        return STIRKEEP_MALFORMED;
    note = stk_notes_add(&people->found, line);
    if (note == NULL)
        return STIRKEEP_NO_MEMORY;
    note->first = (uint32_t)first;
    note->second = (uint32_t)second;
    return STIRKEEP_OK;
}

/* The head into `people`, and where the text begins. */
static enum stirkeep_status read_head(const char *at, const char *end, struct stk_people *people,
                                      const char **ret_text)
{
    char line[LINE_MAX + 1] = "";
    uint64_t left = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!take_line(&at, end, line) || strcmp(line, HEADER) != 0)
        return STIRKEEP_MALFORMED;
    while (status == STIRKEEP_OK) {
        if (!take_line(&at, end, line))
            return STIRKEEP_MALFORMED;
        if (strncmp(line, "text ", 5) == 0)
            break;
        status = take_person(people, line);
    }
    if (status != STIRKEEP_OK)
        return status;
    if (!take_number(line, STK_CONFIG_MAX, &left) || strcmp(line, "text") != 0 ||
        left != (uint64_t)(end - at))
        return STIRKEEP_MALFORMED;
    *ret_text = at;
    return STIRKEEP_OK;
}

/* What the text does not name was not found for it. */
static enum stirkeep_status check_used(const struct stk_people *people, const char *name,
                                       struct stk_error *error)
{
    for (const struct stk_note *note = people->found.list; note != NULL; note = note->next)
        if (!note->used)
            return stk_error_set(error, STIRKEEP_MALFORMED,
                                 "%s: %s was found, and is not in the configuration", name,
                                 note->text);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_config_parse_resolved(const char *text, size_t length, const char *name,
                                               struct stk_config **ret_config,
                                               struct stk_error *error)
{
    struct stk_people people = {.told = true};
    struct stk_config *config = NULL;
    const char *begin = NULL;
    enum stirkeep_status status =
        length > 0 ? read_head(text, text + length, &people, &begin) : STIRKEEP_MALFORMED;

    if (status != STIRKEEP_OK)
        (void)stk_error_set(error, status, "%s: %s", name,
                            status == STIRKEEP_NO_MEMORY ? "out of memory"
                                                         : "not a resolved configuration");
    else
        status =
            stk_config_load(begin, length - (size_t)(begin - text), name, &people, &config, error);
    if (status == STIRKEEP_OK)
        status = check_used(&people, name, error);
    stk_people_free(&people);
    if (status == STIRKEEP_OK)
        *ret_config = config;
    else
        stk_config_free(config);
    return status;
}
