/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/seal.h"

#include "base/digest.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define AES_KEY_LENGTH 32
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_PART_MAX (RSA_BITS_MAX / 8)
#define SPKI_MAX 1024
#define KWP_BLOCK 8
#define KWP_OVERHEAD (2 * KWP_BLOCK) /* integrity block, and padding to a whole block */

/* The wrapping key, when it is an RSA public key of an allowed size and nothing follows it. */
static EVP_PKEY *read_wrapping_key(struct stk_bytes spki)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *key = NULL;
    int bits = 0;

    if (spki.data == NULL || spki.length == 0 || spki.length > SPKI_MAX)
        return NULL;
    key = d2i_PUBKEY(NULL, &at, (long)spki.length);
    bits = key == NULL || EVP_PKEY_is_a(key, "RSA") != 1 ? 0 : EVP_PKEY_get_bits(key);
    if (at != spki.data + spki.length || bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool encrypt_oaep(EVP_PKEY *key, const struct stk_secret *aes, uint8_t *ret_data,
                         size_t *ret_length)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    size_t length = RSA_PART_MAX;
    bool done = context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha1()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha1()) == 1 &&
                EVP_PKEY_encrypt(context, ret_data, &length, aes->data, aes->length) == 1;

    if (done)
        *ret_length = length;
    EVP_PKEY_CTX_free(context);
    return done;
}

/* AES-256-KWP either way, RFC 5649; `ret_data` has room for length + KWP_OVERHEAD. */
static bool key_wrap(const struct stk_secret *aes, bool wrap, const uint8_t *data, size_t length,
                     uint8_t *ret_data, size_t *ret_length)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    int last = 0;
    bool done = cipher != NULL && context != NULL &&
                EVP_CipherInit_ex2(context, cipher, aes->data, NULL, wrap ? 1 : 0, NULL) == 1 &&
                EVP_CipherUpdate(context, ret_data, &written, data, (int)length) == 1 &&
                EVP_CipherFinal_ex(context, ret_data + written, &last) == 1 && written > 0;

    if (done)
        *ret_length = (size_t)written + (size_t)last;
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return done;
}

static enum stirkeep_status fresh_key(struct stk_secret *ret_aes)
{
    enum stirkeep_status status = stk_secret_new(ret_aes, AES_KEY_LENGTH);

    if (status != STIRKEEP_OK)
        return status;
    ret_aes->length = AES_KEY_LENGTH;
    stk_random(ret_aes->data, ret_aes->length);
    return STIRKEEP_OK;
}

static enum stirkeep_status seal_with(EVP_PKEY *wrapping, const struct stk_secret *aes,
                                      const struct stk_secret *pkcs8, struct stk_buffer *sealed)
{
    size_t rsa_length = 0;
    size_t wrapped_length = 0;
    enum stirkeep_status status =
        stk_buffer_reserve(sealed, RSA_PART_MAX + pkcs8->length + KWP_OVERHEAD);

    if (status != STIRKEEP_OK)
        return status;
    if (!encrypt_oaep(wrapping, aes, sealed->data, &rsa_length) ||
        !key_wrap(aes, true, pkcs8->data, pkcs8->length, sealed->data + rsa_length,
                  &wrapped_length))
        return STIRKEEP_INTERNAL;
    sealed->length = rsa_length + wrapped_length;
    return sealed->length > STK_SEALED_MAX ? STIRKEEP_TOO_LARGE : STIRKEEP_OK;
}

enum stirkeep_status stk_seal(struct stk_bytes wrapping_spki, const struct stk_secret *pkcs8,
                              struct stk_buffer *ret_sealed, struct stk_error *error)
{
    struct stk_buffer sealed = {0};
    struct stk_secret aes = {0};
    EVP_PKEY *wrapping = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (pkcs8->length == 0 || pkcs8->length > STK_SEALED_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE,
                             "a private key of %zu bytes cannot be sealed (1 to %d)", pkcs8->length,
                             STK_SEALED_MAX);
    wrapping = read_wrapping_key(wrapping_spki);
    if (wrapping == NULL) {
        status = stk_error_set(error, STIRKEEP_INVALID,
                               "wrapping key: not an RSA public key of %d to %d bits", RSA_BITS_MIN,
                               RSA_BITS_MAX);
        goto out;
    }
    status = fresh_key(&aes);
    if (status == STIRKEEP_OK)
        status = seal_with(wrapping, &aes, pkcs8, &sealed);
    if (status != STIRKEEP_OK) {
        status =
            stk_error_set(error, status, "sealing a private key: %s", stirkeep_status_text(status));
        goto out;
    }
    *ret_sealed = sealed;
    sealed = (struct stk_buffer){0};
out:
    stk_secret_free(&aes);
    stk_buffer_free(&sealed);
    EVP_PKEY_free(wrapping);
    ERR_clear_error();
    return status;
}

enum stirkeep_status stk_seal_open(const struct stk_secret *aes_key, struct stk_bytes wrapped,
                                   struct stk_secret *ret_pkcs8, struct stk_error *error)
{
    struct stk_secret pkcs8 = {0};
    size_t length = 0;

    if (aes_key->length != AES_KEY_LENGTH)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED, "sealed key: not sealed by AES-256");
    if (wrapped.data == NULL || wrapped.length < KWP_OVERHEAD || wrapped.length > STK_SEALED_MAX ||
        wrapped.length % KWP_BLOCK != 0)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "sealed key: %zu bytes are no AES key wrap", wrapped.length);
    if (stk_secret_new(&pkcs8, wrapped.length + KWP_OVERHEAD) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "sealed key: out of memory");
    if (!key_wrap(aes_key, false, wrapped.data, wrapped.length, pkcs8.data, &length)) {
        stk_secret_free(&pkcs8);
        ERR_clear_error();
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "sealed key: tampered with, or sealed to another key");
    }
    pkcs8.length = length;
    *ret_pkcs8 = pkcs8;
    return STIRKEEP_OK;
}
