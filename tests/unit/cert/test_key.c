/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "cert/key.h"
#include "pki.h"
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

/* Private keys as people have them. The deprecated functions write what old tools write. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static EVP_PKEY *p256;
static struct pki_chain chain;

static int setup(void **state)
{
    (void)state;
    p256 = pki_rfc6979_key();
    chain = pki_chain_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(p256);
    pki_chain_free(&chain);
    return 0;
}

static void take(struct pki_text *text, BIO *bio)
{
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);

    assert_true(length > 0);
    text->length = 0;
    pki_add(text, data, (size_t)length);
    BIO_free(bio);
}

static void pkcs8_pem(struct pki_text *text, EVP_PKEY *key, const EVP_CIPHER *cipher,
                      const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, NULL, 0, NULL,
                                                   (void *)(uintptr_t)passphrase),
                     1);
    take(text, bio);
}

static void sec1_pem(struct pki_text *text, EVP_PKEY *key, const EVP_CIPHER *cipher,
                     const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, cipher, NULL, 0, NULL,
                                                          (void *)(uintptr_t)passphrase),
                     1);
    take(text, bio);
}

static enum stirkeep_status read_key(const struct pki_text *text, const char *passphrase,
                                     struct stk_private_key *ret_key, struct stk_error *error)
{
    struct stk_secret data = pki_secret(text->data, text->length);
    struct stk_secret phrase = pki_secret(passphrase, passphrase != NULL ? strlen(passphrase) : 0);
    enum stirkeep_status status = stk_private_key_read(
        &data, "leaf.key", passphrase != NULL ? &phrase : NULL, ret_key, error);

    stk_secret_free(&data);
    stk_secret_free(&phrase);
    return status;
}

/* The key is read, is this one, and comes out in the one form that goes to the token. */
static void expect_key(const struct pki_text *text, const char *passphrase, EVP_PKEY *wanted)
{
    struct stk_private_key key = {0};
    struct stk_error error = {0};
    const unsigned char *at = NULL;
    unsigned char *spki = NULL;
    EVP_PKEY *found = NULL;
    EVP_PKEY_CTX *context = NULL;
    uint8_t digest[STK_DIGEST_LENGTH];

    if (read_key(text, passphrase, &key, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    at = key.pkcs8.data;
    found = d2i_AutoPrivateKey(NULL, &at, (long)key.pkcs8.length);
    assert_non_null(found);
    assert_ptr_equal(at, key.pkcs8.data + key.pkcs8.length);
    assert_int_equal(EVP_PKEY_eq(found, wanted), 1);
    context = EVP_PKEY_CTX_new(found, NULL);
    assert_int_equal(EVP_PKEY_pairwise_check(context), 1);
    EVP_PKEY_CTX_free(context);
    assert_int_equal(i2d_PUBKEY(wanted, &spki), sizeof(key.spki));
    assert_memory_equal(spki, key.spki, sizeof(key.spki));
    stk_sha256(key.spki, sizeof(key.spki), digest);
    assert_memory_equal(digest, key.id.bytes, sizeof(digest));
    assert_true(key.form[0] != '\0');
    OPENSSL_free(spki);
    EVP_PKEY_free(found);
    stk_private_key_free(&key);
}

static void expect_refusal(const struct pki_text *text, const char *passphrase,
                           enum stirkeep_status wanted, const char *words)
{
    struct stk_private_key key = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = read_key(text, passphrase, &key, &error);

    if (status != wanted || strstr(error.message, words) == NULL)
        fail_msg("%d, \"%s\"; wanted %d, \"%s\"", status, error.message, wanted, words);
    assert_non_null(strstr(error.message, "leaf.key"));
    assert_null(key.pkcs8.data);
}

static void plain_pem_of_both_kinds(void **state)
{
    struct pki_text text = {0};
    (void)state;

    pkcs8_pem(&text, p256, NULL, NULL);
    expect_key(&text, NULL, p256);
    expect_key(&text, "not needed", p256);
    sec1_pem(&text, p256, NULL, NULL);
    expect_key(&text, NULL, p256);
}

static void encrypted_pem_of_both_kinds(void **state)
{
    struct pki_text text = {0};
    (void)state;

    pkcs8_pem(&text, p256, EVP_aes_256_cbc(), "secret words");
    expect_key(&text, "secret words", p256);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "passphrase");
    expect_refusal(&text, "other words", STIRKEEP_KEY_UNREADABLE, "passphrase");
    sec1_pem(&text, p256, EVP_aes_128_cbc(), "secret words");
    expect_key(&text, "secret words", p256);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "passphrase");
    expect_refusal(&text, "other words", STIRKEEP_KEY_UNREADABLE, "passphrase");
}

