/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/proof.h"
#include "run.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TRAIL "audit.jsonl"

static int set_up(void **state)
{
    if (run_set_up(state) != 0)
        return -1;
    run_start(*state, &(struct run_options){0});
    return 0;
}

static bool is_proof(const struct test_key *key, const struct stk_custody_answer *answer,
                     const uint8_t challenge[STK_CHALLENGE_LENGTH])
{
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_proof_digest(challenge, digest);
    return answer->has_proof && test_key_verifies_digest(key, digest, answer->signature);
}

static void the_token_tells_what_it_is(void **state)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};
    struct stk_custody_answer answer = run_custody(*state, &order);

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(answer.has_token);
    assert_string_equal(answer.token.label, "stirkeep");
    assert_int_equal(answer.token.signers, 2);
    assert_true(answer.token.wrapping_spki.length > 256);
    assert_true(answer.token.audit_writable);
    assert_true(answer.token.audit_sequence >= 1);
    assert_string_equal(answer.token.sign_way, "session copies");
}

static void an_import_is_proven_with_a_signature_over_the_challenge(void **state)
{
    static const uint8_t challenge[STK_CHALLENGE_LENGTH] = {1, 2, 3};
    static const uint8_t other[STK_CHALLENGE_LENGTH] = {1, 2, 4};
    struct test_key key = test_key_make("Alpha");
    struct stk_custody_answer answer = run_import_as(*state, &key, &key);

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(is_proof(&key, &answer, challenge));
    assert_false(is_proof(&key, &answer, other));
    assert_non_null(strstr(answer.attributes, "SENSITIVE=1 EXTRACTABLE=0"));
    assert_int_equal(
        trail_count(*state, TRAIL, "\"act\":\"token-import\",\"outcome\":\"ok\"", "EXTRACTABLE=0"),
        1);
    test_key_free(&key);
}

