/* SPDX-License-Identifier: BSD-2-Clause */
#include "ends.h"
#include <string.h>
#include <unistd.h>

static void expect_nothing_left(struct ends *ends, const char *name)
{
    assert_null(ends_known(ends, name));
    assert_int_equal(call(ends, (struct stk_admin_request){.kind = STK_ADMIN_LIST, .after = ""})
                         .generation_count,
                     0);
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
}

static void an_import_is_recorded_pushed_and_answered(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    response = import_done(ends, &alpha, "Alpha");
    assert_int_equal(response.kind, STK_ADMIN_IMPORT);
    assert_int_equal(response.generation, 1);
    assert_memory_equal(response.key_id.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    assert_string_equal(response.x5u, "https://certs.example.com/Alpha.pem");
    assert_string_equal(response.attributes, "sensitive, never extractable");
    assert_false(response.already_held);
    assert_int_equal(response.warning_count, 0);
    /* By the time of the answer, front and the trail have it. */
    assert_non_null(ends_known(ends, "Alpha"));
    assert_true(ends_known(ends, "Alpha")->active);
    assert_int_equal(ends_known(ends, "Alpha")->generation, 1);
    assert_memory_equal(ends_known(ends, "Alpha")->key_id.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    assert_int_equal(ends_acts(ends, "import", "Alpha"), 1);
    assert_string_equal(ends_last_act(ends, "import")->outcome, "ok");
    assert_int_equal(ends_last_act(ends, "import")->generation, 1);
    assert_non_null(strstr(ends_last_act(ends, "import")->detail, "/etc/keys/alpha.pem"));
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 1);
    assert_int_equal(ends->sealed_length, 300);
    assert_string_equal(ends->import.name.text, "Alpha");
    assert_int_equal(ends->import.chain_count, 2);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
    material_free(&alpha);
}

static void what_does_not_refuse_comes_back_as_a_warning(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, TNAUTHLIST_MISSING);
    struct stk_admin_response response = {0};

    ends->profile = "test";
    ends_start(ends);
    response = import_done(ends, &alpha, "Alpha");
    assert_true(response.warning_count >= 1);
    assert_non_null(strstr(response.warnings[0], "TNAUTHLIST-MISSING"));
    material_free(&alpha);
}

static void expect_refused(struct ends *ends, enum flaw flaw, enum stirkeep_status status,
                           const char *said)
{
    struct material alpha = material_new(NULL, flaw);
    struct stk_admin_response response = call(ends, import_of(&alpha, "Alpha"));

    assert_int_equal(response.status, status);
    assert_non_null(strstr(response.message, said));
    material_free(&alpha);
}

static void the_gate_refuses_before_the_keeper_is_asked(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    expect_refused(ends, EXPIRED, STIRKEEP_CERT_EXPIRED, "expired");
    expect_refused(ends, RSA_KEY, STIRKEEP_KEY_TYPE, "RSA");
    expect_refused(ends, TNAUTHLIST_BROKEN, STIRKEEP_CERT_INVALID, "TNAuthList");
    expect_refused(ends, TNAUTHLIST_MISSING, STIRKEEP_CERT_INVALID, "TNAuthList");
    ends_await_act(ends, "import", "Alpha", 4);
    assert_string_equal(ends_last_act(ends, "import")->outcome, "cert-invalid");
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 0);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    expect_nothing_left(ends, "Alpha");
}

static void bytes_that_are_no_certificate_are_refused(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request request = import_of(&alpha, "Alpha");

    ends_start(ends);
    request.chain[0] = (struct stk_bytes){(const uint8_t *)"no certificate", 14};
    assert_int_equal(call(ends, request).status, STIRKEEP_CERT_INVALID);
    request.chain[0] = (struct stk_bytes){alpha.der[0].data, alpha.der[0].length - 1};
    assert_int_equal(call(ends, request).status, STIRKEEP_CERT_INVALID);
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 0);
    expect_nothing_left(ends, "Alpha");
    material_free(&alpha);
}

static void a_proof_that_does_not_verify_takes_the_key_off_the_token(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct material other = material_new(NULL, SOUND);

    ends_start(ends);
    ends->prover = other.key;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_NOT_VERIFIED);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 1);
    assert_memory_equal(ends->destroyed.bytes, alpha.id.bytes, STK_KEY_ID_LENGTH);
    ends->prover = NULL;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_NOT_VERIFIED);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 2);
    ends_await_act(ends, "import", "Alpha", 2);
    assert_string_equal(ends_last_act(ends, "import")->outcome, "not-verified");
    expect_nothing_left(ends, "Alpha");
    material_free(&alpha);
    material_free(&other);
}

static void what_the_keeper_refuses_is_undone(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);

    ends_start(ends);
    ends->import_status = STIRKEEP_KEY_MISMATCH;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_KEY_MISMATCH);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 1);
    /* That the token has no such key is as good as gone. */
    ends->destroy_status = STIRKEEP_KEY_UNAVAILABLE;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_KEY_MISMATCH);
    expect_nothing_left(ends, "Alpha");
    material_free(&alpha);
}

static void an_import_that_cannot_be_undone_is_undone_later(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);

    ends_start(ends);
    ends->import_status = STIRKEEP_TOKEN_ERROR;
    ends->destroy_status = STIRKEEP_INTERNAL;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_TOKEN_ERROR);
    ends->import_status = STIRKEEP_OK;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_BUSY);
    ends->destroy_status = STIRKEEP_OK;
    ends_await_act(ends, "import-undone", "Alpha", 1);
    (void)import_done(ends, &alpha, "Alpha");
    material_free(&alpha);
}

