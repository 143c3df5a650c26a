/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/constraints.h"
#include "cert/gate_report.h"
#include "cert/tnauthlist.h"
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* What the leaf says of itself: key, TNAuthList, extensions, subject. */

#define PROFILE "ATIS-1000080 section 6.4.1"
#define SHAKEN_POLICIES "2.16.840.1.114569.1.1."

static X509 *leaf_of(const struct stk_gate *gate)
{
    return gate->chain->items[0].x509;
}

void stk_gate_judge_key(const struct stk_gate *gate)
{
    const struct stk_subject_key *key = &gate->chain->items[0].key;

    if (!key->p256)
        stk_gate_find(gate, STK_GATE_ALWAYS, "KEY-TYPE", "RFC 8225 section 4, RFC 7518 section 3.4",
                      "%s; STIR/SHAKEN needs P-256", key->kind);
    else if (key->compressed)
        stk_gate_find(gate, STK_GATE_ADVICE, "KEY-POINT", "RFC 5480 section 2.2",
                      "the public key's point is compressed, which some verifiers do not read");
}

/* ---- TNAuthList */

static bool is_spc(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(text);
}

static void judge_entries(const struct stk_gate *gate, const struct stk_tnauthlist *list)
{
    const char *clause = "ATIS-1000080 section 6.4.1, RFC 8226 section 9";

    if (list->count != 1 || list->entries[0].kind != STK_TNAUTH_SPC)
        stk_gate_find(gate, STK_GATE_STRICT, "TNAUTHLIST-SPC", clause,
                      "TNAuthList: %zu entries; a SHAKEN certificate has exactly one, an SPC",
                      list->count);
    else if (!is_spc(list->entries[0].text))
        stk_gate_find(gate, STK_GATE_STRICT, "TNAUTHLIST-SPC", clause,
                      "TNAuthList: SPC \"%s\"; an SPC has upper-case letters and digits",
                      list->entries[0].text);
}

/* RFC 8224 section 8.3: numbers are signed with their country code, and none begins with 0. */
static void judge_numbers(const struct stk_gate *gate, const struct stk_tnauthlist *list)
{
    struct stk_constraints constraints = {0};
    struct stk_arena arena = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_arena_new(&arena, STK_CONSTRAINTS_ARENA);

    if (status == STIRKEEP_OK)
        status = stk_constraints_take_numbers(stk_chain_der(gate->chain, 0), &arena, &constraints,
                                              &error);
    else
        (void)stk_error_set(&error, status, "TNAuthList: out of memory");
    if (status != STIRKEEP_OK)
        stk_gate_find(gate, STK_GATE_ALWAYS, "TNAUTHLIST-MALFORMED", "RFC 8226 section 9", "%s",
                      error.message);
    for (size_t i = 0; status == STIRKEEP_OK && i < list->count; i++)
        if (list->entries[i].kind != STK_TNAUTH_SPC && list->entries[i].text[0] == '0') {
            stk_gate_find(gate, STK_GATE_ADVICE, "TNAUTHLIST-NUMBER", "RFC 8224 section 8.3",
                          "TNAuthList entry %zu: %s: no country code begins with 0, so that no "
                          "call has this number",
                          i + 1, list->entries[i].text);
            break;
        }
    stk_arena_free(&arena);
}

static size_t count_extensions(const struct stk_gate *gate, const char *oid)
{
    size_t count = 0;
    char found[STK_KIND_TEXT];

    for (int i = 0; i < X509_get_ext_count(leaf_of(gate)); i++) {
        stk_extension_oid(X509_get_ext(leaf_of(gate), i), found);
        count += strcmp(found, oid) == 0 ? 1 : 0;
    }
    return count;
}

void stk_gate_judge_tnauthlist(const struct stk_gate *gate)
{
    struct stk_tnauthlist list = {0};
    struct stk_bytes der = {0};
    struct stk_error error = {0};

    if (!stk_extension_find(leaf_of(gate), STK_OID_TNAUTHLIST, &der)) {
        stk_gate_find(
            gate, STK_GATE_STRICT, "TNAUTHLIST-MISSING",
            "RFC 8226 section 9, ATIS-1000080 section 6.4.1",
            "no TNAuthList (1.3.6.1.5.5.7.1.26): nothing says for which numbers it signs");
        return;
    }
    if (count_extensions(gate, STK_OID_TNAUTHLIST) > 1) {
        stk_gate_find(gate, STK_GATE_ALWAYS, "TNAUTHLIST-MALFORMED", "RFC 8226 section 9",
                      "TNAuthList: given twice; verifiers may read either");
        return;
    }
    if (stk_tnauthlist_parse(der, &list, &error) != STIRKEEP_OK) {
        stk_gate_find(gate, STK_GATE_ALWAYS, "TNAUTHLIST-MALFORMED", "RFC 8226 section 9", "%s",
                      error.message);
        return;
    }
    judge_entries(gate, &list);
    judge_numbers(gate, &list);
    stk_tnauthlist_free(&list);
}

