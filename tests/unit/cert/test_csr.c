/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "cert/chain.h"
#include "cert/csr.h"
#include "cert/der.h"
#include "cert/dn.h"
#include "cert/p256.h"
#include "cert/tnauthlist.h"
#include "pki.h"
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct made {
    EVP_PKEY *key;
    uint8_t spki[STK_P256_SPKI_LENGTH];
    uint8_t digest[STK_DIGEST_LENGTH];
    uint8_t signature[STK_SIGNATURE_LENGTH];
    struct stk_buffer der;
    X509_REQ *request;
};

static void new_key(struct made *made)
{
    uint8_t *at = made->spki;

    *made = (struct made){.key = pki_ec_key("P-256")};
    assert_int_equal(i2d_PUBKEY(made->key, &at), STK_P256_SPKI_LENGTH);
}

/* As the token signs: ECDSA over the digest, r||s. */
static void sign(struct made *made)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(made->key, NULL);
    unsigned char der[STK_ECDSA_DER_MAX] = {0};
    const unsigned char *at = der;
    size_t length = sizeof(der);
    ECDSA_SIG *pair = NULL;

    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &length, made->digest, sizeof(made->digest)), 1);
    pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), made->signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), made->signature + 32, 32), 32);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
}

static void make(struct made *made, const char *spc, const char *subject)
{
    struct stk_csr *csr = NULL;
    struct stk_error error = {0};
    const unsigned char *at = NULL;

    new_key(made);
    if (stk_csr_begin((struct stk_bytes){made->spki, sizeof(made->spki)}, spc, subject, &csr,
                      made->digest, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    sign(made);
    assert_int_equal(stk_csr_finish(csr, made->signature, &made->der, &error), STIRKEEP_OK);
    stk_csr_free(csr);
    at = made->der.data;
    made->request = d2i_X509_REQ(NULL, &at, (long)made->der.length);
    assert_non_null(made->request);
    assert_ptr_equal(at, made->der.data + made->der.length);
}

static void made_free(struct made *made)
{
    X509_REQ_free(made->request);
    stk_buffer_free(&made->der);
    EVP_PKEY_free(made->key);
}

/* The whole of what `openssl req` says of it. */
static void ask_openssl(const struct made *made, const char *options, char *ret_text, size_t size)
{
    char path[] = "/tmp/stk-csr-XXXXXX";
    char command[256] = "";
    int fd = mkstemp(path);
    FILE *said = NULL;
    size_t length = 0;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, made->der.data, made->der.length), made->der.length);
    (void)close(fd);
    (void)snprintf(command, sizeof(command), "openssl req -inform DER -in %s -noout %s 2>&1", path,
                   options);
    said = popen(command, "re");
    assert_non_null(said);
    length = fread(ret_text, 1, size - 1, said);
    ret_text[length] = '\0';
    assert_int_equal(pclose(said), 0);
    (void)unlink(path);
}

static void openssl_verifies_and_shows_it(void **state)
{
    struct made made = {0};
    char text[8192] = "";
    (void)state;

    make(&made, "616H", "CN=SHAKEN 616H,OU=Voice,O=Example Telecom\\, Inc.,L=Austin,ST=TX,C=US");
    ask_openssl(&made, "-verify -text -nameopt RFC2253", text, sizeof(text));
    assert_non_null(strstr(text, "verify OK"));
    assert_non_null(strstr(text, "Version: 1 (0x0)"));
    assert_non_null(strstr(text, "ecdsa-with-SHA256"));
    assert_non_null(strstr(text, "prime256v1"));
    assert_non_null(strstr(text, "Requested Extensions"));
    ask_openssl(&made, "-subject -nameopt RFC2253", text, sizeof(text));
    assert_string_equal(text, "subject=CN=SHAKEN 616H,OU=Voice,O=Example Telecom\\, Inc.,L=Austin,"
                              "ST=TX,C=US\n");
    made_free(&made);
}

