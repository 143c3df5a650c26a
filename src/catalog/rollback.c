/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

static enum stirkeep_status activate(struct stk_catalog *catalog, int64_t name, uint32_t number,
                                     int64_t *ret_row, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_ACTIVATE);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, name);
    stk_query_bind_integer(&query, number);
    while (stk_query_step(&query))
        *ret_row = stk_query_integer(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && query.rows == 0)
        status = stk_error_set(error, STIRKEEP_BUSY, "generation %u is no previous one any more",
                               number);
    return status;
}

static enum stirkeep_status roll_back(struct stk_catalog *catalog, const char *text, uint32_t from,
                                      uint32_t to, const struct stk_act *act,
                                      struct stk_error *error)
{
    struct stk_certificate current = {0};
    int64_t name = 0;
    int64_t row = 0;
    enum stirkeep_status status = stk_catalog_certificate(catalog, text, &current, error);

    if (status == STIRKEEP_OK && (!current.active || current.generation != from))
        status = stk_error_set(error, STIRKEEP_BUSY,
                               "%s: it was changed meanwhile; look at it again", text);
    if (status == STIRKEEP_OK)
        status = stk_name_find(catalog, text, &name, error);
    if (status == STIRKEEP_OK)
        status = stk_generation_demote(catalog, name, error);
    if (status == STIRKEEP_OK)
        status = activate(catalog, name, to, &row, error);
    if (status == STIRKEEP_OK)
        status = stk_name_set_current(catalog, name, row, error);
    if (status == STIRKEEP_OK && act != NULL)
        status = stk_act_insert(catalog, act, to, error);
    return status;
}

enum stirkeep_status stk_catalog_roll_back(struct stk_catalog *catalog, const char *name,
                                           uint32_t from, uint32_t to, const struct stk_act *act,
                                           struct stk_error *error)
{
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    return stk_db_end(catalog, roll_back(catalog, name, from, to, act, error), error);
}
