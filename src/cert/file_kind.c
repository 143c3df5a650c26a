/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/kind.h"

#include "cert/der.h"
#include <string.h>

static size_t leading_integers(struct stk_bytes in)
{
    size_t count = 0;

    while (stk_der_take(&in, STK_DER_INTEGER, NULL))
        count++;
    return in.length == 0 ? count : 0;
}

/* What begins with an INTEGER: a version or a number of keys' own. */
static enum stk_file_kind versioned_kind(struct stk_bytes inside)
{
    struct stk_bytes rest = inside;

    if (!stk_der_take(&rest, STK_DER_INTEGER, NULL))
        return STK_FILE_UNKNOWN;
    if (stk_der_peek(&rest) == STK_DER_OCTET_STRING)
        return STK_FILE_SEC1;
    if (stk_der_peek(&rest) == STK_DER_SEQUENCE) {
        struct stk_algorithm algorithm = {0};
        if (stk_algorithm_take(&rest, &algorithm) && stk_der_peek(&rest) == STK_DER_OCTET_STRING)
            return STK_FILE_PKCS8;
        /* PFX (RFC 7292 section 4): version 3 and a ContentInfo. */
        return inside.data[1] == 1 && inside.data[2] == 3 ? STK_FILE_PKCS12 : STK_FILE_UNKNOWN;
    }
    if (leading_integers(inside) == 9)
        return STK_FILE_RSA_KEY;
    return leading_integers(inside) == 6 ? STK_FILE_DSA_KEY : STK_FILE_UNKNOWN;
}

/* What is signed in { SEQUENCE, AlgorithmIdentifier, BIT STRING }: a certificate has an
 * AlgorithmIdentifier behind its serial number, a request a Name behind its version. */
static enum stk_file_kind signed_kind(struct stk_bytes inside)
{
    struct stk_algorithm algorithm = {0};

    if (stk_der_peek(&inside) == STK_DER_CONSTRUCTED(0))
        (void)stk_der_next(&inside, NULL, NULL, NULL);
    if (!stk_der_take(&inside, STK_DER_INTEGER, NULL))
        return STK_FILE_UNKNOWN;
    return stk_algorithm_take(&inside, &algorithm) ? STK_FILE_CERTIFICATE : STK_FILE_REQUEST;
}

enum stk_file_kind stk_file_kind_of(struct stk_bytes der)
{
    static const uint8_t oid_signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
    struct stk_bytes inside = {0};
    struct stk_bytes first = {0};
    struct stk_algorithm algorithm = {0};
    struct stk_bytes rest = {0};

    if (stk_der_only(der, STK_DER_OID, &inside))
        return STK_FILE_CURVE;
    if (!stk_der_only(der, STK_DER_SEQUENCE, &inside))
        return STK_FILE_UNKNOWN;
    rest = inside;
    if (stk_der_peek(&rest) == STK_DER_INTEGER)
        return versioned_kind(inside);
    if (stk_der_take(&rest, STK_DER_OID, &first))
        return stk_bytes_are(first, oid_signed_data, sizeof(oid_signed_data)) ? STK_FILE_PKCS7
                                                                              : STK_FILE_UNKNOWN;
    if (stk_algorithm_take(&rest, &algorithm)) {
        if (stk_der_peek(&rest) == STK_DER_OCTET_STRING)
            return STK_FILE_ENCRYPTED;
        if (stk_der_peek(&rest) == STK_DER_BIT_STRING)
            return STK_FILE_PUBLIC_KEY;
    }
    rest = inside;
    if (stk_der_take(&rest, STK_DER_SEQUENCE, &first) && stk_algorithm_take(&rest, &algorithm) &&
        stk_der_peek(&rest) == STK_DER_BIT_STRING)
        return signed_kind(first);
    return STK_FILE_UNKNOWN;
}

const char *stk_file_kind_text(enum stk_file_kind kind)
{
    static const char *const texts[] = {
        [STK_FILE_UNKNOWN] = "something unknown",
        [STK_FILE_SEC1] = "an EC private key",
        [STK_FILE_PKCS8] = "a private key",
        [STK_FILE_ENCRYPTED] = "an encrypted private key",
        [STK_FILE_PKCS12] = "a PKCS#12 file",
        [STK_FILE_RSA_KEY] = "an RSA private key",
        [STK_FILE_DSA_KEY] = "a DSA private key",
        [STK_FILE_PUBLIC_KEY] = "a public key",
        [STK_FILE_CERTIFICATE] = "a certificate",
        [STK_FILE_REQUEST] = "a certificate request (CSR)",
        [STK_FILE_PKCS7] = "a PKCS#7 file",
        [STK_FILE_CURVE] = "EC parameters alone",
    };

    return texts[kind];
}

const char *stk_file_guess(struct stk_bytes file)
{
    static const struct {
        const char *start;
        size_t length;
        const char *text;
    } guesses[] = {
        {"\xff\xfe", 2, "UTF-16 text; save it as plain text"},
        {"\xfe\xff", 2, "UTF-16 text; save it as plain text"},
        {"\xfe\xed\xfe\xed", 4, "a Java key store"},
        {"PuTTY-User-Key-File", 19, "a PuTTY key"},
        {"ssh-", 4, "an SSH public key"},
        {"ecdsa-sha2-", 11, "an SSH public key"},
        {"{", 1, "JSON (a JWK?); convert it to PEM"},
        {"MI", 2, "base64 without its BEGIN and END lines"},
        {"MH", 2, "base64 without its BEGIN and END lines"},
    };
    static const char mark[] = "-----BEGIN ";

    for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++)
        if (file.length >= guesses[i].length &&
            memcmp(file.data, guesses[i].start, guesses[i].length) == 0)
            return guesses[i].text;
    if (memmem(file.data, file.length, mark, strlen(mark)) != NULL)
        return "a PEM whose BEGIN mark is not on a line of its own";
    return NULL;
}
