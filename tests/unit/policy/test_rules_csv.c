/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum stirkeep_status read_csv(const char *text, size_t length, size_t *ret_count,
                                     struct stk_error *error)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    /* Of its exact length and without a '\0', so that a step too far shows. */
    char *copy = malloc(length > 0 ? length : 1);
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(draft);
    assert_non_null(copy);
    memcpy(copy, text, length);
    status = stk_rules_draft_csv(draft, copy, length, "attest.csv", error);
    *ret_count = stk_rules_draft_count(draft);
    free(copy);
    stk_rules_draft_free(draft);
    return status;
}

static void assert_fault(const char *text, const char *message)
{
    struct stk_error error = {0};
    size_t count = 0;

    if (read_csv(text, strlen(text), &count, &error) != STIRKEEP_CONFIG)
        fail_msg("\"%s\" is taken", text);
    if (strncmp(error.message, message, strlen(message)) != 0)
        fail_msg("\"%s\": %s", text, error.message);
}

static void assert_count(const char *text, size_t expected)
{
    struct stk_error error = {0};
    size_t count = 0;

    if (read_csv(text, strlen(text), &count, &error) != STIRKEEP_OK)
        fail_msg("\"%s\": %s", text, error.message);
    assert_int_equal(count, expected);
}

static void what_spreadsheets_write_is_taken(void **state)
{
    (void)state;

    assert_count("", 0);
    assert_count("\n\n", 0);
    assert_count("14155550100,A", 1); /* no newline at the end */
    assert_count("14155550100,A\n", 1);
    assert_count("14155550100,A\r\n12025550100-12025550199,none\r\n", 2);
    assert_count("14155550100,A\r", 1);
    assert_count("\xef\xbb\xbfnumber,level\n14155550100,A\n", 1);
    assert_count("number,level\n14155550100,A\n", 1);
    assert_count(" number , level \r\n14155550100,A\n", 1);
    assert_count("# attestation of our numbers\n\nnumber,level\n1415555*,B\n", 1);
    assert_count(" \t 1415555* \t,\t C \t\n  # a remark\n", 1);
    assert_count("#14155550100,A\n", 0);
    assert_count("+#31#,A\n", 1);
    assert_count("+1 202 555 0100 - +1 202 555 0199,A\n", 1);
}

static void a_fault_is_told_with_its_line_and_reason(void **state)
{
    (void)state;

    assert_fault("14155550100\n", "attest.csv:1: no comma in it: write number,level");
    assert_fault("14155550100;A\n", "attest.csv:1: no comma in it: write number,level");
    assert_fault("1,A\n2,B,\n", "attest.csv:2: more than one comma in it: write number,level");
    assert_fault("1,A\n2,A,B\n", "attest.csv:2: more than one comma in it: write number,level");
    assert_fault("\n\n,A\n", "attest.csv:3: no number before the comma");
    assert_fault("1,\n", "attest.csv:1: no level behind the comma");
    assert_fault(",", "attest.csv:1: no number before the comma");
    assert_fault("1,a\n", "attest.csv:1: the level \"a\" is none of A, B, C, none");
    assert_fault("1,None\n", "attest.csv:1: the level \"None\" is none of A, B, C, none");
    assert_fault("1,A # ours\n", "attest.csv:1: the level \"A # ours\" is none of A, B, C, none");
    assert_fault("1,nonenonenone\n",
                 "attest.csv:1: the level \"nonenonenone\" is none of A, B, C, none");
    assert_fault("\"1\",\"A\"\n", "attest.csv:1: quotes are not taken: write number,level");
    assert_fault("1,A\r\n1,\rA\r\n", "attest.csv:2: a carriage return within the line");
    assert_fault("1,A\r2,B\r", "attest.csv:1: a carriage return within the line");
    assert_fault("x,A\n", "attest.csv:1: the number: ");
    assert_fault("14a5,A\n", "attest.csv:1: the number: ");
    assert_fault("1415555**,A\n", "attest.csv:1: the number: ");
    assert_fault("1-22,A\n", "attest.csv:1: the number: ");
    assert_fault("22-11,A\n", "attest.csv:1: the number: ");
    assert_fault("1234567890123456,A\n", "attest.csv:1: the number: ");
    assert_fault("\xc2\xa0"
                 "1,A\n",
                 "attest.csv:1: the number: ");                        /* a blank that is none */
    assert_fault("1,A\nnumber,level\n", "attest.csv:2: the number: "); /* only once, at first */
    assert_fault("\xef\xbb\xbf\xef\xbb\xbf"
                 "1,A\n",
                 "attest.csv:1: the number: ");
    assert_fault("1,\x1b[31mA\n", "attest.csv:1: the level \"?[31mA\" is none of");
}

