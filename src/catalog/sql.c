/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/sql.h"

/* Columns that stk_certificate and stk_generation are read from, in the readers' order. */
#define CERTIFICATE_COLUMNS                                                                        \
    "name.name, generation.number, key.key_id, generation.x5u, generation.not_before, "            \
    "generation.not_after, generation.state = 'active' "
#define CERTIFICATE "SELECT " CERTIFICATE_COLUMNS
#define GENERATION                                                                                 \
    "SELECT name.name, generation.number, generation.state, "                                      \
    "CASE generation.state WHEN 'staged' THEN generation.activate_at ELSE 0 END, "                 \
    "generation.spc, generation.numbers, generation.subject, generation.issuer, "                  \
    "generation.serial, generation.fingerprint, generation.x5u, generation.not_before, "           \
    "generation.not_after, key.key_id, key.origin, key.attributes, generation.created, "           \
    "generation.created_by "
/* Each name with the generation that it stands for. */
#define OF_CURRENT                                                                                 \
    "FROM name JOIN generation ON generation.id = name.current "                                   \
    "JOIN key ON key.id = generation.key "
/* A key that will be there tomorrow. */
#define CONDEMNED                                                                                  \
    "EXISTS (SELECT 1 FROM intent WHERE intent.state = 'intent' AND intent.kind = 'destroy' AND "  \
    "intent.key_id = key.key_id) "
#define USABLE "key.state = 'held' AND NOT " CONDEMNED
/* The keys of name ?1 that are not destroyed, or the one of them whose key_id is ?2. */
#define OF_NAME_AND_KEY                                                                            \
    "key.name = ?1 AND key.state <> 'destroyed' AND ifnull(?2, key.key_id) = key.key_id "

#define LARGER_STANDS                                                                              \
    " ON CONFLICT (day, kind, name) DO UPDATE SET count = max(count, excluded.count)"
#define PAGE_OF(table)                                                                             \
    "SELECT * FROM (SELECT kind, name, count FROM " table                                          \
    " WHERE day = ?1 AND (kind, name) > (?2, ?3) ORDER BY kind, name LIMIT ?4)"
#define STORED_PAGE PAGE_OF("main.usage")
#define WAITING_PAGE PAGE_OF("usage_waiting")

