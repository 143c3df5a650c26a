/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <string.h>

static enum stirkeep_status check_texts(const struct stk_generation *about, struct stk_error *error)
{
    const struct {
        const char *field;
        const char *text;
        size_t max;
    } texts[] = {{"spc", about->spc, STK_CATALOG_TEXT_MAX},
                 {"numbers", about->numbers, STK_CATALOG_TEXT_MAX},
                 {"subject", about->subject, STK_CATALOG_TEXT_MAX},
                 {"issuer", about->issuer, STK_CATALOG_TEXT_MAX},
                 {"serial", about->serial, STK_CATALOG_TEXT_MAX},
                 {"fingerprint", about->fingerprint, 2 * STK_DIGEST_LENGTH},
                 {"x5u", about->x5u, STK_X5U_MAX},
                 {"origin", about->origin, STK_NAME_MAX},
                 {"attributes", about->attributes, STK_ATTRIBUTES_MAX - 1}};
    enum stirkeep_status status = stk_check_name(about->name, error);

    for (size_t i = 0; status == STIRKEEP_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
        status = stk_check_text(texts[i].field, texts[i].text, texts[i].max, error);
    if (status == STIRKEEP_OK && strcmp(about->origin, "imported") != 0 &&
        strcmp(about->origin, "sealed") != 0 && strcmp(about->origin, "generated") != 0)
        status = stk_error_set(error, STIRKEEP_INVALID,
                               "origin: neither imported nor sealed nor generated");
    if (status == STIRKEEP_OK && about->activate_at < 0)
        status = stk_error_set(error, STIRKEEP_INVALID, "activate_at: before 1970");
    return status;
}

static enum stirkeep_status check_chain(const struct stk_new_generation *generation,
                                        struct stk_error *error)
{
    if (generation->chain_count == 0 || generation->chain_count > STK_CHAIN_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "chain: %zu certificates, not 1 to %d",
                             generation->chain_count, STK_CHAIN_MAX);
    for (size_t i = 0; i < generation->chain_count; i++)
        if (generation->chain[i].length == 0 || generation->chain[i].length > STK_CERT_DER_MAX)
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "chain: certificate %zu has %zu bytes, not 1 to %d", i + 1,
                                 generation->chain[i].length, STK_CERT_DER_MAX);
    return STIRKEEP_OK;
}

static enum stirkeep_status next_number(struct stk_catalog *catalog, const char *text, int64_t name,
                                        uint32_t *ret_number, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_LAST);
    int64_t last = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, name);
    if (stk_query_step(&query))
        last = stk_query_number(&query, 0, STK_GENERATIONS_MAX);
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (last >= STK_GENERATIONS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE,
                             "%s: %d generations are held under this name, and no more are allowed",
                             text, STK_GENERATIONS_MAX);
    *ret_number = (uint32_t)last + 1;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_generation_demote(struct stk_catalog *catalog, int64_t name,
                                           struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_DEMOTE);

    stk_query_bind_integer(&query, name);
    return stk_query_run(&query, error);
}

static enum stirkeep_status insert_row(struct stk_catalog *catalog,
                                       const struct stk_generation *about, int64_t name,
                                       int64_t key, const char *state, uint32_t number,
                                       int64_t *ret_row, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_INSERT);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, name);
    stk_query_bind_integer(&query, number);
    stk_query_bind_integer(&query, key);
    stk_query_bind_text(&query, state);
    if (strcmp(state, "staged") == 0)
        stk_query_bind_integer(&query, about->activate_at);
    else
        stk_query_bind_null(&query);
    stk_query_bind_text(&query, about->spc);
    stk_query_bind_text(&query, about->numbers);
    stk_query_bind_text(&query, about->subject);
    stk_query_bind_text(&query, about->issuer);
    stk_query_bind_text(&query, about->serial);
    stk_query_bind_text(&query, about->fingerprint);
    stk_query_bind_text(&query, about->x5u);
    stk_query_bind_integer(&query, about->not_before);
    stk_query_bind_integer(&query, about->not_after);
    stk_query_bind_integer(&query, about->created);
    stk_query_bind_integer(&query, about->created_by);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK)
        *ret_row = sqlite3_last_insert_rowid(catalog->db);
    return status;
}

