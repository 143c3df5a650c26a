/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "cert/cert.h"
#include "cert/key.h"
#include "cert/p256.h"
#include "pki.h"
#include <openssl/ecdsa.h>
#include <string.h>

static struct pki_chain pki;

static int setup(void **state)
{
    (void)state;
    pki = pki_chain_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_chain_free(&pki);
    return 0;
}

static enum stirkeep_status read_chain(const struct pki_text *text, struct stk_chain **ret_chain,
                                       struct stk_error *error)
{
    return stk_chain_read(pki_bytes(text), "leaf.pem", ret_chain, error);
}

static void pem_and_der_are_read_leaf_first(void **state)
{
    struct pki_text text = {0};
    struct pki_text der = {0};
    struct stk_chain *chain = NULL;
    struct stk_buffer pem = {0};
    (void)state;

    pki_add_string(&text, "\xef\xbb\xbf"
                          "subject=leaf\r\n");
    pki_add_pem(&text, pki.leaf);
    pki_add_pem(&text, pki.intermediate);
    assert_int_equal(read_chain(&text, &chain, NULL), STIRKEEP_OK);
    assert_int_equal(stk_chain_count(chain), 2);
    pki_add_der(&der, pki.leaf);
    assert_int_equal(stk_chain_der(chain, 0).length, der.length);
    assert_memory_equal(stk_chain_der(chain, 0).data, der.data, der.length);
    assert_int_equal(stk_chain_pem(chain, &pem), STIRKEEP_OK);
    assert_memory_equal(pem.data, "-----BEGIN CERTIFICATE-----\n", 28);
    stk_buffer_free(&pem);
    stk_chain_free(chain);
    assert_int_equal(read_chain(&der, &chain, NULL), STIRKEEP_OK);
    assert_int_equal(stk_chain_count(chain), 1);
    stk_chain_free(chain);
}

static void the_leaf_tells_who_it_is(void **state)
{
    struct pki_text text = {0};
    struct stk_chain *chain = NULL;
    struct stk_arena arena = {0};
    struct stk_leaf leaf = {0};
    uint8_t digest[STK_DIGEST_LENGTH];
    (void)state;

    pki_add_pem(&text, pki.leaf);
    assert_int_equal(read_chain(&text, &chain, NULL), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&arena, 65536), STIRKEEP_OK);
    assert_int_equal(stk_chain_leaf(chain, &arena, &leaf, NULL), STIRKEEP_OK);
    assert_string_equal(leaf.spc, "616H");
    assert_string_equal(leaf.key, "EC P-256 key");
    assert_string_equal(leaf.serial, "123456789ABCDEF0");
    assert_non_null(strstr(leaf.subject, "CN=SHAKEN 616H"));
    assert_non_null(strstr(leaf.issuer, "CN=SHAKEN Intermediate"));
    assert_int_equal(leaf.not_before, PKI_NOW - 10 * PKI_DAY);
    assert_int_equal(leaf.not_after, PKI_NOW + 365 * PKI_DAY);
    assert_int_equal(strlen(leaf.fingerprint), 64);
    assert_true(leaf.p256);
    stk_sha256(leaf.spki, sizeof(leaf.spki), digest);
    assert_memory_equal(digest, leaf.key_id.bytes, sizeof(digest));
    stk_arena_free(&arena);
    stk_chain_free(chain);
}

