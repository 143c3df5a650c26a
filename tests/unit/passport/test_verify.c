/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
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
    char text[8192];
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

/* The code of the first finding, "" when there is none. */
static const char *judge(const char *header, const char *payload, const char *parameters)
{
    static struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    struct value value = make(header, payload, parameters);
    struct stk_identity identity = {0};
    size_t count = 0;

    assert_int_equal(parse(&value, &identity, NULL), STIRKEEP_OK);
    count = stk_identity_judge(&identity, NOW, 60, findings);
    stk_identity_free(&identity);
    return count > 0 ? findings[0].code : "";
}

static void a_value_is_taken_apart(void **state)
{
    struct value value = make(good_header, good_payload, good_parameters);
    struct stk_identity identity = {0};
    char pasted[9000] = "";
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
        {"e30.e30.AAAA;info", "has no value"},
        {"e30.e30.AAAA;alg=ES256;alg=ES256", "given twice"},
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

static void the_compact_form_is_named(void **state)
{
    struct stk_identity identity = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_identity_parse("..AAAA", 6, &identity, &error), STIRKEEP_UNSUPPORTED);
    assert_non_null(strstr(error.message, "compact form"));
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
        cmocka_unit_test(the_compact_form_is_named),
        cmocka_unit_test(hostile_lengths_and_nul_bytes_are_refused),
        cmocka_unit_test(a_good_one_has_no_findings),
        cmocka_unit_test(headers_are_judged),
        cmocka_unit_test(payloads_are_judged),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
