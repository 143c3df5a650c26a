/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <stdlib.h>

static enum stirkeep_status unknown(const char *name, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "%s: no certificate is held under this name",
                         name);
}

struct stk_certificate stk_query_certificate(struct stk_query *query)
{
    struct stk_certificate certificate = {0};

    stk_query_text_into(query, certificate.name.text, STK_NAME_MAX);
    certificate.generation = (uint32_t)stk_query_number(query, 1, STK_GENERATIONS_MAX);
    stk_query_key_id(query, false, &certificate.key_id);
    stk_query_text_into(query, certificate.x5u, STK_X5U_MAX);
    certificate.not_before = stk_query_integer(query);
    certificate.not_after = stk_query_integer(query);
    certificate.active = stk_query_integer(query) != 0;
    return certificate;
}

enum stirkeep_status stk_catalog_certificate(struct stk_catalog *catalog, const char *name,
                                             struct stk_certificate *ret_certificate,
                                             struct stk_error *error)
{
    struct stk_query query = {0};
    struct stk_certificate certificate = {0};
    enum stirkeep_status status = stk_check_name(name, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_CERTIFICATE);
    stk_query_bind_text(&query, name);
    if (stk_query_step(&query))
        certificate = stk_query_certificate(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && query.rows == 0)
        return unknown(name, error);
    if (status == STIRKEEP_OK)
        *ret_certificate = certificate;
    return status;
}

enum stirkeep_status stk_catalog_certificates(struct stk_catalog *catalog, const char *after,
                                              struct stk_certificate *ret_certificates, size_t room,
                                              size_t *ret_count, struct stk_error *error)
{
    struct stk_query query = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_check_text("after", after, STK_NAME_MAX, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_CERTIFICATES);
    stk_query_bind_text(&query, after);
    stk_query_bind_integer(&query, (int64_t)room);
    while (count < room && stk_query_step(&query))
        ret_certificates[count++] = stk_query_certificate(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_count = count;
    return status;
}

static struct stk_generation read_generation(struct stk_query *query, struct stk_arena *arena)
{
    struct stk_generation about = {0};

    about.name = stk_query_text(query, arena, STK_NAME_MAX);
    about.generation = (uint32_t)stk_query_number(query, 1, STK_GENERATIONS_MAX);
    about.state = stk_query_text(query, arena, STK_NAME_MAX);
    about.activate_at = stk_query_integer(query);
    about.spc = stk_query_text(query, arena, STK_CATALOG_TEXT_MAX);
    about.numbers = stk_query_text(query, arena, STK_CATALOG_TEXT_MAX);
    about.subject = stk_query_text(query, arena, STK_CATALOG_TEXT_MAX);
    about.issuer = stk_query_text(query, arena, STK_CATALOG_TEXT_MAX);
    about.serial = stk_query_text(query, arena, STK_CATALOG_TEXT_MAX);
    about.fingerprint = stk_query_text(query, arena, 2 * STK_DIGEST_LENGTH);
    about.x5u = stk_query_text(query, arena, STK_X5U_MAX);
    about.not_before = stk_query_integer(query);
    about.not_after = stk_query_integer(query);
    stk_query_key_id(query, false, &about.key_id);
    about.origin = stk_query_text(query, arena, STK_NAME_MAX);
    about.attributes = stk_query_text(query, arena, STK_ATTRIBUTES_MAX - 1);
    about.created = stk_query_integer(query);
    about.created_by = (uint32_t)stk_query_number(query, 0, UINT32_MAX);
    return about;
}

static enum stirkeep_status read_generations(struct stk_catalog *catalog, enum stk_sql sql,
                                             const char *text, struct stk_arena *arena,
                                             struct stk_generation *ret_generations, size_t room,
                                             size_t *ret_count, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, sql);
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_text(&query, text);
    stk_query_bind_integer(&query, (int64_t)room);
    while (count < room && stk_query_step(&query))
        ret_generations[count++] = read_generation(&query, arena);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_count = count;
    return status;
}

enum stirkeep_status stk_catalog_list(struct stk_catalog *catalog, const char *after,
                                      struct stk_arena *arena,
                                      struct stk_generation *ret_generations, size_t room,
                                      size_t *ret_count, struct stk_error *error)
{
    enum stirkeep_status status = stk_check_text("after", after, STK_NAME_MAX, error);

    if (status != STIRKEEP_OK)
        return status;
    return read_generations(catalog, STK_SQL_LIST, after, arena, ret_generations, room, ret_count,
                            error);
}

static int compare_newest_first(const void *a, const void *b)
{
    const struct stk_generation *left = a;
    const struct stk_generation *right = b;

    return left->generation < right->generation ? 1 : left->generation > right->generation ? -1 : 0;
}