static void what_is_no_certificate_is_told(void **state)
{
    struct pki_text text = {0};
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(read_chain(&text, &chain, &error), STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(error.message, "leaf.pem: it is empty"));
    pki_add_string(&text, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    assert_int_equal(read_chain(&text, &chain, &error), STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(error.message, "PUBLIC KEY"));
    text.length = 0;
    pki_add_string(&text, "hello\n");
    assert_int_equal(read_chain(&text, &chain, &error), STIRKEEP_CERT_INVALID);
    text.length = 0;
    for (int i = 0; i < STK_CHAIN_MAX + 1; i++)
        pki_add_pem(&text, pki.leaf);
    assert_int_equal(read_chain(&text, &chain, &error), STIRKEEP_TOO_LARGE);
    text.length = 0;
    pki_add_pem(&text, pki.leaf);
    text.length -= 40;
    assert_int_equal(read_chain(&text, &chain, &error), STIRKEEP_CERT_INVALID);
}

static void a_chain_leads_to_its_root_and_to_no_other(void **state)
{
    struct pki_chain other = pki_chain_new();
    struct pki_text text = {0};
    struct pki_text root_text = {0};
    struct pki_text other_text = {0};
    struct stk_chain *chain = NULL;
    struct stk_chain *roots = NULL;
    struct stk_chain *others = NULL;
    struct stk_error error = {0};
    (void)state;

    pki_add_pem(&text, pki.leaf);
    pki_add_pem(&text, pki.intermediate);
    pki_add_pem(&root_text, pki.root);
    pki_add_pem(&other_text, other.root);
    assert_int_equal(read_chain(&text, &chain, NULL), STIRKEEP_OK);
    assert_int_equal(read_chain(&root_text, &roots, NULL), STIRKEEP_OK);
    assert_int_equal(read_chain(&other_text, &others, NULL), STIRKEEP_OK);
    assert_int_equal(stk_chain_trusted(chain, roots, PKI_NOW, &error), STIRKEEP_OK);
    assert_int_equal(stk_chain_trusted(chain, others, PKI_NOW, &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(stk_chain_trusted(chain, roots, PKI_NOW + 400 * PKI_DAY, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_non_null(strstr(error.message, "expired"));
    stk_chain_free(chain);
    stk_chain_free(roots);
    stk_chain_free(others);
    pki_chain_free(&other);
}

/* RFC 6979 A.2.5, "sample": r||s to DER, and verified. */
static void signatures_are_taken_as_r_and_s(void **state)
{
    static const char *const hex =
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    EVP_PKEY *key = pki_rfc6979_key();
    struct pki_spec spec = pki_leaf_spec(key, NULL, NULL);
    X509 *x509 = pki_certificate(&spec);
    struct pki_text text = {0};
    struct stk_chain *chain = NULL;
    uint8_t signature[STK_SIGNATURE_LENGTH];
    uint8_t digest[STK_DIGEST_LENGTH];
    uint8_t der[STK_ECDSA_DER_MAX];
    size_t length = 0;
    const unsigned char *at = der;
    ECDSA_SIG *parsed = NULL;
    (void)state;

    assert_int_equal(OPENSSL_hexstr2buf_ex(signature, sizeof(signature), &length, hex, '\0'), 1);
    stk_sha256("sample", 6, digest);
    pki_add_pem(&text, x509);
    assert_int_equal(read_chain(&text, &chain, NULL), STIRKEEP_OK);
    assert_true(stk_chain_verifies(chain, digest, signature));
    parsed = d2i_ECDSA_SIG(NULL, &at, (long)stk_ecdsa_der(signature, der));
    assert_non_null(parsed);
    ECDSA_SIG_free(parsed);
    for (size_t i = 0; i < sizeof(signature); i += 21) {
        signature[i] ^= 1;
        assert_false(stk_chain_verifies(chain, digest, signature));
        signature[i] ^= 1;
    }
    digest[0] ^= 1;
    assert_false(stk_chain_verifies(chain, digest, signature));
    memset(signature, 0, sizeof(signature));
    assert_false(stk_chain_verifies(chain, digest, signature));
    stk_chain_free(chain);
    X509_free(x509);
    EVP_PKEY_free(key);
}

/* What an import compares: the key file's id with the leaf's. */
static void a_key_belongs_to_its_own_certificate_only(void **state)
{
    struct pki_text text = {0};
    struct stk_chain *chain = NULL;
    struct stk_arena arena = {0};
    struct stk_leaf leaf = {0};
    EVP_PKEY *keys[2] = {pki.leaf_key, pki.intermediate_key};
    (void)state;

    pki_add_pem(&text, pki.leaf);
    assert_int_equal(read_chain(&text, &chain, NULL), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&arena, 65536), STIRKEEP_OK);
    assert_int_equal(stk_chain_leaf(chain, &arena, &leaf, NULL), STIRKEEP_OK);
    for (int i = 0; i < 2; i++) {
        struct stk_private_key key = {0};
        struct stk_secret data = {0};
        unsigned char *der = NULL;
        int length = i2d_PrivateKey(keys[i], &der);

        data = pki_secret(der, (size_t)length);
        assert_int_equal(stk_private_key_read(&data, "key", NULL, &key, NULL), STIRKEEP_OK);
        assert_int_equal(memcmp(&key.id, &leaf.key_id, sizeof(key.id)) == 0, i == 0);
        assert_int_equal(memcmp(key.spki, leaf.spki, sizeof(key.spki)) == 0, i == 0);
        stk_private_key_free(&key);
        stk_secret_free(&data);
        OPENSSL_free(der);
    }
    stk_arena_free(&arena);
    stk_chain_free(chain);
}

static void noise_is_survived(void **state)
{
    static struct pki_text text;
    struct stk_arena arena = {0};
    unsigned seed = 20261126;
    size_t read = 0;
    (void)state;

    pki_add_der(&text, pki.leaf);
    assert_int_equal(stk_arena_new(&arena, 65536), STIRKEEP_OK);
    for (int round = 0; round < 4000; round++) {
        struct stk_chain *chain = NULL;
        struct stk_leaf leaf = {0};
        size_t at = (size_t)rand_r(&seed) % text.length;
        uint8_t before = text.data[at];

        text.data[at] = (uint8_t)rand_r(&seed);
        if (read_chain(&text, &chain, NULL) == STIRKEEP_OK) {
            stk_arena_reset(&arena);
            (void)stk_chain_leaf(chain, &arena, &leaf, NULL);
            stk_chain_free(chain);
            read++;
        }
        text.data[at] = before;
    }
    assert_true(read > 100);
    stk_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_and_der_are_read_leaf_first),
        cmocka_unit_test(the_leaf_tells_who_it_is),
        cmocka_unit_test(what_is_no_certificate_is_told),
        cmocka_unit_test(a_chain_leads_to_its_root_and_to_no_other),
        cmocka_unit_test(signatures_are_taken_as_r_and_s),
        cmocka_unit_test(a_key_belongs_to_its_own_certificate_only),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("chain", tests, setup, teardown);
}
