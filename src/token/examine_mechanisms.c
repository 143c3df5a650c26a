/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/examine.h"

#include "token/internal.h"
#include <stdio.h>

static const struct {
    CK_MECHANISM_TYPE type;
    const char *name;
    bool needed; /* nothing works without it */
} mechanisms[] = {
    {CKM_ECDSA, "CKM_ECDSA", true},
    {CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN", false},
    {CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP", false},
    {CKM_AES_KEY_WRAP_PAD, "CKM_AES_KEY_WRAP_PAD", false},
    {CKM_RSA_AES_KEY_WRAP, "CKM_RSA_AES_KEY_WRAP", false},
    {CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN", false},
};

static const struct {
    CK_FLAGS flag;
    const char *name;
} uses[] = {
    {CKF_HW, "in hardware"},  {CKF_SIGN, "sign"},
    {CKF_VERIFY, "verify"},   {CKF_ENCRYPT, "encrypt"},
    {CKF_DECRYPT, "decrypt"}, {CKF_WRAP, "wrap"},
    {CKF_UNWRAP, "unwrap"},   {CKF_GENERATE_KEY_PAIR, "generate"},
};

static CK_RV mechanism_info(struct stk_token *token, CK_MECHANISM_TYPE type,
                            CK_MECHANISM_INFO *ret_info)
{
    stk_call_begins(&token->custody);
    return stk_call_ended(&token->custody,
                          token->p11->C_GetMechanismInfo(token->slot, type, ret_info));
}

static void describe_mechanism(struct stk_token *token, size_t index,
                               struct stk_diagnosis *diagnosis)
{
    CK_MECHANISM_INFO info = {0};
    char text[160] = "";
    size_t length = 0;

    if (mechanism_info(token, mechanisms[index].type, &info) != CKR_OK) {
        stk_diagnosis_fact(diagnosis, mechanisms[index].name, "not offered");
        if (mechanisms[index].needed)
            stk_diagnosis_trouble(diagnosis, STK_SEVERE, "use another token",
                                  "the token does not offer %s: it cannot sign PASSporTs",
                                  mechanisms[index].name);
        return;
    }
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
        if ((info.flags & uses[i].flag) != 0)
            length += (size_t)snprintf(text + length, sizeof(text) - length, ", %s", uses[i].name);
    if (info.ulMaxKeySize > 0)
        stk_diagnosis_fact(diagnosis, mechanisms[index].name, "keys of %lu to %lu%s",
                           info.ulMinKeySize, info.ulMaxKeySize, text);
    else
        stk_diagnosis_fact(diagnosis, mechanisms[index].name, "%s",
                           text[0] != '\0' ? text + 2 : "offered");
}

CK_RV stk_examine_mechanisms(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    CK_ULONG count = 0;
    CK_RV rv = CKR_OK;

    stk_call_begins(&token->custody);
    rv = stk_call_ended(&token->custody, token->p11->C_GetMechanismList(token->slot, NULL, &count));
    if (rv != CKR_OK)
        return rv;
    stk_diagnosis_fact(diagnosis, "mechanisms", "%lu, of which these matter:", count);
    for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
        describe_mechanism(token, i, diagnosis);
    return CKR_OK;
}
