/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>

#define DAY_S 86400

/* What waits is stored with the next ones, or by itself in a moment. */
static void store(struct stk_intake *intake, size_t count)
{
    struct stk_pushes *pushes = &intake->pushes;
    int64_t oldest = stk_clock_seconds() / DAY_S - STK_USAGE_DAYS;
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_catalog_use(intake->catalog, pushes->usage, count, oldest, &error);

    if (status != STIRKEEP_OK) {
        if (!pushes->usage_told)
            stk_log(STK_LOG_ERROR,
                    "what is used up of quotas cannot be stored, and is kept in memory alone: %s",
                    error.message);
        stk_intake_timer(&pushes->usage_again, STK_RETRY_MS);
    }
    pushes->usage_told = status != STIRKEEP_OK;
}

static void again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    store(context, 0);
}

bool stk_usage_start(struct stk_intake *intake)
{
    struct stk_pushes *pushes = &intake->pushes;

    pushes->usage = calloc(STK_USAGE_COUNTS_MAX, sizeof(*pushes->usage));
    pushes->counts = calloc(STK_USAGE_COUNTS_MAX, sizeof(*pushes->counts));
    return pushes->usage != NULL && pushes->counts != NULL &&
           evtimer_assign(&pushes->usage_again, intake->base, again, intake) == 0;
}

void stk_usage_stop(struct stk_intake *intake)
{
    if (event_initialized(&intake->pushes.usage_again))
        (void)event_del(&intake->pushes.usage_again);
    free(intake->pushes.usage);
    free(intake->pushes.counts);
}

/* The rows of a report: of yesterday, today and tomorrow alone, whatever front's clock says. */
static size_t take_rows(const struct stk_front_report *report, int64_t today,
                        struct stk_usage_row *rows)
{
    size_t count = 0;

    for (size_t i = 0; i < report->usage_count && count < STK_USAGE_COUNTS_MAX; i++) {
        const struct stk_usage_count *one = &report->usage[i];
        struct stk_usage_row *row = &rows[count];

        if (one->day < today - 1 || one->day > today + 1)
            continue;
        row->of_certificate = one->of_certificate;
        row->day = one->day;
        row->count = one->count;
        (void)snprintf(row->name, sizeof(row->name), "%s", one->name);
        count++;
    }
    return count;
}

void stk_usage_keep(struct stk_intake *intake, const struct stk_front_report *report)
{
    size_t count = take_rows(report, stk_clock_seconds() / DAY_S, intake->pushes.usage);

    if (count > 0)
        store(intake, count);
}

enum stirkeep_status stk_usage_page(struct stk_intake *intake, struct stk_catalog_push *push,
                                    struct stk_error *error)
{
    struct stk_pushes *pushes = &intake->pushes;
    const struct stk_usage_row *after =
        pushes->usage_after.name[0] != '\0' ? &pushes->usage_after : NULL;
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (push->first)
        pushes->usage_day = stk_clock_seconds() / DAY_S;
    if (!pushes->usage_sent)
        status = stk_catalog_used(intake->catalog, pushes->usage_day, after, pushes->usage,
                                  STK_USAGE_COUNTS_MAX, &count, error);
    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        struct stk_usage_count *one = &pushes->counts[i];

        one->of_certificate = pushes->usage[i].of_certificate;
        one->day = pushes->usage[i].day;
        one->count = pushes->usage[i].count;
        (void)snprintf(one->name, sizeof(one->name), "%s", pushes->usage[i].name);
    }
    push->usage = pushes->counts;
    push->usage_count = count;
    return STIRKEEP_OK;
}

void stk_usage_page_sent(struct stk_intake *intake, const struct stk_catalog_push *push)
{
    struct stk_pushes *pushes = &intake->pushes;

    pushes->usage_sent = push->usage_count < STK_USAGE_COUNTS_MAX;
    if (push->usage_count > 0)
        pushes->usage_after = pushes->usage[push->usage_count - 1];
}
