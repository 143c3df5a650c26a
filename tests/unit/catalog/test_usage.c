/* SPDX-License-Identifier: BSD-2-Clause */
#include "kill.h"

#include "base/clock.h"
#include "catalog/db.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TODAY 20000

static struct stk_usage_row row_of(bool of_certificate, const char *name, int64_t day,
                                   uint64_t count)
{
    struct stk_usage_row row = {.of_certificate = of_certificate, .day = day, .count = count};

    (void)snprintf(row.name, sizeof(row.name), "%s", name);
    return row;
}

static void use(struct fixture *fixture, const struct stk_usage_row *rows, size_t count)
{
    if (stk_catalog_use(fixture->catalog, rows, count, TODAY - 2, &fixture->error) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
}

/* "certificate Alpha 3, grant kamailio 7, " of a day, read with so many rows at once. */
static const char *used(struct fixture *fixture, int64_t day, size_t room)
{
    static char text[1024];
    struct stk_usage_row rows[16];
    size_t length = 0;
    size_t count = 0;
    bool more = true;

    text[0] = '\0';
    while (more) {
        struct stk_usage_row last = rows[count > 0 ? count - 1 : 0];

        assert_int_equal(stk_catalog_used(fixture->catalog, day, length > 0 ? &last : NULL, rows,
                                          room, &count, &fixture->error),
                         STIRKEEP_OK);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(rows[i].day, day);
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s %s %llu, ",
                                       rows[i].of_certificate ? "certificate" : "grant",
                                       rows[i].name, (unsigned long long)rows[i].count);
        }
        more = count == room;
    }
    return text;
}

static void counts_are_kept_by_kind_name_and_day_and_outlive_the_process(void **state)
{
    struct fixture *fixture = *state;
    const struct stk_usage_row rows[] = {
        row_of(false, "kamailio", TODAY, 7), row_of(true, "kamailio", TODAY, 5),
        row_of(true, "Alpha", TODAY, 3), row_of(false, "kamailio", TODAY - 1, 100)};

    assert_string_equal(used(fixture, TODAY, 16), "");
    use(fixture, rows, 4);
    fixture_close(fixture);
    fixture_open(fixture);
    for (size_t room = 1; room <= 16; room++)
        assert_string_equal(used(fixture, TODAY, room),
                            "certificate Alpha 3, certificate kamailio 5, grant kamailio 7, ");
    assert_string_equal(used(fixture, TODAY - 1, 16), "grant kamailio 100, ");
    assert_string_equal(used(fixture, TODAY + 1, 16), "");
    assert_int_equal(fixture_check_sound(fixture), 0);
}

static void the_larger_count_stands(void **state)
{
    struct fixture *fixture = *state;
    const struct stk_usage_row rows[] = {row_of(false, "kamailio", TODAY, 7),
                                         row_of(false, "kamailio", TODAY, 9),
                                         row_of(false, "kamailio", TODAY, 2)};

    for (int i = 0; i < 3; i++)
        use(fixture, &rows[i], 1);
    assert_string_equal(used(fixture, TODAY, 16), "grant kamailio 9, ");
    use(fixture, rows, 3);
    assert_string_equal(used(fixture, TODAY, 16), "grant kamailio 9, ");
}

static void a_count_that_no_column_holds_is_the_largest(void **state)
{
    struct fixture *fixture = *state;
    const struct stk_usage_row row = row_of(true, "Alpha", TODAY, UINT64_MAX);

    use(fixture, &row, 1);
    assert_string_equal(used(fixture, TODAY, 16), "certificate Alpha 9223372036854775807, ");
}

static void old_days_are_cleared_away(void **state)
{
    struct fixture *fixture = *state;

    for (int day = TODAY - 4; day <= TODAY; day++) {
        struct stk_usage_row row = row_of(false, "kamailio", day, 1);

        use(fixture, &row, 1);
    }
    assert_int_equal(number_of(fixture->catalog->db, "SELECT min(day) FROM usage"), TODAY - 2);
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM usage"), 3);
    assert_int_equal(stk_catalog_use(fixture->catalog, NULL, 0, TODAY + 1, NULL), STIRKEEP_OK);
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM usage"), 0);
}

static void names_that_are_none_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stk_usage_row rows[2] = {row_of(false, "kamailio", TODAY, 1),
                                    row_of(false, "", TODAY, 1)};

    assert_int_equal(stk_catalog_use(fixture->catalog, rows, 2, TODAY, &fixture->error),
                     STIRKEEP_INVALID);
    memset(rows[1].name, 'a', sizeof(rows[1].name)); /* without its end */
    assert_int_equal(stk_catalog_use(fixture->catalog, rows, 2, TODAY, &fixture->error),
                     STIRKEEP_INVALID);
    assert_string_equal(used(fixture, TODAY, 16), "");
}

