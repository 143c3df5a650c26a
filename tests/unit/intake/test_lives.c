/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "ends.h"
#include <string.h>
#include <sys/resource.h>

/* Keys made on the token, certificates installed and staged, keys destroyed: and what goes wrong. */

static struct stk_admin_request about(enum stk_admin_kind kind, const char *name)
{
    struct stk_admin_request request = {.kind = kind, .spc = "709J", .subject = ""};

    assert_int_equal(stk_name_parse(name, &request.name, NULL), STIRKEEP_OK);
    return request;
}

/* The keeper is asked for a key, and the answer is the test's to give. */
static struct client begin_generation(struct ends *ends, const struct material *material)
{
    struct client client = client_new(&ends->born);
    struct stk_admin_request request = about(STK_ADMIN_GENERATE, "Alpha");

    ends->made = material->key;
    ends->prover = material->key;
    ends->keeper_silent = true;
    ask(ends, &client, &request);
    assert_true(born_readable(ends->born.keeper, 10000));
    return client;
}

static struct stk_admin_response generate(struct ends *ends, const struct material *material)
{
    ends->made = material->key;
    ends->prover = material->key;
    return call(ends, about(STK_ADMIN_GENERATE, "Alpha"));
}

static void a_key_is_generated_installed_and_active(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    response = generate(ends, &alpha);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_memory_equal(response.key_id.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    assert_false(response.already_held);
    assert_string_equal(response.attributes, "LOCAL=1");
    assert_null(ends_known(ends, "Alpha"));
    response = generate(ends, &alpha);
    assert_true(response.already_held);
    assert_int_equal(ends->orders[STK_CUSTODY_GENERATE], 1);
    response = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_int_equal(response.requested_count, 1);
    assert_int_equal(response.generation_count, 0);

    response = call(ends, install_of(&alpha, "Alpha"));
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.generation, 1);
    assert_int_equal(ends->sealed_length, 0);
    assert_true(ends_known(ends, "Alpha")->active);
    assert_string_equal(ends_last_act(ends, "install")->outcome, "ok");
    response = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_int_equal(response.requested_count, 0);
    assert_string_equal(response.generations[0].origin, "generated");
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
    material_free(&alpha);
}

static void killed_before_the_key_is_known_it_is_destroyed_under_its_ticket(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};

    ends_start(ends);
    client = begin_generation(ends, &alpha);
    born_kill(&ends->born);
    client_free(&client);
    ends->keeper_silent = false;
    ends_start(ends);
    ends_await_act(ends, "generate-undone", "Alpha", 1);
    assert_memory_equal(ends->destroyed.bytes, ends->ticket.bytes, STK_KEY_ID_LENGTH);
    assert_int_equal(generate(ends, &alpha).status, STIRKEEP_OK);
    material_free(&alpha);
}

static void a_key_without_a_request_is_destroyed_under_both_its_ids(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends->request_status = STIRKEEP_TOKEN_ERROR;
    ends_start(ends);
    response = generate(ends, &alpha);
    assert_int_equal(response.status, STIRKEEP_TOKEN_ERROR);
    ends_await_act(ends, "generate-undone", "Alpha", 1);
    assert_memory_equal(ends->destroyed_before.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    assert_memory_equal(ends->destroyed.bytes, ends->ticket.bytes, STK_KEY_ID_LENGTH);
    assert_string_equal(ends_last_act(ends, "generate")->outcome, "token-error");
    assert_int_equal(call(ends, about(STK_ADMIN_SHOW, "Alpha")).status, STIRKEEP_UNKNOWN_NAME);
    material_free(&alpha);
}

static void a_key_that_does_not_prove_itself_is_not_kept(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct material other = material_new(NULL, SOUND);

    ends_start(ends);
    ends->made = alpha.key;
    ends->prover = other.key;
    assert_int_equal(call(ends, about(STK_ADMIN_GENERATE, "Alpha")).status, STIRKEEP_NOT_VERIFIED);
    ends_await_act(ends, "generate-undone", "Alpha", 1);
    material_free(&alpha);
    material_free(&other);
}

static void what_cannot_be_requested_makes_no_key(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request request = about(STK_ADMIN_GENERATE, "Alpha");

    ends_start(ends);
    request.subject = "CN=Somebody";
    assert_int_equal(call(ends, request).status, STIRKEEP_INVALID);
    assert_int_equal(ends->orders[STK_CUSTODY_GENERATE], 0);
}

static void a_certificate_without_its_key_is_not_installed(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct material bravo = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    response = call(ends, install_of(&bravo, "Alpha"));
    assert_int_equal(response.status, STIRKEEP_KEY_UNAVAILABLE);
    response = call(ends, install_of(&alpha, "Bravo"));
    assert_int_equal(response.status, STIRKEEP_CONFLICT);
    assert_non_null(strstr(response.message, "Alpha"));
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 1);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    material_free(&alpha);
    material_free(&bravo);
}