static void it_asks_for_a_tnauthlist_with_the_spc(void **state)
{
    static const uint8_t expected[] = {0x30, 0x08, 0xa0, 0x06, 0x16, 0x04, '6', '1', '6', 'H'};
    struct made made = {0};
    struct stk_tnauthlist list = {0};
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    const ASN1_OCTET_STRING *value = NULL;
    char oid[STK_KIND_TEXT] = "";
    (void)state;

    make(&made, "616H", "");
    extensions = X509_REQ_get_extensions(made.request);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
    stk_extension_oid(sk_X509_EXTENSION_value(extensions, 0), oid);
    assert_string_equal(oid, "1.3.6.1.5.5.7.1.26");
    assert_int_equal(X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(extensions, 0)), 0);
    value = X509_EXTENSION_get_data(sk_X509_EXTENSION_value(extensions, 0));
    assert_int_equal(ASN1_STRING_length(value), sizeof(expected));
    assert_memory_equal(ASN1_STRING_get0_data(value), expected, sizeof(expected));
    assert_int_equal(
        stk_tnauthlist_parse((struct stk_bytes){expected, sizeof(expected)}, &list, NULL),
        STIRKEEP_OK);
    assert_string_equal(list.entries[0].text, "616H");
    stk_tnauthlist_free(&list);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    made_free(&made);
}

static void the_digest_is_of_the_request_info_and_the_key_the_given_one(void **state)
{
    struct made made = {0};
    struct stk_bytes inside = {0};
    struct stk_bytes info = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    (void)state;

    for (int i = 0; i < 20; i++) { /* r and s of every length and sign */
        make(&made, "1234", "");
        assert_true(stk_der_valid((struct stk_bytes){made.der.data, made.der.length}));
        assert_true(stk_der_only((struct stk_bytes){made.der.data, made.der.length},
                                 STK_DER_SEQUENCE, &inside));
        assert_true(stk_der_next(&inside, NULL, NULL, &info));
        stk_sha256(info.data, info.length, digest);
        assert_memory_equal(digest, made.digest, sizeof(digest));
        assert_non_null(memmem(info.data, info.length, made.spki, sizeof(made.spki)));
        assert_int_equal(X509_REQ_verify(made.request, made.key), 1);
        made_free(&made);
    }
}

