/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int set_up(void **state)
{
    if (run_set_up(state) != 0)
        return -1;
    run_start(*state, &(struct run_options){0});
    return 0;
}

static struct stk_custody_answer examine(struct run *run)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_EXAMINE};

    return run_custody(run, &order);
}

static const char *fact(const struct stk_custody_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->fact_count; i++)
        if (strcmp(answer->facts[i].name, name) == 0)
            return answer->facts[i].value;
    fail_msg("no fact \"%s\"", name);
    return "";
}

static struct stk_custody_answer held_after(struct run *run, const struct stk_key_id *after)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_INVENTORY, .key_id = *after};
    struct stk_custody_answer answer = run_custody(run, &order);

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(answer.has_inventory);
    return answer;
}

static void a_token_and_the_trail_are_told_without_a_trouble(void **state)
{
    struct test_key key = run_new_key(*state, "Alpha");
    struct stk_custody_answer answer = examine(*state);

    if (answer.status != STIRKEEP_OK)
        fail_msg("%s", answer.message);
    assert_true(answer.has_examined);
    for (size_t i = 0; i < answer.trouble_count; i++)
        print_error("%s\n", answer.troubles[i].what);
    assert_int_equal(answer.trouble_count, 0);
    assert_non_null(strstr(fact(&answer, "module"), "softhsm"));
    assert_string_equal(fact(&answer, "signers"), "2");
    assert_non_null(strstr(fact(&answer, "audit trail"), "audit.jsonl, record "));
    assert_non_null(strstr(fact(&answer, "keys"), "1 of ours"));
    assert_true(strtoul(fact(&answer, "signatures"), NULL, 10) > 0);
    test_key_free(&key);
}

static void signing_goes_on_while_the_token_is_examined(void **state)
{
    struct run *run = *state;
    struct test_key key = run_new_key(run, "Beta");
    struct stk_order sign = run_order(run, &key);
    struct stk_custody_order order = {.kind = STK_CUSTODY_EXAMINE};
    struct stk_answer *answers = NULL;
    size_t count = 0;

    run_send_custody(run, &order);
    for (int i = 0; i < 20; i++) {
        sign.id++;
        run_send(run, &sign, 1, NULL, 0);
        answers = run_answers(run, &count);
        assert_int_equal(count, 1);
        assert_int_equal(answers[0].status, STIRKEEP_OK);
        assert_true(test_key_verifies(&key, &answers[0]));
    }
    assert_int_equal(run_custody_answer(run, &order).status, STIRKEEP_OK);
    test_key_free(&key);
}

static void keys_are_told_one_by_one_to_their_end(void **state)
{
    static const struct stk_key_id none;
    struct run *run = *state;
    struct test_key key[2] = {run_new_key(run, "Gamma"), run_new_key(run, "Delta")};
    struct stk_key_id after = none;
    bool seen[2] = {false, false};

    for (;;) {
        struct stk_custody_answer answer = held_after(run, &after);

        if (memcmp(&answer.key_id, &none, sizeof(none)) == 0)
            break;
        assert_true(memcmp(&answer.key_id, &after, sizeof(after)) > 0);
        after = answer.key_id;
        for (size_t i = 0; i < 2; i++) {
            if (memcmp(&answer.key_id, &key[i].id, sizeof(after)) != 0)
                continue;
            seen[i] = true;
            assert_int_equal(answer.certificate_count, 1);
            assert_int_equal(answer.certificates[0].length, key[i].certificate.length);
            assert_memory_equal(answer.certificates[0].data, key[i].certificate.data,
                                key[i].certificate.length);
            assert_non_null(strstr(answer.attributes, "EXTRACTABLE=0"));
        }
    }
    assert_true(seen[0] && seen[1]);
    test_key_free(&key[0]);
    test_key_free(&key[1]);
}

static void a_successor_goes_on_where_the_keeper_has_stopped(void **state)
{
    static const struct stk_key_id none;
    struct run *run = *state;
    struct test_key key[3] = {run_new_key(run, "One"), run_new_key(run, "Two"),
                              run_new_key(run, "Three")};
    struct stk_key_id first = held_after(run, &none).key_id;
    struct stk_key_id second = held_after(run, &first).key_id;

    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){0});
    first = held_after(run, &first).key_id;
    assert_memory_equal(&first, &second, sizeof(second));
    for (size_t i = 0; i < 3; i++)
        test_key_free(&key[i]);
}

static void a_trail_that_cannot_be_written_is_an_error(void **state)
{
    struct run *run = *state;
    struct stk_custody_answer answer = {0};
    bool told = false;

    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){.audit_file = "missing/audit.jsonl"});
    answer = examine(run);
    assert_int_equal(answer.status, STIRKEEP_OK);
    for (size_t i = 0; i < answer.trouble_count; i++)
        told = told || (strcmp(answer.troubles[i].severity, "error") == 0 &&
                        strstr(answer.troubles[i].what, "nothing is signed") != NULL);
    assert_true(told);
    assert_int_equal(mkdir(run_path(run, "missing"), 0700), 0);
    answer = examine(run);
    for (size_t i = 0; i < answer.trouble_count; i++)
        assert_null(strstr(answer.troubles[i].what, "nothing is signed"));
    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){0});
}

static void without_the_token_it_says_that_the_token_is_locked(void **state)
{
    struct run *run = *state;
    struct stk_custody_order order = {.kind = STK_CUSTODY_INVENTORY};

    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){.pin = ""});
    assert_int_equal(examine(run).status, STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(run_custody(run, &order).status, STIRKEEP_TOKEN_LOCKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_and_the_trail_are_told_without_a_trouble),
        cmocka_unit_test(signing_goes_on_while_the_token_is_examined),
        cmocka_unit_test(keys_are_told_one_by_one_to_their_end),
        cmocka_unit_test(a_successor_goes_on_where_the_keeper_has_stopped),
        cmocka_unit_test(a_trail_that_cannot_be_written_is_an_error),
        cmocka_unit_test(without_the_token_it_says_that_the_token_is_locked),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
