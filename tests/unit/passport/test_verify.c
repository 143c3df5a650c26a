/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "compose.h"
#include "passport/passport.h"
#include "passport/verify.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1443208345

static const char good_header[] =
    "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"https://a.example/c\"}";
static const char good_payload[] =
    "{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
    "\"orig\":{\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}";
static const char good_parameters[] = ";info=<https://a.example/c>;alg=ES256;ppt=shaken";

struct value {
    char text[16384];
};

static void add_part(struct value *value, const void *data, size_t length)
{
    size_t at = strlen(value->text);

    value->text[at + stk_base64url_encode(data, length, value->text + at)] = '\0';
}

static struct value make(const char *header, const char *payload, const char *parameters)
{
    uint8_t signature[64] = {1};
    struct value value = {""};

    add_part(&value, header, strlen(header));
    (void)strcat(value.text, ".");
    add_part(&value, payload, strlen(payload));
    (void)strcat(value.text, ".");
    add_part(&value, signature, sizeof(signature));
    (void)strcat(value.text, parameters);
    return value;
}

static enum stirkeep_status parse(const struct value *value, struct stk_identity *ret_identity,
                                  struct stk_error *error)
{
    return stk_identity_parse(value->text, strlen(value->text), ret_identity, error);
}

/* The first finding; its code is "" when there is none. */
static struct stk_finding first_of(const char *header, const char *payload, const char *parameters)
{
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX] = {0};
    struct value value = make(header, payload, parameters);
    struct stk_identity identity = {0};
    struct stk_error error = {0};

    if (parse(&value, &identity, &error) != STIRKEEP_OK)
        fail_msg("%s: %s", value.text, error.message);
    (void)stk_identity_judge(&identity, NOW, 60, findings);
    stk_identity_free(&identity);
    return findings[0];
}

static const char *judge(const char *header, const char *payload, const char *parameters)
{
    static struct stk_finding finding;

    finding = first_of(header, payload, parameters);
    return finding.code;
}

static void a_value_is_taken_apart(void **state)
{
    struct value value = make(good_header, good_payload, good_parameters);
    struct stk_identity identity = {0};
    char pasted[17000] = "";
    (void)state;

    (void)snprintf(pasted, sizeof(pasted), "  Identity: \t%s\r\n", value.text);
    assert_int_equal(stk_identity_parse(pasted, strlen(pasted), &identity, NULL), STIRKEEP_OK);
    assert_string_equal(identity.info, "https://a.example/c");
    assert_string_equal(identity.alg, "ES256");
    assert_string_equal(identity.ppt, "shaken");
    assert_int_equal(identity.header.length, strlen(good_header));
    assert_memory_equal(identity.header.data, good_header, strlen(good_header));
    assert_memory_equal(identity.payload.data, good_payload, strlen(good_payload));
    assert_int_equal(identity.signature[0], 1);
    assert_int_equal(identity.signing_input.length,
                     strrchr(identity.passport, '.') - identity.passport);
    stk_identity_free(&identity);
}

static void parameters_may_be_quoted_spaced_and_unknown(void **state)
{
    struct value value =
        make(good_header, good_payload,
             " ; INFO = <https://a.example/c;x> ;alg=\"ES256\"; ppt=\"shaken\";x=\"a;b\"");
    struct stk_identity identity = {0};
    (void)state;

    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_string_equal(identity.info, "https://a.example/c;x");
    assert_string_equal(identity.alg, "ES256");
    assert_string_equal(identity.ppt, "shaken");
    stk_identity_free(&identity);
}