static void the_same_import_again_changes_nothing(void **state)
{
    struct test_key key = run_new_key(*state, "Alpha");

    assert_int_equal(run_import_as(*state, &key, &key).status, STIRKEEP_OK);
    assert_int_equal(run_destroy(*state, &key.id).status, STIRKEEP_OK);
    assert_int_equal(run_destroy(*state, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(trail_count(*state, TRAIL, "\"act\":\"token-destroy\"", "\"begun\""), 2);
    assert_int_equal(trail_count(*state, TRAIL, "\"act\":\"token-destroy\"", "\"ok\""), 1);
    test_key_free(&key);
}

static void noise_is_unreadable(struct run *run)
{
    static uint8_t noise[STK_SEALED_MAX];
    static const size_t lengths[] = {1, 383, 384, 385, 424, STK_SEALED_MAX};
    struct test_key key = test_key_make("Alpha");

    memset(noise, 0x5c, sizeof(noise));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        assert_int_equal(
            run_import_sealed(run, &key.id, key.certificate, (struct stk_bytes){noise, lengths[i]})
                .status,
            STIRKEEP_KEY_UNREADABLE);
    assert_int_equal(run_prove(run, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    test_key_free(&key);
}

static void a_key_that_is_not_the_certificates_is_refused_and_not_kept(void **state)
{
    struct test_key key = test_key_make("Alpha");
    struct test_key other = test_key_make("Mallory");
    struct stk_custody_answer answer = run_import_as(*state, &other, &key);

    assert_int_equal(answer.status, STIRKEEP_KEY_MISMATCH);
    assert_false(answer.has_proof);
    assert_int_equal(run_prove(*state, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(run_prove(*state, &other.id).status, STIRKEEP_KEY_UNAVAILABLE);
    test_key_free(&key);
    test_key_free(&other);
}

static void a_key_id_that_is_not_the_certificates_is_refused(void **state)
{
    static const uint8_t sealed[] = {1, 2, 3};
    struct test_key key = test_key_make("Alpha");
    struct test_key other = test_key_make("Mallory");

    assert_int_equal(run_import_sealed(*state, &other.id, key.certificate,
                                       (struct stk_bytes){sealed, sizeof(sealed)})
                         .status,
                     STIRKEEP_KEY_MISMATCH);
    test_key_free(&key);
    test_key_free(&other);
}

static void what_is_no_sealed_key_or_no_certificate_is_refused(void **state)
{
    static const uint8_t noise[424] = {0x30, 0x82};
    struct test_key key = test_key_make("Alpha");

    noise_is_unreadable(*state);
    assert_int_equal(run_import_sealed(*state, &key.id, (struct stk_bytes){noise, 100},
                                       (struct stk_bytes){noise, sizeof(noise)})
                         .status,
                     STIRKEEP_CERT_INVALID);
    test_key_free(&key);
}

static void a_destroyed_key_signs_no_more_and_an_imported_one_at_once(void **state)
{
    struct run *run = *state;
    struct test_key key = run_new_key(run, "Alpha");
    struct stk_order orders[STK_BATCH_MAX];
    struct stk_answer answer = {0};

    /* Both signers come to hold the key. */
    for (int i = 0; i < 8; i++) {
        orders[0] = run_order(run, &key);
        assert_int_equal(run_sign(run, &orders[0]).status, STIRKEEP_OK);
    }
    assert_int_equal(run_destroy(run, &key.id).status, STIRKEEP_OK);
    for (int i = 0; i < 8; i++) {
        orders[0] = run_order(run, &key);
        assert_int_equal(run_sign(run, &orders[0]).status, STIRKEEP_KEY_UNAVAILABLE);
    }
    assert_int_equal(run_import_as(run, &key, &key).status, STIRKEEP_OK);
    for (int i = 0; i < 8; i++) {
        orders[0] = run_order(run, &key);
        answer = run_sign(run, &orders[0]);
        assert_true(test_key_verifies(&key, &answer));
    }
    test_key_free(&key);
}

static void an_act_of_intakes_is_in_the_trail_when_it_is_answered(void **state)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_RECORD,
                                      .name = {"Alpha"},
                                      .key_id = {{7}},
                                      .act = "source-removed",
                                      .outcome = "ok",
                                      .detail = "overwritten \"and\" unlinked",
                                      .generation = 3,
                                      .peer = {.uid = 1, .gid = 2, .pid = 3},
                                      .request_id = 5};

    assert_int_equal(run_custody(*state, &order).status, STIRKEEP_OK);
    assert_int_equal(trail_count(*state, TRAIL, "\"act\":\"source-removed\",\"outcome\":\"ok\"",
                                 "\\\"and\\\" unlinked\",\"uid\":1,\"gid\":2,\"pid\":3"),
                     1);
    order.peer = (struct stk_peer){0};
    order.key_id = (struct stk_key_id){0};
    order.act = "replay";
    assert_int_equal(run_custody(*state, &order).status, STIRKEEP_OK);
    assert_int_equal(trail_count(*state, TRAIL, "\"act\":\"replay\"", "\"generation\":3"), 1);
    assert_int_equal(trail_count(*state, TRAIL, "\"act\":\"replay\"", "\"uid\""), 0);
    assert_int_equal(trail_count(*state, TRAIL, "\"act\":\"replay\"", "\"key_id\""), 0);
}

static void what_is_no_order_does_not_stop_the_next_one(void **state)
{
    struct run *run = *state;
    static uint8_t noise[STK_LINK_MESSAGE_MAX];
    struct test_key key = test_key_make("Alpha");

    memset(noise, 0xa5, sizeof(noise));
    assert_int_equal(send(run->intake, noise, sizeof(noise), 0), sizeof(noise));
    assert_int_equal(send(run->intake, noise, 1, 0), 1);
    assert_int_equal(send(run->intake, noise, 0, 0), 0);
    assert_int_equal(run_prove(run, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    assert_true(trail_records(run, TRAIL) > 0);
    test_key_free(&key);
}

/* It only opens the RSA part of a sealed key. */
static void a_token_that_does_not_unwrap_gets_its_keys_from_the_keeper(void **state)
{
    struct run *run = *state;
    struct stk_custody_order token = {.kind = STK_CUSTODY_TOKEN};
    struct stk_custody_answer answer = {0};
    struct test_key key = {0};
    struct test_key other = test_key_make("Mallory");
    struct stk_order order = {0};
    struct stk_answer signature = {0};

    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){.module = getenv("STIRKEEP_NO_UNWRAP")});
    assert_string_equal(run_custody(run, &token).token.seal_way, "keeper unwraps");
    key = run_new_key(run, "Alpha");
    answer = run_prove(run, &key.id);
    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_non_null(strstr(answer.attributes, "SENSITIVE=1 EXTRACTABLE=0"));
    order = run_order(run, &key);
    signature = run_sign(run, &order);
    assert_true(test_key_verifies(&key, &signature));
    assert_int_equal(run_import_as(run, &key, &other).status, STIRKEEP_KEY_MISMATCH);
    assert_int_equal(run_prove(run, &other.id).status, STIRKEEP_KEY_UNAVAILABLE);
    noise_is_unreadable(run);
    test_key_free(&key);
    test_key_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_tells_what_it_is),
        cmocka_unit_test(an_import_is_proven_with_a_signature_over_the_challenge),
        cmocka_unit_test(the_same_import_again_changes_nothing),
        cmocka_unit_test(a_key_that_is_not_the_certificates_is_refused_and_not_kept),
        cmocka_unit_test(a_key_id_that_is_not_the_certificates_is_refused),
        cmocka_unit_test(what_is_no_sealed_key_or_no_certificate_is_refused),
        cmocka_unit_test(a_destroyed_key_signs_no_more_and_an_imported_one_at_once),
        cmocka_unit_test(an_act_of_intakes_is_in_the_trail_when_it_is_answered),
        cmocka_unit_test(what_is_no_order_does_not_stop_the_next_one),
        cmocka_unit_test(a_token_that_does_not_unwrap_gets_its_keys_from_the_keeper),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
