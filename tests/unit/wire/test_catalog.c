/* SPDX-License-Identifier: BSD-2-Clause */
/* What front is told with a name: its certificate's constraints, and what was used up before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expect.h"
#include "surgery.h"
#include "wire/codec_constraints.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static struct stk_catalog_push push_of(struct stk_certificate *entry,
                                       const struct stk_constraints *constraints)
{
    fill_certificate(entry, 5);
    entry->constraints = constraints;
    return (struct stk_catalog_push){.push = 1, .last = true, .entries = entry, .entry_count = 1};
}

/* Send the constraints with a name; the trial is the caller's to end. */
static const struct stk_constraints *pass_constraints(const struct stk_constraints *constraints,
                                                      struct trial *trial)
{
    struct stk_certificate entry;
    union decoded value;

    value.push = push_of(&entry, constraints);
    pass_on(&codec_push, &value, trial);
    return trial->value.push.entries[0].constraints;
}

static void constraints_arrive_as_they_are(void **state)
{
    struct stk_constraints sent;
    const struct stk_constraints *taken = NULL;
    struct trial trial;
    (void)state;

    fill_constraints(&sent);
    taken = pass_constraints(&sent, &trial);
    assert_true(taken->numbers_only);
    assert_int_equal(taken->range_count, 1);
    assert_true(taken->ranges[0].first == SAMPLE_KEY_FIRST);
    assert_true(taken->ranges[0].last == SAMPLE_KEY_LAST);
    assert_int_equal(taken->must_include_count, 2);
    assert_string_equal(taken->must_include[0], "must_include");
    assert_string_equal(taken->must_include[1], "second must_include");
    assert_int_equal(taken->permitted_count, 2);
    assert_string_equal(taken->permitted[0].claim, "claim");
    assert_int_equal(taken->permitted[0].count, 2);
    assert_string_equal(taken->permitted[0].values[1], "second values");
    assert_string_equal(taken->permitted[1].claim, "second claim");
    assert_int_equal(taken->permitted[1].count, 1);
    assert_int_equal(taken->must_exclude_count, 1);
    assert_string_equal(taken->must_exclude[0], "must_exclude");
    trial_end(&trial);
}

/* No constraints, and constraints that nothing satisfies, are not the same. */
static void a_certificate_without_constraints_has_none(void **state)
{
    const struct stk_constraints none = {.numbers_only = true};
    const struct stk_constraints *taken = NULL;
    struct trial trial;
    (void)state;

    assert_null(pass_constraints(NULL, &trial));
    trial_end(&trial);
    taken = pass_constraints(&none, &trial);
    assert_non_null(taken);
    assert_true(taken->numbers_only);
    assert_int_equal(taken->range_count, 0);
    trial_end(&trial);
}

/* ---- ranges */

static enum stirkeep_status ranges_status(const struct stk_number_range *ranges, size_t count)
{
    const struct stk_constraints constraints = {
        .numbers_only = true, .ranges = ranges, .range_count = count};
    struct stk_certificate entry;
    union decoded value;
    struct stk_buffer out = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    value.push = push_of(&entry, &constraints);
    assert_int_equal(codec_push.encode(&value, &out), STIRKEEP_OK);
    status = trial_status(&codec_push, view(&out));
    stk_buffer_free(&out);
    return status;
}