/* ---- extensions */

static void judge_signature(const struct stk_gate *gate)
{
    int kind = X509_get_signature_nid(leaf_of(gate));

    if (X509_get_version(leaf_of(gate)) != 2)
        stk_gate_find(gate, STK_GATE_STRICT, "VERSION", "RFC 5280 section 4.1.2.1, " PROFILE,
                      "X.509 version %ld; it has to be 3", X509_get_version(leaf_of(gate)) + 1);
    if (kind != NID_ecdsa_with_SHA256 && kind != NID_ecdsa_with_SHA384)
        stk_gate_find(gate, STK_GATE_STRICT, "SIGNATURE-ALGORITHM", "RFC 8226 section 4, " PROFILE,
                      "signed with %s; ecdsa-with-SHA256 or -SHA384 is asked for",
                      kind == NID_undef ? "an unknown algorithm" : OBJ_nid2ln(kind));
}

static void judge_key_usage(const struct stk_gate *gate)
{
    const char *clause = "RFC 5280 section 4.2.1.3, " PROFILE;
    int critical = -1;
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(leaf_of(gate), NID_key_usage, &critical, NULL);
    bool signs = usage != NULL && ASN1_BIT_STRING_get_bit(usage, 0) == 1;
    bool more = false;

    for (int bit = 1; usage != NULL && bit < 9; bit++)
        more = more || ASN1_BIT_STRING_get_bit(usage, bit) == 1;
    if (usage == NULL)
        stk_gate_find(gate, STK_GATE_STRICT, "KEY-USAGE", clause,
                      critical == -2 ? "KeyUsage is given twice" : "no KeyUsage, or a broken one");
    else if (!signs || more)
        stk_gate_find(gate, STK_GATE_STRICT, "KEY-USAGE", clause,
                      "KeyUsage: %s; it has to be exactly digitalSignature",
                      signs ? "allows more than digitalSignature"
                            : "does not allow digitalSignature");
    else if (critical != 1)
        stk_gate_find(gate, STK_GATE_STRICT, "KEY-USAGE", clause, "KeyUsage is not critical");
    ASN1_BIT_STRING_free(usage);
}

static void judge_basic_constraints(const struct stk_gate *gate)
{
    BASIC_CONSTRAINTS *constraints =
        X509_get_ext_d2i(leaf_of(gate), NID_basic_constraints, NULL, NULL);

    if (constraints == NULL)
        stk_gate_find(gate, STK_GATE_STRICT, "BASIC-CONSTRAINTS",
                      "RFC 5280 section 4.2.1.9, " PROFILE, "no BasicConstraints, or broken ones");
    else if (constraints->ca != 0)
        stk_gate_find(gate, STK_GATE_STRICT, "BASIC-CONSTRAINTS",
                      "RFC 5280 section 4.2.1.9, " PROFILE,
                      "BasicConstraints: a CA's certificate; PASSporTs are signed by end entities");
    BASIC_CONSTRAINTS_free(constraints);
}

/* An extension that has to be there. */
static void judge_presence(const struct stk_gate *gate, int kind, enum stk_gate_weight weight,
                           const char *code, const char *clause, const char *message)
{
    if (X509_get_ext_by_NID(leaf_of(gate), kind, -1) < 0)
        stk_gate_find(gate, weight, code, clause, "%s", message);
}

