/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/*
 * Stored by raw calls: libp11 0.4.12 would keep every certificate that it stores in memory until
 * C_Finalize, waits for ever when it cannot open a session, and writes no CKA_SERIAL_NUMBER.
 */

/* The parts of a certificate that PKCS#11 wants beside it (section 4.6.3), in DER. */
struct parts {
    unsigned char *subject;
    unsigned char *issuer;
    unsigned char *serial;
    int subject_length;
    int issuer_length;
    int serial_length;
};

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

static void parts_free(struct parts *parts)
{
    OPENSSL_free(parts->subject);
    OPENSSL_free(parts->issuer);
    OPENSSL_free(parts->serial);
}

static bool take_apart(struct stk_bytes der, struct parts *ret_parts)
{
    X509 *certificate = parse(der);
    struct parts parts = {0};
    bool done = false;

    if (certificate != NULL) {
        parts.subject_length = i2d_X509_NAME(X509_get_subject_name(certificate), &parts.subject);
        parts.issuer_length = i2d_X509_NAME(X509_get_issuer_name(certificate), &parts.issuer);
        parts.serial_length = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &parts.serial);
        done = parts.subject_length > 0 && parts.issuer_length > 0 && parts.serial_length > 0;
    }
    if (done)
        *ret_parts = parts;
    else
        parts_free(&parts);
    X509_free(certificate);
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
        struct parts parts = {0};

        if (!take_apart(import->chain[i], &parts))
            return stk_error_set(error, STIRKEEP_CERT_INVALID,
                                 "certificate %zu of the chain is not X.509 in DER", i + 1);
        parts_free(&parts);
    }
    if (!stk_certificate_spki(import->chain[0], spki) ||
        memcmp(spki, import->spki.data, sizeof(spki)) != 0)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "the certificate is for another public key");
    return STIRKEEP_OK;
}

static bool is_there(struct stk_session *session, const struct stk_handles *there,
                     struct stk_bytes der)
{
    uint8_t *value = malloc(STK_CERT_DER_MAX);
    bool found = false;

    for (size_t i = 0; value != NULL && !found && i < there->count; i++) {
        size_t length = 0;

        found = stk_session_read(session, there->items[i], CKA_VALUE, value, STK_CERT_DER_MAX,
                                 &length) == CKR_OK &&
                length == der.length && memcmp(value, der.data, length) == 0;
    }
    free(value);
    return found;
}

static CK_RV store_one(struct stk_session *session, const struct stk_key_id *key_id,
                       const char *label, struct stk_bytes der, const struct parts *parts,
                       CK_OBJECT_HANDLE *ret_object)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_LABEL, (void *)label, strlen(label)},
        {CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)},
        {CKA_SUBJECT, parts->subject, (CK_ULONG)parts->subject_length},
        {CKA_ISSUER, parts->issuer, (CK_ULONG)parts->issuer_length},
        {CKA_SERIAL_NUMBER, parts->serial, (CK_ULONG)parts->serial_length},
        {CKA_VALUE, (void *)der.data, der.length},
    };

    return stk_session_create(session, attributes, sizeof(attributes) / sizeof(attributes[0]),
                              ret_object);
}

enum stirkeep_status stk_certificates_store(struct stk_token *token,
                                            const struct stk_token_import *import,
                                            struct stk_certificates_made *made,
                                            struct stk_error *error)
{
    char label[STK_KEY_LABEL_SIZE] = "";
    struct stk_handles there = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    CK_RV rv = stk_key_objects(&token->custody, &import->key_id, CKO_CERTIFICATE, &there);

    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_FindObjects", rv);
    stk_key_label(import->name, label);
    for (size_t i = 0; status == STIRKEEP_OK && i < import->chain_count; i++) {
        struct parts parts = {0};
        CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

        if (is_there(&token->custody, &there, import->chain[i]))
            continue;
        if (!take_apart(import->chain[i], &parts)) {
            status = stk_error_set(error, STIRKEEP_CERT_INVALID,
                                   "certificate %zu of the chain is not X.509 in DER", i + 1);
            break;
        }
        rv = store_one(&token->custody, &import->key_id, label, import->chain[i], &parts, &object);
        if (rv == CKR_OK)
            made->items[made->count++] = object;
        else
            status = stk_ckr_error(error, "storing a certificate: C_CreateObject", rv);
        parts_free(&parts);
    }
    stk_handles_free(&there);
    return status;
}
