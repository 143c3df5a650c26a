/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trial.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define INVALID STIRKEEP_INVALID

/* RFC 9795 section 6.1.3. */
static const char jcard[] =
    "[\"vcard\",[[\"version\",{},\"text\",\"4.0\"],[\"fn\",{},\"text\",\"Q Branch\"],"
    "[\"org\",{},\"text\",\"MI6;Q Branch Spy Gadgets\"],"
    "[\"photo\",{},\"uri\",\"https://example.com/photos/quartermaster-256x256.png\"],"
    "[\"logo\",{},\"uri\",\"https://example.com/logos/mi6-256x256.jpg\"],"
    "[\"logo\",{},\"uri\",\"https://example.com/logos/mi6-64x64.jpg\"]]]";

#define DIGEST_1 "sha256-RojgWwU6xUtI4q82+kHPyHm1JKbm7+663bMvzymhkl4"
#define DIGEST_2 "sha256-jL4f47fF82LuwcrOrSyckA4SWrlElfARHkW6kYo1JdI"
#define DIGEST_3 "sha256-GKNxxqlLRarbyBNh7hc/4lbZAdK6B0kMRf1AMRWPkSo"

static const struct stk_pair jcard_digests[] = {
    {"/jcd/1/5/3", DIGEST_3}, {"/jcd/1/3/3", DIGEST_1}, {"/jcd/1/4/3", DIGEST_2}};

static void a_name_is_required_and_readable(void **state)
{
    static const char *const bad[] = {"James\nBond", "\x1b[2J", "\x7f", "\xc2\x85",
                                      "\xc3",        "\xff",    "a\x01"};
    static char longest[STK_RCD_TEXT_MAX + 2];
    struct stk_claims_input input = trial_rcd();

    input.rcd_nam = "J\xc3\xa4mes \"007\" B\\nd \xf0\x9f\x93\x9e";
    assert_string_equal(trial_made(*state, &input).rcd_nam, input.rcd_nam);
    for (size_t i = 0; i < COUNT(bad); i++) {
        input.rcd_nam = bad[i];
        trial_refused(*state, &input, INVALID, "rcd.nam: byte ");
    }
    memset(longest, 'n', STK_RCD_TEXT_MAX);
    input.rcd_nam = longest;
    (void)trial_made(*state, &input);
    longest[STK_RCD_TEXT_MAX] = 'n';
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "rcd.nam: ");
    input.rcd_nam = "";
    trial_refused(*state, &input, INVALID, "rcd: missing");
    input.rcd_apn = "12025559990";
    trial_refused(*state, &input, INVALID, "rcd.nam: missing");
}

static void a_call_reason_alone_makes_an_rcd_passport(void **state)
{
    struct stk_claims_input input = trial_rcd();
    struct stk_claims claims = {0};

    input.rcd_nam = NULL;
    input.crn = "Rendezvous for Little Nellie";
    claims = trial_made(*state, &input);
    assert_null(claims.rcd_nam);
    assert_string_equal(claims.crn, "Rendezvous for Little Nellie");
    input.crn = "two\nlines";
    trial_refused(*state, &input, INVALID, "crn: byte 4 is a control character");
}

static void an_apn_is_a_canonical_number(void **state)
{
    struct stk_claims_input input = trial_rcd();

    input.rcd_apn = "+1 (202) 555-9990";
    assert_string_equal(trial_made(*state, &input).rcd_apn, "12025559990");
    input.rcd_apn = "tel:1";
    trial_refused(*state, &input, INVALID, "rcd.apn: ");
}

