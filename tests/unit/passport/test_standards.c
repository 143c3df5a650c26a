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
#include <string.h>

/* docs/STANDARDS.md: the demands of the PASSporT standards one by one, from what a caller gives to
 * what is signed. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UUID "123e4567-e89b-12d3-a456-426655440000"

static const char *const one_tn[] = {"12155550131"};

static struct stk_claims_input input_of(const char *ppt)
{
    return (struct stk_claims_input){.ppt = ppt,
                                     .orig_tn = "12155550121",
                                     .dest_tn = one_tn,
                                     .dest_tn_count = 1,
                                     .iat = 1443208345};
}

static void assert_payload(struct stk_arena *arena, const struct stk_claims_input *input,
                           const char *payload)
{
    struct stk_claims claims = made(arena, input);

    assert_string_equal(payload_of(arena, &claims), payload);
}

static void assert_refused(struct stk_arena *arena, const struct stk_claims_input *input,
                           const char *begin)
{
    struct stk_claims claims = {0};
    struct stk_error error = {0};

    assert_int_not_equal(stk_claims_make(input, arena, &claims, &error), STIRKEEP_OK);
    assert_memory_equal(error.message, begin, strlen(begin));
}

/* The first code of an Identity value's findings; "" when there are none. */
static const char *first_finding(const char *value)
{
    static struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    struct stk_identity identity = {0};
    size_t count = 0;

    assert_int_equal(stk_identity_parse(value, strlen(value), &identity, NULL), STIRKEEP_OK);
    count = stk_identity_judge(&identity, 1443208345, 60, findings);
    stk_identity_free(&identity);
    return count > 0 ? findings[0].code : "";
}

/* Compose, "sign" and finish; the value is in the arena. */
static const char *identity_of(struct stk_arena *arena, const struct stk_claims_input *input,
                               uint32_t *ret_length)
{
    static const uint8_t signature[STK_SIGNATURE_LENGTH] = {1};
    struct stk_claims claims = made(arena, input);
    const char *header = header_of(arena, claims.ppt_text, COMPOSE_X5U);
    char encoded[512] = "";
    struct stk_buffer out = {0};
    const char *value = NULL;

    assert_int_equal(stk_passport_input(encoded,
                                        stk_base64url_encode(header, strlen(header), encoded),
                                        &claims, &out),
                     STIRKEEP_OK);
    assert_int_equal(stk_passport_finish(signature, &claims, COMPOSE_X5U, &out, ret_length),
                     STIRKEEP_OK);
    value = stk_arena_copy(arena, out.data, out.length);
    stk_buffer_free(&out);
    return value;
}

static void header_alg_es256_typ_passport_x5u_and_ppt_for_extensions_in_order(void **state)
{
    static const char *const ppts[] = {"shaken", "div", "div-o", "rph", "rcd", "msec"};

    assert_string_equal(header_of(*state, "", COMPOSE_X5U),
                        "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"" COMPOSE_X5U "\"}");
    for (size_t i = 0; i < COUNT(ppts); i++) {
        char expected[160] = "";

        (void)snprintf(expected, sizeof(expected),
                       "{\"alg\":\"ES256\",\"ppt\":\"%s\",\"typ\":\"passport\",\"x5u\":\"%s\"}",
                       ppts[i], COMPOSE_X5U);
        assert_string_equal(header_of(*state, ppts[i], COMPOSE_X5U), expected);
    }
}

static void canonical_json_no_white_space_keys_in_order_numbers_unquoted(void **state)
{
    struct stk_claims_input input = input_of("msec");

    input.other =
        " { \"zeta\" : [ 1 , -2 , { \"b\" : null , \"a\" : { \"d\" : 1 , \"c\" : 2 } } ] ,\n"
        "\t\"Z\" : \"a\\/b\\\"c\\\\d\\u0008\\t\\u000A\\f\\r\\u001f\\u007f\\u00E9\" , "
        "\"alpha\" : true , \"iaa\" : false , \"ib\" : 0 } ";
    assert_payload(*state, &input,
                   "{\"Z\":\"a/b\\\"c\\\\d\\b\\t\\n\\f\\r\\u001f\x7f\xc3\xa9\",\"alpha\":true,"
                   "\"dest\":{\"tn\":[\"12155550131\"]},\"iaa\":false,\"iat\":1443208345,\"ib\":0,"
                   "\"orig\":{\"tn\":\"12155550121\"},"
                   "\"zeta\":[1,-2,{\"a\":{\"c\":2,\"d\":1},\"b\":null}]}");
}

static void iat_numeric_date_a_number_never_a_string(void **state)
{
    struct stk_claims_input input = input_of("");

    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
                   "\"orig\":{\"tn\":\"12155550121\"}}");
    assert_not_read(*state, "", NULL,
                    "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":\"1443208345\","
                    "\"orig\":{\"tn\":\"12155550121\"}}",
                    "iat: has to be a number");
}