static void der_of_both_kinds(void **state)
{
    struct pki_text text = {0};
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(p256);
    int length = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    (void)state;

    pki_add(&text, der, (size_t)length);
    expect_key(&text, NULL, p256);
    OPENSSL_free(der);
    der = NULL;
    length = i2d_PrivateKey(p256, &der);
    text.length = 0;
    pki_add(&text, der, (size_t)length);
    expect_key(&text, NULL, p256);
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void take_sealed(struct pki_text *text, X509_SIG *sealed)
{
    unsigned char *der = NULL;
    int length = 0;

    assert_non_null(sealed);
    length = i2d_X509_SIG(sealed, &der);
    assert_true(length > 0);
    text->length = 0;
    pki_add(text, der, (size_t)length);
    OPENSSL_free(der);
    X509_SIG_free(sealed);
}

static void encrypted_der_in_the_ways_of_openssl(void **state)
{
    static const uint8_t modest[] = {0x02, 0x03, 0x01, 0x11, 0x70}; /* 70000 */
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(p256);
    X509_ALGOR *scrypt = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, 16384, 8, 1);
    struct pki_text text = {0};
    uint8_t *at = NULL;
    (void)state;

    take_sealed(&text, PKCS8_encrypt(-1, EVP_aes_256_cbc(), "x", 1, NULL, 0, 70000, info));
    expect_key(&text, "x", p256);
    expect_refusal(&text, "y", STIRKEEP_KEY_UNREADABLE, "passphrase is wrong");
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "passphrase is needed");
    at = memmem(text.data, text.length, modest, sizeof(modest));
    assert_non_null(at);
    memset(at + 2, 0x7f, 3);
    expect_refusal(&text, "x", STIRKEEP_KEY_UNREADABLE, "more work");
    take_sealed(&text, PKCS8_encrypt(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NULL, "x", 1, NULL, 0,
                                     2048, info));
    expect_key(&text, "x", p256);
    take_sealed(&text, PKCS8_set0_pbe("x", 1, info, scrypt));
    expect_key(&text, "x", p256);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void pkcs12(struct pki_text *text, const char *passphrase, int key_cipher)
{
    PKCS12 *store = PKCS12_create(passphrase, "leaf", chain.leaf_key, chain.leaf, NULL, key_cipher,
                                  key_cipher, 2048, 2048, 0);
    unsigned char *der = NULL;
    int length = 0;

    assert_non_null(store);
    length = i2d_PKCS12(store, &der);
    assert_true(length > 0);
    text->length = 0;
    pki_add(text, der, (size_t)length);
    OPENSSL_free(der);
    PKCS12_free(store);
}

static void pkcs12_with_its_passphrase(void **state)
{
    struct pki_text text = {0};
    (void)state;

    pkcs12(&text, "secret words", NID_aes_256_cbc);
    expect_key(&text, "secret words", chain.leaf_key);
    expect_refusal(&text, "other words", STIRKEEP_KEY_UNREADABLE, "passphrase");
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "passphrase");
    text.data[text.length / 2] ^= 1;
    expect_refusal(&text, "secret words", STIRKEEP_KEY_UNREADABLE, "");
}

static void line_ends_marks_and_text_around_do_not_matter(void **state)
{
    struct pki_text plain = {0};
    struct pki_text text = {0};
    (void)state;

    pkcs8_pem(&plain, p256, NULL, NULL);
    pki_add_string(&text, "\xef\xbb\xbf"
                          "Bag Attributes\r\n    friendlyName: leaf\r\n");
    for (size_t i = 0; i < plain.length; i++) {
        if (plain.data[i] == '\n')
            pki_add_string(&text, "\r");
        pki_add(&text, &plain.data[i], 1);
    }
    pki_add_string(&text, "\r\n\r\n");
    expect_key(&text, NULL, p256);
    for (size_t i = 0; i < plain.length; i++)
        if (plain.data[i] == '\n')
            plain.data[i] = '\r';
    expect_key(&plain, NULL, p256);
}

static void a_key_among_certificates(void **state)
{
    struct pki_text text = {0};
    struct pki_text key = {0};
    (void)state;

    pki_add_pem(&text, chain.leaf);
    sec1_pem(&key, chain.leaf_key, NULL, NULL);
    pki_add_string(&text, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                          "-----END EC PARAMETERS-----\n");
    pki_add(&text, key.data, key.length);
    pki_add_pem(&text, chain.intermediate);
    expect_key(&text, NULL, chain.leaf_key);
}

static void two_keys_are_one_too_many(void **state)
{
    struct pki_text text = {0};
    struct pki_text key = {0};
    (void)state;

    pkcs8_pem(&text, p256, NULL, NULL);
    pkcs8_pem(&key, chain.leaf_key, NULL, NULL);
    pki_add(&text, key.data, key.length);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "2 private keys in it");
}

static void a_megabyte_is_too_large(void **state)
{
    struct stk_secret data = {0};
    struct stk_private_key key = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_secret_new(&data, 1 << 20), STIRKEEP_OK);
    data.length = data.capacity;
    memset(data.data, 'A', data.length);
    assert_int_equal(stk_private_key_read(&data, "leaf.key", NULL, &key, &error),
                     STIRKEEP_TOO_LARGE);
    assert_non_null(strstr(error.message, "leaf.key: 1048576 bytes"));
    assert_null(key.pkcs8.data);
    stk_secret_free(&data);
}

