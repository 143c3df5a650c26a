/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "base/digest.h"
#include "seal/seal.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define BITS 2048
#define RSA_LENGTH (BITS / 8)

static EVP_PKEY *token_key;
static uint8_t *token_spki;
static size_t token_spki_length;

static uint8_t *spki_of(EVP_PKEY *key, size_t *ret_length)
{
    uint8_t *spki = NULL;
    int length = i2d_PUBKEY(key, &spki);

    assert_true(length > 0);
    *ret_length = (size_t)length;
    return spki;
}

static int make_key(void **state)
{
    (void)state;
    token_key = EVP_RSA_gen(BITS);
    if (token_key == NULL)
        return -1;
    token_spki = spki_of(token_key, &token_spki_length);
    return 0;
}

static int free_key(void **state)
{
    (void)state;
    OPENSSL_free(token_spki);
    EVP_PKEY_free(token_key);
    return 0;
}

static struct stk_bytes wrapping(void)
{
    return (struct stk_bytes){token_spki, token_spki_length};
}

static struct stk_secret secret_of(size_t length)
{
    struct stk_secret secret = {0};

    assert_int_equal(stk_secret_new(&secret, length + 1), STIRKEEP_OK);
    stk_random(secret.data, length);
    secret.length = length;
    return secret;
}

/* What the token does with the RSA part: OAEP, with SHA-1 everywhere. 0: refused. */
static size_t decrypt(EVP_PKEY *key, const uint8_t *data, uint8_t ret_plain[RSA_LENGTH])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    size_t length = RSA_LENGTH;

    assert_int_equal(EVP_PKEY_decrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha1()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha1()), 1);
    if (EVP_PKEY_decrypt(context, ret_plain, &length, data, RSA_LENGTH) != 1)
        length = 0;
    EVP_PKEY_CTX_free(context);
    return length;
}

static struct stk_secret aes_of(const struct stk_buffer *sealed)
{
    struct stk_secret aes = {0};

    assert_true(sealed->length > RSA_LENGTH);
    assert_int_equal(stk_secret_new(&aes, RSA_LENGTH), STIRKEEP_OK);
    aes.length = decrypt(token_key, sealed->data, aes.data);
    assert_int_equal(aes.length, 32);
    return aes;
}

static struct stk_bytes wrapped_part(const struct stk_buffer *sealed)
{
    return (struct stk_bytes){sealed->data + RSA_LENGTH, sealed->length - RSA_LENGTH};
}

static void test_what_was_sealed_comes_back(void **state)
{
    static const size_t lengths[] = {1, 7, 8, 9, 121, 138, 150, 1024};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct stk_secret key = secret_of(lengths[i]);
        struct stk_secret back = {0};
        struct stk_secret aes = {0};
        struct stk_buffer sealed = {0};

        assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_OK);
        assert_int_equal(sealed.length, RSA_LENGTH + (lengths[i] + 7) / 8 * 8 + 8);
        aes = aes_of(&sealed);
        assert_int_equal(stk_seal_open(&aes, wrapped_part(&sealed), &back, NULL), STIRKEEP_OK);
        assert_int_equal(back.length, lengths[i]);
        assert_memory_equal(back.data, key.data, lengths[i]);
        stk_secret_free(&aes);
        stk_secret_free(&back);
        stk_secret_free(&key);
        stk_buffer_free(&sealed);
    }
}

/* By OpenSSL's other interface, as the token has its own. */
static void test_the_wrap_is_rfc_5649(void **state)
{
    struct stk_secret key = secret_of(138);
    struct stk_buffer sealed = {0};
    struct stk_secret aes = {0};
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t back[256] = {0};
    int length = 0;

    (void)state;
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_OK);
    aes = aes_of(&sealed);
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    assert_int_equal(EVP_DecryptInit_ex(context, EVP_aes_256_wrap_pad(), NULL, aes.data, NULL), 1);
    assert_int_equal(EVP_DecryptUpdate(context, back, &length, wrapped_part(&sealed).data,
                                       (int)wrapped_part(&sealed).length),
                     1);
    assert_int_equal(length, key.length);
    assert_memory_equal(back, key.data, key.length);
    EVP_CIPHER_CTX_free(context);
    stk_secret_free(&aes);
    stk_secret_free(&key);
    stk_buffer_free(&sealed);
}

static bool contains(const struct stk_buffer *buffer, const uint8_t *needle, size_t length)
{
    return memmem(buffer->data, buffer->length, needle, length) != NULL;
}

static void test_no_part_of_the_key_shows_and_no_two_sealings_are_alike(void **state)
{
    struct stk_secret key = secret_of(121);
    struct stk_buffer one = {0};
    struct stk_buffer two = {0};

    (void)state;
    assert_int_equal(stk_seal(wrapping(), &key, &one, NULL), STIRKEEP_OK);
    assert_int_equal(stk_seal(wrapping(), &key, &two, NULL), STIRKEEP_OK);
    for (size_t at = 0; at + 8 <= key.length; at++)
        assert_false(contains(&one, key.data + at, 8));
    assert_memory_not_equal(one.data, two.data, RSA_LENGTH);
    assert_memory_not_equal(one.data + RSA_LENGTH, two.data + RSA_LENGTH, one.length - RSA_LENGTH);
    stk_secret_free(&key);
    stk_buffer_free(&one);
    stk_buffer_free(&two);
}

