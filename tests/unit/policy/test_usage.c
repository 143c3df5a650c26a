/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "policy/counters.h"
#include "policy/usage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define DAY_S 86400
#define NOON (INT64_C(20000) * DAY_S + DAY_S / 2) /* of day 20000 */

/* A desk at which uid 1000 asks, with clocks that the test holds. */
struct desk {
    struct stk_policy *policy;
    struct stk_usage *usage;
    struct stk_grants *grants;
    struct stk_claims claims;
    struct stk_question question;
    struct stk_decision decision;
    struct stk_error error;
    uint64_t mono_us;
    int64_t real_s;
};

static void take_over(struct desk *desk, struct stk_policy *policy)
{
    struct stk_who who = who_of(1000);

    assert_int_equal(stk_usage_adopt(desk->usage, policy), STIRKEEP_OK);
    free(desk->grants);
    stk_policy_free(desk->policy);
    desk->policy = policy;
    desk->grants = stk_policy_grants_for(policy, &who);
    assert_non_null(desk->grants);
}

static struct desk *desk_of(struct stk_policy *policy)
{
    struct desk *desk = calloc(1, sizeof(*desk));

    assert_non_null(desk);
    desk->usage = stk_usage_new();
    assert_non_null(desk->usage);
    desk->claims = claims_of_call();
    desk->question = (struct stk_question){.name = "Alpha", .claims = &desk->claims};
    desk->mono_us = 5 * SECOND;
    desk->real_s = NOON;
    take_over(desk, policy);
    return desk;
}

static void desk_free(struct desk *desk)
{
    free(desk->grants);
    stk_policy_free(desk->policy);
    stk_usage_free(desk->usage);
    free(desk);
}

static struct stk_policy *policy_with_rate(struct stk_rate rate)
{
    struct stk_grant grant = grant_of("kamailio");

    grant.rate = rate;
    return policy_of(&grant, 1);
}

static void limit(struct stk_policy *policy, const char *pattern, struct stk_rate rate)
{
    struct stk_certificate_limit section = {.pattern = pattern, .rate = rate};
    struct stk_error error = {0};

    assert_int_equal(stk_policy_limit(policy, &section, &error), STIRKEEP_OK);
}

/* Decide and charge; the name of the grant, or the reason. */
static const char *ask(struct desk *desk, uint32_t count)
{
    desk->decision = (struct stk_decision){0};
    desk->error = (struct stk_error){0};
    assert_int_equal(stk_policy_decide(desk->policy, desk->grants, &desk->question, &desk->decision,
                                       &desk->error),
                     STIRKEEP_OK);
    if (stk_usage_charge(desk->usage, desk->policy, desk->grants, &desk->question, count,
                         desk->mono_us, desk->real_s, &desk->decision, &desk->error) == STIRKEEP_OK)
        return desk->decision.grant->name;
    assert_int_equal(desk->error.status, STIRKEEP_RATE_LIMITED);
    return desk->error.message;
}

static void refund(struct desk *desk, uint32_t count)
{
    stk_usage_refund(desk->usage, &desk->decision, desk->question.name, count, desk->mono_us,
                     desk->real_s);
}

/* How many can be had, one by one. */
static unsigned drain(struct desk *desk)
{
    unsigned count = 0;

    while (strcmp(ask(desk, 1), "kamailio") == 0)
        count++;
    return count;
}

static void without_limits_nothing_is_counted(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){0}));
    struct stk_used used[4];
    (void)state;

    for (int i = 0; i < 1000; i++)
        assert_string_equal(ask(desk, 64), "kamailio");
    assert_int_equal(desk->decision.charged.grant, 0);
    assert_false(desk->decision.charged.certificate);
    assert_int_equal(stk_usage_changes(desk->usage, used, 4), 0);
    refund(desk, 64);
    desk_free(desk);
    stk_usage_free(NULL);
}

static void a_rate_is_what_is_had_in_a_second(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.rate = 500}));
    unsigned had = 0;
    (void)state;

    assert_int_equal(drain(desk), 500);
    assert_string_equal(desk->error.message, "grant kamailio: rate: 500 a second are used up");
    /* In ten seconds with a request every millisecond: 5000, to one. */
    for (int i = 0; i < 10000; i++) {
        desk->mono_us += 1000;
        had += strcmp(ask(desk, 1), "kamailio") == 0;
    }
    assert_in_range(had, 4999, 5000);
    desk->mono_us += 3600 * SECOND; /* no more than the burst is kept */
    assert_int_equal(drain(desk), 500);
    desk->mono_us += UINT64_MAX / 2;
    assert_int_equal(drain(desk), 500);
    desk_free(desk);
}

