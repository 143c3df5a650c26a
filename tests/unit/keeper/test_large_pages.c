/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/large_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../valgrind.h"

#define COLLAPSE 25 /* MADV_COLLAPSE */
#define MUCH ((size_t)96 * 1024 * 1024)
#define HALF (STK_LARGE_PAGE / 2)

static uint64_t now_us = 1;

/* KiB that a line of /proc/self/smaps_rollup tells. */
static size_t told(const char *name)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256] = "";
    size_t kib = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            assert_int_equal(sscanf(line + strlen(name), ": %zu", &kib), 1);
    (void)fclose(file);
    return kib;
}

static uint8_t *take(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

static uint8_t of(size_t at)
{
    return (uint8_t)(at * 31 + at / 4096);
}

/* Kernels before 6.1 have no such thing. */
static bool kernel_has_it(void)
{
    uint8_t *memory = take(2 * STK_LARGE_PAGE);
    uintptr_t at = ((uintptr_t)memory + STK_LARGE_PAGE - 1) / STK_LARGE_PAGE * STK_LARGE_PAGE;
    bool has = false;

    memset(memory, 1, 2 * STK_LARGE_PAGE);
    has = madvise((void *)at, STK_LARGE_PAGE, COLLAPSE) == 0;
    assert_int_equal(munmap(memory, 2 * STK_LARGE_PAGE), 0);
    if (!has)
        print_message("# this kernel has no MADV_COLLAPSE\n");
    return has;
}

/* Until it looks no more; how many pages were moved. */
static size_t all_turns(struct stk_large_pages *pages)
{
    size_t moved = 0;

    now_us += STK_LARGE_LOOK_US;
    do
        moved += stk_large_pages_turn(pages, now_us);
    while (pages->count > 0);
    return moved;
}

static void a_small_process_is_left_alone(void **state)
{
    struct stk_large_pages pages = {0};
    uint8_t *memory = take(4 * STK_LARGE_PAGE);
    (void)state;

    memset(memory, 1, 4 * STK_LARGE_PAGE);
    assert_int_equal(all_turns(&pages), 0);
    assert_int_equal(munmap(memory, 4 * STK_LARGE_PAGE), 0);
}

static void what_is_used_is_moved_whole_and_what_is_not_takes_no_memory(void **state)
{
    struct stk_large_pages pages = {0};
    uint8_t *used = take(MUCH);
    uint8_t *stack = take(MUCH); /* of which there is a page here and there */
    size_t size = 0;
    size_t large = 0;
    size_t others = is_under_valgrind("its own memory is moved, too") ? 32 : 4;
    (void)state;

    for (size_t at = 0; at < MUCH; at++)
        used[at] = of(at);
    for (size_t at = 0; at < MUCH; at += HALF)
        stack[at] = 1;
    size = told("Rss");
    large = told("AnonHugePages");
    assert_true(size > STK_LARGE_FROM / 1024);
    if (kernel_has_it()) {
        assert_in_range(all_turns(&pages), MUCH / STK_LARGE_PAGE - 1,
                        MUCH / STK_LARGE_PAGE + others);
        assert_true(told("AnonHugePages") >= large + (MUCH - STK_LARGE_PAGE) / 1024);
    } else {
        assert_int_equal(all_turns(&pages), 0);
    }
    assert_true(told("Rss") < size + 8 * STK_LARGE_PAGE / 1024);
    for (size_t at = 0; at < MUCH; at++)
        if (used[at] != of(at))
            fail_msg("octet %zu has changed", at);
    /* Not again, until it has grown. */
    assert_int_equal(all_turns(&pages), 0);
    assert_int_equal(munmap(used, MUCH), 0);
    assert_int_equal(munmap(stack, MUCH), 0);
}

static void a_few_are_moved_in_a_turn_and_memory_may_go_meanwhile(void **state)
{
    struct stk_large_pages pages = {0};
    uint8_t *used = take(MUCH);
    (void)state;

    memset(used, 1, MUCH);
    now_us += STK_LARGE_LOOK_US;
    assert_in_range(stk_large_pages_turn(&pages, now_us), 0, STK_LARGE_TURN);
    assert_true(pages.count > 0);
    assert_int_equal(munmap(used, MUCH), 0);
    while (pages.count > 0)
        assert_in_range(stk_large_pages_turn(&pages, now_us), 0, STK_LARGE_TURN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_process_is_left_alone),
        cmocka_unit_test(what_is_used_is_moved_whole_and_what_is_not_takes_no_memory),
        cmocka_unit_test(a_few_are_moved_in_a_turn_and_memory_may_go_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
