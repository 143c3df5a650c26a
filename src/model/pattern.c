/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/number.h"

#include "model/tn.h"
#include <stdio.h>
#include <string.h>

/* How rules name numbers. */

#define TEXT_MAX 127 /* characters of a pattern with all its separators */

static uint64_t digits_of(uint64_t key)
{
    return key >> 60;
}

/* A hyphen is a visual separator, too: the one that makes a range has spaces around it, or is the
 * only one. */
static const char *range_hyphen(const char *text)
{
    const char *spaced = strstr(text, " - ");
    const char *only = strchr(text, '-');

    if (spaced != NULL)
        return spaced + 1;
    return only != NULL && strchr(only + 1, '-') == NULL ? only : NULL;
}

static enum stirkeep_status read_range(char *text, char *hyphen, const char *field,
                                       struct stk_number_pattern *pattern, struct stk_error *error)
{
    struct stk_tn first = {0};
    struct stk_tn last = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (strstr(hyphen, " - ") != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: a range has two ends", field);
    *hyphen = '\0';
    status = stk_tn_parse(text, field, &first, error);
    if (status == STIRKEEP_OK)
        status = stk_tn_parse(hyphen + 1, field, &last, error);
    if (status != STIRKEEP_OK)
        return status;
    pattern->kind = STK_NUMBER_RANGE;
    pattern->range.first = stk_number_key(first.text);
    pattern->range.last = stk_number_key(last.text);
    if (digits_of(pattern->range.first) != digits_of(pattern->range.last))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: %s and %s, both ends of a range have the same number of digits",
                             field, first.text, last.text);
    if (strcmp(first.text, last.text) != 0 &&
        (strpbrk(first.text, "*#") != NULL || strpbrk(last.text, "*#") != NULL))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: %s-%s, a range from one number to another has digits alone",
                             field, first.text, last.text);
    if (pattern->range.first > pattern->range.last)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: %s is above %s", field, first.text,
                             last.text);
    return STIRKEEP_OK;
}

/* Only what ends with the '*' itself is a prefix: separators behind it would make a number of it. */
static bool ends_with_star(const struct stk_tn *tn)
{
    return tn->text[strlen(tn->text) - 1] == '*';
}

static enum stirkeep_status read_prefix(char *text, char *star, const char *field,
                                        struct stk_number_pattern *pattern, struct stk_error *error)
{
    struct stk_tn tn = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    *star = '\0';
    pattern->kind = STK_NUMBER_PREFIX;
    if (star == text)
        return STIRKEEP_OK;
    status = stk_tn_parse(text, field, &tn, error);
    if (status != STIRKEEP_OK)
        return status;
    if (ends_with_star(&tn))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: a prefix ends with one '*'", field);
    memcpy(pattern->prefix, tn.text, sizeof(pattern->prefix));
    return STIRKEEP_OK;
}

static enum stirkeep_status read_one(const char *text, const char *field,
                                     struct stk_number_pattern *pattern, struct stk_error *error)
{
    struct stk_tn tn = {0};
    enum stirkeep_status status = stk_tn_parse(text, field, &tn, error);

    if (status != STIRKEEP_OK)
        return status;
    if (ends_with_star(&tn))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: nothing may stand behind the '*' of a prefix; a number that ends "
                             "with '*' is written %s-%s",
                             field, tn.text, tn.text);
    pattern->kind = STK_NUMBER_ONE;
    pattern->range.first = stk_number_key(tn.text);
    pattern->range.last = pattern->range.first;
    return STIRKEEP_OK;
}

/* Without the spaces at its ends. False: too long for a pattern. */
static bool trimmed(const char *text, char ret_text[TEXT_MAX + 1])
{
    size_t length = 0;

    text += strspn(text, " ");
    length = strnlen(text, TEXT_MAX + 1);
    if (length > TEXT_MAX)
        return false;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    return true;
}

enum stirkeep_status stk_number_pattern_read(const char *text, const char *field,
                                             struct stk_number_pattern *ret_pattern,
                                             struct stk_error *error)
{
    struct stk_number_pattern pattern = {0};
    char copy[TEXT_MAX + 1] = "";
    const char *hyphen = NULL;
    size_t length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!trimmed(text, copy))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: longer than %d characters", field,
                             TEXT_MAX);
    /* In a number they begin what is cut off; here they would widen what is meant. */
    if (strchr(copy, ';') != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: no ';' is allowed", field);
    length = strlen(copy);
    hyphen = range_hyphen(copy);
    if (hyphen != NULL)
        status = read_range(copy, copy + (hyphen - copy), field, &pattern, error);
    else if (length > 0 && copy[length - 1] == '*')
        status = read_prefix(copy, copy + length - 1, field, &pattern, error);
    else
        status = read_one(copy, field, &pattern, error);
    if (status == STIRKEEP_OK)
        *ret_pattern = pattern;
    return status;
}

void stk_number_pattern_text(const struct stk_number_pattern *pattern,
                             char ret_text[STK_NUMBER_PATTERN_TEXT])
{
    char first[STK_TN_MAX + 1] = "";
    char last[STK_TN_MAX + 1] = "";

    if (pattern->kind == STK_NUMBER_PREFIX) {
        (void)snprintf(ret_text, STK_NUMBER_PATTERN_TEXT, "%s*", pattern->prefix);
        return;
    }
    stk_number_text(pattern->range.first, first);
    stk_number_text(pattern->range.last, last);
    if (pattern->kind == STK_NUMBER_ONE)
        (void)snprintf(ret_text, STK_NUMBER_PATTERN_TEXT, "%s", first);
    else
        (void)snprintf(ret_text, STK_NUMBER_PATTERN_TEXT, "%s-%s", first, last);
}

bool stk_number_pattern_matches(const struct stk_number_pattern *pattern, const char *tn)
{
    if (pattern->kind == STK_NUMBER_PREFIX)
        return strncmp(tn, pattern->prefix, strlen(pattern->prefix)) == 0;
    return stk_number_ranges_cover(&pattern->range, 1, stk_number_key(tn));
}
