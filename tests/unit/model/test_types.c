/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trial.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define INVALID STIRKEEP_INVALID

typedef struct stk_claims_input trial(void);

static trial *const trials[] = {trial_base, trial_shaken, trial_div,  trial_div_o,
                                trial_rph,  trial_rcd,    trial_other};

static const struct stk_pair one_digest[] = {
    {"/nam", "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY"}};
static const struct stk_pair one_key[] = {
    {"sha-1", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"}};

/* Give one claim to an input, by its place in `gifts`. */
static void give_attest(struct stk_claims_input *input)
{
    input->attest = "A";
}

static void give_origid(struct stk_claims_input *input)
{
    input->origid = "123e4567-e89b-12d3-a456-426655440000";
}

static void give_div(struct stk_claims_input *input)
{
    input->div_uri = NULL;
    input->div_tn = "1";
}

static void give_hi(struct stk_claims_input *input)
{
    input->div_hi = "1.1";
}

static void give_opt(struct stk_claims_input *input)
{
    input->opt = trial_opt;
}

static void give_rph(struct stk_claims_input *input)
{
    static const char *const auth[] = {"esnet.0"};

    input->rph_auth = auth;
    input->rph_auth_count = 1;
}

static void give_sph(struct stk_claims_input *input)
{
    give_rph(input);
    input->sph = "psap-callback";
}

static void give_rcd(struct stk_claims_input *input)
{
    input->rcd_nam = "Q";
}

static void give_apn(struct stk_claims_input *input)
{
    give_rcd(input);
    input->rcd_apn = "1";
}

static void give_crn(struct stk_claims_input *input)
{
    input->crn = "For your ears only";
}

static void give_rcdi(struct stk_claims_input *input)
{
    give_rcd(input);
    input->rcdi = one_digest;
    input->rcdi_count = 1;
}

static void give_mky(struct stk_claims_input *input)
{
    input->mky = one_key;
    input->mky_count = 1;
}

static void give_other(struct stk_claims_input *input)
{
    input->other = "{\"a\":1}";
}

static void give_compact(struct stk_claims_input *input)
{
    input->compact = true;
}

/* The table of docs/PROTOCOL.md: which type may have which claim. */
static const struct {
    void (*give)(struct stk_claims_input *input);
    const char *field;
    unsigned may;
} gifts[] = {
    {give_attest, "attest:", STK_PPT_SHAKEN},
    {give_origid, "origid:", STK_PPT_SHAKEN},
    {give_div, "div:", STK_PPT_DIV | STK_PPT_DIV_O},
    {give_hi, "div:", STK_PPT_DIV | STK_PPT_DIV_O},
    {give_opt, "opt:", STK_PPT_DIV_O},
    {give_rph, "rph:", STK_PPT_RPH},
    {give_sph, "rph:", STK_PPT_RPH},
    {give_rcd, "rcd:", STK_PPT_RCD | STK_PPT_SHAKEN},
    {give_apn, "rcd:", STK_PPT_RCD | STK_PPT_SHAKEN},
    {give_crn, "crn:", STK_PPT_RCD | STK_PPT_SHAKEN},
    {give_rcdi, "rcd:", STK_PPT_RCD | STK_PPT_SHAKEN},
    {give_mky, "mky:",
     STK_PPT_BASE | STK_PPT_DIV | STK_PPT_DIV_O | STK_PPT_RPH | STK_PPT_RCD | STK_PPT_OTHER},
    {give_other, "other:", STK_PPT_OTHER},
    {give_compact, "compact:", STK_PPT_BASE},
};

static void each_type_has_the_claims_it_may_have_and_no_others(void **state)
{
    for (size_t t = 0; t < COUNT(trials); t++)
        for (size_t g = 0; g < COUNT(gifts); g++) {
            struct stk_claims_input input = trials[t]();
            enum stk_ppt ppt = STK_PPT_BASE;

            assert_true(stk_ppt_parse(input.ppt, &ppt));
            gifts[g].give(&input);
            stk_arena_reset(*state);
            if ((gifts[g].may & ppt) != 0)
                (void)trial_made(*state, &input);
            else
                trial_refused(*state, &input, INVALID, gifts[g].field);
        }
}

static void each_type_has_to_have_its_own_claims(void **state)
{
    struct stk_claims_input input = trial_shaken();

    input.attest = NULL;
    trial_refused(*state, &input, INVALID, "attest: missing");
    input = trial_div();
    input.div_tn = "";
    trial_refused(*state, &input, INVALID, "div: missing");
    input = trial_div_o();
    input.div_tn = NULL;
    trial_refused(*state, &input, INVALID, "div: missing");
    input = trial_div_o();
    input.opt = "";
    trial_refused(*state, &input, INVALID, "opt: missing");
    input = trial_rph();
    input.rph_auth_count = 0;
    trial_refused(*state, &input, INVALID, "rph: missing");
    input = trial_rcd();
    input.rcd_nam = NULL;
    trial_refused(*state, &input, INVALID, "rcd: missing");
    input = trial_other();
    input.other = NULL;
    assert_null(trial_made(*state, &input).other);
}

/* ---- div */

static void div_is_exactly_one_party_in_canonical_form(void **state)
{
    struct stk_claims_input input = trial_div();

    input.div_tn = "+1 (215) 555-1213";
    assert_string_equal(trial_made(*state, &input).div_tn, "12155551213");
    assert_null(trial_made(*state, &input).div_uri);
    input.div_uri = "sip:bob@example.com";
    trial_refused(*state, &input, INVALID, "div: tn and uri given");
    input.div_tn = NULL;
    assert_string_equal(trial_made(*state, &input).div_uri, "sip:bob@example.com");
    input.div_uri = "bob";
    trial_refused(*state, &input, INVALID, "div.uri: ");
    input.div_uri = NULL;
    input.div_tn = "12a";
    trial_refused(*state, &input, INVALID, "div.tn: ");
    input.div_tn = NULL;
    input.div_hi = "1";
    trial_refused(*state, &input, INVALID, "div: missing");
}

static void a_telephone_number_is_no_uri_of_orig_dest_or_div(void **state)
{
    static const char *const dressed[] = {"sip:alice@example.com",
                                          "sip:+14155550100@example.com;user=phone"};
    static const char *const like[] = {"sip:1001@pbx.example.com"};
    struct stk_claims_input input = trial_shaken();

    input.orig_tn = NULL;
    input.orig_uri = "tel:+14155550100";
    trial_refused(*state, &input, INVALID, "orig.uri: is a telephone number, give it as tn");
    input.orig_uri = like[0];
    assert_string_equal(trial_made(*state, &input).orig_uri, like[0]);
    input.dest_uri = dressed;
    input.dest_uri_count = 2;
    trial_refused(*state, &input, INVALID, "dest.uri[1]: is a telephone number");
    input = trial_div();
    input.div_tn = NULL;
    input.div_uri = dressed[1];
    trial_refused(*state, &input, INVALID, "div.uri: is a telephone number");
}

static void hi_is_an_index_of_history_info(void **state)
{
    static const char *const good[] = {"1", "1.2.1", "0.10", "1.1.1.1.1.1.1.1"};
    static const char *const bad[] = {".", "1.", ".1", "1..2", "a", "1,2", "1.2 ", "-1", "1.2\n"};
    char longest[STK_RPH_TEXT_MAX + 2] = "";
    struct stk_claims_input input = trial_div();

    for (size_t i = 0; i < COUNT(good); i++) {
        input.div_hi = good[i];
        assert_string_equal(trial_made(*state, &input).div_hi, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        input.div_hi = bad[i];
        trial_refused(*state, &input, INVALID, "div.hi: ");
    }
    memset(longest, '1', STK_RPH_TEXT_MAX);
    input.div_hi = longest;
    (void)trial_made(*state, &input);
    longest[STK_RPH_TEXT_MAX] = '1';
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "div.hi: ");
}

static void opt_is_a_whole_passport_in_full_form(void **state)
{
    /* {"typ":"JWT"} and {"typ":7} and [] in the first part */
    static const char *const bad[] = {"..AAAA",
                                      ".e30.AAAA",
                                      "e30..AAAA",
                                      "e30.e30",
                                      "a.b.c.d",
                                      "e30=.e30.AAAA",
                                      "e30.e30.AAAA",
                                      "eyJ0eXAiOiJKV1QifQ.e30.AAAA",
                                      "eyJ0eXAiOjd9.e30.AAAA",
                                      "W10.e30.AAAA",
                                      "A.B.C",
                                      "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30.",
                                      "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30.AAAA",
                                      "eyJ0eXAiOiJwYXNzcG9ydCJ9.e3 0.AAAA",
                                      "x"};
    struct stk_claims_input input = trial_div_o();
    char *changed = strdup(trial_opt);

    assert_string_equal(trial_made(*state, &input).opt, trial_opt);
    for (size_t i = 0; i < COUNT(bad); i++) {
        input.opt = bad[i];
        trial_refused(*state, &input, INVALID, "opt: ");
    }
    input.opt = changed;
    assert_non_null(changed);
    for (size_t i = 0; i < strlen(trial_opt); i += 7) { /* a character that base64url has not */
        changed[i] = '+';
        trial_refused(*state, &input, INVALID, "opt: ");
        changed[i] = trial_opt[i];
    }
    free(changed);
}

static void opt_is_no_longer_than_its_limit_and_leaves_no_memory_behind(void **state)
{
    static char longest[STK_OPT_MAX + 2];
    struct stk_arena *arena = *state;
    struct stk_claims_input input = trial_div_o();

    memset(longest, 'A', STK_OPT_MAX);
    memcpy(longest, "eyJ0eXAiOiJwYXNzcG9ydCJ9.", 25);
    longest[STK_OPT_MAX - 87] = '.'; /* before 86 characters of a signature */
    input.opt = longest;
    (void)trial_made(arena, &input);
    assert_true(arena->used < STK_OPT_MAX + 1024);
    longest[STK_OPT_MAX] = 'A';
    trial_refused(arena, &input, STIRKEEP_TOO_LARGE, "opt: ");
}

/* ---- rph, sph */

static void rph_values_are_of_rfc_4412_and_stay_in_their_order(void **state)
{
    static const char *const good[] = {"wps.0",  "ets.0",       "esnet.4", "dsn.flash-override",
                                       "q735.0", "a!%*_+`'~-.Z"};
    static const char *const bad[] = {"",      ".",      "ets",   "ets.",    ".0",        "ets.0.1",
                                      "e s.0", "ets.0 ", "ets,0", "ets.0\n", "\xc3\xa9.0"};
    struct stk_claims_input input = trial_rph();
    struct stk_claims claims = {0};

    input.rph_auth = good;
    input.rph_auth_count = COUNT(good);
    claims = trial_made(*state, &input);
    assert_int_equal(claims.rph_auth_count, COUNT(good));
    for (size_t i = 0; i < COUNT(good); i++)
        assert_string_equal(claims.rph_auth[i], good[i]);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *const list[] = {"ets.0", bad[i]};

        input.rph_auth = list;
        input.rph_auth_count = 2;
        trial_refused(*state, &input, INVALID, "rph.auth[1]: ");
    }
}

static void rph_values_are_counted_bounded_and_none_is_there_twice(void **state)
{
    static const char *const twice[] = {"ets.0", "wps.0", "ets.0"};
    static const char *const missing[] = {NULL};
    const char *many[STK_RPH_MAX + 1];
    char texts[STK_RPH_MAX + 1][8];
    char longest[STK_RPH_TEXT_MAX + 2] = "";
    const char *const one[] = {longest};
    struct stk_claims_input input = trial_rph();

    input.rph_auth = twice;
    input.rph_auth_count = 3;
    trial_refused(*state, &input, INVALID, "rph.auth[2]: ");
    input.rph_auth = missing;
    input.rph_auth_count = 1;
    trial_refused(*state, &input, INVALID, "rph.auth[0]: ");
    for (size_t i = 0; i <= STK_RPH_MAX; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "a.%zu", i);
        many[i] = texts[i];
    }
    input.rph_auth = many;
    input.rph_auth_count = STK_RPH_MAX;
    (void)trial_made(*state, &input);
    input.rph_auth_count = STK_RPH_MAX + 1;
    trial_refused(*state, &input, INVALID, "rph.auth: more than 16");
    memset(longest, 'a', STK_RPH_TEXT_MAX);
    longest[1] = '.';
    input.rph_auth = one;
    input.rph_auth_count = 1;
    (void)trial_made(*state, &input);
    longest[STK_RPH_TEXT_MAX] = 'a';
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "rph.auth");
}

