/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "catalog/db.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was found on the token; the number it got, 0: known already. */
static enum stirkeep_status try_to_recover(struct fixture *fixture, const char *name, unsigned seed,
                                           const char *fingerprint, bool active,
                                           uint32_t *ret_number)
{
    struct sample sample = {0};

    sample_make(&sample, name, seed);
    sample.about.fingerprint = fingerprint;
    sample.about.activate_at = 5; /* found on no token */
    sample.act.act = "recover";
    return stk_catalog_recover(fixture->catalog, &sample.new_generation, active, ret_number,
                               &fixture->error);
}

static uint32_t recover(struct fixture *fixture, const char *name, unsigned seed,
                        const char *fingerprint, bool active)
{
    uint32_t number = 99;

    if (try_to_recover(fixture, name, seed, fingerprint, active, &number) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    (void)fixture_check_sound(fixture);
    return number;
}

static bool knows(struct fixture *fixture, const char *name, const char *fingerprint)
{
    bool known = false;

    assert_int_equal(stk_catalog_knows(fixture->catalog, name, fingerprint, &known, NULL),
                     STIRKEEP_OK);
    return known;
}

static void expect_states(struct fixture *fixture, const char *name, const char *const *states,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_string_equal(fixture_generation(fixture, name, i + 1).state, states[i]);
}

static void a_catalog_is_rebuilt_from_what_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate certificate = {0};
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    static const char *const states[] = {"previous", "previous", "active"};
    size_t count = 0;

    assert_int_equal(recover(fixture, "Alpha", 1, "f1", false), 1);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_false(certificate.active);
    assert_int_equal(recover(fixture, "Alpha", 2, "f2", false), 2);
    assert_int_equal(recover(fixture, "Alpha", 2, "f3", true), 3);
    expect_states(fixture, "Alpha", states, 3);
    assert_int_equal(fixture_generation(fixture, "Alpha", 2).activate_at, 0);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_int_equal(certificate.generation, 3);
    assert_true(certificate.active);
    assert_int_equal(
        stk_catalog_chain(fixture->catalog, "Alpha", 2, &fixture->arena, chain, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, SAMPLE_CHAIN);
    for (uint32_t i = 1; i <= 3; i++)
        fixture_expect_act(fixture, "recover", i);
}

static void what_is_known_is_not_taken_twice(void **state)
{
    struct fixture *fixture = *state;
    char *before = NULL;
    char *after = NULL;

    (void)recover(fixture, "Alpha", 1, "f1", true);
    before = fixture_dump(fixture);
    assert_int_equal(recover(fixture, "Alpha", 1, "f1", false), 0);
    assert_int_equal(recover(fixture, "Alpha", 1, "f1", true), 0);
    after = fixture_dump(fixture);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void what_is_found_does_not_take_the_place_of_what_the_catalog_says(void **state)
{
    struct fixture *fixture = *state;
    static const char *const active[] = {"active", "previous"};
    static const char *const retired[] = {"retired", "previous"};
    static const char *const staged[] = {"staged", "previous"};
    struct sample sample = {0};
    uint32_t number = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(recover(fixture, "Alpha", 2, "f2", true), 2);
    expect_states(fixture, "Alpha", active, 2);
    (void)fixture_import(fixture, "Beta", 3);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Beta", NULL, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(recover(fixture, "Beta", 4, "f4", true), 2);
    expect_states(fixture, "Beta", retired, 2);
    sample_make(&sample, "Gamma", 5);
    sample.about.activate_at = 100;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(recover(fixture, "Gamma", 6, "f6", true), 2);
    expect_states(fixture, "Gamma", staged, 2);
}

static void what_is_under_way_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stk_key_id one = key_of(1);
    struct stk_key_id two = key_of(2);
    struct stk_key_id free_one = key_of(9);
    int64_t intent = 0;
    uint32_t number = 77;
    bool stopped = false;

    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Alpha", &one, "", 5,
                                        &intent, NULL),
                     STIRKEEP_OK);
    assert_int_equal(try_to_recover(fixture, "Alpha", 9, "f", true, &number), STIRKEEP_BUSY);
    assert_int_equal(try_to_recover(fixture, "Beta", 1, "f", true, &number), STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_idle(fixture->catalog, "Alpha", &free_one, NULL), STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_idle(fixture->catalog, "Beta", &one, NULL), STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_idle(fixture->catalog, "Beta", &free_one, NULL), STIRKEEP_OK);
    (void)fixture_import(fixture, "Gamma", 2);
    assert_int_equal(stk_catalog_condemn(fixture->catalog, "Gamma", NULL, 5, NULL, &stopped, NULL),
                     STIRKEEP_OK);
    assert_int_equal(try_to_recover(fixture, "Gamma", 2, "f", true, &number), STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_idle(fixture->catalog, "Gamma", &free_one, NULL), STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_idle(fixture->catalog, "Delta", &two, NULL), STIRKEEP_BUSY);
    assert_int_equal(number, 77);
}

