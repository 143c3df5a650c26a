/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert/cert.h"
#include "cert/gate.h"
#include "pki.h"
#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judged {
    struct stk_gate_report report;
    struct stk_error error;
    enum stirkeep_status status;
};

static struct judged judge(X509 *const *certificates, size_t count, bool strict)
{
    static struct pki_text der[STK_CHAIN_MAX];
    struct stk_bytes views[STK_CHAIN_MAX] = {{0}};
    struct stk_chain *chain = NULL;
    struct judged judged = {0};

    for (size_t i = 0; i < count; i++) {
        der[i].length = 0;
        pki_add_der(&der[i], certificates[i]);
        views[i] = pki_bytes(&der[i]);
    }
    assert_int_equal(stk_chain_from_der(views, count, &chain, NULL), STIRKEEP_OK);
    stk_gate_judge(chain, strict, PKI_NOW, &judged.report);
    judged.status = stk_gate_verdict(&judged.report, &judged.error);
    stk_chain_free(chain);
    return judged;
}

static const struct stk_gate_finding none = {.code = "none", .clause = "", .message = ""};

/* `none` when it is not there. */
static const struct stk_gate_finding *finding(const struct judged *judged, const char *code)
{
    for (size_t i = 0; i < judged->report.count; i++)
        if (strcmp(judged->report.findings[i].code, code) == 0)
            return &judged->report.findings[i];
    return &none;
}

static bool has(const struct judged *judged, const char *code)
{
    return finding(judged, code) != &none;
}

/* A leaf by this spec below the intermediate has exactly this finding; how grave in each profile? */
static void expect(struct pki_chain *pki, const struct pki_spec *spec, const char *code,
                   bool strict_refuses, bool test_refuses, enum stirkeep_status status)
{
    X509 *chain[2] = {pki_certificate(spec), pki->intermediate};

    for (int strict = 0; strict < 2; strict++) {
        struct judged judged = judge(chain, 2, strict == 1);
        bool refuses = strict == 1 ? strict_refuses : test_refuses;
        const struct stk_gate_finding *found = finding(&judged, code);

        if (found == &none)
            fail_msg("%s is not found", code);
        assert_int_equal(judged.report.count, 1);
        assert_int_equal(found->severity, refuses ? STK_SEVERITY_ERROR : STK_SEVERITY_WARNING);
        assert_int_equal(judged.report.errors, refuses ? 1 : 0);
        assert_int_equal(judged.status, refuses ? status : STIRKEEP_OK);
        assert_true(found->clause[0] != '\0' && found->message[0] != '\0');
        if (refuses)
            assert_non_null(strstr(judged.error.message, code));
    }
    X509_free(chain[0]);
}

static int setup(void **state)
{
    static struct pki_chain chain;

    chain = pki_chain_new();
    *state = &chain;
    return 0;
}

static int teardown(void **state)
{
    pki_chain_free(*state);
    return 0;
}

static struct pki_spec leaf_spec(struct pki_chain *pki)
{
    return pki_leaf_spec(pki->leaf_key, pki->intermediate_key, pki->intermediate);
}

static void a_shaken_chain_has_no_findings(void **state)
{
    struct pki_chain *pki = *state;
    X509 *chain[3] = {pki->leaf, pki->intermediate, pki->root};

    assert_int_equal(judge(chain, 2, true).report.count, 0);
    assert_int_equal(judge(chain, 3, true).report.count, 0);
    assert_int_equal(judge(chain, 3, true).status, STIRKEEP_OK);
}

static void other_keys_are_named(void **state)
{
    struct pki_chain *pki = *state;
    EVP_PKEY *keys[2] = {pki_rsa_key(), pki_ec_key("P-384")};
    const char *names[2] = {"RSA 2048 key; STIR/SHAKEN needs P-256",
                            "EC P-384 key; STIR/SHAKEN needs P-256"};

    for (int i = 0; i < 2; i++) {
        struct pki_spec spec = pki_leaf_spec(keys[i], pki->intermediate_key, pki->intermediate);
        X509 *chain[2] = {pki_certificate(&spec), pki->intermediate};
        struct judged judged = judge(chain, 2, false);

        assert_int_equal(judged.status, STIRKEEP_KEY_TYPE);
        assert_non_null(strstr(judged.error.message, names[i]));
        X509_free(chain[0]);
        EVP_PKEY_free(keys[i]);
    }
}

