/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/claims.h"
#include <string.h>

#define UUID "123e4567-e89b-12d3-a456-426655440000"

static const char *const one_tn[] = {"+1 215 555 0131"};

static int new_arena(void **state)
{
    static struct stk_arena arena;

    *state = &arena;
    return stk_arena_new(&arena, 16 * 1024) == STIRKEEP_OK ? 0 : -1;
}

static int free_arena(void **state)
{
    stk_arena_free(*state);
    return 0;
}

/* The claims of RFC 8588's example, as a client would give them. */
static struct stk_claims_input shaken(void)
{
    return (struct stk_claims_input){.ppt = "shaken",
                                     .orig_tn = "+1-215-555-0121",
                                     .dest_tn = one_tn,
                                     .dest_tn_count = 1,
                                     .iat = 1443208345,
                                     .attest = "A",
                                     .origid = UUID};
}

static void assert_refused(struct stk_arena *arena, const struct stk_claims_input *input,
                           enum stirkeep_status status, const char *begin)
{
    struct stk_claims claims = {.iat = 42};
    struct stk_error error = {0};

    stk_arena_reset(arena);
    assert_int_equal(stk_claims_make(input, arena, &claims, &error), status);
    if (strncmp(error.message, begin, strlen(begin)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", error.message, begin);
    assert_int_equal(claims.iat, 42);
    assert_int_equal(error.status, status);
}

static void shaken_claims_become_canonical(void **state)
{
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};

    input.origid = "123E4567-E89B-12D3-A456-426655440000";
    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    assert_int_equal(claims.ppt, STK_PPT_SHAKEN);
    assert_string_equal(claims.orig_tn, "12155550121");
    assert_null(claims.orig_uri);
    assert_int_equal(claims.dest_tn_count, 1);
    assert_string_equal(claims.dest_tn[0], "12155550131");
    assert_int_equal(claims.dest_uri_count, 0);
    assert_int_equal(claims.iat, 1443208345);
    assert_int_equal(claims.attest, 'A');
    assert_string_equal(claims.origid, UUID);
}

static void base_claims_have_neither_attest_nor_origid(void **state)
{
    static const char *const uris[] = {"sip:alice@example.com"};
    struct stk_claims_input input = {
        .ppt = NULL, .orig_uri = "sip:b@example.com", .dest_uri = uris, .dest_uri_count = 1};
    struct stk_claims claims = {0};

    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    assert_int_equal(claims.ppt, STK_PPT_BASE);
    assert_null(claims.orig_tn);
    assert_string_equal(claims.orig_uri, "sip:b@example.com");
    assert_string_equal(claims.dest_uri[0], uris[0]);
    assert_int_equal(claims.attest, 0);
    assert_string_equal(claims.origid, "");
    input.attest = "A";
    assert_refused(*state, &input, STIRKEEP_INVALID, "attest: ");
    input.attest = "";
    input.origid = UUID;
    assert_refused(*state, &input, STIRKEEP_INVALID, "origid: ");
}

static void destinations_are_sorted_and_none_is_there_twice(void **state)
{
    static const char *const tns[] = {"+15", "200", "1-5", "*1", "1", "200"};
    static const char *const uris[] = {"sip:b@x", "sip:a@x", "sip:B@x", "sip:b@x"};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};

    input.dest_tn = tns;
    input.dest_tn_count = 6;
    input.dest_uri = uris;
    input.dest_uri_count = 4;
    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    assert_int_equal(claims.dest_tn_count, 4);
    assert_string_equal(claims.dest_tn[0], "*1");
    assert_string_equal(claims.dest_tn[1], "1");
    assert_string_equal(claims.dest_tn[2], "15");
    assert_string_equal(claims.dest_tn[3], "200");
    assert_int_equal(claims.dest_uri_count, 3);
    assert_string_equal(claims.dest_uri[0], "sip:B@x");
    assert_string_equal(claims.dest_uri[1], "sip:a@x");
    assert_string_equal(claims.dest_uri[2], "sip:b@x");
}

