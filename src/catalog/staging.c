/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

enum stirkeep_status stk_catalog_next_staged(struct stk_catalog *catalog,
                                             const struct stk_staged_generation *after,
                                             struct stk_staged_generation *ret_staged,
                                             struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_NEXT_STAGED);
    struct stk_staged_generation staged = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, after != NULL ? after->activate_at : 0);
    stk_query_bind_integer(&query, after != NULL ? after->row : 0);
    if (stk_query_step(&query)) {
        staged.row = stk_query_integer(&query);
        staged.activate_at = stk_query_number(&query, 1, INT64_MAX);
        staged.late = stk_query_integer(&query) != 0;
        staged.certificate = stk_query_certificate(&query);
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no generation is staged");
    *ret_staged = staged;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_generation_activate(struct stk_catalog *catalog, const char *name,
                                             uint32_t generation, const char *state,
                                             const struct stk_act *act, struct stk_error *error)
{
    struct stk_query query = {0};
    int64_t id = 0;
    int64_t row = 0;
    enum stirkeep_status status = stk_name_find(catalog, name, &id, error);

    if (status == STIRKEEP_OK)
        status = stk_generation_demote(catalog, id, error);
    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_GENERATION_ACTIVATE);
    stk_query_bind_integer(&query, id);
    stk_query_bind_integer(&query, generation);
    stk_query_bind_text(&query, state);
    while (stk_query_step(&query))
        row = stk_query_integer(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && query.rows == 0)
        status = stk_error_set(error, STIRKEEP_BUSY, "%s: generation %u is not a %s one any more",
                               name, generation, state);
    if (status == STIRKEEP_OK)
        status = stk_name_set_current(catalog, id, row, error);
    if (status == STIRKEEP_OK && act != NULL)
        status = stk_act_insert(catalog, act, generation, error);
    return status;
}

enum stirkeep_status stk_catalog_activate(struct stk_catalog *catalog, const char *name,
                                          uint32_t generation, const struct stk_act *act,
                                          struct stk_error *error)
{
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_generation_activate(catalog, name, generation, "staged", act, error);
    return stk_db_end(catalog, status, error);
}

/* Change a staged generation by a statement whose last parameters are its name and number; 0: it
 * has no other. */
static enum stirkeep_status change(struct stk_catalog *catalog, enum stk_sql sql, int64_t value,
                                   const char *name, uint32_t generation, const struct stk_act *act,
                                   struct stk_error *error)
{
    struct stk_query query = {0};
    int64_t id = 0;
    enum stirkeep_status status = stk_name_find(catalog, name, &id, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, sql);
    if (value != 0)
        stk_query_bind_integer(&query, value);
    stk_query_bind_integer(&query, id);
    stk_query_bind_integer(&query, generation);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK && stk_db_changes(catalog) != 1)
        status = stk_error_set(error, STIRKEEP_BUSY,
                               "%s: generation %u is not a staged one any more", name, generation);
    if (status == STIRKEEP_OK && act != NULL)
        status = stk_act_insert(catalog, act, generation, error);
    return status;
}

enum stirkeep_status stk_catalog_restage(struct stk_catalog *catalog, const char *name,
                                         uint32_t generation, int64_t activate_at,
                                         const struct stk_act *act, struct stk_error *error)
{
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK && activate_at <= 0)
        status = stk_error_set(error, STIRKEEP_INVALID, "activate_at: not after 1970");
    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = change(catalog, STK_SQL_GENERATION_RESTAGE, activate_at, name, generation, act, error);
    return stk_db_end(catalog, status, error);
}

enum stirkeep_status stk_catalog_supersede(struct stk_catalog *catalog, const char *name,
                                           uint32_t generation, const struct stk_act *act,
                                           struct stk_error *error)
{
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = change(catalog, STK_SQL_GENERATION_SUPERSEDE, 0, name, generation, act, error);
    return stk_db_end(catalog, status, error);
}