static void a_signature_of_another_key_or_digest_is_refused(void **state)
{
    struct made made = {0};
    struct made other = {0};
    struct stk_csr *csr = NULL;
    struct stk_error error = {0};
    (void)state;

    new_key(&made);
    new_key(&other);
    assert_int_equal(stk_csr_begin((struct stk_bytes){made.spki, sizeof(made.spki)}, "616H", "",
                                   &csr, made.digest, &error),
                     STIRKEEP_OK);
    memcpy(other.digest, made.digest, sizeof(other.digest));
    sign(&other);
    assert_int_equal(stk_csr_finish(csr, other.signature, &made.der, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_int_equal(stk_csr_finish(csr, made.signature, &made.der, &error), /* zeros */
                     STIRKEEP_NOT_VERIFIED);
    sign(&made);
    made.signature[63] ^= 1;
    assert_int_equal(stk_csr_finish(csr, made.signature, &made.der, &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(made.der.length, 0);
    made.signature[63] ^= 1;
    assert_int_equal(stk_csr_finish(csr, made.signature, &made.der, &error), STIRKEEP_OK);
    stk_csr_free(csr);
    made_free(&other);
    made_free(&made);
}

static void what_is_no_p256_key_is_refused(void **state)
{
    struct made made = {0};
    struct stk_csr *csr = NULL;
    struct stk_error error = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    (void)state;

    new_key(&made);
    assert_int_equal(stk_csr_begin((struct stk_bytes){made.spki, sizeof(made.spki) - 1}, "616H", "",
                                   &csr, digest, &error),
                     STIRKEEP_KEY_TYPE);
    made.spki[90] ^= 1; /* no point of the curve */
    assert_int_equal(stk_csr_begin((struct stk_bytes){made.spki, sizeof(made.spki)}, "616H", "",
                                   &csr, digest, &error),
                     STIRKEEP_KEY_TYPE);
    assert_null(csr);
    stk_csr_free(NULL);
    made_free(&made);
}

static void an_spc_is_upper_case_letters_and_digits(void **state)
{
    static const char *const good[] = {"1", "616H", "ABCDEFGHIJKLMNO"};
    static const char *const bad[] = {"",         "616h",   "61 6", "616-H", "ABCDEFGHIJKLMNOP",
                                      "\xc3\x84", "616H\n", "6\x01"};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(stk_csr_check(good[i], "", &error), STIRKEEP_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(stk_csr_check(bad[i], "", &error), STIRKEEP_INVALID);
        assert_non_null(strstr(error.message, "SPC: "));
    }
}

static void the_common_name_has_to_be_shaken_and_the_spc(void **state)
{
    static const char *const good[] = {
        "",
        "CN=SHAKEN 616H",
        "cn=SHAKEN 616H,C=US",
        "2.5.4.3=SHAKEN 616H",
        "O=Example,CN=SHAKEN\\20616H",
        "CN=#0C0B5348414B454E2036313648,O=X", /* 11 characters in hex */
    };
    static const char *const bad[] = {
        "O=Example,C=US",
        "CN=SHAKEN 616h",
        "CN=SHAKEN 1234",
        "CN=SHAKEN 616H ,C=US",
        "CN=shaken 616H",
        "CN=SHAKEN  616H",
        "CN=SHAKEN 616HH",
        "CN=SHAKEN 616",
        "CN=SHAKEN 616H,CN=SHAKEN 616H",
        "CN=SHAKEN 616H,2.5.4.3=www.example.com",
        "CN=www.example.com,CN=SHAKEN 616H",
        "O=CN\\=SHAKEN 616H",
    };
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (stk_csr_check("616H", good[i], &error) != STIRKEEP_OK)
            fail_msg("%s: %s", good[i], error.message);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (stk_csr_check("616H", bad[i], &error) != STIRKEEP_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(error.message, "subject: "));
    }
}

/* ---- distinguished names */

static X509_NAME *read_name(const char *text)
{
    X509_NAME *name = NULL;
    struct stk_error error = {0};

    if (stk_dn_read(text, &name, &error) != STIRKEEP_OK)
        fail_msg("%s: %s", text, error.message);
    return name;
}

static void assert_reads_as(const char *text, const char *expected)
{
    X509_NAME *name = read_name(text);
    BIO *bio = BIO_new(BIO_s_mem());
    char said[1024] = "";

    assert_true(X509_NAME_print_ex(bio, name, 0,
                                   XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0);
    (void)BIO_read(bio, said, sizeof(said) - 1);
    assert_string_equal(said, expected);
    BIO_free(bio);
    X509_NAME_free(name);
}

static void names_are_read_as_rfc_4514_has_them(void **state)
{
    (void)state;
    /* the examples of RFC 4514 section 4 */
    assert_reads_as("UID=jsmith,DC=example,DC=net", "UID=jsmith,DC=example,DC=net");
    assert_reads_as("OU=Sales+CN=J.  Smith,DC=example,DC=net",
                    "OU=Sales+CN=J.  Smith,DC=example,DC=net");
    assert_reads_as("CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net",
                    "CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net");
    assert_reads_as("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lu\xc4\x8di\xc4\x87");
    /* and other ways to write */
    assert_reads_as("CN=Lu\xc4\x8di\xc4\x87", "CN=Lu\xc4\x8di\xc4\x87");
    assert_reads_as("C=US, O=Example,  CN=A", "C=US,O=Example,CN=A");
    assert_reads_as("serialnumber=4711,street=Main St. 1,l=X,st=Y,ou=Z,o=W,c=DE",
                    "serialNumber=4711,street=Main St. 1,L=X,ST=Y,OU=Z,O=W,C=DE");
    assert_reads_as("O=\\ a \\#\\;\\<\\>\\+\\\\\\=\\ ", "O=\\ a #\\;\\<\\>\\+\\\\=\\ ");
}

static void the_last_rdn_of_the_text_is_the_first_of_the_name(void **state)
{
    /* SEQUENCE { SET { C US }, SET { O A + OU B, in the order of DER } } */
    static const uint8_t expected[] = {0x30, 0x23, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04,
                                       0x06, 0x13, 0x02, 'U',  'S',  0x31, 0x14, 0x30, 0x08, 0x06,
                                       0x03, 0x55, 0x04, 0x0a, 0x0c, 0x01, 'A',  0x30, 0x08, 0x06,
                                       0x03, 0x55, 0x04, 0x0b, 0x0c, 0x01, 'B'};
    X509_NAME *name = read_name("OU=B+O=A,C=US");
    unsigned char *der = NULL;
    int length = i2d_X509_NAME(name, &der);
    (void)state;

    assert_int_equal(length, sizeof(expected));
    assert_memory_equal(der, expected, sizeof(expected));
    OPENSSL_free(der);
    X509_NAME_free(name);
}

static void values_in_hex_keep_their_type(void **state)
{
    X509_NAME *name = read_name("1.3.6.1.4.1.1466.0=#16024869,O=#130141");
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0));
    (void)state;

    assert_int_equal(ASN1_STRING_type(value), V_ASN1_PRINTABLESTRING);
    assert_int_equal(ASN1_STRING_length(value), 1);
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 1));
    assert_int_equal(ASN1_STRING_type(value), V_ASN1_IA5STRING);
    assert_memory_equal(ASN1_STRING_get0_data(value), "Hi", 2);
    X509_NAME_free(name);
}

