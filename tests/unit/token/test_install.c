/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY CK_UNAVAILABLE_INFORMATION
#define URL_ONE "https://certs.example.com/Alpha.pem"
#define URL_TWO "https://certs.example.com/renewed/Alpha.pem"

static struct stk_token *token;

static int open_token(void **state)
{
    (void)state;
    if (fx_module() != NULL)
        token = fx_open();
    return 0;
}

static int close_token(void **state)
{
    (void)state;
    stk_token_close(token);
    token = NULL;
    return 0;
}

static void reopen(void)
{
    stk_token_close(token);
    token = fx_open();
}

/* A key made on the token, with its key id, and no certificate. */
static struct fx_key new_held_key(void)
{
    struct stk_key_id ticket = {0};
    struct fx_key key = {0};
    const uint8_t *at = key.spki;

    stk_random(ticket.bytes, sizeof(ticket.bytes));
    assert_int_equal(stk_token_generate(token, "Alpha", &ticket, key.spki, NULL), STIRKEEP_OK);
    stk_sha256(key.spki, sizeof(key.spki), key.key_id.bytes);
    assert_int_equal(stk_token_adopt(token, &ticket, &key.key_id, NULL), STIRKEEP_OK);
    key.pkey = d2i_PUBKEY(NULL, &at, sizeof(key.spki));
    assert_non_null(key.pkey);
    return key;
}

/* What a CA makes of its public key. */
static void issue(const struct fx_key *key, const struct fx_key *ca, struct stk_buffer *ret_der)
{
    X509 *certificate = X509_new();
    X509_NAME *issuer = X509_NAME_new();
    uint64_t serial = 0;
    unsigned char *der = NULL;
    int length = 0;

    stk_random(&serial, sizeof(serial));
    (void)X509_set_version(certificate, X509_VERSION_3);
    (void)ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
    (void)X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const unsigned char *)"CA", -1,
                                     -1, 0);
    (void)X509_set_issuer_name(certificate, issuer);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    (void)X509_set_pubkey(certificate, key->pkey);
    assert_true(X509_sign(certificate, ca->pkey, EVP_sha256()) > 0);
    length = i2d_X509(certificate, &der);
    assert_true(length > 0);
    assert_int_equal(stk_buffer_add(ret_der, der, (size_t)length), STIRKEEP_OK);
    OPENSSL_free(der);
    X509_NAME_free(issuer);
    X509_free(certificate);
}

static enum stirkeep_status try_install(const struct fx_key *key,
                                        const struct stk_buffer *certificate, const char *x5u,
                                        struct stk_error *error)
{
    struct stk_buffer nothing = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = fx_import_of(key, &nothing, chain);

    chain[0] = (struct stk_bytes){certificate->data, certificate->length};
    import.x5u = x5u;
    return stk_token_import(token, &import, error);
}

static void install(const struct fx_key *key, const struct stk_buffer *certificate, const char *x5u)
{
    struct stk_error error = {0};

    if (try_install(key, certificate, x5u, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

static void assert_signs(const struct fx_key *key)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};

    stk_random(digest, sizeof(digest));
    assert_int_equal(stk_token_sign(token, &key->key_id, digest, signature, NULL), STIRKEEP_OK);
    assert_true(fx_verifies(key, digest, signature));
}

static int compare_urls(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The URLs of all certificates under its CKA_ID, sorted, with a blank behind each. */
static void read_urls(const struct fx_key *key, char *ret_text, size_t size)
{
    struct stk_handles found = {0};
    char urls[4][STK_X5U_MAX + 1] = {0};

    assert_int_equal(stk_key_objects(&token->custody, &key->key_id, CKO_CERTIFICATE, &found),
                     CKR_OK);
    assert_true(found.count <= 4);
    for (size_t i = 0; i < found.count; i++) {
        size_t length = 0;

        assert_int_equal(stk_session_read(&token->custody, found.items[i], CKA_URL, urls[i],
                                          STK_X5U_MAX, &length),
                         CKR_OK);
    }
    qsort(urls, found.count, sizeof(urls[0]), compare_urls);
    ret_text[0] = '\0';
    for (size_t i = 0; i < found.count; i++)
        (void)snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), "%s ", urls[i]);
    stk_handles_free(&found);
}

static void assert_urls(const struct fx_key *key, const char *expected)
{
    char text[4 * (STK_X5U_MAX + 2)] = "";

    read_urls(key, text, sizeof(text));
    assert_string_equal(text, expected);
}

/* ---- a certificate for a key that is held */

