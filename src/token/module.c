/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/footprint.h"
#include "token/internal.h"
#include "token/locks.h"
#include "token/prepared.h"

#include <dlfcn.h>
#include <string.h>

#define LIBP11_REASONS 1024 /* its own ones begin there */

static enum stirkeep_status call_failed(struct stk_error *error, const char *module,
                                        const char *call, CK_RV rv)
{
    char buffer[STK_CKR_TEXT] = "";

    return stk_error_set(error, STIRKEEP_TOKEN_ERROR, "%s: %s: %s", module, call,
                         stk_ckr_name(rv, buffer));
}

/* libp11 leaves the PKCS#11 code of a failed call in OpenSSL's error queue. */
static enum stirkeep_status libp11_error(struct stk_error *error, const char *call,
                                         const char *module)
{
    /* Not by ERR_get_CKR_code(), which gives the library's number with OpenSSL 3. */
    CK_RV rv = (CK_RV)ERR_GET_REASON(ERR_peek_last_error());

    ERR_clear_error();
    if (rv == CKR_OK || rv >= LIBP11_REASONS)
        rv = CKR_GENERAL_ERROR;
    return call_failed(error, module, call, rv);
}

/* The calls of the same instance that libp11 uses. */
static enum stirkeep_status get_calls(struct stk_token *token, const char *path,
                                      struct stk_error *error)
{
    void *symbol = dlsym(token->library, "C_GetFunctionList");
    CK_C_GetFunctionList get = NULL;
    CK_RV rv = CKR_OK;

    if (symbol == NULL)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR, "%s: not a PKCS#11 module", path);
    memcpy(&get, &symbol, sizeof(get)); /* C has no cast from object to function */
    stk_call_begins(&token->home);
    rv = stk_call_ended(&token->home, get(&token->p11));
    if (rv != CKR_OK || token->p11 == NULL)
        return stk_ckr_error(error, "C_GetFunctionList", rv == CKR_OK ? CKR_GENERAL_ERROR : rv);
    return STIRKEEP_OK;
}

/*
 * Before libp11, which gives no locks of ours and takes CKR_CRYPTOKI_ALREADY_INITIALIZED for good.
 * p11-kit's client module makes an instance for each who asks for its calls: then libp11 initialises
 * its own.
 */
static enum stirkeep_status initialise(struct stk_token *token, const char *path,
                                       struct stk_error *error)
{
    CK_C_INITIALIZE_ARGS arguments = stk_locks_arguments();
    CK_RV rv = token->p11->C_Initialize(&arguments);

    if (rv == CKR_CANT_LOCK || rv == CKR_ARGUMENTS_BAD) {
        arguments = (CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK};
        rv = token->p11->C_Initialize(&arguments);
    }
    if (rv != CKR_OK)
        return call_failed(error, path, "C_Initialize", rv);
    token->initialised = true;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_module_load(struct stk_token *token, const char *path,
                                     struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    /* Loaded here first: libp11 would print the reason of a failure instead of returning it. */
    token->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (token->library == NULL) {
        const char *reason = dlerror();

        return stk_error_set(error, STIRKEEP_TOKEN_ERROR, "PKCS#11 module: %s",
                             reason == NULL ? path : reason);
    }
    stk_footprint_prepare(token->library);
    status = get_calls(token, path, error);
    if (status == STIRKEEP_OK)
        status = initialise(token, path, error);
    if (status != STIRKEEP_OK)
        return status;
    token->context = PKCS11_CTX_new();
    if (token->context == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", path);
    if (PKCS11_CTX_load(token->context, path) != 0) {
        status = libp11_error(error, "C_Initialize", path);
        PKCS11_CTX_free(token->context);
        token->context = NULL;
        return status;
    }
    stk_call_begins(&token->home);
    if (PKCS11_enumerate_slots(token->context, &token->slots, &token->slot_count) != 0) {
        token->slot_count = 0;
        status = libp11_error(error, "C_GetSlotList", path);
    }
    (void)stk_call_ended(&token->home, CKR_OK);
    stk_prepared_make();
    return status;
}

static void copy_text(char *ret_text, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strnlen(text, size - 1);

    memcpy(ret_text, text == NULL ? "" : text, length);
    ret_text[length] = '\0';
}

static enum stirkeep_status describe(struct stk_token *token, const PKCS11_TOKEN *found,
                                     struct stk_error *error)
{
    CK_SLOT_INFO slot = {0};
    CK_TOKEN_INFO about = {0};
    CK_RV rv = CKR_OK;

    stk_call_begins(&token->home);
    rv = stk_call_ended(&token->home, token->p11->C_GetSlotInfo(token->slot, &slot));
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_GetSlotInfo", rv);
    stk_call_begins(&token->home);
    rv = stk_call_ended(&token->home, token->p11->C_GetTokenInfo(token->slot, &about));
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_GetTokenInfo", rv);
    copy_text(token->label, sizeof(token->label), found->label);
    copy_text(token->serial, sizeof(token->serial), found->serialnr);
    copy_text(token->model, sizeof(token->model), found->model);
    token->info = (struct stk_token_info){
        .label = token->label,
        .serial = token->serial,
        .model = token->model,
        .hardware = (slot.flags & CKF_HW_SLOT) != 0,
        .max_sessions = about.ulMaxSessionCount == CK_UNAVAILABLE_INFORMATION
                            ? 0
                            : about.ulMaxSessionCount, /* CK_EFFECTIVELY_INFINITE is 0 too */
    };
    return STIRKEEP_OK;
}

enum stirkeep_status stk_module_find_token(struct stk_token *token, const char *label,
                                           struct stk_error *error)
{
    PKCS11_SLOT *found = NULL;

    for (unsigned int i = 0; i < token->slot_count; i++) {
        PKCS11_SLOT *slot = &token->slots[i];

        if (slot->token == NULL || !slot->token->initialized || slot->token->label == NULL ||
            strcmp(slot->token->label, label) != 0)
            continue;
        if (found != NULL)
            return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                                 "token \"%s\": two tokens have this label", label);
        found = slot;
    }
    if (found == NULL)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "token \"%s\": none of the %u slots has an initialised token with "
                             "this label",
                             label, token->slot_count);
    token->slot = PKCS11_get_slotid_from_slot(found);
    return describe(token, found->token, error);
}

void stk_module_unload(struct stk_token *token)
{
    if (token->context != NULL) {
        if (token->slots != NULL)
            PKCS11_release_all_slots(token->context, token->slots, token->slot_count);
        PKCS11_CTX_unload(token->context); /* calls C_Finalize */
        PKCS11_CTX_free(token->context);
    }
    if (token->initialised) /* and libp11 had another instance, or none */
        (void)token->p11->C_Finalize(NULL);
    if (token->library != NULL)
        (void)dlclose(token->library);
    token->initialised = false;
    token->context = NULL;
    token->slots = NULL;
    token->library = NULL;
}