static enum stirkeep_status insert_chain(struct stk_catalog *catalog, int64_t row,
                                         const struct stk_new_generation *generation,
                                         struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; status == STIRKEEP_OK && i < generation->chain_count; i++) {
        struct stk_query query = stk_query_new(catalog, STK_SQL_CHAIN_INSERT);
        stk_query_bind_integer(&query, row);
        stk_query_bind_integer(&query, (int64_t)i);
        stk_query_bind_bytes(&query, generation->chain[i].data, generation->chain[i].length);
        status = stk_query_run(&query, error);
    }
    return status;
}

enum stirkeep_status stk_generation_insert(struct stk_catalog *catalog,
                                           const struct stk_new_generation *generation,
                                           int64_t name, int64_t key, const char *state,
                                           uint32_t *ret_number, int64_t *ret_row,
                                           struct stk_error *error)
{
    const struct stk_generation *about = generation->about;
    enum stirkeep_status status = next_number(catalog, about->name, name, ret_number, error);

    if (status == STIRKEEP_OK)
        status = insert_row(catalog, about, name, key, state, *ret_number, ret_row, error);
    if (status == STIRKEEP_OK)
        status = insert_chain(catalog, *ret_row, generation, error);
    return status;
}

static enum stirkeep_status set_current(struct stk_catalog *catalog, enum stk_sql sql, int64_t name,
                                        int64_t row, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, sql);

    stk_query_bind_integer(&query, row);
    stk_query_bind_integer(&query, name);
    return stk_query_run(&query, error);
}

enum stirkeep_status stk_name_set_current(struct stk_catalog *catalog, int64_t name, int64_t row,
                                          struct stk_error *error)
{
    return set_current(catalog, STK_SQL_NAME_SET_CURRENT, name, row, error);
}

enum stirkeep_status stk_name_set_first(struct stk_catalog *catalog, int64_t name, int64_t row,
                                        struct stk_error *error)
{
    return set_current(catalog, STK_SQL_NAME_SET_FIRST, name, row, error);
}

enum stirkeep_status stk_generation_check(const struct stk_new_generation *generation,
                                          struct stk_error *error)
{
    enum stirkeep_status status = check_texts(generation->about, error);

    return status == STIRKEEP_OK ? check_chain(generation, error) : status;
}

static enum stirkeep_status add(struct stk_catalog *catalog,
                                const struct stk_new_generation *generation, uint32_t *ret_number,
                                struct stk_error *error)
{
    const struct stk_generation *about = generation->about;
    int64_t name = 0;
    int64_t key = 0;
    int64_t row = 0;
    bool staged = about->activate_at != 0;
    enum stirkeep_status status = stk_name_hold(catalog, about->name, &name, error);

    if (status == STIRKEEP_OK)
        status = stk_key_hold(catalog, about, name, &key, error);
    if (status == STIRKEEP_OK && !staged)
        status = stk_generation_demote(catalog, name, error);
    if (status == STIRKEEP_OK)
        status = stk_generation_insert(catalog, generation, name, key, staged ? "staged" : "active",
                                       ret_number, &row, error);
    if (status == STIRKEEP_OK)
        status = staged ? stk_name_set_first(catalog, name, row, error)
                        : stk_name_set_current(catalog, name, row, error);
    if (status == STIRKEEP_OK && generation->intent != 0)
        status = stk_intent_end(catalog, generation->intent, STK_INTENT_IMPORT, about->name,
                                &about->key_id, error);
    if (status == STIRKEEP_OK && generation->act != NULL)
        status = stk_act_insert(catalog, generation->act, *ret_number, error);
    return status;
}

enum stirkeep_status stk_catalog_add(struct stk_catalog *catalog,
                                     const struct stk_new_generation *generation,
                                     uint32_t *ret_generation, struct stk_error *error)
{
    uint32_t number = 0;
    enum stirkeep_status status = stk_generation_check(generation, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_db_end(catalog, add(catalog, generation, &number, error), error);
    if (status == STIRKEEP_OK)
        *ret_generation = number;
    return status;
}
