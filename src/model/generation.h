/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_GENERATION_H
#define STK_MODEL_GENERATION_H

#include "model/key_id.h"
#include <stdint.h>

/* All that is known of one certificate under a name. The texts belong to whoever filled it in
 * (an arena, mostly); none is NULL. */
struct stk_generation {
    const char *name;
    uint32_t generation;
    const char *state;   /* active, staged, previous, retired, destroyed */
    int64_t activate_at; /* staged: when it becomes active, seconds since 1970; else 0 */
    const char *spc;     /* of the TNAuthList; "" when it has none */
    const char *numbers; /* of the TNAuthList, in words; "" when it has none */
    const char *subject;
    const char *issuer;
    const char *serial;      /* hex */
    const char *fingerprint; /* SHA-256 of the DER, hex */
    const char *x5u;
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
    struct stk_key_id key_id;
    const char *origin;     /* imported, sealed (elsewhere), generated (on the token) */
    const char *attributes; /* of the private key, as read back from the token */
    int64_t created;
    uint32_t created_by; /* uid */
};

/* A key made on the token that waits for its certificate. */
struct stk_requested_key {
    struct stk_key_id key_id;
    const char *attributes; /* as read back from the token */
    int64_t created;
    uint32_t created_by; /* uid */
};

#endif
