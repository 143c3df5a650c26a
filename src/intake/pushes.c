/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/log.h"
#include "room/room.h"
#include <stdlib.h>
#include <string.h>

/* Of a page as many names as one message may hold. */
static enum stirkeep_status encode(struct stk_pushes *pushes, struct stk_catalog_push *push)
{
    enum stirkeep_status status = STIRKEEP_TOO_LARGE;

    for (;;) {
        pushes->out.length = 0;
        status = stk_catalog_push_encode(push, &pushes->out);
        if (status == STIRKEEP_OK && pushes->out.length > STK_PUSH_BYTES_MAX)
            status = STIRKEEP_TOO_LARGE;
        if (status != STIRKEEP_TOO_LARGE || push->entry_count < 2)
            break;
        push->entry_count /= 2;
        push->last = false;
    }
    /* One name is within the link's own limit. */
    return pushes->out.length > 0 && status == STIRKEEP_TOO_LARGE ? STIRKEEP_OK : status;
}

/* True when it is on its way. Else the pump goes on when the link takes more. */
static bool send_push(struct stk_intake *intake, struct stk_catalog_push *push)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_error error = {0};
    enum stirkeep_status status = encode(pushes, push);

    if (status == STIRKEEP_OK)
        status =
            stk_link_send(STK_FD_INTAKE_FRONT, pushes->out.data, pushes->out.length, 0, &error);
    else
        (void)stk_error_set(&error, status, "%s", stirkeep_status_text(status));
    if (status == STIRKEEP_OK)
        return true;
    if (status == STIRKEEP_UNAVAILABLE)
        (void)event_add(&pushes->writable, NULL);
    else
        stk_log(STK_LOG_ERROR, "front: %s", error.message);
    return false;
}

/* The catalog cannot be read now: in a moment, then. */
static void later(struct stk_intake *intake, const struct stk_error *error)
{
    stk_log(STK_LOG_ERROR, "%s", error->message);
    stk_intake_timer(&intake->pushes.again, STK_RETRY_MS);
}

/* Names of the next page, as many as can be constrained at once. */
static enum stirkeep_status read_page(struct stk_intake *intake, struct stk_catalog_push *push,
                                      bool *ret_all, struct stk_error *error)
{
    struct stk_pushes *pushes = &intake->pushes;
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!pushes->names_sent)
        status = stk_catalog_certificates(intake->catalog, pushes->after.text, pushes->page,
                                          STK_PUSH_PAGE, &count, error);
    if (status == STIRKEEP_OK)
        status = stk_push_constrain(intake, pushes->page, count, &push->entry_count, error);
    if (status == STIRKEEP_OK)
        status = stk_usage_page(intake, push, error);
    *ret_all = count < STK_PUSH_PAGE && push->entry_count == count;
    return status;
}

/* The next page of a snapshot. */
static bool push_page(struct stk_intake *intake)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_catalog_push push = {
        .push = pushes->last_push + 1, .first = pushes->first, .entries = pushes->page};
    struct stk_error error = {0};
    size_t read = 0;
    bool all = false;

    if (read_page(intake, &push, &all, &error) != STIRKEEP_OK) {
        later(intake, &error);
        return false;
    }
    read = push.entry_count;
    push.last = all && push.usage_count < STK_USAGE_COUNTS_MAX;
    if (!send_push(intake, &push))
        return false;
    pushes->last_push++;
    pushes->first = false;
    pushes->snapshot = !push.last;
    pushes->names_sent = all && push.entry_count == read;
    if (push.entry_count > 0)
        pushes->after = pushes->page[push.entry_count - 1].name;
    stk_usage_page_sent(intake, &push);
    return true;
}

static bool push_change(struct stk_intake *intake, struct stk_change *change)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_catalog_push push = {
        .push = change->push, .last = true, .entries = pushes->page, .entry_count = 1};
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_catalog_certificate(intake->catalog, change->name.text, &pushes->page[0], &error);

    /* Unknown: nothing to learn, but somebody waits until front has got so far. */
    if (status == STIRKEEP_OK)
        status = stk_push_constrain(intake, pushes->page, 1, &push.entry_count, &error);
    else if (status == STIRKEEP_UNKNOWN_NAME)
        push.entry_count = 0;
    if (status != STIRKEEP_OK && status != STIRKEEP_UNKNOWN_NAME) {
        later(intake, &error);
        return false;
    }
    if (!send_push(intake, &push))
        return false;
    TAILQ_REMOVE(&pushes->changes, change, entry);
    free(change);
    return true;
}

static void pump(struct stk_intake *intake)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_catalog_push question = {.push = pushes->question, .status_wanted = true};

    while (pushes->snapshot)
        if (!push_page(intake))
            return;
    while (!TAILQ_EMPTY(&pushes->changes))
        if (!push_change(intake, TAILQ_FIRST(&pushes->changes)))
            return;
    if (pushes->question != 0 && send_push(intake, &question))
        pushes->question = 0;
}

static void begin_snapshot(struct stk_intake *intake)
{
    intake->pushes.snapshot = true;
    intake->pushes.first = true;
    intake->pushes.after = (struct stk_name){0};
    intake->pushes.names_sent = false;
    intake->pushes.usage_sent = false;
    intake->pushes.usage_after = (struct stk_usage_row){0};
    pump(intake);
}

static void writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pump(context);
}

/* ---- those who wait */

