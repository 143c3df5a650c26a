/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "model/proof.h"
#include "run.h"
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define TRAIL "audit.jsonl"
#define SPC "616H"

static const uint8_t challenge[STK_CHALLENGE_LENGTH] = {4, 5, 6};

static int set_up(void **state)
{
    if (run_set_up(state) != 0)
        return -1;
    run_start(*state, &(struct run_options){0});
    return 0;
}

static struct stk_key_id new_ticket(void)
{
    struct stk_key_id ticket = {0};

    stk_random(ticket.bytes, sizeof(ticket.bytes));
    return ticket;
}

/* A key made on the token, as the tests' functions take it; without a certificate. */
static struct test_key key_of(struct stk_bytes spki)
{
    struct test_key key = {0};
    const unsigned char *at = spki.data;

    assert_int_equal(spki.length, 91);
    key.key = d2i_PUBKEY(NULL, &at, (long)spki.length);
    assert_non_null(key.key);
    stk_sha256(spki.data, spki.length, key.id.bytes);
    return key;
}

static struct test_key generate(struct run *run, const struct stk_key_id *ticket)
{
    struct stk_custody_order order = {
        .kind = STK_CUSTODY_GENERATE, .name = {"Alpha"}, .ticket = *ticket};
    struct stk_custody_answer answer = run_custody(run, &order);

    if (answer.status != STIRKEEP_OK)
        fail_msg("%s", answer.message);
    assert_true(answer.has_spki);
    return key_of(answer.spki);
}

static struct stk_custody_answer request(struct run *run, const struct stk_key_id *ticket,
                                         const struct stk_key_id *key_id, const char *subject)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_REQUEST,
                                      .name = {"Alpha"},
                                      .ticket = *ticket,
                                      .key_id = *key_id,
                                      .spc = SPC,
                                      .subject = subject};

    memcpy(order.challenge, challenge, sizeof(challenge));
    return run_custody(run, &order);
}

static void assert_proven(const struct test_key *key, const struct stk_custody_answer *answer)
{
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_proof_digest(challenge, digest);
    assert_true(test_key_verifies_digest(key, digest, answer->signature));
    assert_string_equal(answer->attributes,
                        "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=1 "
                        "NEVER_EXTRACTABLE=1 LOCAL=1");
}

/* Of this key, signed by it, with this subject. */
static void assert_request(const struct test_key *key, struct stk_bytes csr, const char *subject)
{
    const unsigned char *at = csr.data;
    X509_REQ *read = d2i_X509_REQ(NULL, &at, (long)csr.length);
    char text[256] = "";
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(read);
    assert_int_equal(X509_REQ_verify(read, key->key), 1);
    assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(read), key->key), 1);
    assert_true(X509_NAME_print_ex(bio, X509_REQ_get_subject_name(read), 0, XN_FLAG_RFC2253) >= 0);
    (void)BIO_read(bio, text, sizeof(text) - 1);
    assert_string_equal(text, subject);
    assert_non_null(memmem(csr.data, csr.length, "\x30\x08\xa0\x06\x16\x04" SPC, 10));
    BIO_free(bio);
    X509_REQ_free(read);
}

/* The CA's answer. */
static struct stk_bytes issue(const struct test_key *key)
{
    EVP_PKEY *ca = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    unsigned char *der = NULL;
    int length = 0;

    (void)X509_set_version(certificate, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 9);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                     (const unsigned char *)"SHAKEN " SPC, -1, -1, 0);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    (void)X509_set_pubkey(certificate, key->key);
    assert_true(X509_sign(certificate, ca, EVP_sha256()) > 0);
    length = i2d_X509(certificate, &der);
    assert_true(length > 0);
    X509_free(certificate);
    EVP_PKEY_free(ca);
    return (struct stk_bytes){der, (size_t)length};
}

static struct stk_custody_answer install(struct run *run, const struct test_key *key)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_IMPORT,
                                      .name = {"Alpha"},
                                      .key_id = key->id,
                                      .chain = {key->certificate},
                                      .chain_count = 1,
                                      .x5u = "https://certs.example.com/Alpha.pem"};

    memcpy(order.challenge, challenge, sizeof(challenge));
    return run_custody(run, &order);
}

