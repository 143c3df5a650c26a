/* SPDX-License-Identifier: BSD-2-Clause */
#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192

static struct shelf shelf;

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

static struct stk_admin_response rebuild(struct ends *ends)
{
    return call(ends, (struct stk_admin_request){.kind = STK_ADMIN_REBUILD});
}

/* Fails the test unless it came to this. */
static void rebuilt(struct ends *ends, uint32_t names, uint32_t generations, uint32_t known,
                    size_t problems)
{
    struct stk_admin_response response = rebuild(ends);

    if (response.status != STIRKEEP_OK)
        fail_msg("%s", response.message);
    for (size_t i = 0; i < response.problem_count; i++)
        if (response.problem_count != problems)
            print_error("%s\n", response.problems[i]);
    assert_int_equal(response.names, names);
    assert_int_equal(response.affected, generations);
    assert_int_equal(response.keys, known);
    assert_int_equal(response.problem_count, problems);
}

static struct stk_admin_response show(struct ends *ends, const char *name)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_SHOW};

    assert_int_equal(stk_name_parse(name, &request.name, NULL), STIRKEEP_OK);
    return call(ends, request);
}

/* The states of a name's generations, the first one first: "previous active". */
static void assert_states(struct ends *ends, const char *name, const char *states)
{
    struct stk_admin_response shown = show(ends, name);
    char text[256] = "";

    assert_int_equal(shown.status, STIRKEEP_OK);
    for (size_t i = shown.generation_count; i > 0; i--) {
        assert_int_equal(shown.generations[i - 1].generation, shown.generation_count - i + 1);
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                       text[0] == '\0' ? "" : " ", shown.generations[i - 1].state);
    }
    assert_string_equal(text, states);
}

/* ---- */

static void an_empty_catalog_is_filled_from_the_token(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_response shown = {0};
    struct shelf_key *alpha = NULL;

    alpha = shelf_add(&shelf, "Alpha", -10, 300, "https://elsewhere.example.com/a.pem");
    shelf_add(&shelf, "Beta", -5, 300, "")->attributes = SHELF_LOCAL;
    ends_start(ends);
    rebuilt(ends, 2, 2, 0, 0);
    shown = show(ends, "Alpha");
    assert_string_equal(shown.generations[0].x5u, "https://elsewhere.example.com/a.pem");
    assert_string_equal(shown.generations[0].origin, "imported");
    assert_string_equal(shown.generations[0].attributes, SHELF_IMPORTED);
    assert_string_equal(shown.generations[0].spc, "616H");
    assert_memory_equal(&shown.generations[0].key_id, &alpha->id, sizeof(alpha->id));
    assert_int_equal(shown.chain_count, 2);
    assert_memory_equal(shown.chain[0].data, alpha->der[1].data, alpha->der[1].length);
    assert_memory_equal(shown.chain[1].data, alpha->der[0].data, alpha->der[0].length);
    shown = show(ends, "Beta");
    assert_string_equal(shown.generations[0].x5u, "https://certs.example.com/Beta.pem");
    assert_string_equal(shown.generations[0].origin, "generated");
    assert_true(ends_known(ends, "Alpha")->active);
    assert_string_equal(ends_known(ends, "Alpha")->x5u, "https://elsewhere.example.com/a.pem");
    assert_true(ends_known(ends, "Beta")->active);
    assert_int_equal(ends_acts(ends, "rebuild", "Alpha"), 1);
    assert_int_equal(ends_acts(ends, "rebuild", "Beta"), 1);
    assert_non_null(strstr(ends_last_act(ends, "rebuild")->detail, "found on the token"));
}

static void a_second_rebuild_changes_nothing(void **state)
{
    struct ends *ends = *state;

    (void)shelf_add(&shelf, "Alpha", -10, 300, "");
    (void)shelf_add(&shelf, "Alpha", -20, 300, "");
    ends_start(ends);
    rebuilt(ends, 1, 2, 0, 0);
    rebuilt(ends, 0, 0, 2, 0);
    assert_states(ends, "Alpha", "previous active");
    assert_int_equal(ends_acts(ends, "rebuild", "Alpha"), 2);
}

