/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "catalog/db.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/stk-catalog-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/catalog.db", fixture->directory);
    assert_int_equal(stk_arena_new(&fixture->arena, 4 * 1024 * 1024), STIRKEEP_OK);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static void remove_directory(const char *path)
{
    char name[PATH_MAX] = "";
    DIR *directory = opendir(path);

    for (struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;) {
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        (void)unlink(name);
    }
    (void)closedir(directory);
    (void)rmdir(path);
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    stk_catalog_close(fixture->catalog);
    stk_arena_free(&fixture->arena);
    remove_directory(fixture->directory);
    free(fixture);
    return 0;
}

void fixture_open(struct fixture *fixture)
{
    fixture->error = (struct stk_error){0};
    if (stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
}

void fixture_close(struct fixture *fixture)
{
    stk_catalog_close(fixture->catalog);
    fixture->catalog = NULL;
}

struct stk_key_id key_of(unsigned seed)
{
    struct stk_key_id key_id = {.bytes = {1, 2, 3}};

    memcpy(key_id.bytes + 3, &seed, sizeof(seed));
    return key_id;
}

void sample_make(struct sample *sample, const char *name, unsigned seed)
{
    *sample = (struct sample){0};
    for (size_t i = 0; i < SAMPLE_CHAIN; i++) {
        memset(sample->der[i], (int)(seed + i), sizeof(sample->der[i]));
        sample->der[i][0] = 0x30;
        sample->chain[i] = (struct stk_bytes){sample->der[i], sizeof(sample->der[i]) - i};
    }
    sample->about = (struct stk_generation){
        .name = name,
        .spc = "709J",
        .numbers = "12155550100, 12155550110 and 9 more",
        .subject = "C=US,O=Example,CN=SHAKEN 709J",
        .issuer = "C=US,O=Example CA,CN=STI-CA",
        .serial = "0A1B",
        .fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        .x5u = "https://certs.example.com/one.pem",
        .not_before = 1700000000,
        .not_after = 1800000000,
        .key_id = key_of(seed),
        .origin = "imported",
        .attributes = "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0",
        .created = 1750000000,
        .created_by = 1000};
    sample->act = (struct stk_act){.act = "import",
                                   .outcome = "ok",
                                   .name = name,
                                   .key_id = key_of(seed),
                                   .detail = "from /tmp/key.pem",
                                   .peer = {.uid = 1000, .gid = 100, .pid = 4711},
                                   .request_id = UINT64_MAX - seed};
    sample->new_generation = (struct stk_new_generation){.about = &sample->about,
                                                         .chain = sample->chain,
                                                         .chain_count = SAMPLE_CHAIN,
                                                         .act = &sample->act};
}

uint32_t fixture_import(struct fixture *fixture, const char *name, unsigned seed)
{
    struct sample sample = {0};
    uint32_t number = 0;
    struct stk_key_id key_id = key_of(seed);

    sample_make(&sample, name, seed);
    if (stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, name, &key_id, "/tmp/key.pem",
                           1750000000, &sample.new_generation.intent,
                           &fixture->error) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    if (stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error) !=
        STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    return number;
}

int64_t fixture_intend(struct fixture *fixture, enum stk_intent_kind kind, const char *name,
                       unsigned seed)
{
    struct stk_key_id key_id = key_of(seed);
    int64_t intent = 0;

    if (stk_catalog_intend(fixture->catalog, kind, name, &key_id, "", FIXTURE_NOW, &intent,
                           &fixture->error) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    return intent;
}

void fixture_generate(struct fixture *fixture, const char *name, unsigned ticket, unsigned seed)
{
    struct stk_act act = {.act = "generate", .outcome = "ok", .name = name, .detail = ""};
    struct stk_new_key key = {.name = name,
                              .key_id = key_of(seed),
                              .attributes = "LOCAL=1",
                              .created = FIXTURE_NOW + seed,
                              .created_by = 1000 + seed,
                              .act = &act};

    key.intent = fixture_intend(fixture, STK_INTENT_GENERATE, name, ticket);
    assert_int_equal(
        stk_catalog_intent_key(fixture->catalog, key.intent, &key.key_id, &fixture->error),
        STIRKEEP_OK);
    if (stk_catalog_hold_key(fixture->catalog, &key, &fixture->error) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
}

size_t fixture_requested(struct fixture *fixture, const char *name, struct stk_requested_key *keys,
                         size_t room)
{
    size_t count = 99;

    assert_int_equal(stk_catalog_requested(fixture->catalog, name, &fixture->arena, keys, room,
                                           &count, &fixture->error),
                     STIRKEEP_OK);
    return count;
}

void fixture_drop_acts(struct fixture *fixture)
{
    struct stk_act act = {0};

    while (stk_catalog_next_act(fixture->catalog, &fixture->arena, &act, NULL) == STIRKEEP_OK)
        assert_int_equal(stk_catalog_act_done(fixture->catalog, act.id, NULL), STIRKEEP_OK);
}

struct stk_intent fixture_intent(struct fixture *fixture, const char *name)
{
    struct stk_intent intent = {0};

    while (stk_catalog_open_intent(fixture->catalog, intent.id, &intent, NULL) == STIRKEEP_OK)
        if (strcmp(intent.name.text, name) == 0)
            return intent;
    return (struct stk_intent){0};
}

struct stk_generation fixture_generation(struct fixture *fixture, const char *name, uint32_t number)
{
    struct stk_generation generations[20] = {{0}};
    size_t count = 0;

    assert_int_equal(
        stk_catalog_show(fixture->catalog, name, &fixture->arena, generations, 20, &count, NULL),
        STIRKEEP_OK);
    for (size_t i = 0; i < count; i++)
        if (generations[i].generation == number)
            return generations[i];
    fail_msg("%s has no generation %u", name, number);
    return generations[0];
}

void fixture_expect_act(struct fixture *fixture, const char *act, uint32_t generation)
{
    struct stk_act read = {0};

    assert_int_equal(stk_catalog_next_act(fixture->catalog, &fixture->arena, &read, NULL),
                     STIRKEEP_OK);
    assert_string_equal(read.act, act);
    assert_int_equal(read.generation, generation);
    assert_int_equal(stk_catalog_act_done(fixture->catalog, read.id, NULL), STIRKEEP_OK);
}

void execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return statement;
}

int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = prepare(db, sql);
    int64_t number = -1;

    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return number;
}

static void print_column(FILE *out, sqlite3_stmt *statement, int column)
{
    const unsigned char *data = sqlite3_column_blob(statement, column);
    int length = sqlite3_column_bytes(statement, column);

    (void)fprintf(out, "%d:", sqlite3_column_type(statement, column));
    if (sqlite3_column_type(statement, column) != SQLITE_BLOB)
        (void)fprintf(out, "%.*s", length, data != NULL ? (const char *)data : "");
    else
        for (int i = 0; i < length; i++)
            (void)fprintf(out, "%02x", data[i]);
    (void)fputc('|', out);
}

char *rows_of(sqlite3 *db, const char *const *queries, size_t count)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *statement = prepare(db, queries[i]);
        (void)fprintf(out, "%s\n", queries[i]);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(statement); column++)
                print_column(out, statement, column);
            (void)fputc('\n', out);
        }
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    }
    (void)fclose(out);
    return text;
}