static void a_burst_is_had_at_once_and_the_rate_after_it(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.rate = 10, .burst = 40}));
    (void)state;

    assert_string_equal(ask(desk, 40), "kamailio");
    assert_string_equal(ask(desk, 1), "grant kamailio: rate: 10 a second are used up");
    desk->mono_us += SECOND;
    assert_int_equal(drain(desk), 10);
    desk->mono_us += 99999; /* a token takes 100 ms */
    assert_int_equal(drain(desk), 0);
    desk->mono_us += 1;
    assert_int_equal(drain(desk), 1);
    desk->mono_us += 2 * SECOND;
    assert_string_equal(ask(desk, 21), "grant kamailio: rate: 10 a second are used up");
    assert_string_equal(ask(desk, 20), "kamailio");
    desk_free(desk);
}

static void a_burst_may_be_smaller_than_the_rate(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.rate = 1000, .burst = 5}));
    (void)state;

    assert_string_equal(ask(desk, 64),
                        "grant kamailio: rate: 64 at once are more than its burst of 5");
    assert_int_equal(drain(desk), 5);
    assert_string_equal(ask(desk, 1),
                        "grant kamailio: rate: 5 at once are used up (1000 a second)");
    desk->mono_us += 2000;
    assert_int_equal(drain(desk), 2);
    desk_free(desk);
}

static void the_largest_rate_does_not_overflow(void **state)
{
    struct stk_rate most = {.rate = UINT32_MAX, .burst = UINT32_MAX, .quota = UINT64_MAX};
    struct desk *desk = desk_of(policy_with_rate(most));
    (void)state;

    assert_string_equal(ask(desk, UINT32_MAX), "kamailio");
    assert_string_equal(ask(desk, 1), "grant kamailio: rate: 4294967295 a second are used up");
    desk->mono_us += 1;
    assert_string_equal(ask(desk, 4294), "kamailio");
    desk->mono_us = UINT64_MAX;
    assert_string_equal(ask(desk, UINT32_MAX), "kamailio");
    desk_free(desk);
}

static void a_monotonic_clock_that_jumps_back_gives_nothing(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.rate = 10}));
    (void)state;

    assert_int_equal(drain(desk), 10);
    for (int i = 0; i < 100; i++) {
        desk->mono_us -= 10000;
        assert_int_equal(drain(desk), 0);
    }
    desk->mono_us += 2 * SECOND;
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void a_quota_is_for_a_day_of_utc(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 100}));
    (void)state;

    assert_string_equal(ask(desk, 64), "kamailio");
    assert_string_equal(ask(desk, 64),
                        "grant kamailio: quota: of 100 a day 36 are left, 64 are asked for");
    assert_int_equal(drain(desk), 36);
    assert_string_equal(desk->error.message, "grant kamailio: quota: 100 a day are used up");
    desk->real_s = INT64_C(20001) * DAY_S - 1;
    desk->mono_us += 12 * 3600 * SECOND;
    assert_int_equal(drain(desk), 0);
    desk->real_s++;
    assert_int_equal(drain(desk), 100);
    desk->real_s += 3 * DAY_S; /* days without anybody do not add up */
    assert_int_equal(drain(desk), 100);
    desk_free(desk);
}

static void a_clock_set_back_hands_out_no_second_quota(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    desk->real_s = INT64_C(20001) * DAY_S + 5;
    assert_int_equal(drain(desk), 10);
    /* Over midnight and again, as often as somebody likes. */
    for (int i = 0; i < 20; i++) {
        desk->real_s = INT64_C(20001) * DAY_S - 5;
        assert_int_equal(drain(desk), 0);
        desk->real_s = INT64_C(20001) * DAY_S + 5;
        assert_int_equal(drain(desk), 0);
    }
    desk->real_s = NOON;
    assert_int_equal(drain(desk), 0);
    desk->real_s = NOON - 30 * DAY_S; /* a month */
    assert_int_equal(drain(desk), 0);
    desk_free(desk);
}

