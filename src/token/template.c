/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const CK_BBOOL yes = CK_TRUE;
static const CK_BBOOL no = CK_FALSE;

void stk_key_label(const char *name, char ret_label[STK_KEY_LABEL_SIZE])
{
    (void)snprintf(ret_label, STK_KEY_LABEL_SIZE, "stirkeep:%s", name);
}

void stk_template_add(struct stk_key_template *template, CK_ATTRIBUTE_TYPE type, const void *value,
                      size_t length)
{
    assert(template->count < STK_KEY_TEMPLATE_MAX);
    template->attributes[template->count++] = (CK_ATTRIBUTE){type, (void *)value, length};
}

void stk_template_add_bool(struct stk_key_template *template, CK_ATTRIBUTE_TYPE type, bool value)
{
    stk_template_add(template, type, value ? &yes : &no, sizeof(CK_BBOOL));
}

static void begin(struct stk_key_template *template, CK_OBJECT_CLASS class, CK_KEY_TYPE type,
                  bool on_token)
{
    *template = (struct stk_key_template){.class = class, .type = type};
    stk_template_add(template, CKA_CLASS, &template->class, sizeof(template->class));
    stk_template_add(template, CKA_KEY_TYPE, &template->type, sizeof(template->type));
    stk_template_add_bool(template, CKA_TOKEN, on_token);
    stk_template_add_bool(template, CKA_PRIVATE, true);
    stk_template_add_bool(template, CKA_SENSITIVE, true);
    stk_template_add_bool(template, CKA_EXTRACTABLE, false);
}

static void name(struct stk_key_template *template, const char *label,
                 const struct stk_key_id *key_id)
{
    (void)snprintf(template->label, sizeof(template->label), "%s", label);
    stk_template_add(template, CKA_LABEL, template->label, strlen(template->label));
    stk_template_add(template, CKA_ID, key_id->bytes, sizeof(key_id->bytes));
}

void stk_template_ec(struct stk_key_template *template, const char *label,
                     const struct stk_key_id *key_id, bool on_token)
{
    begin(template, CKO_PRIVATE_KEY, CKK_EC, on_token);
    name(template, label, key_id);
    stk_template_add_bool(template, CKA_SIGN, true);
    stk_template_add_bool(template, CKA_SIGN_RECOVER, false);
    stk_template_add_bool(template, CKA_DECRYPT, false);
    stk_template_add_bool(template, CKA_UNWRAP, false);
    stk_template_add_bool(template, CKA_DERIVE, false); /* ECDH would be another use */
}

/* OBJECT IDENTIFIER prime256v1 */
void stk_template_add_p256(struct stk_key_template *template)
{
    static const uint8_t parameters[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07};

    stk_template_add(template, CKA_EC_PARAMS, parameters, sizeof(parameters));
}

void stk_template_ec_public(struct stk_key_template *template, const char *label,
                            const struct stk_key_id *key_id)
{
    *template = (struct stk_key_template){.class = CKO_PUBLIC_KEY, .type = CKK_EC};
    stk_template_add(template, CKA_CLASS, &template->class, sizeof(template->class));
    stk_template_add(template, CKA_KEY_TYPE, &template->type, sizeof(template->type));
    stk_template_add_bool(template, CKA_TOKEN, true);
    stk_template_add_bool(template, CKA_PRIVATE, false);
    name(template, label, key_id);
    stk_template_add_bool(template, CKA_VERIFY, true);
    stk_template_add_p256(template);
}

void stk_template_aes(struct stk_key_template *template)
{
    begin(template, CKO_SECRET_KEY, CKK_AES, false);
    stk_template_add_bool(template, CKA_UNWRAP, true);
    stk_template_add_bool(template, CKA_WRAP, false);
    stk_template_add_bool(template, CKA_ENCRYPT, false);
    stk_template_add_bool(template, CKA_DECRYPT, false);
    stk_template_add_bool(template, CKA_SIGN, false);
    stk_template_add_bool(template, CKA_VERIFY, false);
    stk_template_add_bool(template, CKA_DERIVE, false);
}
