/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/encode.h"
#include "model/name.h"
#include "model/proof.h"
#include "model/tn.h"
#include "model/uri.h"
#include "model/uri_number.h"
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void a_name_is_letters_digits_and_three_marks(void **state)
{
    static const char *const good[] = {"A", "0", "Alpha", "a.b_c-d", "9-", "Z..", "a__"};
    char longest[STK_NAME_MAX + 1] = "";
    struct stk_name name = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(stk_name_parse(good[i], &name, NULL), STIRKEEP_OK);
        assert_string_equal(name.text, good[i]);
    }
    memset(longest, 'n', STK_NAME_MAX);
    assert_int_equal(stk_name_parse(longest, &name, NULL), STIRKEEP_OK);
    assert_string_equal(name.text, longest);
}

static void a_bad_name_is_refused_and_leaves_the_result_alone(void **state)
{
    static const char *const bad[] = {"",          ".a",    "-a",  "_a",   "..",    "../etc",
                                      "a/b",       "a b",   "a\n", "a\tb", "a%s%n", "\xc3\xa4",
                                      "a\xc3\xa4", "a\xff", "a\\", "a:b",  "a*",    "a,b"};
    char longer[STK_NAME_MAX + 2] = "";
    struct stk_name name = {.text = "before"};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(stk_name_parse(bad[i], &name, &error), STIRKEEP_INVALID);
        assert_string_equal(name.text, "before");
        assert_non_null(strstr(error.message, "certificate name: "));
    }
    memset(longer, 'n', sizeof(longer) - 1);
    assert_int_equal(stk_name_parse(longer, &name, &error), STIRKEEP_INVALID);
    assert_int_equal(stk_name_parse(NULL, &name, &error), STIRKEEP_INVALID);
    assert_string_equal(name.text, "before");
}

static void a_telephone_number_becomes_canonical(void **state)
{
    static const struct {
        const char *given;
        const char *canonical;
    } pairs[] = {{"+1 (415) 555-1234", "14155551234"},
                 {"14155551234", "14155551234"},
                 {"+1.415.555.1234;ext=12;x=abc", "14155551234"},
                 {"*67#", "*67#"},
                 {"911", "911"},
                 {"123456789012345", "123456789012345"},
                 {"+-.() 1;", "1"}};
    struct stk_tn tn = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(pairs); i++) {
        assert_int_equal(stk_tn_parse(pairs[i].given, "orig.tn", &tn, NULL), STIRKEEP_OK);
        assert_string_equal(tn.text, pairs[i].canonical);
    }
}

static void what_is_no_telephone_number_is_refused_with_the_field(void **state)
{
    static const char *const bad[] = {"",
                                      "+",
                                      ";1",
                                      "()",
                                      "1234567890123456",
                                      "12a3",
                                      "1\t2",
                                      "1\n",
                                      "1/2",
                                      "sip:1@a",
                                      "1%32",
                                      "\xd9\xa1",
                                      ("1\xc2\xa0"
                                       "2"),
                                      "\"1\"",
                                      "1,2"};
    struct stk_tn tn = {.text = "7"};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(stk_tn_parse(bad[i], "dest.tn[2]", &tn, &error), STIRKEEP_INVALID);
        assert_string_equal(tn.text, "7");
        assert_memory_equal(error.message, "dest.tn[2]: ", 12);
    }
    assert_int_equal(stk_tn_parse(NULL, "orig.tn", &tn, &error), STIRKEEP_INVALID);
}

static void uris_that_sip_uses_are_taken(void **state)
{
    static const char *const good[] = {"sip:alice@example.com",
                                       "sips:1212@[2001:db8::10]:5061;transport=tcp?a=b&c=d",
                                       "tel:+1-212-555;ext=1",
                                       "urn:service:sos",
                                       "a:b",
                                       "x+y-z.1:%41%fF",
                                       "sip:a'b!$&()*+,;=~_.-@h"};
    char longest[STK_URI_MAX + 2] = "sip:";
    (void)state;

    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(stk_uri_check(good[i], "orig.uri", NULL), STIRKEEP_OK);
    memset(longest + 4, 'a', STK_URI_MAX - 4);
    assert_int_equal(stk_uri_check(longest, "orig.uri", NULL), STIRKEEP_OK);
    longest[STK_URI_MAX] = 'a';
    assert_int_equal(stk_uri_check(longest, "orig.uri", NULL), STIRKEEP_INVALID);
}

