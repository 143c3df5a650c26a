/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <openssl/x509v3.h>
#include <string.h>

static X509 *parse(struct stk_bytes der)
{
    const unsigned char *at = der.data;
    X509 *certificate = NULL;

    if (der.length == 0 || der.length > STK_CERT_DER_MAX)
        return NULL;
    certificate = d2i_X509(NULL, &at, (long)der.length);
    if (certificate != NULL && at != der.data + der.length) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_clear_error();
    return certificate;
}

bool stk_certificate_spki(struct stk_bytes der, uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    X509 *certificate = parse(der);
    unsigned char *spki = NULL;
    int length =
        certificate == NULL ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    bool found = length > 0 && stk_spki_is_p256((struct stk_bytes){spki, (size_t)length});

    if (found)
        memcpy(ret_spki, spki, STK_P256_SPKI_LENGTH);
    OPENSSL_free(spki);
    X509_free(certificate);
    return found;
}

void stk_certificate_parts_free(struct stk_certificate_parts *parts)
{
    OPENSSL_free(parts->subject);
    OPENSSL_free(parts->issuer);
    OPENSSL_free(parts->serial);
    *parts = (struct stk_certificate_parts){0};
}

static bool hash_keys(X509 *certificate, struct stk_certificate_parts *parts)
{
    const ASN1_OCTET_STRING *named = X509_get0_authority_key_id(certificate);
    unsigned int length = 0;

    if (X509_pubkey_digest(certificate, EVP_sha1(), parts->key_hash, &length) != 1 ||
        length != STK_KEY_HASH_LENGTH)
        return false;
    if (named != NULL && ASN1_STRING_length(named) == STK_KEY_HASH_LENGTH) {
        memcpy(parts->issuer_hash, ASN1_STRING_get0_data(named), STK_KEY_HASH_LENGTH);
        parts->has_issuer_hash = true;
    } else if (X509_NAME_cmp(X509_get_subject_name(certificate),
                             X509_get_issuer_name(certificate)) == 0) {
        memcpy(parts->issuer_hash, parts->key_hash, STK_KEY_HASH_LENGTH);
        parts->has_issuer_hash = true;
    }
    return true;
}

bool stk_certificate_take_apart(struct stk_bytes der, struct stk_certificate_parts *ret_parts)
{
    X509 *certificate = parse(der);
    struct stk_certificate_parts parts = {0};
    bool done = false;

    if (certificate != NULL) {
        parts.subject_length = i2d_X509_NAME(X509_get_subject_name(certificate), &parts.subject);
        parts.issuer_length = i2d_X509_NAME(X509_get_issuer_name(certificate), &parts.issuer);
        parts.serial_length = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &parts.serial);
        done = parts.subject_length > 0 && parts.issuer_length > 0 && parts.serial_length > 0 &&
               hash_keys(certificate, &parts);
    }
    if (done)
        *ret_parts = parts;
    else
        stk_certificate_parts_free(&parts);
    X509_free(certificate);
    ERR_clear_error();
    return done;
}

enum stirkeep_status stk_certificates_check(const struct stk_token_import *import,
                                            struct stk_error *error)
{
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};

    if (import->chain_count == 0 || import->chain_count > STK_CHAIN_MAX)
        return stk_error_set(error, STIRKEEP_CERT_INVALID,
                             "a chain of %zu certificates (1 to %d are allowed)",
                             import->chain_count, STK_CHAIN_MAX);
    for (size_t i = 0; i < import->chain_count; i++) {
        struct stk_certificate_parts parts = {0};

        if (!stk_certificate_take_apart(import->chain[i], &parts))
            return stk_error_set(error, STIRKEEP_CERT_INVALID,
                                 "certificate %zu of the chain is not X.509 in DER", i + 1);
        stk_certificate_parts_free(&parts);
    }
    if (!stk_certificate_spki(import->chain[0], spki) ||
        memcmp(spki, import->spki.data, sizeof(spki)) != 0)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "the certificate is for another public key");
    return STIRKEEP_OK;
}
