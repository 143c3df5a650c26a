/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
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

static void assert_holds(const struct stk_buffer *buffer, const char *text)
{
    assert_int_equal(buffer->length, strlen(text));
    assert_memory_equal(buffer->data, text, buffer->length);
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
        cmocka_unit_test(a_quote_in_an_x5u_cannot_leave_its_string),
        cmocka_unit_test(a_uuid_has_version_4_and_the_rfc_variant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
