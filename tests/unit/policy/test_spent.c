/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants that have nothing left are not asked again, and nobody gets more or less for it. */
#include "rig.h"

#include "policy/counters.h"
#include "policy/policy_impl.h"
#include "policy/spent.h"
#include "policy/usage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define DAY_S 86400
#define NOON (INT64_C(20000) * DAY_S + DAY_S / 2)

/* ---- by themselves */

static bool is_spent(const struct stk_spent *spent, size_t index)
{
    return (spent->bits[index / 64] >> index % 64 & 1) != 0;
}

static void it_ends_at_its_time_and_not_before(void **state)
{
    struct stk_spent spent = {0};
    (void)state;

    assert_true(stk_spent_init(&spent, 130));
    stk_spent_pass(&spent, 0, 7);
    stk_spent_begin(&spent, 0, 1000);
    stk_spent_begin(&spent, 64, 1001);
    stk_spent_begin(&spent, 129, 1000);
    stk_spent_begin(&spent, 5, STK_SPENT_TODAY);
    stk_spent_pass(&spent, 999, 7);
    assert_true(is_spent(&spent, 0) && is_spent(&spent, 64) && is_spent(&spent, 129));
    stk_spent_pass(&spent, 1000, 7);
    assert_false(is_spent(&spent, 0) || is_spent(&spent, 129));
    assert_true(is_spent(&spent, 64));
    stk_spent_pass(&spent, UINT64_MAX, 7);
    assert_false(is_spent(&spent, 64));
    assert_true(is_spent(&spent, 5));
    stk_spent_free(&spent);
}

static void the_same_one_may_begin_again_with_another_time(void **state)
{
    struct stk_spent spent = {0};
    (void)state;

    assert_true(stk_spent_init(&spent, 3));
    stk_spent_pass(&spent, 0, 7);
    stk_spent_begin(&spent, 2, 1000);
    stk_spent_begin(&spent, 2, 2000);
    stk_spent_pass(&spent, 1500, 7);
    assert_true(is_spent(&spent, 2));
    stk_spent_begin(&spent, 2, 1600);
    stk_spent_pass(&spent, 1600, 7);
    assert_false(is_spent(&spent, 2));
    stk_spent_end(&spent, 2);
    stk_spent_end(&spent, 1);
    assert_false(is_spent(&spent, 2) || is_spent(&spent, 1));
    stk_spent_begin(&spent, 1, 1000);
    stk_spent_end(&spent, 1);
    stk_spent_begin(&spent, 1, STK_SPENT_TODAY);
    stk_spent_pass(&spent, 5000, 7); /* the time that it had is nobody's any more */
    assert_true(is_spent(&spent, 1));
    stk_spent_free(&spent);
}

static void another_day_ends_all_be_it_later_or_earlier(void **state)
{
    struct stk_spent spent = {0};
    (void)state;

    assert_true(stk_spent_init(&spent, 4096));
    for (int64_t day = 3; day > -3; day--) {
        stk_spent_pass(&spent, 10, day);
        for (size_t i = 0; i < 4096; i++)
            assert_false(is_spent(&spent, i));
        for (size_t i = 0; i < 4096; i++)
            stk_spent_begin(&spent, i, i % 2 == 0 ? STK_SPENT_TODAY : 1000);
        stk_spent_pass(&spent, 10, day);
        assert_true(is_spent(&spent, 0) && is_spent(&spent, 4095));
    }
    stk_spent_pass(&spent, 1000, -2);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(is_spent(&spent, i), i % 2 == 0);
    stk_spent_free(&spent);
}

static void of_one_and_of_none_it_is_the_same(void **state)
{
    struct stk_spent spent = {0};
    (void)state;

    assert_true(stk_spent_init(&spent, 0));
    stk_spent_pass(&spent, UINT64_MAX, 1);
    stk_spent_free(&spent);
    assert_true(stk_spent_init(&spent, 1));
    stk_spent_pass(&spent, 0, 1);
    stk_spent_begin(&spent, 0, 5);
    stk_spent_pass(&spent, 4, 1);
    assert_true(is_spent(&spent, 0));
    stk_spent_pass(&spent, 5, 1);
    assert_false(is_spent(&spent, 0));
    stk_spent_free(&spent);
    stk_spent_free(&spent);
}