static void release(struct stk_waiter *waiter)
{
    TAILQ_REMOVE(&waiter->intake->pushes.waiters, waiter, entry);
    (void)event_del(&waiter->timer);
    waiter->done(waiter->context);
    free(waiter);
}

static void waited(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    release(context);
}

/* Those who may go on do so in a turn of their own: their owners are still at work here. */
void stk_settle_check(struct stk_intake *intake)
{
    struct stk_waiter *waiter = NULL;

    TAILQ_FOREACH(waiter, &intake->pushes.waiters, entry)
    if (waiter->push == 0 && !intake->acts_waiting)
        event_active(&waiter->timer, EV_TIMEOUT, 0);
}

void stk_settle(struct stk_intake *intake, uint64_t push, void (*done)(void *context),
                void *context)
{
    struct stk_waiter *waiter = calloc(1, sizeof(*waiter));

    if (waiter == NULL || evtimer_assign(&waiter->timer, intake->base, waited, waiter) != 0) {
        stk_log(STK_LOG_ERROR, "out of memory");
        abort();
    }
    waiter->push = push;
    waiter->done = done;
    waiter->context = context;
    waiter->intake = intake;
    TAILQ_INSERT_TAIL(&intake->pushes.waiters, waiter, entry);
    stk_intake_timer(&waiter->timer, STK_SETTLE_MS);
    stk_settle_check(intake);
}

/* ---- what front says */

static void take_report(struct stk_intake *intake, const struct stk_front_report *report)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_waiter *waiter = NULL;

    stk_usage_keep(intake, report);
    pushes->report = *report;
    pushes->report.usage = NULL;
    pushes->report.usage_count = 0;
    pushes->report.counters = NULL;
    if (report->counters != NULL) {
        pushes->counters = *report->counters;
        pushes->counted = report->push;
    }
    if (pushes->heard < report->push)
        pushes->heard = report->push;
    TAILQ_FOREACH(waiter, &pushes->waiters, entry)
    if (waiter->push == report->push)
        waiter->push = 0;
    stk_settle_check(intake);
    if (report->snapshot_wanted)
        begin_snapshot(intake);
}

static void readable(evutil_socket_t fd, short what, void *context)
{
    struct stk_intake *intake = context;
    struct stk_front_report report = {0};
    struct stk_error error = {0};
    size_t length = 0;
    (void)what;

    if (stk_link_receive(fd, 0, intake->message, &length, NULL) != STIRKEEP_OK)
        return;
    stk_arena_reset(&intake->arena);
    if (stk_front_report_decode((struct stk_bytes){intake->message, length}, &intake->arena,
                                &report, &error) == STIRKEEP_OK)
        take_report(intake, &report);
    else
        stk_log(STK_LOG_ERROR, "a report of front's was dropped: %s", error.message);
}

bool stk_pushes_start(struct stk_intake *intake)
{
    struct stk_pushes *pushes = &intake->pushes;

    TAILQ_INIT(&pushes->changes);
    TAILQ_INIT(&pushes->waiters);
    pushes->page = calloc(STK_PUSH_PAGE, sizeof(*pushes->page));
    if (pushes->page == NULL || !stk_usage_start(intake) ||
        stk_arena_new(&pushes->constraints, STK_PUSH_ARENA) != STIRKEEP_OK ||
        stk_arena_new(&pushes->leaf, STK_PUSH_LEAF_ARENA) != STIRKEEP_OK ||
        event_assign(&pushes->readable, intake->base, STK_FD_INTAKE_FRONT, EV_READ | EV_PERSIST,
                     readable, intake) != 0 ||
        event_assign(&pushes->writable, intake->base, STK_FD_INTAKE_FRONT, EV_WRITE, writable,
                     intake) != 0 ||
        evtimer_assign(&pushes->again, intake->base, writable, intake) != 0 ||
        event_add(&pushes->readable, NULL) != 0)
        return false;
    begin_snapshot(intake);
    return true;
}

void stk_pushes_stop(struct stk_intake *intake)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_change *change = NULL;
    struct stk_waiter *waiter = NULL;

    while ((change = TAILQ_FIRST(&pushes->changes)) != NULL) {
        TAILQ_REMOVE(&pushes->changes, change, entry);
        free(change);
    }
    while ((waiter = TAILQ_FIRST(&pushes->waiters)) != NULL) {
        TAILQ_REMOVE(&pushes->waiters, waiter, entry);
        (void)event_del(&waiter->timer);
        free(waiter);
    }
    free(pushes->page);
    stk_usage_stop(intake);
    stk_arena_free(&pushes->constraints);
    stk_arena_free(&pushes->leaf);
    stk_buffer_free(&pushes->out);
}

uint64_t stk_push_name(struct stk_intake *intake, const struct stk_name *name)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_change *change = calloc(1, sizeof(*change));
    uint64_t push = 0;

    if (change == NULL) {
        begin_snapshot(intake); /* which has the change in it */
        return pushes->last_push;
    }
    change->push = ++pushes->last_push;
    change->name = *name;
    push = change->push;
    TAILQ_INSERT_TAIL(&pushes->changes, change, entry);
    pump(intake);
    return push;
}

uint64_t stk_push_ask(struct stk_intake *intake)
{
    struct stk_pushes *pushes = &intake->pushes;
    uint64_t number = 0;

    if (pushes->question == 0)
        pushes->question = ++pushes->last_push;
    number = pushes->question;
    pump(intake);
    return number;
}