static void orig_exactly_one_of_tn_and_uri_value_a_string(void **state)
{
    struct stk_claims_input input = input_of("");

    input.orig_uri = "sip:alice@example.com";
    assert_refused(*state, &input, "orig: ");
    input.orig_tn = NULL;
    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
                   "\"orig\":{\"uri\":\"sip:alice@example.com\"}}");
    input.orig_uri = NULL;
    assert_refused(*state, &input, "orig: ");
    assert_not_read(*state, "", NULL,
                    "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1,"
                    "\"orig\":{\"tn\":[\"12155550121\"]}}",
                    "orig.tn: has to be a string");
}

static void dest_always_arrays_tn_before_uri_in_lexicographic_order(void **state)
{
    static const char *const tns[] = {"9", "+1 2", "12", "100"};
    static const char *const uris[] = {"sip:b@x", "sip:a@x", "im:z"};
    struct stk_claims_input input = input_of("");

    input.dest_tn_count = 0;
    assert_refused(*state, &input, "dest: ");
    input.dest_uri = uris;
    input.dest_uri_count = 1;
    assert_payload(*state, &input,
                   "{\"dest\":{\"uri\":[\"sip:b@x\"]},\"iat\":1443208345,"
                   "\"orig\":{\"tn\":\"12155550121\"}}");
    input.dest_uri_count = 3;
    input.dest_tn = tns;
    input.dest_tn_count = 4;
    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"100\",\"12\",\"9\"],"
                   "\"uri\":[\"im:z\",\"sip:a@x\",\"sip:b@x\"]},\"iat\":1443208345,"
                   "\"orig\":{\"tn\":\"12155550121\"}}");
    assert_not_read(*state, "", NULL,
                    "{\"dest\":{\"tn\":\"12155550131\"},\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
                    "dest.tn: has to be an array of strings");
}

static void tn_canonical_per_rfc_8224_section_8_3_anything_else_refused(void **state)
{
    static const struct {
        const char *given;
        const char *canonical; /* NULL: refused */
    } cases[] = {{"+1-(215) 555.0121;phone-context=x", "12155550121"},
                 {"*67#1", "*67#1"},
                 {"123456789012345", "123456789012345"},
                 {"1234567890123456", NULL},
                 {"+", NULL},
                 {"tel:1", NULL},
                 {"1a", NULL},
                 {"1,2", NULL},
                 {"\xd9\xa1", NULL}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_claims_input input = input_of("");
        char payload[128] = "";

        input.orig_tn = cases[i].given;
        (void)snprintf(payload, sizeof(payload),
                       "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
                       "\"orig\":{\"tn\":\"%s\"}}",
                       cases[i].canonical != NULL ? cases[i].canonical : "");
        if (cases[i].canonical != NULL)
            assert_payload(*state, &input, payload);
        else
            assert_refused(*state, &input, "orig.tn: ");
    }
}

static void mky_of_alg_and_dig_upper_case_hex_without_colons_sorted(void **state)
{
    static const struct stk_pair keys[] = {
        {"sha-256", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        {"sha-1", "bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb:bb"},
        {"sha-1", "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA"}};
    struct stk_claims_input input = input_of("");

    input.mky = keys;
    input.mky_count = 3;
    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,\"mky\":["
                   "{\"alg\":\"sha-1\",\"dig\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
                   "{\"alg\":\"sha-1\",\"dig\":\"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\"},"
                   "{\"alg\":\"sha-256\",\"dig\":"
                   "\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\"}],"
                   "\"orig\":{\"tn\":\"12155550121\"}}");
}

static void shaken_attest_dest_iat_orig_origid_attest_a_b_or_c_never_defaulted(void **state)
{
    struct stk_claims_input input = input_of("shaken");
    struct stk_claims claims = {0};

    assert_refused(*state, &input, "attest: missing");
    input.attest = "D";
    assert_refused(*state, &input, "attest: ");
    input.attest = "B";
    input.origid = "123E4567-E89B-12D3-A456-426655440000";
    assert_payload(*state, &input,
                   "{\"attest\":\"B\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
                   "\"orig\":{\"tn\":\"12155550121\"},\"origid\":\"" UUID "\"}");
    input.origid = "not a UUID";
    assert_refused(*state, &input, "origid: ");
    input.origid = NULL; /* left to the signer, which makes a UUIDv4 */
    claims = made(*state, &input);
    assert_string_equal(claims.origid, "");
    stk_uuid4((const uint8_t[16]){0xff, 1, 2, 3}, claims.origid);
    assert_string_equal(claims.origid, "ff010203-0000-4000-8000-000000000000");
}