static void a_time_is_the_moment_at_which_a_look_finds_one(void **state)
{
    (void)state;

    for (int i = 0; i < 20000; i++) {
        struct stk_counter counter = {.rate = {.rate = (uint32_t)any(UINT32_MAX) + 1},
                                      .is_filled = true,
                                      .tokens = any(STK_TOKEN),
                                      .filled_us = any(UINT64_MAX / 2)};
        struct stk_counter before = {0};
        uint64_t ready_us = 0;

        if (i % 2 == 0)
            counter.rate.rate = (uint32_t)any(2000) + 1;
        before = counter;
        ready_us = stk_counter_ready_us(&counter);
        stk_counter_refill(&before, ready_us - 1);
        assert_int_equal(stk_counter_look(&before, 1), STK_TOO_FAST);
        stk_counter_refill(&counter, ready_us);
        assert_int_equal(stk_counter_look(&counter, 1), STK_ENOUGH);
    }
}

static void a_time_past_the_end_of_the_clock_is_never(void **state)
{
    struct stk_counter counter = {
        .rate = {.rate = 1}, .is_filled = true, .filled_us = UINT64_MAX - 999999};
    (void)state;

    assert_true(stk_counter_ready_us(&counter) == UINT64_MAX);
    counter.filled_us--;
    assert_true(stk_counter_ready_us(&counter) == UINT64_MAX);
    counter.filled_us--;
    assert_true(stk_counter_ready_us(&counter) == UINT64_MAX - 1);
}

/* ---- a desk beside a plain count that asks every grant each time */

enum { GRANTS = 70, CHARGED = 16 };

struct desk {
    struct stk_policy *policy;
    struct stk_usage *usage;
    struct stk_grants *held;
    struct stk_claims claims;
    struct stk_question question;
    uint64_t mono_us;
    int64_t real_s;
    /* plainly: */
    struct stk_grant grants[GRANTS];
    struct stk_counter counters[GRANTS];
    /* what was charged, and which grant it was */
    struct stk_decision charged[CHARGED];
    uint32_t counts[CHARGED];
};

static void any_rates(struct desk *desk)
{
    for (size_t i = 0; i < GRANTS; i++)
        if (any(3) != 0)
            desk->grants[i].rate =
                (struct stk_rate){.rate = (uint32_t)any(20) + 1, .burst = (uint32_t)any(12)};
}

/* What a reload may change without a difference: a bucket that is not looked at fills by the rate
 * that it has when it is. */
static void any_quotas(struct desk *desk)
{
    for (size_t i = 0; i < GRANTS; i++) {
        struct stk_rate *rate = &desk->grants[i].rate;

        rate->quota = any(3) != 0 || rate->rate == 0 ? any(40) + 1 : 0;
        desk->grants[i].attests = any(8) == 0 ? 4 : 6; /* B is not for all */
        desk->counters[i].rate = *rate;
    }
}

static void take_over(struct desk *desk)
{
    struct stk_policy *policy = policy_of(desk->grants, GRANTS);
    struct stk_who who = who_of(1000);

    assert_int_equal(stk_usage_adopt(desk->usage, policy), STIRKEEP_OK);
    free(desk->held);
    stk_policy_free(desk->policy);
    desk->policy = policy;
    desk->held = stk_policy_grants_for(policy, &who);
    assert_non_null(desk->held);
}

static struct desk *desk_new(void)
{
    struct desk *desk = calloc(1, sizeof(*desk));

    assert_non_null(desk);
    desk->usage = stk_usage_new();
    assert_non_null(desk->usage);
    desk->claims = claims_of_call();
    desk->question = (struct stk_question){.name = "Alpha", .claims = &desk->claims};
    desk->mono_us = 5 * SECOND;
    desk->real_s = NOON;
    for (size_t i = 0; i < GRANTS; i++) {
        char name[16] = "";

        (void)snprintf(name, sizeof(name), "g%zu", i);
        desk->grants[i] = grant_of(name);
        desk->counters[i].day = INT64_MIN;
        (void)snprintf(desk->counters[i].name, sizeof(desk->counters[i].name), "%s", name);
    }
    any_rates(desk);
    any_quotas(desk);
    take_over(desk);
    return desk;
}