static void a_compressed_point_is_told(void **state)
{
    struct pki_chain *pki = *state;
    EVP_PKEY *key = pki_ec_key("P-256");
    struct pki_spec spec = pki_leaf_spec(key, pki->intermediate_key, pki->intermediate);

    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                                    "compressed"),
                     1);
    expect(pki, &spec, "KEY-POINT", false, false, STIRKEEP_OK);
    EVP_PKEY_free(key);
}

static void validity_is_judged_to_the_second(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    X509 *chain[2] = {NULL, pki->intermediate};

    spec.not_after = PKI_NOW - 1;
    expect(pki, &spec, "VALIDITY-EXPIRED", true, true, STIRKEEP_CERT_EXPIRED);
    spec.not_after = PKI_NOW;
    chain[0] = pki_certificate(&spec);
    assert_int_equal(judge(chain, 2, true).status, STIRKEEP_OK);
    X509_free(chain[0]);
    spec = leaf_spec(pki);
    spec.not_before = PKI_NOW + 1;
    expect(pki, &spec, "VALIDITY-NOT-YET", true, true, STIRKEEP_CERT_NOT_YET_VALID);
    spec.not_before = PKI_NOW;
    chain[0] = pki_certificate(&spec);
    assert_int_equal(judge(chain, 2, true).report.count, 0);
    X509_free(chain[0]);
}

