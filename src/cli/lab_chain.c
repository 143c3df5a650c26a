/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab_chain.h"

#include "base/digest.h"
#include "base/wipe.h"
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_ROOT 3650
#define DAYS_CA 1825
#define DAYS_LEAF 90
#define SERIAL_BYTES 8
#define BACKDATE_S 60 /* clocks of those who verify may be a little behind */
#define PROFILE_MAX 2048
#define SECONDS_A_DAY 86400L

/* The same profile as softhsm-conf/lab-chain.sh. */
static const char profile[] = "[root]\n"
                              "basicConstraints = critical, CA:TRUE\n"
                              "keyUsage = critical, keyCertSign, cRLSign\n"
                              "subjectKeyIdentifier = hash\n"
                              "[ca]\n"
                              "basicConstraints = critical, CA:TRUE, pathlen:0\n"
                              "keyUsage = critical, keyCertSign, cRLSign\n"
                              "subjectKeyIdentifier = hash\n"
                              "authorityKeyIdentifier = keyid:always\n"
                              "certificatePolicies = 2.16.840.1.114569.1.1.3\n"
                              "crlDistributionPoints = crl\n"
                              "[leaf]\n"
                              "basicConstraints = critical, CA:FALSE\n"
                              "keyUsage = critical, digitalSignature\n"
                              "subjectKeyIdentifier = hash\n"
                              "authorityKeyIdentifier = keyid:always\n"
                              "certificatePolicies = 2.16.840.1.114569.1.1.3\n"
                              "crlDistributionPoints = crl\n"
                              "1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:tnauthlist\n"
                              "[crl]\n"
                              "fullname = URI:https://sti-pa.example.org/crl\n"
                              "CRLissuer = dirName:issuer\n"
                              "[issuer]\n"
                              "C = US\n"
                              "O = Laboratory STI-PA\n"
                              "CN = Laboratory STI-PA CRL\n"
                              "[tnauthlist]\n"
                              "entry = EXPLICIT:%d,IA5STRING:%s\n";

enum { TN_ENTRY_SPC = 0, TN_ENTRY_ONE = 2 }; /* RFC 8226 section 9 */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

struct stk_lab_ca {
    struct authority root;
    struct authority intermediate;
};

static enum stirkeep_status fail(struct stk_error *error)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    (void)stk_error_set(error, STIRKEEP_INTERNAL, "making the laboratory chain: %s",
                        reason != NULL ? reason : "out of memory");
    ERR_clear_error();
    return STIRKEEP_INTERNAL;
}

static CONF *read_profile(const struct stk_lab_certificate *certificate)
{
    bool is_tn = certificate != NULL && certificate->tn[0] != '\0';
    char text[PROFILE_MAX] = "";
    BIO *memory = NULL;
    CONF *conf = NCONF_new(NULL);
    long line = 0;

    (void)snprintf(text, sizeof(text), profile, is_tn ? TN_ENTRY_ONE : TN_ENTRY_SPC,
                   certificate == NULL ? "0"
                   : is_tn             ? certificate->tn
                                       : certificate->spc);
    memory = BIO_new_mem_buf(text, -1);
    if (conf != NULL && (memory == NULL || NCONF_load_bio(conf, memory, &line) != 1)) {
        NCONF_free(conf);
        conf = NULL;
    }
    (void)BIO_free(memory);
    return conf;
}