static void other_kinds_of_key_are_named(void **state)
{
    struct pki_text text = {0};
    EVP_PKEY *rsa = pki_rsa_key();
    EVP_PKEY *p384 = pki_ec_key("P-384");
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    (void)state;

    pkcs8_pem(&text, rsa, NULL, NULL);
    expect_refusal(&text, NULL, STIRKEEP_KEY_TYPE, "RSA 2048 key; STIR/SHAKEN needs P-256");
    sec1_pem(&text, rsa, NULL, NULL);
    expect_refusal(&text, NULL, STIRKEEP_KEY_TYPE, "RSA 2048 key; STIR/SHAKEN needs P-256");
    pkcs8_pem(&text, p384, NULL, NULL);
    expect_refusal(&text, NULL, STIRKEEP_KEY_TYPE, "EC P-384 key; STIR/SHAKEN needs P-256");
    sec1_pem(&text, p384, NULL, NULL);
    expect_refusal(&text, NULL, STIRKEEP_KEY_TYPE, "EC P-384 key; STIR/SHAKEN needs P-256");
    pkcs8_pem(&text, ed25519, NULL, NULL);
    expect_refusal(&text, NULL, STIRKEEP_KEY_TYPE, "Ed25519");
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(ed25519);
}

static void what_is_no_private_key_is_told(void **state)
{
    struct pki_text text = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    (void)state;

    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "empty");
    pki_add_pem(&text, chain.leaf);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "no private key");
    assert_int_equal(PEM_write_bio_PUBKEY(bio, p256), 1);
    take(&text, bio);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "it is a public key");
    text.length = 0;
    pki_add_string(&text, "hello, this is a letter\n");
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "neither PEM nor DER");
    text.length = 0;
    for (unsigned seed = 7; text.length < 300; text.length++)
        text.data[text.length] = (uint8_t)rand_r(&seed);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "neither PEM nor DER");
    text.length = 0;
    pki_add_string(&text, "{\"kty\":\"EC\",\"crv\":\"P-256\"}\n");
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "JWK");
    pkcs8_pem(&text, p256, NULL, NULL);
    text.length -= 30; /* cut off */
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "truncated");
}

static void a_public_key_that_is_another_ones_is_refused(void **state)
{
    struct pki_text text = {0};
    EC_KEY *mixed = EC_KEY_dup(EVP_PKEY_get0_EC_KEY(p256));
    const EC_KEY *other = EVP_PKEY_get0_EC_KEY(chain.leaf_key);
    unsigned char *der = NULL;
    int length = 0;
    (void)state;

    assert_int_equal(EC_KEY_set_public_key(mixed, EC_KEY_get0_public_key(other)), 1);
    length = i2d_ECPrivateKey(mixed, &der);
    assert_true(length > 0);
    pki_add(&text, der, (size_t)length);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "does not belong to the private key");
    OPENSSL_free(der);
    EC_KEY_free(mixed);
}

static void noise_is_survived(void **state)
{
    static struct pki_text forms[4];
    unsigned seed = 20261126;
    size_t refused = 0;
    (void)state;

    pkcs8_pem(&forms[0], p256, NULL, NULL);
    sec1_pem(&forms[1], p256, NULL, NULL);
    pkcs12(&forms[2], "x", NID_aes_128_cbc);
    {
        unsigned char *der = NULL;
        int length = i2d_PrivateKey(p256, &der);

        forms[3].length = 0;
        pki_add(&forms[3], der, (size_t)length);
        OPENSSL_free(der);
    }
    for (int round = 0; round < 1200; round++) {
        struct pki_text *form = &forms[round % 4];
        struct stk_private_key key = {0};
        size_t at = (size_t)rand_r(&seed) % form->length;
        uint8_t before = form->data[at];
        size_t length = form->length;

        form->data[at] = (uint8_t)rand_r(&seed);
        if (round % 7 == 0)
            form->length = at;
        if (read_key(form, "x", &key, NULL) == STIRKEEP_OK)
            stk_private_key_free(&key);
        else
            refused++;
        form->data[at] = before;
        form->length = length;
    }
    assert_true(refused > 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_pem_of_both_kinds),
        cmocka_unit_test(encrypted_pem_of_both_kinds),
        cmocka_unit_test(der_of_both_kinds),
        cmocka_unit_test(encrypted_der_in_the_ways_of_openssl),
        cmocka_unit_test(pkcs12_with_its_passphrase),
        cmocka_unit_test(line_ends_marks_and_text_around_do_not_matter),
        cmocka_unit_test(a_key_among_certificates),
        cmocka_unit_test(two_keys_are_one_too_many),
        cmocka_unit_test(a_megabyte_is_too_large),
        cmocka_unit_test(other_kinds_of_key_are_named),
        cmocka_unit_test(what_is_no_private_key_is_told),
        cmocka_unit_test(a_public_key_that_is_another_ones_is_refused),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("key", tests, setup, teardown);
}