static void an_icon_is_https_or_a_data_uri_of_an_image(void **state)
{
    static const char *const good[] = {
        "https://example.com/photos/quartermaster-256x256.png", "https://example.com",
        "https://example.com/a?b=c#d",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/"
        "w38GIA"
        "XDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg=="};
    static const char *const bad[] = {"http://example.com/a.png",
                                      "HTTPS://example.com/a",
                                      "a.png",
                                      "https://",
                                      "https:///a",
                                      "https://a b",
                                      "https://a\"b",
                                      "https://a/\xc3\xa4",
                                      "data:text/html,x",
                                      "data:image/png,\n",
                                      "javascript:x",
                                      "cid:a",
                                      "https://a/%4"};
    static char longest[STK_RCD_TEXT_MAX + 2] = "https://example.com/";
    struct stk_claims_input input = trial_rcd();

    for (size_t i = 0; i < COUNT(good); i++) {
        input.rcd_icn = good[i];
        assert_string_equal(trial_made(*state, &input).rcd_icn, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        input.rcd_icn = bad[i];
        trial_refused(*state, &input, INVALID, "rcd.icn: ");
    }
    memset(longest + strlen(longest), 'a', STK_RCD_TEXT_MAX - strlen(longest));
    input.rcd_icn = longest;
    (void)trial_made(*state, &input);
    longest[STK_RCD_TEXT_MAX] = 'a';
    trial_refused(*state, &input, INVALID, "rcd.icn: ");
}

static void jcd_and_jcl_exclude_each_other(void **state)
{
    struct stk_claims_input input = trial_rcd();

    input.rcd_jcd = "[\"vcard\",[[\"fn\",{},\"text\",\"Q\"]]]";
    (void)trial_made(*state, &input);
    input.rcd_jcl = "https://example.com/qbranch.json";
    trial_refused(*state, &input, INVALID, "rcd: jcd and jcl given");
}

static void a_jcd_is_a_jcard(void **state)
{
    static const char *const good[] = {
        "[\"vcard\",[[\"fn\",{},\"text\",\"Q\"]]]",
        (" [ \"vcard\" , [ [ \"adr\",{\"type\":[\"home\",\"work\"],\"pref\":\"1\"},\"text\","
         "[\"\",\"\",[\"a\",\"b\"],\"c\"]] ] ] "),
        "[\"vcard\",[[\"x\",{},\"integer\",1,2,true]]]"};
    static const char *const bad[] = {"{}",
                                      "[]",
                                      "\"vcard\"",
                                      "[\"vcard\"]",
                                      "[\"vcard\",[]]",
                                      "[\"vcard\",{}]",
                                      "[\"VCARD\",[[\"fn\",{},\"text\",\"Q\"]]]",
                                      "[\"vcard\",[[\"fn\",{},\"text\",\"Q\"]],1]",
                                      "[\"vcard\",[[\"fn\",{},\"text\"]]]",
                                      "[\"vcard\",[[\"fn\",[],\"text\",\"Q\"]]]",
                                      "[\"vcard\",[[1,{},\"text\",\"Q\"]]]",
                                      "[\"vcard\",[[\"fn\",{},1,\"Q\"]]]",
                                      "[\"vcard\",[[\"fn\",{},\"text\",null]]]",
                                      "[\"vcard\",[[\"fn\",{},\"text\",{}]]]",
                                      "[\"vcard\",[[\"fn\",{\"a\":1},\"text\",\"Q\"]]]",
                                      "[\"vcard\",[[\"fn\",{\"a\":[1]},\"text\",\"Q\"]]]",
                                      "[\"vcard\",[[\"fn\",{},\"text\",[[[\"deep\"]]]]]]",
                                      "[\"vcard\",[\"fn\"]]",
                                      "not json",
                                      "[\"vcard\",[[\"fn\",{},\"float\",1.5]]]"};
    static char large[STK_RCD_JCD_MAX + 2];
    struct stk_claims_input input = trial_rcd();

    for (size_t i = 0; i < COUNT(good); i++) {
        input.rcd_jcd = good[i];
        (void)trial_made(*state, &input);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        input.rcd_jcd = bad[i];
        trial_refused(*state, &input, INVALID, "rcd.jcd: ");
    }
    memset(large, ' ', STK_RCD_JCD_MAX);
    memcpy(large, good[0], strlen(good[0]));
    input.rcd_jcd = large;
    (void)trial_made(*state, &input);
    large[STK_RCD_JCD_MAX] = ' ';
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "rcd.jcd: longer than 8192");
}

