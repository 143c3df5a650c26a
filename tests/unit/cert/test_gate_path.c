/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the gate says of a chain, and of many findings. */

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
        cmocka_unit_test(the_path_is_judged),
        cmocka_unit_test(a_self_signed_leaf_is_for_laboratories),
        cmocka_unit_test(an_expired_intermediate_is_told),
        cmocka_unit_test(the_gravest_is_told_with_the_number_of_the_others),
        cmocka_unit_test(more_findings_than_room_hide_nothing),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("gate-path", tests, setup, teardown);
}