char *fixture_dump(struct fixture *fixture)
{
    static const char *const queries[] = {"SELECT * FROM name",       "SELECT * FROM key",
                                          "SELECT * FROM generation", "SELECT * FROM intent",
                                          "SELECT * FROM act",        "SELECT * FROM chain"};

    return rows_of(fixture->catalog->db, queries, sizeof(queries) / sizeof(queries[0]));
}

unsigned fixture_check_sound(struct fixture *fixture)
{
    static const char *const faults[] = {
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
        "SELECT count(*) FROM pragma_foreign_key_check",
        "SELECT count(*) FROM name WHERE (current IS NULL) = (id IN (SELECT name FROM generation))",
        "SELECT count(*) FROM name JOIN generation ON generation.name = name.id "
        "WHERE generation.state = 'active' AND generation.id <> name.current",
        "SELECT count(*) FROM generation "
        "WHERE 3 <> (SELECT count(*) FROM chain WHERE generation = generation.id)",
        "SELECT count(*) FROM (SELECT 1 FROM generation WHERE state = 'active' "
        "GROUP BY name HAVING count(*) > 1)",
        /* What was staged once keeps its time, until it is retired or destroyed. */
        "SELECT count(*) FROM generation WHERE (state = 'staged' AND activate_at IS NULL) "
        "OR (state IN ('retired', 'destroyed') AND activate_at IS NOT NULL)",
        "SELECT count(*) FROM generation JOIN key ON key.id = generation.key "
        "WHERE (generation.state = 'destroyed') <> (key.state = 'destroyed')",
        "SELECT count(*) FROM generation JOIN key ON key.id = generation.key "
        "JOIN intent ON intent.key_id = key.key_id "
        "WHERE intent.kind = 'destroy' AND generation.state IN ('active', 'staged')",
        "SELECT count(*) FROM generation JOIN key ON key.id = generation.key "
        "WHERE generation.name <> key.name",
    };
    sqlite3 *db = fixture->catalog->db;

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (number_of(db, faults[i]) != 0)
            fail_msg("not sound: %s", faults[i]);
    return (unsigned)number_of(db, "SELECT count(*) FROM generation");
}

enum stirkeep_status first_staged(struct stk_catalog *catalog,
                                  struct stk_certificate *ret_certificate, int64_t *ret_activate_at,
                                  struct stk_error *error)
{
    struct stk_staged_generation staged = {0};
    enum stirkeep_status status = stk_catalog_next_staged(catalog, NULL, &staged, error);

    if (status != STIRKEEP_OK)
        return status;
    *ret_certificate = staged.certificate;
    *ret_activate_at = staged.activate_at;
    return STIRKEEP_OK;
}
