/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compose.h"
#include "passport/permitted.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const one_dest[] = {"12155551214"};

static struct stk_claims_input shaken(void)
{
    return (struct stk_claims_input){.ppt = "shaken",
                                     .orig_tn = "12025550150",
                                     .dest_tn = one_dest,
                                     .dest_tn_count = 1,
                                     .iat = 1443208345,
                                     .attest = "A",
                                     .origid = "123e4567-e89b-12d3-a456-426655440000"};
}

static void assert_permitted(struct stk_arena *arena, const struct stk_constraints *constraints,
                             const struct stk_claims_input *input)
{
    struct stk_claims claims = made(arena, input);
    struct stk_error error = {0};
    const size_t used = arena->used;

    if (stk_passport_permitted(constraints, &claims, arena, &error) != STIRKEEP_OK)
        fail_msg("not permitted: %s", error.message);
    assert_int_equal(arena->used, used);
}

static void assert_not_permitted(struct stk_arena *arena, const struct stk_constraints *constraints,
                                 const struct stk_claims_input *input, const char *message)
{
    struct stk_claims claims = made(arena, input);
    struct stk_error error = {0};

    assert_int_equal(stk_passport_permitted(constraints, &claims, arena, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, message);
}

static void a_certificate_without_constraints_permits_everything(void **state)
{
    const struct stk_constraints none = {0};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = made(*state, &input);
    struct stk_arena nothing = {0};

    assert_int_equal(stk_passport_permitted(NULL, &claims, &nothing, NULL), STIRKEEP_OK);
    assert_int_equal(stk_passport_permitted(&none, &claims, &nothing, NULL), STIRKEEP_OK);
}

/* ---- TNAuthList */

static void a_certificate_with_tn_entries_signs_only_for_orig_numbers_they_cover(void **state)
{
    struct stk_number_range ranges[2];
    struct stk_constraints constraints = {.numbers_only = true, .ranges = ranges};
    struct stk_claims_input input = shaken();

    assert_int_equal(stk_number_run("12025550100", 100, "tn", &ranges[0], NULL), STIRKEEP_OK);
    assert_int_equal(stk_number_run("12125550000", 1, "tn", &ranges[1], NULL), STIRKEEP_OK);
    constraints.range_count = stk_number_ranges_normalise(ranges, 2);
    assert_permitted(*state, &constraints, &input);
    input.orig_tn = "12025550100";
    assert_permitted(*state, &constraints, &input);
    input.orig_tn = "12025550199";
    assert_permitted(*state, &constraints, &input);
    input.orig_tn = "12125550000";
    assert_permitted(*state, &constraints, &input);
    input.orig_tn = "12025550099";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList does not cover orig 12025550099");
    input.orig_tn = "12025550200";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList does not cover orig 12025550200");
    input.orig_tn = "1202555010*";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList does not cover orig 1202555010*");
    input.orig_tn = NULL;
    input.orig_uri = "sip:12025550150@example.com";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList has numbers alone, and orig is a URI");
}

static void numbers_alone_and_none_of_them_permit_nothing(void **state)
{
    const struct stk_constraints constraints = {.numbers_only = true};
    struct stk_claims_input input = shaken();

    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList does not cover orig 12025550150");
}

static void a_diversion_is_held_to_its_diverting_party_not_to_the_caller(void **state)
{
    struct stk_number_range range = {0};
    struct stk_constraints constraints = {.numbers_only = true, .ranges = &range, .range_count = 1};
    struct stk_claims_input input = shaken();

    assert_int_equal(stk_number_run("12155551213", 1, "tn", &range, NULL), STIRKEEP_OK);
    input.ppt = "div";
    input.attest = NULL;
    input.origid = NULL;
    input.div_tn = "12155551213";
    assert_permitted(*state, &constraints, &input);
    input.div_tn = "12025550150"; /* the caller's own */
    input.orig_tn = "12155551213";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList does not cover div 12025550150");
    input.div_tn = NULL;
    input.div_uri = "sip:12155551213@example.com";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: its TNAuthList has numbers alone, and div is a URI");
}

/* ---- JWTClaimConstraints */

static void must_include_claims_have_to_be_there(void **state)
{
    static const char *const attest[] = {"attest", "rcd"};
    struct stk_constraints constraints = {.must_include = attest, .must_include_count = 1};
    struct stk_claims_input input = shaken();

    assert_permitted(*state, &constraints, &input);
    constraints.must_include_count = 2;
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: rcd has to be there (mustInclude)");
    input.rcd_nam = "Q";
    assert_permitted(*state, &constraints, &input);
    input = (struct stk_claims_input){
        .orig_tn = "1", .dest_tn = one_dest, .dest_tn_count = 1, .iat = 1};
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: attest has to be there (mustInclude)");
}

static void must_exclude_claims_may_not_be_there(void **state)
{
    static const char *const names[] = {"priority", "crn"};
    const struct stk_constraints constraints = {.must_exclude = names, .must_exclude_count = 2};
    struct stk_claims_input input = shaken();

    assert_permitted(*state, &constraints, &input);
    input.crn = "x";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: crn may not be there (mustExclude)");
    input.crn = NULL;
    input.ppt = "msec";
    input.attest = NULL;
    input.origid = NULL;
    input.other = "{\"priority\":null}";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: priority may not be there (mustExclude)");
    input.other = "{\"Priority\":1,\"prioritys\":2,\"x\":{\"priority\":3}}";
    assert_permitted(*state, &constraints, &input);
}

static void iat_orig_dest_and_a_shaken_ones_origid_always_count_as_there(void **state)
{
    static const char *const always[] = {"iat", "orig", "dest", "origid"};
    struct stk_constraints constraints = {.must_include = always, .must_include_count = 4};
    struct stk_claims_input input = shaken();

    input.iat = 0; /* now */
    input.origid = NULL;
    assert_permitted(*state, &constraints, &input);
    for (size_t i = 0; i < COUNT(always); i++) {
        char message[80] = "";

        constraints = (struct stk_constraints){.must_exclude = &always[i], .must_exclude_count = 1};
        (void)snprintf(message, sizeof(message), "certificate: %s may not be there (mustExclude)",
                       always[i]);
        assert_not_permitted(*state, &constraints, &input, message);
    }
}

/* RFC 9118 section 4: "confidence" with "low", "medium" and "high". */
static void a_claim_with_permitted_values_has_one_of_them_when_it_is_there(void **state)
{
    static const char *const values[] = {"high", "medium"};
    static const struct stk_permitted permitted = {"confidence", values, 2};
    const struct stk_constraints constraints = {.permitted = &permitted, .permitted_count = 1};
    static const struct {
        const char *other;
        bool good;
    } cases[] = {{"{\"confidence\":\"high\"}", true},
                 {"{\"confidence\":\"medium\"}", true},
                 {"{\"x\":1}", true},
                 {"{\"confidence\":\"low\"}", false},
                 {"{\"confidence\":\"High\"}", false},
                 {"{\"confidence\":\"high \"}", false},
                 {"{\"confidence\":\"\"}", false},
                 {"{\"confidence\":null}", false},
                 {"{\"confidence\":[\"high\"]}", false},
                 {"{\"confidence\":{\"high\":1}}", false},
                 {"{\"confidence\":\"\\u0068igh\"}", true}};
    struct stk_claims_input input = {
        .ppt = "msec", .orig_tn = "1", .dest_tn = one_dest, .dest_tn_count = 1, .iat = 1};

    for (size_t i = 0; i < COUNT(cases); i++) {
        input.other = cases[i].other;
        if (cases[i].good)
            assert_permitted(*state, &constraints, &input);
        else
            assert_not_permitted(*state, &constraints, &input,
                                 "certificate: confidence has none of the values that it permits");
    }
}

static void permitted_values_of_strings_are_the_strings_themselves(void **state)
{
    static const char *const values[] = {"say \"hi\" \\ \n\xc3\xa9"};
    static const struct stk_permitted permitted[] = {{"bar", values, 1}};
    const struct stk_constraints constraints = {.permitted = permitted, .permitted_count = 1};
    struct stk_claims_input input = {
        .ppt = "foo", .orig_tn = "1", .dest_tn = one_dest, .dest_tn_count = 1, .iat = 1};

    input.other = "{\"bar\":\"say \\\"hi\\\" \\\\ \\n\\u00e9\"}";
    assert_permitted(*state, &constraints, &input);
    input.other = "{\"bar\":\"say \\\"hi\\\" \\\\ \\\\n\\u00e9\"}";
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: bar has none of the values that it permits");
}

/* RFC 9795 section 6.3: the rcdi's value is pinned as JSON, however that is spaced. */
static void permitted_values_of_other_claims_are_compared_as_canonical_json(void **state)
{
    static const char *const values[] = {
        "not json", " { \"/nam\" : \"sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY\" } "};
    static const struct stk_pair digests[] = {
        {"/nam", "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY"}};
    static const struct stk_pair changed[] = {
        {"/nam", "sha256-7kdCBZqH0nqMSPsmABvsKlHPhZEStgjojhdSJGRr3rk"}};
    static const struct stk_permitted permitted = {"rcdi", values, 2};
    const struct stk_constraints constraints = {.permitted = &permitted, .permitted_count = 1};
    struct stk_claims_input input = shaken();

    input.rcd_nam = "Q Branch Spy Gadgets";
    input.rcdi = digests;
    input.rcdi_count = 1;
    assert_permitted(*state, &constraints, &input);
    input.rcdi = changed;
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: rcdi has none of the values that it permits");
    input.rcdi_count = 0;
    assert_permitted(*state, &constraints, &input);
}

static void attest_and_every_other_typed_claim_can_be_constrained(void **state)
{
    static const struct {
        const char *claim;
        const char *value;
    } cases[] = {{"attest", "A"},
                 {"origid", "123e4567-e89b-12d3-a456-426655440000"},
                 {"crn", "For your ears only"},
                 {"orig", "{\"tn\":\"12025550150\"}"},
                 {"dest", "{\"tn\":[\"12155551214\"]}"},
                 {"iat", "1443208345"},
                 {"rcd", "{\"nam\":\"Q\"}"}};
    struct stk_claims_input input = shaken();

    input.crn = "For your ears only";
    input.rcd_nam = "Q";
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const good[] = {"x", cases[i].value};
        const struct stk_permitted permitted = {cases[i].claim, good, 2};
        const struct stk_permitted refused = {cases[i].claim, good, 1};
        struct stk_constraints constraints = {.permitted = &permitted, .permitted_count = 1};
        char message[80] = "";

        assert_permitted(*state, &constraints, &input);
        constraints.permitted = &refused;
        (void)snprintf(message, sizeof(message),
                       "certificate: %s has none of the values that it permits", cases[i].claim);
        assert_not_permitted(*state, &constraints, &input, message);
    }
}