static void the_valid_certificate_that_began_last_is_active(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_response shown = {0};
    struct shelf_key *key = shelf_key(&shelf, "Alpha");

    shelf_certify(&shelf, key, 5, 300, "https://certs.example.com/early.pem");
    shelf_certify(&shelf, key, -30, 60, "https://certs.example.com/former.pem");
    shelf_certify(&shelf, key, -10, 90, "https://certs.example.com/now.pem");
    (void)shelf_add(&shelf, "Alpha", -400, -35, "https://certs.example.com/over.pem");
    ends_start(ends);
    rebuilt(ends, 1, 4, 0, 0);
    assert_states(ends, "Alpha", "previous previous active previous");
    shown = show(ends, "Alpha");
    assert_string_equal(shown.generations[1].x5u, "https://certs.example.com/now.pem");
    assert_string_equal(shown.generations[3].x5u, "https://certs.example.com/over.pem");
    assert_string_equal(ends_known(ends, "Alpha")->x5u, "https://certs.example.com/now.pem");
}

static void a_name_with_nothing_valid_says_so_by_its_dates(void **state)
{
    struct ends *ends = *state;

    (void)shelf_add(&shelf, "Alpha", -90, -30, "");
    (void)shelf_add(&shelf, "Alpha", -60, -10, "");
    ends_start(ends);
    rebuilt(ends, 1, 2, 0, 0);
    assert_states(ends, "Alpha", "previous active");
    assert_true(ends_known(ends, "Alpha")->active);
}

static void a_key_that_does_not_prove_itself_stays_out(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_response response = {0};

    shelf_add(&shelf, "Alpha", -10, 300, "")->proves = STIRKEEP_KEY_UNAVAILABLE;
    shelf_add(&shelf, "Beta", -10, 300, "")->signs_as = shelf.middle_key;
    shelf_add(&shelf, "Gamma", -10, 300, "")->proves = STIRKEEP_TOKEN_ERROR;
    (void)shelf_add(&shelf, "Delta", -10, 300, "");
    ends_start(ends);
    response = rebuild(ends);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.names, 1);
    assert_int_equal(response.problem_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_null(strstr(response.problems[i], "Delta"));
    assert_int_equal(show(ends, "Alpha").status, STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(show(ends, "Beta").status, STIRKEEP_UNKNOWN_NAME);
    assert_states(ends, "Delta", "active");
    /* Mended, it comes in. */
    shelf.keys[0].proves = STIRKEEP_OK;
    rebuilt(ends, 1, 1, 1, 2);
    assert_states(ends, "Alpha", "active");
}

static void a_key_without_a_certificate_waits_for_one_again(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_response shown = {0};
    struct shelf_key *key = shelf_key(&shelf, "Alpha");

    key->attributes = SHELF_LOCAL;
    ends_start(ends);
    rebuilt(ends, 1, 0, 0, 0);
    shown = show(ends, "Alpha");
    assert_int_equal(shown.status, STIRKEEP_OK);
    assert_int_equal(shown.requested_count, 1);
    assert_memory_equal(&shown.requested[0].key_id, &key->id, sizeof(key->id));
    assert_string_equal(shown.requested[0].attributes, SHELF_LOCAL);
    rebuilt(ends, 0, 0, 1, 0);
}

static void what_is_active_is_not_replaced(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    (void)shelf_add(&shelf, "Alpha", -1, 300, "https://certs.example.com/newer.pem");
    rebuilt(ends, 0, 1, 0, 0);
    assert_states(ends, "Alpha", "active previous");
    assert_string_equal(ends_known(ends, "Alpha")->x5u, "https://certs.example.com/Alpha.pem");
    material_free(&alpha);
}

static void a_retired_name_stays_retired(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request retire = {.kind = STK_ADMIN_RETIRE};
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    assert_int_equal(stk_name_parse("Alpha", &retire.name, NULL), STIRKEEP_OK);
    assert_int_equal(call(ends, retire).status, STIRKEEP_OK);
    (void)shelf_add(&shelf, "Alpha", -1, 300, "");
    response = rebuild(ends);
    assert_int_equal(response.affected, 1);
    assert_int_equal(response.problem_count, 1);
    assert_non_null(strstr(response.problems[0], "nothing is active"));
    assert_states(ends, "Alpha", "retired previous");
    assert_false(ends_known(ends, "Alpha")->active);
    material_free(&alpha);
}

static void a_key_that_is_being_imported_is_left_to_its_import(void **state)
{
    struct ends *ends = *state;
    struct stk_catalog *catalog = NULL;
    struct stk_admin_response response = {0};
    struct shelf_key *key = shelf_add(&shelf, "Alpha", -1, 300, "");
    int64_t intent = 0;

    catalog = ends_catalog(ends);
    assert_int_equal(
        stk_catalog_intend(catalog, STK_INTENT_IMPORT, "Alpha", &key->id, "file", 1, &intent, NULL),
        STIRKEEP_OK);
    stk_catalog_close(catalog);
    ends->destroy_status = STIRKEEP_TOKEN_ERROR; /* the replay cannot end it */
    ends_start(ends);
    response = rebuild(ends);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.affected, 0);
    assert_int_equal(response.problem_count, 1);
    assert_non_null(strstr(response.problems[0], "not finished"));
}

