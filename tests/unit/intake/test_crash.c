/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "ends.h"
#include <string.h>
#include <unistd.h>

/* What an import leaves behind when somebody dies in the middle of it. */

/* An import is asked for, and its order waits on the keeper's link. */
static struct client begin_import(struct ends *ends, const struct material *material)
{
    struct client client = client_new(&ends->born);
    struct stk_admin_request request = import_of(material, "Alpha");

    ends->prover = material->key;
    ends->keeper_silent = true;
    ask(ends, &client, &request);
    assert_true(born_readable(ends->born.keeper, 10000));
    return client;
}

static void killed_after_the_intent_the_key_is_destroyed(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};

    ends_start(ends);
    client = begin_import(ends, &alpha);
    born_kill(&ends->born);
    assert_true(client_ended(&client));
    client_free(&client);
    assert_true(ends_intent_open(ends));

    /* The keeper carries out what waits on the link; its answer goes to an intake that never
     * asked. */
    ends->keeper_silent = false;
    ends_start(ends);
    ends_await_act(ends, "import-undone", "Alpha", 1);
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 1);
    assert_true(ends->orders[STK_CUSTODY_DESTROY] >= 1);
    assert_memory_equal(ends->destroyed.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    assert_null(ends_known(ends, "Alpha"));
    assert_int_equal(ends_acts(ends, "import", "Alpha"), 0);
    assert_int_equal(import_done(ends, &alpha, "Alpha").generation, 1);
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
    material_free(&alpha);
}

static void an_intent_waits_for_a_keeper_that_is_down(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};

    ends_start(ends);
    client = begin_import(ends, &alpha);
    born_kill(&ends->born);
    client_free(&client);
    ends_start_alone(ends);
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_BUSY);
    born_kill(&ends->born);
    assert_true(ends_intent_open(ends));
    ends->keeper_silent = false;
    ends_start(ends);
    ends_await_act(ends, "import-undone", "Alpha", 1);
    (void)import_done(ends, &alpha, "Alpha");
    material_free(&alpha);
}

static void killed_after_the_commit_the_name_is_there(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};
    struct stk_admin_response response = {0};

    ends_start(ends);
    /* The snapshot of its start is not to be mistaken for the change. */
    while (ends->snapshots == 0)
        (void)ends_work(ends, -1, 10);
    ends->front_silent = true;
    client = begin_import(ends, &alpha);
    ends->keeper_silent = false;
    (void)ends_work(ends, ends->born.other, 10000);
    born_kill(&ends->born);
    client_free(&client);
    assert_false(ends_intent_open(ends));

    ends->front_silent = false;
    ends_start(ends);
    ends_await_act(ends, "import", "Alpha", 1);
    (void)ends_work(ends, -1, 200);
    assert_true(ends_acts(ends, "import", "Alpha") <= 2);
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_LIST, .after = ""});
    assert_int_equal(response.generation_count, 1);
    assert_string_equal(response.generations[0].name, "Alpha");
    assert_true(import_done(ends, &alpha, "Alpha").already_held);
    assert_non_null(ends_known(ends, "Alpha"));
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    material_free(&alpha);
}

/* The record of an act is on its way to the trail when intake is killed: nobody can know whether it
 * is written, so it comes again, once. */
static void an_act_in_doubt_is_recorded_again_and_only_once(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};

    ends_start(ends);
    client = begin_import(ends, &alpha);
    ends->keeper_silent = false;
    ends->keeper_stops = true;
    while (!ends->keeper_silent)
        (void)ends_work(ends, -1, 10);
    assert_true(born_readable(ends->born.keeper, 10000)); /* the record */
    born_kill(&ends->born);
    client_free(&client);
    ends->keeper_silent = false;
    ends_start(ends);
    ends_await_act(ends, "import", "Alpha", 2);
    (void)ends_work(ends, -1, 300);
    assert_int_equal(ends_acts(ends, "import", "Alpha"), 2);
    born_kill(&ends->born);
    ends_start(ends);
    (void)call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});
    (void)ends_work(ends, -1, 300);
    assert_int_equal(ends_acts(ends, "import", "Alpha"), 2);
    material_free(&alpha);
}

static void a_key_that_cannot_be_destroyed_does_not_hold_up_those_behind_it(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct material bravo = material_new(NULL, SOUND);
    struct stk_catalog *catalog = ends_catalog(ends);
    struct stk_admin_response busy = {0};
    int64_t intent = 0;

    assert_int_equal(stk_catalog_intend(catalog, STK_INTENT_IMPORT, "Alpha", &alpha.id, "a.pem", 1,
                                        &intent, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_intend(catalog, STK_INTENT_IMPORT, "Bravo", &bravo.id, "b.pem", 1,
                                        &intent, NULL),
                     STIRKEEP_OK);
    stk_catalog_close(catalog);
    ends->indestructible = &alpha.id;
    ends_start(ends);
    ends_await_act(ends, "import-undone", "Bravo", 1);
    (void)import_done(ends, &bravo, "Bravo");
    assert_int_equal(ends_acts(ends, "import-undone", "Alpha"), 0);
    /* Who brings it again is told what it waits for. */
    busy = call(ends, import_of(&alpha, "Alpha"));
    assert_int_equal(busy.status, STIRKEEP_BUSY);
    assert_non_null(strstr(busy.message, "waits to be undone: "));
    /* It is tried again by itself. */
    ends->indestructible = NULL;
    ends_await_act(ends, "import-undone", "Alpha", 1);
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
    material_free(&alpha);
    material_free(&bravo);
}

static void a_keeper_that_comes_back_gets_the_order_again(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};
    uint8_t lost[STK_LINK_MESSAGE_MAX];
    size_t length = 0;

    ends_start(ends);
    client = begin_import(ends, &alpha);
    assert_int_equal(stk_link_receive(ends->born.keeper, 0, lost, &length, NULL), STIRKEEP_OK);
    born_tell(&ends->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    born_tell(&ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    ends->keeper_silent = false;
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    client_free(&client);
    material_free(&alpha);
}

static void a_silent_keeper_is_unavailable_and_the_import_is_undone_when_it_is_back(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};
    uint64_t since = stk_clock_mono_us();
    struct stk_admin_response response = {0};

    ends_start(ends);
    client = begin_import(ends, &alpha);
    response = hear(ends, &client);
    assert_int_equal(response.status, STIRKEEP_UNAVAILABLE);
    assert_true(stk_clock_mono_us() - since > 5000000);
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_BUSY);
    born_tell(&ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    ends->keeper_silent = false;
    ends_await_act(ends, "import-undone", "Alpha", 1);
    assert_memory_equal(ends->destroyed.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    (void)import_done(ends, &alpha, "Alpha");
    client_free(&client);
    material_free(&alpha);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_set_up, ends_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_after_the_intent_the_key_is_destroyed),
        TEST(an_intent_waits_for_a_keeper_that_is_down),
        TEST(killed_after_the_commit_the_name_is_there),
        TEST(an_act_in_doubt_is_recorded_again_and_only_once),
        TEST(a_key_that_cannot_be_destroyed_does_not_hold_up_those_behind_it),
        TEST(a_keeper_that_comes_back_gets_the_order_again),
        TEST(a_silent_keeper_is_unavailable_and_the_import_is_undone_when_it_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
