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

static int64_t number_of(struct fixture *fixture, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    assert_int_equal(sqlite3_prepare_v2(fixture->catalog->db, sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return number;
}

unsigned fixture_check_sound(struct fixture *fixture)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(
        sqlite3_prepare_v2(fixture->catalog->db, "PRAGMA integrity_check", -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    (void)sqlite3_finalize(statement);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM name WHERE current IS NULL"), 0);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM generation WHERE 3 <> (SELECT "
                                        "count(*) FROM chain WHERE generation = generation.id)"),
                     0);
    assert_int_equal(
        number_of(fixture, "SELECT count(*) FROM (SELECT 1 FROM generation WHERE state = 'active' "
                           "GROUP BY name HAVING count(*) > 1)"),
        0);
    return (unsigned)number_of(fixture, "SELECT count(*) FROM generation");
}
