/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert/pem.h"
#include <stdlib.h>
#include <string.h>

/* Views into a copy of exactly its size, so that a sanitizer sees what goes past it. */
static size_t blocks_in(const char *text, struct stk_pem_block *ret_last)
{
    size_t length = strlen(text);
    char *copy = malloc(length);
    struct stk_pem_reader reader = {.rest = {(const uint8_t *)copy, length}};
    struct stk_pem_block block = {0};
    size_t count = 0;

    assert_non_null(copy);
    memcpy(copy, text, length);
    while (stk_pem_next(&reader, &block, NULL) == STIRKEEP_OK && block.label.length > 0) {
        assert_true(block.line > 0);
        assert_non_null(block.body.data);
        *ret_last = block;
        count++;
    }
    free(copy);
    return count;
}

static void a_block_is_found_with_its_line(void **state)
{
    struct stk_pem_block block = {0};
    (void)state;

    assert_int_equal(blocks_in("text\r\n-----BEGIN A-----\r\nAAAA\r\n-----END A-----\r\n", &block),
                     1);
    assert_int_equal(block.line, 2);
    assert_int_equal(block.label.length, 1);
}

static void a_begin_line_that_is_none_begins_no_block(void **state)
{
    static const char *const texts[] = {
        "-----BEGIN EC\xa0PRIVATE KEY-----\nAAAA\n",
        "-----BEGIN EC\tKEY-----\n",
        "-----BEGIN A-----\nAAAA\n-----END A-----\n-----BEGIN \x7f-----\n",
    };
    struct stk_pem_block block = {0};
    (void)state;

    assert_int_equal(blocks_in(texts[0], &block), 0);
    assert_int_equal(blocks_in(texts[1], &block), 0);
    assert_int_equal(blocks_in(texts[2], &block), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_found_with_its_line),
        cmocka_unit_test(a_begin_line_that_is_none_begins_no_block),
    };

    return cmocka_run_group_tests_name("cert-pem", tests, NULL, NULL);
}
