/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include <stdio.h>

#define GATHERED_AT_ONCE 32

void stk_counts_touch(struct stk_front *front, uint64_t now_us)
{
    if (front->counts_due_us == 0)
        front->counts_due_us = now_us + STK_COUNTS_INTERVAL_US;
}

void stk_counts_refund(struct stk_front *front, const struct stk_decision *decision,
                       const struct stk_name *name, uint64_t now_us, int64_t real_s)
{
    stk_usage_refund(front->usage, decision, name->text, 1, now_us, real_s);
    stk_counts_touch(front, now_us);
}

void stk_counts_refund_quota(struct stk_front *front, const struct stk_decision *decision,
                             const struct stk_name *name, uint64_t now_us, int64_t real_s)
{
    stk_usage_refund_quota(front->usage, decision, name->text, 1, now_us, real_s);
    stk_counts_touch(front, now_us);
}

static void take_up(struct stk_front *front, const struct stk_used *used)
{
    struct stk_usage_count *count = &front->counts[front->count_count++];

    count->of_certificate = used->kind == STK_USAGE_CERTIFICATE;
    count->day = used->day;
    count->count = used->count;
    (void)snprintf(count->name, sizeof(count->name), "%s", used->name);
}

void stk_counts_gather(struct stk_front *front)
{
    struct stk_used used[GATHERED_AT_ONCE];
    size_t got = 0;

    do {
        size_t room = STK_USAGE_COUNTS_MAX - front->count_count;

        got = stk_usage_changes(front->usage, used,
                                room < GATHERED_AT_ONCE ? room : GATHERED_AT_ONCE);
        for (size_t i = 0; i < got; i++)
            take_up(front, &used[i]);
    } while (got > 0);
    front->counts_due_us = 0;
}

void stk_counts_expire(struct stk_front *front, uint64_t now_us)
{
    if (front->counts_due_us == 0 || front->counts_due_us > now_us)
        return;
    if (front->count_count > 0) /* intake has not taken those before them */
        front->counts_due_us = now_us + STK_COUNTS_INTERVAL_US;
    else
        stk_counts_gather(front);
}

void stk_counts_sent(struct stk_front *front)
{
    bool more = front->count_count == STK_USAGE_COUNTS_MAX;

    front->count_count = 0;
    if (more)
        stk_counts_gather(front);
}

bool stk_counts_settle(struct stk_front *front)
{
    if (front->counts_due_us != 0 && front->count_count == 0)
        stk_counts_gather(front);
    stk_link_intake_flush(front);
    return front->count_count == 0 && front->counts_due_us == 0;
}

enum stirkeep_status stk_counts_recall(struct stk_front *front, const struct stk_catalog_push *push)
{
    for (size_t i = 0; i < push->usage_count; i++) {
        const struct stk_usage_count *count = &push->usage[i];
        struct stk_used used = {.kind =
                                    count->of_certificate ? STK_USAGE_CERTIFICATE : STK_USAGE_GRANT,
                                .day = count->day,
                                .count = count->count};
        enum stirkeep_status status = STIRKEEP_OK;

        (void)snprintf(used.name, sizeof(used.name), "%s", count->name);
        status = stk_usage_recall(front->usage, &used);
        if (status != STIRKEEP_OK)
            return status;
    }
    return STIRKEEP_OK;
}
