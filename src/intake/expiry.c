/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/expiry.h"

#include "base/clock.h"
#include "base/log.h"
#include "intake/intake.h"
#include <stdio.h>
#include <string.h>

#define DAY_S 86400
#define LOOK_MS (3600U * 1000)
#define TOLD_MAX                                                                                   \
    (STK_EXPIRY_LINES_MAX - 1) /* certificates told one by one; of the others, how many they are */
#define LINE_MAX_LENGTH 192

/* Days before notAfter at which it is told. */
static const int64_t levels[] = {STK_EXPIRY_DAYS, 14, 7, 1, 0};

typedef void describe_fn(const struct stk_certificate *certificate, int64_t now,
                         char ret_line[LINE_MAX_LENGTH]);

static void describe_early(const struct stk_certificate *certificate, int64_t now,
                           char ret_line[LINE_MAX_LENGTH])
{
    char when[STK_SECONDS_TEXT] = "";

    (void)now;
    stk_seconds_text(certificate->not_before, when);
    (void)snprintf(ret_line, LINE_MAX_LENGTH,
                   "%.*s: its certificate (generation %u) is not valid before %s, and does not "
                   "sign: is this clock right?",
                   STK_NAME_MAX, certificate->name.text, certificate->generation, when);
}

static void describe_expiry(const struct stk_certificate *certificate, int64_t now,
                            char ret_line[LINE_MAX_LENGTH])
{
    int64_t left = certificate->not_after - now;
    char when[STK_SECONDS_TEXT] = "";

    stk_seconds_text(certificate->not_after, when);
    if (left < 0)
        (void)snprintf(ret_line, LINE_MAX_LENGTH,
                       "%.*s: its certificate (generation %u) expired at %s, and signs no more",
                       STK_NAME_MAX, certificate->name.text, certificate->generation, when);
    else
        (void)snprintf(ret_line, LINE_MAX_LENGTH,
                       "%.*s: its certificate (generation %u) expires in %lld days, at %s",
                       STK_NAME_MAX, certificate->name.text, certificate->generation,
                       (long long)left / DAY_S, when);
}

static void log_lines(describe_fn *describe, const struct stk_certificate *found, size_t count,
                      int64_t now)
{
    char line[LINE_MAX_LENGTH] = "";

    for (size_t i = 0; i < count; i++) {
        describe(&found[i], now, line);
        stk_log(STK_LOG_WARNING, "%s", line);
    }
}

/* Those with notAfter from `from` to before `until`: a line each in the log. */
static void tell(struct stk_intake *intake, int64_t from, int64_t until, int64_t now)
{
    struct stk_certificate soon[TOLD_MAX];
    struct stk_error error = {0};
    uint32_t total = 0;
    size_t count = 0;

    if (stk_catalog_expiring(intake->catalog, from, until, soon, TOLD_MAX, &count, &total,
                             &error) != STIRKEEP_OK) {
        stk_log(STK_LOG_ERROR, "%s", error.message);
        return;
    }
    log_lines(describe_expiry, soon, count, now);
    if (total > count)
        stk_log(STK_LOG_WARNING, "%u more certificates expire within the same time: stirkeep list",
                (unsigned)(total - count));
}

/* Nothing becomes active before its notBefore: the clock was set back, or has lost the time. */
static void tell_early(struct stk_intake *intake, int64_t now)
{
    struct stk_certificate early[TOLD_MAX];
    struct stk_error error = {0};
    uint32_t total = 0;
    size_t count = 0;

    if (stk_catalog_early(intake->catalog, now, early, TOLD_MAX, &count, &total, &error) !=
        STIRKEEP_OK) {
        stk_log(STK_LOG_ERROR, "%s", error.message);
        return;
    }
    log_lines(describe_early, early, count, now);
    if (total > count)
        stk_log(STK_LOG_WARNING, "%u more certificates are not valid yet: stirkeep list",
                (unsigned)(total - count));
}

static void look(struct stk_intake *intake)
{
    struct stk_expiry *expiry = &intake->expiry;
    int64_t now = stk_clock_seconds();

    if (expiry->looked == 0)
        tell(intake, INT64_MIN, now + (int64_t)STK_EXPIRY_DAYS * DAY_S, now);
    for (size_t i = 0; expiry->looked != 0 && i < sizeof(levels) / sizeof(levels[0]); i++)
        tell(intake, expiry->looked + levels[i] * DAY_S, now + levels[i] * DAY_S, now);
    tell_early(intake, now);
    expiry->looked = now;
    stk_intake_timer(&expiry->timer, LOOK_MS);
}

static void looked(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    look(context);
}

bool stk_expiry_start(struct stk_intake *intake)
{
    if (evtimer_assign(&intake->expiry.timer, intake->base, looked, intake) != 0)
        return false;
    look(intake);
    return true;
}

static const char *keep(struct stk_arena *arena, const char *line)
{
    const char *copy = stk_arena_copy(arena, line, strlen(line));

    return copy != NULL ? copy : "";
}

static size_t keep_lines(struct stk_arena *arena, describe_fn *describe,
                         const struct stk_certificate *found, size_t count, uint32_t total,
                         int64_t now, const char *ret_lines[STK_EXPIRY_LINES_MAX])
{
    char line[LINE_MAX_LENGTH] = "";

    for (size_t i = 0; i < count; i++) {
        describe(&found[i], now, line);
        ret_lines[i] = keep(arena, line);
    }
    if (total <= count)
        return count;
    (void)snprintf(line, sizeof(line), "%u more certificates like these: stirkeep list",
                   (unsigned)(total - count));
    ret_lines[count] = keep(arena, line);
    return count + 1;
}

size_t stk_expiry_lines(struct stk_intake *intake, struct stk_arena *arena, int64_t from,
                        int64_t until, const char *ret_lines[STK_EXPIRY_LINES_MAX])
{
    struct stk_certificate soon[TOLD_MAX];
    uint32_t total = 0;
    size_t count = 0;

    if (stk_catalog_expiring(intake->catalog, from, until, soon, TOLD_MAX, &count, &total, NULL) !=
        STIRKEEP_OK)
        return 0; /* that the catalog cannot be read is told by who counts its names */
    return keep_lines(arena, describe_expiry, soon, count, total, stk_clock_seconds(), ret_lines);
}

size_t stk_early_lines(struct stk_intake *intake, struct stk_arena *arena,
                       const char *ret_lines[STK_EXPIRY_LINES_MAX])
{
    struct stk_certificate early[TOLD_MAX];
    int64_t now = stk_clock_seconds();
    uint32_t total = 0;
    size_t count = 0;

    if (stk_catalog_early(intake->catalog, now, early, TOLD_MAX, &count, &total, NULL) !=
        STIRKEEP_OK)
        return 0; /* as above */
    return keep_lines(arena, describe_early, early, count, total, now, ret_lines);
}

void stk_expiry_warn(struct stk_task *task)
{
    struct stk_service_status *service = &task->response.service;
    const char **lines = stk_arena_take(&task->arena, 2 * STK_EXPIRY_LINES_MAX * sizeof(*lines));
    int64_t until = stk_clock_seconds() + (int64_t)STK_EXPIRY_DAYS * DAY_S;
    size_t count = 0;

    if (lines == NULL)
        return;
    count = stk_early_lines(task->intake, &task->arena, lines);
    count += stk_expiry_lines(task->intake, &task->arena, INT64_MIN, until, lines + count);
    service->warning_count = count;
    service->warnings = lines;
}
