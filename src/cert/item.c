/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/chain.h"

#include "base/digest.h"
#include "cert/der.h"
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool stk_subject_key_read(struct stk_bytes spki, struct stk_subject_key *ret_key)
{
    struct stk_subject_key key = {0};
    struct stk_algorithm algorithm = {0};
    struct stk_bytes inside = {0};
    struct stk_bytes bits = {0};

    if (!stk_der_only(spki, STK_DER_SEQUENCE, &inside) ||
        !stk_algorithm_take(&inside, &algorithm) ||
        !stk_der_only(inside, STK_DER_BIT_STRING, &bits) || bits.length < 2 || bits.data[0] != 0)
        return false;
    bits.data++;
    bits.length--;
    stk_kind_of_key(&algorithm, bits, key.kind);
    if (stk_algorithm_is_p256(&algorithm)) {
        key.p256 = stk_p256_spki(bits, key.spki);
        key.compressed = bits.length < STK_P256_POINT_LENGTH;
        if (!key.p256)
            (void)snprintf(key.kind, sizeof(key.kind), "EC key with a point not on P-256");
    }
    if (key.p256)
        stk_sha256(key.spki, sizeof(key.spki), key.id.bytes);
    else
        stk_sha256(spki.data, spki.length, key.id.bytes);
    *ret_key = key;
    return true;
}

/* Seconds since 1970 of a Time in DER form: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ. */
static bool read_time(const ASN1_TIME *time, int64_t *ret_seconds)
{
    const unsigned char *text = ASN1_STRING_get0_data(time);
    int length = ASN1_STRING_length(time);
    struct tm parts = {0};

    if (length != (ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15) || text[length - 1] != 'Z' ||
        ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret_seconds = timegm(&parts);
    return true;
}

/* Before OpenSSL sees it: one DER value, whole and well-formed to the last byte. */
static enum stirkeep_status check_form(struct stk_bytes der, struct stk_error *error)
{
    struct stk_bytes rest = der;

    if (der.length > STK_CERT_DER_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%zu bytes; a certificate has at most %d",
                             der.length, STK_CERT_DER_MAX);
    if (!stk_der_next(&rest, NULL, NULL, NULL))
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "not DER, or cut off (%zu bytes)",
                             der.length);
    if (rest.length > 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "%zu bytes behind its end", rest.length);
    if (!stk_der_valid(der))
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "not well-formed DER inside");
    if (stk_file_kind_of(der) != STK_FILE_CERTIFICATE)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "it is %s, not a certificate",
                             stk_file_kind_text(stk_file_kind_of(der)));
    return STIRKEEP_OK;
}

static enum stirkeep_status read_key(const X509 *x509, struct stk_subject_key *ret_key,
                                     struct stk_error *error)
{
    unsigned char *spki = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
    bool ok = length > 0 && stk_subject_key_read((struct stk_bytes){spki, (size_t)length}, ret_key);

    OPENSSL_free(spki);
    if (!ok)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "its public key is not well-formed");
    return STIRKEEP_OK;
}

static enum stirkeep_status read_parts(struct stk_chain_item *item, struct stk_error *error)
{
    const unsigned char *at = item->der.data;

    item->x509 = d2i_X509(NULL, &at, (long)item->der.length);
    if (item->x509 == NULL || at != item->der.data + item->der.length)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "not a well-formed certificate");
    if (!read_time(X509_get0_notBefore(item->x509), &item->not_before))
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "its notBefore is not a time");
    if (!read_time(X509_get0_notAfter(item->x509), &item->not_after))
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "its notAfter is not a time");
    return read_key(item->x509, &item->key, error);
}

enum stirkeep_status stk_chain_item_read(struct stk_bytes der, struct stk_chain_item *ret_item,
                                         struct stk_error *error)
{
    struct stk_chain_item item = {0};
    enum stirkeep_status status = check_form(der, error);

    if (status != STIRKEEP_OK)
        return status;
    if (stk_buffer_add(&item.der, der.data, der.length) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    status = read_parts(&item, error);
    ERR_clear_error();
    if (status != STIRKEEP_OK) {
        stk_chain_item_free(&item);
        return status;
    }
    *ret_item = item;
    return STIRKEEP_OK;
}

void stk_chain_item_free(struct stk_chain_item *item)
{
    X509_free(item->x509);
    stk_buffer_free(&item->der);
    *item = (struct stk_chain_item){0};
}
