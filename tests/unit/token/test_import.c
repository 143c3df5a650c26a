/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include "seal/seal.h"
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANY CK_UNAVAILABLE_INFORMATION

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

static void assert_signs(const struct fx_key *key)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_error error = {0};

    stk_random(digest, sizeof(digest));
    if (stk_token_sign(token, &key->key_id, digest, signature, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_true(fx_verifies(key, digest, signature));
    digest[0] ^= 1;
    assert_false(fx_verifies(key, digest, signature));
}

static void assert_not_there(const struct fx_key *key)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};

    assert_int_equal(stk_token_sign(token, &key->key_id, digest, signature, NULL),
                     STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(fx_count(token, &key->key_id, CKO_PRIVATE_KEY), 0);
}

static enum stirkeep_status import_sealed(const struct fx_key *key, const struct stk_buffer *sealed,
                                          struct stk_error *error)
{
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = fx_import_of(key, sealed, chain);

    return stk_token_import(token, &import, error);
}

/* Refused with this status, saying something, and without a trace. */
static void assert_refused(const struct fx_key *key, const struct stk_buffer *sealed,
                           enum stirkeep_status status)
{
    struct stk_error error = {0};

    assert_int_equal(import_sealed(key, sealed, &error), status);
    assert_int_equal(error.status, status);
    assert_true(error.message[0] != '\0');
    assert_null(strstr(error.message, "may be left"));
    assert_not_there(key);
}

static void test_a_sealed_key_signs_and_openssl_verifies(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_seal(token, &key.pkcs8, &sealed);
    stk_token_try_unwrap(token, (struct stk_bytes){sealed.data, sealed.length});
    assert_true(stk_token_info(token)->unwraps);
    assert_not_there(&key); /* the trial left nothing */
    fx_import(token, &key);
    assert_signs(&key);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 1);
    stk_buffer_free(&sealed);
    fx_key_free(&key);
}

static void test_it_signs_after_the_token_was_closed_and_opened(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    stk_token_close(token);
    token = fx_open();
    assert_signs(&key);
    fx_key_free(&key);
}

static char bool_of(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 0xff;
    size_t length = 0;

    if (stk_session_read(&token->custody, object, type, &value, 1, &length) != CKR_OK)
        return '?';
    return value == CK_TRUE ? '1' : '0';
}

static void test_the_key_is_kept_and_only_signs(void **state)
{
    struct fx_key key = {0};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    char text[STK_ATTRIBUTES_MAX] = "";
    uint8_t value[512] = {0};
    size_t length = 0;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(stk_token_attributes(token, &key.key_id, text, NULL), STIRKEEP_OK);
    assert_string_equal(text, "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=0 "
                              "NEVER_EXTRACTABLE=0 LOCAL=0");
    assert_int_equal(stk_custody_find(token, &key.key_id, &object, NULL), STIRKEEP_OK);
    assert_int_equal(bool_of(object, CKA_TOKEN), '1');
    assert_int_equal(bool_of(object, CKA_SIGN), '1');
    assert_int_equal(bool_of(object, CKA_DERIVE), '0');
    assert_int_equal(bool_of(object, CKA_DECRYPT), '0');
    assert_int_equal(bool_of(object, CKA_UNWRAP), '0');
    assert_int_equal(
        stk_session_read(&token->custody, object, CKA_VALUE, value, sizeof(value), &length),
        CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(
        stk_session_read(&token->custody, object, CKA_LABEL, value, sizeof(value), &length),
        CKR_OK);
    assert_int_equal(length, strlen("stirkeep:Alpha"));
    assert_memory_equal(value, "stirkeep:Alpha", length);
    fx_key_free(&key);
}

static void test_no_private_key_can_be_made_to_leave(void **state)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE extractable = {CKA_EXTRACTABLE, &yes, sizeof(yes)};
    struct fx_key key = {0};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(stk_custody_find(token, &key.key_id, &object, NULL), STIRKEEP_OK);
    assert_int_not_equal(
        token->p11->C_SetAttributeValue(token->custody.handle, object, &extractable, 1), CKR_OK);
    assert_int_not_equal(token->p11->C_SetAttributeValue(token->custody.handle, token->wrapping_key,
                                                         &extractable, 1),
                         CKR_OK);
    assert_int_equal(bool_of(token->wrapping_key, CKA_SENSITIVE), '1');
    assert_int_equal(bool_of(token->wrapping_key, CKA_EXTRACTABLE), '0');
    fx_key_free(&key);
}

