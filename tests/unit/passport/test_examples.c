/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "compose.h"
#include "passport/passport.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The RFCs' own examples. `printed` is what stands there, with its white space and order; `payload`
 * what has to come out, byte for byte. */
static const struct {
    const char *where;
    const char *ppt;
    const char *printed;
    const char *payload;
} examples[] = {
    {"RFC 8225 section 5.2.1.4, one destination", "",
     "{ \"dest\":{\"uri\":[\"sip:alice@example.com\"]}, \"iat\":1443208345, "
     "\"orig\":{\"tn\":\"12155551212\"} }",
     "{\"dest\":{\"uri\":[\"sip:alice@example.com\"]},\"iat\":1443208345,"
     "\"orig\":{\"tn\":\"12155551212\"}}"},
    {"RFC 8225 section 5.2.1.4, several destinations", "",
     "{ \"dest\":{ \"tn\":[\"12125551212\"], \"uri\":[\"sip:alice@example.com\", "
     "\"sip:bob@example.net\"] }, \"iat\":1443208345, \"orig\":{\"tn\":\"12155551212\"} }",
     "{\"dest\":{\"tn\":[\"12125551212\"],\"uri\":[\"sip:alice@example.com\","
     "\"sip:bob@example.net\"]},\"iat\":1443208345,\"orig\":{\"tn\":\"12155551212\"}}"},
    /* Its section 9.1 prints the outcome with a brace missing behind "dest". */
    {"RFC 8225 section 9.1, mky", "",
     "{ \"dest\":{\"uri\":[\"sip:alice@example.com\"]}, \"orig\":{\"tn\":\"12155551212\"}, "
     "\"iat\":1443208345, \"mky\":[ { \"alg\":\"sha-256\", "
     "\"dig\":\"021ACC5427ABEB9C533F3E4B652E7D463F5442CD54F17A03A27DF9B07F4619B2\" }, { "
     "\"alg\":\"sha-256\", "
     "\"dig\":\"4AADB9B13F82183B540212DF3E5D496B19E57CAB3E4B652E7D463F5442CD54F1\" } ] }",
     "{\"dest\":{\"uri\":[\"sip:alice@example.com\"]},\"iat\":1443208345,\"mky\":"
     "[{\"alg\":\"sha-256\",\"dig\":\"021ACC5427ABEB9C533F3E4B652E7D463F5442CD5"
     "4F17A03A27DF9B07F4619B2\"},{\"alg\":\"sha-256\",\"dig\":\"4AADB9B13F82183B5"
     "40212DF3E5D496B19E57CAB3E4B652E7D463F5442CD54F1\"}],"
     "\"orig\":{\"tn\":\"12155551212\"}}"},
    {"RFC 8225 section 8.3, ppt foo with bar", "foo",
     "{ \"bar\":\"beyond all recognition\", \"dest\":{\"uri\":[\"sip:alice@example.com\"]}, "
     "\"iat\":1443208345, \"orig\":{\"tn\":\"12155551212\"} }",
     "{\"bar\":\"beyond all recognition\",\"dest\":{\"uri\":[\"sip:alice@example.com\"]},"
     "\"iat\":1443208345,\"orig\":{\"tn\":\"12155551212\"}}"},
    {"RFC 8588 section 4 with erratum 6656", "shaken",
     "{ \"attest\":\"A\", \"dest\":{\"tn\":[\"12155550131\"]}, \"iat\":1443208345, "
     "\"orig\":{\"tn\":\"12155550121\"}, \"origid\":\"123e4567-e89b-12d3-a456-426655440000\" }",
     "{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1443208345,"
     "\"orig\":{\"tn\":\"12155550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}"},
    {"RFC 8946 section 3", "div",
     "{ \"dest\":{\"tn\":[\"12155551214\"]}, \"div\":{\"tn\":\"121555551213\"}, "
     "\"iat\":1443208345, \"orig\":{\"tn\":\"12155551212\"} }",
     "{\"dest\":{\"tn\":[\"12155551214\"]},\"div\":{\"tn\":\"121555551213\"},"
     "\"iat\":1443208345,\"orig\":{\"tn\":\"12155551212\"}}"},
    {"RFC 8946 section 8, hi", "div",
     "{ \"orig\":{\"tn\":\"12155551212\"}, \"dest\":{\"tn\":[\"12155551214\"]}, "
     "\"iat\":1443208345, \"div\":{\"tn\":\"121555551213\", \"hi\":\"1.2.1\"} }",
     "{\"dest\":{\"tn\":[\"12155551214\"]},\"div\":{\"hi\":\"1.2.1\",\"tn\":\"121555551213\"},"
     "\"iat\":1443208345,\"orig\":{\"tn\":\"12155551212\"}}"},
    /* An array is missing around its "tn". */
    {"RFC 8443 section 3", "rph",
     "{ \"orig\":{\"tn\":\"12155550112\"}, \"dest\":{\"tn\":[\"12125550113\"]}, "
     "\"iat\":1443208345, \"rph\":{\"auth\":[\"ets.0\", \"wps.0\"]} }",
     "{\"dest\":{\"tn\":[\"12125550113\"]},\"iat\":1443208345,"
     "\"orig\":{\"tn\":\"12155550112\"},\"rph\":{\"auth\":[\"ets.0\",\"wps.0\"]}}"},
    {"RFC 9027 section 3, esnet.1", "rph",
     "{ \"dest\":{\"uri\":[\"urn:service:sos\"]}, \"iat\":1615471428, "
     "\"orig\":{\"tn\":\"12155551212\"}, \"rph\":{\"auth\":[\"esnet.1\"]} }",
     "{\"dest\":{\"uri\":[\"urn:service:sos\"]},\"iat\":1615471428,"
     "\"orig\":{\"tn\":\"12155551212\"},\"rph\":{\"auth\":[\"esnet.1\"]}}"},
    {"RFC 9027 section 3, esnet.0", "rph",
     "{ \"dest\":{\"tn\":[\"12155551212\"]}, \"iat\":1615471428, "
     "\"orig\":{\"tn\":\"12155551213\"}, \"rph\":{\"auth\":[\"esnet.0\"]} }",
     "{\"dest\":{\"tn\":[\"12155551212\"]},\"iat\":1615471428,"
     "\"orig\":{\"tn\":\"12155551213\"},\"rph\":{\"auth\":[\"esnet.0\"]}}"},
    {"RFC 9027 section 4, sph", "rph",
     "{ \"dest\":{\"tn\":[\"12155551212\"]}, \"iat\":1615471428, "
     "\"orig\":{\"tn\":\"12155551213\"}, \"rph\":{\"auth\":[\"esnet.0\"]}, "
     "\"sph\":\"psap-callback\" }",
     "{\"dest\":{\"tn\":[\"12155551212\"]},\"iat\":1615471428,"
     "\"orig\":{\"tn\":\"12155551213\"},\"rph\":{\"auth\":[\"esnet.0\"]},"
     "\"sph\":\"psap-callback\"}"},
    {"RFC 9795 section 8.3, nam", "rcd",
     "{ \"orig\":{\"tn\":\"12025551000\"}, \"dest\":{\"tn\":[\"12025551001\"]}, "
     "\"iat\":1443208345, \"rcd\":{\"nam\":\"James Bond\"} }",
     "{\"dest\":{\"tn\":[\"12025551001\"]},\"iat\":1443208345,\"orig\":{\"tn\":\"12025551000\"},"
     "\"rcd\":{\"nam\":\"James Bond\"}}"},
    {"RFC 9795 section 8.3, icn by https", "rcd",
     "{ \"orig\":{\"tn\":\"12025551000\"}, \"dest\":{\"tn\":[\"12155551001\"]}, "
     "\"iat\":1443208345, \"rcd\":{ \"apn\":\"12025559990\", "
     "\"icn\":\"https://example.com/photos/quartermaster-256x256.png\", "
     "\"nam\":\"Her Majesty's Secret Service\" } }",
     "{\"dest\":{\"tn\":[\"12155551001\"]},\"iat\":1443208345,\"orig\":{\"tn\":\"12025551000\"},"
     "\"rcd\":{\"apn\":\"12025559990\","
     "\"icn\":\"https://example.com/photos/quartermaster-256x256.png\","
     "\"nam\":\"Her Majesty's Secret Service\"}}"},
    {"RFC 9795 section 8.3, icn as data", "rcd",
     "{ \"orig\":{\"tn\":\"12025551000\"}, \"dest\":{\"tn\":[\"12155551001\"]}, "
     "\"iat\":1443208345, \"rcd\":{ \"apn\":\"12025559990\", "
     "\"icn\":\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4/"
     "/"
     "8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==\", "
     "\"nam\":\"Her Majesty's Secret Service\" } }",
     "{\"dest\":{\"tn\":[\"12155551001\"]},\"iat\":1443208345,\"orig\":{\"tn\":\"12025551000\"},"
     "\"rcd\":{\"apn\":\"12025559990\","
     "\"icn\":\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4/"
     "/"
     "8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==\","
     "\"nam\":\"Her Majesty's Secret Service\"}}"},
    {"RFC 9795 section 8.3, jcd with rcdi and crn", "rcd",
     "{ \"crn\": \"Rendezvous for Little Nellie\", \"orig\": { \"tn\": \"12025551000\"}, "
     "\"dest\": { \"tn\": [\"12155551001\"]}, \"iat\": 1443208345, \"rcd\": { \"jcd\": "
     "[\"vcard\", [ [\"version\",{},\"text\",\"4.0\"], [\"fn\",{},\"text\",\"Q Branch\"], "
     "[\"org\",{},\"text\",\"MI6;Q Branch Spy Gadgets\"], "
     "[\"photo\",{},\"uri\",\"https://example.com/photos/q-256x256.png\"], "
     "[\"logo\",{},\"uri\",\"https://example.com/logos/mi6-256x256.jpg\"], "
     "[\"logo\",{},\"uri\",\"https://example.com/logos/mi6-64x64.jpg\"] ] ], "
     "\"nam\": \"Q Branch Spy Gadgets\" }, \"rcdi\": { "
     "\"/jcd/1/3/3\":\"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\", "
     "\"/jcd/1/4/3\":\"sha256-jL4f47fF82LuwcrOrSyckA4SWrlElfARHkW6kYo1JdI\", "
     "\"/jcd/1/5/3\":\"sha256-GKNxxqlLRarbyBNh7hc/4lbZAdK6B0kMRf1AMRWPkSo\" } }",
     "{\"crn\":\"Rendezvous for Little Nellie\",\"dest\":{\"tn\":[\"12155551001\"]},"
     "\"iat\":1443208345,\"orig\":{\"tn\":\"12025551000\"},\"rcd\":{\"jcd\":[\"vcard\","
     "[[\"version\",{},\"text\",\"4.0\"],[\"fn\",{},\"text\",\"Q Branch\"],"
     "[\"org\",{},\"text\",\"MI6;Q Branch Spy Gadgets\"],"
     "[\"photo\",{},\"uri\",\"https://example.com/photos/q-256x256.png\"],"
     "[\"logo\",{},\"uri\",\"https://example.com/logos/mi6-256x256.jpg\"],"
     "[\"logo\",{},\"uri\",\"https://example.com/logos/mi6-64x64.jpg\"]]],"
     "\"nam\":\"Q Branch Spy Gadgets\"},\"rcdi\":{"
     "\"/jcd/1/3/3\":\"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\","
     "\"/jcd/1/4/3\":\"sha256-jL4f47fF82LuwcrOrSyckA4SWrlElfARHkW6kYo1JdI\","
     "\"/jcd/1/5/3\":\"sha256-GKNxxqlLRarbyBNh7hc/4lbZAdK6B0kMRf1AMRWPkSo\"}}"},
    {"RFC 9795 section 8.3, jcl with rcdi", "rcd",
     "{ \"crn\": \"Rendezvous for Little Nellie\", \"orig\": {\"tn\": \"12025551000\"}, "
     "\"dest\": {\"tn\": [\"12155551001\"]}, \"iat\": 1443208345, \"rcd\": { "
     "\"nam\": \"Q Branch Spy Gadgets\", \"jcl\": \"https://example.com/qbranch.json\" }, "
     "\"rcdi\": { \"/jcl\":\"sha256-qCn4pEH6BJu7zXndLFuAP6DwlTv5fRmJ1AFkqftwnCs\", "
     "\"/jcl/1/3/3\":\"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\", "
     "\"/jcl/1/4/3\":\"sha256-jL4f47fF82LuwcrOrSyckA4SWrlElfARHkW6kYo1JdI\", "
     "\"/jcl/1/5/3\":\"sha256-GKNxxqlLRarbyBNh7hc/4lbZAdK6B0kMRf1AMRWPkSo\" } }",
     "{\"crn\":\"Rendezvous for Little Nellie\",\"dest\":{\"tn\":[\"12155551001\"]},"
     "\"iat\":1443208345,\"orig\":{\"tn\":\"12025551000\"},"
     "\"rcd\":{\"jcl\":\"https://example.com/qbranch.json\",\"nam\":\"Q Branch Spy Gadgets\"},"
     "\"rcdi\":{\"/jcl\":\"sha256-qCn4pEH6BJu7zXndLFuAP6DwlTv5fRmJ1AFkqftwnCs\","
     "\"/jcl/1/3/3\":\"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\","
     "\"/jcl/1/4/3\":\"sha256-jL4f47fF82LuwcrOrSyckA4SWrlElfARHkW6kYo1JdI\","
     "\"/jcl/1/5/3\":\"sha256-GKNxxqlLRarbyBNh7hc/4lbZAdK6B0kMRf1AMRWPkSo\"}}"},
    {"RFC 9795 section 8.3, icn with rcdi", "rcd",
     "{ \"crn\": \"Rendezvous for Little Nellie\", \"orig\": {\"tn\": \"12025551000\"}, "
     "\"dest\": {\"tn\": [\"12155551001\"]}, \"iat\": 1443208345, \"rcd\": { "
     "\"nam\": \"Q Branch Spy Gadgets\", \"icn\": \"https://example.com/photos/q-256x256.png\" }, "
     "\"rcdi\": { \"/nam\": \"sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY\", "
     "\"/icn\": \"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\" } }",
     "{\"crn\":\"Rendezvous for Little Nellie\",\"dest\":{\"tn\":[\"12155551001\"]},"
     "\"iat\":1443208345,\"orig\":{\"tn\":\"12025551000\"},"
     "\"rcd\":{\"icn\":\"https://example.com/photos/q-256x256.png\","
     "\"nam\":\"Q Branch Spy Gadgets\"},"
     "\"rcdi\":{\"/icn\":\"sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4\","
     "\"/nam\":\"sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY\"}}"},
    {"RFC 9795 section 13.2, shaken with rcd", "shaken",
     "{ \"attest\":\"A\", \"dest\":{\"tn\":[\"12025551001\"]}, \"iat\":1443208345, "
     "\"orig\":{\"tn\":\"12025551000\"}, \"origid\":\"123e4567-e89b-12d3-a456-426655440000\", "
     "\"rcd\":{\"nam\":\"James Bond\"} }",
     "{\"attest\":\"A\",\"dest\":{\"tn\":[\"12025551001\"]},\"iat\":1443208345,"
     "\"orig\":{\"tn\":\"12025551000\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\","
     "\"rcd\":{\"nam\":\"James Bond\"}}"},
};

