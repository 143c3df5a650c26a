/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "cert/cert.h"
#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/options.h"
#include "integrations/kamailio/say.h"
#include "integrations/kamailio/verifier.h"
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define CRL_FILE_MAX (16 * 1024 * 1024)

/* Bits of the option CertVerify. */
enum {
    VERIFY_TIME = 1,
    VERIFY_SYSTEM_CA = 2,
    VERIFY_CA_FILE = 4,
    VERIFY_INTERMEDIATE = 8,
    VERIFY_CRL = 16,
    VERIFY_TIME_ONLY = 32
};

static int check_time(const struct stk_chain *chain, int64_t now)
{
    struct stk_arena arena = {0};
    struct stk_leaf leaf = {0};
    int result = STK_KAM_CERT_INVALID;

    if (stk_arena_new(&arena, STK_CERT_FILE_MAX) == STIRKEEP_OK &&
        stk_chain_leaf(chain, &arena, &leaf, NULL) == STIRKEEP_OK) {
        result = STK_KAM_OK;
        if (now >= leaf.not_after)
            result = STK_KAM_CERT_EXPIRED;
        else if (now <= leaf.not_before)
            result = STK_KAM_CERT_NOT_YET;
    }
    stk_arena_free(&arena);
    return result;
}

static int read_chain(const char *option, int absent, int unreadable, struct stk_chain **ret_chain)
{
    const char *path = stk_kam_option(option, "");
    struct stk_buffer data = {0};
    struct stk_error error = {0};
    int result = unreadable;

    if (path[0] == '\0')
        return absent;
    if (stk_file_read(path, STK_CERT_FILE_MAX, &data, &error) == STIRKEEP_OK &&
        stk_chain_read((struct stk_bytes){data.data, data.length}, path, ret_chain, &error) ==
            STIRKEEP_OK)
        result = STK_KAM_OK;
    else
        stk_kam_say(STK_KAM_LOG_ERROR, "libopt %s: %s", option, error.message);
    stk_buffer_free(&data);
    return result;
}

static int check_trust(struct stk_chain *chain, int options, int64_t now)
{
    struct stk_chain *roots = NULL;
    struct stk_chain *between = NULL;
    int result =
        read_chain("CertCAFile", STK_KAM_CERT_NO_CA_FILE, STK_KAM_CERT_READ_CA_FILE, &roots);

    if (result == STK_KAM_OK && (options & VERIFY_INTERMEDIATE) != 0) {
        result = read_chain("CertCAInter", STK_KAM_CERT_NO_INTERMEDIATE,
                            STK_KAM_CERT_READ_INTERMEDIATE, &between);
        if (result == STK_KAM_OK && stk_chain_append(chain, between, NULL) != STIRKEEP_OK)
            result = STK_KAM_CERT_PROCESSING;
    }
    if (result == STK_KAM_OK && stk_chain_trusted(chain, roots, now, NULL) != STIRKEEP_OK)
        result = STK_KAM_CERT_INVALID;
    stk_chain_free(between);
    stk_chain_free(roots);
    return result;
}

/* ---- revocation */

static X509_CRL *read_crl(const struct stk_buffer *data)
{
    const unsigned char *der = data->data;
    BIO *memory = BIO_new_mem_buf(data->data, (int)data->length);
    X509_CRL *crl = memory != NULL ? PEM_read_bio_X509_CRL(memory, NULL, NULL, NULL) : NULL;

    BIO_free(memory);
    return crl != NULL ? crl : d2i_X509_CRL(NULL, &der, (long)data->length);
}

/* The list is the operator's file: like libsecsipid, it is believed. */
static int look_up(X509_CRL *crl, const struct stk_chain *chain)
{
    struct stk_bytes leaf = stk_chain_der(chain, 0);
    const unsigned char *der = leaf.data;
    X509 *certificate = d2i_X509(NULL, &der, (long)leaf.length);
    X509_REVOKED *entry = NULL;
    int result = STK_KAM_CERT_INVALID;

    if (certificate != NULL)
        result = X509_CRL_get0_by_serial(crl, &entry, X509_get_serialNumber(certificate)) == 1
                     ? STK_KAM_CERT_REVOKED
                     : STK_KAM_OK;
    X509_free(certificate);
    return result;
}

static int check_revocation(const struct stk_chain *chain)
{
    const char *path = stk_kam_option("CertCRLFile", "");
    struct stk_buffer data = {0};
    X509_CRL *crl = NULL;
    int result = STK_KAM_CERT_READ_CRL;

    if (path[0] == '\0')
        return STK_KAM_CERT_NO_CRL;
    if (stk_file_read(path, CRL_FILE_MAX, &data, NULL) == STIRKEEP_OK && data.length > 0)
        crl = read_crl(&data);
    if (crl != NULL)
        result = look_up(crl, chain);
    X509_CRL_free(crl);
    stk_buffer_free(&data);
    return result;
}

/* ---- all of it */

static int check_chain(struct stk_chain *chain, int options, int64_t now)
{
    int result = STK_KAM_OK;

    if ((options & (VERIFY_TIME | VERIFY_TIME_ONLY)) != 0)
        result = check_time(chain, now);
    if (result != STK_KAM_OK || (options & VERIFY_TIME_ONLY) != 0)
        return result;
    if ((options & VERIFY_SYSTEM_CA) != 0) {
        stk_kam_say(STK_KAM_LOG_ERROR, "libopt CertVerify: the system's CA certificates (2) need "
                                       "libsecsipid; name a CertCAFile (4)");
        return STK_KAM_CERT_PROCESSING;
    }
    /* Like libsecsipid: with whatever is asked beside, there have to be trusted certificates. */
    result = check_trust(chain, options, now);
    if (result == STK_KAM_OK && (options & VERIFY_CRL) != 0)
        result = check_revocation(chain);
    return result;
}

int stk_kam_chain_check(struct stk_bytes key, int64_t now)
{
    int options = stk_kam_option_int("CertVerify", 0);
    struct stk_chain *chain = NULL;
    int result = STK_KAM_CERT_FORMAT;

    if (options == 0)
        return STK_KAM_OK;
    if (stk_chain_read(key, "certificate", &chain, NULL) != STIRKEEP_OK)
        return result;
    result = check_chain(chain, options, now);
    stk_chain_free(chain);
    return result;
}