static CK_RV shows_the_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                             CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    if (attributes[0].type != CKA_VALUE || attributes[0].pValue != NULL)
        return fx_real()->C_GetAttributeValue(session, object, attributes, count);
    attributes[0].ulValueLen = 32;
    return CKR_OK;
}

static void test_a_token_that_would_show_the_key_is_not_trusted_with_it(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_seal(token, &key.pkcs8, &sealed);
    fx_intercept(token)->C_GetAttributeValue = shows_the_value;
    assert_int_equal(import_sealed(&key, &sealed, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "CKA_VALUE"));
    (void)fx_intercept(token);
    assert_not_there(&key);
    stk_buffer_free(&sealed);
    fx_key_free(&key);
}

static void test_a_token_that_cannot_unwrap_gets_the_key_all_the_same(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};
    struct stk_secret aes = {0};
    struct stk_secret pkcs8 = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = {0};
    char text[STK_ATTRIBUTES_MAX] = "";
    size_t rsa = 0;

    (void)state;
    fx_require();
    stk_token_close(token);
    fx_configure("slots.mechanisms = -,CKM_AES_KEY_WRAP_PAD\n");
    token = fx_open();
    fx_key_new(&key);
    fx_seal(token, &key.pkcs8, &sealed);
    stk_token_try_unwrap(token, (struct stk_bytes){sealed.data, sealed.length});
    assert_false(stk_token_info(token)->unwraps);
    assert_refused(&key, &sealed, STIRKEEP_TOKEN_ERROR);

    rsa = token->wrapping_length;
    assert_int_equal(stk_token_decrypt(token, (struct stk_bytes){sealed.data, rsa}, &aes, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_seal_open(&aes, (struct stk_bytes){sealed.data + rsa, sealed.length - rsa},
                                   &pkcs8, NULL),
                     STIRKEEP_OK);
    import = fx_import_of(&key, &sealed, chain);
    import.pkcs8 = &pkcs8;
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_OK);
    assert_signs(&key);
    assert_int_equal(stk_token_attributes(token, &key.key_id, text, NULL), STIRKEEP_OK);
    assert_non_null(strstr(text, "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0"));
    stk_token_close(token);
    fx_configure("");
    token = fx_open();
    stk_secret_free(&pkcs8);
    stk_secret_free(&aes);
    stk_buffer_free(&sealed);
    fx_key_free(&key);
}

static void test_decrypting_refuses_what_is_not_sealed_to_the_token(void **state)
{
    uint8_t garbage[512] = {1, 2, 3};
    struct stk_secret aes = {0};

    (void)state;
    fx_require();
    for (size_t length = 0; length < token->wrapping_length; length += 37)
        assert_int_equal(stk_token_decrypt(token, (struct stk_bytes){garbage, length}, &aes, NULL),
                         STIRKEEP_KEY_UNREADABLE);
    assert_int_equal(
        stk_token_decrypt(token, (struct stk_bytes){NULL, token->wrapping_length}, &aes, NULL),
        STIRKEEP_KEY_UNREADABLE);
    assert_int_equal(
        stk_token_decrypt(token, (struct stk_bytes){garbage, token->wrapping_length}, &aes, NULL),
        STIRKEEP_KEY_UNREADABLE);
    assert_null(aes.data);
}

static void test_garbage_is_refused_and_leaves_nothing(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};
    struct stk_buffer cut = {0};
    size_t rsa = 0;

    (void)state;
    fx_require();
    rsa = token->wrapping_length;
    fx_key_new(&key);
    fx_seal(token, &key.pkcs8, &sealed);
    cut = sealed;
    for (cut.length = 1; cut.length < sealed.length; cut.length += 61)
        assert_refused(&key, &cut, STIRKEEP_KEY_UNREADABLE);
    cut.length = sealed.length - 8;
    assert_refused(&key, &cut, STIRKEEP_KEY_UNREADABLE);
    sealed.data[rsa / 2] ^= 1;
    assert_refused(&key, &sealed, STIRKEEP_KEY_UNREADABLE);
    sealed.data[rsa / 2] ^= 1;
    sealed.data[rsa + 20] ^= 1;
    assert_refused(&key, &sealed, STIRKEEP_KEY_UNREADABLE);
    stk_random(sealed.data, sealed.length);
    assert_refused(&key, &sealed, STIRKEEP_KEY_UNREADABLE);
    stk_buffer_free(&sealed);
    fx_key_free(&key);
}

