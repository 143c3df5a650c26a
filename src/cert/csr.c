/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/csr.h"

#include "base/digest.h"
#include "cert/chain.h"
#include "cert/der.h"
#include "cert/dn.h"
#include "cert/p256.h"
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMON_NAME "SHAKEN "
#define COMMON_NAME_SIZE (sizeof(COMMON_NAME) + STK_CSR_SPC_MAX)
#define TNAUTHLIST_MAX (3 * 2 + STK_CSR_SPC_MAX) /* three headers and the SPC */

struct stk_csr {
    X509_REQ *request;
    EVP_PKEY *key;
    uint8_t digest[STK_DIGEST_LENGTH];
};

static enum stirkeep_status no_memory(struct stk_error *error)
{
    ERR_clear_error();
    return stk_error_set(error, STIRKEEP_NO_MEMORY, "certificate request: out of memory");
}

static enum stirkeep_status check_spc(const char *spc, struct stk_error *error)
{
    size_t length = strspn(spc, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    if (length == 0 || spc[length] != '\0' || length > STK_CSR_SPC_MAX)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "SPC: \"%.32s\" is not 1 to %d upper-case letters and digits", spc,
                             STK_CSR_SPC_MAX);
    return STIRKEEP_OK;
}

/* ---- subject */

static bool is_only_common_name(const X509_NAME *name, const char *wanted)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    const ASN1_STRING *value = NULL;

    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return false;
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return ASN1_STRING_length(value) == (int)strlen(wanted) &&
           memcmp(ASN1_STRING_get0_data(value), wanted, strlen(wanted)) == 0;
}

