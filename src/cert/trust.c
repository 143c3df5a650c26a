/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/chain.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* 112 bits and more: no SHA-1, no RSA below 2048. */
#define AUTH_LEVEL 2

/* Are those extensions of STIR the only critical ones that OpenSSL does not know? */
static bool only_stir_is_unknown(X509 *x509)
{
    for (int i = 0; i < X509_get_ext_count(x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);

        if (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension) &&
            !stk_extension_is_stir(extension))
            return false;
    }
    return true;
}

/* RFC 8226 allows a critical TNAuthList, and we do process it; OpenSSL refuses what it does not
 * know. */
static int accept_stir_extensions(int ok, X509_STORE_CTX *context)
{
    if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION ||
        !only_stir_is_unknown(X509_STORE_CTX_get_current_cert(context)))
        return ok;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

static X509_STORE *store_of(const struct stk_chain *roots)
{
    X509_STORE *store = X509_STORE_new();

    for (size_t i = 0; store != NULL && i < roots->count; i++)
        if (X509_STORE_add_cert(store, roots->items[i].x509) != 1) {
            X509_STORE_free(store);
            store = NULL;
        }
    return store;
}

/* What came with the leaf, as borrowed certificates. */
static STACK_OF(X509) * untrusted_of(const struct stk_chain *chain)
{
    STACK_OF(X509) *stack = sk_X509_new_null();

    for (size_t i = 1; stack != NULL && i < chain->count; i++)
        if (sk_X509_push(stack, chain->items[i].x509) <= 0) {
            sk_X509_free(stack);
            stack = NULL;
        }
    return stack;
}

static void set_parameters(X509_STORE_CTX *context, int64_t now)
{
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);

    X509_VERIFY_PARAM_set_time(parameters, (time_t)now);
    X509_VERIFY_PARAM_set_auth_level(parameters, AUTH_LEVEL);
    /* A trusted intermediate is an anchor, too. */
    (void)X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_verify_cb(context, accept_stir_extensions);
}

static enum stirkeep_status verify(X509_STORE_CTX *context, struct stk_error *error)
{
    int depth = 0;

    if (X509_verify_cert(context) == 1 && X509_STORE_CTX_get_error(context) == X509_V_OK)
        return STIRKEEP_OK;
    depth = X509_STORE_CTX_get_error_depth(context);
    return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                         "the chain is not trusted: certificate %d of the path: %s", depth + 1,
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

enum stirkeep_status stk_chain_trusted(const struct stk_chain *chain, const struct stk_chain *roots,
                                       int64_t now, struct stk_error *error)
{
    X509_STORE *store = store_of(roots);
    STACK_OF(X509) *untrusted = untrusted_of(chain);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    enum stirkeep_status status = STIRKEEP_NO_MEMORY;

    if (store != NULL && untrusted != NULL && context != NULL &&
        X509_STORE_CTX_init(context, store, chain->items[0].x509, untrusted) == 1) {
        set_parameters(context, now);
        status = verify(context, error);
    } else {
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "verifying the chain: no memory");
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(untrusted);
    X509_STORE_free(store);
    ERR_clear_error();
    return status;
}

bool stk_chain_has_authority(const struct stk_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        if (X509_check_ca(chain->items[i].x509) != 0)
            return true;
    return false;
}
