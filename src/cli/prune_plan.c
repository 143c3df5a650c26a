/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/prune_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_IN_SECOND 1000000
#define DAY_S ((int64_t)24 * 60 * 60)
#define DIGITS 12
#define PACKED ".zst"
#define YEARS_LEAST 2
#define YEARS_MOST 1000
#define DAYS_LEAST 731 /* two years, with a leap day among them */
#define KEY_SHOWN 16

enum stirkeep_status stk_prune_age_read(const char *text, struct stk_prune_age *ret_age,
                                        struct stk_error *error)
{
    char *end = NULL;
    unsigned long number = 0;
    bool years = false;

    errno = 0;
    number = strtoul(text, &end, 10);
    years = strcmp(end, "y") == 0;
    if (errno != 0 || end == text || text[0] < '0' || text[0] > '9' ||
        (!years && strcmp(end, "d") != 0) || number > (years ? YEARS_MOST : YEARS_MOST * 366UL))
        return stk_error_set(error, STIRKEEP_INVALID, "--older-than %s: not like 2y or 800d", text);
    if (number < (years ? YEARS_LEAST : DAYS_LEAST))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "--older-than %s: records are kept for two years at least; what is "
                             "younger goes by its name alone (--file)",
                             text);
    *ret_age = (struct stk_prune_age){.years = years ? (unsigned)number : 0,
                                      .days = years ? 0 : (unsigned)number};
    return STIRKEEP_OK;
}

int64_t stk_prune_age_after(const struct stk_prune_age *age, int64_t end_s)
{
    time_t end = (time_t)end_s;
    struct tm parts = {0};

    if (gmtime_r(&end, &parts) == NULL)
        return INT64_MAX;
    parts.tm_year += (int)age->years;
    return (int64_t)timegm(&parts) + (int64_t)age->days * DAY_S;
}

bool stk_prune_is_rotated(const char *path, uint64_t *ret_number, size_t *ret_stem)
{
    size_t length = strlen(path);
    const char *digits = NULL;

    if (length > strlen(PACKED) && strcmp(path + length - strlen(PACKED), PACKED) == 0)
        length -= strlen(PACKED);
    if (length < DIGITS + 2)
        return false;
    digits = path + length - DIGITS;
    if (digits[-1] != '.' || digits[-2] == '/' || strspn(digits, "0123456789") < DIGITS)
        return false;
    *ret_number = 0;
    for (size_t i = 0; i < DIGITS; i++)
        *ret_number = *ret_number * 10 + (uint64_t)(digits[i] - '0');
    *ret_stem = length - DIGITS - 1;
    return true;
}

