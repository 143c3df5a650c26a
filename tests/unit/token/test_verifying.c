/* SPDX-License-Identifier: BSD-2-Clause */
/* What a token gives for a signature, and what is given out of it. */
#include "fixture.h"

#include "base/clock.h"
#include "base/digest.h"
#include "token/verifier.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the verifier by itself */

static const uint8_t *point_of(const struct fx_key *key)
{
    return key->spki + sizeof(key->spki) - STK_POINT_LENGTH;
}

static void openssl_signs(const struct fx_key *key, const uint8_t digest[STK_DIGEST_LENGTH],
                          uint8_t ret_signature[STK_SIGNATURE_LENGTH])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
    unsigned char der[80] = {0};
    const unsigned char *at = der;
    size_t length = sizeof(der);
    ECDSA_SIG *pair = NULL;

    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &length, digest, STK_DIGEST_LENGTH), 1);
    pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    assert_non_null(pair);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_signature, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_signature + 32, 32);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
}

static void the_verifier_says_what_openssl_says(void **state)
{
    struct stk_verifier *verifier = NULL;

    (void)state;
    assert_int_equal(stk_verifier_new(&verifier), STIRKEEP_OK);
    for (unsigned round = 0; round < 20; round++) {
        struct fx_key key = {0};

        fx_key_new(&key);
        for (unsigned i = 0; i < 40; i++) {
            uint8_t digest[STK_DIGEST_LENGTH] = {0};
            uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
            unsigned bit = (round * 40 + i) % (8 * STK_SIGNATURE_LENGTH);

            stk_random(digest, sizeof(digest));
            openssl_signs(&key, digest, signature);
            assert_true(stk_verifier_holds(verifier, point_of(&key), digest, signature));
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(stk_verifier_holds(verifier, point_of(&key), digest, signature),
                             fx_verifies(&key, digest, signature));
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            digest[bit % STK_DIGEST_LENGTH] ^= 0x10;
            assert_false(stk_verifier_holds(verifier, point_of(&key), digest, signature));
        }
        fx_key_free(&key);
    }
    stk_verifier_free(verifier);
    stk_verifier_free(NULL);
}

static void r_and_s_have_to_be_from_1_to_the_order_less_1(void **state)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    struct stk_verifier *verifier = NULL;
    struct fx_key key = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {1};
    uint8_t order[32] = {0};
    uint8_t good[STK_SIGNATURE_LENGTH] = {0};

    (void)state;
    assert_int_equal(stk_verifier_new(&verifier), STIRKEEP_OK);
    (void)BN_bn2binpad(EC_GROUP_get0_order(group), order, sizeof(order));
    fx_key_new(&key);
    openssl_signs(&key, digest, good);
    for (size_t half = 0; half < 2; half++) {
        uint8_t signature[STK_SIGNATURE_LENGTH];

        memcpy(signature, good, sizeof(good));
        memset(signature + 32 * half, 0, 32);
        assert_false(stk_verifier_holds(verifier, point_of(&key), digest, signature));
        memcpy(signature + 32 * half, order, 32);
        assert_false(stk_verifier_holds(verifier, point_of(&key), digest, signature));
        memset(signature + 32 * half, 0xff, 32);
        assert_false(stk_verifier_holds(verifier, point_of(&key), digest, signature));
    }
    assert_true(stk_verifier_holds(verifier, point_of(&key), digest, good));
    fx_key_free(&key);
    EC_GROUP_free(group);
    stk_verifier_free(verifier);
}

static void what_is_no_point_of_the_curve_verifies_nothing(void **state)
{
    struct stk_verifier *verifier = NULL;
    struct fx_key key = {0};
    struct fx_key other = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {2};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    uint8_t point[STK_POINT_LENGTH] = {0};

    (void)state;
    assert_int_equal(stk_verifier_new(&verifier), STIRKEEP_OK);
    fx_key_new(&key);
    fx_key_new(&other);
    openssl_signs(&key, digest, signature);
    assert_false(stk_verifier_holds(verifier, point, digest, signature));
    memcpy(point, point_of(&key), sizeof(point));
    point[63] ^= 1;
    assert_false(stk_verifier_holds(verifier, point, digest, signature));
    assert_false(stk_verifier_holds(verifier, point_of(&other), digest, signature));
    assert_true(stk_verifier_holds(verifier, point_of(&key), digest, signature));
    fx_key_free(&key);
    fx_key_free(&other);
    stk_verifier_free(verifier);
}

/* ---- signers */

static struct stk_token *token;
static struct stk_signer *signer;
static struct fx_key key;
static unsigned signatures;     /* since they were counted */
static unsigned wrong_from = 1; /* of them, these are no signatures: from the first ... */
static unsigned wrong_to;       /* ... to the last */
static unsigned wrong_also;     /* and this one */
static CK_ULONG wrong_length;   /* 64: a bit is turned over */
static CK_RV fails_with;        /* all of them, unless CKR_OK */

