/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_AUDIT_MUTATE_H
#define STK_TEST_AUDIT_MUTATE_H

#include "forge.h"

/* Random numbers that can be had again. */
uint64_t random_next(uint64_t *seed);
/* From 0 to `count` - 1. */
size_t random_below(uint64_t *seed, size_t count);

/* A trail that was tampered with. */
struct mutant {
    struct stk_buffer files[FILES_MAX];
    size_t count;
    const char *how;
    size_t touched; /* no line before this one was, counted over all files; 0: not told */
};

/* What is tampered with. */
struct original {
    struct forgery trail;
    struct stk_buffer files[FILES_MAX]; /* its bytes */
    size_t sealed;                      /* the line of the last record that a seal covers */
    const struct audit_key *other_key;  /* the forger's own */
};

/* How many ways there are. */
extern const size_t mutate_ways;

/* Tamper in way number `way`. False: chance made nothing of it; there is no mutant then. */
bool mutate(const struct original *original, size_t way, uint64_t *seed, struct mutant *ret_mutant);
void mutant_free(struct mutant *mutant);

#endif
