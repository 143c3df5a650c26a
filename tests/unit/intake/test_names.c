/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "ends.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is asked about names, the service's status, and how the room ends. */

static struct stk_admin_request about(enum stk_admin_kind kind, const char *name)
{
    struct stk_admin_request request = {.kind = kind, .after = ""};

    assert_int_equal(stk_name_parse(name, &request.name, NULL), STIRKEEP_OK);
    return request;
}

static void fill(const struct ends *ends, int names)
{
    static const uint8_t der[] = "a certificate";
    const struct stk_bytes chain = {der, sizeof(der)};
    struct stk_catalog *catalog = ends_catalog(ends);
    struct stk_error error = {0};

    for (int i = 0; i < names; i++) {
        char name[16] = "";
        uint32_t number = 0;
        struct stk_generation about = {.name = name,
                                       .spc = "616H",
                                       .numbers = "",
                                       .subject = "CN=SHAKEN",
                                       .issuer = "CN=CA",
                                       .serial = "01",
                                       .fingerprint = "ab",
                                       .x5u = "https://certs.example.com/a.pem",
                                       .not_after = 4000000000,
                                       .key_id = {{(uint8_t)(i >> 8), (uint8_t)i, 1}},
                                       .origin = "imported",
                                       .attributes = ""};
        struct stk_new_generation generation = {.about = &about, .chain = &chain, .chain_count = 1};

        (void)snprintf(name, sizeof(name), "N%04d", i);
        if (stk_catalog_add(catalog, &generation, &number, &error) != STIRKEEP_OK)
            fail_msg("%s", error.message);
    }
    stk_catalog_close(catalog);
}

static void three_hundred_names_are_listed_in_pages_and_pushed_to_front(void **state)
{
    enum { NAMES = 300 };
    struct ends *ends = *state;
    char after[STK_NAME_MAX + 1] = "";
    int seen = 0;
    int pages = 0;
    bool more = true;

    fill(ends, NAMES);
    ends_start(ends);
    for (; more; pages++) {
        struct stk_admin_response page =
            call(ends, (struct stk_admin_request){.kind = STK_ADMIN_LIST, .after = after});

        assert_int_equal(page.status, STIRKEEP_OK);
        for (size_t i = 0; i < page.generation_count; i++) {
            char name[16] = "";

            (void)snprintf(name, sizeof(name), "N%04d", seen++);
            assert_string_equal(page.generations[i].name, name);
        }
        more = page.more;
        assert_true(page.generation_count > 0 || !more);
        if (page.generation_count > 0)
            (void)snprintf(after, sizeof(after), "%s",
                           page.generations[page.generation_count - 1].name);
    }
    assert_int_equal(seen, NAMES);
    assert_true(pages > 1);
    while (ends->known_count < NAMES)
        assert_true(ends_work(ends, -1, 1) || ends->pages < 100);
    assert_int_equal(ends->snapshots, 1);
    assert_true(ends->pages > 1);
}

static void a_new_front_gets_all_names(void **state)
{
    struct ends *ends = *state;

    fill(ends, 130);
    ends_start(ends);
    (void)call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});
    while (ends->known_count < 130)
        (void)ends_work(ends, -1, 10);
    ends_report(ends, NULL, 0, true);
    while (ends->snapshots < 2 || ends->known_count < 130)
        (void)ends_work(ends, -1, 10);
    assert_int_equal(ends->snapshots, 2);
}

static void a_front_that_does_not_answer_delays_an_import_by_a_second_only(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);

    ends_start(ends);
    ends->front_silent = true;
    (void)import_done(ends, &alpha, "Alpha");
    ends->front_silent = false;
    (void)call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});
    while (ends_known(ends, "Alpha") == NULL)
        (void)ends_work(ends, -1, 10);
    material_free(&alpha);
}

static void a_name_is_shown_with_its_generations_and_chain(void **state)
{
    struct ends *ends = *state;
    struct material first = material_new(NULL, SOUND);
    struct material second = material_new(NULL, SOUND);
    struct stk_admin_response shown = {0};

    ends_start(ends);
    (void)import_done(ends, &first, "Alpha");
    (void)import_done(ends, &second, "Alpha");
    shown = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_int_equal(shown.status, STIRKEEP_OK);
    assert_int_equal(shown.generation_count, 2);
    assert_int_equal(shown.generations[0].generation, 2);
    assert_string_equal(shown.generations[0].state, "active");
    assert_string_equal(shown.generations[1].state, "previous");
    assert_string_equal(shown.generations[0].spc, "616H");
    assert_string_equal(shown.generations[0].attributes, "sensitive, never extractable");
    assert_int_equal(shown.chain_count, 2);
    assert_int_equal(shown.chain[0].length, second.der[0].length);
    assert_memory_equal(shown.chain[0].data, second.der[0].data, second.der[0].length);
    assert_int_equal(call(ends, about(STK_ADMIN_SHOW, "Bravo")).status, STIRKEEP_UNKNOWN_NAME);
    material_free(&first);
    material_free(&second);
}

