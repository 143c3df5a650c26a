/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/bench_load.h"

#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define TICK_MS 100 /* what has no event (a deadline, a new connection) is looked at so often */
#define EVENTS 64
#define GAP_US 50
#define TIMER UINT64_MAX /* the event that is no connection's */
#define LATE_BITS 24
#define LATE_MAX ((1U << LATE_BITS) - 1) /* us */

struct link {
    struct stirkeep_client *client;
    int fd; /* as epoll knows it; -1: not yet */
    bool writing;
};

struct worker {
    struct stk_bench_load *load;
    struct link *links;
    int epoll;
    int timer;
    uint64_t sent;      /* requests that left at their times, or later */
    uint64_t timer_set; /* CLOCK_MONOTONIC us */
    bool going;
};

static void note_failure(struct stk_bench_load *load, enum stirkeep_status status,
                         const char *message)
{
    load->statuses[status]++;
    if (load->first_failure != STIRKEEP_OK)
        return;
    load->first_failure = status;
    (void)snprintf(load->first_message, sizeof(load->first_message), "%s", message);
}

/* The tag of a request is the time that its latency counts from, since the beginning, and how much
 * later than that it was sent. */
static uint64_t tag_of(const struct stk_bench_load *load, uint64_t due, uint64_t now)
{
    uint64_t late = now - due;

    return (due - load->begin_us) << LATE_BITS | (late < LATE_MAX ? late : LATE_MAX);
}

static void take(struct stk_bench_load *load, const struct stirkeep_answer *answer)
{
    uint64_t latency = stk_clock_mono_us() - load->begin_us - (answer->tag >> LATE_BITS);
    uint64_t late = answer->tag & LATE_MAX;

    if (answer->status == STIRKEEP_OK) {
        load->statuses[STIRKEEP_OK]++;
        stk_histogram_add(&load->served, latency, 1);
        stk_histogram_add(&load->served_sent, latency > late ? latency - late : 0, 1);
        return;
    }
    stk_histogram_add(&load->refused, latency, 1);
    stk_histogram_add(&load->refused_sent, latency > late ? latency - late : 0, 1);
    note_failure(load, answer->status, answer->message);
}

static enum stirkeep_status submit(struct worker *worker, struct link *link, uint64_t tag)
{
    const struct stk_bench_load *load = worker->load;
    const struct stirkeep_claims claims = {.ppt = "shaken",
                                           .orig_tn = load->orig,
                                           .dest_tn = &load->dest,
                                           .dest_tn_count = 1,
                                           .attest = load->attest};

    return stirkeep_submit(link->client, load->name, &claims, load->deadline_ms, tag);
}

static bool ask(struct worker *worker, struct link *link)
{
    uint64_t now = stk_clock_mono_us();
    enum stirkeep_status status = submit(worker, link, tag_of(worker->load, now, now));

    if (status == STIRKEEP_OK)
        return true;
    note_failure(worker->load, status, stirkeep_client_error(link->client));
    worker->going = false;
    return false;
}

/* Let epoll know the descriptor as it is now. */
static void watch(struct worker *worker, struct link *link, bool anew)
{
    bool writing = false;
    int fd = stirkeep_fd(link->client, &writing);
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0),
                                .data.u64 = (uint64_t)(link - worker->links)};

    if (fd < 0 || (!anew && fd == link->fd && writing == link->writing))
        return;
    if (epoll_ctl(worker->epoll, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
        (void)epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event);
    link->fd = fd;
    link->writing = writing;
}

/* ---- at set times */

static uint64_t due_us(const struct worker *worker)
{
    return worker->load->begin_us + worker->sent * worker->load->every_ns / 1000;
}

/* Everything that is due; a connection that has too many under way holds up what is due after it,
 * which shows in the latency. */
static void send_due(struct worker *worker)
{
    struct stk_bench_load *load = worker->load;
    uint64_t now = stk_clock_mono_us();

    for (uint64_t due = due_us(worker); due <= now && due < load->until_us; due = due_us(worker)) {
        struct link *link = &worker->links[worker->sent % load->connections];
        enum stirkeep_status status = submit(worker, link, tag_of(load, due, stk_clock_mono_us()));

        if (status == STIRKEEP_OVERLOADED)
            return;
        if (status != STIRKEEP_OK) {
            note_failure(load, status, stirkeep_client_error(link->client));
            worker->going = false;
            return;
        }
        worker->sent++;
        watch(worker, link, false);
    }
}