/* Whoever looks them up relies on it that they are keys of numbers. */
static void a_range_that_is_none_is_refused(void **state)
{
    static const struct stk_number_range good[] = {
        {SAMPLE_KEY_FIRST, SAMPLE_KEY_LAST},
        {SAMPLE_KEY_FIRST, SAMPLE_KEY_FIRST},
        {UINT64_C(0x1000000000000000), UINT64_C(0x1000000000000009)},
        {UINT64_C(0x100000000000000b), UINT64_C(0x100000000000000b)}, /* "#" */
        {UINT64_C(0xf000000000000000), UINT64_C(0xf999999999999999)}};
    static const struct stk_number_range bad[] = {
        {SAMPLE_KEY_LAST, SAMPLE_KEY_FIRST}, /* backwards */
        {0, 0},                              /* no digits */
        {0, SAMPLE_KEY_LAST},                /* of two lengths */
        {SAMPLE_KEY_FIRST, UINT64_MAX},      /* of two lengths, no number */
        {UINT64_MAX, UINT64_MAX},            /* no number */
        {UINT64_C(0x100000000000000c), UINT64_C(0x100000000000000c)}, /* no character */
        {UINT64_C(0x1000000000000010), UINT64_C(0x1000000000000010)}, /* longer than it says */
        {UINT64_C(0x2000000000000100), UINT64_C(0x2000000000000100)},
        {UINT64_C(0x1000000000000000), UINT64_C(0x100000000000000a)}, /* a run up to "*" */
        {UINT64_C(0x100000000000000a), UINT64_C(0x100000000000000b)}, /* "*" to "#" */
        {UINT64_C(0x200000000000000a), UINT64_C(0x2000000000000019)}};
    (void)state;

    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(ranges_status(&good[i], 1), STIRKEEP_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct stk_number_range both[] = {good[0], bad[i]};

        assert_int_equal(ranges_status(&bad[i], 1), STIRKEEP_INVALID);
        assert_int_equal(ranges_status(both, 2), STIRKEEP_INVALID);
    }
}

/* Looked up by bisection, a range out of its place would not be found: the certificate would sign
 * less than it may, or front would decide at random. */
static void ranges_are_put_in_order(void **state)
{
    static const struct stk_number_range mixed[] = {
        {UINT64_C(0xb000012155550150), UINT64_C(0xb000012155550199)},
        {UINT64_C(0x3000000000000112), UINT64_C(0x3000000000000112)},
        {UINT64_C(0xb000012155550100), UINT64_C(0xb000012155550149)},
        {UINT64_C(0xb000012155550120), UINT64_C(0xb000012155550130)}};
    const struct stk_constraints sent = {
        .numbers_only = true, .ranges = mixed, .range_count = COUNT(mixed)};
    const struct stk_constraints *taken = NULL;
    struct trial trial;
    (void)state;

    taken = pass_constraints(&sent, &trial);
    assert_int_equal(taken->range_count, 2);
    assert_true(taken->ranges[0].first == UINT64_C(0x3000000000000112));
    assert_true(taken->ranges[1].first == SAMPLE_KEY_FIRST);
    assert_true(taken->ranges[1].last == SAMPLE_KEY_LAST);
    assert_true(stk_number_ranges_cover(taken->ranges, 2, stk_number_key("12155550149")));
    assert_false(stk_number_ranges_cover(taken->ranges, 2, stk_number_key("12155550200")));
    trial_end(&trial);
}

/* ---- limits */

/* A number of so many ranges, no two of which join. */
static struct stk_number_range *ranges_of(size_t count)
{
    struct stk_number_range *ranges = calloc(count, sizeof(*ranges));
    char text[STK_TN_MAX + 1];

    assert_non_null(ranges);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text, sizeof(text), "1215%07zu", 10 * i);
        ranges[i].first = stk_number_key(text);
        ranges[i].last = ranges[i].first + 5;
    }
    return ranges;
}

static void ranges_have_their_most_and_not_one_more(void **state)
{
    struct stk_number_range *ranges = ranges_of(STK_CONSTRAINT_RANGES_MAX + 1);
    (void)state;

    assert_int_equal(ranges_status(ranges, STK_CONSTRAINT_RANGES_MAX), STIRKEEP_OK);
    assert_int_equal(ranges_status(ranges, STK_CONSTRAINT_RANGES_MAX + 1), STIRKEEP_TOO_LARGE);
    free(ranges);
}

/* The sample's field with `count` elements more of these bytes. */
static void expect_more(const char *field, const char *bytes, size_t length, size_t count,
                        enum stirkeep_status expected)
{
    struct stk_buffer instead = {0};

    for (size_t i = 0; i < count; i++)
        put_bytes(number_of("push", field), bytes, length, &instead);
    expect_instead("push", field, view(&instead), expected);
    stk_buffer_free(&instead);
}

