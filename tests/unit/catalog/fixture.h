/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CATALOG_FIXTURE_H
#define TEST_CATALOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include <limits.h>
#include <sqlite3.h>

/* A catalog in a directory of its own, removed at the end. */
struct fixture {
    char directory[64];
    char path[128];
    struct stk_catalog *catalog; /* NULL: closed */
    struct stk_arena arena;
    struct stk_error error;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* A key id, and certificates of `length` bytes, that tell from each other by `seed`. */
struct stk_key_id key_of(unsigned seed);

#define SAMPLE_CHAIN 3
struct sample {
    uint8_t der[SAMPLE_CHAIN][900];
    struct stk_bytes chain[SAMPLE_CHAIN];
    struct stk_generation about;
    struct stk_act act;
    struct stk_new_generation new_generation;
};
/* Everything that an import of `name` with key `seed` brings; pointers into itself. */
void sample_make(struct sample *sample, const char *name, unsigned seed);

/* intend and add; the generation's number. */
uint32_t fixture_import(struct fixture *fixture, const char *name, unsigned seed);

/* Commit an intent of a name and a key; its id. */
#define FIXTURE_NOW 1750000000
int64_t fixture_intend(struct fixture *fixture, enum stk_intent_kind kind, const char *name,
                       unsigned seed);

/* The whole way of a key that the token makes: ticket, key, held. */
void fixture_generate(struct fixture *fixture, const char *name, unsigned ticket, unsigned seed);

/* How many keys of a name wait, and which. */
size_t fixture_requested(struct fixture *fixture, const char *name, struct stk_requested_key *keys,
                         size_t room);

/* The open intent of a name; zero when it has none. */
struct stk_intent fixture_intent(struct fixture *fixture, const char *name);

/* The state of a generation, as list and show tell it. Texts in the arena. */
struct stk_generation fixture_generation(struct fixture *fixture, const char *name,
                                         uint32_t number);

/* Is the oldest act that, recorded with that generation? It is taken away. */
void fixture_expect_act(struct fixture *fixture, const char *act, uint32_t generation);

void fixture_drop_acts(struct fixture *fixture);

/* Every row of every table; free it. */
char *fixture_dump(struct fixture *fixture);

/* What a query finds: its one integer; a line for each row (free it). */
int64_t number_of(sqlite3 *db, const char *sql);
char *rows_of(sqlite3 *db, const char *const *queries, size_t count);
void execute(sqlite3 *db, const char *sql);

/* The file as SQLite sees it is sound; every generation has its chain, a key that fits its state, a
 * time if it is staged; no name has two active ones, and each that has any a current one. Returns
 * how many generations there are. */
unsigned fixture_check_sound(struct fixture *fixture);

/* The first staged generation of all, and its time. */
enum stirkeep_status first_staged(struct stk_catalog *catalog,
                                  struct stk_certificate *ret_certificate, int64_t *ret_activate_at,
                                  struct stk_error *error);

#endif
