/* SPDX-License-Identifier: BSD-2-Clause */
#include "samples.h"

static void fill_histogram(struct stk_histogram *histogram)
{
    histogram->sum = 1001;
    histogram->longest = 1002;
    histogram->classes[stk_histogram_class(SAMPLE_CLASS_END)] = 1002;
}

const struct stk_front_counters *sample_front_counters(void)
{
    static struct stk_front_counters counters;

    counters = (struct stk_front_counters){.room = {1001, 1002},
                                           .names = {{"name", 1002}, {"another name", 1002}},
                                           .name_count = 2,
                                           .names_used = 1006,
                                           .other_signatures = 1007,
                                           .in_flight = 1008};
    fill_histogram(&counters.served);
    counters.refused[STIRKEEP_NOT_PERMITTED] = 1002;
    counters.refused[STIRKEEP_RATE_LIMITED] = 1002;
    counters.failed[STIRKEEP_DEADLINE] = 1002;
    return &counters;
}

const struct stk_keeper_counters *sample_keeper_counters(void)
{
    static struct stk_keeper_counters counters;

    counters = (struct stk_keeper_counters){.room = {1001, 1002},
                                            .signers = {{1001, 1002}, {1001, 1002}},
                                            .signer_count = 2,
                                            .busy = 1006};
    fill_histogram(&counters.queue);
    fill_histogram(&counters.token);
    fill_histogram(&counters.audit);
    return &counters;
}
