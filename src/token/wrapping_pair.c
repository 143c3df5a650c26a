/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/wrapping_pair.h"

CK_RV stk_wrapping_generate(CK_FUNCTION_LIST *calls, CK_SESSION_HANDLE session, CK_ULONG bits)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_BYTE exponent[] = {0x01, 0x00, 0x01};
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)STK_WRAPPING_LABEL, sizeof(STK_WRAPPING_LABEL) - 1};
    CK_ATTRIBUTE id = {CKA_ID, (void *)STK_WRAPPING_LABEL, sizeof(STK_WRAPPING_LABEL) - 1};
    CK_ATTRIBUTE public[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_ENCRYPT, &yes, sizeof(yes)},
        {CKA_WRAP, &yes, sizeof(yes)},
        {CKA_VERIFY, &no, sizeof(no)},
        {CKA_MODULUS_BITS, &bits, sizeof(bits)},
        {CKA_PUBLIC_EXPONENT, exponent, 3},
        label,
        id,
    };
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_SENSITIVE, &yes, sizeof(yes)},
        {CKA_EXTRACTABLE, &no, sizeof(no)},
        {CKA_DECRYPT, &yes, sizeof(yes)},
        {CKA_UNWRAP, &yes, sizeof(yes)},
        {CKA_SIGN, &no, sizeof(no)},
        label,
        id,
    };
    CK_OBJECT_HANDLE public_key_handle = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE private_key_handle = CK_INVALID_HANDLE;

    return calls->C_GenerateKeyPair(session, &mechanism, public, sizeof(public) / sizeof(public[0]),
                                    private, sizeof(private) / sizeof(private[0]),
                                    &public_key_handle, &private_key_handle);
}
