/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <string.h>

static enum stirkeep_status check_room(struct stk_catalog *catalog, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_ACT_SPAN);
    int64_t span = stk_query_step(&query) ? stk_query_integer(&query) : 0;
    enum stirkeep_status status = stk_query_end(&query, error);

    if (status == STIRKEEP_OK && span >= STK_ACTS_MAX)
        return stk_error_set(error, STIRKEEP_OVERLOADED,
                             "%d acts wait to be written to the audit trail: nothing more is done "
                             "before it can be written",
                             STK_ACTS_MAX);
    return status;
}

static enum stirkeep_status check_act(const struct stk_act *act, struct stk_error *error)
{
    enum stirkeep_status status = stk_check_text("act", act->act, STK_NAME_MAX, error);

    if (status == STIRKEEP_OK)
        status = stk_check_text("outcome", act->outcome, STK_NAME_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_check_text("name", act->name, STK_NAME_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_check_text("detail", act->detail, STK_ACT_DETAIL_MAX, error);
    return status;
}

enum stirkeep_status stk_act_insert(struct stk_catalog *catalog, const struct stk_act *act,
                                    uint32_t generation, struct stk_error *error)
{
    static const struct stk_key_id none = {0};
    struct stk_query query = {0};
    enum stirkeep_status status = check_act(act, error);

    if (status == STIRKEEP_OK)
        status = check_room(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_ACT_INSERT);
    stk_query_bind_text(&query, act->act);
    stk_query_bind_text(&query, act->outcome);
    stk_query_bind_text(&query, act->name);
    stk_query_bind_integer(&query, generation > 0 ? generation : act->generation);
    if (memcmp(&act->key_id, &none, sizeof(none)) == 0)
        stk_query_bind_null(&query);
    else
        stk_query_bind_bytes(&query, act->key_id.bytes, sizeof(act->key_id.bytes));
    stk_query_bind_text(&query, act->detail);
    stk_query_bind_integer(&query, act->peer.uid);
    stk_query_bind_integer(&query, act->peer.gid);
    stk_query_bind_integer(&query, act->peer.pid);
    stk_query_bind_integer(&query, (int64_t)act->request_id);
    return stk_query_run(&query, error);
}

enum stirkeep_status stk_catalog_act(struct stk_catalog *catalog, const struct stk_act *act,
                                     struct stk_error *error)
{
    enum stirkeep_status status = stk_db_begin(catalog, error);

    if (status != STIRKEEP_OK)
        return status;
    return stk_db_end(catalog, stk_act_insert(catalog, act, 0, error), error);
}

enum stirkeep_status stk_catalog_next_act(struct stk_catalog *catalog, struct stk_arena *arena,
                                          struct stk_act *ret_act, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_ACT_NEXT);
    struct stk_act act = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_query_step(&query)) {
        act.id = stk_query_integer(&query);
        act.act = stk_query_text(&query, arena, STK_NAME_MAX);
        act.outcome = stk_query_text(&query, arena, STK_NAME_MAX);
        act.name = stk_query_text(&query, arena, STK_NAME_MAX);
        act.generation = (uint32_t)stk_query_number(&query, 0, UINT32_MAX);
        stk_query_key_id(&query, true, &act.key_id);
        act.detail = stk_query_text(&query, arena, STK_ACT_DETAIL_MAX);
        act.peer.uid = (uid_t)stk_query_number(&query, 0, UINT32_MAX);
        act.peer.gid = (gid_t)stk_query_number(&query, 0, UINT32_MAX);
        act.peer.pid = (pid_t)stk_query_number(&query, 0, INT32_MAX);
        act.request_id = (uint64_t)stk_query_integer(&query);
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no act waits for the trail");
    *ret_act = act;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_catalog_act_done(struct stk_catalog *catalog, int64_t id,
                                          struct stk_error *error)
{
    struct stk_query query = {0};
    enum stirkeep_status status = stk_db_begin(catalog, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_ACT_DONE);
    stk_query_bind_integer(&query, id);
    return stk_db_end(catalog, stk_query_run(&query, error), error);
}