static bool add_text(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

static bool set_serial(X509 *certificate)
{
    uint8_t bytes[SERIAL_BYTES] = {0};
    BIGNUM *number = NULL;
    bool done = false;

    stk_random(bytes, sizeof(bytes));
    bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* positive, and always as long */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    done = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

static bool set_names(X509 *certificate, const X509 *issuer, const char *organization,
                      const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);

    return add_text(name, "C", "US") && add_text(name, "O", organization) &&
           add_text(name, "CN", common_name) &&
           X509_set_issuer_name(certificate,
                                issuer == NULL ? name : X509_get_subject_name(issuer)) == 1;
}

/* What differs between the certificates of a chain. */
struct wanted {
    const char *section;
    const char *organization;
    const char *common_name;
    int days;
    const struct stk_lab_certificate *certificate; /* NULL: a CA's */
};

static bool extend(X509 *certificate, X509 *issuer, const struct wanted *wanted)
{
    CONF *conf = read_profile(wanted->certificate);
    X509V3_CTX context;
    bool done = false;

    if (conf == NULL)
        return false;
    X509V3_set_ctx(&context, issuer == NULL ? certificate : issuer, certificate, NULL, NULL, 0);
    X509V3_set_nconf(&context, conf);
    done = X509V3_EXT_add_nconf(conf, &context, wanted->section, certificate) == 1;
    NCONF_free(conf);
    return done;
}

/* `issuer` NULL: by itself. */
static X509 *make_certificate(EVP_PKEY *key, const struct authority *issuer,
                              const struct wanted *wanted)
{
    X509 *certificate = X509_new();
    X509 *by = issuer == NULL ? NULL : issuer->certificate;

    if (certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) &&
        set_names(certificate, by, wanted->organization, wanted->common_name) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -BACKDATE_S) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), wanted->days * SECONDS_A_DAY) != NULL &&
        X509_set_pubkey(certificate, key) == 1 && extend(certificate, by, wanted) &&
        X509_sign(certificate, issuer == NULL ? key : issuer->key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static bool make_authority(struct authority *authority, const struct authority *issuer,
                           const struct wanted *wanted)
{
    authority->key = EVP_EC_gen("P-256");
    if (authority->key != NULL)
        authority->certificate = make_certificate(authority->key, issuer, wanted);
    return authority->certificate != NULL;
}

enum stirkeep_status stk_lab_ca_new(struct stk_lab_ca **ret_ca, struct stk_error *error)
{
    const struct wanted root = {"root", "Laboratory STI-CA", "Laboratory root", DAYS_ROOT, NULL};
    const struct wanted ca = {"ca", "Laboratory STI-CA", "Laboratory SHAKEN CA", DAYS_CA, NULL};
    struct stk_lab_ca *made = calloc(1, sizeof(*made));

    if (made == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (!make_authority(&made->root, NULL, &root) ||
        !make_authority(&made->intermediate, &made->root, &ca)) {
        stk_lab_ca_free(made);
        return fail(error);
    }
    *ret_ca = made;
    return STIRKEEP_OK;
}

void stk_lab_ca_free(struct stk_lab_ca *ca)
{
    if (ca == NULL)
        return;
    X509_free(ca->root.certificate);
    X509_free(ca->intermediate.certificate);
    EVP_PKEY_free(ca->root.key);
    EVP_PKEY_free(ca->intermediate.key);
    free(ca);
}

static enum stirkeep_status add_pem(X509 *certificate, struct stk_buffer *out,
                                    struct stk_error *error)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (memory == NULL || PEM_write_bio_X509(memory, certificate) != 1)
        status = fail(error);
    else
        length = BIO_get_mem_data(memory, &text);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add(out, text, (size_t)length);
    (void)BIO_free(memory);
    return status;
}

enum stirkeep_status stk_lab_ca_root_pem(const struct stk_lab_ca *ca, struct stk_buffer *out,
                                         struct stk_error *error)
{
    return add_pem(ca->root.certificate, out, error);
}

enum stirkeep_status stk_lab_ca_intermediate_pem(const struct stk_lab_ca *ca,
                                                 struct stk_buffer *out, struct stk_error *error)
{
    return add_pem(ca->intermediate.certificate, out, error);
}

static enum stirkeep_status take_key(EVP_PKEY *key, struct stk_secret *ret_key,
                                     struct stk_error *error)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int length = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    enum stirkeep_status status =
        length > 0 ? stk_secret_new(ret_key, (size_t)length) : fail(error);

    if (status == STIRKEEP_OK) {
        memcpy(ret_key->data, der, (size_t)length);
        ret_key->length = (size_t)length;
    }
    if (length > 0)
        OPENSSL_clear_free(der, (size_t)length);
    PKCS8_PRIV_KEY_INFO_free(info);
    return status;
}

enum stirkeep_status stk_lab_ca_issue(struct stk_lab_ca *ca,
                                      const struct stk_lab_certificate *certificate,
                                      struct stk_buffer *ret_chain, struct stk_secret *ret_key,
                                      struct stk_error *error)
{
    char common_name[64] = "";
    const struct wanted wanted = {"leaf", "Laboratory carrier", common_name, DAYS_LEAF,
                                  certificate};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *leaf = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    (void)snprintf(common_name, sizeof(common_name), "SHAKEN %s",
                   certificate->tn[0] != '\0' ? certificate->tn : certificate->spc);
    if (key != NULL)
        leaf = make_certificate(key, &ca->intermediate, &wanted);
    status = leaf != NULL ? add_pem(leaf, ret_chain, error) : fail(error);
    if (status == STIRKEEP_OK)
        status = add_pem(ca->intermediate.certificate, ret_chain, error);
    if (status == STIRKEEP_OK)
        status = take_key(key, ret_key, error);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return status;
}