static void a_value_that_the_signer_makes_cannot_be_promised(void **state)
{
    static const char *const values[] = {"123e4567-e89b-12d3-a456-426655440000", "0"};
    static const struct stk_permitted permitted[] = {{"origid", values, 1}, {"iat", values + 1, 1}};
    struct stk_constraints constraints = {.permitted = permitted, .permitted_count = 1};
    struct stk_claims_input input = shaken();

    assert_permitted(*state, &constraints, &input);
    input.origid = NULL;
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: it has permitted values for origid, which is not given");
    constraints.permitted = permitted + 1;
    input.iat = 0;
    assert_not_permitted(*state, &constraints, &input,
                         "certificate: it has permitted values for iat, which is not given");
}

static void no_values_at_all_permit_none(void **state)
{
    static const struct stk_permitted permitted = {"attest", NULL, 0};
    const struct stk_constraints constraints = {.permitted = &permitted, .permitted_count = 1};
    struct stk_claims_input input = shaken();

    assert_not_permitted(*state, &constraints, &input,
                         "certificate: attest has none of the values that it permits");
}

static void lack_of_memory_permits_nothing(void **state)
{
    static const char *const values[] = {"{\"nam\":\"Q\"}"};
    static const struct stk_permitted permitted = {"rcd", values, 1};
    const struct stk_constraints constraints = {.permitted = &permitted, .permitted_count = 1};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = {0};
    enum stirkeep_status status = STIRKEEP_NOT_PERMITTED;

    input.rcd_nam = "Q";
    claims = made(*state, &input);
    for (size_t capacity = 1; status != STIRKEEP_OK; capacity += 8) {
        struct stk_arena small = {0};

        assert_true(capacity < 4096);
        assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
        status = stk_passport_permitted(&constraints, &claims, &small, NULL);
        assert_true(status == STIRKEEP_OK || status == STIRKEEP_NOT_PERMITTED ||
                    status == STIRKEEP_TOO_LARGE);
        assert_true(status != STIRKEEP_OK || capacity > 200);
        stk_arena_free(&small);
    }
}

