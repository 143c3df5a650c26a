/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "compose.h"
#include "passport/passport.h"
#include <stdlib.h>
#include <string.h>

/* RFC 8225 appendix A. */
static const char appendix_x5u[] = "https://cert.example.org/passport.cer";
static const char appendix_header[] =
    "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://cert.example.org/passport.cer\"}";
static const char appendix_payload[] =
    "{\"dest\":{\"uri\":[\"sip:alice@example.com\"]},\"iat\":1471375418,"
    "\"orig\":{\"tn\":\"12155551212\"}}";
static const char appendix_input[] =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3"
    "J0LmNlciJ9.eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3MTM3NTQxOCwib3J"
    "pZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19";

/* RFC 8588 section 4 with erratum 6656. */
static const char shaken_payload[] =
    "{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
    "\"orig\":{\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}";

static const char *appendix_dest[] = {"sip:alice@example.com"};
static const char *shaken_dest[] = {"12155550131"};

static struct stk_claims appendix_claims(void)
{
    return (struct stk_claims){.ppt = STK_PPT_BASE,
                               .ppt_text = "",
                               .orig_tn = "12155551212",
                               .dest_uri = appendix_dest,
                               .dest_uri_count = 1,
                               .iat = 1471375418};
}

static struct stk_claims shaken_claims(void)
{
    return (struct stk_claims){.ppt = STK_PPT_SHAKEN,
                               .ppt_text = "shaken",
                               .orig_tn = "12155550121",
                               .dest_tn = shaken_dest,
                               .dest_tn_count = 1,
                               .iat = 1443208345,
                               .attest = 'A',
                               .origid = "123e4567-e89b-12d3-a456-426655440000"};
}

static void the_header_of_rfc_8225_comes_out_byte_for_byte(void **state)
{
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_header("", appendix_x5u, &out), STIRKEEP_OK);
    assert_holds(&out, appendix_header);
    stk_buffer_free(&out);
}

static void the_payload_of_rfc_8225_comes_out_byte_for_byte(void **state)
{
    struct stk_claims claims = appendix_claims();
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_payload(&claims, &out), STIRKEEP_OK);
    assert_holds(&out, appendix_payload);
    stk_buffer_free(&out);
}

static void the_signing_input_of_rfc_8225_comes_out_byte_for_byte(void **state)
{
    struct stk_claims claims = appendix_claims();
    char header[256] = "";
    size_t length = stk_base64url_encode(appendix_header, sizeof(appendix_header) - 1, header);
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_input(header, length, &claims, &out), STIRKEEP_OK);
    assert_holds(&out, appendix_input);
    stk_buffer_free(&out);
}

static void the_payload_of_rfc_8588_comes_out_byte_for_byte(void **state)
{
    struct stk_claims claims = shaken_claims();
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_payload(&claims, &out), STIRKEEP_OK);
    assert_holds(&out, shaken_payload);
    stk_buffer_free(&out);
}

static void a_shaken_header_has_its_ppt_between_alg_and_typ(void **state)
{
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_header("shaken", "https://c.example/a.pem", &out), STIRKEEP_OK);
    assert_holds(&out, "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\","
                       "\"x5u\":\"https://c.example/a.pem\"}");
    stk_buffer_free(&out);
}

static void several_destinations_are_arrays_with_numbers_before_uris(void **state)
{
    static const char *numbers[] = {"12155550131", "12155550132"};
    static const char *uris[] = {"sip:a@example.com", "sip:b@example.com"};
    struct stk_claims claims = {.ppt = STK_PPT_BASE,
                                .ppt_text = "",
                                .orig_uri = "sip:o@example.com",
                                .dest_tn = numbers,
                                .dest_tn_count = 2,
                                .dest_uri = uris,
                                .dest_uri_count = 2,
                                .iat = 1};
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_payload(&claims, &out), STIRKEEP_OK);
    assert_holds(&out, "{\"dest\":{\"tn\":[\"12155550131\",\"12155550132\"],"
                       "\"uri\":[\"sip:a@example.com\",\"sip:b@example.com\"]},\"iat\":1,"
                       "\"orig\":{\"uri\":\"sip:o@example.com\"}}");
    stk_buffer_free(&out);
}