static enum stirkeep_status read_subject(const char *spc, const char *subject, X509_NAME **ret_name,
                                         struct stk_error *error)
{
    char wanted[COMMON_NAME_SIZE] = "";
    char standard[COMMON_NAME_SIZE + 3] = "";
    X509_NAME *name = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    (void)snprintf(wanted, sizeof(wanted), COMMON_NAME "%s", spc);
    (void)snprintf(standard, sizeof(standard), "CN=%s", wanted);
    status = stk_dn_read(subject[0] == '\0' ? standard : subject, &name, error);
    if (status != STIRKEEP_OK)
        return status;
    if (!is_only_common_name(name, wanted)) {
        X509_NAME_free(name);
        return stk_error_set(error, STIRKEEP_INVALID,
                             "subject: \"CN=%s\" has to be in it, and no other CN (ATIS-1000080)",
                             wanted);
    }
    *ret_name = name;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_csr_check(const char *spc, const char *subject, struct stk_error *error)
{
    X509_NAME *name = NULL;
    enum stirkeep_status status = check_spc(spc, error);

    if (status == STIRKEEP_OK)
        status = read_subject(spc, subject, &name, error);
    X509_NAME_free(name);
    return status;
}

/* ---- request */

/* SEQUENCE { [0] { IA5String } } */
static size_t write_tnauthlist(const char *spc, uint8_t ret_der[TNAUTHLIST_MAX])
{
    size_t length = strlen(spc);
    const uint8_t headers[] = {STK_DER_SEQUENCE,      (uint8_t)(length + 4), STK_DER_CONSTRUCTED(0),
                               (uint8_t)(length + 2), STK_DER_IA5_STRING,    (uint8_t)length};

    memcpy(ret_der, headers, sizeof(headers));
    memcpy(ret_der + sizeof(headers), spc, length);
    return sizeof(headers) + length;
}

static bool request_tnauthlist(X509_REQ *request, const char *spc)
{
    uint8_t der[TNAUTHLIST_MAX] = {0};
    size_t length = write_tnauthlist(spc, der);
    ASN1_OBJECT *type = OBJ_txt2obj(STK_OID_TNAUTHLIST, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    bool done = false;

    if (type != NULL && value != NULL && extensions != NULL &&
        ASN1_OCTET_STRING_set(value, der, (int)length) == 1)
        extension = X509_EXTENSION_create_by_OBJ(NULL, type, 0, value);
    if (extension != NULL && sk_X509_EXTENSION_push(extensions, extension) > 0) {
        extension = NULL; /* the stack's now */
        done = X509_REQ_add_extensions(request, extensions) == 1;
    }
    X509_EXTENSION_free(extension);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(type);
    return done;
}

static bool take_digest(X509_REQ *request, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    unsigned char *info = NULL;
    int length = i2d_re_X509_REQ_tbs(request, &info);

    if (length > 0)
        stk_sha256(info, (size_t)length, ret_digest);
    OPENSSL_free(info);
    return length > 0;
}

enum stirkeep_status stk_csr_begin(struct stk_bytes spki, const char *spc, const char *subject,
                                   struct stk_csr **ret_csr, uint8_t ret_digest[STK_DIGEST_LENGTH],
                                   struct stk_error *error)
{
    X509_NAME *name = NULL;
    struct stk_csr *csr = NULL;
    enum stirkeep_status status = check_spc(spc, error);

    if (status == STIRKEEP_OK)
        status = read_subject(spc, subject, &name, error);
    if (status != STIRKEEP_OK)
        return status;
    csr = calloc(1, sizeof(*csr));
    if (csr == NULL) {
        status = no_memory(error);
        goto out;
    }
    csr->key = stk_p256_pkey(spki);
    if (csr->key == NULL) {
        status = stk_error_set(error, STIRKEEP_KEY_TYPE,
                               "certificate request: the public key is not a P-256 key");
        goto out;
    }
    csr->request = X509_REQ_new();
    if (csr->request == NULL || X509_REQ_set_version(csr->request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(csr->request, name) != 1 ||
        X509_REQ_set_pubkey(csr->request, csr->key) != 1 ||
        !request_tnauthlist(csr->request, spc) || !take_digest(csr->request, csr->digest))
        status = no_memory(error);
out:
    X509_NAME_free(name);
    if (status != STIRKEEP_OK) {
        stk_csr_free(csr);
        return status;
    }
    memcpy(ret_digest, csr->digest, sizeof(csr->digest));
    *ret_csr = csr;
    return STIRKEEP_OK;
}

static bool set_signature(X509_REQ *request, const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    uint8_t der[STK_ECDSA_DER_MAX] = {0};
    size_t length = stk_ecdsa_der(signature, der);
    X509_ALGOR *algorithm = X509_ALGOR_new();
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool done =
        algorithm != NULL && bits != NULL &&
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, NULL) == 1 &&
        X509_REQ_set1_signature_algo(request, algorithm) == 1 &&
        ASN1_BIT_STRING_set(bits, der, (int)length) == 1;

    X509_ALGOR_free(algorithm);
    if (!done) {
        ASN1_BIT_STRING_free(bits);
        return false;
    }
    bits->flags &= ~0x07L; /* no unused bits, whatever the last byte ends in */
    bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
    X509_REQ_set0_signature(request, bits);
    return true;
}

enum stirkeep_status stk_csr_finish(struct stk_csr *csr,
                                    const uint8_t signature[STK_SIGNATURE_LENGTH],
                                    struct stk_buffer *out, struct stk_error *error)
{
    unsigned char *der = NULL;
    int length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_p256_verifies(csr->key, csr->digest, signature))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "certificate request: its signature is not of its key");
    if (set_signature(csr->request, signature))
        length = i2d_X509_REQ(csr->request, &der);
    status = length > 0 ? stk_buffer_add(out, der, (size_t)length) : STIRKEEP_NO_MEMORY;
    OPENSSL_free(der);
    return status == STIRKEEP_OK ? STIRKEEP_OK : no_memory(error);
}

void stk_csr_free(struct stk_csr *csr)
{
    if (csr == NULL)
        return;
    X509_REQ_free(csr->request);
    EVP_PKEY_free(csr->key);
    free(csr);
}