enum stirkeep_status stk_prune_plan_make(struct stk_prune_plan *plan, char *const *paths,
                                         size_t count, struct stk_error *error)
{
    stk_prune_keys_init(&plan->keys);
    plan->files = calloc(count, sizeof(*plan->files));
    if (plan->files == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    plan->count = count;
    for (size_t i = 0; i < count; i++) {
        plan->files[i].path = paths[i];
        if (lstat(paths[i], &plan->files[i].about) != 0)
            return stk_error_set(error, STIRKEEP_IO, "%s: %s", paths[i], strerror(errno));
        if (!S_ISREG(plan->files[i].about.st_mode))
            return stk_error_set(error, STIRKEEP_INVALID, "%s: not a regular file", paths[i]);
    }
    return STIRKEEP_OK;
}

void stk_prune_plan_free(struct stk_prune_plan *plan)
{
    free(plan->files);
    stk_prune_keys_free(&plan->keys);
}

enum stirkeep_status stk_prune_each(void *context, struct stk_verifier *verifier,
                                    const struct stk_verified *record, struct stk_error *error)
{
    struct stk_prune_plan *plan = context;
    struct stk_prune_file *file = NULL;
    struct stk_fields fields = {0};
    size_t at = plan->reading;

    (void)verifier;
    if (!stk_fields_read(record->line, &fields))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: line %" PRIu64 " (record %" PRIu64
                             "): it has members that this version does not know",
                             record->file, record->line_number, record->sequence);
    while (at < plan->count && plan->files[at].path != record->file)
        at++;
    if (at == plan->count)
        return stk_error_set(error, STIRKEEP_INTERNAL, "%s: not one of the files", record->file);
    plan->reading = at;
    file = &plan->files[at];
    if (record->line_number == 1) {
        file->first = record->sequence;
        file->continues = stk_fields_equal(fields.act, "continue");
    }
    file->last = record->sequence;
    file->bytes += record->line.length + 1;
    /* What stands behind a record is no older, whatever the host's clock said: one that woke up in
     * 1970 makes nothing old enough to go. */
    if (fields.real_us > plan->latest_us)
        plan->latest_us = fields.real_us;
    fields.real_us = plan->latest_us;
    file->last_us = plan->latest_us;
    memcpy(file->head, record->digest, sizeof(file->head));
    return stk_prune_keys_note(&plan->keys, &fields, (uint32_t)at, error);
}

/* ---- deciding */

static __attribute__((format(printf, 2, 3))) void say(struct stk_prune_file *file,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(file->why, sizeof(file->why), format, arguments);
    va_end(arguments);
}

/* It holds the file back; the first one is named. */
static void hold_back(const struct stk_prune_plan *plan, struct stk_prune_file *file,
                      const struct stk_prune_key *key)
{
    char until[STK_SECONDS_TEXT] = "";
    int64_t end_s = 0;

    if (stk_prune_key_end(key, &end_s)) {
        int64_t until_s = stk_prune_age_after(&plan->age, end_s);

        if (until_s <= plan->now_s)
            return;
        stk_seconds_text(until_s, until);
    }
    if (file->living++ > 0)
        return;
    say(file, "key %.*s... (%s) %s%s", KEY_SHOWN, key->id,
        key->name[0] != '\0' ? key->name : "no name",
        until[0] != '\0' ? "holds it until " : "has no end that is known", until);
}

static void find_living(struct stk_prune_plan *plan)
{
    const struct stk_prune_place *places = (const struct stk_prune_place *)plan->keys.places.data;

    for (size_t i = 0; i < plan->keys.places.length / sizeof(*places); i++)
        hold_back(plan, &plan->files[places[i].file],
                  stk_prune_keys_at(&plan->keys, places[i].key));
}

/* Old enough by itself, whatever keys it has? */
static bool is_old(const struct stk_prune_plan *plan, struct stk_prune_file *file)
{
    char until[STK_SECONDS_TEXT] = "";
    int64_t until_s = stk_prune_age_after(&plan->age, file->last_us / US_IN_SECOND);

    if (until_s <= plan->now_s)
        return true;
    stk_seconds_text(until_s, until);
    say(file, "its last record is kept until %s", until);
    return false;
}

/* NULL: it can go, as far as its name and place say. */
static const char *hindrance(const struct stk_prune_plan *plan, size_t index)
{
    const struct stk_prune_file *file = &plan->files[index];
    uint64_t number = 0;
    size_t stem = 0;

    if (!stk_prune_is_rotated(file->path, &number, &stem))
        return "not a rotated file: it may be the one that is written";
    if (index + 1 == plan->count)
        return "the last one given: the chain has to go on in another one";
    if (file->last == 0 || number != file->last)
        return "its name is not that of its last record";
    if (!plan->files[index + 1].continues)
        return "the file behind it does not go on with it";
    return NULL;
}

static enum stirkeep_status refuse_named(const struct stk_prune_file *file, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_INVALID, "%s: it cannot go: %s", file->path, file->why);
}

enum stirkeep_status stk_prune_decide(struct stk_prune_plan *plan, struct stk_error *error)
{
    bool stays = false;

    find_living(plan);
    for (size_t i = 0; i < plan->count; i++) {
        struct stk_prune_file *file = &plan->files[i];
        const char *why = hindrance(plan, i);

        if (why == NULL && stays)
            why = "a file before it stays";
        if (why != NULL) {
            say(file, "%s", why);
            if (file->named)
                return refuse_named(file, error);
        } else if (file->named) {
            file->goes = true;
            if (file->living == 0)
                say(file, "told by its name");
        } else if (file->living == 0 && is_old(plan, file)) {
            file->goes = true;
            say(file, "all of its keys ended long enough ago");
        }
        stays = stays || !file->goes;
    }
    return STIRKEEP_OK;
}
