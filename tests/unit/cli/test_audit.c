/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "audit/trail.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US 1792958784123456 /* 2026-10-25T20:06:24.123456Z */
#define RECORDS 6

static void make_trail(const char *name)
{
    struct stk_trail *trail = NULL;
    struct stk_error error = {0};

    (void)remove(place(name));
    if (stk_trail_open(place(name), STK_TRAIL_NONE, NOW_US, &trail, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    for (uint64_t i = 0; i < RECORDS; i++) {
        const struct stk_record record = {.act = "sign",
                                          .outcome = "ok",
                                          .name = "Alpha",
                                          .request_id = i,
                                          .orig = "12155550121"};

        assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US + (int64_t)i, &error),
                         STIRKEEP_OK);
    }
    stk_trail_close(trail);
}

/* The start of line `number` (from 1); the text's end when there are fewer. */
static char *line_at(char *text, unsigned number)
{
    while (--number > 0 && *text != '\0')
        text = strchr(text, '\n') + 1;
    return text;
}

static void a_good_trail_verifies_and_its_records_are_counted(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    make_trail("trail");
    ran = program(NULL, "audit", "verify", place("trail"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "good: 6 records"));
    ran = program(NULL, "audit", "verify", "--json", place("trail"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"good\": true"));
    assert_non_null(strstr(ran->out, "\"records\": 6"));
}

static void a_changed_digit_is_found_with_its_line(void **state)
{
    char *text = NULL;
    const struct ran *ran = NULL;
    (void)state;

    make_trail("trail");
    text = (char *)place_read("trail");
    *strstr(line_at(text, 3), "12155550121") = '9';
    place_text("changed", text);
    ran = program(NULL, "audit", "verify", place("changed"));
    failed(ran, 1, "/changed", "line 3");
    assert_string_equal(ran->out, "");
    failed(program(NULL, "audit", "verify", "--json", place("changed")), 1, "line 3");
}

static void the_last_line_is_protected_too(void **state)
{
    char *text = NULL;
    (void)state;

    make_trail("trail");
    text = (char *)place_read("trail");
    *strstr(line_at(text, RECORDS), "Alpha") = 'a';
    place_text("changed", text);
    failed(program(NULL, "audit", "verify", place("changed")), 1, "line 6");
}

static void a_line_taken_out_doubled_or_cut_is_found(void **state)
{
    char copy[32 * 1024] = "";
    char *text = NULL;
    (void)state;

    make_trail("trail");
    text = (char *)place_read("trail");
    (void)snprintf(copy, sizeof(copy), "%.*s%s", (int)(line_at(text, 2) - text), text,
                   line_at(text, 3));
    place_text("out", copy);
    failed(program(NULL, "audit", "verify", place("out")), 1, "line 2");
    (void)snprintf(copy, sizeof(copy), "%.*s%s", (int)(line_at(text, 3) - text), text,
                   line_at(text, 2));
    place_text("doubled", copy);
    failed(program(NULL, "audit", "verify", place("doubled")), 1, "line 3");
    place_text("beheaded", line_at(text, 2));
    failed(program(NULL, "audit", "verify", place("beheaded")), 1, "line 1");
    text[strlen(text) - 1] = '\0';
    place_text("cut", text);
    failed(program(NULL, "audit", "verify", place("cut")), 1, "line 6", "no end");
}

static void what_is_no_trail_is_refused(void **state)
{
    static const char zeros[4096];
    (void)state;

    place_write("zeros", zeros, sizeof(zeros));
    failed(program(NULL, "audit", "verify", place("zeros")), 1, "/zeros");
    place_text("text", "not a record\n");
    failed(program(NULL, "audit", "verify", place("text")), 1, "/text", "line 1");
    failed(program(NULL, "audit", "verify", place("missing")), 1, "/missing", "No such file");
    failed(program(NULL, "audit", "verify", place("")), 1, "directory");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_trail_verifies_and_its_records_are_counted),
        cmocka_unit_test(a_changed_digit_is_found_with_its_line),
        cmocka_unit_test(the_last_line_is_protected_too),
        cmocka_unit_test(a_line_taken_out_doubled_or_cut_is_found),
        cmocka_unit_test(what_is_no_trail_is_refused),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli audit verify", tests, place_set_up, place_tear_down);
}