static void a_clock_that_was_ahead_locks_nobody_out(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    desk->real_s = NOON + INT64_C(5000) * DAY_S;
    assert_int_equal(drain(desk), 10);
    desk->real_s = NOON; /* it was wrong; what was used then counts for today */
    assert_int_equal(drain(desk), 0);
    desk->real_s = NOON + DAY_S;
    assert_int_equal(drain(desk), 10);
    desk->real_s = NOON + 2 * DAY_S;
    assert_int_equal(drain(desk), 10);
    desk->real_s = NOON + DAY_S; /* ahead by a day alone */
    assert_int_equal(drain(desk), 0);
    desk->real_s = NOON + 2 * DAY_S;
    assert_int_equal(drain(desk), 0);
    desk->real_s = NOON + 3 * DAY_S;
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void a_clock_that_jumps_days_and_back_hands_out_no_second_quota(void **state)
{
    static const int64_t jumps[] = {2, 3, 400, -2, -3, -400};
    struct desk *desk = NULL;
    (void)state;

    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
        assert_int_equal(drain(desk), 10);
        for (int again = 0; again < 5; again++) {
            desk->real_s = NOON + jumps[i] * DAY_S;
            assert_int_equal(drain(desk), again == 0 && jumps[i] > 0 ? 10 : 0);
            desk->real_s = NOON;
            assert_int_equal(drain(desk), 0);
            if (jumps[i] > 0)
                break; /* that day, when it comes, is one of its own */
        }
        desk->real_s = NOON + DAY_S;
        assert_int_equal(drain(desk), 10);
        desk_free(desk);
    }
    /* Ahead, further ahead, and back; what was had is counted once. */
    desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    assert_string_equal(ask(desk, 5), "kamailio");
    desk->real_s = NOON + 2 * DAY_S;
    assert_string_equal(ask(desk, 2), "kamailio");
    desk->real_s = NOON + 5 * DAY_S;
    assert_string_equal(ask(desk, 1), "kamailio");
    desk->real_s = NOON;
    assert_int_equal(drain(desk), 2);
    desk->real_s = NOON + 2 * DAY_S;
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void days_before_1970_are_days_too(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    assert_int_equal(stk_day_of(-1), -1);
    assert_int_equal(stk_day_of(-DAY_S), -1);
    assert_int_equal(stk_day_of(-DAY_S - 1), -2);
    assert_int_equal(stk_day_of(0), 0);
    desk->real_s = -5;
    assert_int_equal(drain(desk), 10);
    desk->real_s = 5;
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

/* ---- certificates */

static void each_certificate_has_a_bucket_of_its_own(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){0});
    struct desk *desk = NULL;
    (void)state;

    limit(policy, "Alpha", (struct stk_rate){.quota = 7});
    limit(policy, "Beta-*", (struct stk_rate){.rate = 5});
    limit(policy, "*", (struct stk_rate){.rate = 1});
    desk = desk_of(policy);
    assert_int_equal(drain(desk), 7); /* the first section that matches, not the last */
    assert_string_equal(desk->error.message, "certificate Alpha: quota: 7 a day are used up");
    desk->question.name = "Beta-1";
    assert_int_equal(drain(desk), 5);
    assert_string_equal(desk->error.message, "certificate Beta-1: rate: 5 a second are used up");
    desk->question.name = "Beta-2";
    assert_int_equal(drain(desk), 5);
    desk_free(desk);
}

static void a_section_without_a_limit_is_an_exception(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){0});
    struct desk *desk = NULL;
    (void)state;

    limit(policy, "Beta-free", (struct stk_rate){0});
    limit(policy, "Beta-*", (struct stk_rate){.quota = 2});
    desk = desk_of(policy);
    desk->question.name = "Beta-free";
    for (int i = 0; i < 100; i++)
        assert_string_equal(ask(desk, 1), "kamailio");
    desk->question.name = "Beta-fre";
    assert_int_equal(drain(desk), 2);
    desk->question.name = "Alpha"; /* which no section names */
    for (int i = 0; i < 100; i++)
        assert_string_equal(ask(desk, 1), "kamailio");
    desk_free(desk);
}

static void grant_and_certificate_are_charged_both_or_neither(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.quota = 10});
    struct desk *desk = NULL;
    struct stk_used used[4];
    (void)state;

    limit(policy, "Alpha", (struct stk_rate){.quota = 4});
    desk = desk_of(policy);
    assert_int_equal(drain(desk), 4);
    for (int i = 0; i < 50; i++) /* which the grant does not pay for */
        assert_string_equal(ask(desk, 1), "certificate Alpha: quota: 4 a day are used up");
    assert_int_equal(stk_usage_changes(desk->usage, used, 4), 2);
    assert_int_equal(used[0].count, 4);
    assert_int_equal(used[1].count, 4);
    desk->question.name = "Beta-1";
    assert_int_equal(drain(desk), 6);
    desk->question.name = "Alpha";
    desk->real_s += DAY_S;
    assert_string_equal(ask(desk, 4), "kamailio");
    desk->question.name = "Beta-1";
    assert_int_equal(drain(desk), 6);
    desk_free(desk);
}

