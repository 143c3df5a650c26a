/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

/* The newest that was retired; 0: none. */
static enum stirkeep_status retire_all(struct stk_catalog *catalog, enum stk_sql sql, int64_t name,
                                       int64_t key, uint32_t *ret_newest, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, sql);

    stk_query_bind_integer(&query, name);
    if (key != 0)
        stk_query_bind_integer(&query, key);
    else
        stk_query_bind_null(&query);
    while (stk_query_step(&query)) {
        uint32_t number = (uint32_t)stk_query_number(&query, 1, STK_GENERATIONS_MAX);
        *ret_newest = number > *ret_newest ? number : *ret_newest;
    }
    return stk_query_end(&query, error);
}

enum stirkeep_status stk_generation_retire(struct stk_catalog *catalog, int64_t name, int64_t key,
                                           uint32_t *ret_active, uint32_t *ret_staged,
                                           struct stk_error *error)
{
    uint32_t active = 0;
    uint32_t staged = 0;
    enum stirkeep_status status =
        retire_all(catalog, STK_SQL_GENERATION_RETIRE_ACTIVE, name, key, &active, error);

    if (status == STIRKEEP_OK)
        status = retire_all(catalog, STK_SQL_GENERATION_RETIRE_STAGED, name, key, &staged, error);
    if (status != STIRKEEP_OK)
        return status;
    *ret_active = active;
    *ret_staged = staged;
    return STIRKEEP_OK;
}

static enum stirkeep_status retire(struct stk_catalog *catalog, const char *name,
                                   const struct stk_act *act, uint32_t *ret_number,
                                   struct stk_error *error)
{
    int64_t id = 0;
    uint32_t active = 0;
    uint32_t staged = 0;
    enum stirkeep_status status = stk_name_find(catalog, name, &id, error);

    if (status == STIRKEEP_OK)
        status = stk_generation_retire(catalog, id, 0, &active, &staged, error);
    if (status == STIRKEEP_OK && active == 0 && staged == 0)
        status = stk_error_set(error, STIRKEEP_NOT_ACTIVE,
                               "%s: nothing is active or staged under this name", name);
    if (status != STIRKEEP_OK)
        return status;
    *ret_number = active > 0 ? active : staged;
    return act != NULL ? stk_act_insert(catalog, act, *ret_number, error) : STIRKEEP_OK;
}

enum stirkeep_status stk_catalog_retire(struct stk_catalog *catalog, const char *name,
                                        const struct stk_act *act, uint32_t *ret_generation,
                                        struct stk_error *error)
{
    uint32_t number = 0;
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_db_end(catalog, retire(catalog, name, act, &number, error), error);
    if (status == STIRKEEP_OK)
        *ret_generation = number;
    return status;
}