static void the_examples_of_the_rfcs_come_out_byte_for_byte(void **state)
{
    for (size_t i = 0; i < COUNT(examples); i++) {
        const struct stk_json *printed = NULL;
        struct stk_claims claims = {0};
        struct stk_claims again = {0};
        struct stk_claims_input input = {0};

        stk_arena_reset(*state);
        assert_int_equal(stk_json_read(examples[i].printed, strlen(examples[i].printed), "RFC",
                                       *state, &printed, NULL),
                         STIRKEEP_OK);
        assert_string_equal(stk_json_text_of(printed, *state), examples[i].payload);
        claims = claims_of(*state, examples[i].ppt, examples[i].payload);
        assert_string_equal(payload_of(*state, &claims), examples[i].payload);
        assert_int_equal(stk_claims_input_of(&claims, *state, &input), STIRKEEP_OK);
        again = made(*state, &input);
        assert_string_equal(payload_of(*state, &again), examples[i].payload);
    }
}

static void the_headers_of_the_rfcs_come_out_byte_for_byte(void **state)
{
    static const struct {
        const char *ppt;
        const char *x5u;
        const char *header;
    } headers[] = {{"", "https://cert.example.org/passport.cer",
                    "{\"alg\":\"ES256\",\"typ\":\"passport\","
                    "\"x5u\":\"https://cert.example.org/passport.cer\"}"},
                   {"foo", "https://tel.example.org/passport.cer",
                    "{\"alg\":\"ES256\",\"ppt\":\"foo\",\"typ\":\"passport\","
                    "\"x5u\":\"https://tel.example.org/passport.cer\"}"},
                   {"shaken", "https://cert.example.org/passport.cer",
                    "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\","
                    "\"x5u\":\"https://cert.example.org/passport.cer\"}"},
                   {"div", "https://www.example.com/cert.cer",
                    "{\"alg\":\"ES256\",\"ppt\":\"div\",\"typ\":\"passport\","
                    "\"x5u\":\"https://www.example.com/cert.cer\"}"},
                   {"div-o", "https://www.example.com/cert.cer",
                    "{\"alg\":\"ES256\",\"ppt\":\"div-o\",\"typ\":\"passport\","
                    "\"x5u\":\"https://www.example.com/cert.cer\"}"},
                   {"rph", "https://www.example.org/cert.cer",
                    "{\"alg\":\"ES256\",\"ppt\":\"rph\",\"typ\":\"passport\","
                    "\"x5u\":\"https://www.example.org/cert.cer\"}"},
                   {"rcd", "https://www.example.com/cert.cer",
                    "{\"alg\":\"ES256\",\"ppt\":\"rcd\",\"typ\":\"passport\","
                    "\"x5u\":\"https://www.example.com/cert.cer\"}"}};

    for (size_t i = 0; i < COUNT(headers); i++)
        assert_string_equal(header_of(*state, headers[i].ppt, headers[i].x5u), headers[i].header);
}