static void div_dest_div_iat_orig_with_optional_hi_no_attest_no_origid(void **state)
{
    struct stk_claims_input input = input_of("div");

    assert_refused(*state, &input, "div: missing");
    input.div_tn = "+1 215 555 0130";
    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"12155550131\"]},\"div\":{\"tn\":\"12155550130\"},"
                   "\"iat\":1443208345,\"orig\":{\"tn\":\"12155550121\"}}");
    input.div_uri = "sip:a@b";
    assert_refused(*state, &input, "div: ");
    input.div_tn = NULL;
    input.div_hi = "1.2.1";
    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"12155550131\"]},\"div\":{\"hi\":\"1.2.1\",\"uri\":"
                   "\"sip:a@b\"},\"iat\":1443208345,\"orig\":{\"tn\":\"12155550121\"}}");
    input.attest = "A";
    assert_refused(*state, &input, "attest: ");
    input.attest = NULL;
    input.origid = UUID;
    assert_refused(*state, &input, "origid: ");
    input.origid = NULL;
    input.opt = inner_passport;
    assert_refused(*state, &input, "opt: ");
}

static void div_o_adds_opt_the_complete_inner_passport(void **state)
{
    struct stk_claims_input input = input_of("div-o");
    char payload[1024] = "{\"dest\":{\"tn\":[\"12155550131\"]},\"div\":{\"tn\":\"12155550130\"},"
                         "\"iat\":1443208345,\"opt\":\"";

    input.div_tn = "12155550130";
    assert_refused(*state, &input, "opt: missing");
    input.opt = "..AAAA";
    assert_refused(*state, &input, "opt: ");
    input.opt = inner_passport;
    (void)strcat(payload, inner_passport);
    (void)strcat(payload, "\",\"orig\":{\"tn\":\"12155550121\"}}");
    assert_payload(*state, &input, payload);
}

static void rph_auth_values_and_sph_inside_an_rph_passport(void **state)
{
    static const char *const auth[] = {"ets.0", "wps.0", "esnet.1"};
    struct stk_claims_input input = input_of("rph");

    assert_refused(*state, &input, "rph: missing");
    input.rph_auth = auth;
    input.rph_auth_count = 2;
    assert_payload(*state, &input,
                   "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
                   "\"orig\":{\"tn\":\"12155550121\"},\"rph\":{\"auth\":[\"ets.0\",\"wps.0\"]}}");
    input.rph_auth_count = 3;
    input.sph = "psap-callback";
    assert_payload(
        *state, &input,
        "{\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
        "\"orig\":{\"tn\":\"12155550121\"},"
        "\"rph\":{\"auth\":[\"ets.0\",\"wps.0\",\"esnet.1\"]},\"sph\":\"psap-callback\"}");
    input.ppt = "";
    input.rph_auth_count = 0;
    assert_refused(*state, &input, "sph: not allowed");
}

static void rcd_nam_required_apn_icn_jcd_jcl_optional_crn_and_rcdi(void **state)
{
    static const struct stk_pair digests[] = {
        {"/nam", "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY"},
        {"/icn", "sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4"}};
    struct stk_claims_input input = input_of("rcd");

    assert_refused(*state, &input, "rcd: missing");
    input.rcd_apn = "12155550100";
    assert_refused(*state, &input, "rcd.nam: missing");
    input.rcd_nam = "Q Branch";
    input.rcd_icn = "https://example.com/q.png";
    input.rcd_jcd = "[\"vcard\", [[\"fn\", {}, \"text\", \"Q\"]]]";
    input.crn = "Rendezvous";
    input.rcdi = digests;
    input.rcdi_count = 2;
    assert_payload(*state, &input,
                   "{\"crn\":\"Rendezvous\",\"dest\":{\"tn\":[\"12155550131\"]},"
                   "\"iat\":1443208345,\"orig\":{\"tn\":\"12155550121\"},"
                   "\"rcd\":{\"apn\":\"12155550100\",\"icn\":\"https://example.com/q.png\","
                   "\"jcd\":[\"vcard\",[[\"fn\",{},\"text\",\"Q\"]]],\"nam\":\"Q Branch\"},"
                   "\"rcdi\":{\"/icn\":\"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\","
                   "\"/nam\":\"sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY\"}}");
    input.rcd_jcl = "https://example.com/q.json";
    assert_refused(*state, &input, "rcd: jcd and jcl given");
}