static void rcdi_pointers_are_sorted_and_none_is_there_twice(void **state)
{
    static const struct stk_pair twice[] = {{"/nam", DIGEST_1}, {"/nam", DIGEST_2}};
    struct stk_claims_input input = trial_rcd();
    struct stk_claims claims = {0};

    input.rcd_jcd = jcard;
    input.rcdi = jcard_digests;
    input.rcdi_count = 3;
    claims = trial_made(*state, &input);
    assert_string_equal(claims.rcdi[0].name, "/jcd/1/3/3");
    assert_string_equal(claims.rcdi[1].name, "/jcd/1/4/3");
    assert_string_equal(claims.rcdi[2].name, "/jcd/1/5/3");
    assert_string_equal(claims.rcdi[2].value, DIGEST_3);
    input.rcd_jcd = NULL;
    input.rcdi = twice;
    input.rcdi_count = 2;
    trial_refused(*state, &input, INVALID, "rcdi.pointer[1]: is given twice");
    input.rcd_nam = NULL;
    input.crn = "x";
    trial_refused(*state, &input, INVALID, "rcdi: not allowed without rcd");
}

static void rcdi_points_at_what_is_there(void **state)
{
    static const char *const good[] = {
        "/nam",          "/apn",     "/icn",       "/jcd",       "/jcd/0",
        "/jcd/1",        "/jcd/1/0", "/jcd/1/0/1", "/jcd/1/0/3", "/jcd/1/0/1/a~1b",
        "/jcd/1/0/1/~01"};
    static const char *const bad[] = {"",
                                      "/",
                                      "nam",
                                      "/na",
                                      "/nam/",
                                      "/name",
                                      "/nam/0",
                                      "/jcl",
                                      "/jcl/0",
                                      "/jcd/",
                                      "/jcd/2",
                                      "/jcd/01",
                                      "/jcd/-",
                                      "/jcd/+1",
                                      "/jcd/1/0/4",
                                      "/jcd/0/0",
                                      "/jcd/1/0/1/a/b",
                                      "/jcd/1/0/1/~",
                                      "/jcd/1/0/1/~2",
                                      "/jcd/99999999999999999999",
                                      "/rcd",
                                      "/jcd/ 1",
                                      "#/nam"};
    struct stk_claims_input input = trial_rcd();
    struct stk_pair pairs[] = {{"", DIGEST_1}, {"/icn", DIGEST_2}};

    input.rcd_apn = "1";
    input.rcd_icn = "data:image/png;base64,AAAA";
    input.rcd_jcd = "[\"vcard\",[[\"fn\",{\"a/b\":\"c\",\"~1\":\"d\"},\"text\",\"Q\"]]]";
    input.rcdi = pairs;
    input.rcdi_count = 1;
    for (size_t i = 0; i < COUNT(good); i++) {
        pairs[0].name = good[i];
        assert_string_equal(trial_made(*state, &input).rcdi[0].name, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        pairs[0].name = bad[i];
        trial_refused(*state, &input, INVALID, "rcdi.pointer[0]: ");
    }
    pairs[0].name = NULL;
    trial_refused(*state, &input, INVALID, "rcdi.pointer[0]: ");
}

static void rcdi_points_into_the_jcard_behind_a_jcl_unseen(void **state)
{
    char longest[STK_RCDI_POINTER_MAX + 2] = "/jcl/";
    struct stk_pair pairs[] = {{"/jcl", DIGEST_1}, {"/jcl/1/2/3", DIGEST_2}};
    struct stk_claims_input input = trial_rcd();

    input.rcd_jcl = "https://example.com/qbranch.json";
    input.rcdi = pairs;
    input.rcdi_count = 2;
    (void)trial_made(*state, &input);
    pairs[1].name = "/jclx";
    trial_refused(*state, &input, INVALID, "rcdi.pointer[1]: ");
    pairs[1].name = "/jcl/\n";
    trial_refused(*state, &input, INVALID, "rcdi.pointer: byte 6");
    memset(longest + 5, 'a', STK_RCDI_POINTER_MAX - 5);
    pairs[1].name = longest;
    (void)trial_made(*state, &input);
    longest[STK_RCDI_POINTER_MAX] = 'a';
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "rcdi.pointer: ");
}