static void iat_is_a_whole_number_up_to_the_largest(void **state)
{
    struct stk_claims claims = appendix_claims();
    struct stk_buffer out = {0};
    (void)state;

    claims.iat = INT64_MAX;
    assert_int_equal(stk_passport_payload(&claims, &out), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    assert_non_null(strstr((const char *)out.data, "\"iat\":9223372036854775807,"));
    stk_buffer_free(&out);
}

static void the_identity_value_has_info_alg_and_ppt_in_this_order(void **state)
{
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_claims claims = shaken_claims();
    struct stk_buffer out = {0};
    uint32_t length = 0;
    (void)state;

    signature[0] = 0xff;
    assert_int_equal(stk_buffer_add_text(&out, "aa.bb"), STIRKEEP_OK);
    assert_int_equal(
        stk_passport_finish(signature, &claims, "https://c.example/a.pem", &out, &length),
        STIRKEEP_OK);
    assert_int_equal(length, 5 + 1 + 86);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    assert_memory_equal(out.data, "aa.bb._wAAAA", 12);
    assert_string_equal((const char *)out.data + length,
                        ";info=<https://c.example/a.pem>;alg=ES256;ppt=shaken");
    stk_buffer_free(&out);
}

static void a_base_identity_value_has_no_ppt(void **state)
{
    const uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_claims claims = appendix_claims();
    struct stk_buffer out = {0};
    uint32_t length = 0;
    (void)state;

    assert_int_equal(stk_passport_finish(signature, &claims, appendix_x5u, &out, &length),
                     STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    assert_string_equal((const char *)out.data + length,
                        ";info=<https://cert.example.org/passport.cer>;alg=ES256");
    stk_buffer_free(&out);
}

/* Whatever the ceiling is, a call either writes all or leaves the buffer as it was. */
static void what_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
    const uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_claims claims = shaken_claims();
    (void)state;

    for (size_t ceiling = 4; ceiling < 120; ceiling++) {
        struct stk_buffer out = {.ceiling = ceiling};
        uint32_t length = 77;
        assert_int_equal(stk_buffer_add(&out, "keep", 4), STIRKEEP_OK);
        assert_int_equal(stk_passport_payload(&claims, &out), STIRKEEP_TOO_LARGE);
        assert_holds(&out, "keep");
        assert_int_equal(stk_passport_input("head", 4, &claims, &out), STIRKEEP_TOO_LARGE);
        assert_holds(&out, "keep");
        if (ceiling < 90) {
            assert_int_equal(stk_passport_header("shaken", appendix_x5u, &out), STIRKEEP_TOO_LARGE);
            assert_holds(&out, "keep");
        }
        assert_int_equal(stk_passport_finish(signature, &claims, appendix_x5u, &out, &length),
                         STIRKEEP_TOO_LARGE);
        assert_holds(&out, "keep");
        assert_int_equal(length, 77);
        stk_buffer_free(&out);
    }
}

static void the_largest_claims_fit_an_identity_value(void **state)
{
    static char uri[STK_URI_MAX + 1];
    const char *uris[STK_DEST_MAX];
    char x5u[STK_X5U_MAX + 1] = "";
    const uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_claims claims = {.ppt = STK_PPT_BASE,
                                .ppt_text = "",
                                .orig_uri = uri,
                                .dest_uri = uris,
                                .dest_uri_count = STK_DEST_MAX,
                                .iat = INT64_MAX};
    struct stk_buffer out = {.ceiling = STK_IDENTITY_MAX};
    char header[1024] = "";
    uint32_t length = 0;
    (void)state;

    memset(uri, 'a', STK_URI_MAX);
    memset(x5u, 'x', STK_X5U_MAX);
    for (size_t i = 0; i < STK_DEST_MAX; i++)
        uris[i] = uri;
    memset(header, 'h', sizeof(header));
    assert_int_equal(stk_passport_input(header, sizeof(header), &claims, &out), STIRKEEP_OK);
    assert_int_equal(stk_passport_finish(signature, &claims, x5u, &out, &length), STIRKEEP_OK);
    stk_buffer_free(&out);
}

static void a_kept_buffer_is_not_allocated_again(void **state)
{
    struct stk_claims claims = shaken_claims();
    struct stk_buffer out = {0};
    const uint8_t *data = NULL;
    (void)state;

    assert_int_equal(stk_passport_input("head", 4, &claims, &out), STIRKEEP_OK);
    data = out.data;
    for (int i = 0; i < 100; i++) {
        out.length = 0;
        assert_int_equal(stk_passport_input("head", 4, &claims, &out), STIRKEEP_OK);
        assert_ptr_equal(out.data, data);
    }
    stk_buffer_free(&out);
}

static void a_compact_identity_value_has_two_dots_and_the_signature(void **state)
{
    const uint8_t signature[STK_SIGNATURE_LENGTH] = {0xff};
    struct stk_claims claims = appendix_claims();
    struct stk_buffer out = {0};
    uint32_t length = 0;
    (void)state;

    claims.compact = true;
    assert_int_equal(stk_buffer_add_text(&out, "aa.bb"), STIRKEEP_OK);
    assert_int_equal(stk_passport_finish(signature, &claims, appendix_x5u, &out, &length),
                     STIRKEEP_OK);
    assert_int_equal(length, 2 + 86);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    assert_memory_equal(out.data, ".._wAAAA", 8);
    assert_string_equal((const char *)out.data + length,
                        ";info=<https://cert.example.org/passport.cer>;alg=ES256");
    stk_buffer_free(&out);
}

/* The signing input has to be whole when there is no room for the rest. */
static void a_compact_value_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
    const uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_claims claims = appendix_claims();
    (void)state;

    claims.compact = true;
    for (size_t ceiling = 5; ceiling < 100; ceiling++) {
        struct stk_buffer out = {.ceiling = ceiling};
        uint32_t length = 77;

        assert_int_equal(stk_buffer_add_text(&out, "aa.bb"), STIRKEEP_OK);
        assert_int_equal(stk_passport_finish(signature, &claims, appendix_x5u, &out, &length),
                         STIRKEEP_TOO_LARGE);
        assert_holds(&out, "aa.bb");
        assert_int_equal(length, 77);
        stk_buffer_free(&out);
    }
}