static void what_cannot_be_taken_apart_says_which_part(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        {"", "empty"},
        {"Identity:", "empty"},
        {"a.b", "not three parts"},
        {"a.b.c.d", "not three parts"},
        {".e30.e30", "header: empty"},
        {"e30..e30", "payload: empty"},
        {"e30=.e30.e30", "header: not base64url"},
        {"e30.e3 0.e30", "payload: not base64url"},
        {"e30.e30.", "signature: 0 bytes, ES256 has 64"},
        {"e30.e30.AAAA", "signature: 3 bytes, ES256 has 64"},
        {"e30.e30.AA+A", "signature: not base64url"},
        {"..", "signature: 0 bytes"},
        {"..AAAA", "signature: 3 bytes, ES256 has 64"},
        {"..AA=A", "signature: not base64url"},
        {"e30.e30.AAAA;info", "has no value"},
        {"e30.e30.AAAA;alg=ES256;alg=ES256", "given twice"},
        {"e30.e30.AAAA;info=<>;info=<https://a.example/c>", "info: given twice"},
        {"e30.e30.AAAA;info=https://a.example/c", "info: not between < and >"},
        {"e30.e30.AAAA;info=\"https://a.example/c\"", "info: not between < and >"},
        {"e30.e30.AAAA;info=\"<https://a.example/c>\"", "info: not between < and >"},
        {"e30.e30.AAAA;info=<https://a.example/c>x", "info: not between < and >"},
        {"e30.e30.AAAA;alg=", "alg: has no value"},
        {"e30.e30.AAAA;ppt=\"\"", "ppt: has no value"},
        {"e30.e30.AAAA;info=<a>;x=\";info=<b>", "a quote or a bracket is not closed"},
        {"e30.e30.AAAA;info=<a>;x=<;info=<b", "a quote or a bracket is not closed"},
        {"e30.e30.AAAA;info=<a>;x=\"\\\";info=<b>", "a quote or a bracket is not closed"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stk_identity identity = {0};
        struct stk_error error = {0};

        assert_int_equal(stk_identity_parse(bad[i].text, strlen(bad[i].text), &identity, &error),
                         STIRKEEP_MALFORMED);
        if (strstr(error.message, bad[i].message) == NULL)
            fail_msg("%s: %s", bad[i].text, error.message);
        assert_null(identity.text);
    }
}

/* "..signature" and the parameters. */
static struct value make_compact(const char *parameters)
{
    uint8_t signature[64] = {1};
    struct value value = {".."};

    add_part(&value, signature, sizeof(signature));
    (void)strcat(value.text, parameters);
    return value;
}

static struct stk_claims base_claims(void)
{
    static const char *dest[] = {"sip:alice@example.com"};

    return (struct stk_claims){.ppt = STK_PPT_BASE,
                               .ppt_text = "",
                               .orig_tn = "12155551212",
                               .dest_uri = dest,
                               .dest_uri_count = 1,
                               .iat = NOW};
}