static void lists_of_claims_have_their_most_and_not_one_more(void **state)
{
    static const char permitted[] = "\x0a\x01"
                                    "c\x12\x01v";
    (void)state;

    /* Each of the first takes the place of one, and one more is there. */
    expect_more("must_include", "c", 1, STK_CONSTRAINT_CLAIMS_MAX - 1, STIRKEEP_OK);
    expect_more("must_include", "c", 1, STK_CONSTRAINT_CLAIMS_MAX, STIRKEEP_TOO_LARGE);
    expect_more("permitted", permitted, 6, STK_CONSTRAINT_CLAIMS_MAX - 1, STIRKEEP_OK);
    expect_more("permitted", permitted, 6, STK_CONSTRAINT_CLAIMS_MAX, STIRKEEP_TOO_LARGE);
    expect_more("must_exclude", "c", 1, STK_CONSTRAINT_CLAIMS_MAX, STIRKEEP_OK);
    expect_more("must_exclude", "c", 1, STK_CONSTRAINT_CLAIMS_MAX + 1, STIRKEEP_TOO_LARGE);
    expect_more("values", "v", 1, STK_CONSTRAINT_VALUES_MAX - 1, STIRKEEP_OK);
    expect_more("values", "v", 1, STK_CONSTRAINT_VALUES_MAX, STIRKEEP_TOO_LARGE);
}

static void texts_of_constraints_have_limits(void **state)
{
    static const char *const fields[] = {"must_include", "claim", "values", "must_exclude"};
    (void)state;

    for (size_t i = 0; i < COUNT(fields); i++) {
        bool is_value = strcmp(fields[i], "values") == 0;

        expect_field("push", fields[i], text_of(STK_CONSTRAINT_TEXT_MAX), STK_CONSTRAINT_TEXT_MAX,
                     STIRKEEP_OK);
        expect_field("push", fields[i], text_of(STK_CONSTRAINT_TEXT_MAX + 1),
                     STK_CONSTRAINT_TEXT_MAX + 1, STIRKEEP_TOO_LARGE);
        expect_field("push", fields[i], "", 0, is_value ? STIRKEEP_OK : STIRKEEP_INVALID);
        expect_field("push", fields[i], "\xff", 1, STIRKEEP_INVALID);
    }
    expect_field("push", "permitted",
                 "\x0a\x01"
                 "c",
                 3, STIRKEEP_INVALID); /* no value is permitted: of no certificate */
}

/* ---- how much goes into a message */

/* `claims` claims with `values` values of one character each. */
struct many {
    struct stk_constraints constraints;
    struct stk_permitted *permitted;
    const char **values;
};

static void many_new(struct many *many, size_t claims, size_t values)
{
    many->permitted = calloc(claims, sizeof(*many->permitted));
    many->values = calloc(values, sizeof(*many->values));
    assert_non_null(many->permitted);
    assert_non_null(many->values);
    for (size_t i = 0; i < values; i++)
        many->values[i] = "v";
    for (size_t i = 0; i < claims; i++)
        many->permitted[i] = (struct stk_permitted){"c", many->values, values};
    many->constraints =
        (struct stk_constraints){.permitted = many->permitted, .permitted_count = claims};
}

static void many_free(struct many *many)
{
    free(many->permitted);
    free(many->values);
}

/* The certificate that asks for the most memory: all its 16 KiB are values of one character, of 3
 * bytes of DER each, or numbers of one digit, of 5. */
static void what_the_largest_certificate_says_fits_a_message_and_the_memory(void **state)
{
    struct stk_number_range *ranges = ranges_of(STK_CERT_DER_MAX / 5);
    struct stk_constraints numbers = {
        .numbers_only = true, .ranges = ranges, .range_count = STK_CERT_DER_MAX / 5};
    const size_t values = STK_CONSTRAINT_VALUES_MAX;
    struct many many;
    struct trial trial;
    (void)state;

    many_new(&many, STK_CERT_DER_MAX / 3 / values + 1, values);
    assert_non_null(pass_constraints(&many.constraints, &trial));
    trial_end(&trial);
    many_free(&many);
    many_new(&many, STK_CONSTRAINT_CLAIMS_MAX,
             STK_CERT_DER_MAX / 3 / STK_CONSTRAINT_CLAIMS_MAX + 1);
    assert_non_null(pass_constraints(&many.constraints, &trial));
    trial_end(&trial);
    many_free(&many);
    assert_non_null(pass_constraints(&numbers, &trial));
    trial_end(&trial);
    free(ranges);
}