static void what_ends_soon_is_told(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    static const struct {
        int days;
        const char *words;
    } cases[] = {{6, "less than 7"}, {13, "less than 14"}, {29, "less than 30"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        X509 *chain[2] = {NULL, pki->intermediate};
        struct judged judged = {0};

        spec.not_after = PKI_NOW + cases[i].days * PKI_DAY;
        chain[0] = pki_certificate(&spec);
        judged = judge(chain, 2, true);
        assert_int_equal(judged.status, STIRKEEP_OK);
        assert_non_null(strstr(finding(&judged, "VALIDITY-ENDS")->message, cases[i].words));
        X509_free(chain[0]);
    }
    spec.not_after = PKI_NOW + 30 * PKI_DAY;
    {
        X509 *chain[2] = {pki_certificate(&spec), pki->intermediate};

        assert_int_equal(judge(chain, 2, true).report.count, 0);
        X509_free(chain[0]);
    }
}

static void the_tnauthlist_is_judged(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    static const struct {
        const char *value;
        const char *code;
        bool test_refuses;
    } cases[] = {
        {NULL, "TNAUTHLIST-MISSING", false},
        {"DER:30:00", "TNAUTHLIST-MALFORMED", true},
        {"DER:05:00", "TNAUTHLIST-MALFORMED", true},
        {"DER:30:06:80:04:36:31:36:48", "TNAUTHLIST-MALFORMED", true},
        {"DER:30:08:a0:06:16:04:36:31:36:48:00", "TNAUTHLIST-MALFORMED", true},
        {"DER:30:08:a0:06:0c:04:36:31:36:48", "TNAUTHLIST-MALFORMED", true},
        {"DER:30:08:a0:06:16:04:36:31:36:68", "TNAUTHLIST-SPC", false},
        {"DER:30:08:a2:06:16:04:31:32:33:34", "TNAUTHLIST-SPC", false},
        {"DER:30:10:a0:06:16:04:36:31:36:48:a0:06:16:04:36:31:36:49", "TNAUTHLIST-SPC", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        X509 *chain[2] = {NULL, pki->intermediate};
        struct judged judged = {0};

        pki_extend(&spec, "1.3.6.1.5.5.7.1.26", cases[i].value);
        chain[0] = pki_certificate(&spec);
        judged = judge(chain, 2, true);
        if (!has(&judged, cases[i].code))
            fail_msg("%s: no %s", cases[i].value, cases[i].code);
        assert_int_equal(judged.status, STIRKEEP_CERT_INVALID);
        judged = judge(chain, 2, false);
        assert_int_equal(judged.status,
                         cases[i].test_refuses ? STIRKEEP_CERT_INVALID : STIRKEEP_OK);
        X509_free(chain[0]);
    }
}

/* Add an extension beside one that is there already. */
static void extend_again(struct pki_spec *spec, const char *name, const char *value)
{
    size_t i = 0;

    while (i < PKI_EXTENSIONS_MAX && spec->extensions[i].name != NULL)
        i++;
    assert_true(i < PKI_EXTENSIONS_MAX);
    spec->extensions[i] = (struct pki_extension){name, value};
}

static void what_is_given_twice_is_refused(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);

    /* The first one is fine: a verifier that takes the last sees another carrier. */
    extend_again(&spec, "1.3.6.1.5.5.7.1.26", "DER:30:08:a0:06:16:04:37:30:39:4a");
    expect(pki, &spec, "TNAUTHLIST-MALFORMED", true, true, STIRKEEP_CERT_INVALID);
    spec = leaf_spec(pki);
    extend_again(&spec, "keyUsage", "critical,digitalSignature");
    expect(pki, &spec, "KEY-USAGE", true, false, STIRKEEP_CERT_INVALID);
    spec = leaf_spec(pki);
    extend_again(&spec, "basicConstraints", "critical,CA:TRUE");
    expect(pki, &spec, "BASIC-CONSTRAINTS", true, false, STIRKEEP_CERT_INVALID);
}

static void each_extension_is_asked_for(void **state)
{
    struct pki_chain *pki = *state;
    static const struct {
        const char *name;
        const char *value;
        const char *code;
        bool strict_refuses;
    } cases[] = {
        {"keyUsage", NULL, "KEY-USAGE", true},
        {"keyUsage", "digitalSignature", "KEY-USAGE", true},
        {"keyUsage", "critical,digitalSignature,keyAgreement", "KEY-USAGE", true},
        {"keyUsage", "critical,keyAgreement", "KEY-USAGE", true},
        {"basicConstraints", NULL, "BASIC-CONSTRAINTS", true},
        {"basicConstraints", "critical,CA:TRUE", "BASIC-CONSTRAINTS", true},
        {"subjectKeyIdentifier", NULL, "SUBJECT-KEY-ID", true},
        {"authorityKeyIdentifier", NULL, "AUTHORITY-KEY-ID", true},
        {"certificatePolicies", NULL, "CERTIFICATE-POLICIES", false},
        {"certificatePolicies", "1.2.3.4", "CERTIFICATE-POLICIES", false},
        {"crlDistributionPoints", NULL, "CRL", false},
        {"1.2.3.4.5", "critical,DER:05:00", "CRITICAL-EXTENSION", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pki_spec spec = leaf_spec(pki);

        pki_extend(&spec, cases[i].name, cases[i].value);
        expect(pki, &spec, cases[i].code, cases[i].strict_refuses, false, STIRKEEP_CERT_INVALID);
    }
}

static void a_critical_tnauthlist_and_a_harmless_extension_are_fine(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    X509 *chain[2] = {NULL, pki->intermediate};

    pki_extend(&spec, "1.3.6.1.5.5.7.1.26", "critical," PKI_TNAUTHLIST);
    pki_extend(&spec, "1.2.3.4.5", "DER:05:00");
    chain[0] = pki_certificate(&spec);
    assert_int_equal(judge(chain, 2, true).report.count, 0);
    X509_free(chain[0]);
}

static void the_subject_is_judged(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);

    spec.common_name = "SHAKEN 709J";
    expect(pki, &spec, "SUBJECT", false, false, STIRKEEP_OK);
    spec = leaf_spec(pki);
    spec.country = NULL;
    expect(pki, &spec, "SUBJECT", false, false, STIRKEEP_OK);
    spec = leaf_spec(pki);
    spec.organization = NULL;
    expect(pki, &spec, "SUBJECT", false, false, STIRKEEP_OK);
}

static void a_subject_that_steers_a_terminal_does_not_get_there(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    X509 *chain[2] = {NULL, pki->intermediate};
    struct judged judged = {0};
    const char *message = NULL;

    spec.common_name = "SHAKEN\x1b[2J\r\nOK \xc3\xa9";
    chain[0] = pki_certificate(&spec);
    judged = judge(chain, 2, true);
    message = finding(&judged, "SUBJECT")->message;
    assert_non_null(strstr(message, "SHAKEN?[2J"));
    for (const char *at = message; *at != '\0'; at++)
        assert_in_range(*at, 0x20, 0x7e);
    X509_free(chain[0]);
}

static void version_and_signature_algorithm_are_judged(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);

    spec.digest = EVP_sha512();
    expect(pki, &spec, "SIGNATURE-ALGORITHM", true, false, STIRKEEP_CERT_INVALID);
    spec = leaf_spec(pki);
    spec.version = 0;
    expect(pki, &spec, "VERSION", true, false, STIRKEEP_CERT_INVALID);
    spec = leaf_spec(pki);
    spec.digest = EVP_sha384();
    {
        X509 *chain[2] = {pki_certificate(&spec), pki->intermediate};

        assert_int_equal(judge(chain, 2, true).report.count, 0);
        X509_free(chain[0]);
    }
}