static void assert_closed(const struct stk_secret *aes, const uint8_t *data, size_t length)
{
    struct stk_secret back = {0};
    struct stk_error error = {0};

    assert_int_equal(stk_seal_open(aes, (struct stk_bytes){data, length}, &back, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_int_equal(error.status, STIRKEEP_NOT_VERIFIED);
    assert_non_null(strstr(error.message, "sealed key"));
    assert_null(back.data);
}

static void test_any_changed_bit_keeps_it_closed(void **state)
{
    struct stk_secret key = secret_of(121);
    struct stk_buffer sealed = {0};
    struct stk_secret aes = {0};
    uint8_t *part = NULL;
    size_t length = 0;

    (void)state;
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_OK);
    aes = aes_of(&sealed);
    part = sealed.data + RSA_LENGTH;
    length = sealed.length - RSA_LENGTH;
    for (size_t bit = 0; bit < length * 8; bit += 5) {
        part[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_closed(&aes, part, length);
        part[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    aes.data[31] ^= 1;
    assert_closed(&aes, part, length);
    stk_secret_free(&aes);
    stk_secret_free(&key);
    stk_buffer_free(&sealed);
}

static void test_wrong_lengths_stay_closed(void **state)
{
    struct stk_secret key = secret_of(121);
    struct stk_buffer sealed = {0};
    struct stk_secret aes = {0};
    static const uint8_t long_one[STK_SEALED_MAX + 8];
    const uint8_t *part = NULL;
    size_t length = 0;

    (void)state;
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_OK);
    aes = aes_of(&sealed);
    part = sealed.data + RSA_LENGTH;
    length = sealed.length - RSA_LENGTH;
    for (size_t shorter = 0; shorter < length; shorter++)
        assert_closed(&aes, part, shorter);
    assert_closed(&aes, NULL, 0);
    assert_closed(&aes, NULL, 16);
    assert_closed(&aes, long_one, sizeof(long_one));
    aes.length = 16;
    assert_closed(&aes, part, length);
    aes.length = 0;
    assert_closed(&aes, part, length);
    stk_secret_free(&aes);
    stk_secret_free(&key);
    stk_buffer_free(&sealed);
}

static void test_a_sealed_key_is_for_one_token_only(void **state)
{
    EVP_PKEY *other = EVP_RSA_gen(BITS);
    struct stk_secret key = secret_of(121);
    struct stk_buffer sealed = {0};
    uint8_t plain[RSA_LENGTH] = {0};

    (void)state;
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_OK);
    assert_int_equal(decrypt(other, sealed.data, plain), 0);
    stk_secret_free(&key);
    stk_buffer_free(&sealed);
    EVP_PKEY_free(other);
}

static void assert_no_wrapping_key(const uint8_t *spki, size_t length)
{
    struct stk_secret key = secret_of(121);
    struct stk_buffer sealed = {0};
    struct stk_error error = {0};

    assert_int_equal(stk_seal((struct stk_bytes){spki, length}, &key, &sealed, &error),
                     STIRKEEP_INVALID);
    assert_non_null(strstr(error.message, "wrapping key"));
    assert_null(sealed.data);
    stk_secret_free(&key);
}

static void assert_key_refused(EVP_PKEY *key)
{
    size_t length = 0;
    uint8_t *spki = spki_of(key, &length);

    assert_no_wrapping_key(spki, length);
    OPENSSL_free(spki);
    EVP_PKEY_free(key);
}

static void test_what_is_no_wrapping_key_is_refused(void **state)
{
    uint8_t *longer = NULL;
    static const uint8_t zeros[300];

    (void)state;
    assert_key_refused(EVP_RSA_gen(1024));
    assert_key_refused(EVP_EC_gen("P-256"));
    assert_no_wrapping_key(NULL, 0);
    assert_no_wrapping_key(NULL, 300);
    assert_no_wrapping_key(token_spki, 0);
    assert_no_wrapping_key(zeros, sizeof(zeros));
    for (size_t length = 1; length < token_spki_length; length += 13)
        assert_no_wrapping_key(token_spki, length);
    longer = calloc(1, token_spki_length + 1);
    memcpy(longer, token_spki, token_spki_length);
    assert_no_wrapping_key(longer, token_spki_length + 1);
    free(longer);
}

static void test_what_cannot_be_a_key_is_not_sealed(void **state)
{
    struct stk_secret key = secret_of(STK_SEALED_MAX + 1);
    struct stk_buffer sealed = {0};

    (void)state;
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_TOO_LARGE);
    key.length = STK_SEALED_MAX; /* fits by itself, not with what sealing adds */
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_TOO_LARGE);
    key.length = 0;
    assert_int_equal(stk_seal(wrapping(), &key, &sealed, NULL), STIRKEEP_TOO_LARGE);
    assert_null(sealed.data);
    stk_secret_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sealed_comes_back),
        cmocka_unit_test(test_the_wrap_is_rfc_5649),
        cmocka_unit_test(test_no_part_of_the_key_shows_and_no_two_sealings_are_alike),
        cmocka_unit_test(test_any_changed_bit_keeps_it_closed),
        cmocka_unit_test(test_wrong_lengths_stay_closed),
        cmocka_unit_test(test_a_sealed_key_is_for_one_token_only),
        cmocka_unit_test(test_what_is_no_wrapping_key_is_refused),
        cmocka_unit_test(test_what_cannot_be_a_key_is_not_sealed),
    };

    return cmocka_run_group_tests(tests, make_key, free_key);
}