static void desk_free(struct desk *desk)
{
    free(desk->held);
    stk_policy_free(desk->policy);
    stk_usage_free(desk->usage);
    free(desk);
}

static bool allows(const struct desk *desk, size_t index)
{
    return (desk->grants[index].attests >> (desk->claims.attest - 'A') & 1) != 0;
}

/* Which grant pays, or the reason in `error`. */
static struct stk_counter *ask_plainly(struct desk *desk, uint32_t count, struct stk_error *error)
{
    struct stk_counter *last = NULL;
    enum stk_shortage shortage = STK_ENOUGH;

    for (size_t i = 0; i < GRANTS; i++) {
        if (!allows(desk, i))
            continue;
        last = &desk->counters[i];
        stk_counter_bring_up(last, desk->mono_us, stk_day_of(desk->real_s));
        shortage = stk_counter_look(last, count);
        if (shortage != STK_ENOUGH)
            continue;
        if (last->rate.rate > 0)
            last->tokens -= (uint64_t)count * STK_TOKEN;
        last->count += count;
        return last;
    }
    assert_non_null(last);
    (void)stk_counter_refuse(last, shortage, count, error);
    return NULL;
}

static bool ask(struct desk *desk, uint32_t count)
{
    struct stk_decision decision = {0};
    struct stk_error error = {0};
    struct stk_error plain = {0};
    bool knowing = any(4) != 0; /* else it is decided without, as if nobody were spent */
    const struct stk_counter *payer = NULL;
    enum stirkeep_status status = STIRKEEP_OK;
    size_t place = any(CHARGED);

    desk->claims.attest = any(2) == 0 ? 'B' : 'C';
    payer = ask_plainly(desk, count, &plain);
    status = knowing
                 ? stk_usage_decide(desk->usage, desk->policy, desk->held, &desk->question,
                                    desk->mono_us, desk->real_s, &decision, &error)
                 : stk_policy_decide(desk->policy, desk->held, &desk->question, &decision, &error);
    assert_int_equal(status, STIRKEEP_OK);
    status = stk_usage_charge(desk->usage, desk->policy, desk->held, &desk->question, count,
                              desk->mono_us, desk->real_s, &decision, &error);
    if (payer == NULL) {
        assert_int_equal(status, STIRKEEP_RATE_LIMITED);
        assert_string_equal(error.message, plain.message);
        return false;
    }
    assert_int_equal(status, STIRKEEP_OK);
    assert_string_equal(decision.grant->name, payer->name);
    desk->charged[place] = decision;
    desk->charged[place].grant = NULL; /* its policy may go */
    desk->counts[place] = count;
    desk->charged[place].attest = (char)(payer - desk->counters); /* which, for the plain count */
    return true;
}

static void refund(struct desk *desk)
{
    size_t place = any(CHARGED);
    struct stk_decision *charged = &desk->charged[place];
    struct stk_counter *counter = &desk->counters[(unsigned char)charged->attest];
    uint32_t count = desk->counts[place];
    uint64_t most = 0;

    if (count == 0 || charged->charged.grant == 0)
        return;
    stk_usage_refund(desk->usage, charged, "Alpha", count, desk->mono_us, desk->real_s);
    stk_counter_bring_up(counter, desk->mono_us, stk_day_of(desk->real_s));
    most = stk_counter_capacity(&counter->rate);
    if (counter->is_filled) {
        counter->tokens += (uint64_t)count * STK_TOKEN;
        counter->tokens = counter->tokens > most ? most : counter->tokens;
    }
    if (counter->day == charged->charged.grant_day)
        counter->count -= counter->count < count ? counter->count : count;
    desk->counts[place] = 0;
}

static void recall(struct desk *desk)
{
    struct stk_counter *counter = &desk->counters[any(GRANTS)];
    struct stk_used used = {.kind = STK_USAGE_GRANT,
                            .day = stk_day_of(desk->real_s) + (int64_t)any(3) - 1,
                            .count = any(40)};

    (void)snprintf(used.name, sizeof(used.name), "%s", counter->name);
    assert_int_equal(stk_usage_recall(desk->usage, &used), STIRKEEP_OK);
    if (counter->day < used.day || (counter->day == used.day && counter->count < used.count)) {
        counter->day = used.day;
        counter->count = used.count;
    }
}