static void a_key_is_held_under_one_name_only(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    response = call(ends, import_of(&alpha, "Bravo"));
    assert_int_equal(response.status, STIRKEEP_CONFLICT);
    assert_non_null(strstr(response.message, "Alpha"));
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 1);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    assert_null(ends_known(ends, "Bravo"));
    material_free(&alpha);
}

static void the_same_certificate_again_is_held_already(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    response = import_done(ends, &alpha, "Alpha");
    assert_true(response.already_held);
    assert_int_equal(response.generation, 1);
    /* Not on the catalog's word: the token had to prove the key again. */
    assert_int_equal(ends->orders[STK_CUSTODY_IMPORT], 2);
    /* And a failure now does not destroy what signs. */
    ends->prover = NULL;
    assert_int_equal(call(ends, import_of(&alpha, "Alpha")).status, STIRKEEP_NOT_VERIFIED);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
    material_free(&alpha);
}

static void the_same_certificate_with_another_x5u_or_chain_is_the_next_generation(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request request = import_of(&alpha, "Alpha");
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    request.x5u = "https://other.example.com/alpha.pem";
    response = call(ends, request);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_false(response.already_held);
    assert_int_equal(response.generation, 2);
    assert_string_equal(response.x5u, request.x5u);
    assert_string_equal(ends_known(ends, "Alpha")->x5u, request.x5u);
    /* The same again: now it is held. */
    response = call(ends, request);
    assert_true(response.already_held);
    assert_int_equal(response.generation, 2);
    /* Without a wish there is none that is not met. */
    response = call(ends, import_of(&alpha, "Alpha"));
    assert_true(response.already_held);
    assert_string_equal(response.x5u, request.x5u);
    request.chain_count = 1;
    response = call(ends, request);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_false(response.already_held);
    assert_int_equal(response.generation, 3);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    material_free(&alpha);
}

static void a_new_certificate_is_the_next_generation(void **state)
{
    struct ends *ends = *state;
    struct material first = material_new(NULL, SOUND);
    struct material same_key = material_new(first.key, SOUND);
    struct material new_key = material_new(NULL, SOUND);
    struct stk_admin_response response = {0};

    ends_start(ends);
    (void)import_done(ends, &first, "Alpha");
    response = import_done(ends, &same_key, "Alpha");
    assert_int_equal(response.generation, 2);
    assert_false(response.already_held);
    response = import_done(ends, &new_key, "Alpha");
    assert_int_equal(response.generation, 3);
    assert_int_equal(ends_known(ends, "Alpha")->generation, 3);
    assert_memory_equal(ends_known(ends, "Alpha")->key_id.bytes, new_key.id.bytes,
                        STK_KEY_ID_LENGTH);
    assert_int_equal(ends->orders[STK_CUSTODY_DESTROY], 0);
    material_free(&first);
    material_free(&same_key);
    material_free(&new_key);
}

static void two_imports_of_one_name_at_once_do_not_mix(void **state)
{
    struct ends *ends = *state;
    struct material one = material_new(NULL, SOUND);
    struct material two = material_new(NULL, SOUND);
    struct stk_admin_request request = import_of(&one, "Alpha");
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    ends->prover = one.key;
    ends->keeper_silent = true;
    ask(ends, &client, &request);
    assert_true(born_readable(ends->born.keeper, 10000));
    assert_int_equal(call(ends, import_of(&two, "Alpha")).status, STIRKEEP_BUSY);
    assert_int_equal(call(ends, import_of(&one, "Bravo")).status, STIRKEEP_BUSY);
    ends->keeper_silent = false;
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    (void)import_done(ends, &two, "Alpha");
    client_free(&client);
    material_free(&one);
    material_free(&two);
}

static void a_client_that_goes_away_does_not_stop_its_import(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_admin_request request = import_of(&alpha, "Alpha");
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    ends->prover = alpha.key;
    ends->keeper_silent = true;
    ask(ends, &client, &request);
    assert_true(born_readable(ends->born.keeper, 10000));
    client_free(&client);
    ends->keeper_silent = false;
    ends_await_act(ends, "import", "Alpha", 1);
    assert_true(import_done(ends, &alpha, "Alpha").already_held);
    material_free(&alpha);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_set_up, ends_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_import_is_recorded_pushed_and_answered),
        TEST(what_does_not_refuse_comes_back_as_a_warning),
        TEST(the_gate_refuses_before_the_keeper_is_asked),
        TEST(bytes_that_are_no_certificate_are_refused),
        TEST(a_proof_that_does_not_verify_takes_the_key_off_the_token),
        TEST(what_the_keeper_refuses_is_undone),
        TEST(an_import_that_cannot_be_undone_is_undone_later),
        TEST(a_key_is_held_under_one_name_only),
        TEST(the_same_certificate_again_is_held_already),
        TEST(the_same_certificate_with_another_x5u_or_chain_is_the_next_generation),
        TEST(a_new_certificate_is_the_next_generation),
        TEST(two_imports_of_one_name_at_once_do_not_mix),
        TEST(a_client_that_goes_away_does_not_stop_its_import),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