static void test_the_cas_answer_is_installed_for_a_key_made_on_the_token(void **state)
{
    struct fx_key ca = {0};
    struct fx_key key = {0};
    struct stk_buffer certificate = {0};

    (void)state;
    fx_require();
    fx_key_new(&ca);
    key = new_held_key();
    issue(&key, &ca, &certificate);
    install(&key, &certificate, URL_ONE);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PUBLIC_KEY), 1);
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 1);
    assert_signs(&key);
    install(&key, &certificate, URL_ONE);
    assert_int_equal(fx_count(token, &key.key_id, ANY), 3);
    reopen();
    assert_signs(&key);
    stk_buffer_free(&certificate);
    fx_key_free(&key);
    fx_key_free(&ca);
}

static void test_a_renewed_certificate_is_installed_beside_the_former_one(void **state)
{
    struct fx_key key = {0};
    struct fx_key ca = {0};
    struct stk_buffer renewed = {0};

    (void)state;
    fx_require();
    fx_key_new(&ca);
    fx_key_new(&key);
    fx_import(token, &key);
    issue(&key, &ca, &renewed);
    install(&key, &renewed, URL_TWO);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 2);
    assert_urls(&key, " " URL_TWO " ");
    assert_signs(&key);
    stk_buffer_free(&renewed);
    fx_key_free(&key);
    fx_key_free(&ca);
}

static void test_without_the_key_nothing_is_installed(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    assert_int_equal(try_install(&key, &key.certificate, "", &error), STIRKEEP_KEY_UNAVAILABLE);
    assert_non_null(strstr(error.message, "is not on the token"));
    assert_int_equal(fx_count(token, &key.key_id, ANY), 0);
    fx_plant(token, &other, &key.key_id);
    assert_int_equal(try_install(&key, &key.certificate, "", &error), STIRKEEP_KEY_UNAVAILABLE);
    assert_non_null(strstr(error.message, "does not sign for the certificate"));
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 0);
    assert_int_equal(try_install(&key, &other.certificate, "", &error), STIRKEEP_KEY_MISMATCH);
    fx_key_free(&other);
    fx_key_free(&key);
}

/* ---- the URL */

static void test_the_url_is_kept_with_the_leaf_alone(void **state)
{
    struct fx_key key = {0};
    struct fx_key ca = {0};
    struct stk_buffer certificate = {0};
    struct stk_buffer nothing = {0};
    struct stk_bytes chain[2] = {0};
    struct stk_token_import import = {0};

    (void)state;
    fx_require();
    fx_key_new(&ca);
    key = new_held_key();
    issue(&key, &ca, &certificate);
    import = fx_import_of(&key, &nothing, chain);
    chain[0] = (struct stk_bytes){certificate.data, certificate.length};
    chain[1] = (struct stk_bytes){ca.certificate.data, ca.certificate.length};
    import.chain_count = 2;
    import.x5u = URL_ONE;
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_OK);
    assert_urls(&key, " " URL_ONE " ");
    reopen();
    assert_urls(&key, " " URL_ONE " ");
    stk_buffer_free(&certificate);
    fx_key_free(&key);
    fx_key_free(&ca);
}

static void test_another_url_replaces_the_certificate(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_urls(&key, " ");
    install(&key, &key.certificate, URL_ONE);
    assert_urls(&key, URL_ONE " ");
    install(&key, &key.certificate, URL_TWO);
    assert_urls(&key, URL_TWO " ");
    install(&key, &key.certificate, ""); /* none given: as it is */
    install(&key, &key.certificate, NULL);
    assert_urls(&key, URL_TWO " ");
    assert_signs(&key);
    reopen();
    assert_urls(&key, URL_TWO " ");
    assert_signs(&key);
    fx_key_free(&key);
}

static const CK_ATTRIBUTE *attribute_of(const CK_ATTRIBUTE *attributes, CK_ULONG count,
                                        CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].type == type)
            return &attributes[i];
    return NULL;
}

/* PKCS#11 wants these whenever there is a URL. */
static void test_the_hashes_of_the_keys_are_given_with_the_url(void **state)
{
    struct fx_key key = {0};
    struct stk_handles found = {0};
    unsigned char expected[EVP_MAX_MD_SIZE] = {0};
    uint8_t hash[EVP_MAX_MD_SIZE] = {0};
    unsigned int expected_length = 0;
    size_t length = 0;
    const unsigned char *at = NULL;
    X509 *certificate = NULL;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    install(&key, &key.certificate, URL_ONE);
    at = key.certificate.data;
    certificate = d2i_X509(NULL, &at, (long)key.certificate.length);
    assert_int_equal(X509_pubkey_digest(certificate, EVP_sha1(), expected, &expected_length), 1);
    assert_int_equal(stk_key_objects(&token->custody, &key.key_id, CKO_CERTIFICATE, &found),
                     CKR_OK);
    assert_int_equal(stk_session_read(&token->custody, found.items[0],
                                      CKA_HASH_OF_SUBJECT_PUBLIC_KEY, hash, sizeof(hash), &length),
                     CKR_OK);
    assert_int_equal(length, expected_length);
    assert_memory_equal(hash, expected, length);
    assert_int_equal(stk_session_read(&token->custody, found.items[0],
                                      CKA_HASH_OF_ISSUER_PUBLIC_KEY, hash, sizeof(hash), &length),
                     CKR_OK); /* self-signed */
    assert_memory_equal(hash, expected, length);
    stk_handles_free(&found);
    X509_free(certificate);
    fx_key_free(&key);
}