static void digests_are_sha2_in_base64_of_the_right_length(void **state)
{
#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define A64 A43 "AAAAAAAAAAAAAAAAAAAAA"
#define A86 A43 A43
    static const char *const good[] = {"sha256-" A43, "sha256-" A43 "=", "sha384-" A64,
                                       "sha512-" A86, "sha512-" A86 "=="};
    static const char *const bad[] = {"",
                                      "sha256-",
                                      "sha256" A43,
                                      "sha-256-" A43,
                                      "SHA256-" A43,
                                      "md5-" A43,
                                      "sha1-" A43,
                                      "sha256-" A43 "A",
                                      "sha256-" A43 "==",
                                      "sha256-A" A43,
                                      "sha256-" A64,
                                      "sha384-" A64 "=",
                                      "sha384-" A43,
                                      "sha512-" A86 "=",
                                      "sha512-" A86 "===",
                                      "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
                                      "sha512-" A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
                                      "sha256-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "sha256- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    struct stk_claims_input input = trial_rcd();
    struct stk_pair pair = {"/nam", NULL};

    input.rcdi = &pair;
    input.rcdi_count = 1;
    trial_refused(*state, &input, INVALID, "rcdi.digest[0]: ");
    for (size_t i = 0; i < COUNT(good); i++) {
        pair.value = good[i];
        assert_string_equal(trial_made(*state, &input).rcdi[0].value, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        pair.value = bad[i];
        trial_refused(*state, &input, INVALID, "rcdi.digest[0]: ");
    }
}

static void rcdi_has_a_digest_of_everything_that_is_behind_a_url(void **state)
{
    static const struct stk_pair icon[] = {{"/icn", DIGEST_1}, {"/nam", DIGEST_2}};
    struct stk_claims_input input = trial_rcd();

    input.rcd_jcl = "https://example.com/qbranch.json";
    trial_refused(*state, &input, INVALID, "rcdi: /jcl is missing");
    input.rcd_jcl = NULL;
    input.rcd_jcd = jcard;
    trial_refused(*state, &input, INVALID, "rcdi: /jcd/1/3/3 is missing");
    input.rcdi = jcard_digests;
    input.rcdi_count = 2;
    trial_refused(*state, &input, INVALID, "rcdi: /jcd/1/4/3 is missing");
    input.rcdi_count = 3;
    (void)trial_made(*state, &input);
    /* An icon may be without, as in RFC 9795 section 8.3, unless there is an rcdi. */
    input.rcd_jcd = NULL;
    input.rcd_icn = "https://example.com/a.png";
    input.rcdi_count = 0;
    (void)trial_made(*state, &input);
    input.rcdi = icon + 1;
    input.rcdi_count = 1;
    trial_refused(*state, &input, INVALID, "rcdi: /icn is missing");
    input.rcdi = icon;
    input.rcdi_count = 2;
    (void)trial_made(*state, &input);
}

static void rcdi_is_counted(void **state)
{
    struct stk_pair many[STK_RCDI_MAX + 1];
    char names[STK_RCDI_MAX + 1][24];
    struct stk_claims_input input = trial_rcd();

    input.rcd_jcl = "https://example.com/q";
    for (size_t i = 0; i <= STK_RCDI_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "/jcl/%zu", i);
        many[i] = (struct stk_pair){i == 0 ? "/jcl" : names[i], DIGEST_1};
    }
    input.rcdi = many;
    input.rcdi_count = STK_RCDI_MAX;
    assert_int_equal(trial_made(*state, &input).rcdi_count, STK_RCDI_MAX);
    input.rcdi_count = STK_RCDI_MAX + 1;
    trial_refused(*state, &input, INVALID, "rcdi: more than 16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_required_and_readable),
        cmocka_unit_test(a_call_reason_alone_makes_an_rcd_passport),
        cmocka_unit_test(an_apn_is_a_canonical_number),
        cmocka_unit_test(an_icon_is_https_or_a_data_uri_of_an_image),
        cmocka_unit_test(jcd_and_jcl_exclude_each_other),
        cmocka_unit_test(a_jcd_is_a_jcard),
        cmocka_unit_test(rcdi_pointers_are_sorted_and_none_is_there_twice),
        cmocka_unit_test(rcdi_points_at_what_is_there),
        cmocka_unit_test(rcdi_points_into_the_jcard_behind_a_jcl_unseen),
        cmocka_unit_test(digests_are_sha2_in_base64_of_the_right_length),
        cmocka_unit_test(rcdi_has_a_digest_of_everything_that_is_behind_a_url),
        cmocka_unit_test(rcdi_is_counted),
    };

    return cmocka_run_group_tests_name("rcd", tests, trial_begin, trial_end);
}
