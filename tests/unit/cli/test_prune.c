/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/prune_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after those that it wants */
#include <cmocka.h>

#define US 1000000
#define YEAR_S ((int64_t)365 * 24 * 60 * 60)
#define NOW_S ((int64_t)1795000000) /* 2026-11-18T11:06:40Z */
#define KEY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER_KEY "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define FILES 4

static struct stk_bytes text(const char *what)
{
    return (struct stk_bytes){(const uint8_t *)what, strlen(what)};
}

static void note(struct stk_prune_plan *plan, const char *act, const char *outcome, const char *key,
                 int64_t at_s, uint32_t file)
{
    const struct stk_fields fields = {.act = text(act),
                                      .outcome = text(outcome),
                                      .key_id = text(key),
                                      .name = text("Alpha"),
                                      .real_us = at_s * US};

    assert_int_equal(stk_prune_keys_note(&plan->keys, &fields, file, NULL), STIRKEEP_OK);
}

/* Three rotated files of ten records each, all old, and the current one. */
static void make(struct stk_prune_plan *plan)
{
    static const char *const paths[FILES] = {"/x/a.jsonl.000000000010",
                                             "/x/a.jsonl.000000000020.zst",
                                             "/x/a.jsonl.000000000030", "/x/a.jsonl"};

    *plan = (struct stk_prune_plan){.age.years = 2, .now_s = NOW_S, .count = FILES};
    stk_prune_keys_init(&plan->keys);
    plan->files = calloc(FILES, sizeof(*plan->files));
    assert_non_null(plan->files);
    for (size_t i = 0; i < FILES; i++)
        plan->files[i] = (struct stk_prune_file){.path = paths[i],
                                                 .first = 10 * i + 1,
                                                 .last = 10 * i + 10,
                                                 .continues = i > 0,
                                                 .last_us = (NOW_S - 5 * YEAR_S) * US};
}

static size_t going(struct stk_prune_plan *plan)
{
    size_t count = 0;

    assert_int_equal(stk_prune_decide(plan, NULL), STIRKEEP_OK);
    while (count < plan->count && plan->files[count].goes)
        count++;
    for (size_t i = count; i < plan->count; i++)
        assert_false(plan->files[i].goes);
    stk_prune_plan_free(plan);
    return count;
}

static void a_key_that_was_destroyed_long_ago_holds_nothing(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    note(&plan, "import", "ok", KEY, NOW_S - 6 * YEAR_S, 0);
    note(&plan, "sign", "ok", KEY, NOW_S - 6 * YEAR_S, 1);
    note(&plan, "destroy", "begun", KEY, NOW_S - 3 * YEAR_S, 1);
    note(&plan, "destroy", "ok", KEY, NOW_S - 3 * YEAR_S, 2);
    assert_int_equal(going(&plan), 3);
}

static void a_key_holds_from_its_first_file_on(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    note(&plan, "sign", "ok", KEY, NOW_S - 6 * YEAR_S, 1);
    assert_int_equal(going(&plan), 1);
    make(&plan);
    note(&plan, "sign", "ok", KEY, NOW_S - 6 * YEAR_S, 1);
    note(&plan, "destroy", "ok", KEY, NOW_S - 2 * YEAR_S + 86400, 3);
    assert_int_equal(going(&plan), 1);
}

static void a_destruction_that_failed_or_is_not_over_ends_nothing(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    note(&plan, "sign", "ok", KEY, NOW_S - 6 * YEAR_S, 0);
    note(&plan, "destroy", "begun", KEY, NOW_S - 5 * YEAR_S, 1);
    note(&plan, "token-destroy", "token-error", KEY, NOW_S - 5 * YEAR_S, 1);
    assert_int_equal(going(&plan), 0);
}

static void a_key_that_was_only_refused_never_was_one(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    note(&plan, "import", "cert-invalid", KEY, NOW_S - 6 * YEAR_S, 0);
    assert_int_equal(going(&plan), 3);
    make(&plan);
    note(&plan, "token-import", "begun", KEY, NOW_S - 6 * YEAR_S, 0);
    assert_int_equal(going(&plan), 0);
}