static void sph_is_psap_callback_and_only_with_esnet(void **state)
{
    static const char *const esnet[] = {"wps.0", "esnet.0"};
    static const char *const likes[] = {"esnetx.0", "xesnet.0"};
    static const char *const bad[] = {"emergency", "PSAP-CALLBACK", "psap-callback ", "x"};
    struct stk_claims_input input = trial_rph();

    input.sph = "psap-callback";
    trial_refused(*state, &input, INVALID, "sph: not allowed without");
    input.rph_auth = likes;
    trial_refused(*state, &input, INVALID, "sph: not allowed without");
    input.rph_auth = esnet;
    assert_string_equal(trial_made(*state, &input).sph, "psap-callback");
    for (size_t i = 0; i < COUNT(bad); i++) {
        input.sph = bad[i];
        trial_refused(*state, &input, INVALID, "sph: has to be psap-callback");
    }
}

/* ---- mky */

static void mky_digs_are_upper_case_hex_without_colons_sorted_by_alg_then_dig(void **state)
{
    static const struct stk_pair given[] = {
        {"sha-256",
         "4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab:3e:4b:65:2e:7d:46:3f:"
         "54:42:cd:54:f1"},
        {"sha-256", "021ACC5427ABEB9C533F3E4B652E7D463F5442CD54F17A03A27DF9B07F4619B2"},
        {"sha-1", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
        {"sha-256",
         "02:1A:cc:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:7D:F9:"
         "B0:7F:46:19:B2"}};
    struct stk_claims_input input = trial_base();
    struct stk_claims claims = {0};

    input.mky = given;
    input.mky_count = COUNT(given);
    claims = trial_made(*state, &input);
    assert_int_equal(claims.mky_count, 3);
    assert_string_equal(claims.mky[0].name, "sha-1");
    assert_string_equal(claims.mky[1].value,
                        "021ACC5427ABEB9C533F3E4B652E7D463F5442CD54F17A03A27DF9B07F4619B2");
    assert_string_equal(claims.mky[2].value,
                        "4AADB9B13F82183B540212DF3E5D496B19E57CAB3E4B652E7D463F5442CD54F1");
}

static void what_is_no_media_key_is_refused_with_its_place(void **state)
{
#define SHA1 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    static const struct {
        struct stk_pair pair;
        const char *field;
    } bad[] = {{{"md5", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "mky.alg[1]: "},
               {{"SHA-1", SHA1}, "mky.alg[1]: "},
               {{"sha1", SHA1}, "mky.alg[1]: "},
               {{"", SHA1}, "mky.alg[1]: "},
               {{NULL, SHA1}, "mky.alg[1]: "},
               {{"sha-1", NULL}, "mky.dig[1]: "},
               {{"sha-1", ""}, "mky.dig[1]: "},
               {{"sha-1", SHA1 "AA"}, "mky.dig[1]: "},
               {{"sha-1", "AA"}, "mky.dig[1]: "},
               {{"sha-256", SHA1}, "mky.dig[1]: "},
               {{"sha-1", "G" SHA1}, "mky.dig[1]: "},
               {{"sha-1", ":" SHA1}, "mky.dig[1]: "},
               {{"sha-1", SHA1 ":"}, "mky.dig[1]: "},
               {{"sha-1", "A:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "mky.dig[1]: "},
               {{"sha-1", "AA::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "mky.dig[1]: "},
               {{"sha-1", "AA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "mky.dig[1]: "}};
    struct stk_pair many[STK_MKY_MAX + 1];
    struct stk_claims_input input = trial_base();

    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct stk_pair pairs[] = {{"sha-1", SHA1}, bad[i].pair};

        input.mky = pairs;
        input.mky_count = 2;
        trial_refused(*state, &input, INVALID, bad[i].field);
    }
    for (size_t i = 0; i <= STK_MKY_MAX; i++)
        many[i] = (struct stk_pair){"sha-1", SHA1};
    input.mky = many;
    input.mky_count = STK_MKY_MAX;
    assert_int_equal(trial_made(*state, &input).mky_count, 1);
    input.mky_count = STK_MKY_MAX + 1;
    trial_refused(*state, &input, INVALID, "mky: more than 8");
}

/* ---- other */

static void other_claims_are_any_json_but_none_that_has_a_field(void **state)
{
    static const char *const typed[] = {"attest", "crn",    "dest", "div",  "iat", "mky", "opt",
                                        "orig",   "origid", "rcd",  "rcdi", "rph", "sph"};
    struct stk_claims_input input = trial_other();
    const struct stk_json *other = trial_made(*state, &input).other;

    assert_int_equal(other->count, 2);
    assert_string_equal(other->first->key, "bar");
    assert_string_equal(stk_json_text_of(other, *state),
                        "{\"bar\":\"beyond all recognition\",\"zeta\":[1,{\"a\":null,\"b\":1}]}");
    for (size_t i = 0; i < COUNT(typed); i++) {
        char text[64] = "";

        (void)snprintf(text, sizeof(text), "{\"x\":1,\"%s\":{}}", typed[i]);
        input.other = text;
        trial_refused(*state, &input, INVALID, "other: \"");
        (void)snprintf(text, sizeof(text), "{\"\\u00%02x%s\":1}", typed[i][0], typed[i] + 1);
        trial_refused(*state, &input, INVALID, "other: \""); /* nor behind an escape */
        (void)snprintf(text, sizeof(text), "{\"x\":{\"%s\":1},\"%sx\":1}", typed[i], typed[i]);
        (void)trial_made(*state, &input);
    }
    input.other = "{}";
    assert_null(trial_made(*state, &input).other);
}

static void what_is_no_object_of_claims_is_refused(void **state)
{
    static const char *const bad[] = {"[]",
                                      "null",
                                      "1",
                                      "\"a\"",
                                      "{",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1.5}",
                                      "{\"a\":1}x",
                                      "{\"\":1}",
                                      "{\"a b\":1}",
                                      "{\"\\u00e9\":1}",
                                      "{\"a\\n\":1}",
                                      "{\"\\u007f\":1}"};
    static char large[STK_OTHER_MAX + 2];
    struct stk_claims_input input = trial_other();

    for (size_t i = 0; i < COUNT(bad); i++) {
        input.other = bad[i];
        trial_refused(*state, &input, INVALID, "other: ");
    }
    memset(large, ' ', STK_OTHER_MAX);
    memcpy(large, "{\"a\":1}", 7);
    input.other = large;
    (void)trial_made(*state, &input);
    large[STK_OTHER_MAX] = ' ';
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "other: longer than 16384");
}

static void hostile_json_takes_no_more_than_the_arena(void **state)
{
    static char text[STK_OTHER_MAX + 1];
    struct stk_claims_input input = trial_other();

    memset(text, 0, sizeof(text));
    (void)strcpy(text, "{\"a\":[0");
    while (strlen(text) < STK_OTHER_MAX - 4)
        (void)strcpy(text + strlen(text), ",0");
    (void)strcat(text, "]}");
    input.other = text;
    trial_refused(*state, &input, STIRKEEP_TOO_LARGE, "other: takes too much memory");
}

/* ---- all */

/* No memory: told as such at every point, and nothing is written past the arena. */
static void a_small_arena_is_told_as_too_large_for_every_type(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(trials); t++) {
        struct stk_claims_input input = trials[t]();
        enum stirkeep_status status = STIRKEEP_TOO_LARGE;

        if (t != 1)
            give_mky(&input);
        for (size_t capacity = 1; status != STIRKEEP_OK; capacity += 8) {
            struct stk_arena small = {0};
            struct stk_claims claims = {.iat = 42};

            assert_true(capacity < 4096);
            assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
            status = stk_claims_make(&input, &small, &claims, NULL);
            assert_true(status == STIRKEEP_OK || status == STIRKEEP_TOO_LARGE);
            assert_int_equal(claims.iat == 42, status != STIRKEEP_OK);
            stk_arena_free(&small);
        }
    }
}

static void assert_same_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_true(a == b);
    else
        assert_string_equal(a, b);
}

static void assert_same_pairs(const struct stk_pair *a, const struct stk_pair *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(a[i].name, b[i].name);
        assert_string_equal(a[i].value, b[i].value);
    }
}

static void claims_as_an_input_make_the_same_claims(void **state)
{
    for (size_t t = 0; t < COUNT(trials); t++) {
        struct stk_claims_input input = trials[t]();
        struct stk_claims_input again = {0};
        struct stk_claims first = {0};
        struct stk_claims second = {0};

        if (t != 1)
            give_mky(&input);
        if (t == 5) {
            give_crn(&input);
            give_rcdi(&input);
            input.rcd_jcd = "[\"vcard\",[[\"fn\",{},\"text\",\"Q Branch\"]]]";
        }
        first = trial_made(*state, &input);
        assert_int_equal(stk_claims_input_of(&first, *state, &again), STIRKEEP_OK);
        second = trial_made(*state, &again);
        assert_int_equal(second.ppt, first.ppt);
        assert_string_equal(second.ppt_text, first.ppt_text);
        assert_same_text(second.orig_tn, first.orig_tn);
        assert_same_text(second.div_tn, first.div_tn);
        assert_same_text(second.opt, first.opt);
        assert_same_text(second.sph, first.sph);
        assert_same_text(second.rcd_nam, first.rcd_nam);
        assert_same_text(second.crn, first.crn);
        assert_int_equal(second.attest, first.attest);
        assert_string_equal(second.origid, first.origid);
        assert_int_equal(second.iat, first.iat);
        assert_int_equal(second.rph_auth_count, first.rph_auth_count);
        assert_int_equal(second.mky_count, first.mky_count);
        assert_same_pairs(second.mky, first.mky, first.mky_count);
        assert_int_equal(second.rcdi_count, first.rcdi_count);
        assert_same_pairs(second.rcdi, first.rcdi, first.rcdi_count);
        assert_int_equal(second.other != NULL, first.other != NULL);
        if (first.other != NULL)
            assert_string_equal(stk_json_text_of(second.other, *state),
                                stk_json_text_of(first.other, *state));
        if (first.rcd_jcd != NULL)
            assert_string_equal(stk_json_text_of(second.rcd_jcd, *state),
                                stk_json_text_of(first.rcd_jcd, *state));
    }
}

static void an_input_of_claims_tells_when_there_is_no_room(void **state)
{
    struct stk_claims_input input = trial_other();
    struct stk_claims claims = trial_made(*state, &input);
    struct stk_claims_input again = {.iat = 42};
    struct stk_arena small = {0};

    assert_int_equal(stk_arena_new(&small, 8), STIRKEEP_OK);
    assert_int_equal(stk_claims_input_of(&claims, &small, &again), STIRKEEP_TOO_LARGE);
    assert_int_equal(again.iat, 42);
    stk_arena_free(&small);
}

static void nothing_that_is_made_refers_to_what_was_given(void **state)
{
    for (size_t t = 0; t < COUNT(trials); t++) {
        struct stk_claims_input input = trials[t]();
        struct stk_arena *arena = *state;
        const char *ends = NULL;
        struct stk_claims claims = {0};

        give_mky(&input);
        input.mky_count = t != 1;
        claims = trial_made(arena, &input);
        ends = (const char *)arena->data + arena->used;
        const char *const texts[] = {claims.orig_tn,
                                     claims.dest_tn[0],
                                     claims.div_tn,
                                     claims.opt,
                                     claims.rcd_nam,
                                     claims.rph_auth_count > 0 ? claims.rph_auth[0] : NULL,
                                     claims.mky_count > 0 ? claims.mky[0].name : NULL,
                                     claims.mky_count > 0 ? claims.mky[0].value : NULL};
        for (size_t i = 0; i < COUNT(texts); i++)
            if (texts[i] != NULL)
                assert_true(texts[i] >= (const char *)arena->data && texts[i] < ends);
    }
}

static void the_signer_answers_for_orig_but_for_the_diverting_party_of_a_diversion(void **state)
{
    struct stk_claims_input input = trial_shaken();
    struct stk_claims claims = trial_made(*state, &input);

    assert_string_equal(stk_claims_authority_tn(&claims), "12155551212");
    assert_null(stk_claims_authority_uri(&claims));
    input = trial_div();
    claims = trial_made(*state, &input);
    assert_string_equal(stk_claims_authority_tn(&claims), "12155551213");
    input = trial_div_o();
    input.div_tn = NULL;
    input.div_uri = "sip:d@example.com";
    claims = trial_made(*state, &input);
    assert_null(stk_claims_authority_tn(&claims)); /* not orig's, although that has one */
    assert_string_equal(stk_claims_authority_uri(&claims), "sip:d@example.com");
    input = trial_rcd();
    input.orig_tn = NULL;
    input.orig_uri = "sip:o@example.com";
    claims = trial_made(*state, &input);
    assert_null(stk_claims_authority_tn(&claims));
    assert_string_equal(stk_claims_authority_uri(&claims), "sip:o@example.com");
}

static void numbers_with_more_digits_than_the_configuration_allows_are_refused(void **state)
{
    static const char *const dest[] = {"1234567890", "12345"};
    struct stk_claims_input input = trial_div();
    struct stk_claims claims = {0};
    struct stk_error error = {0};

    input.orig_tn = "123456";
    input.dest_tn = dest;
    input.dest_tn_count = 2;
    input.div_tn = "12345678901";
    claims = trial_made(*state, &input);
    assert_int_equal(stk_claims_check_digits(&claims, 15, NULL), STIRKEEP_OK);
    assert_int_equal(stk_claims_check_digits(&claims, 11, NULL), STIRKEEP_OK);
    assert_int_equal(stk_claims_check_digits(&claims, 10, &error), INVALID);
    assert_string_equal(error.message, "div.tn: more than 10 digits");
    assert_int_equal(stk_claims_check_digits(&claims, 9, &error), INVALID);
    assert_string_equal(error.message, "dest.tn: more than 9 digits");
    assert_int_equal(stk_claims_check_digits(&claims, 5, &error), INVALID);
    assert_string_equal(error.message, "orig.tn: more than 5 digits");
    input = trial_rcd();
    input.rcd_apn = "1234567890123";
    claims = trial_made(*state, &input);
    assert_int_equal(stk_claims_check_digits(&claims, 12, &error), INVALID);
    assert_string_equal(error.message, "rcd.apn: more than 12 digits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_the_claims_it_may_have_and_no_others),
        cmocka_unit_test(each_type_has_to_have_its_own_claims),
        cmocka_unit_test(div_is_exactly_one_party_in_canonical_form),
        cmocka_unit_test(a_telephone_number_is_no_uri_of_orig_dest_or_div),
        cmocka_unit_test(hi_is_an_index_of_history_info),
        cmocka_unit_test(opt_is_a_whole_passport_in_full_form),
        cmocka_unit_test(opt_is_no_longer_than_its_limit_and_leaves_no_memory_behind),
        cmocka_unit_test(rph_values_are_of_rfc_4412_and_stay_in_their_order),
        cmocka_unit_test(rph_values_are_counted_bounded_and_none_is_there_twice),
        cmocka_unit_test(sph_is_psap_callback_and_only_with_esnet),
        cmocka_unit_test(mky_digs_are_upper_case_hex_without_colons_sorted_by_alg_then_dig),
        cmocka_unit_test(what_is_no_media_key_is_refused_with_its_place),
        cmocka_unit_test(other_claims_are_any_json_but_none_that_has_a_field),
        cmocka_unit_test(what_is_no_object_of_claims_is_refused),
        cmocka_unit_test(hostile_json_takes_no_more_than_the_arena),
        cmocka_unit_test(a_small_arena_is_told_as_too_large_for_every_type),
        cmocka_unit_test(claims_as_an_input_make_the_same_claims),
        cmocka_unit_test(an_input_of_claims_tells_when_there_is_no_room),
        cmocka_unit_test(nothing_that_is_made_refers_to_what_was_given),
        cmocka_unit_test(the_signer_answers_for_orig_but_for_the_diverting_party_of_a_diversion),
        cmocka_unit_test(numbers_with_more_digits_than_the_configuration_allows_are_refused),
    };

    return cmocka_run_group_tests_name("types", tests, trial_begin, trial_end);
}
