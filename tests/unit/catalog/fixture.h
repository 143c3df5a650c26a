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

/* The file as SQLite sees it is sound, and every generation has its chain, its name a current
 * one, no name two active ones. Returns how many generations there are. */
unsigned fixture_check_sound(struct fixture *fixture);

#endif
