/* SPDX-License-Identifier: BSD-2-Clause */
#include "shelf.h"

#include <string.h>

static struct shelf shelf;
static struct stk_admin_response response;

static int set_up(void **state)
{
    int result = ends_set_up(state);

    shelf_new(&shelf, *state);
    return result;
}

static int tear_down(void **state)
{
    shelf_free(&shelf);
    return ends_tear_down(state);
}

static void examine(struct ends *ends)
{
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_DOCTOR});
    if (response.status != STIRKEEP_OK)
        fail_msg("%s", response.message);
}

static const char *fact(const char *name)
{
    for (size_t i = 0; i < response.fact_count; i++)
        if (strcmp(response.facts[i].name, name) == 0)
            return response.facts[i].value;
    fail_msg("no fact \"%s\"", name);
    return "";
}

static size_t told(const char *part, const char *severity)
{
    size_t count = 0;

    for (size_t i = 0; i < response.trouble_count; i++)
        if (strstr(response.troubles[i].what, part) != NULL) {
            assert_string_equal(response.troubles[i].severity, severity);
            assert_true(strlen(response.troubles[i].cure) > 10);
            count++;
        }
    return count;
}

static size_t errors(void)
{
    size_t count = 0;

    for (size_t i = 0; i < response.trouble_count; i++)
        count += strcmp(response.troubles[i].severity, "error") == 0;
    return count;
}

/* A key that the catalog has, and the token too. */
static struct shelf_key *held(struct ends *ends, const char *name, int from_days, int until_days)
{
    struct shelf_key *key = shelf_add(&shelf, name, from_days, until_days, "");
    struct stk_admin_response rebuilt =
        call(ends, (struct stk_admin_request){.kind = STK_ADMIN_REBUILD});

    assert_int_equal(rebuilt.status, STIRKEEP_OK);
    return key;
}

/* ---- */

static void what_the_keeper_finds_is_told_with_what_intake_knows(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    (void)held(ends, "Alpha", -10, 300);
    examine(ends);
    assert_string_equal(fact("token"), "under test");
    assert_string_equal(fact("names"), "1");
    assert_non_null(strstr(fact("catalog"), ends->born.directory));
    assert_non_null(strstr(fact("x5u template"), "{name}"));
    assert_int_equal(told("it is slow", "warning"), 1);
    assert_int_equal(errors(), 0);
}

static void keys_that_the_catalog_does_not_know_are_errors_with_the_cure(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    for (size_t i = 0; i < 10; i++)
        (void)shelf_add(&shelf, "Alpha", -10, 300, "");
    examine(ends);
    assert_int_equal(told("not in the catalog (key id", "error"), 8);
    assert_int_equal(told("10 keys on the token are not in the catalog", "error"), 1);
    assert_non_null(strstr(response.troubles[1].cure, "--rebuild-catalog"));
    assert_int_equal(call(ends, (struct stk_admin_request){.kind = STK_ADMIN_REBUILD}).status,
                     STIRKEEP_OK);
    examine(ends);
    assert_int_equal(errors(), 0);
}

static void keys_that_are_not_on_the_token_are_told_by_their_names(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    (void)held(ends, "Alpha", -20, 300);
    (void)held(ends, "Alpha", -10, 300); /* known, and not active: the first one stays */
    (void)held(ends, "Beta", -10, 300);
    shelf.keys[0].id.bytes[0] ^= 1; /* the catalog means others now */
    shelf.keys[1].id.bytes[0] ^= 1;
    examine(ends);
    assert_int_equal(told("Alpha: its key is not on the token", "error"), 1);
    assert_int_equal(told("Alpha: a key that is held under it", "warning"), 1);
    assert_int_equal(told("Beta: ", "error"), 0);
}

static void certificates_that_are_over_or_will_be_are_told(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    (void)held(ends, "Over", -100, -1);
    (void)held(ends, "Soon", -100, 20);
    (void)held(ends, "Early", 10, 100);
    (void)held(ends, "Well", -10, 100);
    examine(ends);
    assert_int_equal(told("Over: ", "error"), 1);
    assert_int_equal(told("Soon: ", "warning"), 1);
    assert_int_equal(told("Early: ", "error"), 1);
    assert_int_equal(told("Well: ", "error"), 0);
}

static void a_token_that_cannot_be_examined_is_an_error_and_the_rest_is_told(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    shelf.examines = STIRKEEP_TOKEN_LOCKED;
    examine(ends);
    assert_int_equal(told("cannot be examined: the token is locked", "error"), 1);
    assert_string_equal(fact("names"), "0");
    assert_int_equal(ends->orders[STK_CUSTODY_INVENTORY], 0);
}

static void what_waits_to_be_undone_and_a_laboratorys_gate_are_told(void **state)
{
    struct ends *ends = *state;
    struct stk_catalog *catalog = ends_catalog(ends);
    struct stk_key_id id = {{7}};
    int64_t intent = 0;

    assert_int_equal(
        stk_catalog_intend(catalog, STK_INTENT_IMPORT, "Alpha", &id, "file", 1, &intent, NULL),
        STIRKEEP_OK);
    stk_catalog_close(catalog);
    ends->destroy_status = STIRKEEP_TOKEN_ERROR;
    ends->profile = "test";
    ends_start(ends);
    while (ends->orders[STK_CUSTODY_DESTROY] == 0)
        (void)ends_work(ends, -1, 10);
    examine(ends);
    assert_int_equal(told("waits to be undone", "warning"), 1);
    assert_int_equal(told("only a laboratory would take", "warning"), 1);
}

/* By stirkeepd's flags, whatever words a line has. */
static void who_is_open_is_a_warning_and_nobody_else(void **state)
{
    struct ends *ends = *state;
    const struct stk_control_message locked = {
        .kind = STK_CONTROL_LOCKED,
        .room = STK_ROOM_INTAKE,
        .number = 2,
        .text = "stirkeepd: may not be lacking anything\nfront: wide open\nintake: closed"};

    ends_start(ends);
    assert_true(stk_control_send_message(ends->born.control, &locked));
    examine(ends);
    assert_string_equal(fact("locked down"), "stirkeepd: may not be lacking anything");
    assert_int_equal(told("wide open", "warning"), 1);
    assert_int_equal(told("lacking", "warning") + told("intake: closed", "warning"), 0);
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});
    assert_int_equal(response.service.lock_down_count, 3);
    assert_int_equal(response.service.warning_count, 1);
    assert_string_equal(response.service.warnings[0], "front: wide open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_keeper_finds_is_told_with_what_intake_knows,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            keys_that_the_catalog_does_not_know_are_errors_with_the_cure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_that_are_not_on_the_token_are_told_by_their_names,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificates_that_are_over_or_will_be_are_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_token_that_cannot_be_examined_is_an_error_and_the_rest_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_to_be_undone_and_a_laboratorys_gate_are_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_open_is_a_warning_and_nobody_else, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
