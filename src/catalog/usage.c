/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <string.h>

static const char *kind_of(const struct stk_usage_row *row)
{
    return row->of_certificate ? "certificate" : "grant";
}

static enum stirkeep_status check_rows(const struct stk_usage_row *rows, size_t count,
                                       struct stk_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (strnlen(rows[i].name, sizeof(rows[i].name)) == sizeof(rows[i].name) ||
            rows[i].name[0] == '\0')
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "usage: the name of a %s: missing or "
                                 "longer than %d bytes",
                                 kind_of(&rows[i]), STK_GRANT_NAME_MAX);
    return STIRKEEP_OK;
}

static enum stirkeep_status check_room(struct stk_catalog *catalog, enum stk_sql counting,
                                       size_t more, int max, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, counting);
    int64_t rows = stk_query_step(&query) ? stk_query_integer(&query) : 0;
    enum stirkeep_status status = stk_query_end(&query, error);

    if (status == STIRKEEP_OK && rows + (int64_t)more > max)
        return stk_error_set(error, STIRKEEP_OVERLOADED,
                             "usage: more than %d counts would have to be kept", max);
    return status;
}

static enum stirkeep_status put(struct stk_catalog *catalog, enum stk_sql putting,
                                const struct stk_usage_row *row, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, putting);

    stk_query_bind_integer(&query, row->day);
    stk_query_bind_text(&query, kind_of(row));
    stk_query_bind_text(&query, row->name);
    stk_query_bind_integer(&query, row->count < INT64_MAX ? (int64_t)row->count : INT64_MAX);
    return stk_query_run(&query, error);
}

static enum stirkeep_status run_for_day(struct stk_catalog *catalog, enum stk_sql sql, int64_t day,
                                        struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, sql);

    stk_query_bind_integer(&query, day);
    return stk_query_run(&query, error);
}

/* ---- what waits, in memory: nothing of it can fail for a full disk */

static enum stirkeep_status hold(struct stk_catalog *catalog, const struct stk_usage_row *rows,
                                 size_t count, struct stk_error *error)
{
    enum stirkeep_status status =
        check_room(catalog, STK_SQL_USAGE_WAITING_COUNT, count, STK_USAGE_WAITING_MAX, error);

    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        status = put(catalog, STK_SQL_USAGE_WAITING_PUT, &rows[i], error);
    return status;
}

static void forget_held(struct stk_catalog *catalog)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_USAGE_WAITING_CLEAR);

    (void)stk_query_run(&query, NULL); /* stored twice they are the same */
}

/* ---- use */

static enum stirkeep_status store(struct stk_catalog *catalog, const struct stk_usage_row *rows,
                                  size_t count, int64_t oldest, struct stk_error *error)
{
    enum stirkeep_status status = stk_db_begin(catalog, error);

    if (status != STIRKEEP_OK)
        return status;
    status = run_for_day(catalog, STK_SQL_USAGE_CLEAR, oldest, error);
    if (status == STIRKEEP_OK)
        status = check_room(catalog, STK_SQL_USAGE_COUNT, count, STK_USAGE_ROWS_MAX, error);
    if (status == STIRKEEP_OK)
        status = run_for_day(catalog, STK_SQL_USAGE_WAITING_STORE, oldest, error);
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        status = put(catalog, STK_SQL_USAGE_PUT, &rows[i], error);
    return stk_db_end(catalog, status, error);
}

enum stirkeep_status stk_catalog_use(struct stk_catalog *catalog, const struct stk_usage_row *rows,
                                     size_t count, int64_t oldest, struct stk_error *error)
{
    enum stirkeep_status status = check_rows(rows, count, error);

    if (status == STIRKEEP_OK)
        status = store(catalog, rows, count, oldest, error);
    if (status == STIRKEEP_OK)
        forget_held(catalog);
    else if (status == STIRKEEP_STORAGE && hold(catalog, rows, count, NULL) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_OVERLOADED,
                             "usage: neither stored nor held: more than %d counts wait",
                             STK_USAGE_WAITING_MAX);
    return status;
}

static struct stk_usage_row read_row(struct stk_query *query, int64_t day)
{
    struct stk_usage_row row = {.day = day};
    char kind[sizeof("certificate")] = "";

    stk_query_text_into(query, kind, sizeof(kind) - 1);
    row.of_certificate = strcmp(kind, "certificate") == 0;
    stk_query_text_into(query, row.name, STK_GRANT_NAME_MAX);
    row.count = (uint64_t)stk_query_number(query, 0, INT64_MAX);
    return row;
}

enum stirkeep_status stk_catalog_used(struct stk_catalog *catalog, int64_t day,
                                      const struct stk_usage_row *after,
                                      struct stk_usage_row *ret_rows, size_t room,
                                      size_t *ret_count, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_USAGE_OF_DAY);
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, day);
    stk_query_bind_text(&query, after != NULL ? kind_of(after) : "");
    stk_query_bind_text(&query, after != NULL ? after->name : "");
    stk_query_bind_integer(&query, (int64_t)room);
    while (count < room && stk_query_step(&query))
        ret_rows[count++] = read_row(&query, day);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_count = count;
    return status;
}
