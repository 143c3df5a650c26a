/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_ORDER_H
#define STK_MODEL_ORDER_H

#include "model/claims.h"
#include "model/key_id.h"
#include "model/name.h"
#include "model/peer.h"

/* What front asks the keeper to sign, and what for. Texts live in the decoder's arena. */
struct stk_order {
    uint64_t id;
    struct stk_key_id key_id;
    struct stk_name name;
    uint32_t generation;
    const char *x5u;
    struct stk_claims claims;
    char attest_asked;    /* what the client asked for when claims.attest is lower; 0: the same */
    uint64_t deadline_us; /* CLOCK_MONOTONIC */
    uint64_t asked_us;    /* when the request came; likewise */
    struct stk_peer peer;
    const char *executable; /* of the peer, when front knows it; NULL and "": it does not */
    const char *grant;
    uint64_t request_id; /* the client's */
};

/* The keeper's answer. `identity` and `message` belong to whoever filled it in. */
struct stk_answer {
    uint64_t id;
    enum stirkeep_status status;
    const char *message; /* "" when status is OK */
    const char *identity;
    size_t identity_length;
    uint32_t passport_length;
    int64_t iat;
    char origid[STK_ORIGID_LENGTH + 1];
    uint32_t token_us; /* how long the token took; 0: it made no signature */
};

/* Something refused before the keeper saw it, for the trail. Texts are never NULL, but that of the
 * executable may be, as in an order. */
struct stk_refusal {
    enum stirkeep_status status;
    const char *reason;
    const char *name;
    const char *ppt;
    const char *orig;
    const char *dest; /* the first one */
    const char *attest;
    const char *origid;
    struct stk_peer peer;
    const char *executable;
    uint64_t request_id;
    uint32_t suppressed; /* so many more were not recorded one by one */
};

#endif