struct bad_name {
    const char *text;
    const char *words;
};

static void what_is_not_well_formed_is_refused_and_says_why(void **state)
{
    static const struct bad_name cases[] = {
        {"", "no attribute type"},
        {" ", "no attribute type"},
        {"CN", "no attribute type"},
        {"=A", "no attribute type"},
        {"CN =A", "no attribute type"},
        {"CN=A,", "no attribute type"},
        {"CN=A+", "no attribute type"},
        {",CN=A", "no attribute type"},
        {"CN=A,,C=US", "no attribute type"},
        {"CN=A;C=US", "escaped"},
        {"CN=A/C=US", NULL}, /* one value, as RFC 4514 has it */
        {"/C=US/CN=A", "no attribute type"},
        {"CN=\"A\"", "escaped"},
        {"CN=a<b", "escaped"},
        {"CN=", "empty"},
        {"CN=,C=US", "empty"},
        {"CN= A", "begins with a space"},
        {"CN=A ,C=US", "ends in a space"},
        {"CN=A ", "ends in a space"},
        {"CN=\\", "escape"},
        {"CN=\\x", "escape"},
        {"CN=\\4", "escape"},
        {"CN=\\4g", "escape"},
        {"CN=\\00", "control"},
        {"CN=A\\0a", "control"},
        {"CN=\\C2\\85", "control"},
        {"CN=\\7f", "control"},
        {"CN=A\tB", "control"},
        {"CN=A\nC=US", "control"},
        {"CN=\xc2\x85", "control"},
        {"CN=\\C4", "not UTF-8"},
        {"CN=\xc4", "not UTF-8"},
        {"CN=\\C0\\80", "not UTF-8"},     /* overlong */
        {"CN=\\ED\\A0\\80", "not UTF-8"}, /* half of a surrogate pair */
        {"CN=\\F4\\90\\80\\80", "not UTF-8"},
        {"CN=#", "DER"},
        {"CN=#0", "hex"},
        {"CN=#0C", "DER"},
        {"CN=#0C0141zz", "hex"},
        {"CN=#0C0241", "DER"},
        {"CN=#0C014142", "DER"},
        {"CN=#0C8101 41", "hex"},
        {"CN=#0C810141", "DER"},
        {"CN=#0C00", "empty"},
        {"CN=#0C0100", "control"},
        {"CN=#0C01C4", "not UTF-8"},
        {"CN=#020101", "UTF8String"},
        {"CN=#3000", "UTF8String"},
        {"CN=#1301C4", "UTF-8"},
        {"XN=A", "not known"},
        {"emailAddress=a@b.example", "not known"},
        {"2=A", "not known"},
        {"2.5.04.3=A", "not known"},
        {"2..5=A", "not known"},
        {".2.5=A", "not known"},
        {"2.5.=A", "not known"},
        {"3.5.4=A", "not known"},
        {"1.40.1=A", "not known"},
        {"OID.2.5.4.3=A", "not known"},
        {"2.5.4.3x=A", "not known"},
        {"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26=A", "too long"},
        {"C=USA", "X.520"},
        {"C=U", "X.520"},
        {"C=\xc3\x84", "X.520"},
        {"C=#0C03555341", "X.520"},
        {"serialNumber=\xc3\x84", "X.520"},
        {"DC=\xc3\x84", "X.520"},
        {"CN=12345678901234567890123456789012345678901234567890123456789012345", "X.520"},
        {"CN=A+CN=B", "twice"},
        {"CN=A+O=B+2.5.4.3=C", "twice"},
    };
    X509_NAME *name = NULL;
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum stirkeep_status status = stk_dn_read(cases[i].text, &name, &error);

        if (cases[i].words == NULL) {
            assert_int_equal(status, STIRKEEP_OK);
            X509_NAME_free(name);
            name = NULL;
            continue;
        }
        if (status != STIRKEEP_INVALID || strstr(error.message, cases[i].words) == NULL ||
            strncmp(error.message, "subject: ", 9) != 0)
            fail_msg("%s: %s", cases[i].text, status == STIRKEEP_OK ? "taken" : error.message);
        assert_null(name);
    }
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    char text[STK_DN_TEXT_MAX + 2] = "";
    X509_NAME *name = NULL;
    struct stk_error error = {0};
    (void)state;

    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "1.2.3=", 6);
    text[STK_DN_TEXT_MAX] = '\0';
    name = read_name(text);
    X509_NAME_free(name);
    text[STK_DN_TEXT_MAX] = 'a';
    assert_int_equal(stk_dn_read(text, &name, &error), STIRKEEP_INVALID);
    assert_non_null(strstr(error.message, "257 bytes"));
}

