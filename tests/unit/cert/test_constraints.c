/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert/constraints.h"
#include "judge.h"
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TNAUTHLIST "1.3.6.1.5.5.7.1.26"
#define PLAIN "1.3.6.1.5.5.7.1.27"
#define ENHANCED "1.3.6.1.5.5.7.1.33"

/* What Russ Housley's pyasn1 modules have for JWTClaimConstraints: mustInclude foo, permitted values
 * foo1 foo2 foo3 of foo and bar1 bar2 of bar. */
#define HOUSLEY                                                                                    \
    "DER:303da00730051603666f6fa1323030301916"                                                     \
    "03666f6f30120c04666f6f310c04666f6f320c04666f6f33301316036261"                                 \
    "72300c0c04626172310c0462617232"

/* The certificate of RFC 9118 appendix A. */
static const char rfc_9118[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIICpzCCAk2gAwIBAgIUH7Zd3rQ5AsvOlzLnzUHhrVhDSlswCgYIKoZIzj0EAwIw\n"
                               "KTELMAkGA1UEBhMCVVMxGjAYBgNVBAMMEUJPR1VTIFNIQUtFTiBST09UMB4XDTIx\n"
                               "MDcxNTIxNTIxNVoXDTIyMDcxNTIxNTIxNVowbDELMAkGA1UEBhMCVVMxCzAJBgNV\n"
                               "BAgMAlZBMRAwDgYDVQQHDAdIZXJuZG9uMR4wHAYDVQQKDBVCb2d1cyBFeGFtcGxl\n"
                               "IFRlbGVjb20xDTALBgNVBAsMBFZvSVAxDzANBgNVBAMMBlNIQUtFTjBZMBMGByqG\n"
                               "SM49AgEGCCqGSM49AwEHA0IABNR6C6nBWRA/fXTglV03aXkXy8hx9oBttVLhsTZ1\n"
                               "IYVRBao4OZhVf/Xv1a3xLsZ6KfdhuylSeAKuCoSbVGojYDGjggEOMIIBCjAMBgNV\n"
                               "HRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHQ4EFgQUDlG3dxHyzKL/FZfS\n"
                               "PI7rpuueRbswHwYDVR0jBBgwFoAUlToKtrQeFrwwyXpMj1qu3TQEeoEwQgYJYIZI\n"
                               "AYb4QgENBDUWM1RoaXMgY2VydGlmaWNhdGUgY2Fubm90IGJlIHRydXN0ZWQgZm9y\n"
                               "IGFueSBwdXJwb3NlLjAWBggrBgEFBQcBGgQKMAigBhYEMTIzNDBOBggrBgEFBQcB\n"
                               "IQRCMECgDjAMFgpjb25maWRlbmNloSAwHjAcFgpjb25maWRlbmNlMA4MBGhpZ2gM\n"
                               "Bm1lZGl1baIMMAoWCHByaW9yaXR5MAoGCCqGSM49BAMCA0gAMEUCIQCbNR4QK1um\n"
                               "+0vq2CE1B1/W3avYeREsPi/7RKHffL+5eQIgarHot+X9Rl7SOyNBq5X5JyEMx0SQ\n"
                               "hRLkCY3Zoz2OCNQ=\n"
                               "-----END CERTIFICATE-----\n";

struct bench {
    struct pki_chain pki;
    struct stk_arena arena;
    struct stk_constraints constraints;
    struct stk_error error;
};

static int setup(void **state)
{
    static struct bench bench;

    bench.pki = pki_chain_new();
    assert_int_equal(stk_arena_new(&bench.arena, STK_CONSTRAINTS_ARENA), STIRKEEP_OK);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    pki_chain_free(&bench->pki);
    stk_arena_free(&bench->arena);
    return 0;
}

static struct pki_spec spec_of(struct bench *bench)
{
    return leaf_spec(&bench->pki);
}

/* The constraints of a leaf by this spec. */
static enum stirkeep_status read_spec(struct bench *bench, const struct pki_spec *spec)
{
    static struct pki_text der;
    X509 *leaf = pki_certificate(spec);
    struct stk_bytes view = {0};
    struct stk_chain *chain = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    der.length = 0;
    pki_add_der(&der, leaf);
    X509_free(leaf);
    view = pki_bytes(&der);
    assert_int_equal(stk_chain_from_der(&view, 1, &chain, NULL), STIRKEEP_OK);
    stk_arena_reset(&bench->arena);
    bench->error = (struct stk_error){0};
    bench->constraints = (struct stk_constraints){0};
    status = stk_chain_constraints(chain, &bench->arena, &bench->constraints, &bench->error);
    stk_chain_free(chain);
    assert_true(status == STIRKEEP_OK || !stk_constraints_any(&bench->constraints));
    return status;
}

static enum stirkeep_status read_with(struct bench *bench, const char *oid, const char *value)
{
    struct pki_spec spec = spec_of(bench);

    pki_extend(&spec, oid, value);
    return read_spec(bench, &spec);
}

static void expect_text(const char *const *texts, size_t count, size_t at, const char *text)
{
    assert_true(at < count);
    assert_string_equal(texts[at], text);
}

static void an_spc_alone_constrains_nothing(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(read_with(bench, "1.2.3.4", "DER:0500"), STIRKEEP_OK);
    assert_false(stk_constraints_any(&bench->constraints));
    assert_int_equal(bench->arena.used, 0);
    assert_int_equal(read_with(bench, TNAUTHLIST, NULL), STIRKEEP_OK);
    assert_false(stk_constraints_any(&bench->constraints));
}

static void numbers_and_ranges_are_joined_and_an_spc_beside_them_adds_none(void **state)
{
    struct bench *bench = *state;
    /* SPC 616H, 100 numbers from 12155550100, 12155550200 (the next one), 12155550050, *77 */
    const char *value = "DER:3041a006160436313648a1123010160b3132313535353530313030020164"
                        "a20d160b3132313535353530323030a20d160b3132313535353530303530a205"
                        "16032a3737";

    assert_int_equal(read_with(bench, TNAUTHLIST, value), STIRKEEP_OK);
    assert_true(bench->constraints.numbers_only);
    assert_int_equal(bench->constraints.range_count, 3);
    for (int which = 0; which < 8; which++) {
        static const struct {
            const char *tn;
            bool covered;
        } cases[] = {{"12155550100", true},  {"12155550199", true},  {"12155550200", true},
                     {"12155550201", false}, {"12155550099", false}, {"12155550050", true},
                     {"*77", true},          {"2155550100", false}};

        assert_int_equal(stk_number_ranges_cover(bench->constraints.ranges,
                                                 bench->constraints.range_count,
                                                 stk_number_key(cases[which].tn)),
                         cases[which].covered);
    }
}

static void a_range_past_the_last_number_is_malformed(void **state)
{
    struct bench *bench = *state;

    /* 9990 and 10: up to 9999; 11: past it */
    assert_int_equal(read_with(bench, TNAUTHLIST,
                               "DER:300da10b3009160439393930"
                               "02010a"),
                     STIRKEEP_OK);
    assert_int_equal(read_with(bench, TNAUTHLIST,
                               "DER:300da10b3009160439393930"
                               "02010b"),
                     STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(bench->error.message, "TNAuthList entry 1"));
}

static void the_claims_of_rfc_8226_are_read(void **state)
{
    struct bench *bench = *state;
    const struct stk_constraints *found = &bench->constraints;

    assert_int_equal(read_with(bench, PLAIN, HOUSLEY), STIRKEEP_OK);
    assert_false(found->numbers_only);
    assert_int_equal(found->must_include_count, 1);
    expect_text(found->must_include, found->must_include_count, 0, "foo");
    assert_int_equal(found->permitted_count, 2);
    assert_string_equal(found->permitted[0].claim, "foo");
    assert_int_equal(found->permitted[0].count, 3);
    expect_text(found->permitted[0].values, 3, 2, "foo3");
    assert_string_equal(found->permitted[1].claim, "bar");
    assert_int_equal(found->permitted[1].count, 2);
    expect_text(found->permitted[1].values, 2, 0, "bar1");
    assert_int_equal(found->must_exclude_count, 0);
}

static void the_certificate_of_rfc_9118_is_read(void **state)
{
    struct bench *bench = *state;
    const struct stk_constraints *found = &bench->constraints;
    struct stk_bytes text = {(const uint8_t *)rfc_9118, sizeof(rfc_9118) - 1};
    struct stk_chain *chain = NULL;

    stk_arena_reset(&bench->arena);
    assert_int_equal(stk_chain_read(text, "rfc9118.pem", &chain, &bench->error), STIRKEEP_OK);
    assert_int_equal(
        stk_chain_constraints(chain, &bench->arena, &bench->constraints, &bench->error),
        STIRKEEP_OK);
    stk_chain_free(chain);
    assert_false(found->numbers_only);
    assert_int_equal(found->must_include_count, 1);
    expect_text(found->must_include, 1, 0, "confidence");
    assert_int_equal(found->permitted_count, 1);
    assert_string_equal(found->permitted[0].claim, "confidence");
    expect_text(found->permitted[0].values, found->permitted[0].count, 0, "high");
    expect_text(found->permitted[0].values, found->permitted[0].count, 1, "medium");
    assert_int_equal(found->must_exclude_count, 1);
    expect_text(found->must_exclude, 1, 0, "priority");
}

static void what_is_not_of_its_type_is_refused_and_says_why(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *oid;
        const char *value;
        const char *words;
    } cases[] = {
        {PLAIN, "DER:0500", "JWTClaimConstraints: not one DER SEQUENCE"},
        {PLAIN, "DER:3000", "constrains nothing"},
        {ENHANCED, "DER:3000", "EnhancedJWTClaimConstraints: it constrains nothing"},
        /* implicit tags */
        {PLAIN, "DER:3007a0051603666f6f", "mustInclude: it is one SEQUENCE"},
        {PLAIN,
         "DER:300980073005160366"
         "6f6f",
         "there is more in it"},
        {PLAIN, "DER:3004a0023000", "mustInclude: it has no entries"},
        {PLAIN, "DER:3004a1023000", "permittedValues: it has no entries"},
        /* a UTF8String as a name, an IA5String as a value */
        {PLAIN, "DER:3009a00730050c03666f6f", "mustInclude: the name of a claim is an IA5String"},
        {PLAIN,
         "DER:3012a110300e300c1603666f6f3005160361"
         "6263",
         "permittedValues: a permitted value is a UTF8String"},
        {PLAIN, "DER:3006a00430021600", "the name of a claim is printable ASCII"},
        {PLAIN,
         "DER:3009a007300516036600"
         "6f",
         "the name of a claim is printable ASCII"},
        {PLAIN, "DER:3009a00730051603c3a96f", "the name of a claim is printable ASCII"},
        {PLAIN, "DER:300fa10d300b30091603666f6f30020c00", NULL}, /* an empty value is one */
        {PLAIN, "DER:3010a10e300c300a1603666f6f30030c0100", "UTF-8 without NUL"},
        {PLAIN, "DER:3010a10e300c300a1603666f6f30030c01c3", "UTF-8 without NUL"},
        {PLAIN, "DER:3012a110300e300c1603666f6f30050c03eda080", "UTF-8 without NUL"},
        {PLAIN, "DER:300da10b300930071603666f6f3000", "permittedValues: it has no entries"},
        /* a claim without values; values without a claim; more than both */
        {PLAIN, "DER:300ba109300730051603666f6f", "a SEQUENCE of a claim and its values"},
        {PLAIN, "DER:300ba1093007300530030c0161", "the name of a claim is an IA5String"},
        {PLAIN, "DER:3012a110300e300c1603666f6f30030c01610500",
         "a SEQUENCE of a claim and its values"},
        /* mustExclude is RFC 9118's alone; the order is fixed; nothing comes twice */
        {PLAIN, "DER:3009a20730051603666f6f", "JWTClaimConstraints: there is more in it"},
        {ENHANCED, "DER:3012a20730051603666f6fa00730051603666f6f", "in this order"},
        {ENHANCED, "DER:3012a00730051603666f6fa00730051603666f6f", "there is more in it"},
        {ENHANCED, "DER:300ba00730051603666f6f0500", "there is more in it"},
        {ENHANCED, "DER:3009a30730051603666f6f", "there is more in it"},
        {ENHANCED, "DER:3009a00730051603666f6f00", "not one DER SEQUENCE"},
        {ENHANCED, "DER:300aa0810730051603666f6f", "mustInclude"}, /* length not minimal */
        {ENHANCED, "DER:3080a00730051603666f6f0000", "not one DER SEQUENCE"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum stirkeep_status status = read_with(bench, cases[i].oid, cases[i].value);

        if (cases[i].words == NULL ? status != STIRKEEP_OK
                                   : status != STIRKEEP_CERT_INVALID ||
                                         strstr(bench->error.message, cases[i].words) == NULL)
            fail_msg("%s: %d, \"%s\"; wanted \"%s\"", cases[i].value, status, bench->error.message,
                     cases[i].words);
    }
}

static void both_extensions_or_one_twice_are_refused(void **state)
{
    struct bench *bench = *state;
    struct pki_spec spec = spec_of(bench);
    size_t last = 0;

    pki_extend(&spec, PLAIN, HOUSLEY);
    pki_extend(&spec, ENHANCED, HOUSLEY);
    assert_int_equal(read_spec(bench, &spec), STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(bench->error.message, "one of them at most"));
    while (spec.extensions[last].name != NULL)
        last++;
    spec.extensions[last - 1].name = PLAIN;
    assert_int_equal(read_spec(bench, &spec), STIRKEEP_CERT_INVALID);
    assert_string_equal(bench->error.message, "JWTClaimConstraints: given twice");
    spec.extensions[last - 1].name = spec.extensions[last - 2].name = ENHANCED;
    assert_int_equal(read_spec(bench, &spec), STIRKEEP_CERT_INVALID);
    assert_string_equal(bench->error.message, "EnhancedJWTClaimConstraints: given twice");
    spec.extensions[last - 1].name = TNAUTHLIST;
    spec.extensions[last - 1].value = PKI_TNAUTHLIST;
    assert_int_equal(read_spec(bench, &spec), STIRKEEP_CERT_INVALID);
    assert_string_equal(bench->error.message, "TNAuthList: given twice");
}

/* DER of a value with so many bytes of contents, put before them. */
static void wrap(struct pki_text *text, uint8_t tag)
{
    uint8_t head[4] = {tag, 0x82, (uint8_t)(text->length >> 8), (uint8_t)text->length};
    size_t length = 4;

    if (text->length < 0x80) {
        head[1] = (uint8_t)text->length;
        length = 2;
    } else if (text->length < 0x100) {
        head[1] = 0x81;
        head[2] = (uint8_t)text->length;
        length = 3;
    }
    memmove(text->data + length, text->data, text->length);
    memcpy(text->data, head, length);
    text->length += length;
}

static const char *as_value(const struct pki_text *text)
{
    static char value[64 * 1024];
    size_t length = (size_t)snprintf(value, sizeof(value), "DER:");

    for (size_t i = 0; i < text->length; i++)
        length += (size_t)snprintf(value + length, sizeof(value) - length, "%02x", text->data[i]);
    return value;
}

/* An extension whose mustInclude has so many names of that length. */
static const char *names_value(size_t count, size_t length)
{
    static struct pki_text text;
    static struct pki_text name;

    text.length = 0;
    for (size_t i = 0; i < count; i++) {
        name.length = length;
        memset(name.data, 'a', length);
        wrap(&name, 0x16);
        pki_add(&text, name.data, name.length);
    }
    wrap(&text, 0x30);
    wrap(&text, 0xa0);
    wrap(&text, 0x30);
    return as_value(&text);
}

/* One whose permittedValues have one claim with so many values. */
static const char *values_value(size_t count)
{
    static struct pki_text text;

    text.length = 0;
    for (size_t i = 0; i < count; i++)
        pki_add(&text, "\x0c\x01v", 3);
    wrap(&text, 0x30);
    memmove(text.data + 3, text.data, text.length);
    memcpy(text.data,
           "\x16\x01"
           "c",
           3);
    text.length += 3;
    wrap(&text, 0x30);
    wrap(&text, 0x30);
    wrap(&text, 0xa1);
    wrap(&text, 0x30);
    return as_value(&text);
}

static void what_is_past_a_limit_is_refused_and_what_is_at_it_is_not(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(read_with(bench, PLAIN, names_value(STK_CONSTRAINT_CLAIMS_MAX, 3)),
                     STIRKEEP_OK);
    assert_int_equal(bench->constraints.must_include_count, STK_CONSTRAINT_CLAIMS_MAX);
    assert_int_equal(read_with(bench, PLAIN, names_value(STK_CONSTRAINT_CLAIMS_MAX + 1, 3)),
                     STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(bench->error.message, "mustInclude: more than 64 entries"));
    assert_int_equal(read_with(bench, PLAIN, names_value(1, STK_CONSTRAINT_TEXT_MAX)), STIRKEEP_OK);
    assert_int_equal(read_with(bench, PLAIN, names_value(1, STK_CONSTRAINT_TEXT_MAX + 1)),
                     STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(bench->error.message, "257 bytes; it has at most 256"));
    assert_int_equal(read_with(bench, ENHANCED, values_value(STK_CONSTRAINT_VALUES_MAX)),
                     STIRKEEP_OK);
    assert_int_equal(bench->constraints.permitted[0].count, STK_CONSTRAINT_VALUES_MAX);
    assert_int_equal(read_with(bench, ENHANCED, values_value(STK_CONSTRAINT_VALUES_MAX + 1)),
                     STIRKEEP_CERT_INVALID);
    assert_non_null(strstr(bench->error.message, "more than 256 entries"));
}

static void an_arena_that_is_used_up_is_told(void **state)
{
    struct bench *bench = *state;
    struct stk_arena small = {0};
    struct pki_spec spec = spec_of(bench);
    static struct pki_text der;
    X509 *leaf = NULL;
    unsigned failures = 0;
    enum stirkeep_status status = STIRKEEP_TOO_LARGE;

    pki_extend(&spec, PLAIN, HOUSLEY);
    pki_extend(&spec, TNAUTHLIST,
               "DER:3006a20416"
               "0231"
               "32");
    leaf = pki_certificate(&spec);
    der.length = 0;
    pki_add_der(&der, leaf);
    X509_free(leaf);
    for (size_t room = 1; status == STIRKEEP_TOO_LARGE; room += 8) {
        struct stk_constraints constraints = {0};

        assert_int_equal(stk_arena_new(&small, room), STIRKEEP_OK);
        status = stk_der_constraints(pki_bytes(&der), &small, &constraints, &bench->error);
        failures += status == STIRKEEP_TOO_LARGE ? 1 : 0;
        stk_arena_free(&small);
        assert_true(room < 1000);
    }
    assert_int_equal(status, STIRKEEP_OK);
    assert_true(failures > 10);
}

/* Whatever is done to a certificate, it is read within its bytes. */
static void damaged_certificates_are_read_within_their_bytes(void **state)
{
    struct bench *bench = *state;
    struct pki_spec spec = spec_of(bench);
    static struct pki_text der;
    X509 *leaf = NULL;
    unsigned statuses[STIRKEEP_STATUS_COUNT] = {0};
    uint32_t random = 12345;

    pki_extend(&spec, ENHANCED, HOUSLEY);
    pki_extend(&spec, TNAUTHLIST,
               "DER:3015a006160436313648"
               "a10b30091604393939300201"
               "0a");
    leaf = pki_certificate(&spec);
    der.length = 0;
    pki_add_der(&der, leaf);
    X509_free(leaf);
    for (size_t length = 0; length < der.length; length++) {
        uint8_t *copy = malloc(length + 1); /* so that a byte past it is noticed */

        memcpy(copy, der.data, length);
        assert_int_equal(stk_der_constraints((struct stk_bytes){copy, length}, &bench->arena,
                                             &bench->constraints, NULL),
                         STIRKEEP_CERT_INVALID);
        free(copy);
    }
    for (int round = 0; round < 20000; round++) {
        uint8_t *copy = malloc(der.length);

        memcpy(copy, der.data, der.length);
        for (int change = 0; change <= round % 3; change++) {
            random = random * 1664525 + 1013904223;
            copy[(random >> 8) % der.length] = (uint8_t)(random >> 24);
        }
        stk_arena_reset(&bench->arena);
        statuses[stk_der_constraints((struct stk_bytes){copy, der.length}, &bench->arena,
                                     &bench->constraints, NULL)]++;
        free(copy);
    }
    assert_int_equal(statuses[STIRKEEP_OK] + statuses[STIRKEEP_CERT_INVALID], 20000);
    assert_true(statuses[STIRKEEP_OK] > 1000 && statuses[STIRKEEP_CERT_INVALID] > 1000);
}

/* ---- the gate */

static void expect_claims(struct bench *bench, const char *oid, const char *value, const char *code,
                          bool strict_refuses, bool test_refuses)
{
    struct pki_spec spec = spec_of(bench);

    pki_extend(&spec, oid, value);
    expect(&bench->pki, &spec, code, strict_refuses, test_refuses, STIRKEEP_CERT_INVALID);
}

static void the_gate_refuses_constraints_that_are_malformed(void **state)
{
    struct bench *bench = *state;

    expect_claims(bench, PLAIN, "DER:3000", "CLAIMS-MALFORMED", true, true);
    expect_claims(bench, ENHANCED, "DER:0500", "CLAIMS-MALFORMED", true, true);
    expect_claims(bench, PLAIN, names_value(65, 3), "CLAIMS-MALFORMED", true, true);
    /* a critical one is known, so that it is no CRITICAL-EXTENSION */
    expect_claims(bench, ENHANCED, "critical,DER:3000", "CLAIMS-MALFORMED", true, true);
}

static void the_gate_tells_what_makes_a_certificate_useless(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *value;
        const char *code;
        bool strict_refuses;
    } cases[] = {
        {"DER:300aa2083006160461747474", NULL, false}, /* no "attt" */
        {"DER:300ca20a3008160661747465"
         "7374",
         "CLAIMS-USELESS", false}, /* no attest */
        {"DER:300ca20a300816066f726967"
         "6964",
         "CLAIMS-USELESS", false},                                 /* no origid */
        {"DER:300aa208300616046f726967", "CLAIMS-BASELINE", true}, /* no orig */
        {"DER:3009a20730051603696174", "CLAIMS-BASELINE", true},   /* no iat */
        {"DER:300ca00a3008160661747465"
         "7374",
         NULL, false},                                           /* attest */
        {"DER:3009a00730051603666f6f", "CLAIMS-USELESS", false}, /* foo */
        {"DER:3009a00730051603726364", NULL, false},             /* rcd */
        {"DER:3012a00730051603726364a20730051603726364", "CLAIMS-USELESS", false},
        {"DER:3013a111300f300d1606617474657374"
         "30030c0142",
         NULL, false}, /* attest B */
        {"DER:3013a111300f300d1606617474657374"
         "30030c0162",
         "CLAIMS-USELESS", false},
        {"DER:3010a10e300c300a16036961743003"
         "0c0131",
         "CLAIMS-USELESS", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pki_spec spec = spec_of(bench);
        X509 *chain[2] = {NULL, bench->pki.intermediate};

        if (cases[i].code != NULL) {
            expect_claims(bench, ENHANCED, cases[i].value, cases[i].code, cases[i].strict_refuses,
                          false);
            continue;
        }
        pki_extend(&spec, ENHANCED, cases[i].value);
        chain[0] = pki_certificate(&spec);
        if (judge(chain, 2, true).report.count != 0)
            fail_msg("%s: %s", cases[i].value, judge(chain, 2, true).report.findings[0].message);
        X509_free(chain[0]);
    }
}

static void the_gate_judges_the_numbers_of_a_tnauthlist(void **state)
{
    struct bench *bench = *state;
    struct pki_spec spec = spec_of(bench);
    X509 *chain[2] = {NULL, bench->pki.intermediate};
    struct judged judged = {0};

    /* the range 9990 and 11 */
    pki_extend(&spec, TNAUTHLIST,
               "DER:300da10b3009160439393930"
               "02010b");
    chain[0] = pki_certificate(&spec);
    judged = judge(chain, 2, false);
    assert_int_equal(judged.status, STIRKEEP_CERT_INVALID);
    assert_true(has(&judged, "TNAUTHLIST-MALFORMED"));
    X509_free(chain[0]);
    pki_extend(&spec, TNAUTHLIST,
               "DER:3008a20616"
               "0430313233");
    chain[0] = pki_certificate(&spec);
    judged = judge(chain, 2, false);
    assert_int_equal(judged.status, STIRKEEP_OK);
    assert_non_null(strstr(finding(&judged, "TNAUTHLIST-NUMBER")->message, "entry 1: 0123"));
    X509_free(chain[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_spc_alone_constrains_nothing),
        cmocka_unit_test(numbers_and_ranges_are_joined_and_an_spc_beside_them_adds_none),
        cmocka_unit_test(a_range_past_the_last_number_is_malformed),
        cmocka_unit_test(the_claims_of_rfc_8226_are_read),
        cmocka_unit_test(the_certificate_of_rfc_9118_is_read),
        cmocka_unit_test(what_is_not_of_its_type_is_refused_and_says_why),
        cmocka_unit_test(both_extensions_or_one_twice_are_refused),
        cmocka_unit_test(what_is_past_a_limit_is_refused_and_what_is_at_it_is_not),
        cmocka_unit_test(an_arena_that_is_used_up_is_told),
        cmocka_unit_test(damaged_certificates_are_read_within_their_bytes),
        cmocka_unit_test(the_gate_refuses_constraints_that_are_malformed),
        cmocka_unit_test(the_gate_tells_what_makes_a_certificate_useless),
        cmocka_unit_test(the_gate_judges_the_numbers_of_a_tnauthlist),
    };

    return cmocka_run_group_tests_name("constraints", tests, setup, teardown);
}
