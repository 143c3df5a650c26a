/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/decrypt.h"

#include "base/encode.h"
#include "base/wipe.h"
#include "cert/der.h"
#include "cert/kind.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define HOW_TO_CONVERT "export it again with AES-256 (a key: openssl pkcs8 -topk8 -v2 aes-256-cbc)"

enum stirkeep_status stk_decrypt_refused(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                         "the passphrase is wrong, or the file is damaged");
}

static enum stirkeep_status unsupported(const char *name, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                         "its encryption (%s) is not supported; " HOW_TO_CONVERT, name);
}

/* Run an initialised cipher over all of `sealed`. */
static enum stirkeep_status run_cipher(EVP_CIPHER_CTX *context, struct stk_bytes sealed,
                                       struct stk_secret *ret_plain, struct stk_error *error)
{
    struct stk_secret plain = {0};
    int first = 0;
    int last = 0;

    if (sealed.length > STK_CERT_FILE_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "too large");
    if (stk_secret_new(&plain, sealed.length + EVP_MAX_BLOCK_LENGTH) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    if (EVP_DecryptUpdate(context, plain.data, &first, sealed.data, (int)sealed.length) != 1 ||
        EVP_DecryptFinal_ex(context, plain.data + first, &last) != 1) {
        stk_secret_free(&plain);
        return stk_decrypt_refused(error);
    }
    plain.length = (size_t)first + (size_t)last;
    *ret_plain = plain;
    return STIRKEEP_OK;
}

bool stk_passphrase_work(struct stk_passphrase *passphrase, uint64_t iterations)
{
    if (iterations > STK_PBE_WORK_MAX - passphrase->work_done)
        return false;
    passphrase->work_done += iterations;
    return true;
}

/* The work that a key derivation asks for: {salt, iterations, ...}, or scrypt's {salt, N, r, p}. */
static bool work_is_bearable(const struct stk_algorithm *derivation,
                             struct stk_passphrase *passphrase)
{
    char oid[STK_OID_TEXT];
    struct stk_bytes inside = {0};
    uint64_t number = 0;

    stk_der_oid_text(derivation->oid, oid);
    if (!stk_der_only(derivation->parameters, STK_DER_SEQUENCE, &inside) ||
        !stk_der_take(&inside, STK_DER_OCTET_STRING, NULL) || !stk_der_take_uint(&inside, &number))
        return false;
    if (strcmp(oid, "1.3.6.1.4.1.11591.4.11") != 0)
        return stk_passphrase_work(passphrase, number);
    return stk_der_take_uint(&inside, &number) && stk_der_take_uint(&inside, &number) &&
           number <= STK_PBE_WORK_MAX / STK_PBE_SCRYPT_WORK &&
           stk_passphrase_work(passphrase, number * STK_PBE_SCRYPT_WORK);
}

/* Look into the AlgorithmIdentifier: the derivation, and what to call it in a message. */
static bool look_into(struct stk_bytes whole, struct stk_algorithm *ret_derivation,
                      char ret_name[STK_OID_TEXT])
{
    struct stk_algorithm outer = {0};
    struct stk_algorithm cipher = {0};
    struct stk_bytes inside = {0};

    if (!stk_algorithm_take(&whole, &outer) || whole.length > 0)
        return false;
    cipher = outer;
    *ret_derivation = outer;
    stk_der_oid_text(outer.oid, ret_name);
    if (strcmp(ret_name, "1.2.840.113549.1.5.13") == 0 &&
        (!stk_der_only(outer.parameters, STK_DER_SEQUENCE, &inside) ||
         !stk_algorithm_take(&inside, ret_derivation) || !stk_algorithm_take(&inside, &cipher)))
        return false;
    stk_der_oid_text(cipher.oid, ret_name);
    return true;
}

/* The name that OpenSSL has for an OID, or the OID. */
static void name_oid(char name[STK_OID_TEXT])
{
    int nid = OBJ_txt2nid(name);

    if (nid != NID_undef)
        (void)snprintf(name, STK_OID_TEXT, "%s", OBJ_nid2ln(nid));
}

enum stirkeep_status stk_decrypt_pbe(struct stk_bytes algorithm, struct stk_bytes sealed,
                                     struct stk_passphrase *passphrase,
                                     struct stk_secret *ret_plain, struct stk_error *error)
{
    struct stk_algorithm derivation = {0};
    char name[STK_OID_TEXT];
    const unsigned char *at = algorithm.data;
    X509_ALGOR *parsed = NULL;
    const ASN1_OBJECT *oid = NULL;
    EVP_CIPHER_CTX *context = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!look_into(algorithm, &derivation, name))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "its encryption's parameters are not well-formed");
    name_oid(name);
    if (!work_is_bearable(&derivation, passphrase))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "its encryption (%s) asks for more work than %d iterations, or its "
                             "parameters are not well-formed",
                             name, STK_PBE_WORK_MAX);
    parsed = d2i_X509_ALGOR(NULL, &at, (long)algorithm.length);
    context = EVP_CIPHER_CTX_new();
    if (parsed == NULL || context == NULL) {
        status =
            stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory for its encryption (%s)", name);
        goto out;
    }
    X509_ALGOR_get0(&oid, NULL, NULL, parsed);
    if (EVP_PBE_CipherInit_ex((ASN1_OBJECT *)oid, passphrase->text, (int)passphrase->length,
                              parsed->parameter, context, 0, NULL, NULL) == 1)
        status = run_cipher(context, sealed, ret_plain, error);
    else
        status = unsupported(name, error);