/* Whatever the bytes: an answer, and no memory left behind or overrun (the sanitizers look). */
static void noise_is_refused_or_read(void **state)
{
    static const char alphabet[] = "CNOUST=,+\\#\"; 0123456789aAfF.<>\xc3\xa4\x01";
    (void)state;

    for (unsigned i = 0; i < 20000; i++) {
        uint8_t noise[STK_DN_TEXT_MAX + 8] = {0};
        char text[STK_DN_TEXT_MAX + 9] = "";
        X509_NAME *name = NULL;
        size_t length = 0;

        stk_random(noise, sizeof(noise));
        length = noise[0] % 24 + (i % 50 == 0 ? 240 : 0);
        for (size_t k = 0; k < length; k++)
            text[k] = alphabet[noise[k + 1] % (sizeof(alphabet) - 1)];
        if (i % 2 == 0)
            memcpy(text, "CN=", 3);
        if (stk_dn_read(text, &name, NULL) == STIRKEEP_OK) {
            assert_true(X509_NAME_entry_count(name) > 0);
            X509_NAME_free(name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_verifies_and_shows_it),
        cmocka_unit_test(it_asks_for_a_tnauthlist_with_the_spc),
        cmocka_unit_test(the_digest_is_of_the_request_info_and_the_key_the_given_one),
        cmocka_unit_test(a_signature_of_another_key_or_digest_is_refused),
        cmocka_unit_test(what_is_no_p256_key_is_refused),
        cmocka_unit_test(an_spc_is_upper_case_letters_and_digits),
        cmocka_unit_test(the_common_name_has_to_be_shaken_and_the_spc),
        cmocka_unit_test(names_are_read_as_rfc_4514_has_them),
        cmocka_unit_test(the_last_rdn_of_the_text_is_the_first_of_the_name),
        cmocka_unit_test(values_in_hex_keep_their_type),
        cmocka_unit_test(what_is_not_well_formed_is_refused_and_says_why),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(noise_is_refused_or_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