static void a_name_is_retired_once(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    response = call(ends, about(STK_ADMIN_RETIRE, "Alpha"));
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.generation, 1);
    assert_non_null(ends_known(ends, "Alpha"));
    assert_false(ends_known(ends, "Alpha")->active);
    assert_int_equal(ends_acts(ends, "retire", "Alpha"), 1);
    assert_int_equal(call(ends, about(STK_ADMIN_RETIRE, "Alpha")).status, STIRKEEP_NOT_ACTIVE);
    assert_int_equal(call(ends, about(STK_ADMIN_RETIRE, "Bravo")).status, STIRKEEP_UNKNOWN_NAME);
    ends_await_act(ends, "retire", "Bravo", 1);
    assert_string_equal(ends_last_act(ends, "retire")->outcome, "unknown-name");
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    /* It comes back with an import of the same certificate. */
    response = import_done(ends, &alpha, "Alpha");
    assert_true(ends_known(ends, "Alpha")->active);
    material_free(&alpha);
}

static void the_removal_of_a_source_is_recorded(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request request = about(STK_ADMIN_SOURCE_REMOVED, "Alpha");

    ends_start(ends);
    request.source = "/etc/keys/alpha.pem";
    request.how = "overwritten and unlinked";
    request.generation = 3;
    assert_int_equal(call(ends, request).status, STIRKEEP_OK);
    assert_int_equal(ends_acts(ends, "source-removed", "Alpha"), 1);
    assert_int_equal(ends_last_act(ends, "source-removed")->generation, 3);
    assert_non_null(strstr(ends_last_act(ends, "source-removed")->detail, "/etc/keys/alpha.pem"));
}

static void the_wrapping_key_is_the_keepers(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_response response = {0};

    ends_start(ends);
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_WRAPPING_KEY});
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_string_equal((const char *)response.spki.data, "a wrapping key");
    assert_string_equal(response.token_label, "stirkeep");
    ends->keeper_silent = true;
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_WRAPPING_KEY});
    assert_int_equal(response.status, STIRKEEP_UNAVAILABLE);
}

static void the_status_says_what_is_down(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};

    ends_start(ends);
    response = call(ends, status);
    assert_true(response.service.ready);
    assert_string_equal(response.service.keeper, "up");
    assert_string_equal(response.service.token_label, "stirkeep");
    assert_int_equal(response.service.names, 0);
    assert_int_equal(response.service.connections, 7); /* of now: front was asked, and waited for */
    assert_int_equal(response.service.refusals, 5);
    ends->front_silent = true;
    response = call(ends, status);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_false(response.service.ready);
    assert_string_equal(response.service.keeper, "up");
    assert_non_null(strstr(response.service.detail, "front"));
    ends->front_silent = false;
    assert_true(call(ends, status).service.ready);
    ends->keeper_silent = true;
    response = call(ends, status); /* up, but gives no answer */
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_false(response.service.ready);
    born_tell(&ends->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    response = call(ends, status);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_false(response.service.ready);
    assert_string_equal(response.service.keeper, "starting");
    assert_string_equal(response.service.front, "up");
    assert_true(strlen(response.service.detail) > 0);
}

static void draining_finishes_the_import_that_is_under_way(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request request = import_of(&alpha, "Alpha");
    struct client client = {0};

    ends_start(ends);
    ends->prover = alpha.key;
    ends->keeper_silent = true;
    client = client_new(&ends->born);
    ask(ends, &client, &request);
    assert_true(born_readable(ends->born.keeper, 10000));
    born_tell(&ends->born, STK_CONTROL_DRAIN, STK_ROOM_INTAKE);
    ends->keeper_silent = false;
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    assert_true(client_ended(&client));
    assert_int_equal(born_wait(&ends->born), 0);
    assert_false(ends_intent_open(ends));
    client_free(&client);
    material_free(&alpha);
}

static void draining_does_not_wait_for_idle_clients(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    (void)call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});
    assert_int_equal(ends_drain(ends), 0);
    assert_true(client_ended(&client));
    client_free(&client);
}

static void draining_gives_up_a_keeper_that_is_gone(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request request = import_of(&alpha, "Alpha");
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    ends->keeper_silent = true;
    ask(ends, &client, &request);
    assert_true(born_readable(ends->born.keeper, 10000));
    assert_int_equal(ends_drain(ends), 0);
    assert_true(ends_intent_open(ends)); /* the next intake's */
    client_free(&client);
    material_free(&alpha);
}

static void without_a_porter_it_leaves_at_once(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    (void)close(ends->born.control);
    ends->born.control = -1;
    assert_true(born_wait(&ends->born) >= 0);
}

static void signals_of_a_terminal_do_not_end_it(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    (void)kill(ends->born.pid, SIGTERM);
    (void)kill(ends->born.pid, SIGINT);
    assert_int_equal(call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS}).status,
                     STIRKEEP_OK);
    assert_true(born_runs(&ends->born));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_set_up, ends_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_hundred_names_are_listed_in_pages_and_pushed_to_front),
        TEST(a_new_front_gets_all_names),
        TEST(a_front_that_does_not_answer_delays_an_import_by_a_second_only),
        TEST(a_name_is_shown_with_its_generations_and_chain),
        TEST(a_name_is_retired_once),
        TEST(the_removal_of_a_source_is_recorded),
        TEST(the_wrapping_key_is_the_keepers),
        TEST(the_status_says_what_is_down),
        TEST(draining_finishes_the_import_that_is_under_way),
        TEST(draining_does_not_wait_for_idle_clients),
        TEST(draining_gives_up_a_keeper_that_is_gone),
        TEST(without_a_porter_it_leaves_at_once),
        TEST(signals_of_a_terminal_do_not_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