static void a_uri_that_is_a_telephone_number_is_known_in_each_dress(void **state)
{
    static const struct {
        const char *uri;
        enum stk_uri_number is;
        const char *tn;
    } cases[] = {
        {"tel:+1-415-555-0100", STK_URI_NUMBER_STATED, "14155550100"},
        {"TeL:7042;phone-context=example.com", STK_URI_NUMBER_STATED, "7042"},
        {"tel:1-800-FLOWERS", STK_URI_NUMBER_STATED, ""},
        {"sip:+14155550100@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:%2B1%34155550100@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:(+1)415.555.0100@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sips:+14155550100:secret@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:+14155550100", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:14155550100@example.com;user=phone", STK_URI_NUMBER_STATED, "14155550100"},
        {"SIP:14155550100@example.com;lr;USER=Phone;x", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:14155550100@example.com;%75ser=%70hone", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:14155550100;user=phone@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:14155550100%3Buser=phone@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:4155550100;phone-context=+1@example.com", STK_URI_NUMBER_STATED, "4155550100"},
        {"sip:14155550100@example.com;x=%00;user=phone", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:14155550100@example.com?user=phone", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:alice@example.com;user=phone", STK_URI_NUMBER_STATED, ""},
        {"sip:14155550100@example.com", STK_URI_NUMBER_LIKE, "14155550100"},
        {"sip:1415%35550100;ext=7@example.com", STK_URI_NUMBER_LIKE, "14155550100"},
        {"sips:1001:secret@pbx.example.com", STK_URI_NUMBER_LIKE, "1001"},
        {"sip:*67%23@example.com", STK_URI_NUMBER_LIKE, "*67#"},
        {"sip:1234567890123456@example.com", STK_URI_NUMBER_NONE, ""},
        {"sip:alice@example.com;user=ip", STK_URI_NUMBER_NONE, ""},
        {"sip:alice@example.com;user=phones", STK_URI_NUMBER_NONE, ""},
        {"sip:alice+1@example.com", STK_URI_NUMBER_NONE, ""},
        {"sip:@example.com", STK_URI_NUMBER_NONE, ""},
        {"urn:service:sos", STK_URI_NUMBER_NONE, ""},
        {"telephone:14155550100", STK_URI_NUMBER_LIKE, "14155550100"},
        {"x:+14155550100;user=phone", STK_URI_NUMBER_STATED, "14155550100"},
        {"sms:+14155550100", STK_URI_NUMBER_STATED, "14155550100"},
        {"im:14155550100@example.com", STK_URI_NUMBER_LIKE, "14155550100"},
        {"sip:+14155550100,@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:+14155550100p1@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:+1_415~555'0100@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:+1%C2%A0415%E2%80%905550100@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip://+14155550100@example.com", STK_URI_NUMBER_STATED, "14155550100"},
        {"sip:+1234567890123456@example.com", STK_URI_NUMBER_STATED, ""},
        {"sip:14155550100%00@example.com", STK_URI_NUMBER_LIKE, "14155550100"},
        {"sip:14155550100/x@example.com", STK_URI_NUMBER_LIKE, "14155550100"},
        {"sip:14155550100w7@example.com", STK_URI_NUMBER_LIKE, "14155550100"},
        {"sip:141555a@example.com", STK_URI_NUMBER_NONE, ""},
        {"sip:+a1@example.com", STK_URI_NUMBER_NONE, ""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_tn tn = {.text = "7"};

        assert_int_equal(stk_uri_check(cases[i].uri, "orig.uri", NULL), STIRKEEP_OK);
        if (stk_uri_number(cases[i].uri, &tn) != cases[i].is || strcmp(tn.text, cases[i].tn) != 0)
            fail_msg("%s: \"%s\"", cases[i].uri, tn.text);
        assert_int_equal(stk_uri_number(cases[i].uri, NULL), cases[i].is);
    }
}

static void what_is_no_uri_is_refused_with_the_field(void **state)
{
    static const char *const bad[] = {
        "",        "sip",      "sip:",    ":a",           "1sip:a",      "s p:a",
        "sip:a b", "sip:a\"b", "sip:<a>", "sip:a\\b",     "sip:a\r\nX:", "sip:\x7f",
        "sip:%",   "sip:%4",   "sip:%4g", "sip:a^b",      "sip:a`b",     "sip:{a}",
        "sip:a|b", "%41:b",    "/a:b",    "sip:\xc3\xa4", "sip:\x80",    "alice@example.com"};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(stk_uri_check(bad[i], "dest.uri[1]", &error), STIRKEEP_INVALID);
        assert_memory_equal(error.message, "dest.uri[1]: ", 13);
    }
    assert_int_equal(stk_uri_check(NULL, "orig.uri", &error), STIRKEEP_INVALID);
}

static void https_urls_fit_for_x5u_are_taken(void **state)
{
    static const char *const good[] = {"https://cert.example.org/passport.cer",
                                       "https://cert.example.org:443/a/b.pem",
                                       "https://c.example:8443/%41.pem",
                                       "https://192.0.2.1/a",
                                       "https://[2001:db8::1]/a",
                                       "https://[2001:db8::1]:8443/a",
                                       "https://c.example",
                                       "https://c.example/",
                                       "https://c.example/a@b:c/(d)!$&'*+="};
    (void)state;

    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(stk_x5u_check(good[i], NULL), STIRKEEP_OK);
}

static void urls_unfit_for_x5u_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "http://c.example/a",
                                      "HTTPS://c.example/a",
                                      "https:/c.example/a",
                                      "https://",
                                      "https:///a",
                                      "https://c.example:80/a",
                                      "https://c.example:/a",
                                      "https://c.example:4430/a",
                                      "https://c.example:0443/a",
                                      "https://c.example:443:443/a",
                                      "https://user@c.example/a",
                                      "https://user:pw@c.example/a",
                                      "https://c.example/a?b",
                                      "https://c.example/a#b",
                                      "https://c.example?b",
                                      "https://c.example/a;alg=none",
                                      "https://c.example/a,b",
                                      "https://c.example/\"",
                                      "https://c.example/<a>",
                                      "https://c.example/a b",
                                      "https://c.example/a\r\n",
                                      "https://c.example/%4",
                                      "https://c_d.example/a",
                                      "https://-c.example/a",
                                      "https://c-.example/a",
                                      "https://c..example/a",
                                      "https://.example/a",
                                      "https://c.example./a",
                                      "https://c%2e.example/a",
                                      "https://[2001:db8::1/a",
                                      "https://2001:db8::1/a",
                                      "https://[]/a",
                                      "https://[zz::1]/a",
                                      "https://[::1]x/a",
                                      "https://[::1]:80/a",
                                      "https://c.example/[a]",
                                      "https://c.example/\xc3\xa4"};
    char longer[STK_X5U_MAX + 2] = "https://c.example/";
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        if (stk_x5u_check(bad[i], &error) != STIRKEEP_INVALID)
            fail_msg("taken: %s", bad[i]);
        assert_memory_equal(error.message, "x5u: ", 5);
    }
    memset(longer + strlen(longer), 'a', STK_X5U_MAX - strlen(longer));
    assert_int_equal(stk_x5u_check(longer, &error), STIRKEEP_OK);
    longer[STK_X5U_MAX] = 'a';
    assert_int_equal(stk_x5u_check(longer, &error), STIRKEEP_INVALID);
    assert_int_equal(stk_x5u_check(NULL, &error), STIRKEEP_INVALID);
}

