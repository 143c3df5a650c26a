/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/file.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the token's files are: as configured, else SoftHSM's own directory of this token. */
static void find_files(struct stk_token *token, const struct stk_token_options *options)
{
    const char *root = options->directory;

    if (token->softhsm.tokens[0] != '\0')
        stk_softhsm_find(&token->softhsm, token->serial);
    if (token->softhsm.token[0] != '\0')
        root = token->softhsm.token;
    else if (root[0] == '\0')
        root = token->softhsm.tokens;
    token->durable.softhsm = token->softhsm.tokens[0] != '\0';
    (void)snprintf(token->durable.root, sizeof(token->durable.root), "%s", root);
}

/* Two tries: what is found holds as long as the process lives. */
#define COPY_TRIES 2

/* Do session copies of a token's private keys work, and for other sessions than the one that made
 * them? Tried with the one that is there for sure. */
static void try_copy(struct stk_token *token)
{
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
    struct stk_described about = {0};

    for (int i = 0; i < COPY_TRIES && !token->info.copies; i++)
        token->info.copies =
            stk_session_copy_for_all(&token->custody, token->wrapping_key, &copy) == CKR_OK;
    if (!token->info.copies)
        return;
    token->copies_for_all = stk_session_describe(&token->custody, copy, &about) == CKR_OK &&
                            about.class == CKO_PRIVATE_KEY && !about.on_token;
    if (stk_session_destroy(&token->custody, copy) != CKR_OK)
        token->copies_for_all = false;
}

/* A token that is not walked through, or not to the end, is searched. */
static enum stirkeep_status make_index(struct stk_token *token, struct stk_error *error)
{
    CK_RV rv = CKR_OK;

    if (stk_index_new(&token->index) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "token: out of memory");
    rv = stk_lookup_walk(&token->custody);
    return stk_ckr_is_stale(rv) ? stk_ckr_error(error, "C_FindObjects", rv) : STIRKEEP_OK;
}

static enum stirkeep_status open_sessions(struct stk_token *token, const struct stk_secret *pin,
                                          struct stk_error *error)
{
    enum stirkeep_status status = stk_login(token, pin, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    rv = stk_session_open(&token->custody);
    if (rv == CKR_OK)
        rv = stk_session_check(&token->custody);
    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, "C_OpenSession", rv);
}

static enum stirkeep_status open_token(struct stk_token *token,
                                       const struct stk_token_options *options,
                                       const struct stk_secret *pin, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    stk_softhsm_recognise(&token->softhsm, options->module, options->directory);
    stk_softhsm_recover(&token->softhsm);
    status = stk_module_load(token, options->module, error);
    if (status == STIRKEEP_OK)
        status = stk_module_find_token(token, options->label, error);
    if (status == STIRKEEP_TOKEN_ERROR)
        stk_softhsm_explain(&token->softhsm, error);
    if (status != STIRKEEP_OK)
        return status;
    if (options->require_hardware && !token->info.hardware)
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "token \"%s\" (%s): hardware is required and this is none",
                             token->label, token->model);
    find_files(token, options);
    if (token->softhsm.token[0] != '\0' && options->await_turn != NULL &&
        !options->await_turn(options->context))
        return stk_error_set(error, STIRKEEP_UNAVAILABLE, "token: not opened: not wanted any more");
    status = stk_softhsm_claim(&token->softhsm, error);
    if (status == STIRKEEP_OK)
        stk_softhsm_mend(&token->softhsm);
    if (status == STIRKEEP_OK)
        status = open_sessions(token, pin, error);
    /* What was there before is seen first, so that a wrapping key made now is checked on the disk:
     * one that was torn there would take all that is sealed to it along. */
    if (status == STIRKEEP_OK)
        status = stk_durable_sync(&token->durable, error);
    /* What a search has to look at, before anybody has counted. */
    atomic_store_explicit(&token->object_count, token->durable.seen_count, memory_order_relaxed);
    if (status == STIRKEEP_OK)
        status = stk_wrapping_open(token, error);
    if (status != STIRKEEP_OK)
        return status;
    try_copy(token);
    status = make_index(token, error);
    if (status != STIRKEEP_OK)
        return status;
    stk_sight_begin(token);
    return stk_durable_sync(&token->durable, error);
}

enum stirkeep_status stk_token_open(const struct stk_token_options *options, struct stk_secret *pin,
                                    struct stk_token **ret_token, struct stk_error *error)
{
    struct stk_token *token = calloc(1, sizeof(*token));
    enum stirkeep_status status = STIRKEEP_OK;

    if (token == NULL) {
        stk_secret_free(pin);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "token: out of memory");
    }
    token->home = (struct stk_session){.token = token, .told = options->busy};
    token->custody = (struct stk_session){.token = token, .writable = true, .told = options->busy};
    token->verify_sampled = options->verify_sampled;
    token->tell_pin = options->tell_pin;
    token->tell_context = options->context;
    (void)pthread_mutex_init(&token->objects, NULL);
    (void)pthread_mutex_init(&token->lookups.lock, NULL);
    status = open_token(token, options, pin, error);
    stk_secret_free(pin);
    /* Of an expired PIN a token may say so only when something is asked of it. */
    if (status == STIRKEEP_TOKEN_LOCKED)
        stk_login_tell(token, STK_PIN_REFUSED, error);
    if (status != STIRKEEP_OK && status != STIRKEEP_TOKEN_LOCKED) {
        stk_token_close(token);
        return status;
    }
    *ret_token = token;
    return status;
}

void stk_token_close(struct stk_token *token)
{
    if (token == NULL)
        return;
    if (token->home.handle != CK_INVALID_HANDLE) {
        stk_session_close(&token->custody);
        stk_call_begins(&token->home);
        (void)stk_call_ended(&token->home, token->p11->C_Logout(token->home.handle));
        stk_session_close(&token->home);
    }
    stk_module_unload(token);
    stk_softhsm_release(&token->softhsm);
    stk_durable_free(&token->durable);
    stk_inventory_free(&token->inventory);
    OPENSSL_free(token->wrapping_spki);
    stk_index_free(token->index);
    (void)pthread_mutex_destroy(&token->lookups.lock);
    (void)pthread_mutex_destroy(&token->objects);
    free(token);
}

const struct stk_token_info *stk_token_info(const struct stk_token *token)
{
    return &token->info;
}
