/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those that it wants */
#include <cmocka.h>

static struct stk_buffer out;

static const char *escaped(const char *text)
{
    struct stk_html html = {&out, STIRKEEP_OK};

    out.length = 0;
    stk_html_escape(&html, text);
    assert_int_equal(html.status, STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    return (const char *)out.data;
}

static void what_is_markup_is_written_as_a_text(void **state)
{
    (void)state;
    assert_string_equal(escaped("<script>\"a\"&'b'</script>"),
                        "&#60;script&#62;&#34;a&#34;&#38;&#39;b&#39;&#60;/script&#62;");
    assert_string_equal(escaped("&lt;"), "&#38;lt;");
    assert_string_equal(escaped("%s%n"), "%s%n");
    assert_string_equal(escaped(""), "");
}

static void what_steers_or_hides_is_written_out(void **state)
{
    (void)state;
    assert_string_equal(escaped("a\x1b[2J\n\x7f"), "a\\u001b[2J\\u000a\\u007f");
    assert_string_equal(escaped("\u202e\u2066\u200b\ufeff\xc2\x85\u00ad\u2028"),
                        "\\u202e\\u2066\\u200b\\ufeff\\u0085\\u00ad\\u2028");
    assert_string_equal(escaped("\U000e0041"), "\\ue0041");
    assert_string_equal(escaped("é中\U0001f512"), "é中\U0001f512");
}

static json_t *day(const char *text, int count)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:i}", "day", text, "signed", count, "failed", 0,
                     "refused", 1, "suppressed", 0);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    while ((text = strstr(text, what)) != NULL) {
        count++;
        text += strlen(what);
    }
    return count;
}

static const char *chart(json_t *days)
{
    struct stk_html html = {&out, STIRKEEP_OK};

    out.length = 0;
    stk_html_days(&html, days, "<Alpha>");
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    json_decref(days);
    return (const char *)out.data;
}

static void a_chart_is_drawn_by_day_by_month_or_not_at_all(void **state)
{
    const char *text = NULL;
    (void)state;

    text = chart(json_pack("[o, o]", day("2026-01-30", 5), day("2026-02-02", 10)));
    assert_non_null(strstr(text, "By day"));
    assert_non_null(strstr(text, "2026-02-02: 10 signed"));
    assert_null(strstr(text, "<Alpha>"));
    assert_int_equal(count_of(text, "<rect class=\"good\" x="), 2);
    text = chart(
        json_pack("[o, o, o]", day("2025-12-30", 5), day("2025-12-31", 2), day("2026-11-02", 10)));
    assert_non_null(strstr(text, "By month"));
    assert_non_null(strstr(text, "2025-12: 7 signed"));
    text = chart(json_pack("[o, o]", day("1970-01-01", 5), day("9999-12-31", 2)));
    assert_null(strstr(text, "<svg"));
    assert_string_equal(chart(json_array()), "");
    text = chart(json_pack("[o]", day("2026-01-30", 0)));
    assert_non_null(strstr(text, "1 refused"));
}

static void a_bar_is_never_wider_than_its_room(void **state)
{
    struct stk_html html = {&out, STIRKEEP_OK};
    (void)state;

    out.length = 0;
    stk_html_bar(&html, 0, 0);
    stk_html_bar(&html, UINT64_MAX, UINT64_MAX);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    assert_non_null(strstr((const char *)out.data, "width=\"0.00\""));
    assert_non_null(strstr((const char *)out.data, "width=\"100.00\""));
}

static int clean(void **state)
{
    (void)state;
    stk_buffer_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_markup_is_written_as_a_text),
        cmocka_unit_test(what_steers_or_hides_is_written_out),
        cmocka_unit_test(a_chart_is_drawn_by_day_by_month_or_not_at_all),
        cmocka_unit_test(a_bar_is_never_wider_than_its_room),
    };

    return cmocka_run_group_tests_name("cli page", tests, NULL, clean);
}