static void what_the_grant_lacks_the_certificate_does_not_pay(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.quota = 3});
    struct desk *desk = NULL;
    struct stk_used used[4];
    size_t count = 0;
    (void)state;

    limit(policy, "*", (struct stk_rate){.quota = 100});
    desk = desk_of(policy);
    assert_int_equal(drain(desk), 3);
    for (int i = 0; i < 50; i++)
        assert_string_equal(ask(desk, 1), "grant kamailio: quota: 3 a day are used up");
    count = stk_usage_changes(desk->usage, used, 4);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(used[i].count, 3);
    desk_free(desk);
}

/* ---- several grants */

static void the_next_grant_that_allows_it_pays(void **state)
{
    struct stk_grant grants[5] = {grant_of("small"), grant_of("other"), grant_of("middle"),
                                  grant_of("large"), grant_of("never")};
    struct desk *desk = NULL;
    (void)state;

    grants[0].rate = (struct stk_rate){.quota = 2};
    grants[1].attests = 4; /* which does not allow it */
    grants[2].rate = (struct stk_rate){.rate = 3};
    grants[3].rate = (struct stk_rate){.quota = 4};
    grants[4].ppts = STK_PPT_BASE;
    desk = desk_of(policy_of(grants, 5));
    for (int i = 0; i < 2; i++)
        assert_string_equal(ask(desk, 1), "small");
    for (int i = 0; i < 3; i++)
        assert_string_equal(ask(desk, 1), "middle");
    for (int i = 0; i < 4; i++) {
        assert_string_equal(ask(desk, 1), "large");
        assert_int_equal(desk->decision.attest, 'B');
    }
    assert_string_equal(ask(desk, 1), "grant large: quota: 4 a day are used up");
    assert_string_equal(desk->decision.grant->name, "small"); /* as it was decided */
    desk->mono_us += SECOND;
    assert_string_equal(ask(desk, 3), "middle");
    desk->real_s += DAY_S;
    assert_string_equal(ask(desk, 3), "large");
    assert_string_equal(ask(desk, 2), "small");
    desk_free(desk);
}

static void a_grant_without_limits_ends_the_search(void **state)
{
    struct stk_grant grants[2] = {grant_of("small"), grant_of("free")};
    struct desk *desk = NULL;
    (void)state;

    grants[0].rate = (struct stk_rate){.quota = 1};
    desk = desk_of(policy_of(grants, 2));
    assert_string_equal(ask(desk, 1), "small");
    for (int i = 0; i < 100; i++)
        assert_string_equal(ask(desk, 64), "free");
    desk_free(desk);
}

/* ---- giving back */

static void what_is_given_back_can_be_had_again(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.rate = 10, .quota = 10});
    struct desk *desk = NULL;
    (void)state;

    limit(policy, "Alpha", (struct stk_rate){.rate = 10, .quota = 10});
    desk = desk_of(policy);
    assert_string_equal(ask(desk, 10), "kamailio");
    refund(desk, 10);
    assert_string_equal(ask(desk, 10), "kamailio");
    refund(desk, 4);
    assert_int_equal(drain(desk), 4);
    desk_free(desk);
}

static void the_quota_can_be_given_back_alone(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.rate = 10, .quota = 12});
    struct desk *desk = NULL;
    (void)state;

    limit(policy, "Alpha", (struct stk_rate){.rate = 10, .quota = 12});
    desk = desk_of(policy);
    assert_string_equal(ask(desk, 10), "kamailio");
    stk_usage_refund_quota(desk->usage, &desk->decision, desk->question.name, 8, desk->mono_us,
                           desk->real_s);
    assert_int_equal(drain(desk), 0);
    desk->mono_us += SECOND;
    assert_int_equal(drain(desk), 10);
    desk->mono_us += SECOND;
    assert_int_equal(drain(desk), 0);
    desk_free(desk);
}

