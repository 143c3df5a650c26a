/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_TOKEN_FIXTURE_H
#define TEST_TOKEN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "base/buffer.h"
#include "token/internal.h"
#include "token/signer.h"
#include <openssl/evp.h>

#define FX_LABEL "under test"
#define FX_PIN "open sesame 4711"

/* ---- fixture.c: a SoftHSM token in a directory of its own */

/* cmocka group set-up and tear-down. Without SoftHSM nothing is made. */
int fx_group_begin(void **state);
int fx_group_end(void **state);

/* At the beginning of each test: skips it when there is no SoftHSM, fails it when CI is set. */
void fx_require(void);

const char *fx_module(void);
const char *fx_directory(void);

/* Make another token with this label beside the first. */
void fx_init_token(const char *label);

/* Write softhsm2.conf with `extra` lines. Read by the next opening. */
void fx_configure(const char *extra);

/* The path of a file in the (first found) token's directory. */
void fx_token_file(const char *name, char *ret_path, size_t size);

/* Remove all tokens and make one, as at the beginning. */
void fx_renew(void);

enum stirkeep_status fx_try_open(const char *label, const char *pin, struct stk_token **ret_token,
                                 struct stk_error *error);
struct stk_token *fx_open(void);

/* As long as it lasts, no file can grow past `bytes`: writes fail as on a full disk. */
void fx_disk_full(unsigned long bytes);
void fx_disk_free(void);

/* Have the token's calls go through a copy of the function list, which a test may change. */
CK_FUNCTION_LIST *fx_intercept(struct stk_token *token);
CK_FUNCTION_LIST *fx_real(void);

/* ---- keys.c */

struct fx_key {
    EVP_PKEY *pkey;
    uint8_t spki[STK_P256_SPKI_LENGTH];
    struct stk_key_id key_id;
    struct stk_buffer certificate;
    struct stk_secret pkcs8;
};

void fx_key_new(struct fx_key *ret_key);
void fx_key_free(struct fx_key *key);

/* A self-signed certificate of any key. */
void fx_certificate(EVP_PKEY *pkey, struct stk_buffer *ret_der);
void fx_pkcs8(EVP_PKEY *pkey, struct stk_secret *ret_pkcs8);

void fx_seal(struct stk_token *token, const struct stk_secret *pkcs8,
             struct stk_buffer *ret_sealed);

/* An import of `key` from what was sealed. */
struct stk_token_import fx_import_of(const struct fx_key *key, const struct stk_buffer *sealed,
                                     struct stk_bytes chain[1]);

/* Seal and import; the test fails when it is refused. */
void fx_import(struct stk_token *token, const struct fx_key *key);

/* Does OpenSSL verify r||s with this key? */
bool fx_verifies(const struct fx_key *key, const uint8_t digest[STK_DIGEST_LENGTH],
                 const uint8_t signature[STK_SIGNATURE_LENGTH]);

/* Objects of a class (CK_UNAVAILABLE_INFORMATION: any) with this CKA_ID on the token. */
size_t fx_count(struct stk_token *token, const struct stk_key_id *key_id, CK_OBJECT_CLASS class);

/* Put a private key of `scalar_of` on the token under the CKA_ID of `id_of`, by a raw call. */
void fx_plant(struct stk_token *token, const struct fx_key *scalar_of,
              const struct stk_key_id *key_id);

#endif