/* To set it costs as much as to send a request: what is due within GAP_US is sent together. */
static void set_timer(struct worker *worker)
{
    uint64_t soonest = stk_clock_mono_us() + GAP_US;
    uint64_t due = due_us(worker);
    struct itimerspec when = {0};

    if (worker->timer_set >= due && worker->timer_set <= soonest) /* it comes soon enough */
        return;
    due = due > soonest ? due : soonest;
    if (due >= worker->load->until_us)
        return;
    when.it_value = (struct timespec){.tv_sec = (time_t)(due / 1000000),
                                      .tv_nsec = (long)(due % 1000000) * 1000};
    if (timerfd_settime(worker->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        worker->timer_set = due;
}

static void count_unsent(struct worker *worker)
{
    struct stk_bench_load *load = worker->load;
    uint64_t wanted = (load->until_us - load->begin_us) * 1000 / load->every_ns;

    if (wanted > worker->sent)
        load->unsent = wanted - worker->sent;
}

/* ---- connections */

static void fill(struct worker *worker, struct link *link)
{
    while (worker->going && worker->load->every_ns == 0 &&
           stirkeep_under_way(link->client) < worker->load->window && ask(worker, link))
        ;
}

/* All answers that are there, each followed by the next request. */
static void serve(struct worker *worker, struct link *link, bool anew)
{
    struct stirkeep_answer answer = {0};

    fill(worker, link);
    while (stirkeep_under_way(link->client) > 0 &&
           stirkeep_fetch(link->client, 0, &answer) == STIRKEEP_OK) {
        take(worker->load, &answer);
        fill(worker, link);
    }
    watch(worker, link, anew);
}

static void serve_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->load->connections; i++)
        serve(worker, &worker->links[i], true);
}

static void turn(struct worker *worker)
{
    struct epoll_event events[EVENTS];
    int count = 0;

    if (worker->load->every_ns > 0 && worker->going) {
        send_due(worker);
        set_timer(worker);
    }
    count = epoll_wait(worker->epoll, events, EVENTS, TICK_MS);
    for (int i = 0; i < count; i++) {
        uint64_t expirations = 0;

        if (events[i].data.u64 == TIMER)
            (void)!read(worker->timer, &expirations, sizeof(expirations));
        else
            serve(worker, &worker->links[events[i].data.u64], false);
    }
}

static bool under_way(const struct worker *worker)
{
    for (size_t i = 0; i < worker->load->connections; i++)
        if (stirkeep_under_way(worker->links[i].client) > 0)
            return true;
    return false;
}

/* Nothing comes but refusals: more of them say nothing new. At set times they may be what is
 * asked about. */
static bool hopeless(const struct stk_bench_load *load)
{
    return load->every_ns == 0 && load->statuses[STIRKEEP_OK] == 0 &&
           stk_histogram_count(&load->refused) >= load->window * load->connections;
}

static void run(struct worker *worker)
{
    struct stk_bench_load *load = worker->load;
    uint64_t tick = 0;

    worker->going = true;
    serve_all(worker);
    for (;;) {
        uint64_t now = 0;

        turn(worker);
        now = stk_clock_mono_us();
        if (now >= load->until_us && worker->going && load->every_ns > 0)
            send_due(worker); /* also what this thread had no time for until now */
        if (now >= load->until_us || hopeless(load))
            worker->going = false;
        if (now >= tick) {
            tick = now + (uint64_t)TICK_MS * 1000;
            serve_all(worker);
        }
        if (!worker->going && !under_way(worker))
            break;
    }
    if (load->every_ns > 0)
        count_unsent(worker);
}

static bool open_all(struct worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TIMER};

    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    worker->links = calloc(worker->load->connections, sizeof(*worker->links));
    if (worker->epoll < 0 || worker->timer < 0 || worker->links == NULL ||
        epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->timer, &event) != 0) {
        note_failure(worker->load, STIRKEEP_IO, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < worker->load->connections; i++) {
        enum stirkeep_status status =
            stirkeep_client_new(worker->load->socket, TIMEOUT_MS, &worker->links[i].client);

        worker->links[i].fd = -1;
        if (status == STIRKEEP_OK)
            continue;
        note_failure(worker->load, status, stirkeep_status_text(status));
        return false;
    }
    return true;
}

void *stk_bench_load_run(void *argument)
{
    struct worker worker = {.load = argument, .epoll = -1, .timer = -1};

    if (open_all(&worker))
        run(&worker);
    for (size_t i = 0; worker.links != NULL && i < worker.load->connections; i++)
        stirkeep_client_free(worker.links[i].client);
    free(worker.links);
    if (worker.epoll >= 0)
        (void)close(worker.epoll);
    if (worker.timer >= 0)
        (void)close(worker.timer);
    return NULL;
}