/* What is encoded can be decoded, however much of the message the constraints take: whoever sends
 * sends less when it does not fit. */
static void what_is_encoded_fits_fronts_memory(void **state)
{
    static struct stk_certificate entries[64];
    struct stk_buffer out = {0};
    bool fitted = false;
    bool did_not = false;
    (void)state;

    for (size_t claims = 1; claims <= STK_CONSTRAINT_CLAIMS_MAX; claims += 3) {
        struct stk_catalog_push push = {.entries = entries};
        struct many many;

        many_new(&many, claims, 40);
        for (size_t i = 0; i < COUNT(entries); i++) {
            fill_certificate(&entries[i], 5);
            entries[i].constraints = &many.constraints;
        }
        for (push.entry_count = 1; push.entry_count <= COUNT(entries); push.entry_count++) {
            out.length = 0;
            if (stk_catalog_push_encode(&push, &out) != STIRKEEP_OK) {
                assert_int_equal(out.length, 0);
                did_not = true;
                break;
            }
            assert_true(out.length <= STK_LINK_MESSAGE_MAX);
            if (push.entry_count % 7 == 0)
                trial_expect(&codec_push, view(&out), STIRKEEP_OK, "as encoded", "push");
            fitted = true;
        }
        many_free(&many);
    }
    assert_true(fitted && did_not);
    stk_buffer_free(&out);
}

static void the_size_that_is_told_is_no_less_than_what_is_taken(void **state)
{
    struct stk_number_range *ranges = ranges_of(100);
    struct stk_constraints cases[3];
    struct many many;
    (void)state;

    many_new(&many, 10, 20);
    fill_constraints(&cases[0]);
    cases[1] = many.constraints;
    cases[2] = (struct stk_constraints){.numbers_only = true, .ranges = ranges, .range_count = 100};
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t without = 0;
        size_t with = 0;
        struct trial trial;

        (void)pass_constraints(NULL, &trial);
        without = trial.arena.used;
        trial_end(&trial);
        (void)pass_constraints(&cases[i], &trial);
        with = trial.arena.used;
        trial_end(&trial);
        assert_true(with - without <= stk_constraints_decoded_size(&cases[i]));
        assert_true(stk_constraints_decoded_size(&cases[i]) < 2 * (with - without) + 512);
    }
    many_free(&many);
    free(ranges);
}

/* ---- what was used up */

static void a_count_has_a_kind_a_name_and_a_day(void **state)
{
    static const char *const samples_with[] = {"push", "report"};
    (void)state;

    for (size_t i = 0; i < COUNT(samples_with); i++) {
        const char *sample = samples_with[i];

        expect_field(sample, "kind", "", 0, STIRKEEP_INVALID);
        expect_field(sample, "kind", "grants", 6, STIRKEEP_INVALID);
        expect_number(sample, "day", 0, STIRKEEP_OK);
        expect_number(sample, "day", 2932896, STIRKEEP_OK); /* 9999-12-31 */
        expect_number(sample, "day", 2932897, STIRKEEP_INVALID);
        expect_number(sample, "day", UINT64_MAX, STIRKEEP_INVALID); /* -1 */
        expect_number(sample, "count", UINT64_MAX, STIRKEEP_OK);
    }
    /* The first name in a report is a grant's, which may be anything. */
    expect_field("report", "name", "", 0, STIRKEEP_INVALID);
    expect_field("report", "name", "a b/\xc3\xa9", 6, STIRKEEP_OK);
    expect_field("report", "name", text_of(STK_GRANT_NAME_MAX), STK_GRANT_NAME_MAX, STIRKEEP_OK);
    expect_field("report", "name", text_of(STK_GRANT_NAME_MAX + 1), STK_GRANT_NAME_MAX + 1,
                 STIRKEEP_TOO_LARGE);
}

