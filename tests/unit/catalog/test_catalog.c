/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <string.h>

static void what_was_imported_reads_back_whole(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    struct stk_generation read = {0};
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    size_t count = 0;

    sample_make(&sample, "Alpha", 1);
    assert_int_equal(fixture_import(fixture, "Alpha", 1), 1);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Alpha", &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_string_equal(read.name, "Alpha");
    assert_int_equal(read.generation, 1);
    assert_string_equal(read.state, "active");
    assert_string_equal(read.spc, sample.about.spc);
    assert_string_equal(read.subject, sample.about.subject);
    assert_string_equal(read.issuer, sample.about.issuer);
    assert_string_equal(read.serial, sample.about.serial);
    assert_string_equal(read.fingerprint, sample.about.fingerprint);
    assert_string_equal(read.x5u, sample.about.x5u);
    assert_int_equal(read.not_before, sample.about.not_before);
    assert_int_equal(read.not_after, sample.about.not_after);
    assert_memory_equal(&read.key_id, &sample.about.key_id, sizeof(read.key_id));
    assert_string_equal(read.origin, "imported");
    assert_string_equal(read.attributes, sample.about.attributes);
    assert_int_equal(read.created, sample.about.created);
    assert_int_equal(read.created_by, sample.about.created_by);
    assert_int_equal(
        stk_catalog_chain(fixture->catalog, "Alpha", 1, &fixture->arena, chain, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, SAMPLE_CHAIN);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(chain[i].length, sample.chain[i].length);
        assert_memory_equal(chain[i].data, sample.chain[i].data, chain[i].length);
    }
}

static void a_new_generation_is_active_and_the_one_before_is_previous(void **state)
{
    struct fixture *fixture = *state;
    struct stk_generation read[4] = {{0}};
    struct stk_certificate certificate = {0};
    struct stk_key_id second = key_of(2);
    size_t count = 0;

    assert_int_equal(fixture_import(fixture, "Alpha", 1), 1);
    assert_int_equal(fixture_import(fixture, "Alpha", 2), 2);
    assert_int_equal(fixture_import(fixture, "Alpha", 2), 3); /* renewed with the same key */
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Alpha", &fixture->arena, read, 4, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(read[i].generation, 3 - i);
        assert_string_equal(read[i].state, i == 0 ? "active" : "previous");
    }
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_int_equal(certificate.generation, 3);
    assert_true(certificate.active);
    assert_memory_equal(&certificate.key_id, &second, sizeof(second));
    assert_string_equal(certificate.x5u, "https://certs.example.com/one.pem");
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Alpha", &fixture->arena, read, 2, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 2);
    assert_int_equal(read[0].generation, 3);
}

static void a_key_belongs_to_one_name(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    struct stk_name holder = {0};
    struct stk_key_id key_id = key_of(1);
    struct stk_key_id other = key_of(9);
    uint32_t number = 77;
    uint32_t names = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    sample_make(&sample, "Beta", 1);
    assert_int_equal(
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
        STIRKEEP_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "Alpha"));
    assert_int_equal(number, 77);
    assert_int_equal(stk_catalog_count(fixture->catalog, &names, NULL), STIRKEEP_OK);
    assert_int_equal(names, 1);
    assert_int_equal(stk_catalog_holder(fixture->catalog, &key_id, &holder, NULL), STIRKEEP_OK);
    assert_string_equal(holder.text, "Alpha");
    assert_int_equal(stk_catalog_holder(fixture->catalog, &other, &holder, NULL),
                     STIRKEEP_UNKNOWN_NAME);
}

