/* SPDX-License-Identifier: BSD-2-Clause */
/* A token that unwraps nothing: SoftHSM, but for C_UnwrapKey. */
#include "softhsm_paths.h"
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stddef.h>

static CK_FUNCTION_LIST list;

static CK_RV refuse_unwrap(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                           CK_OBJECT_HANDLE unwrapping_key, CK_BYTE *wrapped, CK_ULONG wrapped_len,
                           CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    (void)session;
    (void)mechanism;
    (void)unwrapping_key;
    (void)wrapped;
    (void)wrapped_len;
    (void)attributes;
    (void)count;
    (void)key;
    return CKR_MECHANISM_INVALID;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret_list)
{
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST *real = NULL;
    void *module = NULL;

    for (size_t i = 0; module == NULL && softhsm_paths[i] != NULL; i++)
        module = dlopen(softhsm_paths[i], RTLD_NOW | RTLD_LOCAL);
    if (module == NULL)
        return CKR_GENERAL_ERROR;
    *(void **)&get = dlsym(module, "C_GetFunctionList");
    if (get == NULL || get(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    list = *real;
    list.C_UnwrapKey = refuse_unwrap;
    *ret_list = &list;
    return CKR_OK;
}