static size_t length_of(const struct stk_claims *claims, const char *x5u)
{
    const uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_buffer header = {0};
    struct stk_buffer out = {0};
    char encoded[1024] = "";
    uint32_t ignored = 0;
    size_t length = 0;

    assert_int_equal(stk_passport_header(claims->ppt_text, x5u, &header), STIRKEEP_OK);
    length = stk_base64url_encode(header.data, header.length, encoded);
    assert_int_equal(stk_passport_input(encoded, length, claims, &out), STIRKEEP_OK);
    assert_int_equal(stk_passport_finish(signature, claims, x5u, &out, &ignored), STIRKEEP_OK);
    length = out.length;
    stk_buffer_free(&header);
    stk_buffer_free(&out);
    return length;
}

/* So that a batch is refused beforehand, and none that fits. */
static void the_bound_is_above_the_length_and_close_to_it(void **state)
{
    static const struct stk_pair digests[] = {
        {"/nam", "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY"}};
    static const char *const dest[] = {"12155550131"};
    static const char *const auth[] = {"esnet.0"};
    const struct stk_claims_input inputs[] = {
        {.ppt = ""},
        {.ppt = "", .compact = true},
        {.ppt = "shaken", .attest = "A", .origid = "123e4567-e89b-12d3-a456-426655440000"},
        {.ppt = "div", .div_tn = "1", .div_hi = "1.1"},
        {.ppt = "div-o", .div_tn = "1", .opt = inner_passport},
        {.ppt = "rph", .rph_auth = auth, .rph_auth_count = 1, .sph = "psap-callback"},
        {.ppt = "rcd",
         .rcd_nam = "\"\\\"\\\"\\\"\\\"\\",
         .rcd_jcd = "[\"vcard\",[[\"fn\",{},\"text\",\"\\u0001\\u0002\\u0003\"]]]",
         .crn = "x",
         .rcdi = digests,
         .rcdi_count = 1},
        {.ppt = "msec", .other = "{\"a\":\"\\u0001\",\"z\":[1,2,-9007199254740991]}"}};

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        struct stk_claims_input input = inputs[i];
        struct stk_claims claims = {0};
        size_t bound = 0;
        size_t length = 0;

        input.orig_tn = "12155550121";
        input.dest_tn = dest;
        input.dest_tn_count = 1;
        input.iat = 1443208345;
        claims = made(*state, &input);
        bound = stk_passport_bound(&claims, strlen(appendix_x5u));
        length = length_of(&claims, appendix_x5u);
        assert_in_range(bound, length, length + 16);
        claims.iat = 0; /* now, which needs no more than the largest time */
        claims.origid[0] = '\0';
        assert_in_range(stk_passport_bound(&claims, strlen(appendix_x5u)), length, length + 32);
    }
}