static void a_roll_back_goes_to_the_generation_before_and_no_further(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "rollback", .outcome = "ok", .name = "Alpha", .detail = ""};
    struct stk_certificate active = {0};
    struct stk_certificate earlier = {0};
    struct stk_generation generations[4] = {{0}};
    size_t count = 0;

    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, &fixture->error),
        STIRKEEP_UNKNOWN_NAME);
    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, &fixture->error),
        STIRKEEP_CONFLICT);
    (void)fixture_import(fixture, "Alpha", 2);
    (void)fixture_import(fixture, "Alpha", 3);
    assert_int_equal(stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, NULL),
                     STIRKEEP_OK);
    assert_int_equal(active.generation, 3);
    assert_int_equal(earlier.generation, 2);
    /* Somebody was quicker, or it is none to go to: nothing changes. */
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 2, 1, &act, &fixture->error),
                     STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 3, 7, &act, &fixture->error),
                     STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 3, 2, &act, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &active, NULL),
                     STIRKEEP_OK);
    assert_int_equal(active.generation, 2);
    assert_true(active.active);
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Alpha", &fixture->arena, generations, 4, &count, NULL),
        STIRKEEP_OK);
    assert_string_equal(generations[0].state, "previous");
    assert_string_equal(generations[1].state, "active");
    /* Further back goes on from there; a new import is the highest number all the same. */
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 2, 1, &act, NULL),
                     STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, &fixture->error),
        STIRKEEP_CONFLICT);
    assert_int_equal(fixture_import(fixture, "Alpha", 4), 4);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", NULL, &active.generation, NULL),
                     STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, &fixture->error),
        STIRKEEP_NOT_ACTIVE);
}

static void a_retired_name_does_not_sign_and_can_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "retire", .outcome = "ok", .name = "Alpha", .detail = ""};
    struct stk_act read = {0};
    struct stk_certificate certificate = {0};
    struct stk_generation generations[3] = {{0}};
    size_t count = 0;
    uint32_t number = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 2);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", &act, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(number, 2);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_int_equal(certificate.generation, 2);
    assert_false(certificate.active);
    number = 5;
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", &act, &number, &fixture->error),
                     STIRKEEP_NOT_ACTIVE);
    assert_int_equal(number, 5);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Beta", &act, &number, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    for (int i = 0; i < 3; i++) { /* two imports and one retirement: the refusals left none */
        assert_int_equal(stk_catalog_next_act(fixture->catalog, &fixture->arena, &read, NULL),
                         STIRKEEP_OK);
        assert_string_equal(read.act, i < 2 ? "import" : "retire");
        assert_int_equal(read.generation, i < 2 ? i + 1 : 2);
        assert_int_equal(stk_catalog_act_done(fixture->catalog, read.id, NULL), STIRKEEP_OK);
    }
    assert_int_equal(stk_catalog_next_act(fixture->catalog, &fixture->arena, &read, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(fixture_import(fixture, "Alpha", 2), 3);
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Alpha", &fixture->arena, generations, 3, &count, NULL),
        STIRKEEP_OK);
    assert_string_equal(generations[0].state, "active");
    assert_string_equal(generations[1].state, "retired");
    assert_string_equal(generations[2].state, "previous");
}

static void a_name_and_a_key_have_one_open_intent(void **state)
{
    struct fixture *fixture = *state;
    struct stk_key_id one = key_of(1);
    struct stk_key_id two = key_of(2);
    int64_t intent = 0;
    int64_t none = -5;

    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Alpha", &one, "/a", 5,
                                        &intent, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Alpha", &two, "/a", 5,
                                        &none, &fixture->error),
                     STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Beta", &one, "/a", 5,
                                        &none, &fixture->error),
                     STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "Alpha"));
    assert_int_equal(none, -5);
    assert_int_equal(stk_catalog_forget(fixture->catalog, intent, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_forget(fixture->catalog, intent, NULL), STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Beta", &one, "", 5, &none, NULL),
        STIRKEEP_OK);
    assert_true(none > intent);
}

static void open_intents_come_oldest_first_and_outlive_the_process(void **state)
{
    struct fixture *fixture = *state;
    struct stk_intent read = {.id = 3};
    int64_t intents[3] = {0};
    int64_t after = 0;

    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &read, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(read.id, 3);
    for (unsigned i = 0; i < 3; i++) {
        const char *names[] = {"c", "b", "a"};
        struct stk_key_id key_id = key_of(i);
        assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, names[i], &key_id,
                                            "/from", 5, &intents[i], NULL),
                         STIRKEEP_OK);
    }
    fixture_close(fixture);
    fixture_open(fixture);
    for (unsigned i = 0; i < 3; i++) {
        struct stk_key_id key_id = key_of(i);
        assert_int_equal(stk_catalog_open_intent(fixture->catalog, after, &read, NULL),
                         STIRKEEP_OK);
        assert_int_equal(read.id, intents[i]);
        assert_memory_equal(&read.key_id, &key_id, sizeof(key_id));
        assert_string_equal(read.source, "/from");
        after = read.id;
    }
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, after, &read, NULL),
                     STIRKEEP_UNKNOWN_NAME);
}