static void test_a_key_sealed_to_another_token_is_refused(void **state)
{
    EVP_PKEY *other = NULL;
    uint8_t *spki = NULL;
    int length = 0;
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};

    (void)state;
    fx_require();
    other = EVP_RSA_gen(STK_WRAPPING_BITS);
    length = i2d_PUBKEY(other, &spki);
    fx_key_new(&key);
    assert_int_equal(stk_seal((struct stk_bytes){spki, (size_t)length}, &key.pkcs8, &sealed, NULL),
                     STIRKEEP_OK);
    assert_refused(&key, &sealed, STIRKEEP_KEY_UNREADABLE);
    stk_buffer_free(&sealed);
    OPENSSL_free(spki);
    EVP_PKEY_free(other);
    fx_key_free(&key);
}

static void assert_other_key_refused(const struct fx_key *key, EVP_PKEY *other)
{
    struct stk_secret pkcs8 = {0};
    struct stk_buffer sealed = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    fx_pkcs8(other, &pkcs8);
    fx_seal(token, &pkcs8, &sealed);
    status = import_sealed(key, &sealed, &error);
    assert_true(status == STIRKEEP_KEY_MISMATCH || status == STIRKEEP_KEY_UNREADABLE);
    assert_not_there(key);
    stk_buffer_free(&sealed);
    stk_secret_free(&pkcs8);
    EVP_PKEY_free(other);
}

static void test_a_key_that_is_not_the_certificates_is_refused(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_buffer sealed = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_seal(token, &other.pkcs8, &sealed);
    assert_refused(&key, &sealed, STIRKEEP_KEY_MISMATCH);
    assert_not_there(&other);
    assert_int_equal(fx_count(token, &key.key_id, ANY), 0);
    assert_other_key_refused(&key, EVP_EC_gen("P-384"));
    assert_other_key_refused(&key, EVP_RSA_gen(2048));
    assert_other_key_refused(&key, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    stk_buffer_free(&sealed);
    fx_key_free(&other);
    fx_key_free(&key);
}

static void test_a_chain_that_does_not_fit_is_refused_before_the_token_is_asked(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_buffer sealed = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_seal(token, &key.pkcs8, &sealed);
    import = fx_import_of(&key, &sealed, chain);
    chain[0] = (struct stk_bytes){other.certificate.data, other.certificate.length};
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_KEY_MISMATCH);
    chain[0] = (struct stk_bytes){key.certificate.data, key.certificate.length - 1};
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_CERT_INVALID);
    chain[0] = (struct stk_bytes){key.spki, sizeof(key.spki)};
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_CERT_INVALID);
    import = fx_import_of(&key, &sealed, chain);
    import.chain_count = 0;
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_CERT_INVALID);
    import.chain_count = STK_CHAIN_MAX + 1;
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_CERT_INVALID);
    import = fx_import_of(&key, &sealed, chain);
    import.key_id.bytes[31] ^= 1;
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_KEY_MISMATCH);
    import = fx_import_of(&key, &sealed, chain);
    import.spki.length--;
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_KEY_MISMATCH);
    assert_not_there(&key);
    stk_buffer_free(&sealed);
    fx_key_free(&other);
    fx_key_free(&key);
}

static void test_importing_again_changes_nothing(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    fx_import(token, &key);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 1);
    assert_signs(&key);
    fx_key_free(&key);
}

static void test_what_lies_under_the_name_of_the_key_is_cleared_away(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_plant(token, &other, &key.key_id);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    fx_import(token, &key);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    assert_signs(&key);
    fx_key_free(&other);
    fx_key_free(&key);
}

static void assert_full_disk_refused(const struct fx_key *key, const struct stk_buffer *sealed,
                                     unsigned long room)
{
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    fx_disk_full(room);
    status = import_sealed(key, sealed, &error);
    fx_disk_free();
    assert_int_equal(status, STIRKEEP_STORAGE);
    /* Without room for a byte SoftHSM fails the call, and leaves no file to tell. */
    assert_non_null(strstr(error.message, room == 0 ? "token files in" : "disk full"));
    assert_null(strstr(error.message, "may be left"));
    assert_not_there(key);
    assert_int_equal(fx_count(token, &key->key_id, ANY), 0);
}

static void test_a_full_disk_leaves_no_half_key_and_no_success(void **state)
{
    /* An object's file stays empty, is torn here and there; the key fits, its certificate not. */
    static const unsigned long rooms[] = {0, 7, 8, 40, 300, 600};

    (void)state;
    fx_require();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        struct fx_key key = {0};
        struct stk_buffer sealed = {0};

        fx_key_new(&key);
        fx_seal(token, &key.pkcs8, &sealed);
        assert_full_disk_refused(&key, &sealed, rooms[i]);
        fx_import(token, &key); /* nothing torn is in the way */
        stk_token_close(token);
        token = fx_open();
        assert_signs(&key);
        stk_buffer_free(&sealed);
        fx_key_free(&key);
    }
}