/* The monotonic clock does not go back: a bucket that nobody looks at would not see it, be its grant
 * spent or not asked for. */
static void step_clocks(struct desk *desk)
{
    switch (any(400)) {
    case 0:
        desk->mono_us += 20 * SECOND;
        break;
    case 1:
        desk->real_s += any(2) == 0 ? DAY_S : -DAY_S;
        break;
    case 2:
        desk->real_s += any(2) == 0 ? 40 * DAY_S : -40 * DAY_S; /* wrong, or right again */
        break;
    default:
        desk->mono_us += any(4000);
        break;
    }
}

/* ---- and by hand */

static const char *decided(struct desk *desk, uint32_t count)
{
    static struct stk_error error;
    struct stk_decision decision = {0};

    error = (struct stk_error){0};
    assert_int_equal(stk_usage_decide(desk->usage, desk->policy, desk->held, &desk->question,
                                      desk->mono_us, desk->real_s, &decision, &error),
                     STIRKEEP_OK);
    if (stk_usage_charge(desk->usage, desk->policy, desk->held, &desk->question, count,
                         desk->mono_us, desk->real_s, &decision, &error) != STIRKEEP_OK)
        return error.message;
    desk->charged[0] = decision;
    return decision.grant->name;
}

/* g0 and g1 with these rates; the others allow nothing that is asked. */
static struct desk *desk_of_two(struct stk_rate first, struct stk_rate second)
{
    struct desk *desk = desk_new();

    for (size_t i = 0; i < GRANTS; i++)
        desk->grants[i].attests = 1;
    desk->grants[0].attests = 2;
    desk->grants[1].attests = 2;
    desk->grants[0].rate = first;
    desk->grants[1].rate = second;
    desk->claims.attest = 'B';
    take_over(desk);
    return desk;
}