static void adding_ends_its_own_intent_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    struct stk_intent read = {0};
    struct stk_key_id one = key_of(1);
    uint32_t number = 0;

    sample_make(&sample, "Beta", 1);
    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Alpha", &one, "", 5,
                                        &sample.new_generation.intent, NULL),
                     STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
        STIRKEEP_INTERNAL);
    assert_int_equal(fixture_check_sound(fixture), 0);
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &read, NULL), STIRKEEP_OK);
    sample.about.name = "Alpha";
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &read, NULL),
                     STIRKEEP_UNKNOWN_NAME);
}

static void acts_leave_in_the_order_in_which_they_were_done(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "refuse", .outcome = "not-permitted", .name = "", .detail = ""};
    struct stk_act read = {0};
    struct stk_key_id none = {0};
    int64_t last = 0;

    (void)fixture_import(fixture, "Alpha", 7);
    act.peer = (struct stk_peer){.uid = UINT32_MAX - 1, .gid = 0, .pid = 1};
    act.detail = "uid 12 may not administer";
    assert_int_equal(stk_catalog_act(fixture->catalog, &act, NULL), STIRKEEP_OK);
    for (int i = 0; i < 2; i++) /* looking does not take */
        assert_int_equal(stk_catalog_next_act(fixture->catalog, &fixture->arena, &read, NULL),
                         STIRKEEP_OK);
    assert_string_equal(read.act, "import");
    assert_string_equal(read.outcome, "ok");
    assert_string_equal(read.name, "Alpha");
    assert_int_equal(read.generation, 1);
    assert_true(read.request_id == UINT64_MAX - 7);
    last = read.id;
    assert_int_equal(stk_catalog_act_done(fixture->catalog, read.id, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_act_done(fixture->catalog, read.id, NULL), STIRKEEP_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(stk_catalog_next_act(fixture->catalog, &fixture->arena, &read, NULL),
                     STIRKEEP_OK);
    assert_string_equal(read.act, "refuse");
    assert_string_equal(read.detail, "uid 12 may not administer");
    assert_int_equal(read.peer.uid, UINT32_MAX - 1);
    assert_memory_equal(&read.key_id, &none, sizeof(none));
    assert_true(read.id > last);
    last = read.id;
    assert_int_equal(stk_catalog_act_done(fixture->catalog, read.id, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_act(fixture->catalog, &act, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_next_act(fixture->catalog, &fixture->arena, &read, NULL),
                     STIRKEEP_OK);
    assert_true(read.id > last); /* although the table was empty in between */
}

static void values_past_their_limits_are_refused_and_named(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    struct stk_act act = {.act = "x", .outcome = "ok", .name = "", .detail = ""};
    struct stk_key_id key_id = key_of(1);
    static uint8_t huge[STK_CERT_DER_MAX + 1];
    static char text[4096];
    const struct {
        const char *field;
        const char **at;
        size_t length;
    } texts[] = {{"x5u", &sample.about.x5u, STK_X5U_MAX + 1},
                 {"subject", &sample.about.subject, STK_CATALOG_TEXT_MAX + 1},
                 {"fingerprint", &sample.about.fingerprint, 65},
                 {"attributes", &sample.about.attributes, STK_ATTRIBUTES_MAX},
                 {"certificate name", &sample.about.name, 65}};
    uint32_t number = 0;
    int64_t intent = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sample_make(&sample, "Alpha", 1);
        memset(text, 'a', texts[i].length);
        text[texts[i].length] = '\0';
        *texts[i].at = text;
        assert_int_equal(
            stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
            STIRKEEP_INVALID);
        assert_non_null(strstr(fixture->error.message, texts[i].field));
        *texts[i].at = NULL;
        assert_int_equal(
            stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
            STIRKEEP_INVALID);
    }
    sample_make(&sample, "Alpha", 1);
    sample.about.origin = "found";
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_INVALID);
    sample_make(&sample, "Alpha", 1);
    sample.chain[1] = (struct stk_bytes){huge, sizeof(huge)};
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_INVALID);
    sample.new_generation.chain_count = STK_CHAIN_MAX + 1;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_INVALID);
    sample.new_generation.chain_count = 0;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_INVALID);
    memset(text, 'a', STK_SOURCE_MAX);
    text[STK_SOURCE_MAX] = '\0';
    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "A", &key_id, text, 5,
                                        &intent, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "../etc", &key_id, "",
                                        5, &intent, NULL),
                     STIRKEEP_INVALID);
    memset(text, 'a', STK_ACT_DETAIL_MAX + 1);
    text[STK_ACT_DETAIL_MAX + 1] = '\0';
    act.detail = text;
    assert_int_equal(stk_catalog_act(fixture->catalog, &act, NULL), STIRKEEP_INVALID);
    assert_int_equal(fixture_check_sound(fixture), 0);
}

