/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_INTAKE_SHELF_H
#define STK_TEST_INTAKE_SHELF_H

#include "ends.h"

/*
 * A keeper whose token has keys with certificates on it: it answers INVENTORY, PROVE and EXAMINE as
 * the real one does. All leaves are issued by one intermediate, which lies beside each of them.
 */

#define SHELF_KEYS 16
#define SHELF_CERTIFICATES 8
#define SHELF_LOCAL                                                                                \
    "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=1 NEVER_EXTRACTABLE=1 LOCAL=1"
#define SHELF_IMPORTED                                                                             \
    "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=0 NEVER_EXTRACTABLE=0 LOCAL=0"

struct shelf_key {
    const char *name;
    struct stk_key_id id;
    EVP_PKEY *key;
    EVP_PKEY *signs_as; /* another key that it signs as; NULL: its own */
    const char *attributes;
    enum stirkeep_status proves; /* what a proof comes to */
    struct stk_buffer der[SHELF_CERTIFICATES];
    const char *x5u[SHELF_CERTIFICATES];
    size_t count;
};

struct shelf {
    struct ends *ends;
    struct shelf_key keys[SHELF_KEYS];
    size_t count;
    enum stirkeep_status examines;
    unsigned stop_after; /* inventories and proofs; then it falls silent; 0: never */
    unsigned answered;
    EVP_PKEY *middle_key;
    X509 *middle;
};

void shelf_new(struct shelf *shelf, struct ends *ends);
void shelf_free(struct shelf *shelf);

/* A key with no certificate. */
struct shelf_key *shelf_key(struct shelf *shelf, const char *name);
/* A certificate for it, valid from so many days from now to so many. */
void shelf_certify(struct shelf *shelf, struct shelf_key *key, int from_days, int until_days,
                   const char *x5u);
/* Both. */
struct shelf_key *shelf_add(struct shelf *shelf, const char *name, int from_days, int until_days,
                            const char *x5u);

#endif