static void without_an_x5u_it_is_a_problem_until_there_is_a_template(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_response response = {0};

    (void)shelf_add(&shelf, "Alpha", -10, 300, "");
    (void)shelf_add(&shelf, "Beta", -10, 300, "https://certs.example.com/b.pem");
    ends->no_template = true;
    ends_start(ends);
    response = rebuild(ends);
    assert_int_equal(response.affected, 1);
    assert_int_equal(response.problem_count, 1);
    assert_non_null(strstr(response.problems[0], "x5u-template"));
    assert_int_equal(ends_drain(ends), 0);
    ends->no_template = false;
    ends_start(ends);
    rebuilt(ends, 1, 1, 1, 0);
    assert_states(ends, "Alpha", "active");
}

static void others_are_served_meanwhile_and_a_second_one_is_busy(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_request request = {.kind = STK_ADMIN_REBUILD};
    struct stk_admin_response response = {0};

    for (size_t i = 0; i < 4; i++)
        (void)shelf_add(&shelf, "Alpha", -10 + (int)i, 300, "");
    ends_start(ends);
    shelf.stop_after = 3;
    client = client_new(&ends->born);
    ask(ends, &client, &request);
    while (!ends->keeper_silent)
        (void)ends_work(ends, -1, 10);
    response = rebuild(ends);
    assert_int_equal(response.status, STIRKEEP_BUSY);
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_LIST, .after = ""});
    assert_int_equal(response.status, STIRKEEP_OK);
    ends->keeper_silent = false;
    response = hear(ends, &client);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.affected, 4);
    client_free(&client);
    rebuilt(ends, 0, 0, 4, 0);
}

static void it_goes_on_with_the_keepers_successor(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_request request = {.kind = STK_ADMIN_REBUILD};
    struct stk_admin_response response = {0};

    (void)shelf_add(&shelf, "Alpha", -10, 300, "");
    (void)shelf_add(&shelf, "Beta", -10, 300, "");
    ends_start(ends);
    shelf.stop_after = 2;
    client = client_new(&ends->born);
    ask(ends, &client, &request);
    while (!ends->keeper_silent)
        (void)ends_work(ends, -1, 10);
    born_tell(&ends->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    born_tell(&ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    ends->keeper_silent = false;
    response = hear(ends, &client);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.affected, 2);
    client_free(&client);
}

/* Everything about all names, as one text. */
static void describe(struct ends *ends, char text[TEXT_MAX])
{
    static const char *const names[] = {"Alpha", "Beta", "Gamma"};
    size_t length = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stk_admin_response shown = show(ends, names[i]);

        for (size_t k = 0; k < shown.generation_count; k++)
            length +=
                (size_t)snprintf(text + length, TEXT_MAX - length, "%s %u %s %s %s\n", names[i],
                                 shown.generations[k].generation, shown.generations[k].state,
                                 shown.generations[k].fingerprint, shown.generations[k].x5u);
        for (size_t k = 0; k < shown.requested_count; k++)
            length +=
                (size_t)snprintf(text + length, TEXT_MAX - length, "%s requested\n", names[i]);
    }
    assert_true(length < TEXT_MAX);
}