static void canonical_claims_stay_as_they_are(void **state)
{
    static const char *const tns[] = {"3", "2", "1"};
    struct stk_claims_input input = shaken();
    struct stk_claims first = {0};
    struct stk_claims second = {0};

    input.dest_tn = tns;
    input.dest_tn_count = 3;
    assert_int_equal(stk_claims_make(&input, *state, &first, NULL), STIRKEEP_OK);
    input.orig_tn = first.orig_tn;
    input.dest_tn = first.dest_tn;
    input.origid = first.origid;
    assert_int_equal(stk_claims_make(&input, *state, &second, NULL), STIRKEEP_OK);
    assert_string_equal(second.orig_tn, first.orig_tn);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(second.dest_tn[i], first.dest_tn[i]);
}

static void exactly_one_originator_is_taken(void **state)
{
    struct stk_claims_input input = shaken();

    input.orig_uri = "sip:a@b";
    assert_refused(*state, &input, STIRKEEP_INVALID, "orig: ");
    input.orig_uri = NULL;
    input.orig_tn = NULL;
    assert_refused(*state, &input, STIRKEEP_INVALID, "orig: ");
    input.orig_tn = "";
    input.orig_uri = "";
    assert_refused(*state, &input, STIRKEEP_INVALID, "orig: ");
    input.orig_tn = "12a";
    assert_refused(*state, &input, STIRKEEP_INVALID, "orig.tn: ");
    input.orig_tn = NULL;
    input.orig_uri = "alice";
    assert_refused(*state, &input, STIRKEEP_INVALID, "orig.uri: ");
}

static void destinations_are_counted_and_named_when_refused(void **state)
{
    const char *many[STK_DEST_MAX + 1];
    static const char *const third_bad[] = {"1", "2", "x"};
    static const char *const second_bad[] = {"sip:a", "sip:\n"};
    static const char *const missing[] = {NULL};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};

    for (size_t i = 0; i < STK_DEST_MAX + 1; i++)
        many[i] = "1";
    input.dest_tn_count = 0;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest: missing");
    input.dest_tn = many;
    input.dest_tn_count = STK_DEST_MAX + 1;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest: more than 32");
    input.dest_tn_count = STK_DEST_MAX;
    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    assert_int_equal(claims.dest_tn_count, 1);
    input.dest_uri = second_bad;
    input.dest_uri_count = 1;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest: more than 32");
    input.dest_tn_count = 1;
    input.dest_uri_count = SIZE_MAX;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest: more than 32");
    input.dest_uri_count = 2;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest.uri[1]: ");
    input.dest_tn = third_bad;
    input.dest_tn_count = 3;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest.tn[2]: ");
    input.dest_tn = missing;
    input.dest_tn_count = 1;
    assert_refused(*state, &input, STIRKEEP_INVALID, "dest.tn[0]: ");
}

static void attest_is_exactly_a_b_or_c_and_never_defaulted(void **state)
{
    static const char *const bad[] = {"", "a", "D", "AB", "A ", " A", "@", "\xc3\x81"};
    static const char *const good[] = {"A", "B", "C"};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        input.attest = bad[i];
        assert_refused(*state, &input, STIRKEEP_INVALID, "attest: ");
    }
    input.attest = NULL;
    assert_refused(*state, &input, STIRKEEP_INVALID, "attest: missing");
    for (size_t i = 0; i < 3; i++) {
        input.attest = good[i];
        assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
        assert_int_equal(claims.attest, good[i][0]);
    }
}

static void origid_is_a_uuid_or_left_to_the_signer(void **state)
{
    static const char *const bad[] = {"1",
                                      "123e4567-e89b-12d3-a456-42665544000",
                                      UUID "0",
                                      "123e4567e89b-12d3-a456-4266554400000",
                                      "123e4567-e89b-12d3-a456-42665544000g",
                                      "{23e4567-e89b-12d3-a456-42665544000}",
                                      "123e4567-e89b-12d3-a456-42665544000\"",
                                      "------------------------------------",
                                      "00000000-0000-0000-0000-000000000000",
                                      "FFFFFFFF-ffff-ffff-ffff-ffffffffffff"};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        input.origid = bad[i];
        assert_refused(*state, &input, STIRKEEP_INVALID, "origid: ");
    }
    input.origid = NULL;
    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    assert_string_equal(claims.origid, "");
}

