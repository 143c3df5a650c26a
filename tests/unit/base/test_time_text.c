/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/time_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW 1764120000

static void moments_are_read_in_every_form(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"2026-12-01T00:00:00Z", 1796083200},
                {"2026-12-01t00:00:00z", 1796083200},
                {"2026-12-01T01:00:00+01:00", 1796083200},
                {"2026-11-30T18:30:00-05:30", 1796083200},
                {"2024-02-29T12:00:00Z", 1709208000},
                {"9999-12-31T23:59:59Z", 253402300799},
                {"@1796083200", 1796083200},
                {"+30m", NOW + 1800},
                {"+2h", NOW + 7200},
                {"+7d", NOW + 604800}};
    (void)state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t seconds = 0;

        assert_int_equal(stk_time_parse(good[i].text, NOW, &seconds, NULL), STIRKEEP_OK);
        assert_int_equal(seconds, good[i].seconds);
    }
}

static void what_is_no_moment_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "tomorrow",
                                      "2026-12-01",
                                      "2026-12-01 00:00:00Z",
                                      "2026-12-01T00:00:00",
                                      "2026-13-01T00:00:00Z",
                                      "2026-02-30T00:00:00Z",
                                      "2025-02-29T12:00:00Z",
                                      "2026-12-01T24:00:00Z",
                                      "2026-12-01T00:00:00.5Z",
                                      "2026-12-01T00:00:00Zx",
                                      "2026-12-01T00:00:00+1",
                                      "1796083200",
                                      "@",
                                      "@-1",
                                      "@0",
                                      "@99999999999999999999",
                                      "@1x",
                                      "+",
                                      "+7",
                                      "+d",
                                      "+7y",
                                      "+7dd",
                                      "-7d",
                                      "+99999999999999d",
                                      "1969-12-31T23:59:59Z",
                                      "2026-1-01T00:00:00Z",
                                      "+ 7d"};
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stk_error error = {0};
        int64_t seconds = 42;

        assert_int_equal(stk_time_parse(bad[i], NOW, &seconds, &error), STIRKEEP_INVALID);
        assert_int_equal(seconds, 42);
        assert_true(error.message[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_read_in_every_form),
        cmocka_unit_test(what_is_no_moment_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