static void no_more_is_given_back_than_fits(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.rate = 10, .quota = 30}));
    struct stk_decision charged = {0};
    (void)state;

    assert_string_equal(ask(desk, 10), "kamailio");
    charged = desk->decision;
    desk->mono_us += 10 * SECOND;
    refund(desk, 10); /* the bucket is full again anyway */
    assert_int_equal(drain(desk), 10);
    desk->decision = charged;
    refund(desk, UINT32_MAX);
    assert_int_equal(drain(desk), 10);
    for (int i = 0; i < 2; i++) { /* of the quota nothing was left over */
        desk->mono_us += SECOND;
        assert_int_equal(drain(desk), 10);
    }
    desk->mono_us += SECOND;
    assert_string_equal(ask(desk, 1), "grant kamailio: quota: 30 a day are used up");
    desk_free(desk);
}

static void yesterdays_charge_is_not_given_back_today(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    struct stk_decision yesterday = {0};
    (void)state;

    assert_string_equal(ask(desk, 10), "kamailio");
    yesterday = desk->decision;
    desk->real_s += DAY_S;
    assert_int_equal(drain(desk), 10);
    desk->decision = yesterday;
    refund(desk, 10);
    assert_int_equal(drain(desk), 0);
    desk_free(desk);
}

static void the_grant_that_paid_gets_it_back(void **state)
{
    struct stk_grant grants[2] = {grant_of("first"), grant_of("second")};
    struct desk *desk = NULL;
    (void)state;

    grants[0].rate = (struct stk_rate){.quota = 1};
    grants[1].rate = (struct stk_rate){.quota = 5};
    desk = desk_of(policy_of(grants, 2));
    assert_string_equal(ask(desk, 5), "second");
    refund(desk, 5);
    assert_string_equal(ask(desk, 1), "first");
    assert_string_equal(ask(desk, 5), "second");
    desk_free(desk);
}

static void a_refund_needs_no_policy_any_more(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    assert_string_equal(ask(desk, 10), "kamailio");
    take_over(desk, policy_with_rate((struct stk_rate){.quota = 12})); /* frees the first one */
    refund(desk, 10);
    assert_int_equal(drain(desk), 12);
    desk_free(desk);
}

static void who_has_the_place_of_a_grant_that_is_gone_gets_nothing_back(void **state)
{
    struct stk_grant grants[2] = {grant_of("gone"), grant_of("next")};
    struct desk *desk = NULL;
    struct stk_decision gone = {0};
    struct stk_used used[4];
    (void)state;

    grants[0].rate = (struct stk_rate){.rate = 10};
    grants[1].rate = (struct stk_rate){.rate = 10};
    desk = desk_of(policy_of(&grants[0], 1));
    assert_string_equal(ask(desk, 10), "gone");
    gone = desk->decision;
    desk->real_s += DAY_S;
    take_over(desk, policy_with_rate((struct stk_rate){.quota = 10}));
    assert_string_equal(ask(desk, 1), "kamailio");
    assert_int_equal(stk_usage_changes(desk->usage, used, 4), 1);
    take_over(desk, policy_with_rate((struct stk_rate){.quota = 10})); /* lets the counter go */
    take_over(desk, policy_of(&grants[1], 1));                         /* and this one takes it */
    assert_string_equal(ask(desk, 10), "next");
    assert_int_equal((uint32_t)desk->decision.charged.grant, (uint32_t)gone.charged.grant);
    desk->decision = gone;
    refund(desk, 10);
    assert_string_equal(ask(desk, 1), "grant next: rate: 10 a second are used up");
    desk_free(desk);
}

/* ---- a reload */

static void what_a_name_has_used_up_stays_used_up(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.rate = 10, .quota = 15});
    struct desk *desk = NULL;
    (void)state;

    limit(policy, "Alpha", (struct stk_rate){.quota = 12});
    desk = desk_of(policy);
    assert_int_equal(drain(desk), 10);
    policy = policy_with_rate((struct stk_rate){.rate = 10, .quota = 15});
    limit(policy, "*", (struct stk_rate){.quota = 12}); /* by another section */
    take_over(desk, policy);
    assert_int_equal(drain(desk), 0);
    desk->mono_us += SECOND;
    assert_int_equal(drain(desk), 2);
    assert_string_equal(desk->error.message, "certificate Alpha: quota: 12 a day are used up");
    take_over(desk, policy_with_rate((struct stk_rate){.rate = 10, .quota = 15}));
    assert_int_equal(drain(desk), 3); /* the certificate's limit is gone */
    take_over(desk, policy_with_rate((struct stk_rate){.quota = 5})); /* less than is used */
    assert_string_equal(ask(desk, 1), "grant kamailio: quota: 5 a day are used up");
    take_over(desk, policy_with_rate((struct stk_rate){.quota = 20}));
    assert_int_equal(drain(desk), 5);
    desk_free(desk);
}

