/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_DOCTOR_H
#define STK_INTAKE_DOCTOR_H

#include "model/diagnosis.h"
#include "model/key_id.h"

struct stk_intake;

/* The ids of the keys on the token, in their order. */
struct stk_token_keys {
    struct stk_key_id *ids;
    size_t count;
    size_t capacity;
};

/* ---- doctor_catalog.c: what intake knows by itself */

/* The catalog, its names and certificates, and what goes on in this room. */
void stk_doctor_catalog(struct stk_intake *intake, struct stk_diagnosis *diagnosis);

/* Keys that the catalog holds and the token does not have. */
void stk_doctor_compare(struct stk_intake *intake, const struct stk_token_keys *keys,
                        struct stk_diagnosis *diagnosis);

#endif