static void a_quote_in_an_x5u_cannot_leave_its_string(void **state)
{
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_passport_header("", "x\",\"alg\":\"none", &out), STIRKEEP_OK);
    assert_holds(&out, "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"x\\\",\\\"alg\\\":\\\""
                       "none\"}");
    stk_buffer_free(&out);
}

static void a_uuid_has_version_4_and_the_rfc_variant(void **state)
{
    const uint8_t zeros[16] = {0};
    uint8_t ones[16] = {0};
    char text[STK_ORIGID_LENGTH + 1] = "";
    (void)state;

    stk_uuid4(zeros, text);
    assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
    memset(ones, 0xff, sizeof(ones));
    stk_uuid4(ones, text);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_of_rfc_8225_comes_out_byte_for_byte),
        cmocka_unit_test(the_payload_of_rfc_8225_comes_out_byte_for_byte),
        cmocka_unit_test(the_signing_input_of_rfc_8225_comes_out_byte_for_byte),
        cmocka_unit_test(the_payload_of_rfc_8588_comes_out_byte_for_byte),
        cmocka_unit_test(a_shaken_header_has_its_ppt_between_alg_and_typ),
        cmocka_unit_test(several_destinations_are_arrays_with_numbers_before_uris),
        cmocka_unit_test(iat_is_a_whole_number_up_to_the_largest),
        cmocka_unit_test(the_identity_value_has_info_alg_and_ppt_in_this_order),
        cmocka_unit_test(a_base_identity_value_has_no_ppt),
        cmocka_unit_test(what_does_not_fit_leaves_the_buffer_as_it_was),
        cmocka_unit_test(the_largest_claims_fit_an_identity_value),
        cmocka_unit_test(a_kept_buffer_is_not_allocated_again),
        cmocka_unit_test(a_compact_identity_value_has_two_dots_and_the_signature),
        cmocka_unit_test(a_compact_value_that_does_not_fit_leaves_the_buffer_as_it_was),
        cmocka_unit_test(the_bound_is_above_the_length_and_close_to_it),
        cmocka_unit_test(a_quote_in_an_x5u_cannot_leave_its_string),
        cmocka_unit_test(a_uuid_has_version_4_and_the_rfc_variant),
    };

    return cmocka_run_group_tests(tests, compose_begin, compose_end);
}