static void assert_signing_input(struct stk_arena *arena, const struct stk_claims *claims,
                                 const char *expected)
{
    const char *header = header_of(arena, claims->ppt_text, "https://www.example.com/cert.cer");
    char encoded[512] = "";
    struct stk_buffer out = {0};

    assert_int_equal(stk_passport_input(encoded,
                                        stk_base64url_encode(header, strlen(header), encoded),
                                        claims, &out),
                     STIRKEEP_OK);
    assert_holds(&out, expected);
    stk_buffer_free(&out);
}

static void the_signing_input_of_rfc_8946_comes_out_byte_for_byte(void **state)
{
    struct stk_claims claims =
        claims_of(*state, "div",
                  "{\"dest\":{\"tn\":[\"12155551214\"]},\"div\":{\"tn\":\"121555551213\"},"
                  "\"iat\":1443208345,\"orig\":{\"tn\":\"12155551212\"}}");

    assert_signing_input(*state, &claims,
                         "eyJhbGciOiJFUzI1NiIsInBwdCI6ImRpdiIsInR5cCI6InBhc3Nwb3J0IiwieDV1Ij"
                         "oiaHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vY2VydC5jZXIifQ.eyJkZXN0Ijp7InRuI"
                         "jpbIjEyMTU1NTUxMjE0Il19LCJkaXYiOnsidG4iOiIxMjE1NTU1NTEyMTMifSwiaWF"
                         "0IjoxNDQzMjA4MzQ1LCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0");
}