/* ---- staged */

static struct stk_admin_response stage(struct ends *ends, const struct material *material,
                                       int64_t after)
{
    struct stk_admin_request request = import_of(material, "Alpha");

    request.activate_at = stk_clock_seconds() + after;
    ends->prover = material->key;
    return call(ends, request);
}

static void a_staged_one_that_does_not_prove_itself_waits_and_the_old_one_signs(void **state)
{
    struct ends *ends = *state;
    struct material one = material_new(NULL, SOUND);
    struct material two = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &one, "Alpha");
    ends->prove_status = STIRKEEP_KEY_UNAVAILABLE; /* which an import does not ask for */
    response = stage(ends, &two, 2);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_true(response.activate_at > 0);
    assert_int_equal(ends_known(ends, "Alpha")->generation, 1);
    ends_await_act(ends, "activate", "Alpha", 1);
    assert_string_equal(ends_last_act(ends, "activate")->outcome, "key-unavailable");
    assert_int_equal(ends_known(ends, "Alpha")->generation, 1);
    /* Told once, and tried again by itself. */
    (void)ends_work(ends, -1, 6000);
    assert_int_equal(ends_acts(ends, "activate", "Alpha"), 1);
    assert_true(ends->orders[STK_CUSTODY_PROVE] >= 2);
    ends->prove_status = STIRKEEP_OK;
    ends_await_act(ends, "activate", "Alpha", 2);
    assert_string_equal(ends_last_act(ends, "activate")->outcome, "ok");
    (void)ends_work(ends, -1, 100);
    assert_int_equal(ends_known(ends, "Alpha")->generation, 2);
    material_free(&one);
    material_free(&two);
}

static void one_that_is_late_does_not_replace_what_was_to_come_after_it(void **state)
{
    struct ends *ends = *state;
    struct material one = material_new(NULL, SOUND);
    struct material two = material_new(NULL, SOUND);
    struct material three = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &one, "Alpha");
    ends->prove_status = STIRKEEP_TOKEN_ERROR;
    ends->unproven = &two.id;
    assert_int_equal(stage(ends, &two, 2).status, STIRKEEP_OK);
    assert_int_equal(stage(ends, &three, 3).status, STIRKEEP_OK);
    ends_await_act(ends, "activate", "Alpha", 1);
    assert_string_equal(ends_last_act(ends, "activate")->outcome, "token-error");
    ends_await_act(ends, "activate", "Alpha", 2);
    assert_int_equal(ends_last_act(ends, "activate")->generation, 3);
    assert_string_equal(ends_last_act(ends, "activate")->outcome, "ok");
    ends_await_act(ends, "activate", "Alpha", 3);
    assert_int_equal(ends_last_act(ends, "activate")->generation, 2);
    assert_string_equal(ends_last_act(ends, "activate")->outcome, "conflict");
    response = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_string_equal(response.generations[0].state, "active");
    assert_string_equal(response.generations[1].state, "previous");
    assert_int_equal(ends_known(ends, "Alpha")->generation, 3);
    material_free(&one);
    material_free(&two);
    material_free(&three);
}