static void judge_policies(const struct stk_gate *gate)
{
    CERTIFICATEPOLICIES *policies =
        X509_get_ext_d2i(leaf_of(gate), NID_certificate_policies, NULL, NULL);
    char oid[64] = "";
    int shaken = 0;

    for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
        (void)OBJ_obj2txt(oid, sizeof(oid), sk_POLICYINFO_value(policies, i)->policyid, 1);
        if (strncmp(oid, SHAKEN_POLICIES, strlen(SHAKEN_POLICIES)) == 0)
            shaken++;
    }
    if (shaken != 1)
        stk_gate_find(
            gate, STK_GATE_ADVICE, "CERTIFICATE-POLICIES", "RFC 5280 section 4.2.1.4, " PROFILE,
            "CertificatePolicies: %d SHAKEN policies (" SHAKEN_POLICIES "x); one is asked for",
            shaken);
    CERTIFICATEPOLICIES_free(policies);
}

static void judge_critical(const struct stk_gate *gate)
{
    for (int i = 0; i < X509_get_ext_count(leaf_of(gate)); i++) {
        X509_EXTENSION *extension = X509_get_ext(leaf_of(gate), i);
        char oid[STK_KIND_TEXT];

        if (X509_EXTENSION_get_critical(extension) == 0 ||
            X509_supported_extension(extension) != 0 || stk_extension_is_stir(extension))
            continue;
        stk_extension_oid(extension, oid);
        stk_gate_find(gate, STK_GATE_STRICT, "CRITICAL-EXTENSION", "RFC 5280 section 4.2",
                      "extension %s is critical and unknown: verifiers refuse the certificate",
                      oid);
    }
}

void stk_gate_judge_extensions(const struct stk_gate *gate)
{
    judge_signature(gate);
    judge_key_usage(gate);
    judge_basic_constraints(gate);
    judge_presence(gate, NID_subject_key_identifier, STK_GATE_STRICT, "SUBJECT-KEY-ID",
                   "RFC 5280 section 4.2.1.2, " PROFILE, "no SubjectKeyIdentifier");
    judge_presence(gate, NID_authority_key_identifier, STK_GATE_STRICT, "AUTHORITY-KEY-ID",
                   "RFC 5280 section 4.2.1.1, " PROFILE, "no AuthorityKeyIdentifier");
    judge_policies(gate);
    judge_presence(gate, NID_crl_distribution_points, STK_GATE_ADVICE, "CRL",
                   "RFC 5280 section 4.2.1.13, " PROFILE, "no CRL distribution point");
    judge_critical(gate);
}

/* ---- subject */

static void take_name(const struct stk_gate *gate, int kind, char *ret_text, size_t size)
{
    int length = 0;

    ret_text[0] = '\0';
    length =
        X509_NAME_get_text_by_NID(X509_get_subject_name(leaf_of(gate)), kind, ret_text, (int)size);
    /* A zero inside must not hide what comes behind it. */
    for (int i = 0; i < length && i < (int)size - 1; i++)
        if (ret_text[i] == '\0')
            ret_text[i] = '?';
}

/* The TNAuthList's only SPC; "" when there is no such thing. */
static void take_spc(const struct stk_gate *gate, char ret_spc[16])
{
    struct stk_tnauthlist list = {0};
    struct stk_bytes der = {0};

    ret_spc[0] = '\0';
    if (!stk_extension_find(leaf_of(gate), STK_OID_TNAUTHLIST, &der) ||
        stk_tnauthlist_parse(der, &list, NULL) != STIRKEEP_OK)
        return;
    if (list.count == 1 && list.entries[0].kind == STK_TNAUTH_SPC)
        (void)snprintf(ret_spc, 16, "%s", list.entries[0].text);
    stk_tnauthlist_free(&list);
}

void stk_gate_judge_subject(const struct stk_gate *gate)
{
    char country[16];
    char organisation[128];
    char name[128];
    char spc[16];
    char wanted[32];

    take_name(gate, NID_countryName, country, sizeof(country));
    take_name(gate, NID_organizationName, organisation, sizeof(organisation));
    take_name(gate, NID_commonName, name, sizeof(name));
    take_spc(gate, spc);
    if (country[0] == '\0' || organisation[0] == '\0')
        stk_gate_find(gate, STK_GATE_ADVICE, "SUBJECT", PROFILE, "subject: no %s",
                      country[0] == '\0' ? "country (C)" : "organisation (O)");
    (void)snprintf(wanted, sizeof(wanted), "SHAKEN %s", spc);
    if (spc[0] != '\0' && strcmp(name, wanted) != 0)
        stk_gate_find(gate, STK_GATE_ADVICE, "SUBJECT", PROFILE,
                      "subject: common name \"%.64s\"; \"%s\" is asked for", name, wanted);
}