static void what_is_no_text_is_told_with_its_line(void **state)
{
    static const char utf16[] = "\xff\xfe"
                                "1\0,\0A\0\n";
    static const char nul[] = "1,A\n2,B\n3\0,C\n";
    static const char hidden[] = "1,A\n# remark \0 here\n";
    struct stk_error error = {0};
    size_t count = 0;
    (void)state;

    assert_int_equal(read_csv(utf16, sizeof(utf16) - 1, &count, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "attest.csv:1: a NUL byte: this is not UTF-8 text");
    assert_int_equal(read_csv(nul, sizeof(nul) - 1, &count, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "attest.csv:3: a NUL byte: this is not UTF-8 text");
    assert_int_equal(read_csv(hidden, sizeof(hidden) - 1, &count, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "attest.csv:2: a NUL byte: this is not UTF-8 text");
}

static void a_line_of_a_hundred_megabytes_is_refused_at_once(void **state)
{
    enum { LENGTH = 100 * 1024 * 1024 };
    char *text = malloc(LENGTH);
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_error error = {0};
    uint64_t start = 0;
    (void)state;

    assert_non_null(text);
    memset(text, '1', LENGTH);
    start = stk_clock_mono_us();
    assert_int_equal(stk_rules_draft_csv(draft, text, LENGTH, "attest.csv", &error),
                     STIRKEEP_CONFIG);
    assert_string_equal(error.message,
                        "attest.csv:1: the line is too long for a number and a level");
    text[5] = ',';
    text[6] = 'A';
    assert_int_equal(stk_rules_draft_csv(draft, text, LENGTH, "attest.csv", &error),
                     STIRKEEP_CONFIG);
    memset(text, ' ', LENGTH);
    assert_int_equal(stk_rules_draft_csv(draft, text, LENGTH, "attest.csv", &error), STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_count(draft), 0);
    assert_true(stk_clock_mono_us() - start < 4000000 * PATIENCE);
    stk_rules_draft_free(draft);
    free(text);
}

static void a_long_file_name_leaves_room_for_the_reason(void **state)
{
    char name[1024] = "";
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_error error = {0};
    (void)state;

    memset(name, 'd', sizeof(name) - 1);
    memcpy(name + sizeof(name) - 1 - strlen("/attest.csv"), "/attest.csv", strlen("/attest.csv"));
    assert_int_equal(stk_rules_draft_csv(draft, "1", 1, name, &error), STIRKEEP_CONFIG);
    assert_non_null(strstr(error.message, "d/attest.csv:1: no comma in it: write number,level"));
    stk_rules_draft_free(draft);
}

static void no_bytes_at_all_do_harm(void **state)
{
    static const char pieces[] = "0123456789,,,,\n\n\nABC*#-+ \r\"\tnone";
    (void)state;

    for (size_t round = 0; round < 20000; round++) {
        char text[96];
        size_t length = any(sizeof(text));
        size_t count = 0;
        struct stk_error error = {0};

        for (size_t i = 0; i < length; i++)
            text[i] = any(40) == 0 ? (char)any(256) : pieces[any(sizeof(pieces) - 1)];
        if (read_csv(text, length, &count, &error) == STIRKEEP_OK)
            assert_string_equal(error.message, "");
        else
            assert_memory_equal(error.message, "attest.csv:", strlen("attest.csv:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_spreadsheets_write_is_taken),
        cmocka_unit_test(a_fault_is_told_with_its_line_and_reason),
        cmocka_unit_test(what_is_no_text_is_told_with_its_line),
        cmocka_unit_test(a_line_of_a_hundred_megabytes_is_refused_at_once),
        cmocka_unit_test(a_long_file_name_leaves_room_for_the_reason),
        cmocka_unit_test(no_bytes_at_all_do_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
