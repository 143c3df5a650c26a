/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/key.h"

#include "base/wipe.h"
#include "cert/der.h"
#include "cert/key_open.h"
#include "cert/kind.h"
#include "cert/pem.h"
#include "cert/pkcs12.h"
#include <string.h>

/* Deeper than OpenSSL goes below us; test_traces.c looks for what is left. */
#define STACK_USED (64 * 1024)

/*
 * OpenSSL wipes its heap, but its point multiplication and ciphers leave pieces of the key on the
 * stack. Overwrite what calls from the same frame have used.
 */
static __attribute__((noinline)) void burn_stack(void)
{
    uint8_t area[STACK_USED];

    stk_wipe(area, sizeof(area));
}

static enum stirkeep_status check_size(struct stk_bytes file, struct stk_error *error)
{
    if (file.length == 0)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "it is empty");
    if (file.length > STK_CERT_FILE_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%zu bytes; a key file has at most %d",
                             file.length, STK_CERT_FILE_MAX);
    return STIRKEEP_OK;
}

static enum stirkeep_status open_any(struct stk_bytes file, struct stk_passphrase *passphrase,
                                     struct stk_private_key *ret_key, struct stk_error *error)
{
    if (stk_pem_is(file))
        return stk_key_open_pem(file, passphrase, ret_key, error);
    if (file.data[0] == STK_DER_SEQUENCE)
        return stk_key_open_der(file, passphrase, ret_key, error);
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "neither PEM nor DER%s%s",
                         stk_file_guess(file) != NULL ? "; it is " : "",
                         stk_file_guess(file) != NULL ? stk_file_guess(file) : "");
}

static enum stirkeep_status take_passphrase(const struct stk_secret *secret,
                                            struct stk_passphrase *ret_passphrase,
                                            struct stk_error *error)
{
    if (secret == NULL)
        return STIRKEEP_OK;
    if (secret->length > STK_PASSPHRASE_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "a passphrase of more than %d bytes",
                             STK_PASSPHRASE_MAX);
    ret_passphrase->text = secret->data != NULL ? (const char *)secret->data : "";
    ret_passphrase->length = secret->length;
    return STIRKEEP_OK;
}

/* The common way of both readers; `pkcs12`: nothing else is expected, `ret_chain` may be set. */
static enum stirkeep_status read_file(const struct stk_secret *data, const char *name,
                                      const struct stk_secret *secret, bool pkcs12,
                                      struct stk_private_key *ret_key, struct stk_chain **ret_chain,
                                      struct stk_error *error)
{
    struct stk_bytes file = {data->data, data->length};
    struct stk_passphrase passphrase = {0};
    struct stk_error inner = {0};
    enum stirkeep_status status = check_size(file, &inner);

    if (status == STIRKEEP_OK)
        status = take_passphrase(secret, &passphrase, &inner);
    if (status == STIRKEEP_OK && pkcs12)
        status = stk_key_open_pkcs12(file, &passphrase, ret_key, ret_chain, &inner);
    else if (status == STIRKEEP_OK)
        status = open_any(file, &passphrase, ret_key, &inner);
    burn_stack();
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s: %s", name, inner.message);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_private_key_read(const struct stk_secret *data, const char *name,
                                          const struct stk_secret *passphrase,
                                          struct stk_private_key *ret_key, struct stk_error *error)
{
    return read_file(data, name, passphrase, false, ret_key, NULL, error);
}

enum stirkeep_status stk_pkcs12_read(const struct stk_secret *data, const char *name,
                                     const struct stk_secret *passphrase,
                                     struct stk_private_key *ret_key, struct stk_chain **ret_chain,
                                     struct stk_error *error)
{
    return read_file(data, name, passphrase, true, ret_key, ret_chain, error);
}

void stk_private_key_free(struct stk_private_key *key)
{
    stk_secret_free(&key->pkcs8);
    *key = (struct stk_private_key){0};
}