/* SoftHSM tells of no write that failed; another token may tell, and keep its torn file. */
static CK_RV fail_and_leave_a_file(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes,
                                   CK_ULONG count, CK_OBJECT_HANDLE *ret_object)
{
    char path[256] = "";
    FILE *file = NULL;

    (void)session;
    (void)attributes;
    (void)count;
    (void)ret_object;
    fx_token_file("01234567-0123-0123-0123-0123456789ab.object", path, sizeof(path));
    file = fopen(path, "wb");
    if (file == NULL || fwrite("torn", 1, 4, file) != 4 || fclose(file) != 0)
        abort();
    return CKR_DEVICE_MEMORY;
}

static void test_a_torn_file_of_a_call_that_failed_is_not_in_the_way(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};
    struct stk_error error = {0};
    char path[256] = "";

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_seal(token, &key.pkcs8, &sealed);
    fx_intercept(token)->C_CreateObject = fail_and_leave_a_file;
    assert_int_equal(import_sealed(&key, &sealed, &error), STIRKEEP_STORAGE);
    assert_non_null(strstr(error.message, "CKR_DEVICE_MEMORY"));
    assert_null(strstr(error.message, "may be left"));
    (void)fx_intercept(token);
    fx_token_file("01234567-0123-0123-0123-0123456789ab.object", path, sizeof(path));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_not_there(&key);
    fx_import(token, &key);
    assert_signs(&key);
    stk_buffer_free(&sealed);
    fx_key_free(&key);
}

static void test_a_failed_import_leaves_the_key_that_was_there(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer renewed = {0};
    struct stk_buffer sealed = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    fx_certificate(key.pkey, &renewed); /* signed again: another certificate */
    fx_seal(token, &key.pkcs8, &sealed);
    import = fx_import_of(&key, &sealed, chain);
    chain[0] = (struct stk_bytes){renewed.data, renewed.length};
    fx_disk_full(300);
    status = stk_token_import(token, &import, NULL);
    fx_disk_free();
    assert_int_equal(status, STIRKEEP_STORAGE);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 1);
    assert_signs(&key);
    assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_OK);
    stk_token_close(token);
    token = fx_open();
    assert_int_equal(fx_count(token, &key.key_id, CKO_CERTIFICATE), 2);
    assert_signs(&key);
    stk_buffer_free(&sealed);
    stk_buffer_free(&renewed);
    fx_key_free(&key);
}

static void test_a_destroyed_key_is_gone_with_its_certificates(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    fx_import(token, &other);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    assert_not_there(&key);
    assert_int_equal(fx_count(token, &key.key_id, ANY), 0);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_KEY_UNAVAILABLE);
    assert_signs(&other);
    stk_token_close(token);
    token = fx_open();
    assert_int_equal(fx_count(token, &key.key_id, ANY), 0);
    fx_key_free(&other);
    fx_key_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_token, close_token)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_sealed_key_signs_and_openssl_verifies),
        TEST(test_it_signs_after_the_token_was_closed_and_opened),
        TEST(test_the_key_is_kept_and_only_signs),
        TEST(test_no_private_key_can_be_made_to_leave),
        TEST(test_a_token_that_would_show_the_key_is_not_trusted_with_it),
        TEST(test_a_token_that_cannot_unwrap_gets_the_key_all_the_same),
        TEST(test_decrypting_refuses_what_is_not_sealed_to_the_token),
        TEST(test_garbage_is_refused_and_leaves_nothing),
        TEST(test_a_key_sealed_to_another_token_is_refused),
        TEST(test_a_key_that_is_not_the_certificates_is_refused),
        TEST(test_a_chain_that_does_not_fit_is_refused_before_the_token_is_asked),
        TEST(test_importing_again_changes_nothing),
        TEST(test_what_lies_under_the_name_of_the_key_is_cleared_away),
        TEST(test_a_full_disk_leaves_no_half_key_and_no_success),
        TEST(test_a_torn_file_of_a_call_that_failed_is_not_in_the_way),
        TEST(test_a_failed_import_leaves_the_key_that_was_there),
        TEST(test_a_destroyed_key_is_gone_with_its_certificates),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