static void what_is_staged_goes_with_its_name(void **state)
{
    struct ends *ends = *state;
    struct material one = material_new(NULL, SOUND);
    struct material two = material_new(NULL, SOUND);

    ends_start(ends);
    (void)import_done(ends, &one, "Alpha");
    assert_int_equal(stage(ends, &two, 2).status, STIRKEEP_OK);
    assert_int_equal(call(ends, about(STK_ADMIN_RETIRE, "Alpha")).status, STIRKEEP_OK);
    (void)ends_work(ends, -1, 3500);
    assert_int_equal(ends_acts(ends, "activate", "Alpha"), 0);
    assert_false(ends_known(ends, "Alpha")->active);
    material_free(&one);
    material_free(&two);
}

/* ---- destroyed */

static void a_destroyed_name_is_inactive_before_its_key_is_touched(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    ends->destroy_status = STIRKEEP_TOKEN_ERROR;
    response = call(ends, about(STK_ADMIN_DESTROY, "Alpha"));
    assert_int_equal(response.status, STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(response.message, "still to be destroyed"));
    assert_false(ends_known(ends, "Alpha")->active);
    /* As soon as the token does it. */
    ends->destroy_status = STIRKEEP_OK;
    while (strcmp(ends_last_act(ends, "destroy")->outcome, "ok") != 0)
        (void)ends_work(ends, -1, 100);
    response = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_string_equal(response.generations[0].state, "destroyed");
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
    material_free(&alpha);
}

static void a_key_that_still_signs_is_not_called_destroyed(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    ends->undead = true;
    response = call(ends, about(STK_ADMIN_DESTROY, "Alpha"));
    assert_int_equal(response.status, STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(response.message, "STILL SIGNS"));
    response = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_string_equal(response.generations[0].state, "retired");
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_BUSY);
    material_free(&alpha);
}

static void killed_in_a_destruction_the_next_one_finishes_it(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct client client = {0};
    struct stk_admin_request request = about(STK_ADMIN_DESTROY, "Alpha");
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    client = client_new(&ends->born);
    ends->keeper_stops = true;
    ask(ends, &client, &request);
    while (!ends->keeper_silent)
        (void)ends_work(ends, -1, 1);
    born_kill(&ends->born);
    client_free(&client);
    assert_true(ends_intent_open(ends));
    ends->keeper_silent = false;
    ends->keeper_stops = false;
    ends_start(ends);
    while (strcmp(ends_last_act(ends, "destroy")->outcome, "ok") != 0)
        (void)ends_work(ends, -1, 100);
    assert_memory_equal(ends->destroyed.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    response = call(ends, about(STK_ADMIN_SHOW, "Alpha"));
    assert_string_equal(response.generations[0].state, "destroyed");
    assert_int_equal(call(ends, about(STK_ADMIN_DESTROY, "Alpha")).status,
                     STIRKEEP_KEY_UNAVAILABLE);
    material_free(&alpha);
}

static void nobody_waits_for_front_when_a_name_without_certificate_changes(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request request = about(STK_ADMIN_DESTROY, "Alpha");
    struct stk_admin_response response = {0};
    uint64_t began = 0;

    ends_start(ends);
    assert_int_equal(generate(ends, &alpha).status, STIRKEEP_OK);
    request.key_id = alpha.id;
    began = stk_clock_mono_us();
    response = call(ends, request);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.keys, 1);
    assert_true(stk_clock_mono_us() - began < 500000); /* half of what it would wait in vain */
    assert_null(ends_known(ends, "Alpha"));
    material_free(&alpha);
}

/* ---- the trail */

/* From the moment that an act is at the keeper the catalog can be written no more. */
static bool fill_disk_at_record(void *context, const struct stk_custody_order *order,
                                struct stk_custody_answer *answer)
{
    const struct ends *ends = context;
    const struct rlimit full = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
    (void)answer;

    if (order->kind == STK_CUSTODY_RECORD && strcmp(order->act, "retire") == 0)
        assert_int_equal(prlimit(ends->born.pid, RLIMIT_FSIZE, &full, NULL), 0);
    return false;
}

