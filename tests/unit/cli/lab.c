/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab.h"

#include "base/digest.h"
#include "base/encode.h"
#include "passport/passport.h"
#include "program.h"
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define DAY 86400

EVP_PKEY *lab_key(const char *kind)
{
    EVP_PKEY *key = strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(kind);

    assert_non_null(key);
    return key;
}

void lab_write_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
    char file_name[64] = "";
    FILE *file = NULL;

    (void)snprintf(file_name, sizeof(file_name), "%s.key", name);
    file = fopen(place(file_name), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(
                         file, key, passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
                         passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
}

static void set_name(X509_NAME *name, const char *text)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)text, -1, -1, 0),
                     1);
}

static void extend(X509 *x509, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void extend_more(X509 *x509, const char *const *extensions)
{
    for (; extensions != NULL && extensions[0] != NULL; extensions += 2) {
        X509_EXTENSION *extension = X509V3_EXT_conf(NULL, NULL, extensions[0], extensions[1]);

        assert_non_null(extension);
        assert_int_equal(X509_add_ext(x509, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
}

void lab_write_certificate(const char *name, EVP_PKEY *key, const char *issuer,
                           EVP_PKEY *issuer_key)
{
    lab_write_certificate_with(name, key, issuer, issuer_key, NULL);
}

void lab_write_certificate_with(const char *name, EVP_PKEY *key, const char *issuer,
                                EVP_PKEY *issuer_key, const char *const *extensions)
{
    char file_name[64] = "";
    X509 *x509 = X509_new();
    FILE *file = NULL;

    (void)snprintf(file_name, sizeof(file_name), "%s.pem", name);
    assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 30L * DAY));
    set_name(X509_get_subject_name(x509), name);
    set_name(X509_get_issuer_name(x509), issuer != NULL ? issuer : name);
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    extend(x509, NID_basic_constraints, issuer != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
    extend(x509, NID_key_usage,
           issuer != NULL ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign");
    extend_more(x509, extensions);
    assert_true(X509_sign(x509, issuer_key != NULL ? issuer_key : key, EVP_sha256()) > 0);
    file = fopen(place(file_name), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, x509), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(x509);
}

void lab_write_pkcs12(const char *file_name, EVP_PKEY *key, const char *name)
{
    char certificate[64] = "";
    X509 *x509 = NULL;
    PKCS12 *pkcs12 = NULL;
    FILE *file = NULL;

    (void)snprintf(certificate, sizeof(certificate), "%s.pem", name);
    file = fopen(place(certificate), "r");
    assert_non_null(file);
    x509 = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    pkcs12 = PKCS12_create("", name, key, x509, NULL, 0, 0, 2048, 2048, 0);
    assert_non_null(pkcs12);
    file = fopen(place(file_name), "w");
    assert_non_null(file);
    assert_int_equal(i2d_PKCS12_fp(file, pkcs12), 1);
    assert_int_equal(fclose(file), 0);
    PKCS12_free(pkcs12);
    X509_free(x509);
}

static void sign(EVP_PKEY *key, const struct stk_buffer *input,
                 uint8_t ret_signature[STK_SIGNATURE_LENGTH])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t der[128] = {0};
    const uint8_t *at = der;
    size_t length = sizeof(der);
    ECDSA_SIG *pair = NULL;

    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &length, input->data, input->length), 1);
    pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_signature + 32, 32), 32);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
}

char *lab_sign(EVP_PKEY *key, const struct stk_claims_input *given)
{
    struct stk_arena arena = {0};
    struct stk_claims claims = {0};
    struct stk_error error = {0};
    struct stk_buffer header = {0};
    char coded[1024] = "";
    size_t coded_length = 0;
    struct stk_buffer out = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    uint32_t passport_length = 0;
    char *text = NULL;

    assert_int_equal(stk_arena_new(&arena, (size_t)256 * 1024), STIRKEEP_OK);
    if (stk_claims_make(given, &arena, &claims, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(stk_passport_header(claims.ppt_text, LAB_X5U, &header), STIRKEEP_OK);
    coded_length = stk_base64url_encode(header.data, header.length, coded);
    assert_int_equal(stk_passport_input(coded, coded_length, &claims, &out), STIRKEEP_OK);
    sign(key, &out, signature);
    assert_int_equal(stk_passport_finish(signature, &claims, LAB_X5U, &out, &passport_length),
                     STIRKEEP_OK);
    text = strndup((const char *)out.data, out.length);
    assert_non_null(text);
    stk_buffer_free(&out);
    stk_buffer_free(&header);
    stk_arena_free(&arena);
    return text;
}

char *lab_identity(EVP_PKEY *key, long age)
{
    static const char *const dest[] = {"12155550131"};
    const struct stk_claims_input given = {.ppt = "shaken",
                                           .orig_tn = "12155550121",
                                           .dest_tn = dest,
                                           .dest_tn_count = 1,
                                           .iat = time(NULL) - age,
                                           .attest = "A",
                                           .origid = "123e4567-e89b-12d3-a456-426655440000"};

    return lab_sign(key, &given);
}