static void an_unknown_ppt_is_unsupported_when_it_is_no_name(void **state)
{
    static const char *const bad[] = {"base",
                                      "other",
                                      "SHAKEN",
                                      "Shaken",
                                      "shaken ",
                                      "DIV-O",
                                      "Base",
                                      "RPH",
                                      "%s%s%n",
                                      "\n",
                                      "1x",
                                      "-a",
                                      ".",
                                      "a/b",
                                      "a b",
                                      "a\"",
                                      "\xc3\xa4",
                                      "a\x7f",
                                      "seventeen-letters"};
    struct stk_claims_input input = shaken();
    enum stk_ppt ppt = STK_PPT_SHAKEN;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        input.ppt = bad[i];
        assert_refused(*state, &input, STIRKEEP_UNSUPPORTED, "ppt: ");
        assert_false(stk_ppt_parse(bad[i], &ppt));
    }
    assert_int_equal(ppt, STK_PPT_SHAKEN);
}

static void each_type_has_its_name_and_other_names_are_other(void **state)
{
    static const struct {
        const char *name;
        enum stk_ppt ppt;
    } types[] = {{"shaken", STK_PPT_SHAKEN},
                 {"div", STK_PPT_DIV},
                 {"div-o", STK_PPT_DIV_O},
                 {"rph", STK_PPT_RPH},
                 {"rcd", STK_PPT_RCD}};
    static const char *const others[] = {"msec", "x", "a.b_c-9", "sixteen-letters-"};
    enum stk_ppt ppt = STK_PPT_SHAKEN;
    (void)state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_true(stk_ppt_parse(types[i].name, &ppt));
        assert_int_equal(ppt, types[i].ppt);
        assert_string_equal(stk_ppt_name(ppt), types[i].name);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(stk_ppt_parse(others[i], &ppt));
        assert_int_equal(ppt, STK_PPT_OTHER);
    }
    assert_true(stk_ppt_parse("", &ppt));
    assert_int_equal(ppt, STK_PPT_BASE);
    assert_true(stk_ppt_parse(NULL, &ppt));
    assert_string_equal(stk_ppt_name(STK_PPT_BASE), "base");
    assert_string_equal(stk_ppt_name(STK_PPT_OTHER), "other");
    assert_string_equal(stk_ppt_name((enum stk_ppt)77), "unknown");
}

static void iat_is_not_negative_nor_past_what_json_carries(void **state)
{
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};

    input.iat = -1;
    assert_refused(*state, &input, STIRKEEP_INVALID, "iat: ");
    input.iat = 9007199254740992;
    assert_refused(*state, &input, STIRKEEP_INVALID, "iat: ");
    input.iat = 9007199254740991;
    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    input.iat = 0;
    assert_int_equal(stk_claims_make(&input, *state, &claims, NULL), STIRKEEP_OK);
    assert_int_equal(claims.iat, 0);
}

static void no_memory_is_told_as_too_large(void **state)
{
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {.iat = 42};
    struct stk_arena small = {0};
    (void)state;

    for (size_t capacity = 1; capacity < 96; capacity++) {
        struct stk_error error = {0};
        enum stirkeep_status status = STIRKEEP_OK;

        assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
        status = stk_claims_make(&input, &small, &claims, &error);
        if (status == STIRKEEP_OK)
            assert_true(capacity > 32);
        else
            assert_int_equal(status, STIRKEEP_TOO_LARGE);
        stk_arena_free(&small);
    }
    assert_int_equal(claims.iat, 1443208345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shaken_claims_become_canonical),
        cmocka_unit_test(base_claims_have_neither_attest_nor_origid),
        cmocka_unit_test(destinations_are_sorted_and_none_is_there_twice),
        cmocka_unit_test(canonical_claims_stay_as_they_are),
        cmocka_unit_test(exactly_one_originator_is_taken),
        cmocka_unit_test(destinations_are_counted_and_named_when_refused),
        cmocka_unit_test(attest_is_exactly_a_b_or_c_and_never_defaulted),
        cmocka_unit_test(origid_is_a_uuid_or_left_to_the_signer),
        cmocka_unit_test(an_unknown_ppt_is_unsupported_when_it_is_no_name),
        cmocka_unit_test(each_type_has_its_name_and_other_names_are_other),
        cmocka_unit_test(iat_is_not_negative_nor_past_what_json_carries),
        cmocka_unit_test(no_memory_is_told_as_too_large),
    };

    return cmocka_run_group_tests(tests, new_arena, free_arena);
}
