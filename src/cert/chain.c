/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/chain.h"

#include "cert/der.h"
#include "cert/pem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name: reason" in place of the reason that `inner` holds. */
static enum stirkeep_status named(struct stk_error *error, const char *name,
                                  const struct stk_error *inner)
{
    return stk_error_set(error, inner->status, "%s: %s", name, inner->message);
}

/* Add a certificate; the message counts it. */
static enum stirkeep_status add_der(struct stk_chain *chain, struct stk_bytes der,
                                    struct stk_error *error)
{
    struct stk_error inner = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (chain->count == STK_CHAIN_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "more than %d certificates", STK_CHAIN_MAX);
    status = stk_chain_item_read(der, &chain->items[chain->count], &inner);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "certificate %zu: %s", chain->count + 1, inner.message);
    chain->count++;
    return STIRKEEP_OK;
}

static bool is_certificate(const struct stk_pem_block *block)
{
    return stk_pem_labelled(block, "CERTIFICATE") || stk_pem_labelled(block, "X509 CERTIFICATE");
}

static enum stirkeep_status add_pem(struct stk_chain *chain, const struct stk_pem_block *block,
                                    struct stk_error *error)
{
    struct stk_buffer der = {0};
    size_t room = stk_pem_body_room(block);
    enum stirkeep_status status = STIRKEEP_OK;

    /* Each of them costs work, so the limit comes before the decoding. */
    if (chain->count == STK_CHAIN_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "more than %d certificates", STK_CHAIN_MAX);
    if (stk_buffer_reserve(&der, room) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    if (stk_pem_decode(block, der.data, &der.length))
        status = add_der(chain, (struct stk_bytes){der.data, der.length}, error);
    else
        status = stk_error_set(error, STIRKEEP_CERT_INVALID,
                               "certificate %zu (line %zu): its text is not base64",
                               chain->count + 1, block->line);
    stk_buffer_free(&der);
    return status;
}

/* What there is instead of a certificate. */
static enum stirkeep_status none_found(const struct stk_pem_block *other, struct stk_error *error)
{
    if (other->label.length == 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "no certificate in it");
    return stk_error_set(error, STIRKEEP_CERT_INVALID, "no certificate in it; found %.*s%s",
                         (int)other->label.length, (const char *)other->label.data,
                         stk_pem_labelled(other, "PKCS7") ? " (openssl pkcs7 -print_certs reads it)"
                                                          : "");
}

static enum stirkeep_status read_pem(struct stk_chain *chain, struct stk_bytes text,
                                     struct stk_error *error)
{
    struct stk_pem_reader reader = {.rest = text};
    struct stk_pem_block block = {0};
    struct stk_pem_block other = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    for (;;) {
        struct stk_error inner = {0};

        if (stk_pem_next(&reader, &block, &inner) != STIRKEEP_OK)
            return stk_error_set(error, STIRKEEP_CERT_INVALID, "%s", inner.message);
        if (block.label.length == 0)
            break;
        if (!is_certificate(&block)) {
            other = block;
            continue;
        }
        status = add_pem(chain, &block, error);
        if (status != STIRKEEP_OK)
            return status;
    }
    return chain->count > 0 ? STIRKEEP_OK : none_found(&other, error);
}

static enum stirkeep_status read_any(struct stk_chain *chain, struct stk_bytes data,
                                     struct stk_error *error)
{
    struct stk_bytes whole = data;

    if (data.length == 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "it is empty");
    if (data.length > STK_CERT_FILE_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE,
                             "%zu bytes; a file of certificates has at most %d", data.length,
                             STK_CERT_FILE_MAX);
    if (stk_pem_is(data))
        return read_pem(chain, data, error);
    if (data.data[0] == STK_DER_SEQUENCE && stk_der_next(&whole, NULL, NULL, NULL))
        return add_der(chain, data, error);
    return stk_error_set(error, STIRKEEP_CERT_INVALID, "neither PEM nor DER%s%s",
                         stk_file_guess(data) != NULL ? "; it is " : ", or cut off",
                         stk_file_guess(data) != NULL ? stk_file_guess(data) : "");
}

enum stirkeep_status stk_chain_read(struct stk_bytes data, const char *name,
                                    struct stk_chain **ret_chain, struct stk_error *error)
{
    struct stk_error inner = {0};
    struct stk_chain *chain = calloc(1, sizeof(*chain));
    enum stirkeep_status status = STIRKEEP_OK;

    if (chain == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: no memory", name);
    status = read_any(chain, data, &inner);
    if (status != STIRKEEP_OK) {
        stk_chain_free(chain);
        return named(error, name, &inner);
    }
    *ret_chain = chain;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_chain_from_der(const struct stk_bytes *certificates, size_t count,
                                        struct stk_chain **ret_chain, struct stk_error *error)
{
    struct stk_chain *chain = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (count == 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "no certificate");
    chain = calloc(1, sizeof(*chain));
    if (chain == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        status = add_der(chain, certificates[i], error);
    if (status != STIRKEEP_OK) {
        stk_chain_free(chain);
        return status;
    }
    *ret_chain = chain;
    return STIRKEEP_OK;
}

static bool holds(const struct stk_chain *chain, const struct stk_buffer *der)
{
    for (size_t i = 0; i < chain->count; i++)
        if (stk_bytes_are(stk_chain_der(chain, i), der->data, der->length))
            return true;
    return false;
}

enum stirkeep_status stk_chain_append(struct stk_chain *chain, const struct stk_chain *more,
                                      struct stk_error *error)
{
    size_t before = chain->count;

    for (size_t i = 0; i < more->count; i++) {
        enum stirkeep_status status = STIRKEEP_OK;

        if (holds(chain, &more->items[i].der))
            continue;
        status = add_der(chain, stk_chain_der(more, i), error);
        if (status == STIRKEEP_OK)
            continue;
        while (chain->count > before)
            stk_chain_item_free(&chain->items[--chain->count]);
        return status;
    }
    return STIRKEEP_OK;
}

void stk_chain_free(struct stk_chain *chain)
{
    if (chain == NULL)
        return;
    for (size_t i = 0; i < chain->count; i++)
        stk_chain_item_free(&chain->items[i]);
    free(chain);
}

size_t stk_chain_count(const struct stk_chain *chain)
{
    return chain->count;
}

struct stk_bytes stk_chain_der(const struct stk_chain *chain, size_t index)
{
    if (index >= chain->count)
        return (struct stk_bytes){0};
    return (struct stk_bytes){chain->items[index].der.data, chain->items[index].der.length};
}

enum stirkeep_status stk_chain_pem(const struct stk_chain *chain, struct stk_buffer *out)
{
    size_t before = out->length;

    for (size_t i = 0; i < chain->count; i++) {
        enum stirkeep_status status = stk_pem_add(out, "CERTIFICATE", "", stk_chain_der(chain, i));
        if (status != STIRKEEP_OK) {
            out->length = before;
            return status;
        }
    }
    return STIRKEEP_OK;
}
