/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/chain.h"

#include <string.h>

void stk_extension_oid(const X509_EXTENSION *extension, char ret_text[STK_KIND_TEXT])
{
    /* The functions of OpenSSL 3.0 that only read take a pointer that is not const. */
    const ASN1_OBJECT *oid = X509_EXTENSION_get_object((X509_EXTENSION *)extension);

    ret_text[0] = '\0';
    (void)OBJ_obj2txt(ret_text, STK_KIND_TEXT, oid, 1);
}

bool stk_extension_find(const X509 *x509, const char *oid, struct stk_bytes *ret_value)
{
    for (int i = 0; i < X509_get_ext_count(x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
        char found[STK_KIND_TEXT];

        stk_extension_oid(extension, found);
        if (strcmp(found, oid) != 0)
            continue;
        *ret_value =
            (struct stk_bytes){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
        return true;
    }
    return false;
}

bool stk_extension_is_stir(const X509_EXTENSION *extension)
{
    char oid[STK_KIND_TEXT];

    stk_extension_oid(extension, oid);
    return strcmp(oid, STK_OID_TNAUTHLIST) == 0 || strcmp(oid, STK_OID_CLAIM_CONSTRAINTS) == 0 ||
           strcmp(oid, STK_OID_ENHANCED_CLAIM_CONSTRAINTS) == 0;
}
