/* SPDX-License-Identifier: BSD-2-Clause */
/* What bench says limits a service, from figures that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/bench_verdict.h"
#include <stdio.h>
#include <string.h>

static struct stk_bench_load served(uint64_t count)
{
    struct stk_bench_load total = {0};

    total.statuses[STIRKEEP_OK] = count;
    return total;
}

static void expect(const struct stk_bench_load *total, const struct stk_bench_figures *figures,
                   const char *limit)
{
    assert_string_equal(stk_bench_limit_name(stk_bench_judge(total, figures)), limit);
}

static void busy_sessions_on_an_idle_machine_are_the_tokens_limit(void **state)
{
    const struct stk_bench_figures figures = {.machine = 0.2, .sessions = 0.97};
    struct stk_bench_load total = served(1000);
    (void)state;

    expect(&total, &figures, "token-bound");
}

static void a_busy_machine_is_the_limit_even_of_a_token_in_software(void **state)
{
    const struct stk_bench_figures figures = {.machine = 0.98, .sessions = 0.97};
    struct stk_bench_load total = served(1000);
    (void)state;

    expect(&total, &figures, "cpu-bound");
}

static void nothing_used_up_is_the_clients_limit_or_at_a_rate_none(void **state)
{
    const struct stk_bench_figures figures = {.machine = 0.5, .sessions = 0.3};
    struct stk_bench_load total = served(1000);
    (void)state;

    expect(&total, &figures, "client-limited");
    total.every_ns = 1000;
    expect(&total, &figures, "not-limited");
}

static void a_slow_disk_shows_where_the_time_is_spent(void **state)
{
    struct stk_bench_figures figures = {.machine = 0.3, .sessions = 0.1};
    struct stk_bench_load total = served(1000);
    (void)state;

    stk_histogram_add(&figures.token, 40, 1000);
    stk_histogram_add(&figures.audit, 4000, 1000);
    expect(&total, &figures, "audit-bound");
}

static void refusals_come_before_what_is_used_up(void **state)
{
    const struct stk_bench_figures figures = {.machine = 0.98, .sessions = 0.97};
    struct stk_bench_load total = served(1000);
    (void)state;

    total.statuses[STIRKEEP_DEADLINE] = 5; /* by chance */
    expect(&total, &figures, "cpu-bound");
    total.statuses[STIRKEEP_DEADLINE] = 50;
    expect(&total, &figures, "overload");
    total.statuses[STIRKEEP_RATE_LIMITED] = 50;
    expect(&total, &figures, "policy-limited");
    total = served(0);
    total.statuses[STIRKEEP_NOT_PERMITTED] = 3;
    expect(&total, &figures, "refused");
    total = served(1000);
    total.unsent = 100;
    expect(&total, &figures, "overload");
}

static void without_figures_it_says_that_it_does_not_know(void **state)
{
    struct stk_bench_load total = served(1000);
    (void)state;

    expect(&total, NULL, "unknown");
}

static void figures_are_what_changed_between_two_looks(void **state)
{
    static struct stk_bench_moment before;
    static struct stk_bench_moment after;
    struct stk_bench_figures figures = {0};
    (void)state;

    before = (struct stk_bench_moment){.known = true,
                                       .at_us = 1000000,
                                       .front = {100, 5000000},
                                       .machine_ticks = 1000,
                                       .machine_idle = 800};
    before.keeper.room = (struct stk_room_use){2000000, 9000000};
    before.keeper.signer_count = 2;
    stk_histogram_add(&before.keeper.token, 40, 500);
    after = before;
    after.at_us += 1000000;
    after.front = (struct stk_room_use){250100, 6000000};
    after.keeper.room = (struct stk_room_use){2500000, 10000000};
    stk_histogram_add(&after.keeper.token, 50, 20000);
    after.machine_ticks += 200;
    after.machine_idle += 20;
    assert_true(stk_bench_compare(&before, &after, &figures));
    assert_int_equal(stk_histogram_count(&figures.token), 20000);
    assert_true(figures.sessions > 0.499 && figures.sessions < 0.501);
    assert_true(figures.front > 0.249 && figures.front < 0.251);
    assert_true(figures.keeper > 0.499 && figures.keeper < 0.501);
    assert_true(figures.machine > 0.899 && figures.machine < 0.901);
    after.keeper.room.up_us = 5; /* it was started anew */
    assert_false(stk_bench_compare(&before, &after, &figures));
    after = before;
    after.known = false;
    assert_false(stk_bench_compare(&before, &after, &figures));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy_sessions_on_an_idle_machine_are_the_tokens_limit),
        cmocka_unit_test(a_busy_machine_is_the_limit_even_of_a_token_in_software),
        cmocka_unit_test(nothing_used_up_is_the_clients_limit_or_at_a_rate_none),
        cmocka_unit_test(a_slow_disk_shows_where_the_time_is_spent),
        cmocka_unit_test(refusals_come_before_what_is_used_up),
        cmocka_unit_test(without_figures_it_says_that_it_does_not_know),
        cmocka_unit_test(figures_are_what_changed_between_two_looks),
    };

    return cmocka_run_group_tests_name("cli verdict", tests, NULL, NULL);
}
