/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/der.h"
#include "cert/ber.h"
#include "cert/kind.h"
#include "fuzz.h"
#include <string.h>

/* DER and BER. What BER is rewritten to is DER, which is rewritten to itself. */

static void walk(struct stk_bytes der, unsigned depth)
{
    struct stk_bytes contents = {0};
    struct stk_bytes whole = {0};
    char text[STK_OID_TEXT];
    uint8_t tag = 0;

    while (stk_der_next(&der, &tag, &contents, &whole)) {
        struct stk_bytes one = whole;
        uint64_t number = 0;

        FUZZ_CHECK(contents.length < whole.length);
        FUZZ_CHECK(contents.data + contents.length == whole.data + whole.length);
        (void)stk_der_take_uint(&one, &number);
        (void)stk_der_bits(contents);
        stk_der_oid_text(contents, text);
        FUZZ_CHECK(memchr(text, '\0', sizeof(text)) != NULL);
        if ((tag & 0x20) != 0 && depth > 0)
            walk(contents, depth - 1);
    }
}

static void check_ber(struct stk_bytes ber)
{
    struct stk_secret der = {0};
    struct stk_secret again = {0};

    if (stk_ber_to_der(ber, &der) != STIRKEEP_OK)
        return;
    FUZZ_CHECK(stk_ber_to_der((struct stk_bytes){der.data, der.length}, &again) == STIRKEEP_OK);
    FUZZ_CHECK(again.length == der.length && memcmp(again.data, der.data, der.length) == 0);
    stk_secret_free(&again);
    stk_secret_free(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes der = {data, size};
    char kind[STK_KIND_TEXT];
    enum stk_file_kind file = stk_file_kind_of(der);

    if (stk_der_valid(der))
        walk(der, STK_DER_DEPTH_MAX);
    else
        walk(der, 4);
    check_ber(der);
    FUZZ_CHECK(stk_file_kind_text(file) != NULL);
    if (file == STK_FILE_RSA_KEY || file == STK_FILE_DSA_KEY)
        stk_kind_of_traditional(file, der, kind);
    stk_kind_of_curve(der, kind);
    (void)stk_file_guess(der);
    return 0;
}