static void the_path_is_judged(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_chain other = pki_chain_new();
    X509 *wrong_order[3] = {pki->leaf, pki->root, pki->intermediate};
    X509 *wrong_key[2] = {pki->leaf, other.intermediate}; /* of the same name */
    X509 *leaf_as_issuer[2] = {pki->leaf, pki->leaf};
    struct judged judged = judge(wrong_order, 3, true);

    assert_int_equal(judged.status, STIRKEEP_CERT_INVALID);
    assert_true(has(&judged, "CHAIN-ORDER"));
    assert_int_equal(judge(wrong_order, 3, false).status, STIRKEEP_OK);
    judged = judge(wrong_key, 2, true);
    assert_int_equal(judged.report.count, 1);
    assert_true(has(&judged, "CHAIN-SIGNATURE"));
    judged = judge(leaf_as_issuer, 2, true);
    assert_true(has(&judged, "CHAIN-CA"));
    judged = judge(&pki->leaf, 1, true);
    assert_int_equal(judged.status, STIRKEEP_OK);
    assert_true(has(&judged, "CHAIN-ALONE"));
    pki_chain_free(&other);
}

static void a_self_signed_leaf_is_for_laboratories(void **state)
{
    EVP_PKEY *key = pki_ec_key("P-256");
    struct pki_spec spec = pki_leaf_spec(key, NULL, NULL);
    X509 *leaf = pki_certificate(&spec);
    struct judged judged = judge(&leaf, 1, true);
    (void)state;

    assert_int_equal(judged.status, STIRKEEP_CERT_INVALID);
    assert_true(has(&judged, "SELF-SIGNED"));
    assert_int_equal(judge(&leaf, 1, false).status, STIRKEEP_OK);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

static void an_expired_intermediate_is_told(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = pki_intermediate_spec(pki->intermediate_key, pki->root_key, pki->root);
    X509 *chain[2] = {pki->leaf, NULL};
    struct judged judged = {0};

    spec.not_after = PKI_NOW - 1;
    chain[1] = pki_certificate(&spec);
    judged = judge(chain, 2, true);
    assert_int_equal(judged.status, STIRKEEP_CERT_INVALID);
    assert_int_equal(judged.report.count, 1);
    assert_true(has(&judged, "CHAIN-VALIDITY"));
    X509_free(chain[1]);
}

static void the_gravest_is_told_with_the_number_of_the_others(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    X509 *chain[2] = {NULL, pki->intermediate};
    struct judged judged = {0};

    pki_extend(&spec, "keyUsage", NULL);
    pki_extend(&spec, "subjectKeyIdentifier", NULL);
    spec.not_after = PKI_NOW - PKI_DAY;
    chain[0] = pki_certificate(&spec);
    judged = judge(chain, 2, true);
    assert_int_equal(judged.status, STIRKEEP_CERT_EXPIRED);
    assert_non_null(strstr(judged.error.message, "expired on 2026-09-2"));
    assert_non_null(strstr(judged.error.message, "(and 2 more)"));
    X509_free(chain[0]);
}

/* Whatever a chain holds, it is judged; what is spoilt never passes without a word. */
static void noise_is_survived(void **state)
{
    static struct pki_text der;
    struct pki_chain *pki = *state;
    unsigned seed = 20261126;
    size_t read = 0;

    der.length = 0;
    pki_add_der(&der, pki->leaf);
    for (int round = 0; round < 3000; round++) {
        size_t at = (size_t)rand_r(&seed) % der.length;
        uint8_t before = der.data[at];
        struct stk_bytes view = pki_bytes(&der);
        struct stk_chain *chain = NULL;

        der.data[at] = (uint8_t)rand_r(&seed);
        if (stk_chain_from_der(&view, 1, &chain, NULL) == STIRKEEP_OK) {
            struct stk_gate_report report = {0};
            struct stk_error error = {0};

            stk_gate_judge(chain, true, PKI_NOW, &report);
            assert_true(report.count <= STK_GATE_FINDINGS_MAX);
            assert_true((stk_gate_verdict(&report, &error) == STIRKEEP_OK) == (report.errors == 0));
            stk_chain_free(chain);
            read++;
        }
        der.data[at] = before;
    }
    assert_true(read > 300);
}

/* More findings than the report holds: all errors count, and the gravest is still told. */
static void more_findings_than_room_hide_nothing(void **state)
{
    struct pki_chain *pki = *state;
    struct pki_spec spec = leaf_spec(pki);
    X509 *chain[2] = {NULL, pki->intermediate};
    struct judged judged = {0};

    spec.not_after = PKI_NOW - PKI_DAY;
    chain[0] = pki_certificate(&spec);
    for (int i = 0; i < STK_GATE_FINDINGS_MAX + 10; i++) {
        char oid[32];
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        X509_EXTENSION *extension = NULL;
        ASN1_OBJECT *object = NULL;

        (void)snprintf(oid, sizeof(oid), "1.2.3.4.%d", i);
        object = OBJ_txt2obj(oid, 1);
        assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5\0", 2), 1);
        extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
        assert_int_equal(X509_add_ext(chain[0], extension, -1), 1);
        X509_EXTENSION_free(extension);
        ASN1_OBJECT_free(object);
        ASN1_OCTET_STRING_free(value);
    }
    assert_true(X509_sign(chain[0], pki->intermediate_key, EVP_sha256()) > 0);
    judged = judge(chain, 2, true);
    assert_int_equal(judged.report.count, STK_GATE_FINDINGS_MAX);
    assert_int_equal(judged.report.errors, STK_GATE_FINDINGS_MAX + 11);
    assert_int_equal(judged.status, STIRKEEP_CERT_EXPIRED);
    assert_int_equal(judge(chain, 2, false).status, STIRKEEP_CERT_EXPIRED);
    X509_free(chain[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shaken_chain_has_no_findings),
        cmocka_unit_test(other_keys_are_named),
        cmocka_unit_test(a_compressed_point_is_told),
        cmocka_unit_test(validity_is_judged_to_the_second),
        cmocka_unit_test(what_ends_soon_is_told),
        cmocka_unit_test(the_tnauthlist_is_judged),
        cmocka_unit_test(what_is_given_twice_is_refused),
        cmocka_unit_test(each_extension_is_asked_for),
        cmocka_unit_test(a_critical_tnauthlist_and_a_harmless_extension_are_fine),
        cmocka_unit_test(the_subject_is_judged),
        cmocka_unit_test(a_subject_that_steers_a_terminal_does_not_get_there),
        cmocka_unit_test(version_and_signature_algorithm_are_judged),
        cmocka_unit_test(the_path_is_judged),
        cmocka_unit_test(a_self_signed_leaf_is_for_laboratories),
        cmocka_unit_test(an_expired_intermediate_is_told),
        cmocka_unit_test(the_gravest_is_told_with_the_number_of_the_others),
        cmocka_unit_test(more_findings_than_room_hide_nothing),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("gate", tests, setup, teardown);
}