static void the_compact_form_is_judged_with_its_claims_from_the_call(void **state)
{
    struct value value = make_compact(";info=<https://cert.example.org/passport.cer>;alg=ES256");
    struct stk_claims claims = base_claims();
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    struct stk_identity identity = {0};
    (void)state;

    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_true(identity.compact);
    assert_int_equal(identity.signature[0], 1);
    assert_int_equal(identity.signing_input.length, 0);
    assert_int_equal(stk_identity_judge(&identity, NOW, 60, findings), 1);
    assert_string_equal(findings[0].code, "COMPACT");
    assert_true(findings[0].fatal);
    for (int i = 0; i < 2; i++) { /* also a second time */
        assert_int_equal(stk_identity_complete(&identity, &claims, NULL, NULL), STIRKEEP_OK);
        assert_holds(&identity.header, "{\"alg\":\"ES256\",\"typ\":\"passport\","
                                       "\"x5u\":\"https://cert.example.org/passport.cer\"}");
        assert_holds(&identity.payload,
                     "{\"dest\":{\"uri\":[\"sip:alice@example.com\"]},\"iat\":1443208345,"
                     "\"orig\":{\"tn\":\"12155551212\"}}");
        assert_int_equal(identity.signing_input.length,
                         STK_BASE64URL_LENGTH(identity.header.length) + 1 +
                             STK_BASE64URL_LENGTH(identity.payload.length));
        assert_int_equal(stk_identity_judge(&identity, NOW, 60, findings), 0);
    }
    assert_int_equal(stk_identity_complete(&identity, &claims, "https://b.example/c", NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_identity_judge(&identity, NOW, 60, findings), 1);
    assert_string_equal(findings[0].code, "INFO-NOT-X5U");
    stk_identity_free(&identity);
}

static void the_compact_form_is_completed_by_base_claims_with_a_time_and_an_x5u(void **state)
{
    struct value value = make_compact("");
    struct stk_claims claims = base_claims();
    struct stk_identity identity = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_int_equal(stk_identity_complete(&identity, &claims, NULL, &error), STIRKEEP_INVALID);
    assert_memory_equal(error.message, "x5u: ", 5);
    claims.iat = 0;
    assert_int_equal(stk_identity_complete(&identity, &claims, "https://a.example/c", &error),
                     STIRKEEP_INVALID);
    claims.iat = 1;
    claims.ppt = STK_PPT_DIV;
    assert_int_equal(stk_identity_complete(&identity, &claims, "https://a.example/c", &error),
                     STIRKEEP_INVALID);
    assert_int_equal(identity.header.length, 0);
    stk_identity_free(&identity);
}

static void hostile_lengths_and_nul_bytes_are_refused(void **state)
{
    struct stk_identity identity = {0};
    char *large = malloc(STK_IDENTITY_MAX + 1);
    (void)state;

    memset(large, 'a', STK_IDENTITY_MAX + 1);
    assert_int_equal(stk_identity_parse(large, STK_IDENTITY_MAX + 1, &identity, NULL),
                     STIRKEEP_TOO_LARGE);
    large[10] = '\0';
    assert_int_equal(stk_identity_parse(large, 20, &identity, NULL), STIRKEEP_MALFORMED);
    free(large);
}

static void a_good_one_has_no_findings(void **state)
{
    (void)state;
    assert_string_equal(judge(good_header, good_payload, good_parameters), "");
    /* RFC 8225 appendix A, but for its age. */
    assert_string_equal(judge("{\"alg\":\"ES256\",\"typ\":\"passport\","
                              "\"x5u\":\"https://cert.example.org/passport.cer\"}",
                              "{\"dest\":{\"uri\":[\"sip:alice@example.com\"]},\"iat\":1443208345,"
                              "\"orig\":{\"tn\":\"12155551212\"}}",
                              ";info=<https://cert.example.org/passport.cer>"),
                        "");
}

static void a_parameter_does_not_pass_one_type_off_as_another(void **state)
{
    static const char base[] = "{\"alg\":\"ES256\",\"typ\":\"passport\","
                               "\"x5u\":\"https://a.example/c\"}";
    struct value value = make(base, good_payload, good_parameters);
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    struct stk_identity identity = {0};
    (void)state;

    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_true(stk_identity_judge(&identity, NOW, 60, findings) >= 1);
    assert_string_equal(findings[0].code, "PPT-PARAMETER");
    assert_true(findings[0].fatal);
    stk_identity_free(&identity);
}

static void headers_are_judged(void **state)
{
    static const char *const cases[][3] = {
        {"[]", "", "HEADER"},
        {"{\"alg\":\"ES256\",\"alg\":\"none\",\"ppt\":\"shaken\",\"typ\":\"passport\","
         "\"x5u\":\"https://a.example/c\"}",
         good_parameters, "HEADER"},
        {"{\"alg\":\"none\",\"ppt\":\"shaken\",\"typ\":\"passport\","
         "\"x5u\":\"https://a.example/c\"}",
         good_parameters, "HEADER-ALG"},
        {"{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"JWT\",\"x5u\":\"https://a.example/c\"}",
         good_parameters, "HEADER-TYP"},
        {"{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\"}", ";ppt=shaken",
         "HEADER-X5U"},
        {"{\"alg\":\"ES256\",\"crit\":[\"zz\"],\"ppt\":\"shaken\",\"typ\":\"passport\","
         "\"x5u\":\"https://a.example/c\",\"zz\":1}",
         good_parameters, "HEADER-CRIT"},
        {"{\"alg\":\"ES256\",\"b64\":false,\"ppt\":\"shaken\",\"typ\":\"passport\","
         "\"x5u\":\"https://a.example/c\"}",
         good_parameters, "HEADER-B64"},
        {good_header, "", "INFO-MISSING"},
        {good_header, ";alg=ES256;ppt=shaken", "INFO-MISSING"},
        {good_header, ";info=<>;alg=ES256;ppt=shaken", "INFO-MISSING"},
        {"{\"typ\":\"passport\",\"alg\":\"ES256\",\"ppt\":\"shaken\","
         "\"x5u\":\"https://a.example/c\"}",
         good_parameters, "HEADER-NOT-CANONICAL"},
        {"{\"alg\": \"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\","
         "\"x5u\":\"https://a.example/c\"}",
         good_parameters, "HEADER-NOT-CANONICAL"},
        {good_header, ";info=<https://b.example/c>;alg=ES256;ppt=shaken", "INFO-NOT-X5U"},
        {good_header, ";info=<https://a.example/c>;alg=RS256;ppt=shaken", "ALG-PARAMETER"},
        {good_header, ";info=<https://a.example/c>;alg=ES256;ppt=div", "PPT-PARAMETER"},
        {good_header, ";info=<https://a.example/c>;alg=ES256", "PPT-PARAMETER"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(judge(cases[i][0], good_payload, cases[i][1]), cases[i][2]);
}

static void payloads_are_judged(void **state)
{
    static const char *const cases[][2] = {
        {"null", "PAYLOAD"},
        {"{", "PAYLOAD"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\" }",
         "PAYLOAD-NOT-CANONICAL"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":\"1443208345\",\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "IAT"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208000,\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "IAT-AGE"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208406,\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "IAT-AGE"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\",\"uri\":\"sip:a@b.example\"},"
         "\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "ORIG"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\",\"zone\":\"1\"},"
         "\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "ORIG"},
        {"{\"attest\":\"D\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "CLAIMS"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":\"12155550131\"},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "DEST"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"2\",\"1\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "DEST-NOT-CANONICAL"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"+12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}",
         "ORIG-NOT-CANONICAL"},
        {"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{"
         "\"tn\":\"12155550121\"}}",
         "ORIGID"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(judge(good_header, cases[i][0], good_parameters), cases[i][1]);
}

#define OF_TYPE(type)                                                                              \
    "{\"alg\":\"ES256\",\"ppt\":\"" type "\",\"typ\":\"passport\",\"x5u\":\"https://a.example/"    \
    "c\"}"
#define OTHERS                                                                                     \
    "\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"orig\":{\"tn\":\"12155550121\"}"
#define ORIGID "\"origid\":\"123e4567-e89b-12d3-a456-426655440000\""

static void every_type_is_judged_by_its_own_claims(void **state)
{
    static const struct {
        const char *ppt;
        const char *header;
        const char *payload;
        const char *code;
    } cases[] = {
        {"div", OF_TYPE("div"),
         "{\"dest\":{\"tn\":[\"2\"]},\"div\":{\"hi\":\"1.1\",\"tn\":\"3\"},\"iat\":1443208345,"
         "\"orig\":{"
         "\"tn\":\"1\"}}",
         ""},
        {"div", OF_TYPE("div"), "{" OTHERS "}", "CLAIMS"},
        {"div", OF_TYPE("div"),
         "{\"dest\":{\"tn\":[\"2\"]},\"div\":{\"tn\":\"+3\"},\"iat\":1443208345,\"orig\":{\"tn\":"
         "\"1\"}}",
         "CLAIMS-NOT-CANONICAL"},
        {"div-o", OF_TYPE("div-o"),
         "{\"dest\":{\"tn\":[\"2\"]},\"div\":{\"tn\":\"3\"},\"iat\":1443208345,\"opt\":\"..AA\","
         "\"orig\":"
         "{\"tn\":\"1\"}}",
         "CLAIMS"},
        {"rph", OF_TYPE("rph"), "{" OTHERS ",\"rph\":{\"auth\":[\"ets.0\",\"wps.0\"]}}", ""},
        {"rph", OF_TYPE("rph"), "{" OTHERS ",\"rph\":{\"auth\":[\"ets\"]}}", "CLAIMS"},
        {"rph", OF_TYPE("rph"), "{" OTHERS ",\"rph\":{\"auth\":[\"ets.0\"]},\"sph\":\"x\"}",
         "CLAIMS"},
        {"rcd", OF_TYPE("rcd"), "{" OTHERS ",\"rcd\":{\"nam\":\"Q\"}}", ""},
        {"rcd", OF_TYPE("rcd"), "{" OTHERS ",\"rcd\":{\"apn\":\"1\"}}", "CLAIMS"},
        {"rcd", OF_TYPE("rcd"), "{" OTHERS "}", "CLAIMS"},
        {"shaken", OF_TYPE("shaken"),
         "{\"attest\":\"A\"," OTHERS "," ORIGID ",\"rcd\":{\"nam\":\"Q\"}}", ""},
        {"shaken", OF_TYPE("shaken"), "{\"attest\":\"A\"," OTHERS ",\"origid\":\"x\"}", "CLAIMS"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char parameters[96] = "";

        (void)snprintf(parameters, sizeof(parameters),
                       ";info=<https://a.example/c>;alg=ES256;ppt=%s", cases[i].ppt);
        assert_string_equal(judge(cases[i].header, cases[i].payload, parameters), cases[i].code);
    }
}

/* What a verification service passes over, although the signer would not sign it. */
static void what_later_standards_may_add_is_told_but_not_fatal(void **state)
{
    static const struct {
        const char *header;
        const char *payload;
        const char *code;
    } cases[] = {
        {OF_TYPE("shaken"), "{\"attest\":\"A\"," OTHERS "," ORIGID ",\"zeta\":[1]}",
         "CLAIMS-UNKNOWN"},
        {OF_TYPE("shaken"),
         "{\"attest\":\"A\"," OTHERS "," ORIGID ",\"rcd\":{\"nam\":\"Q\",\"xyz\":1}}",
         "CLAIMS-UNKNOWN"},
        {OF_TYPE("shaken"), "{\"attest\":\"A\"," OTHERS "," ORIGID ",\"rcd\":{\"nam\":\"\"}}", ""},
        {OF_TYPE("shaken"),
         "{\"attest\":\"A\"," OTHERS ",\"origid\":\"123E4567-E89B-12D3-A456-426655440000\"}", ""},
        {OF_TYPE("shaken"),
         "{\"attest\":\"A\"," OTHERS ",\"origid\":\"00000000-0000-0000-0000-000000000000\"}",
         "ORIGID-NOBODYS"},
    };
    struct stk_finding finding = {0};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        finding =
            first_of(cases[i].header, cases[i].payload, ";info=<https://a.example/c>;ppt=shaken");

        assert_string_equal(finding.code, cases[i].code);
        assert_false(finding.fatal);
    }
    finding = first_of("{\"alg\":\"ES256\",\"jwk\":{\"a\":1},\"kid\":\"1\",\"ppt\":\"shaken\","
                       "\"typ\":\"passport\",\"x5u\":\"https://a.example/c\"}",
                       good_payload, good_parameters);
    assert_string_equal(finding.code, "HEADER-KEY");
    assert_false(finding.fatal);
    finding = first_of("{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\","
                       "\"x5u\":\"https://a.example/c\",\"zz\":1}",
                       good_payload, good_parameters);
    assert_string_equal(finding.code, "HEADER-UNKNOWN");
    assert_false(finding.fatal);
}

/* RFC 8224 section 6.2: as if it were not there. */
static void a_type_that_is_not_known_is_no_good_and_its_form_is_judged(void **state)
{
    struct stk_finding finding = first_of(OF_TYPE("msec"), "{" OTHERS ",\"what\":1}",
                                          ";info=<https://a.example/c>;ppt=msec");
    (void)state;

    assert_true(finding.fatal);
    assert_int_equal(finding.sip_code, 428);
    assert_string_equal(judge(OF_TYPE("msec"), "{" OTHERS ",\"what\":{\"ever\":[]}}",
                              ";info=<https://a.example/c>;ppt=msec"),
                        "PPT-UNKNOWN");
    assert_string_equal(
        judge(OF_TYPE("msec"), "{" OTHERS ", \"what\":1}", ";info=<https://a.example/c>;ppt=msec"),
        "PAYLOAD-NOT-CANONICAL"); /* its form is judged all the same */
}

static void many_warnings_hide_no_error(void **state)
{
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX] = {0};
    char header[1024] = "{\"alg\":\"ES256\",";
    struct stk_identity identity = {0};
    struct value value = {""};
    bool found = false;
    size_t count = 0;
    (void)state;

    for (unsigned i = 0; i < 2 * STK_VERIFY_FINDINGS_MAX; i++)
        (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), "\"b%02u\":1,", i);
    (void)strcat(header, "\"ppt\":\"shaken\",\"typ\":\"passport\","
                         "\"x5u\":\"https://a.example/c\"}");
    value = make(header, good_payload, ";ppt=shaken");
    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    count = stk_identity_judge(&identity, NOW, 60, findings);
    for (size_t i = 0; i < count; i++)
        found = found || strcmp(findings[i].code, "INFO-MISSING") == 0;
    assert_true(found);
    stk_identity_free(&identity);
}

static void each_finding_has_the_code_that_a_verification_service_answers(void **state)
{
    static const struct {
        const char *header;
        const char *payload;
        const char *parameters;
        int sip_code;
    } cases[] = {
        {good_header,
         "{\"attest\":\"A\",\"dest\":{\"tn\":[\"1\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}," ORIGID
         "}",
         good_parameters, 403},
        {good_header, good_payload, ";info=<https://b.example/c>;ppt=shaken", 436},
        {"{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\"}", good_payload,
         good_parameters, 436},
        {"{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"http://a.example\"}",
         good_payload, ";info=<http://a.example>;ppt=shaken", 436},
        {good_header, "{}", good_parameters, 438},
        {good_header, "{ }", good_parameters, 438},
        {"{}", good_payload, good_parameters, 438},
        {good_header, good_payload, ";info=<https://a.example/c>;alg=RS256;ppt=shaken", 438},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(first_of(cases[i].header, cases[i].payload, cases[i].parameters).sip_code,
                         cases[i].sip_code);
    assert_string_equal(stk_sip_reason(403), "Stale Date");
    assert_string_equal(stk_sip_reason(428), "Use Identity Header");
    assert_string_equal(stk_sip_reason(436), "Bad Identity Info");
    assert_string_equal(stk_sip_reason(437), "Unsupported Credential");
    assert_string_equal(stk_sip_reason(438), "Invalid Identity Header");
    assert_string_equal(stk_sip_reason(200), "");
}

static void hostile_json_is_judged_within_bounds(void **state)
{
    static char payload[5800] = "{\"a\":[";
    (void)state;

    while (strlen(payload) < sizeof(payload) - 8)
        (void)strcat(payload, "0,");
    (void)strcat(payload, "0]}");
    assert_string_equal(judge(good_header, payload, good_parameters), "IAT");
    memset(payload, '[', sizeof(payload) - 1);
    assert_string_equal(judge(good_header, payload, good_parameters), "PAYLOAD");
    assert_string_equal(judge(good_header, "{\"iat\":1,\"iat\":2}", good_parameters), "PAYLOAD");
    assert_string_equal(judge(good_header, "{\"iat\":1.5}", good_parameters), "PAYLOAD");
    assert_string_equal(judge(good_header, "{\"a\":\"\\ud800\"}", good_parameters), "PAYLOAD");
}

static void claims_are_taken_out_for_further_judging(void **state)
{
    struct value value =
        make(good_header, "{\"attest\":\"A\"," OTHERS "," ORIGID ",\"zeta\":[1]}", good_parameters);
    struct stk_identity identity = {0};
    struct stk_claims claims = {0};
    struct stk_arena arena = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, STK_IDENTITY_ARENA), STIRKEEP_OK);
    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_int_equal(stk_identity_claims(&identity, &arena, &claims, &error), STIRKEEP_OK);
    stk_identity_free(&identity);
    assert_int_equal(claims.ppt, STK_PPT_SHAKEN);
    assert_int_equal(claims.attest, 'A');
    assert_string_equal(claims.orig_tn, "12155550121");
    assert_string_equal(claims.other->first->key, "zeta"); /* seen by mustExclude, too */
    value = make(good_header, "{\"attest\":\"D\"}", good_parameters);
    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_int_equal(stk_identity_claims(&identity, &arena, &claims, &error), STIRKEEP_INVALID);
    assert_memory_equal(error.message, "attest: ", 8);
    stk_identity_free(&identity);
    value = make("[]", "7", "");
    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    assert_int_equal(stk_identity_claims(&identity, &arena, &claims, &error), STIRKEEP_INVALID);
    stk_identity_free(&identity);
    stk_arena_free(&arena);
}

static void noise_is_survived(void **state)
{
    struct value value = make(good_header, good_payload, good_parameters);
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    unsigned seed = 20261126;
    size_t parsed = 0;
    (void)state;

    for (int round = 0; round < 20000; round++) {
        struct value noisy = value;
        struct stk_identity identity = {0};

        for (int i = 0; i < 1 + round % 4; i++) {
            size_t at = (size_t)rand_r(&seed) % strlen(value.text);
            noisy.text[at] = (char)(1 + rand_r(&seed) % 255);
        }
        if (parse(&noisy, &identity, NULL) != STIRKEEP_OK)
            continue;
        parsed++;
        assert_true(stk_identity_judge(&identity, NOW, 60, findings) <= STK_VERIFY_FINDINGS_MAX);
        stk_identity_free(&identity);
    }
    assert_true(parsed > 100); /* it was noise of the kind that gets far */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_taken_apart),
        cmocka_unit_test(parameters_may_be_quoted_spaced_and_unknown),
        cmocka_unit_test(what_cannot_be_taken_apart_says_which_part),
        cmocka_unit_test(the_compact_form_is_judged_with_its_claims_from_the_call),
        cmocka_unit_test(the_compact_form_is_completed_by_base_claims_with_a_time_and_an_x5u),
        cmocka_unit_test(hostile_lengths_and_nul_bytes_are_refused),
        cmocka_unit_test(a_good_one_has_no_findings),
        cmocka_unit_test(a_parameter_does_not_pass_one_type_off_as_another),
        cmocka_unit_test(headers_are_judged),
        cmocka_unit_test(payloads_are_judged),
        cmocka_unit_test(every_type_is_judged_by_its_own_claims),
        cmocka_unit_test(what_later_standards_may_add_is_told_but_not_fatal),
        cmocka_unit_test(a_type_that_is_not_known_is_no_good_and_its_form_is_judged),
        cmocka_unit_test(many_warnings_hide_no_error),
        cmocka_unit_test(each_finding_has_the_code_that_a_verification_service_answers),
        cmocka_unit_test(hostile_json_is_judged_within_bounds),
        cmocka_unit_test(claims_are_taken_out_for_further_judging),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