static void a_grant_that_goes_and_comes_back_gets_no_second_quota(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    struct stk_grant other = grant_of("other");
    struct stk_used used[4];
    (void)state;

    assert_int_equal(drain(desk), 10);
    for (int i = 0; i < 3; i++) {
        assert_in_range(stk_usage_changes(desk->usage, used, 4), 1, 2); /* intake knows */
        other.rate.quota = 1000;
        take_over(desk, policy_of(&other, 1));
        assert_string_equal(ask(desk, 1), "other");
        take_over(desk, policy_with_rate((struct stk_rate){.quota = 10}));
        assert_int_equal(drain(desk), 0);
    }
    take_over(desk, policy_with_rate((struct stk_rate){0})); /* and without a limit, as often */
    assert_string_equal(ask(desk, 64), "kamailio");
    take_over(desk, policy_with_rate((struct stk_rate){.quota = 10}));
    assert_int_equal(drain(desk), 0);
    desk_free(desk);
}

static void a_smaller_burst_counts_at_once(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.rate = 10, .burst = 1000}));
    (void)state;

    assert_string_equal(ask(desk, 1), "kamailio");
    take_over(desk, policy_with_rate((struct stk_rate){.rate = 10, .burst = 20}));
    assert_int_equal(drain(desk), 20);
    take_over(desk, policy_with_rate((struct stk_rate){.rate = 10, .burst = 1000}));
    assert_int_equal(drain(desk), 0); /* a larger one has to fill up first */
    desk_free(desk);
}

static void names_that_are_gone_do_not_pile_up(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){0}));
    struct stk_counters *counters = (struct stk_counters *)(void *)desk->usage; /* its first part */
    (void)state;

    for (int i = 0; i < 300; i++) {
        char name[16] = "";
        struct stk_grant grant = {0};

        (void)snprintf(name, sizeof(name), "g%d", i);
        grant = grant_of(name);
        grant.rate.quota = 10;
        take_over(desk, policy_of(&grant, 1));
        assert_string_equal(ask(desk, 1), name);
        {
            struct stk_used used[2];
            assert_int_equal(stk_usage_changes(desk->usage, used, 2), 1);
        }
        desk->real_s += DAY_S;
    }
    assert_in_range(counters->used[STK_USAGE_GRANT], 1, 3);
    desk_free(desk);
}

/* ---- what intake remembers */

static bool has(const struct stk_used *used, size_t count, enum stk_usage_kind kind,
                const char *name, int64_t day, uint64_t value)
{
    for (size_t i = 0; i < count; i++)
        if (used[i].kind == kind && strcmp(used[i].name, name) == 0)
            return used[i].day == day && used[i].count == value;
    return false;
}

static void only_counts_with_a_quota_that_changed_are_told(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.rate = 1000});
    struct desk *desk = NULL;
    struct stk_used used[8];
    (void)state;

    limit(policy, "*", (struct stk_rate){.quota = 100});
    desk = desk_of(policy);
    assert_int_equal(stk_usage_changes(desk->usage, used, 8), 0);
    assert_string_equal(ask(desk, 3), "kamailio");
    desk->question.name = "Beta-1";
    assert_string_equal(ask(desk, 5), "kamailio");
    desk->question.name = "Beta-2";
    assert_string_equal(ask(desk, 6), "kamailio");
    assert_string_equal(ask(desk, 1), "kamailio");
    refund(desk, 1);
    assert_int_equal(stk_usage_changes(desk->usage, used, 2), 2); /* as many as there is room for */
    assert_int_equal(stk_usage_changes(desk->usage, used + 2, 6), 1);
    assert_true(has(used, 3, STK_USAGE_CERTIFICATE, "Alpha", 20000, 3));
    assert_true(has(used, 3, STK_USAGE_CERTIFICATE, "Beta-1", 20000, 5));
    assert_true(has(used, 3, STK_USAGE_CERTIFICATE, "Beta-2", 20000, 6));
    assert_int_equal(stk_usage_changes(desk->usage, used, 8), 0);
    assert_string_equal(ask(desk, 2), "kamailio");
    assert_int_equal(stk_usage_changes(desk->usage, used, 8), 1);
    assert_true(has(used, 1, STK_USAGE_CERTIFICATE, "Beta-2", 20000, 8));
    desk->real_s += DAY_S;
    assert_string_equal(ask(desk, 2), "kamailio");
    assert_int_equal(stk_usage_changes(desk->usage, used, 8), 1);
    assert_true(has(used, 1, STK_USAGE_CERTIFICATE, "Beta-2", 20001, 2));
    desk_free(desk);
}