static void a_bucket_is_asked_again_when_it_has_one(void **state)
{
    struct desk *desk =
        desk_of_two((struct stk_rate){.rate = 10, .burst = 1}, (struct stk_rate){.quota = 1000});
    (void)state;

    assert_string_equal(decided(desk, 1), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk->mono_us += 99999;
    assert_string_equal(decided(desk, 1), "g1");
    desk->mono_us += 1;
    assert_string_equal(decided(desk, 1), "g0");
    desk->mono_us -= SECOND; /* gives nothing */
    assert_string_equal(decided(desk, 1), "g1");
    desk->mono_us += SECOND + 99999;
    assert_string_equal(decided(desk, 1), "g1");
    desk->mono_us += 1;
    assert_string_equal(decided(desk, 1), "g0");
    desk_free(desk);
}

static void one_that_is_given_back_can_be_had_at_once(void **state)
{
    struct desk *desk = desk_of_two((struct stk_rate){.rate = 1, .burst = 2, .quota = 2},
                                    (struct stk_rate){.quota = 1000});
    struct stk_decision charged = {0};
    (void)state;

    assert_string_equal(decided(desk, 2), "g0");
    charged = desk->charged[0];
    assert_string_equal(decided(desk, 1), "g1");
    stk_usage_refund(desk->usage, &charged, "Alpha", 1, desk->mono_us, desk->real_s);
    assert_string_equal(decided(desk, 2), "g1"); /* one is not enough for two */
    assert_string_equal(decided(desk, 1), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk_free(desk);
}

static void another_day_and_another_policy_make_quotas_new(void **state)
{
    struct desk *desk =
        desk_of_two((struct stk_rate){.quota = 2}, (struct stk_rate){.quota = 1000});
    (void)state;

    assert_string_equal(decided(desk, 2), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk->real_s -= DAY_S;
    assert_string_equal(decided(desk, 1), "g1");
    desk->real_s += 2 * DAY_S;
    assert_string_equal(decided(desk, 2), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk->grants[0].rate.quota = 3;
    take_over(desk);
    assert_string_equal(decided(desk, 1), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk->grants[0].rate = (struct stk_rate){0};
    take_over(desk);
    assert_string_equal(decided(desk, 64), "g0");
    desk_free(desk);
}

static void a_clock_that_was_far_ahead_does_not_keep_a_quota_used_up(void **state)
{
    struct desk *desk =
        desk_of_two((struct stk_rate){.quota = 2}, (struct stk_rate){.quota = 1000});
    (void)state;

    desk->real_s += 5000 * (int64_t)DAY_S;
    assert_string_equal(decided(desk, 2), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk->real_s -= 5000 * (int64_t)DAY_S;
    assert_string_equal(decided(desk, 1), "g1"); /* what was used then counts for today */
    desk->real_s += DAY_S;
    assert_string_equal(decided(desk, 2), "g0");
    desk_free(desk);
}

static void what_intake_recalls_is_seen_at_once(void **state)
{
    struct desk *desk =
        desk_of_two((struct stk_rate){.quota = 2}, (struct stk_rate){.quota = 1000});
    struct stk_used used = {.kind = STK_USAGE_GRANT, .name = "g0", .day = 20001, .count = 1};
    (void)state;

    assert_string_equal(decided(desk, 2), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    assert_int_equal(stk_usage_recall(desk->usage, &used), STIRKEEP_OK); /* a later day's */
    assert_string_equal(decided(desk, 1), "g0");
    assert_string_equal(decided(desk, 1), "g1");
    desk_free(desk);
}

static void a_refusal_names_the_last_grant_though_nobody_was_asked(void **state)
{
    struct desk *desk = desk_of_two((struct stk_rate){.rate = 3}, (struct stk_rate){.quota = 2});
    (void)state;

    assert_string_equal(decided(desk, 3), "g0");
    assert_string_equal(decided(desk, 2), "g1");
    for (int i = 0; i < 3; i++)
        assert_string_equal(decided(desk, 1), "grant g1: quota: 2 a day are used up");
    desk->grants[1].rate = (struct stk_rate){.rate = 1};
    take_over(desk);
    assert_string_equal(decided(desk, 1), "g1"); /* a bucket that begins is full */
    for (int i = 0; i < 3; i++)
        assert_string_equal(decided(desk, 1), "grant g1: rate: 1 a second are used up");
    desk_free(desk);
}

/* ---- all of it, by chance */

static void who_pays_is_the_same_as_if_all_were_asked_each_time(void **state)
{
    unsigned had = 0;
    unsigned refused = 0;
    (void)state;

    for (int round = 0; round < 12; round++) {
        struct desk *desk = desk_new();

        for (int i = 0; i < 8000; i++) {
            uint32_t count = any(6) == 0 ? (uint32_t)any(8) + 1 : 1;

            if (ask(desk, count))
                had++;
            else
                refused++;
            if (any(8) == 0)
                refund(desk);
            if (any(200) == 0)
                recall(desk);
            if (any(3) == 0)
                step_clocks(desk);
            if (any(1000) == 0) {
                any_quotas(desk);
                take_over(desk);
            }
        }
        desk_free(desk);
    }
    assert_in_range(had, 1000, 95000);
    assert_in_range(refused, 1000, 95000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ends_at_its_time_and_not_before),
        cmocka_unit_test(the_same_one_may_begin_again_with_another_time),
        cmocka_unit_test(another_day_ends_all_be_it_later_or_earlier),
        cmocka_unit_test(of_one_and_of_none_it_is_the_same),
        cmocka_unit_test(a_time_is_the_moment_at_which_a_look_finds_one),
        cmocka_unit_test(a_time_past_the_end_of_the_clock_is_never),
        cmocka_unit_test(a_bucket_is_asked_again_when_it_has_one),
        cmocka_unit_test(one_that_is_given_back_can_be_had_at_once),
        cmocka_unit_test(another_day_and_another_policy_make_quotas_new),
        cmocka_unit_test(a_clock_that_was_far_ahead_does_not_keep_a_quota_used_up),
        cmocka_unit_test(what_intake_recalls_is_seen_at_once),
        cmocka_unit_test(a_refusal_names_the_last_grant_though_nobody_was_asked),
        cmocka_unit_test(who_pays_is_the_same_as_if_all_were_asked_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
