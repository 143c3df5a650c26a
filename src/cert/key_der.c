/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/key_open.h"

#include "cert/der.h"
#include "cert/key_plain.h"
#include "cert/kind.h"
#include "cert/pkcs12.h"

static const char *form_of(enum stk_file_kind kind, bool pem)
{
    switch (kind) {
    case STK_FILE_SEC1:
        return pem ? "SEC1 PEM" : "SEC1 DER";
    case STK_FILE_ENCRYPTED:
        return pem ? "encrypted PKCS#8 PEM" : "encrypted PKCS#8 DER";
    default:
        return pem ? "PKCS#8 PEM" : "PKCS#8 DER";
    }
}

/* EncryptedPrivateKeyInfo {encryptionAlgorithm, encryptedData}. */
static enum stirkeep_status open_encrypted(struct stk_bytes der, struct stk_passphrase *passphrase,
                                           struct stk_private_key *ret_key, struct stk_error *error)
{
    struct stk_secret plain = {0};
    struct stk_bytes inside = {0};
    struct stk_bytes algorithm = {0};
    struct stk_bytes sealed = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_only(der, STK_DER_SEQUENCE, &inside) ||
        !stk_der_next(&inside, NULL, NULL, &algorithm) ||
        !stk_der_only(inside, STK_DER_OCTET_STRING, &sealed))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "not a well-formed encrypted private key");
    if (passphrase->text == NULL)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "the private key is encrypted; its passphrase is needed");
    status = stk_decrypt_pbe(algorithm, sealed, passphrase, &plain, error);
    if (status != STIRKEEP_OK)
        return status;
    /* One wrong passphrase in some 256 leaves padding that looks right. */
    if (stk_file_kind_of((struct stk_bytes){plain.data, plain.length}) == STK_FILE_PKCS8)
        status = stk_key_from_plain((struct stk_bytes){plain.data, plain.length},
                                    (struct stk_bytes){0}, ret_key, error);
    else
        status = stk_decrypt_refused(error);
    stk_secret_free(&plain);
    return status;
}

enum stirkeep_status stk_key_open_value(struct stk_bytes der, struct stk_bytes curve, bool pem,
                                        struct stk_passphrase *passphrase,
                                        struct stk_private_key *ret_key, struct stk_error *error)
{
    enum stk_file_kind kind = stk_file_kind_of(der);
    struct stk_private_key key = {0};
    char text[STK_KIND_TEXT];
    enum stirkeep_status status = STIRKEEP_OK;

    switch (kind) {
    case STK_FILE_SEC1:
    case STK_FILE_PKCS8:
        status = stk_key_from_plain(der, curve, &key, error);
        break;
    case STK_FILE_ENCRYPTED:
        status = open_encrypted(der, passphrase, &key, error);
        break;
    case STK_FILE_RSA_KEY:
    case STK_FILE_DSA_KEY:
        stk_kind_of_traditional(kind, der, text);
        return stk_key_refuse_type(text, error);
    case STK_FILE_UNKNOWN:
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "not a private key in a known form, or cut off (%zu bytes)",
                             der.length);
    default:
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "no private key in it; it is %s",
                             stk_file_kind_text(kind));
    }
    if (status != STIRKEEP_OK)
        return status;
    key.form = form_of(kind, pem);
    *ret_key = key;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_key_open_der(struct stk_bytes file, struct stk_passphrase *passphrase,
                                      struct stk_private_key *ret_key, struct stk_error *error)
{
    struct stk_bytes rest = file;

    if (stk_pkcs12_is(file))
        return stk_key_open_pkcs12(file, passphrase, ret_key, NULL, error);
    if (!stk_der_next(&rest, NULL, NULL, NULL))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "not DER, or cut off (%zu bytes)",
                             file.length);
    if (rest.length > 0)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "%zu bytes behind the key's end",
                             rest.length);
    return stk_key_open_value(file, (struct stk_bytes){0}, false, passphrase, ret_key, error);
}