static void an_act_that_cannot_be_recorded_takes_the_generation_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    uint32_t number = 0;
    struct stk_act act = {.act = "retire", .outcome = NULL, .name = "Alpha", .detail = ""};
    struct stk_certificate certificate = {0};

    sample_make(&sample, "Alpha", 1);
    sample.act.detail = NULL;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(fixture_check_sound(fixture), 0);
    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", &act, &number, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_true(certificate.active);
}

static void sql_in_a_text_is_a_text(void **state)
{
    struct fixture *fixture = *state;
    const char *evil = "'); DROP TABLE name; --";
    struct sample sample = {0};
    struct stk_generation read = {0};
    uint32_t number = 0;
    size_t count = 0;

    sample_make(&sample, "Alpha", 1);
    sample.about.subject = evil;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_list(fixture->catalog, evil, &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_string_equal(read.subject, evil);
    assert_int_equal(
        stk_catalog_show(fixture->catalog, evil, &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_INVALID);
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Nobody", &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_UNKNOWN_NAME);
}

static void texts_that_do_not_fit_the_arena_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct stk_arena small = {0};
    struct stk_generation read = {0};
    size_t count = 9;

    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(stk_arena_new(&small, 64), STIRKEEP_OK);
    assert_int_equal(stk_catalog_list(fixture->catalog, "", &small, &read, 1, &count, NULL),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(count, 9);
    stk_arena_free(&small);
    assert_int_equal(
        stk_catalog_list(fixture->catalog, "", &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_OK);
}

static void a_generation_that_is_not_held_has_no_chain(void **state)
{
    struct fixture *fixture = *state;
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    size_t count = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(
        stk_catalog_chain(fixture->catalog, "Alpha", 2, &fixture->arena, chain, &count, NULL),
        STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(
        stk_catalog_chain(fixture->catalog, "alpha", 1, &fixture->arena, chain, &count, NULL),
        STIRKEEP_UNKNOWN_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(what_was_imported_reads_back_whole),
        TEST(a_new_generation_is_active_and_the_one_before_is_previous),
        TEST(a_key_belongs_to_one_name),
        TEST(a_roll_back_goes_to_the_generation_before_and_no_further),
        TEST(a_retired_name_does_not_sign_and_can_come_back),
        TEST(a_name_and_a_key_have_one_open_intent),
        TEST(open_intents_come_oldest_first_and_outlive_the_process),
        TEST(adding_ends_its_own_intent_and_no_other),
        TEST(acts_leave_in_the_order_in_which_they_were_done),
        TEST(values_past_their_limits_are_refused_and_named),
        TEST(an_act_that_cannot_be_recorded_takes_the_generation_with_it),
        TEST(sql_in_a_text_is_a_text),
        TEST(texts_that_do_not_fit_the_arena_are_told),
        TEST(a_generation_that_is_not_held_has_no_chain),
    };

    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