static void there_are_not_more_counts_than_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct stk_usage_row rows[2] = {row_of(false, "kamailio", TODAY, 1),
                                    row_of(false, "other", TODAY, 1)};
    char sql[256] = "";

    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                   "INSERT INTO usage (day, kind, name, count) SELECT %d, 'grant', 'n' || i, 1 "
                   "FROM n",
                   STK_USAGE_ROWS_MAX - 1, TODAY);
    execute(fixture->catalog->db, sql);
    assert_int_equal(stk_catalog_use(fixture->catalog, rows, 2, TODAY, &fixture->error),
                     STIRKEEP_OVERLOADED);
    assert_int_equal(stk_catalog_use(fixture->catalog, rows, 1, TODAY, &fixture->error),
                     STIRKEEP_OK);
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM usage"),
                     STK_USAGE_ROWS_MAX);
    /* A new day makes room. */
    assert_int_equal(stk_catalog_use(fixture->catalog, rows, 2, TODAY + 1, &fixture->error),
                     STIRKEEP_OK);
}

static void on_a_full_disk_counts_wait_and_are_stored_later(void **state)
{
    struct fixture *fixture = *state;
    struct stk_usage_row row = row_of(false, "kamailio", TODAY, 7);
    struct rlimit limit = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    const struct stk_usage_row others[] = {row_of(false, "asterisk", TODAY, 3),
                                           row_of(true, "Alpha", TODAY, 2),
                                           row_of(true, "Alpha", TODAY - 9, 2)};

    use(fixture, &row, 1);
    row.count = 8;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    status = stk_catalog_use(fixture->catalog, &row, 1, TODAY, &fixture->error);
    assert_int_equal(stk_catalog_use(fixture->catalog, others, 3, TODAY, NULL), STIRKEEP_STORAGE);
    row.count = 6; /* a smaller one changes nothing */
    assert_int_equal(stk_catalog_use(fixture->catalog, &row, 1, TODAY, NULL), STIRKEEP_STORAGE);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, STIRKEEP_STORAGE);
    for (size_t room = 1; room <= 16; room++)
        assert_string_equal(used(fixture, TODAY, room),
                            "certificate Alpha 2, grant asterisk 3, grant kamailio 8, ");
    use(fixture, NULL, 0);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_string_equal(used(fixture, TODAY, 16),
                        "certificate Alpha 2, grant asterisk 3, grant kamailio 8, ");
    assert_string_equal(used(fixture, TODAY - 9, 16), "");
}

static void a_report_of_counts_is_cheap_beside_many(void **state)
{
    struct fixture *fixture = *state;
    static struct stk_usage_row rows[256];
    uint64_t began = 0;

    execute(fixture->catalog->db,
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
            "INSERT INTO usage (day, kind, name, count) SELECT 20000, 'certificate', 'n' || i, 1 "
            "FROM n");
    for (int i = 0; i < 256; i++) {
        char name[16] = "";

        (void)snprintf(name, sizeof(name), "n%d", i * 300);
        rows[i] = row_of(true, name, TODAY, 2);
    }
    began = stk_clock_mono_us();
    for (int round = 0; round < 10; round++)
        use(fixture, rows, 256);
    began = stk_clock_mono_us() - began;
    print_message("# 256 counts beside 100000: %llu us\n", (unsigned long long)began / 10);
    assert_true(began < 2000000);
}

static void the_leaf_of_a_generation_is_read_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    struct stk_bytes leaf = {0};
    size_t count = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 2);
    for (uint32_t generation = 1; generation <= 2; generation++) {
        assert_int_equal(stk_catalog_leaf(fixture->catalog, "Alpha", generation, &fixture->arena,
                                          &leaf, &fixture->error),
                         STIRKEEP_OK);
        assert_int_equal(stk_catalog_chain(fixture->catalog, "Alpha", generation, &fixture->arena,
                                           chain, &count, &fixture->error),
                         STIRKEEP_OK);
        assert_int_equal(leaf.length, chain[0].length);
        assert_memory_equal(leaf.data, chain[0].data, leaf.length);
    }
    assert_int_equal(stk_catalog_leaf(fixture->catalog, "Alpha", 3, &fixture->arena, &leaf, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(stk_catalog_leaf(fixture->catalog, "Beta", 1, &fixture->arena, &leaf, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(stk_catalog_leaf(fixture->catalog, "../x", 1, &fixture->arena, &leaf, NULL),
                     STIRKEEP_INVALID);
    {
        struct stk_arena small = {0};

        assert_int_equal(stk_arena_new(&small, 16), STIRKEEP_OK);
        assert_int_equal(stk_catalog_leaf(fixture->catalog, "Alpha", 1, &small, &leaf, NULL),
                         STIRKEEP_TOO_LARGE);
        stk_arena_free(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(counts_are_kept_by_kind_name_and_day_and_outlive_the_process),
        TEST(the_larger_count_stands),
        TEST(a_count_that_no_column_holds_is_the_largest),
        TEST(old_days_are_cleared_away),
        TEST(names_that_are_none_change_nothing),
        TEST(there_are_not_more_counts_than_the_limit),
        TEST(on_a_full_disk_counts_wait_and_are_stored_later),
        TEST(a_report_of_counts_is_cheap_beside_many),
        TEST(the_leaf_of_a_generation_is_read_alone),
    };

    return cmocka_run_group_tests_name("catalog usage", tests, NULL, NULL);
}