static void a_proof_digest_covers_its_domain(void **state)
{
    uint8_t challenge[STK_CHALLENGE_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t plain[STK_DIGEST_LENGTH] = {0};
    char text[2 * STK_DIGEST_LENGTH + 1] = "";
    (void)state;

    for (size_t i = 0; i < sizeof(challenge); i++)
        challenge[i] = (uint8_t)i;
    stk_proof_digest(challenge, digest);
    stk_hex_encode(digest, sizeof(digest), text);
    /* printf 'stirkeep proof v1\0' and bytes 00..1f, through sha256sum. */
    assert_string_equal(text, "c6a9a646198d8d45ab51df269cc0d78eb0c81ddee6848d2801915361425bcbb8");
    stk_sha256(challenge, sizeof(challenge), plain);
    assert_memory_not_equal(digest, plain, sizeof(digest));
    challenge[31] ^= 1;
    stk_proof_digest(challenge, plain);
    assert_memory_not_equal(digest, plain, sizeof(digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_letters_digits_and_three_marks),
        cmocka_unit_test(a_bad_name_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(a_telephone_number_becomes_canonical),
        cmocka_unit_test(what_is_no_telephone_number_is_refused_with_the_field),
        cmocka_unit_test(uris_that_sip_uses_are_taken),
        cmocka_unit_test(a_uri_that_is_a_telephone_number_is_known_in_each_dress),
        cmocka_unit_test(what_is_no_uri_is_refused_with_the_field),
        cmocka_unit_test(https_urls_fit_for_x5u_are_taken),
        cmocka_unit_test(urls_unfit_for_x5u_are_refused),
        cmocka_unit_test(a_proof_digest_covers_its_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