static struct stk_used used_of(enum stk_usage_kind kind, const char *name, int64_t day,
                               uint64_t count)
{
    struct stk_used used = {.kind = kind, .day = day, .count = count};

    (void)snprintf(used.name, sizeof(used.name), "%s", name);
    return used;
}

static void recall(struct desk *desk, struct stk_used used)
{
    assert_int_equal(stk_usage_recall(desk->usage, &used), STIRKEEP_OK);
}

static void what_was_used_before_a_restart_stays_used(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){.quota = 100});
    struct desk *desk = NULL;
    struct stk_used used[4];
    (void)state;

    limit(policy, "Alpha", (struct stk_rate){.quota = 50});
    desk = desk_of(policy);
    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 20000, 93));
    recall(desk, used_of(STK_USAGE_CERTIFICATE, "Alpha", 20000, 45));
    recall(desk, used_of(STK_USAGE_CERTIFICATE, "kamailio", 20000, 1000)); /* another kind */
    assert_int_equal(stk_usage_changes(desk->usage, used, 4), 0);          /* intake knows */
    assert_int_equal(drain(desk), 5);
    desk->question.name = "Beta-1";
    assert_int_equal(drain(desk), 2);
    desk_free(desk);
}

static void of_two_counts_of_a_day_the_larger_one_stands(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 20000, 4));
    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 20000, 3));
    assert_int_equal(drain(desk), 6);
    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 20000, 5)); /* an older word */
    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 19999, 0));
    assert_int_equal(drain(desk), 0);
    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 20000, UINT64_MAX));
    assert_int_equal(drain(desk), 0);
    desk->real_s += DAY_S;
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void yesterdays_counts_are_no_debt(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", 19999, 10));
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void a_recalled_day_that_is_far_off_locks_nobody_out(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    (void)state;

    recall(desk, used_of(STK_USAGE_GRANT, "kamailio", INT64_MAX, 10));
    assert_int_equal(drain(desk), 0); /* it counts for today */
    desk->real_s += DAY_S;
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void a_recall_of_nobody_does_no_harm(void **state)
{
    struct desk *desk = desk_of(policy_with_rate((struct stk_rate){.quota = 10}));
    struct stk_used used = used_of((enum stk_usage_kind)7, "kamailio", 20000, 10);
    (void)state;

    recall(desk, used);
    used = used_of(STK_USAGE_GRANT, "", 20000, 10);
    memset(used.name, 'x', sizeof(used.name)); /* without an end */
    recall(desk, used);
    assert_int_equal(drain(desk), 10);
    desk_free(desk);
}

static void counters_are_bounded(void **state)
{
    struct stk_policy *policy = policy_with_rate((struct stk_rate){0});
    struct desk *desk = NULL;
    struct stk_used used = {0};
    char name[STK_NAME_MAX + 1] = "";
    (void)state;

    limit(policy, "*", (struct stk_rate){.rate = 5, .quota = 10});
    desk = desk_of(policy);
    desk->question.name = name;
    for (int i = 0; i < STK_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "Beta-%d", i);
        assert_string_equal(ask(desk, 1), "kamailio");
        assert_int_equal(stk_usage_changes(desk->usage, &used, 1), 1);
    }
    desk->mono_us += 10 * SECOND; /* the buckets are full again, the quotas are not */
    (void)snprintf(name, sizeof(name), "Beta-x");
    assert_string_equal(ask(desk, 1),
                        "certificate Beta-x: rate: 100000 other certificates are counted today");
    used = used_of(STK_USAGE_CERTIFICATE, "Beta-y", 20000, 1);
    assert_int_equal(stk_usage_recall(desk->usage, &used), STIRKEEP_NO_MEMORY);
    (void)snprintf(name, sizeof(name), "Beta-7"); /* those that there are go on */
    assert_string_equal(ask(desk, 1), "kamailio");
    /* The next day there is room again. */
    desk->real_s += DAY_S;
    desk->mono_us += DAY_S * SECOND;
    (void)snprintf(name, sizeof(name), "Beta-x");
    assert_string_equal(ask(desk, 1), "kamailio");
    (void)snprintf(name, sizeof(name), "Beta-7");
    assert_int_equal(drain(desk), 5);
    desk_free(desk);
}

/* ---- against a plain count */

static void nobody_ever_gets_more_than_rate_and_quota(void **state)
{
    (void)state;

    for (int round = 0; round < 50; round++) {
        struct stk_rate rate = {
            .rate = (uint32_t)any(50) + 1, .burst = (uint32_t)any(100), .quota = any(5000) + 1};
        struct desk *desk = desk_of(policy_with_rate(rate));
        uint64_t burst = rate.burst > 0 ? rate.burst : rate.rate;
        uint64_t start = desk->mono_us;
        uint64_t had = 0;
        uint64_t today = 0;
        int64_t day = 20000;

        for (int i = 0; i < 2000; i++) {
            uint32_t count = (uint32_t)any(8) + 1;
            uint64_t step = any(400000);

            desk->mono_us += step;
            desk->real_s += (int64_t)any(200);
            if (desk->real_s / DAY_S != day) {
                day = desk->real_s / DAY_S;
                today = 0;
            }
            if (strcmp(ask(desk, count), "kamailio") == 0) {
                had += count;
                today += count;
                if (any(4) == 0) {
                    refund(desk, count);
                    had -= count;
                    today -= count;
                }
            }
            assert_true(today <= rate.quota);
            assert_true(had * SECOND <= burst * SECOND + (desk->mono_us - start) * rate.rate);
        }
        assert_true(had > 0 || burst < 8);
        desk_free(desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_nothing_is_counted),
        cmocka_unit_test(a_rate_is_what_is_had_in_a_second),
        cmocka_unit_test(a_burst_is_had_at_once_and_the_rate_after_it),
        cmocka_unit_test(a_burst_may_be_smaller_than_the_rate),
        cmocka_unit_test(the_largest_rate_does_not_overflow),
        cmocka_unit_test(a_monotonic_clock_that_jumps_back_gives_nothing),
        cmocka_unit_test(a_quota_is_for_a_day_of_utc),
        cmocka_unit_test(a_clock_set_back_hands_out_no_second_quota),
        cmocka_unit_test(a_clock_that_was_ahead_locks_nobody_out),
        cmocka_unit_test(a_clock_that_jumps_days_and_back_hands_out_no_second_quota),
        cmocka_unit_test(days_before_1970_are_days_too),
        cmocka_unit_test(each_certificate_has_a_bucket_of_its_own),
        cmocka_unit_test(a_section_without_a_limit_is_an_exception),
        cmocka_unit_test(grant_and_certificate_are_charged_both_or_neither),
        cmocka_unit_test(what_the_grant_lacks_the_certificate_does_not_pay),
        cmocka_unit_test(the_next_grant_that_allows_it_pays),
        cmocka_unit_test(a_grant_without_limits_ends_the_search),
        cmocka_unit_test(what_is_given_back_can_be_had_again),
        cmocka_unit_test(the_quota_can_be_given_back_alone),
        cmocka_unit_test(no_more_is_given_back_than_fits),
        cmocka_unit_test(yesterdays_charge_is_not_given_back_today),
        cmocka_unit_test(the_grant_that_paid_gets_it_back),
        cmocka_unit_test(a_refund_needs_no_policy_any_more),
        cmocka_unit_test(who_has_the_place_of_a_grant_that_is_gone_gets_nothing_back),
        cmocka_unit_test(what_a_name_has_used_up_stays_used_up),
        cmocka_unit_test(a_grant_that_goes_and_comes_back_gets_no_second_quota),
        cmocka_unit_test(a_smaller_burst_counts_at_once),
        cmocka_unit_test(names_that_are_gone_do_not_pile_up),
        cmocka_unit_test(only_counts_with_a_quota_that_changed_are_told),
        cmocka_unit_test(what_was_used_before_a_restart_stays_used),
        cmocka_unit_test(of_two_counts_of_a_day_the_larger_one_stands),
        cmocka_unit_test(yesterdays_counts_are_no_debt),
        cmocka_unit_test(a_recalled_day_that_is_far_off_locks_nobody_out),
        cmocka_unit_test(a_recall_of_nobody_does_no_harm),
        cmocka_unit_test(counters_are_bounded),
        cmocka_unit_test(nobody_ever_gets_more_than_rate_and_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