static CK_RV sign_wrongly(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
                          CK_BYTE *ret_signature, CK_ULONG *ret_length)
{
    CK_RV rv = fx_real()->C_Sign(session, data, length, ret_signature, ret_length);

    signatures++;
    if (fails_with != CKR_OK)
        return fails_with;
    if (rv == CKR_OK &&
        ((signatures >= wrong_from && signatures <= wrong_to) || signatures == wrong_also)) {
        ret_signature[17] ^= 4;
        *ret_length = wrong_length;
    }
    return rv;
}

static void be_wrong(unsigned from, unsigned to, CK_ULONG length)
{
    signatures = 0;
    wrong_from = from;
    wrong_to = to;
    wrong_also = 0;
    wrong_length = length;
}

static int begin(bool sampled)
{
    if (fx_module() == NULL)
        return 0;
    token = fx_open();
    token->verify_sampled = sampled;
    if (stk_signer_new(token, &signer, NULL) != STIRKEEP_OK)
        return -1;
    fx_intercept(token)->C_Sign = sign_wrongly;
    fails_with = CKR_OK;
    be_wrong(1, 0, 0);
    fx_key_new(&key);
    fx_import(token, &key);
    return 0;
}

static int begin_always(void **state)
{
    (void)state;
    return begin(false);
}

static int begin_sampled(void **state)
{
    (void)state;
    return begin(true);
}

static int end(void **state)
{
    (void)state;
    if (fx_module() == NULL)
        return 0;
    fx_key_free(&key);
    stk_signer_free(signer);
    stk_token_close(token);
    return 0;
}

static enum stirkeep_status try_sign(bool *ret_verifies, struct stk_error *error)
{
    static const uint8_t untouched[STK_SIGNATURE_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_random(digest, sizeof(digest));
    status = stk_signer_sign(signer, &key.key_id, digest, signature, error);
    *ret_verifies = status == STIRKEEP_OK && fx_verifies(&key, digest, signature);
    if (status != STIRKEEP_OK)
        assert_memory_equal(signature, untouched, sizeof(signature));
    return status;
}

static void assert_signs(void)
{
    struct stk_error error = {0};
    bool verifies = false;

    if (try_sign(&verifies, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_true(verifies);
}

static void one_that_does_not_verify_is_made_again(void **state)
{
    (void)state;
    fx_require();
    assert_signs();
    assert_int_equal(stk_token_wrong(token), 0);
    for (unsigned i = 1; i <= 300; i++) {
        be_wrong(1, i % 3 == 0 ? 1 : 0, STK_SIGNATURE_LENGTH);
        assert_signs();
        assert_int_equal(signatures, i % 3 == 0 ? 3 : 1); /* wrong, the proof, right */
    }
    assert_int_equal(stk_token_wrong(token), 100);
}

static void one_of_another_length_is_made_again(void **state)
{
    static const CK_ULONG lengths[] = {0, 1, 32, 63, 65, 72, 96};

    (void)state;
    fx_require();
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        assert_signs();
        be_wrong(1, 1, lengths[i]);
        assert_signs();
        assert_int_equal(stk_token_wrong(token), i + 1);
    }
}

static void a_key_that_signs_wrongly_is_not_used(void **state)
{
    struct stk_error error = {0};
    bool verifies = false;

    (void)state;
    fx_require();
    assert_signs();
    be_wrong(1, UINT32_MAX, STK_SIGNATURE_LENGTH);
    for (int i = 0; i < 20; i++)
        assert_int_equal(try_sign(&verifies, &error), STIRKEEP_KEY_UNAVAILABLE);
    assert_in_range(signatures, 2, 4); /* it is not tried over and over */
}

static void one_that_is_wrong_again_after_the_proof_was_right_is_a_failure(void **state)
{
    struct stk_error error = {0};
    bool verifies = false;

    (void)state;
    fx_require();
    assert_signs();
    be_wrong(1, 1, STK_SIGNATURE_LENGTH);
    wrong_also = 3;
    assert_int_equal(try_sign(&verifies, &error), STIRKEEP_TOKEN_ERROR);
    assert_string_equal(error.message, "C_Sign: CKR_SIGNATURE_INVALID");
    assert_int_equal(stk_token_wrong(token), 2);
    be_wrong(1, 0, 0);
    assert_signs();
}

static void samples_are_the_first_ones_after_a_key_was_found(void **state)
{
    (void)state;
    fx_require();
    for (unsigned i = 1; i <= STK_SIGNER_SAMPLE_FIRST; i++) {
        atomic_store(&token->wrong, 0);
        stk_signer_forget(signer, &key.key_id);
        be_wrong(1 + i, 1 + i, STK_SIGNATURE_LENGTH); /* the proof comes first */
        for (unsigned j = 0; j < i; j++)
            assert_signs();
        assert_int_equal(stk_token_wrong(token), 1);
    }
}

static void
among_samples_a_wrong_one_is_seen_in_time_and_all_are_verified_from_then_on(void **state)
{
    unsigned left = 0;

    (void)state;
    fx_require();
    for (unsigned i = 0; i <= STK_SIGNER_SAMPLE_FIRST; i++)
        assert_signs();
    be_wrong(1, UINT32_MAX, STK_SIGNATURE_LENGTH);
    while (stk_token_wrong(token) == 0) {
        struct stk_error error = {0};
        bool verifies = false;

        assert_true(left++ < 40 * STK_SIGNER_SAMPLE); /* a chance of 1 in e^40 */
        (void)try_sign(&verifies, &error);
    }
    be_wrong(1, 0, 0);
    (void)usleep(1100000); /* the key was found unfit */
    assert_signs();
    for (unsigned i = 0; i < 200; i++) {
        be_wrong(1, 1, STK_SIGNATURE_LENGTH);
        assert_signs();
    }
}

static void a_device_that_has_gone_is_known_at_once(void **state)
{
    static const CK_RV gone[] = {CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT,
                                 CKR_TOKEN_NOT_RECOGNIZED, CKR_SLOT_ID_INVALID,
                                 CKR_CRYPTOKI_NOT_INITIALIZED};
    struct stk_error error = {0};
    bool verifies = false;

    (void)state;
    fx_require();
    assert_signs();
    fails_with = CKR_FUNCTION_FAILED;
    assert_int_not_equal(try_sign(&verifies, &error), STIRKEEP_OK);
    assert_false(stk_token_gone(token));
    assert_false(stk_token_device_error(token));
    fails_with = CKR_DEVICE_ERROR;
    assert_int_equal(try_sign(&verifies, &error), STIRKEEP_TOKEN_ERROR);
    assert_false(stk_token_gone(token));
    assert_true(stk_token_device_error(token));
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        atomic_store(&token->gone, false);
        fails_with = gone[i];
        assert_int_equal(try_sign(&verifies, &error), STIRKEEP_TOKEN_ERROR);
        assert_true(stk_token_gone(token));
    }
}

/* ---- while it is opened */

static _Atomic uint64_t busy;

static uint64_t told_at_opening;

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *ret_session)
{
    told_at_opening = atomic_load(&busy);
    return fx_real()->C_OpenSession(slot, flags, application, notify, ret_session);
}

