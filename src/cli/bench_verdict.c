/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/bench_verdict.h"

#include "base/clock.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NEARLY_ALL 0.85 /* of a processor's or session's time: it is what limits */
#define SOME 0.01       /* of all answers: not by chance */
#define STAT_LINE 512

/* What all processors did since the start: /proc/stat's first line (proc(5)). */
static void read_machine(struct stk_bench_moment *moment)
{
    uint64_t ticks[8] = {0};
    char line[STAT_LINE] = "";
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL)
        return;
    if (fgets(line, sizeof(line), file) != NULL &&
        sscanf(line,
               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64,
               &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6],
               &ticks[7]) == 8) {
        for (int i = 0; i < 8; i++)
            moment->machine_ticks += ticks[i];
        moment->machine_idle = ticks[3] + ticks[4]; /* idle, and waiting for a disk */
    }
    (void)fclose(file);
}

void stk_bench_look(const struct stk_service_status *service, struct stk_bench_moment *ret_moment)
{
    memset(ret_moment, 0, sizeof(*ret_moment));
    read_machine(ret_moment);
    ret_moment->own_cpu_us = stk_clock_cpu_us();
    ret_moment->at_us = stk_clock_mono_us();
    if (service == NULL || service->front_counters == NULL || service->keeper_counters == NULL)
        return;
    ret_moment->known = true;
    ret_moment->keeper = *service->keeper_counters;
    ret_moment->front = service->front_counters->room;
    ret_moment->intake = service->intake_use;
}

static double share(uint64_t part, double whole)
{
    return whole > 0 ? (double)part / whole : 0;
}

static bool same_room(const struct stk_room_use *before, const struct stk_room_use *after)
{
    return after->up_us >= before->up_us && after->cpu_us >= before->cpu_us;
}

bool stk_bench_compare(const struct stk_bench_moment *before, const struct stk_bench_moment *after,
                       struct stk_bench_figures *ret_figures)
{
    double us = (double)(after->at_us - before->at_us);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct stk_bench_figures *figures = ret_figures;

    if (!before->known || !after->known || us <= 0 ||
        !same_room(&before->keeper.room, &after->keeper.room) ||
        !same_room(&before->front, &after->front) || !same_room(&before->intake, &after->intake))
        return false;
    memset(figures, 0, sizeof(*figures));
    figures->seconds = us / 1e6;
    figures->cores = cores > 0 ? (unsigned)cores : 1;
    figures->front = share(after->front.cpu_us - before->front.cpu_us, us);
    figures->keeper = share(after->keeper.room.cpu_us - before->keeper.room.cpu_us, us);
    figures->intake = share(after->intake.cpu_us - before->intake.cpu_us, us);
    figures->client = share(after->own_cpu_us - before->own_cpu_us, us);
    if (after->machine_ticks > before->machine_ticks)
        figures->machine = 1 - share(after->machine_idle - before->machine_idle,
                                     (double)(after->machine_ticks - before->machine_ticks));
    figures->others = figures->machine * figures->cores - figures->front - figures->keeper -
                      figures->intake - figures->client;
    if (figures->others < 0)
        figures->others = 0;
    figures->signers = after->keeper.signer_count;
    stk_histogram_since(&after->keeper.queue, &before->keeper.queue, &figures->queue);
    stk_histogram_since(&after->keeper.token, &before->keeper.token, &figures->token);
    stk_histogram_since(&after->keeper.audit, &before->keeper.audit, &figures->audit);
    figures->sessions = share(figures->token.sum, us * (double)figures->signers);
    return true;
}

static double mean(const struct stk_histogram *histogram)
{
    return share(histogram->sum, (double)stk_histogram_count(histogram));
}

static enum stk_bench_limit judge_figures(const struct stk_bench_load *total,
                                          const struct stk_bench_figures *figures)
{
    /* A token in software is at work all of the time, too, when it has a processor to do it on. */
    if (figures->machine >= NEARLY_ALL)
        return STK_LIMIT_CPU;
    if (figures->sessions >= NEARLY_ALL)
        return STK_LIMIT_TOKEN;
    if (mean(&figures->audit) > mean(&figures->token) && total->every_ns == 0)
        return STK_LIMIT_AUDIT;
    return total->every_ns == 0 ? STK_LIMIT_CLIENT : STK_LIMIT_NONE;
}

enum stk_bench_limit stk_bench_judge(const struct stk_bench_load *total,
                                     const struct stk_bench_figures *figures)
{
    const uint64_t *count = total->statuses;
    uint64_t late = count[STIRKEEP_OVERLOADED] + count[STIRKEEP_DEADLINE] +
                    count[STIRKEEP_TIMEOUT] + total->unsent;
    double all = (double)total->unsent;

    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        all += (double)count[i];
    if (share(count[STIRKEEP_RATE_LIMITED], all) > SOME)
        return STK_LIMIT_POLICY;
    if (share(late, all) > SOME)
        return STK_LIMIT_OVERLOAD;
    if (count[STIRKEEP_OK] == 0)
        return STK_LIMIT_REFUSED;
    return figures != NULL ? judge_figures(total, figures) : STK_LIMIT_UNKNOWN;
}

static const struct {
    const char *name;
    const char *text;
} limits[] = {
    [STK_LIMIT_NONE] = {"not-limited", "the rate that was asked for was served, and more could be"},
    [STK_LIMIT_CLIENT] = {"client-limited",
                          "neither token nor processors were used up: more --connections or a "
                          "larger --window would get more"},
    [STK_LIMIT_TOKEN] = {"token-bound",
                         "the token's sessions were at work nearly all of the time: more of them "
                         "([token] sessions) or a faster token would get more"},
    [STK_LIMIT_CPU] = {"cpu-bound", "the processors had no time left"},
    [STK_LIMIT_AUDIT] = {"audit-bound",
                         "signatures waited longer for the audit trail than for the token: [audit] "
                         "sync, or a faster disk, would help"},
    [STK_LIMIT_POLICY] = {"policy-limited", "requests were refused for a rate, burst or quota of "
                                            "the configuration"},
    [STK_LIMIT_OVERLOAD] = {"overload", "more was asked for than could be signed in time"},
    [STK_LIMIT_REFUSED] = {"refused", "nothing was signed"},
    [STK_LIMIT_UNKNOWN] = {"unknown", "what limits it only an administrator can ask the service"},
};

const char *stk_bench_limit_name(enum stk_bench_limit limit)
{
    return limits[limit].name;
}

const char *stk_bench_limit_text(enum stk_bench_limit limit)
{
    return limits[limit].text;
}