static void a_key_is_made_requested_for_installed_and_destroyed(void **state)
{
    struct run *run = *state;
    struct stk_key_id ticket = new_ticket();
    struct test_key key = generate(run, &ticket);
    struct stk_custody_answer answer =
        request(run, &ticket, &key.id, "CN=SHAKEN 616H,O=Example,C=US");
    struct stk_order order = {0};
    struct stk_answer signature = {0};

    if (answer.status != STIRKEEP_OK)
        fail_msg("%s", answer.message);
    assert_true(answer.has_request);
    assert_proven(&key, &answer);
    assert_request(&key, answer.csr, "CN=SHAKEN 616H,O=Example,C=US");
    key.certificate = issue(&key);
    answer = install(run, &key);
    if (answer.status != STIRKEEP_OK)
        fail_msg("%s", answer.message);
    assert_proven(&key, &answer);
    order = run_order(run, &key);
    signature = run_sign(run, &order);
    assert_true(test_key_verifies(&key, &signature));
    answer = run_destroy(run, &key.id);
    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(answer.has_destroyed);
    assert_int_equal(answer.objects, 3); /* private key, public key, certificate */
    assert_non_null(strstr(answer.proof, "with the former handle"));
    assert_non_null(strstr(answer.proof, "nothing is found under the CKA_ID"));
    assert_int_equal(run_prove(run, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    order = run_order(run, &key);
    assert_int_equal(run_sign(run, &order).status, STIRKEEP_KEY_UNAVAILABLE);
    answer = run_destroy(run, &key.id);
    assert_int_equal(answer.status, STIRKEEP_KEY_UNAVAILABLE);
    assert_false(answer.has_destroyed);
    test_key_free(&key);
}

static void each_order_may_come_twice(void **state)
{
    struct run *run = *state;
    static const struct stk_key_id none;
    struct stk_key_id ticket = new_ticket();
    struct test_key key = generate(run, &ticket);
    struct test_key again = generate(run, &ticket);
    struct stk_custody_answer answer = {0};

    assert_memory_equal(&key.id, &again.id, sizeof(key.id));
    for (int i = 0; i < 2; i++) {
        answer = request(run, &ticket, &key.id, "");
        assert_true(answer.has_request);
        assert_proven(&key, &answer);
        assert_request(&key, answer.csr, "CN=SHAKEN 616H");
    }
    answer = request(run, &none, &key.id, "");
    assert_true(answer.has_request);
    assert_request(&key, answer.csr, "CN=SHAKEN 616H");
    test_key_free(&again);
    test_key_free(&key);
}

static void a_new_keeper_goes_on_where_the_dead_one_was(void **state)
{
    struct run *run = *state;
    struct stk_key_id ticket = new_ticket();
    struct test_key key = generate(run, &ticket);
    struct stk_custody_answer answer = {0};

    (void)run_clean_up(state); /* SIGKILL */
    run_start(run, &(struct run_options){0});
    answer = request(run, &ticket, &key.id, "");
    assert_true(answer.has_request);
    (void)run_clean_up(state);
    run_start(run, &(struct run_options){0});
    answer = request(run, &ticket, &key.id, "");
    assert_true(answer.has_request);
    assert_request(&key, answer.csr, "CN=SHAKEN 616H");
    test_key_free(&key);
}

static void a_subject_that_is_not_fit_is_refused_before_the_token_is_touched(void **state)
{
    static const char *const subjects[] = {"CN=SHAKEN 1234", "C=US", "CN=SHAKEN 616H,XN=A",
                                           "CN=SHAKEN 616H,C=USA", "nonsense"};
    struct run *run = *state;
    struct stk_key_id ticket = new_ticket();
    struct test_key key = generate(run, &ticket);

    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        struct stk_custody_answer answer = request(run, &ticket, &key.id, subjects[i]);

        assert_int_equal(answer.status, STIRKEEP_INVALID);
        assert_non_null(strstr(answer.message, "subject"));
        assert_false(answer.has_request);
        assert_false(answer.has_proof);
    }
    assert_int_equal(run_prove(run, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(request(run, &ticket, &key.id, "").status, STIRKEEP_OK);
    test_key_free(&key);
}

static void what_is_not_there_is_not_requested_for(void **state)
{
    struct run *run = *state;
    static const struct stk_key_id none;
    struct stk_key_id ticket = new_ticket();
    struct stk_key_id other = new_ticket();
    struct test_key key = {0};

    assert_int_equal(request(run, &ticket, &other, "").status, STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(request(run, &none, &other, "").status, STIRKEEP_KEY_UNAVAILABLE);
    key = generate(run, &ticket);
    assert_int_equal(request(run, &ticket, &other, "").status, STIRKEEP_KEY_MISMATCH);
    assert_int_equal(run_destroy(run, &ticket).status, STIRKEEP_OK);
    assert_int_equal(request(run, &ticket, &key.id, "").status, STIRKEEP_KEY_UNAVAILABLE);
    test_key_free(&key);
}

static void a_certificate_for_a_key_that_is_not_there_is_refused(void **state)
{
    struct run *run = *state;
    struct test_key key = test_key_make("Alpha");
    struct stk_custody_answer answer = install(run, &key);

    assert_int_equal(answer.status, STIRKEEP_KEY_UNAVAILABLE);
    assert_non_null(strstr(answer.message, "is not on the token"));
    assert_int_equal(run_import_as(run, &key, &key).status, STIRKEEP_OK);
    assert_int_equal(install(run, &key).status, STIRKEEP_OK);
    test_key_free(&key);
}

static void without_a_trail_no_key_is_made(void **state)
{
    struct run *run = *state;
    struct stk_key_id ticket = new_ticket();
    struct stk_custody_order order = {
        .kind = STK_CUSTODY_GENERATE, .name = {"Alpha"}, .ticket = ticket};
    struct stk_custody_answer answer = {0};

    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){.audit_file = "missing/audit.jsonl"});
    answer = run_custody(run, &order);
    assert_int_equal(answer.status, STIRKEEP_AUDIT_UNAVAILABLE);
    assert_false(answer.has_spki);
    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){0});
    assert_int_equal(run_destroy(run, &ticket).status, STIRKEEP_KEY_UNAVAILABLE);
}