static void the_audit_key_holds_nothing_and_an_expiry_is_an_end(void **state)
{
    struct stk_key_id id;
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    note(&plan, "seal", "ok", OTHER_KEY, NOW_S - 6 * YEAR_S, 0);
    note(&plan, "audit-key", "ok", OTHER_KEY, NOW_S - 6 * YEAR_S, 0);
    note(&plan, "sign", "ok", KEY, NOW_S - 6 * YEAR_S, 0);
    memset(id.bytes, 0xaa, sizeof(id.bytes));
    stk_prune_keys_expire(&plan.keys, &id, NOW_S - 3 * YEAR_S);
    assert_int_equal(going(&plan), 3);
    make(&plan);
    note(&plan, "sign", "ok", KEY, NOW_S - 6 * YEAR_S, 0);
    stk_prune_keys_expire(&plan.keys, &id, NOW_S + YEAR_S);
    stk_prune_keys_expire(&plan.keys, &id, NOW_S - 3 * YEAR_S);
    assert_int_equal(going(&plan), 0);
}

static void a_file_without_keys_goes_by_its_own_age(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    plan.files[1].last_us = (NOW_S - YEAR_S) * US;
    assert_int_equal(going(&plan), 1);
}

static void what_is_named_goes_but_never_out_of_the_middle(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    note(&plan, "sign", "ok", KEY, NOW_S, 0);
    plan.files[0].named = true;
    assert_int_equal(going(&plan), 3);
    make(&plan);
    note(&plan, "sign", "ok", KEY, NOW_S, 0);
    plan.files[1].named = true;
    assert_int_equal(stk_prune_decide(&plan, NULL), STIRKEEP_INVALID);
    stk_prune_plan_free(&plan);
}

static void names_that_are_none_of_a_rotated_file_never_go(void **state)
{
    static const char *const wrong[] = {"/x/a.jsonl",
                                        "/x/a.jsonl.00000000001",
                                        "/x/a.jsonl.000000000010.gz",
                                        "/x/a.jsonl.00000000001x",
                                        "/x/000000000010",
                                        "/x/.000000000010",
                                        "000000000010.zst",
                                        ""};
    uint64_t number = 0;
    size_t stem = 0;
    (void)state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_false(stk_prune_is_rotated(wrong[i], &number, &stem));
    assert_true(stk_prune_is_rotated("a.000000000010.zst", &number, &stem));
    assert_int_equal(number, 10);
    assert_int_equal(stem, 1);
}

static void the_chain_has_to_go_on_behind_what_goes(void **state)
{
    struct stk_prune_plan plan;
    (void)state;

    make(&plan);
    plan.files[2].continues = false;
    assert_int_equal(going(&plan), 1);
    make(&plan);
    plan.files[1].last = 19;
    assert_int_equal(going(&plan), 1);
    make(&plan);
    plan.count = 1;
    assert_int_equal(going(&plan), 0);
}

static void an_age_is_two_years_at_least(void **state)
{
    static const char *const wrong[] = {"",    "y", "1y", "730d", "-2y",   "+2y",
                                        " 2y", "2", "2m", "2yy",  "1001y", "99999999999999999999d"};
    struct stk_prune_age age = {0};
    (void)state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(stk_prune_age_read(wrong[i], &age, NULL), STIRKEEP_INVALID);
    assert_int_equal(stk_prune_age_read("2y", &age, NULL), STIRKEEP_OK);
    /* A leap day and two years: 2024-02-29 is 2026-03-01. */
    assert_int_equal(stk_prune_age_after(&age, 1709164800), 1772323200);
    assert_int_equal(stk_prune_age_read("731d", &age, NULL), STIRKEEP_OK);
    assert_int_equal(stk_prune_age_after(&age, 0), (int64_t)731 * 86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_was_destroyed_long_ago_holds_nothing),
        cmocka_unit_test(a_key_holds_from_its_first_file_on),
        cmocka_unit_test(a_destruction_that_failed_or_is_not_over_ends_nothing),
        cmocka_unit_test(a_key_that_was_only_refused_never_was_one),
        cmocka_unit_test(the_audit_key_holds_nothing_and_an_expiry_is_an_end),
        cmocka_unit_test(a_file_without_keys_goes_by_its_own_age),
        cmocka_unit_test(what_is_named_goes_but_never_out_of_the_middle),
        cmocka_unit_test(names_that_are_none_of_a_rotated_file_never_go),
        cmocka_unit_test(the_chain_has_to_go_on_behind_what_goes),
        cmocka_unit_test(an_age_is_two_years_at_least),
    };

    return cmocka_run_group_tests_name("cli prune", tests, NULL, NULL);
}