static void killed_after_any_order_and_repeated_it_ends_the_same(void **state)
{
    struct ends *ends = *state;
    char whole[TEXT_MAX] = "";
    char again[TEXT_MAX] = "";
    struct shelf_key *renewed = shelf_key(&shelf, "Alpha");
    unsigned orders = 0;

    shelf_certify(&shelf, renewed, -30, 60, "https://certs.example.com/1.pem");
    shelf_certify(&shelf, renewed, -10, 90, "https://certs.example.com/2.pem");
    shelf_certify(&shelf, renewed, 10, 300, "https://certs.example.com/3.pem");
    (void)shelf_add(&shelf, "Alpha", -60, 30, "");
    (void)shelf_add(&shelf, "Beta", -10, 300, "");
    (void)shelf_key(&shelf, "Gamma");
    ends_start(ends);
    rebuilt(ends, 3, 5, 0, 0);
    describe(ends, whole);
    orders = shelf.answered;
    assert_true(orders >= 14); /* keys and their end, proofs, generations */
    for (unsigned stop = 1; stop <= orders; stop++) {
        struct stk_admin_request request = {.kind = STK_ADMIN_REBUILD};
        struct client client = {0};
        char path[128] = "";

        born_kill(&ends->born);
        for (size_t i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof(path), "%s/catalog.db%s", ends->born.directory,
                           i == 0   ? ""
                           : i == 1 ? "-wal"
                                    : "-shm");
            (void)remove(path);
        }
        ends->keeper_silent = false;
        ends_start(ends);
        shelf.answered = 0;
        shelf.stop_after = stop;
        client = client_new(&ends->born);
        ask(ends, &client, &request);
        while (!ends->keeper_silent)
            (void)ends_work(ends, -1, 10);
        (void)ends_work(ends, -1, 20); /* what it does with that answer */
        born_kill(&ends->born);
        client_free(&client);
        ends->keeper_silent = false;
        shelf.stop_after = 0;
        ends_start(ends);
        assert_int_equal(rebuild(ends).status, STIRKEEP_OK);
        describe(ends, again);
        assert_string_equal(again, whole);
    }
}

static void an_ending_service_stops_it_with_a_word(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_request request = {.kind = STK_ADMIN_REBUILD};
    struct stk_admin_response response = {0};

    (void)shelf_add(&shelf, "Alpha", -10, 300, "");
    (void)shelf_add(&shelf, "Beta", -10, 300, "");
    ends_start(ends);
    shelf.stop_after = 1;
    client = client_new(&ends->born);
    ask(ends, &client, &request);
    while (!ends->keeper_silent)
        (void)ends_work(ends, -1, 10);
    born_tell(&ends->born, STK_CONTROL_DRAIN, STK_ROOM_INTAKE);
    ends->keeper_silent = false;
    response = hear(ends, &client);
    assert_int_equal(response.status, STIRKEEP_UNAVAILABLE);
    assert_non_null(strstr(response.message, "ending"));
    client_free(&client);
    assert_int_equal(born_wait(&ends->born), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_catalog_is_filled_from_the_token, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_second_rebuild_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_valid_certificate_that_began_last_is_active, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_with_nothing_valid_says_so_by_its_dates, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_does_not_prove_itself_stays_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_without_a_certificate_waits_for_one_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_active_is_not_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_retired_name_stays_retired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_is_being_imported_is_left_to_its_import, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_an_x5u_it_is_a_problem_until_there_is_a_template,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_are_served_meanwhile_and_a_second_one_is_busy,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_on_with_the_keepers_successor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_after_any_order_and_repeated_it_ends_the_same,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ending_service_stops_it_with_a_word, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