static void what_is_called_while_it_is_opened_is_told(void **state)
{
    const struct stk_token_options options = {
        .module = fx_module(), .label = FX_LABEL, .directory = "", .busy = &busy};
    struct stk_secret pin = {0};
    struct stk_token *opened = NULL;
    struct stk_signer *first = NULL;
    uint64_t before = stk_clock_mono_us();

    (void)state;
    fx_require();
    atomic_store(&busy, 1);
    assert_int_equal(stk_secret_new(&pin, 512), STIRKEEP_OK);
    pin.length = strlen(FX_PIN);
    memcpy(pin.data, FX_PIN, pin.length);
    assert_int_equal(stk_token_open(&options, &pin, &opened, NULL), STIRKEEP_OK);
    assert_int_equal(atomic_load(&busy), 0);
    stk_call_begins(&opened->custody);
    assert_in_range(atomic_load(&busy), before, stk_clock_mono_us());
    (void)stk_call_ended(&opened->custody, CKR_OK);
    assert_int_equal(atomic_load(&busy), 0);
    fx_intercept(opened)->C_OpenSession = open_session;
    assert_int_equal(stk_signer_new(opened, &first, NULL), STIRKEEP_OK);
    assert_in_range(told_at_opening, before, stk_clock_mono_us());
    assert_int_equal(atomic_load(&busy), 0);
    stk_signer_free(first);
    stk_token_close(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verifier_says_what_openssl_says),
        cmocka_unit_test(r_and_s_have_to_be_from_1_to_the_order_less_1),
        cmocka_unit_test(what_is_no_point_of_the_curve_verifies_nothing),
        cmocka_unit_test(what_is_called_while_it_is_opened_is_told),
#define ALWAYS(name) cmocka_unit_test_setup_teardown(name, begin_always, end)
        ALWAYS(one_that_does_not_verify_is_made_again),
        ALWAYS(one_of_another_length_is_made_again),
        ALWAYS(a_key_that_signs_wrongly_is_not_used),
        ALWAYS(one_that_is_wrong_again_after_the_proof_was_right_is_a_failure),
        ALWAYS(a_device_that_has_gone_is_known_at_once),
#undef ALWAYS
#define SAMPLED(name) cmocka_unit_test_setup_teardown(name, begin_sampled, end)
        SAMPLED(samples_are_the_first_ones_after_a_key_was_found),
        SAMPLED(one_of_another_length_is_made_again),
        SAMPLED(among_samples_a_wrong_one_is_seen_in_time_and_all_are_verified_from_then_on),
#undef SAMPLED
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