static void a_certificates_count_has_a_certificates_name(void **state)
{
    struct stk_usage_count count = {.of_certificate = true, .name = "../name", .day = 1};
    const struct stk_front_report report = {.usage = &count, .usage_count = 1};
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_front_report_encode(&report, &out), STIRKEEP_OK);
    trial_expect(&codec_report, view(&out), STIRKEEP_INVALID, "name", "usage");
    stk_buffer_free(&out);
    count.of_certificate = false;
    assert_int_equal(stk_front_report_encode(&report, &out), STIRKEEP_OK);
    trial_expect(&codec_report, view(&out), STIRKEEP_OK, "name", "usage");
    stk_buffer_free(&out);
}

/* A configuration may be in any encoding: a grant's name must not cost the message. */
static void a_grants_name_that_is_not_utf8_is_scrubbed(void **state)
{
    struct stk_usage_count count = {.name = "z\xfcrich", .day = 1, .count = 2};
    union decoded value;
    struct trial trial;
    (void)state;

    value.report = (struct stk_front_report){.usage = &count, .usage_count = 1};
    pass_on(&codec_report, &value, &trial);
    assert_int_equal(trial.value.report.usage_count, 1);
    assert_string_equal(trial.value.report.usage[0].name, "z?rich");
    assert_int_equal(trial.value.report.usage[0].count, 2);
    trial_end(&trial);
}

static void counts_are_256_at_most(void **state)
{
    static struct stk_usage_count usage[STK_USAGE_COUNTS_MAX + 1];
    struct stk_front_report report = {.usage = usage, .usage_count = STK_USAGE_COUNTS_MAX};
    struct stk_catalog_push push = {
        .first = true, .usage = usage, .usage_count = STK_USAGE_COUNTS_MAX};
    struct stk_buffer body = {0};
    struct stk_buffer out = {0};
    (void)state;

    for (size_t i = 0; i <= STK_USAGE_COUNTS_MAX; i++)
        usage[i] = (struct stk_usage_count){.name = "k", .day = 20000, .count = i};
    assert_int_equal(stk_front_report_encode(&report, &out), STIRKEEP_OK);
    trial_expect(&codec_report, view(&out), STIRKEEP_OK, "256", "usage");
    put_bytes(1, "grant", 5, &body);
    put_bytes(2, "k", 1, &body);
    put_bytes(6, body.data, body.length, &out);
    trial_expect(&codec_report, view(&out), STIRKEEP_TOO_LARGE, "257", "usage");
    out.length = 0;
    assert_int_equal(stk_catalog_push_encode(&push, &out), STIRKEEP_OK);
    trial_expect(&codec_push, view(&out), STIRKEEP_OK, "256", "usage");
    put_bytes(6, body.data, body.length, &out);
    trial_expect(&codec_push, view(&out), STIRKEEP_TOO_LARGE, "257", "usage");
    out.length = 0;
    report.usage_count++;
    push.usage_count++;
    assert_int_equal(stk_front_report_encode(&report, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(stk_catalog_push_encode(&push, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 0);
    stk_buffer_free(&body);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_arrive_as_they_are),
        cmocka_unit_test(a_certificate_without_constraints_has_none),
        cmocka_unit_test(a_range_that_is_none_is_refused),
        cmocka_unit_test(ranges_are_put_in_order),
        cmocka_unit_test(ranges_have_their_most_and_not_one_more),
        cmocka_unit_test(lists_of_claims_have_their_most_and_not_one_more),
        cmocka_unit_test(texts_of_constraints_have_limits),
        cmocka_unit_test(what_the_largest_certificate_says_fits_a_message_and_the_memory),
        cmocka_unit_test(what_is_encoded_fits_fronts_memory),
        cmocka_unit_test(the_size_that_is_told_is_no_less_than_what_is_taken),
        cmocka_unit_test(a_count_has_a_kind_a_name_and_a_day),
        cmocka_unit_test(a_certificates_count_has_a_certificates_name),
        cmocka_unit_test(a_grants_name_that_is_not_utf8_is_scrubbed),
        cmocka_unit_test(counts_are_256_at_most),
    };

    return cmocka_run_group_tests_name("wire-catalog", tests, NULL, NULL);
}