static void a_key_that_is_found_under_two_names_is_told(void **state)
{
    struct fixture *fixture = *state;
    uint32_t number = 77;

    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(try_to_recover(fixture, "Beta", 1, "f", true, &number), STIRKEEP_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "Alpha"));
    assert_int_equal(try_to_recover(fixture, "../b", 2, "f", true, &number), STIRKEEP_INVALID);
    assert_int_equal(try_to_recover(fixture, "Beta", 2, NULL, true, &number), STIRKEEP_INVALID);
    assert_int_equal(number, 77);
    assert_int_equal(fixture_check_sound(fixture), 1);
}

static void a_certificate_is_known_by_its_name_until_its_key_is_destroyed(void **state)
{
    struct fixture *fixture = *state;
    bool stopped = false;
    bool known = false;
    uint32_t generations = 0;

    (void)recover(fixture, "Alpha", 1, "f1", true);
    assert_true(knows(fixture, "Alpha", "f1"));
    assert_false(knows(fixture, "Alpha", "f2"));
    assert_false(knows(fixture, "Beta", "f1"));
    assert_int_equal(stk_catalog_knows(fixture->catalog, "a b", "f1", &known, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_knows(fixture->catalog, "Alpha", NULL, &known, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_condemn(fixture->catalog, "Alpha", NULL, 5, NULL, &stopped, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_destroyed(fixture->catalog, fixture_intent(fixture, "Alpha").id,
                                           NULL, &generations, NULL),
                     STIRKEEP_OK);
    assert_false(knows(fixture, "Alpha", "f1"));
    assert_int_equal(recover(fixture, "Alpha", 1, "f1", true), 2);
    assert_string_equal(fixture_generation(fixture, "Alpha", 1).state, "destroyed");
    assert_string_equal(fixture_generation(fixture, "Alpha", 2).state, "previous");
}

static void held_keys_are_walked_through_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    const struct stk_new_key waiting = {
        .name = "n2", .key_id = key_of(50), .attributes = "LOCAL=1"};
    struct stk_held_key keys[2] = {0};
    struct stk_key_id condemned = key_of(3);
    struct stk_key_id key_id = {0};
    static const unsigned seeds[] = {0, 1, 2, 4, 5, 50};
    int64_t after = 0;
    size_t count = 0;
    size_t seen = 0;
    bool stopped = false;
    char name[16] = "";

    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i / 2);
        (void)fixture_import(fixture, name, i);
    }
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &waiting, NULL), STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "n1", &condemned, 5, NULL, &stopped, NULL),
        STIRKEEP_OK);
    do {
        assert_int_equal(stk_catalog_held(fixture->catalog, after, keys, 2, &count, NULL),
                         STIRKEEP_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(keys[i].row > after);
            after = keys[i].row;
            key_id = key_of(seeds[seen]);
            assert_memory_equal(&keys[i].key_id, &key_id, sizeof(key_id));
            (void)snprintf(name, sizeof(name), "n%u", seeds[seen] == 50 ? 2 : seeds[seen] / 2);
            assert_string_equal(keys[i].name.text, name);
            assert_int_equal(keys[i].active, seeds[seen] == 1 || seeds[seen] == 5);
            seen++;
        }
    } while (count == 2);
    assert_int_equal(seen, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(a_catalog_is_rebuilt_from_what_is_found),
        TEST(what_is_known_is_not_taken_twice),
        TEST(what_is_found_does_not_take_the_place_of_what_the_catalog_says),
        TEST(what_is_under_way_is_left_alone),
        TEST(a_key_that_is_found_under_two_names_is_told),
        TEST(a_certificate_is_known_by_its_name_until_its_key_is_destroyed),
        TEST(held_keys_are_walked_through_page_by_page),
    };

    return cmocka_run_group_tests_name("catalog recovery", tests, NULL, NULL);
}