enum stirkeep_status stk_catalog_show(struct stk_catalog *catalog, const char *name,
                                      struct stk_arena *arena,
                                      struct stk_generation *ret_generations, size_t room,
                                      size_t *ret_count, struct stk_error *error)
{
    size_t count = 0;
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = read_generations(catalog, STK_SQL_SHOW, name, arena, ret_generations, room, &count,
                                  error);
    if (status != STIRKEEP_OK)
        return status;
    if (count == 0)
        return unknown(name, error);
    qsort(ret_generations, count, sizeof(*ret_generations), compare_newest_first);
    *ret_count = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status no_generation(const char *name, uint32_t generation,
                                          struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "%s: no generation %u is held", name,
                         generation);
}

enum stirkeep_status stk_catalog_chain(struct stk_catalog *catalog, const char *name,
                                       uint32_t generation, struct stk_arena *arena,
                                       struct stk_bytes ret_chain[STK_CHAIN_MAX], size_t *ret_count,
                                       struct stk_error *error)
{
    struct stk_query query = {0};
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    size_t count = 0;
    enum stirkeep_status status = stk_check_name(name, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_CHAIN);
    stk_query_bind_text(&query, name);
    stk_query_bind_integer(&query, generation);
    while (count < STK_CHAIN_MAX && stk_query_step(&query))
        chain[count++] = stk_query_bytes(&query, arena, STK_CERT_DER_MAX);
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (count == 0)
        return no_generation(name, generation, error);
    for (size_t i = 0; i < count; i++)
        ret_chain[i] = chain[i];
    *ret_count = count;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_catalog_leaf(struct stk_catalog *catalog, const char *name,
                                      uint32_t generation, struct stk_arena *arena,
                                      struct stk_bytes *ret_der, struct stk_error *error)
{
    struct stk_query query = {0};
    struct stk_bytes der = {0};
    enum stirkeep_status status = stk_check_name(name, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_LEAF);
    stk_query_bind_text(&query, name);
    stk_query_bind_integer(&query, generation);
    if (stk_query_step(&query))
        der = stk_query_bytes(&query, arena, STK_CERT_DER_MAX);
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return no_generation(name, generation, error);
    *ret_der = der;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_catalog_count(struct stk_catalog *catalog, uint32_t *ret_names,
                                       struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_NAME_COUNT_LISTED);
    int64_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_query_step(&query))
        count = stk_query_number(&query, 0, UINT32_MAX);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_names = (uint32_t)count;
    return status;
}

static enum stirkeep_status count_between(struct stk_catalog *catalog, enum stk_sql which,
                                          int64_t from, int64_t until, uint32_t *ret_total,
                                          struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, which);
    uint32_t total = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, from);
    stk_query_bind_integer(&query, until);
    if (stk_query_step(&query))
        total = (uint32_t)stk_query_number(&query, 0, UINT32_MAX);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_total = total;
    return status;
}

static enum stirkeep_status take_between(struct stk_catalog *catalog, enum stk_sql which,
                                         int64_t from, int64_t until,
                                         struct stk_certificate *ret_certificates, size_t room,
                                         size_t *ret_count, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, which);
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, from);
    stk_query_bind_integer(&query, until);
    stk_query_bind_integer(&query, (int64_t)room);
    while (count < room && stk_query_step(&query))
        ret_certificates[count++] = stk_query_certificate(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_count = count;
    return status;
}

enum stirkeep_status stk_catalog_expiring(struct stk_catalog *catalog, int64_t from, int64_t until,
                                          struct stk_certificate *ret_certificates, size_t room,
                                          size_t *ret_count, uint32_t *ret_total,
                                          struct stk_error *error)
{
    enum stirkeep_status status =
        count_between(catalog, STK_SQL_GENERATION_EXPIRING_COUNT, from, until, ret_total, error);

    if (status == STIRKEEP_OK)
        status = take_between(catalog, STK_SQL_GENERATION_EXPIRING, from, until, ret_certificates,
                              room, ret_count, error);
    return status;
}

enum stirkeep_status stk_catalog_early(struct stk_catalog *catalog, int64_t now,
                                       struct stk_certificate *ret_certificates, size_t room,
                                       size_t *ret_count, uint32_t *ret_total,
                                       struct stk_error *error)
{
    enum stirkeep_status status = count_between(catalog, STK_SQL_GENERATION_EARLY_COUNT, now + 1,
                                                INT64_MAX, ret_total, error);

    if (status == STIRKEEP_OK)
        status = take_between(catalog, STK_SQL_GENERATION_EARLY, now + 1, INT64_MAX,
                              ret_certificates, room, ret_count, error);
    return status;
}
