/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

/* Is there a row? */
static enum stirkeep_status has_row(struct stk_query *query, bool *ret_has, struct stk_error *error)
{
    bool has = stk_query_step(query);
    enum stirkeep_status status = stk_query_end(query, error);

    if (status == STIRKEEP_OK)
        *ret_has = has;
    return status;
}

enum stirkeep_status stk_catalog_knows(struct stk_catalog *catalog, const char *name,
                                       const char *fingerprint, bool *ret_known,
                                       struct stk_error *error)
{
    struct stk_query query = {0};
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_check_text("fingerprint", fingerprint, 2 * STK_DIGEST_LENGTH, error);
    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_GENERATION_KNOWN);
    stk_query_bind_text(&query, name);
    stk_query_bind_text(&query, fingerprint);
    return has_row(&query, ret_known, error);
}

static enum stirkeep_status has_more(struct stk_catalog *catalog, int64_t name, bool *ret_more,
                                     struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_MORE);

    stk_query_bind_integer(&query, name);
    return has_row(&query, ret_more, error);
}

static enum stirkeep_status insert(struct stk_catalog *catalog,
                                   const struct stk_new_generation *generation, bool active,
                                   uint32_t *ret_number, struct stk_error *error)
{
    const struct stk_generation *about = generation->about;
    int64_t name = 0;
    int64_t key = 0;
    int64_t row = 0;
    bool more = false;
    enum stirkeep_status status = stk_name_hold(catalog, about->name, &name, error);

    if (status == STIRKEEP_OK)
        status = stk_key_hold(catalog, about, name, &key, error);
    if (status == STIRKEEP_OK)
        status = has_more(catalog, name, &more, error);
    active = active && !more;
    if (status == STIRKEEP_OK)
        status = stk_generation_insert(catalog, generation, name, key,
                                       active ? "active" : "previous", ret_number, &row, error);
    if (status == STIRKEEP_OK)
        status = active ? stk_name_set_current(catalog, name, row, error)
                        : stk_name_set_first(catalog, name, row, error);
    if (status == STIRKEEP_OK && generation->act != NULL)
        status = stk_act_insert(catalog, generation->act, *ret_number, error);
    return status;
}

static enum stirkeep_status recover(struct stk_catalog *catalog,
                                    const struct stk_new_generation *generation, bool active,
                                    uint32_t *ret_number, struct stk_error *error)
{
    const struct stk_generation *about = generation->about;
    bool known = false;
    enum stirkeep_status status = stk_catalog_idle(catalog, about->name, &about->key_id, error);

    if (status == STIRKEEP_OK)
        status = stk_catalog_knows(catalog, about->name, about->fingerprint, &known, error);
    if (status != STIRKEEP_OK || known)
        return status;
    return insert(catalog, generation, active, ret_number, error);
}

enum stirkeep_status stk_catalog_recover(struct stk_catalog *catalog,
                                         const struct stk_new_generation *generation, bool active,
                                         uint32_t *ret_generation, struct stk_error *error)
{
    uint32_t number = 0;
    enum stirkeep_status status = stk_generation_check(generation, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_db_end(catalog, recover(catalog, generation, active, &number, error), error);
    if (status == STIRKEEP_OK)
        *ret_generation = number;
    return status;
}

enum stirkeep_status stk_catalog_held(struct stk_catalog *catalog, int64_t after,
                                      struct stk_held_key *ret_keys, size_t room, size_t *ret_count,
                                      struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_KEY_HELD);
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, after);
    stk_query_bind_integer(&query, (int64_t)room);
    while (count < room && stk_query_step(&query)) {
        struct stk_held_key *key = &ret_keys[count++];

        key->row = stk_query_integer(&query);
        stk_query_key_id(&query, false, &key->key_id);
        stk_query_text_into(&query, key->name.text, STK_NAME_MAX);
        key->active = stk_query_integer(&query) != 0;
    }
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_count = count;
    return status;
}