static void a_certificates_long_names_do_not_fill_the_message(void **state)
{
    static char name[STK_CONSTRAINT_TEXT_MAX + 1];
    const char *names[] = {name};
    const struct stk_constraints constraints = {.must_include = names, .must_include_count = 1};
    struct stk_claims_input input = shaken();
    struct stk_claims claims = made(*state, &input);
    struct stk_error error = {0};

    memset(name, 'n', STK_CONSTRAINT_TEXT_MAX);
    assert_int_equal(stk_passport_permitted(&constraints, &claims, *state, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(error.message, "nnn has to be there (mustInclude)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_without_constraints_permits_everything),
        cmocka_unit_test(a_certificate_with_tn_entries_signs_only_for_orig_numbers_they_cover),
        cmocka_unit_test(numbers_alone_and_none_of_them_permit_nothing),
        cmocka_unit_test(a_diversion_is_held_to_its_diverting_party_not_to_the_caller),
        cmocka_unit_test(must_include_claims_have_to_be_there),
        cmocka_unit_test(must_exclude_claims_may_not_be_there),
        cmocka_unit_test(iat_orig_dest_and_a_shaken_ones_origid_always_count_as_there),
        cmocka_unit_test(a_claim_with_permitted_values_has_one_of_them_when_it_is_there),
        cmocka_unit_test(permitted_values_of_strings_are_the_strings_themselves),
        cmocka_unit_test(permitted_values_of_other_claims_are_compared_as_canonical_json),
        cmocka_unit_test(attest_and_every_other_typed_claim_can_be_constrained),
        cmocka_unit_test(a_value_that_the_signer_makes_cannot_be_promised),
        cmocka_unit_test(no_values_at_all_permit_none),
        cmocka_unit_test(lack_of_memory_permits_nothing),
        cmocka_unit_test(a_certificates_long_names_do_not_fill_the_message),
    };

    return cmocka_run_group_tests_name("permitted", tests, compose_begin, compose_end);
}