out:
    EVP_CIPHER_CTX_free(context);
    X509_ALGOR_free(parsed);
    ERR_clear_error();
    return status;
}

/* "AES-256-CBC,00112233...": the cipher's name and the IV. */
static bool split_dek_info(struct stk_bytes dek_info, char ret_name[32],
                           uint8_t ret_iv[EVP_MAX_IV_LENGTH], size_t *ret_iv_length)
{
    const uint8_t *comma = memchr(dek_info.data, ',', dek_info.length);
    size_t name_length = comma != NULL ? (size_t)(comma - dek_info.data) : 0;
    size_t hex_length = comma != NULL ? dek_info.length - name_length - 1 : 0;
    char hex[2 * EVP_MAX_IV_LENGTH + 1] = "";

    if (name_length == 0 || name_length >= 32 || hex_length >= sizeof(hex) || hex_length % 2 != 0)
        return false;
    for (size_t i = 0; i < name_length; i++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", dek_info.data[i]) == NULL ||
            dek_info.data[i] == '\0')
            return false;
    memcpy(ret_name, dek_info.data, name_length);
    ret_name[name_length] = '\0';
    memcpy(hex, comma + 1, hex_length);
    *ret_iv_length = hex_length / 2;
    return stk_hex_decode(hex, ret_iv, hex_length / 2);
}

/* Set the cipher up with EVP_BytesToKey, MD5 and one round: all that this form has. */
static bool start_pem_cipher(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const uint8_t *iv,
                             const struct stk_passphrase *passphrase)
{
    uint8_t key[EVP_MAX_KEY_LENGTH] = {0};
    bool ok = EVP_BytesToKey(cipher, EVP_md5(), iv, (const unsigned char *)passphrase->text,
                             (int)passphrase->length, 1, key, NULL) > 0 &&
              EVP_DecryptInit_ex2(context, cipher, key, iv, NULL) == 1;

    stk_wipe(key, sizeof(key));
    return ok;
}

enum stirkeep_status stk_decrypt_pem(struct stk_bytes dek_info, struct stk_bytes sealed,
                                     const struct stk_passphrase *passphrase,
                                     struct stk_secret *ret_plain, struct stk_error *error)
{
    char name[32] = "";
    uint8_t iv[EVP_MAX_IV_LENGTH] = {0};
    size_t iv_length = 0;
    EVP_CIPHER *cipher = NULL;
    EVP_CIPHER_CTX *context = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (dek_info.length == 0 || !split_dek_info(dek_info, name, iv, &iv_length))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "its DEK-Info line is not readable");
    cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    context = EVP_CIPHER_CTX_new();
    if (cipher == NULL || EVP_CIPHER_get_mode(cipher) != EVP_CIPH_CBC_MODE)
        status = unsupported(name, error);
    else if (iv_length < 8 || iv_length != (size_t)EVP_CIPHER_get_iv_length(cipher))
        status = stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "its DEK-Info line is not readable");
    else if (context == NULL || !start_pem_cipher(context, cipher, iv, passphrase))
        status = unsupported(name, error);
    else
        status = run_cipher(context, sealed, ret_plain, error);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    ERR_clear_error();
    return status;
}