static unsigned refusals;

static CK_RV refuses_urls(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
                          CK_OBJECT_HANDLE *ret_object)
{
    if (attribute_of(attributes, count, CKA_URL) != NULL) {
        refusals++;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    return fx_real()->C_CreateObject(session, attributes, count, ret_object);
}

static void test_a_token_that_refuses_urls_gets_the_certificate_without(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    fx_import(token, &other);
    refusals = 0;
    fx_intercept(token)->C_CreateObject = refuses_urls;
    install(&key, &key.certificate, URL_ONE);
    install(&key, &key.certificate, URL_TWO);
    install(&other, &other.certificate, URL_ONE);
    assert_int_equal(refusals, 1);
    assert_urls(&key, " ");
    assert_urls(&other, " ");
    assert_signs(&key);
    fx_key_free(&other);
    fx_key_free(&key);
}

/* Leaves it out, and says CKR_OK. */
static CK_RV swallows_urls(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
                           CK_OBJECT_HANDLE *ret_object)
{
    CK_ATTRIBUTE kept[32];
    CK_ULONG kept_count = 0;

    if (attribute_of(attributes, count, CKA_URL) != NULL)
        refusals++;
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].type != CKA_URL)
            kept[kept_count++] = attributes[i];
    return fx_real()->C_CreateObject(session, kept, kept_count, ret_object);
}

static void test_a_token_that_swallows_urls_is_not_asked_again(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    refusals = 0;
    fx_intercept(token)->C_CreateObject = swallows_urls;
    for (int i = 0; i < 3; i++) {
        install(&key, &key.certificate, URL_ONE);
        assert_urls(&key, " ");
    }
    assert_int_equal(refusals, 1);
    assert_signs(&key);
    fx_key_free(&key);
}

static void test_a_full_disk_leaves_the_certificate_that_was_there(void **state)
{
    static const unsigned long rooms[] = {0, 8, 300, 600};
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    install(&key, &key.certificate, URL_ONE);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        enum stirkeep_status status = STIRKEEP_OK;

        fx_disk_full(rooms[i]);
        status = try_install(&key, &key.certificate, URL_TWO, NULL);
        fx_disk_free();
        assert_int_equal(status, STIRKEEP_STORAGE);
        assert_urls(&key, URL_ONE " ");
        assert_signs(&key);
        reopen();
        assert_urls(&key, URL_ONE " ");
        assert_signs(&key);
    }
    install(&key, &key.certificate, URL_TWO);
    assert_urls(&key, URL_TWO " ");
    fx_key_free(&key);
}

/* The new one is there and the old one not yet gone: what a kill between the two leaves. */
static CK_RV is_cut_off(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session;
    (void)object;
    return CKR_DEVICE_ERROR;
}

static void test_cut_off_there_are_two_certificates_and_then_one(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    install(&key, &key.certificate, URL_ONE);
    fx_intercept(token)->C_DestroyObject = is_cut_off;
    install(&key, &key.certificate, URL_TWO);
    (void)fx_intercept(token);
    reopen();
    assert_urls(&key, URL_ONE " " URL_TWO " ");
    assert_signs(&key);
    install(&key, &key.certificate, URL_TWO);
    assert_urls(&key, URL_TWO " ");
    assert_signs(&key);
    fx_key_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_token, close_token)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_cas_answer_is_installed_for_a_key_made_on_the_token),
        TEST(test_a_renewed_certificate_is_installed_beside_the_former_one),
        TEST(test_without_the_key_nothing_is_installed),
        TEST(test_the_url_is_kept_with_the_leaf_alone),
        TEST(test_another_url_replaces_the_certificate),
        TEST(test_the_hashes_of_the_keys_are_given_with_the_url),
        TEST(test_a_token_that_refuses_urls_gets_the_certificate_without),
        TEST(test_a_token_that_swallows_urls_is_not_asked_again),
        TEST(test_a_full_disk_leaves_the_certificate_that_was_there),
        TEST(test_cut_off_there_are_two_certificates_and_then_one),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