struct load {
    size_t under_way; /* orders */
    size_t signatures;
    size_t refusals;
};

static void send_batch(struct run *run, const struct test_key *key, struct load *load)
{
    struct stk_order orders[STK_BATCH_MAX];

    for (size_t i = 0; i < STK_BATCH_MAX; i++)
        orders[i] = run_order(run, key);
    run_send(run, orders, STK_BATCH_MAX, NULL, 0);
    load->under_way += STK_BATCH_MAX;
}

static void take_answers(struct run *run, const struct test_key *key, struct load *load)
{
    size_t count = 0;
    struct stk_answer *answers = run_answers(run, &count);

    for (size_t i = 0; i < count; i++) {
        if (answers[i].status == STIRKEEP_OK && test_key_verifies(key, &answers[i]))
            load->signatures++;
        else if (answers[i].status == STIRKEEP_KEY_UNAVAILABLE)
            load->refusals++;
        else
            fail_msg("%s", answers[i].message);
    }
    load->under_way -= count;
}

/* Orders are under way all the time, and both signers hold copies of the key. */
static void destroyed_under_load_it_signs_or_is_not_there(void **state)
{
    enum { BATCHES_UNDER_WAY = 6, BATCHES_MAX = 5000 };
    struct run *run = *state;
    struct test_key key = run_new_key(run, "Alpha");
    struct stk_custody_order destroy = {.kind = STK_CUSTODY_DESTROY, .key_id = key.id};
    struct load load = {0};
    struct stk_custody_answer ended = {0};

    for (int i = 0; i < BATCHES_MAX && load.refusals < 100; i++) {
        send_batch(run, &key, &load);
        if (i == 2 * BATCHES_UNDER_WAY)
            run_send_custody(run, &destroy);
        if (i >= BATCHES_UNDER_WAY)
            take_answers(run, &key, &load);
    }
    while (load.under_way > 0)
        take_answers(run, &key, &load);
    assert_true(load.signatures > 0);
    assert_true(load.refusals >= 100);
    ended = run_custody_answer(run, &destroy);
    if (ended.status != STIRKEEP_OK)
        fail_msg("%s", ended.message);
    test_key_free(&key);
}

static void what_was_done_is_in_the_trail(void **state)
{
    struct run *run = *state;

    assert_true(trail_count(run, TRAIL, "\"act\":\"token-generate\",\"outcome\":\"begun\"",
                            "\"detail\":\"ticket ") >= 1);
    assert_true(trail_count(run, TRAIL, "\"act\":\"token-generate\",\"outcome\":\"ok\"",
                            "\"key_id\":\"") >= 1);
    assert_int_equal(trail_count(run, TRAIL, "\"act\":\"token-generate\",\"outcome\":\"begun\"",
                                 "\"key_id\":\""),
                     0);
    assert_true(trail_count(run, TRAIL, "\"act\":\"token-request\",\"outcome\":\"begun\"", "") >=
                1);
    assert_true(
        trail_count(run, TRAIL, "\"act\":\"token-request\",\"outcome\":\"ok\"", "LOCAL=1") >= 1);
    assert_true(trail_count(run, TRAIL, "\"act\":\"token-request\",\"outcome\":\"invalid\"",
                            "subject") >= 1);
    assert_true(
        trail_count(run, TRAIL, "\"act\":\"token-destroy\",\"outcome\":\"ok\"", "3 objects") >= 1);
    assert_true(trail_records(run, TRAIL) > 0);
}

static void a_token_that_does_not_unwrap_makes_keys_and_takes_certificates_too(void **state)
{
    struct run *run = *state;
    struct stk_key_id ticket = new_ticket();
    struct test_key key = {0};

    assert_int_equal(run_drain(run), 0);
    run_start(run, &(struct run_options){.module = getenv("STIRKEEP_NO_UNWRAP")});
    key = generate(run, &ticket);
    assert_int_equal(request(run, &ticket, &key.id, "").status, STIRKEEP_OK);
    key.certificate = issue(&key);
    assert_int_equal(install(run, &key).status, STIRKEEP_OK);
    test_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_made_requested_for_installed_and_destroyed),
        cmocka_unit_test(each_order_may_come_twice),
        cmocka_unit_test(a_new_keeper_goes_on_where_the_dead_one_was),
        cmocka_unit_test(a_subject_that_is_not_fit_is_refused_before_the_token_is_touched),
        cmocka_unit_test(what_is_not_there_is_not_requested_for),
        cmocka_unit_test(a_certificate_for_a_key_that_is_not_there_is_refused),
        cmocka_unit_test(without_a_trail_no_key_is_made),
        cmocka_unit_test(destroyed_under_load_it_signs_or_is_not_there),
        cmocka_unit_test(what_was_done_is_in_the_trail),
        cmocka_unit_test(a_token_that_does_not_unwrap_makes_keys_and_takes_certificates_too),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
