/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/time_text.h"
#include "cli/trail_files.h"
#include "policy/pattern.h"
#include <stdio.h>
#include <string.h>

#define US_IN_SECOND 1000000
#define NAME_ROOM 256 /* what is longer than that is no certificate's name */
#define DAY_LENGTH 10 /* "2026-11-25" */
#define MONTH_LENGTH 7

static bool has_name(const char *pattern, struct stk_bytes name)
{
    char text[NAME_ROOM];

    if (strchr(pattern, '*') == NULL)
        return stk_fields_equal(name, pattern);
    if (name.length == 0 || name.length >= sizeof(text))
        return false;
    memcpy(text, name.data, name.length);
    text[name.length] = '\0';
    return stk_pattern_matches(pattern, text);
}

/* A refused request's number stands as it was asked for: "+1 (215) 555-0121". */
static bool is_number(struct stk_bytes raw, const char *number)
{
    static const char separators[] = "+ -.()";
    size_t at = 0;

    if (stk_fields_equal(raw, number))
        return true;
    for (; at < raw.length; at++) {
        if (raw.data[at] == (uint8_t)*number && *number != '\0')
            number++;
        else if (memchr(separators, raw.data[at], sizeof(separators) - 1) == NULL)
            return false;
    }
    return *number == '\0' && raw.length > 0;
}

static bool is_party(struct stk_bytes raw, const struct stk_trail_filter *filter)
{
    return is_number(raw, filter->number) ||
           (filter->number_hash != NULL && stk_fields_equal(raw, filter->number_hash));
}

static bool has_party(const struct stk_trail_filter *filter, const struct stk_fields *fields)
{
    struct stk_bytes rest = fields->dest;
    struct stk_bytes dest = {0};

    if (is_party(fields->orig, filter))
        return true;
    while (stk_fields_next_dest(&rest, &dest))
        if (is_party(dest, filter))
            return true;
    return false;
}

static bool has_outcome(const char *outcome, struct stk_bytes raw)
{
    if (strcmp(outcome, "refused") == 0)
        return raw.length > 0 && !stk_fields_equal(raw, "ok") && !stk_fields_equal(raw, "begun");
    return stk_fields_equal(raw, outcome);
}

static bool has_key(const char *key_id, struct stk_bytes raw)
{
    size_t length = strlen(key_id);

    return raw.length >= length && memcmp(raw.data, key_id, length) == 0;
}

bool stk_trail_filter_takes(const struct stk_trail_filter *filter, const struct stk_fields *fields)
{
    if (filter->since_us != 0 && fields->real_us < filter->since_us)
        return false;
    if (filter->until_us != 0 && fields->real_us >= filter->until_us)
        return false;
    if (filter->act != NULL && !stk_fields_equal(fields->act, filter->act))
        return false;
    if (filter->has_uid && (!fields->has_peer || fields->uid != filter->uid))
        return false;
    if (filter->request != NULL && !stk_fields_equal(fields->request_id, filter->request))
        return false;
    if (filter->outcome != NULL && !has_outcome(filter->outcome, fields->outcome))
        return false;
    if (filter->name != NULL && !has_name(filter->name, fields->name))
        return false;
    if (filter->key_id != NULL && !has_key(filter->key_id, fields->key_id))
        return false;
    return filter->number == NULL || has_party(filter, fields);
}

enum stirkeep_status stk_trail_time(const char *text, const char *option, int64_t *ret_us,
                                    struct stk_error *error)
{
    char whole[STK_SECONDS_TEXT] = "";
    size_t length = strlen(text);
    int64_t seconds = 0;

    if (length == DAY_LENGTH || length == MONTH_LENGTH)
        (void)snprintf(whole, sizeof(whole), "%s%sT00:00:00Z", text,
                       length == MONTH_LENGTH ? "-01" : "");
    /* What is counted from now on has not been recorded yet. */
    if (text[0] == '+' ||
        stk_time_parse(whole[0] != '\0' ? whole : text, 0, &seconds, NULL) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "--%s: not a time like 2026-11-25T20:06:24Z, a day like 2026-11-25 "
                             "or a month like 2026-11",
                             option);
    *ret_us = seconds * US_IN_SECOND;
    return STIRKEEP_OK;
}