static void an_act_that_cannot_be_forgotten_is_recorded_once(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    const struct rlimit room = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct client client = {0};
    struct stk_admin_request request = about(STK_ADMIN_RETIRE, "Alpha");

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    ends->instead = fill_disk_at_record;
    ends->instead_context = ends;
    client = client_new(&ends->born);
    ask(ends, &client, &request);
    (void)ends_work(ends, -1, 3500);
    assert_int_equal(ends_acts(ends, "retire", "Alpha"), 1);
    ends->instead = NULL;
    assert_int_equal(prlimit(ends->born.pid, RLIMIT_FSIZE, &room, NULL), 0);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    assert_int_equal(ends_acts(ends, "retire", "Alpha"), 1);
    assert_int_equal(call(ends, about(STK_ADMIN_RETIRE, "Alpha")).status, STIRKEEP_NOT_ACTIVE);
    ends_await_act(ends, "retire", "Alpha", 2);
    assert_string_equal(ends->acts[ends->act_count - 2].outcome, "ok");
    assert_string_equal(ends->acts[ends->act_count - 1].outcome, "not-active");
    assert_int_equal(ends_acts(ends, "retire", "Alpha"), 2);
    client_free(&client);
    material_free(&alpha);
}

/* A build with AddressSanitizer fails here when one of them is left behind. */
static void asked_to_end_it_lets_go_of_all_that_waits_for_the_keeper(void **state)
{
    static const enum stk_admin_kind kinds[] = {STK_ADMIN_GENERATE, STK_ADMIN_ROLLBACK,
                                                STK_ADMIN_DESTROY, STK_ADMIN_DOCTOR};
    static const char *const names[] = {"Delta", "Alpha", "Bravo", "Alpha"};
    struct ends *ends = *state;
    struct material old = material_new(NULL, SOUND);
    struct material new = material_new(NULL, SOUND);
    struct material bravo = material_new(NULL, SOUND);
    struct client clients[4];

    ends_start(ends);
    (void)import_done(ends, &old, "Alpha");
    (void)import_done(ends, &new, "Alpha");
    (void)import_done(ends, &bravo, "Bravo");
    ends->keeper_silent = true;
    for (size_t i = 0; i < 4; i++) {
        struct stk_admin_request request = about(kinds[i], names[i]);

        clients[i] = client_new(&ends->born);
        ask(ends, &clients[i], &request);
    }
    (void)ends_work(ends, -1, 500); /* front has taken what it is told */
    assert_int_equal(ends_drain(ends), 0);
    for (size_t i = 0; i < 4; i++)
        client_free(&clients[i]);
    assert_true(ends_intent_open(ends));
    ends->keeper_silent = false;
    ends_start(ends);
    ends_await_act(ends, "destroy", "Bravo", 2); /* begun, done */
    assert_true(ends_known(ends, "Alpha")->active);
    assert_false(ends_known(ends, "Bravo")->active);
    material_free(&old);
    material_free(&new);
    material_free(&bravo);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_set_up, ends_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_generated_installed_and_active),
        TEST(killed_before_the_key_is_known_it_is_destroyed_under_its_ticket),
        TEST(a_key_without_a_request_is_destroyed_under_both_its_ids),
        TEST(a_key_that_does_not_prove_itself_is_not_kept),
        TEST(what_cannot_be_requested_makes_no_key),
        TEST(a_certificate_without_its_key_is_not_installed),
        TEST(a_staged_one_that_does_not_prove_itself_waits_and_the_old_one_signs),
        TEST(one_that_is_late_does_not_replace_what_was_to_come_after_it),
        TEST(what_is_staged_goes_with_its_name),
        TEST(a_destroyed_name_is_inactive_before_its_key_is_touched),
        TEST(a_key_that_still_signs_is_not_called_destroyed),
        TEST(killed_in_a_destruction_the_next_one_finishes_it),
        TEST(an_act_that_cannot_be_forgotten_is_recorded_once),
        TEST(nobody_waits_for_front_when_a_name_without_certificate_changes),
        TEST(asked_to_end_it_lets_go_of_all_that_waits_for_the_keeper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