static const char *const texts[STK_SQL_COUNT] = {
    [STK_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [STK_SQL_COMMIT] = "COMMIT",
    [STK_SQL_ROLLBACK] = "ROLLBACK",

    [STK_SQL_INTENT_OF_NAME] = "SELECT kind, name FROM intent WHERE state = 'intent' AND name = ? "
                               "AND kind <> ifnull(?, '') LIMIT 1",
    [STK_SQL_INTENT_OF_KEY] = "SELECT kind, name FROM intent WHERE state = 'intent' AND key_id = ?",
    [STK_SQL_INTENT_OF_HELD_KEYS] =
        "SELECT intent.kind, intent.name FROM key CROSS JOIN intent ON intent.key_id = key.key_id "
        "WHERE " OF_NAME_AND_KEY "AND intent.state = 'intent' AND intent.kind <> 'destroy' LIMIT 1",
    [STK_SQL_INTENT_COUNT] = "SELECT count(*) FROM intent",
    [STK_SQL_INTENT_INSERT] = "INSERT INTO intent (kind, name, key_id, source, started, state) "
                              "VALUES (?, ?, ?, ?, ?, 'intent')",
    [STK_SQL_INTENT_SET_KEY] = "UPDATE intent SET ticket = key_id, key_id = ? WHERE id = ? AND "
                               "state = 'intent' AND kind = 'generate' AND ticket IS NULL",
    [STK_SQL_INTENT_NEXT] = "SELECT id, kind, name, key_id, ticket, source FROM intent "
                            "WHERE state = 'intent' AND id > ? ORDER BY id LIMIT 1",
    [STK_SQL_INTENT_FIND] = "SELECT kind, key_id FROM intent WHERE state = 'intent' AND id = ?",
    [STK_SQL_INTENT_FORGET] = "DELETE FROM intent WHERE id = ?",
    [STK_SQL_INTENT_END] =
        "DELETE FROM intent WHERE id = ? AND kind = ? AND name = ? AND key_id = ?",
    [STK_SQL_INTENT_DESTROY_KEYS] =
        "INSERT INTO intent (name, key_id, source, started, state, kind) "
        "SELECT name.name, key.key_id, '', ?3, 'intent', 'destroy' FROM key "
        "JOIN name ON name.id = key.name WHERE " OF_NAME_AND_KEY "AND NOT " CONDEMNED
        "ORDER BY key.id",

    /* Acts leave in the order of their ids, so that the span is their number without counting. */
    [STK_SQL_ACT_SPAN] = "SELECT (SELECT max(id) FROM act) - (SELECT min(id) FROM act) + 1",
    [STK_SQL_ACT_INSERT] = "INSERT INTO act (act, outcome, name, generation, key_id, detail, uid, "
                           "gid, pid, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STK_SQL_ACT_NEXT] = "SELECT id, act, outcome, name, generation, key_id, detail, uid, gid, "
                         "pid, request_id FROM act ORDER BY id LIMIT 1",
    [STK_SQL_ACT_DONE] = "DELETE FROM act WHERE id = ?",

    [STK_SQL_NAME_COUNT] = "SELECT count(*) FROM name",
    [STK_SQL_NAME_COUNT_LISTED] = "SELECT count(current) FROM name",
    [STK_SQL_NAME_FIND] = "SELECT id FROM name WHERE name = ?",
    [STK_SQL_NAME_INSERT] = "INSERT INTO name (name) VALUES (?)",
    [STK_SQL_NAME_SET_CURRENT] = "UPDATE name SET current = ? WHERE id = ?",
    [STK_SQL_NAME_SET_FIRST] = "UPDATE name SET current = ? WHERE id = ? AND current IS NULL",

    [STK_SQL_KEY_FIND] =
        "SELECT key.id, name.name, " CONDEMNED "FROM key JOIN name ON name.id = key.name "
        "WHERE key.state <> 'destroyed' AND key.key_id = ?",
    [STK_SQL_KEY_OF_NAME] = "SELECT key.id FROM key WHERE " OF_NAME_AND_KEY "LIMIT 1",
    [STK_SQL_KEY_COUNT] = "SELECT count(*) FROM key WHERE name = ?",
    [STK_SQL_KEY_INSERT] = "INSERT INTO key (key_id, name, origin, attributes, created, "
                           "created_by, state) VALUES (?, ?, ?, ?, ?, ?, 'held')",
    [STK_SQL_KEY_UPDATE] = "UPDATE key SET attributes = ?, state = 'held' WHERE id = ?",
    [STK_SQL_KEY_REQUESTED] =
        "SELECT key.key_id, key.attributes, key.created, key.created_by FROM name "
        "JOIN key ON key.name = name.id WHERE name.name = ? AND " USABLE
        "AND NOT EXISTS (SELECT 1 FROM generation WHERE generation.key = key.id) "
        "ORDER BY key.id DESC LIMIT ?",
    [STK_SQL_KEY_DESTROY] = "UPDATE key SET state = 'destroyed' "
                            "WHERE state <> 'destroyed' AND key_id = ? RETURNING id",
    [STK_SQL_KEY_HELD] =
        "SELECT key.id, key.key_id, name.name, EXISTS (SELECT 1 FROM generation "
        "WHERE generation.key = key.id AND generation.state = 'active') FROM key "
        "JOIN name ON name.id = key.name WHERE key.id > ? AND " USABLE "ORDER BY key.id LIMIT ?",

    [STK_SQL_GENERATION_LAST] = "SELECT ifnull(max(number), 0) FROM generation WHERE name = ?",
    [STK_SQL_GENERATION_DEMOTE] =
        "UPDATE generation SET state = 'previous' WHERE name = ? AND state = 'active'",
    [STK_SQL_GENERATION_INSERT] =
        "INSERT INTO generation (name, number, key, state, activate_at, spc, numbers, subject, "
        "issuer, serial, fingerprint, x5u, not_before, not_after, created, created_by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STK_SQL_GENERATION_RETIRE_ACTIVE] =
        "UPDATE generation SET state = 'retired' "
        "WHERE state = 'active' AND name = ?1 AND ifnull(?2, key) = key RETURNING number",
    [STK_SQL_GENERATION_RETIRE_STAGED] =
        "UPDATE generation SET state = 'retired', activate_at = NULL "
        "WHERE state = 'staged' AND name = ?1 AND ifnull(?2, key) = key RETURNING number",

    [STK_SQL_GENERATION_EARLIER] =
        CERTIFICATE "FROM name JOIN generation ON generation.name = name.id "
                    "JOIN key ON key.id = generation.key "
                    "JOIN generation AS active ON active.id = name.current "
                    "WHERE name.name = ? AND active.state = 'active' "
                    "AND generation.state = 'previous' AND generation.number < active.number "
                    "AND " USABLE "ORDER BY generation.number DESC LIMIT 1",
    [STK_SQL_GENERATION_ACTIVATE] =
        "UPDATE generation SET state = 'active' "
        "WHERE name = ? AND number = ? AND state = ? "
        "AND EXISTS (SELECT 1 FROM key WHERE key.id = generation.key AND " USABLE ") RETURNING id",
    [STK_SQL_GENERATION_NEXT_STAGED] =
        "SELECT generation.id, generation.activate_at, EXISTS (SELECT 1 FROM generation AS active "
        "WHERE active.name = generation.name AND active.state = 'active' "
        "AND ifnull(active.activate_at, active.created) > "
        "generation.activate_at), " CERTIFICATE_COLUMNS "FROM generation "
        "CROSS JOIN name ON name.id = generation.name CROSS JOIN key ON key.id = generation.key "
        "WHERE generation.state = 'staged' AND (ifnull(generation.activate_at, 0), generation.id) "
        "> (?, ?) "
        "ORDER BY generation.activate_at, generation.id LIMIT 1",
    [STK_SQL_GENERATION_SUPERSEDE] = "UPDATE generation SET state = 'previous' "
                                     "WHERE name = ? AND number = ? AND state = 'staged'",
    [STK_SQL_GENERATION_RESTAGE] = "UPDATE generation SET activate_at = ? "
                                   "WHERE name = ? AND number = ? AND state = 'staged'",
    [STK_SQL_GENERATION_DESTROY] = "UPDATE generation SET state = 'destroyed', activate_at = NULL "
                                   "WHERE key = ? RETURNING number",
    [STK_SQL_GENERATION_KNOWN] =
        "SELECT 1 FROM name JOIN generation ON generation.name = name.id WHERE name.name = ? "
        "AND generation.state <> 'destroyed' AND generation.fingerprint = ? LIMIT 1",
    [STK_SQL_GENERATION_MORE] =
        "SELECT 1 FROM generation WHERE name = ? AND state <> 'previous' LIMIT 1",
    [STK_SQL_GENERATION_EXPIRING] =
        CERTIFICATE "FROM generation CROSS JOIN name ON name.id = generation.name "
                    "CROSS JOIN key ON key.id = generation.key WHERE generation.state = 'active' "
                    "AND generation.not_after >= ? AND generation.not_after < ? "
                    "ORDER BY generation.not_after, generation.id LIMIT ?",
    [STK_SQL_GENERATION_EXPIRING_COUNT] = "SELECT count(*) FROM generation WHERE state = 'active' "
                                          "AND not_after >= ? AND not_after < ?",
    [STK_SQL_GENERATION_EARLY] =
        CERTIFICATE "FROM generation CROSS JOIN name ON name.id = generation.name "
                    "CROSS JOIN key ON key.id = generation.key WHERE generation.state = 'active' "
                    "AND generation.not_before >= ? AND generation.not_before < ? "
                    "ORDER BY generation.not_before, generation.id LIMIT ?",
    [STK_SQL_GENERATION_EARLY_COUNT] = "SELECT count(*) FROM generation WHERE state = 'active' "
                                       "AND not_before >= ? AND not_before < ?",

    [STK_SQL_CHAIN_INSERT] = "INSERT INTO chain (generation, position, der) VALUES (?, ?, ?)",
    [STK_SQL_CHAIN] = "SELECT chain.der FROM name JOIN generation ON generation.name = name.id "
                      "JOIN chain ON chain.generation = generation.id "
                      "WHERE name.name = ? AND generation.number = ? ORDER BY chain.position",
    [STK_SQL_LEAF] =
        "SELECT chain.der FROM name JOIN generation ON generation.name = name.id "
        "JOIN chain ON chain.generation = generation.id "
        "WHERE name.name = ? AND generation.number = ? ORDER BY chain.position LIMIT 1",

    [STK_SQL_CERTIFICATE] = CERTIFICATE OF_CURRENT "WHERE name.name = ?",
    [STK_SQL_CERTIFICATES] =
        CERTIFICATE OF_CURRENT "WHERE name.name > ? ORDER BY name.name LIMIT ?",
    [STK_SQL_LIST] = GENERATION OF_CURRENT "WHERE name.name > ? ORDER BY name.name LIMIT ?",
    [STK_SQL_SHOW] = GENERATION "FROM name JOIN generation ON generation.name = name.id "
                                "JOIN key ON key.id = generation.key "
                                "WHERE name.name = ? ORDER BY generation.state = 'active' DESC, "
                                "generation.state = 'staged' DESC, generation.number DESC LIMIT ?",

    [STK_SQL_USAGE_COUNT] = "SELECT count(*) FROM usage",
    [STK_SQL_USAGE_PUT] =
        "INSERT INTO usage (day, kind, name, count) VALUES (?, ?, ?, ?)" LARGER_STANDS,
    [STK_SQL_USAGE_CLEAR] = "DELETE FROM usage WHERE day < ?",
    [STK_SQL_USAGE_OF_DAY] =
        "SELECT kind, name, max(count) FROM (" STORED_PAGE " UNION ALL " WAITING_PAGE ") "
        "GROUP BY kind, name ORDER BY kind, name LIMIT ?4",
    [STK_SQL_USAGE_WAITING_COUNT] = "SELECT count(*) FROM usage_waiting",
    [STK_SQL_USAGE_WAITING_PUT] =
        "INSERT INTO usage_waiting (day, kind, name, count) VALUES (?, ?, ?, ?)" LARGER_STANDS,
    [STK_SQL_USAGE_WAITING_STORE] =
        "INSERT INTO main.usage (day, kind, name, count) "
        "SELECT day, kind, name, count FROM usage_waiting WHERE day >= ?" LARGER_STANDS,
    [STK_SQL_USAGE_WAITING_CLEAR] = "DELETE FROM usage_waiting",
};

const char *stk_sql_text(enum stk_sql sql)
{
    return texts[sql];
}
