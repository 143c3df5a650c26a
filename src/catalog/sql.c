/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/sql.h"

/* Columns that stk_certificate and stk_generation are read from, in the readers' order. */
#define CERTIFICATE                                                                                \
    "SELECT name.name, generation.number, key.key_id, generation.x5u, generation.not_before, "     \
    "generation.not_after, generation.state = 'active' "
#define GENERATION                                                                                 \
    "SELECT name.name, generation.number, generation.state, generation.spc, generation.subject, "  \
    "generation.issuer, generation.serial, generation.fingerprint, generation.x5u, "               \
    "generation.not_before, generation.not_after, key.key_id, key.origin, key.attributes, "        \
    "generation.created, generation.created_by "
/* Each name with its active generation, or its newest. */
#define OF_CURRENT                                                                                 \
    "FROM name JOIN generation ON generation.id = name.current "                                   \
    "JOIN key ON key.id = generation.key "

static const char *const texts[STK_SQL_COUNT] = {
    [STK_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [STK_SQL_COMMIT] = "COMMIT",
    [STK_SQL_ROLLBACK] = "ROLLBACK",

    [STK_SQL_INTENT_OF_NAME] = "SELECT 1 FROM intent WHERE state = 'intent' AND name = ?",
    [STK_SQL_INTENT_OF_KEY] = "SELECT name FROM intent WHERE state = 'intent' AND key_id = ?",
    [STK_SQL_INTENT_COUNT] = "SELECT count(*) FROM intent",
    [STK_SQL_INTENT_INSERT] =
        "INSERT INTO intent (name, key_id, source, started, state) VALUES (?, ?, ?, ?, 'intent')",
    [STK_SQL_INTENT_NEXT] = "SELECT id, name, key_id, source FROM intent "
                            "WHERE state = 'intent' AND id > ? ORDER BY id LIMIT 1",
    [STK_SQL_INTENT_FORGET] = "DELETE FROM intent WHERE id = ?",
    [STK_SQL_INTENT_END] = "DELETE FROM intent WHERE id = ? AND name = ? AND key_id = ?",

    /* Acts leave in the order of their ids, so that the span is their number without counting. */
    [STK_SQL_ACT_SPAN] = "SELECT (SELECT max(id) FROM act) - (SELECT min(id) FROM act) + 1",
    [STK_SQL_ACT_INSERT] = "INSERT INTO act (act, outcome, name, generation, key_id, detail, uid, "
                           "gid, pid, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STK_SQL_ACT_NEXT] = "SELECT id, act, outcome, name, generation, key_id, detail, uid, gid, "
                         "pid, request_id FROM act ORDER BY id LIMIT 1",
    [STK_SQL_ACT_DONE] = "DELETE FROM act WHERE id = ?",

    [STK_SQL_NAME_COUNT] = "SELECT count(*) FROM name",
    [STK_SQL_NAME_FIND] = "SELECT id FROM name WHERE name = ?",
    [STK_SQL_NAME_INSERT] = "INSERT INTO name (name) VALUES (?)",
    [STK_SQL_NAME_SET_CURRENT] = "UPDATE name SET current = ? WHERE id = ?",

    [STK_SQL_KEY_FIND] = "SELECT key.id, name.name FROM key JOIN name ON name.id = key.name "
                         "WHERE key.state <> 'destroyed' AND key.key_id = ?",
    [STK_SQL_KEY_INSERT] =
        "INSERT INTO key (key_id, name, origin, attributes, state) VALUES (?, ?, ?, ?, 'held')",
    [STK_SQL_KEY_UPDATE] = "UPDATE key SET attributes = ?, state = 'held' WHERE id = ?",

    [STK_SQL_GENERATION_LAST] = "SELECT ifnull(max(number), 0) FROM generation WHERE name = ?",
    [STK_SQL_GENERATION_DEMOTE] =
        "UPDATE generation SET state = 'previous' WHERE name = ? AND state = 'active'",
    [STK_SQL_GENERATION_INSERT] =
        "INSERT INTO generation (name, number, key, state, spc, subject, issuer, serial, "
        "fingerprint, x5u, not_before, not_after, created, created_by) "
        "VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STK_SQL_GENERATION_RETIRE] = "UPDATE generation SET state = 'retired' "
                                  "WHERE state = 'active' AND name = ? RETURNING number",

    [STK_SQL_GENERATION_EARLIER] =
        CERTIFICATE "FROM name JOIN generation ON generation.name = name.id "
                    "JOIN key ON key.id = generation.key "
                    "JOIN generation AS active ON active.id = name.current "
                    "WHERE name.name = ? AND active.state = 'active' "
                    "AND generation.state = 'previous' AND generation.number < active.number "
                    "AND key.state = 'held' ORDER BY generation.number DESC LIMIT 1",
    [STK_SQL_GENERATION_ACTIVATE] = "UPDATE generation SET state = 'active' WHERE name = ? AND "
                                    "number = ? AND state = 'previous' RETURNING id",

    [STK_SQL_CHAIN_INSERT] = "INSERT INTO chain (generation, position, der) VALUES (?, ?, ?)",
    [STK_SQL_CHAIN] = "SELECT chain.der FROM name JOIN generation ON generation.name = name.id "
                      "JOIN chain ON chain.generation = generation.id "
                      "WHERE name.name = ? AND generation.number = ? ORDER BY chain.position",

    [STK_SQL_CERTIFICATE] = CERTIFICATE OF_CURRENT "WHERE name.name = ?",
    [STK_SQL_CERTIFICATES] =
        CERTIFICATE OF_CURRENT "WHERE name.name > ? ORDER BY name.name LIMIT ?",
    [STK_SQL_LIST] = GENERATION OF_CURRENT "WHERE name.name > ? ORDER BY name.name LIMIT ?",
    [STK_SQL_SHOW] = GENERATION "FROM name JOIN generation ON generation.name = name.id "
                                "JOIN key ON key.id = generation.key "
                                "WHERE name.name = ? ORDER BY generation.number DESC LIMIT ?",
};

const char *stk_sql_text(enum stk_sql sql)
{
    return texts[sql];
}