/* As its section 5 prints the claims; the token printed below them has no array in "dest", which
 * RFC 8225 section 5.2.1 demands. */
static void the_div_o_of_rfc_8946_comes_out_byte_for_byte_with_its_dest_made_an_array(void **state)
{
    static const char *const dest[] = {"12155551214"};
    const struct stk_claims_input input = {.ppt = "div-o",
                                           .orig_tn = "12155551212",
                                           .dest_tn = dest,
                                           .dest_tn_count = 1,
                                           .iat = 1443208345,
                                           .div_tn = "121555551213",
                                           .opt = inner_passport};
    struct stk_claims claims = made(*state, &input);
    const char *payload = payload_of(*state, &claims);
    char expected[1024] = "{\"dest\":{\"tn\":[\"12155551214\"]},\"div\":{\"tn\":\"121555551213\"},"
                          "\"iat\":1443208345,\"opt\":\"";

    (void)strcat(expected, inner_passport);
    (void)strcat(expected, "\",\"orig\":{\"tn\":\"12155551212\"}}");
    assert_string_equal(payload, expected);
    claims = claims_of(*state, "div-o", payload);
    assert_string_equal(claims.opt, inner_passport);
}

/* The fingerprints as the SDP of RFC 8225 section 5.2.2 has them. */
static void the_mky_of_rfc_8225_comes_of_its_sdp(void **state)
{
    static const char *const dest[] = {"sip:alice@example.com"};
    static const struct stk_pair fingerprints[] = {
        {"sha-256", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:46:"
                    "3F:54:42:CD:54:F1"},
        {"sha-256", "02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:7D:"
                    "F9:B0:7F:46:19:B2"}};
    const struct stk_claims_input input = {.orig_tn = "12155551212",
                                           .dest_uri = dest,
                                           .dest_uri_count = 1,
                                           .iat = 1443208345,
                                           .mky = fingerprints,
                                           .mky_count = 2};
    struct stk_claims claims = made(*state, &input);

    assert_string_equal(payload_of(*state, &claims), examples[2].payload);
}

/* RFC 9795 section 10.1: signed by whom no number was given to. */
static void the_iss_of_a_third_party_is_refused(void **state)
{
    assert_not_read(*state, "rcd", NULL,
                    "{\"dest\":{\"tn\":[\"12025551001\"]},\"iat\":1443208345,"
                    "\"iss\":\"Zorin Industries\",\"orig\":{\"tn\":\"12025551000\"},"
                    "\"rcd\":{\"nam\":\"James St. John Smythe\"}}",
                    "payload: \"iss\" is no claim");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfcs_come_out_byte_for_byte),
        cmocka_unit_test(the_headers_of_the_rfcs_come_out_byte_for_byte),
        cmocka_unit_test(the_signing_input_of_rfc_8946_comes_out_byte_for_byte),
        cmocka_unit_test(the_div_o_of_rfc_8946_comes_out_byte_for_byte_with_its_dest_made_an_array),
        cmocka_unit_test(the_mky_of_rfc_8225_comes_of_its_sdp),
        cmocka_unit_test(the_iss_of_a_third_party_is_refused),
    };

    return cmocka_run_group_tests_name("examples", tests, compose_begin, compose_end);
}