static void signature_64_bytes_r_and_s_each_with_its_leading_zeros(void **state)
{
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_claims claims = {.ppt = STK_PPT_BASE, .ppt_text = ""};
    struct stk_identity identity = {0};
    struct stk_buffer out = {0};
    uint32_t length = 0;
    (void)state;

    signature[1] = 0x7f; /* r and s with a byte of zeros in front */
    signature[33] = 0x80;
    assert_int_equal(stk_buffer_add_text(&out, "e30.e30"), STIRKEEP_OK);
    assert_int_equal(stk_passport_finish(signature, &claims, COMPOSE_X5U, &out, &length),
                     STIRKEEP_OK);
    assert_int_equal(length, 7 + 1 + 86);
    assert_int_equal(stk_identity_parse((const char *)out.data, out.length, &identity, NULL),
                     STIRKEEP_OK);
    assert_memory_equal(identity.signature, signature, sizeof(signature));
    stk_identity_free(&identity);
    stk_buffer_free(&out);
}

static void identity_value_info_equals_x5u_ppt_emitted_unquoted_accepted_quoted(void **state)
{
    struct stk_claims_input input = input_of("shaken");
    uint32_t length = 0;
    const char *value = NULL;
    char other[2048] = "";

    input.attest = "A";
    input.origid = UUID;
    value = identity_of(*state, &input, &length);
    assert_string_equal(value + length, ";info=<" COMPOSE_X5U ">;alg=ES256;ppt=shaken");
    assert_string_equal(first_finding(value), "");
    (void)snprintf(other, sizeof(other), "%.*s;info=<%s>;alg=\"ES256\";ppt=\"shaken\"", (int)length,
                   value, COMPOSE_X5U);
    assert_string_equal(first_finding(other), "");
    (void)snprintf(other, sizeof(other), "%.*s;info=<https://a.example/x>;alg=ES256;ppt=shaken",
                   (int)length, value);
    assert_string_equal(first_finding(other), "INFO-NOT-X5U");
    (void)snprintf(other, sizeof(other), "%.*s;info=<%s>;alg=ES256;ppt=div", (int)length, value,
                   COMPOSE_X5U);
    assert_string_equal(first_finding(other), "PPT-PARAMETER");
    input = input_of("");
    value = identity_of(*state, &input, &length);
    assert_string_equal(value + length, ";info=<" COMPOSE_X5U ">;alg=ES256");
}

static void full_form_whenever_ppt_is_there_compact_only_on_request_for_base(void **state)
{
    static const char *const ppts[] = {"shaken", "div", "div-o", "rph", "rcd", "msec"};
    struct stk_claims_input input = input_of("");
    uint32_t length = 0;
    const char *value = identity_of(*state, &input, &length);

    assert_memory_equal(value, "eyJ", 3);
    input.compact = true;
    value = identity_of(*state, &input, &length);
    assert_int_equal(length, 2 + 86);
    assert_memory_equal(value, "..AQAAAA", 8);
    assert_string_equal(value + length, ";info=<" COMPOSE_X5U ">;alg=ES256");
    for (size_t i = 0; i < COUNT(ppts); i++) {
        static const char *const auth[] = {"ets.0"};

        input = input_of(ppts[i]);
        input.compact = true;
        input.attest = i == 0 ? "A" : NULL;
        input.div_tn = i == 1 || i == 2 ? "1" : NULL;
        input.opt = i == 2 ? inner_passport : NULL;
        input.rph_auth = auth;
        input.rph_auth_count = i == 3;
        input.rcd_nam = i == 4 ? "Q" : NULL;
        assert_refused(*state, &input, "compact: not allowed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_alg_es256_typ_passport_x5u_and_ppt_for_extensions_in_order),
        cmocka_unit_test(canonical_json_no_white_space_keys_in_order_numbers_unquoted),
        cmocka_unit_test(iat_numeric_date_a_number_never_a_string),
        cmocka_unit_test(orig_exactly_one_of_tn_and_uri_value_a_string),
        cmocka_unit_test(dest_always_arrays_tn_before_uri_in_lexicographic_order),
        cmocka_unit_test(tn_canonical_per_rfc_8224_section_8_3_anything_else_refused),
        cmocka_unit_test(mky_of_alg_and_dig_upper_case_hex_without_colons_sorted),
        cmocka_unit_test(shaken_attest_dest_iat_orig_origid_attest_a_b_or_c_never_defaulted),
        cmocka_unit_test(div_dest_div_iat_orig_with_optional_hi_no_attest_no_origid),
        cmocka_unit_test(div_o_adds_opt_the_complete_inner_passport),
        cmocka_unit_test(rph_auth_values_and_sph_inside_an_rph_passport),
        cmocka_unit_test(rcd_nam_required_apn_icn_jcd_jcl_optional_crn_and_rcdi),
        cmocka_unit_test(signature_64_bytes_r_and_s_each_with_its_leading_zeros),
        cmocka_unit_test(identity_value_info_equals_x5u_ppt_emitted_unquoted_accepted_quoted),
        cmocka_unit_test(full_form_whenever_ppt_is_there_compact_only_on_request_for_base),
    };

    return cmocka_run_group_tests_name("standards", tests, compose_begin, compose_end);
}
