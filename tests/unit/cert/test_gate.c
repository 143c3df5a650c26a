/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge.h"
#include <openssl/core_names.h>
#include <string.h>

/* What the gate says of a leaf. */

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
        assert_true(has(&judged, "KEY-TYPE"));
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
    };

    return cmocka_run_group_tests_name("gate", tests, setup, teardown);
}
