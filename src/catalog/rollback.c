/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

enum stirkeep_status stk_catalog_earlier(struct stk_catalog *catalog, const char *name,
                                         struct stk_certificate *ret_active,
                                         struct stk_certificate *ret_earlier,
                                         struct stk_error *error)
{
    struct stk_query query = {0};
    struct stk_certificate active = {0};
    struct stk_certificate earlier = {0};
    enum stirkeep_status status = stk_catalog_certificate(catalog, name, &active, error);

    if (status != STIRKEEP_OK)
        return status;
    if (!active.active)
        return stk_error_set(
            error, STIRKEEP_NOT_ACTIVE,
            "%s: nothing is active under this name: it is retired, staged or destroyed", name);
    query = stk_query_new(catalog, STK_SQL_GENERATION_EARLIER);
    stk_query_bind_text(&query, name);
    if (stk_query_step(&query))
        earlier = stk_query_certificate(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && query.rows == 0)
        status = stk_error_set(error, STIRKEEP_CONFLICT,
                               "%s: there is no generation before the active one whose key is held",
                               name);
    if (status != STIRKEEP_OK)
        return status;
    *ret_active = active;
    *ret_earlier = earlier;
    return STIRKEEP_OK;
}

static enum stirkeep_status roll_back(struct stk_catalog *catalog, const char *name, uint32_t from,
                                      uint32_t to, const struct stk_act *act,
                                      struct stk_error *error)
{
    struct stk_certificate current = {0};
    enum stirkeep_status status = stk_catalog_certificate(catalog, name, &current, error);

    if (status == STIRKEEP_OK && (!current.active || current.generation != from))
        status = stk_error_set(error, STIRKEEP_BUSY,
                               "%s: it was changed meanwhile; look at it again", name);
    if (status == STIRKEEP_OK)
        status = stk_generation_activate(catalog, name, to, "previous", act, error);
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
