/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/fresh.h"

#include "token/wrapping_pair.h"
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#define LABEL_LENGTH 32 /* CK_TOKEN_INFO, padded with spaces */

static enum stirkeep_status load(const char *module, CK_FUNCTION_LIST **ret_calls,
                                 struct stk_error *error)
{
    void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *symbol = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
    CK_C_GetFunctionList get = NULL;
    CK_RV rv = CKR_OK;

    if (symbol == NULL) {
        const char *reason = dlerror();

        return stk_error_set(error, STIRKEEP_TOKEN_ERROR, "PKCS#11 module: %s",
                             reason == NULL ? module : reason);
    }
    memcpy(&get, &symbol, sizeof(get)); /* C has no cast from object to function */
    rv = get(ret_calls);
    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, "C_GetFunctionList", rv);
}

static enum stirkeep_status find_slot(CK_FUNCTION_LIST *calls, CK_SLOT_ID *ret_slot,
                                      struct stk_error *error)
{
    CK_SLOT_ID slots[4] = {0};
    CK_ULONG count = sizeof(slots) / sizeof(slots[0]);
    CK_RV rv = calls->C_GetSlotList(CK_FALSE, slots, &count);

    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_GetSlotList", rv);
    if (count == 0)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR, "the module has no slot");
    *ret_slot = slots[0];
    return STIRKEEP_OK;
}

static CK_UTF8CHAR *text_of(const char *text)
{
    return (CK_UTF8CHAR *)(uintptr_t)text; /* PKCS#11 has no const; nothing is written there */
}

static enum stirkeep_status fill_in(CK_FUNCTION_LIST *calls, CK_SLOT_ID slot, const char *so_pin,
                                    const char *pin, struct stk_error *error)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    const char *call = "C_OpenSession";
    CK_RV rv =
        calls->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);

    if (rv == CKR_OK) {
        call = "C_Login";
        rv = calls->C_Login(session, CKU_SO, text_of(so_pin), strlen(so_pin));
    }
    if (rv == CKR_OK) {
        call = "C_InitPIN";
        rv = calls->C_InitPIN(session, text_of(pin), strlen(pin));
    }
    /* The least that the service takes: a shorter search than the one that it would make itself. */
    if (rv == CKR_OK) {
        call = "C_Login";
        (void)calls->C_Logout(session);
        rv = calls->C_Login(session, CKU_USER, text_of(pin), strlen(pin));
    }
    if (rv == CKR_OK) {
        call = "C_GenerateKeyPair";
        rv = stk_wrapping_generate(calls, session, STK_WRAPPING_BITS_MIN);
    }
    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, call, rv);
}

enum stirkeep_status stk_token_make(const char *module, const char *label, const char *so_pin,
                                    const char *pin, struct stk_error *error)
{
    CK_FUNCTION_LIST *calls = NULL;
    CK_UTF8CHAR padded[LABEL_LENGTH];
    size_t length = strlen(label);
    CK_SLOT_ID slot = 0;
    CK_RV rv = CKR_OK;
    enum stirkeep_status status = load(module, &calls, error);

    if (status != STIRKEEP_OK)
        return status;
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, label, length < sizeof(padded) ? length : sizeof(padded));
    rv = calls->C_Initialize(NULL);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_Initialize", rv);
    status = find_slot(calls, &slot, error);
    if (status == STIRKEEP_OK) {
        rv = calls->C_InitToken(slot, text_of(so_pin), strlen(so_pin), padded);
        status = rv == CKR_OK ? fill_in(calls, slot, so_pin, pin, error)
                              : stk_ckr_error(error, "C_InitToken", rv);
    }
    (void)calls->C_Finalize(NULL);
    return status;
}
