/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "base/disk.h"
#include "model/diagnosis.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stk_arena arena;
static struct stk_diagnosis diagnosis;

static int set_up(void **state)
{
    (void)state;
    diagnosis = (struct stk_diagnosis){.arena = &arena};
    return stk_arena_new(&arena, (size_t)128 * 1024) == STIRKEEP_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    stk_arena_free(&arena);
    return 0;
}

static void facts_and_troubles_are_kept_in_their_order(void **state)
{
    char text[16] = "first";
    (void)state;

    stk_diagnosis_fact(&diagnosis, "one", "%s and %d", text, 2);
    memset(text, 'x', sizeof(text));
    stk_diagnosis_fact(&diagnosis, "two", "3");
    stk_diagnosis_trouble(&diagnosis, STK_SEVERE, "mend it", "%s is broken", "it");
    assert_int_equal(diagnosis.fact_count, 2);
    assert_string_equal(diagnosis.facts[0].value, "first and 2");
    assert_string_equal(diagnosis.facts[1].name, "two");
    assert_int_equal(diagnosis.trouble_count, 1);
    assert_string_equal(diagnosis.troubles[0].severity, "error");
    assert_string_equal(diagnosis.troubles[0].what, "it is broken");
    assert_string_equal(diagnosis.troubles[0].cure, "mend it");
}

static void a_text_that_is_too_long_or_steers_a_terminal_is_made_fit(void **state)
{
    char text[STK_DIAGNOSIS_TEXT_MAX + 100] = "";
    (void)state;

    memset(text, 'a', sizeof(text) - 1);
    stk_diagnosis_fact(&diagnosis, "long", "%s", text);
    assert_int_equal(strlen(diagnosis.facts[0].value), STK_DIAGNOSIS_TEXT_MAX);
    stk_diagnosis_trouble(&diagnosis, STK_SLIGHT, "none", "a\033[2J\nb\x7f");
    assert_string_equal(diagnosis.troubles[0].what, "a?[2J?b?");
}

static void what_finds_no_room_is_left_out_and_that_is_said(void **state)
{
    (void)state;
    for (int i = 0; i < STK_FACTS_MAX + 10; i++) {
        stk_diagnosis_fact(&diagnosis, "fact", "%d", i);
        stk_diagnosis_trouble(&diagnosis, STK_SEVERE, "cure", "%d", i);
    }
    assert_int_equal(diagnosis.fact_count, STK_FACTS_MAX);
    assert_string_equal(diagnosis.facts[STK_FACTS_MAX - 2].value, "62");
    assert_non_null(strstr(diagnosis.facts[STK_FACTS_MAX - 1].value, "no room"));
    assert_int_equal(diagnosis.trouble_count, STK_TROUBLES_MAX);
    assert_non_null(strstr(diagnosis.troubles[STK_TROUBLES_MAX - 1].what, "no room"));
    assert_string_equal(diagnosis.troubles[STK_TROUBLES_MAX - 1].severity, "error");
}

static void an_arena_that_is_used_up_loses_texts_and_nothing_else(void **state)
{
    struct stk_arena small = {0};
    struct stk_diagnosis full = {.arena = &small};
    (void)state;

    assert_int_equal(stk_arena_new(&small, 64), STIRKEEP_OK);
    for (int i = 0; i < 50; i++) {
        stk_diagnosis_fact(&full, "fact", "0123456789");
        stk_diagnosis_trouble(&full, STK_SLIGHT, "cure", "0123456789");
    }
    for (size_t i = 0; i < full.fact_count; i++)
        assert_non_null(full.facts[i].value);
    for (size_t i = 0; i < full.trouble_count; i++)
        assert_non_null(full.troubles[i].what);
    assert_true(full.fact_count < 8);
    stk_arena_free(&small);
}

static void a_place_is_told_with_its_file_system_and_room(void **state)
{
    (void)state;
    stk_diagnosis_disk(&diagnosis, "here", "/");
    assert_int_equal(diagnosis.fact_count, 1);
    assert_string_equal(diagnosis.facts[0].name, "here");
    assert_memory_equal(diagnosis.facts[0].value, "/ (", 3);
    assert_non_null(strstr(diagnosis.facts[0].value, " free)"));
}

static void a_place_that_is_not_there_is_told(void **state)
{
    (void)state;
    stk_diagnosis_disk(&diagnosis, "there", "/nowhere/at/all");
    assert_int_equal(diagnosis.trouble_count, 1);
    assert_string_equal(diagnosis.troubles[0].severity, "warning");
    assert_non_null(strstr(diagnosis.troubles[0].what, "/nowhere/at/all: No such file"));
}

static void a_read_only_file_system_is_an_error(void **state)
{
    struct stk_disk disk = {0};
    (void)state;

    /* /sys is read-only in most containers alone; there is nothing to see here where it is not. */
    if (stk_disk_look("/sys", &disk, NULL) != STIRKEEP_OK || !disk.read_only)
        return;
    stk_diagnosis_disk(&diagnosis, "there", "/sys");
    assert_int_equal(diagnosis.trouble_count, 1);
    assert_string_equal(diagnosis.troubles[0].severity, "error");
    assert_non_null(strstr(diagnosis.troubles[0].what, "read-only"));
}

static void modes_and_owners_are_those_of_the_path(void **state)
{
    char path[] = "/tmp/stirkeep-disk-XXXXXX";
    struct stk_disk disk = {0};
    (void)state;

    assert_non_null(mkdtemp(path));
    assert_int_equal(chmod(path, 0750), 0);
    assert_int_equal(stk_disk_look(path, &disk, NULL), STIRKEEP_OK);
    assert_int_equal(disk.mode & 07777, 0750);
    assert_int_equal(disk.uid, geteuid());
    assert_true(disk.free <= disk.size);
    assert_int_equal(rmdir(path), 0);
}

static void sizes_are_told_in_the_unit_that_fits(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } samples[] = {{0, "0 bytes"},        {1023, "1023 bytes"},
                   {1024, "1.0 KiB"},     {10239, "9.9 KiB"},
                   {10240, "10 KiB"},     {(uint64_t)64 * 1024 * 1024, "64 MiB"},
                   {UINT64_MAX, "15 EiB"}};
    char text[STK_DISK_TEXT] = "";
    (void)state;

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        stk_disk_size_text(samples[i].bytes, text);
        assert_string_equal(text, samples[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_and_troubles_are_kept_in_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_text_that_is_too_long_or_steers_a_terminal_is_made_fit,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_finds_no_room_is_left_out_and_that_is_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_arena_that_is_used_up_loses_texts_and_nothing_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_is_told_with_its_file_system_and_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_place_that_is_not_there_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_read_only_file_system_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(modes_and_owners_are_those_of_the_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sizes_are_told_in_the_unit_that_fits, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
