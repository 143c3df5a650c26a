/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_CODEC_ORDER_H
#define STK_WIRE_CODEC_ORDER_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "model/certificate.h"
#include "model/diagnosis.h"
#include "model/order.h"
#include "wire/bounds.h"
#include "wire/codec_counters.h"

/*
 * proto/stirkeep/v1/order.proto <-> model, for the links between rooms. Messages are not framed:
 * the links keep their borders. Decoders check as if the other side were an enemy (a room may have
 * been taken over): claims, names and lengths are validated again; the x5u of an order to sign where
 * a header is made of it (keeper/headers.h), not with each order. Texts live in `arena`.
 * MALFORMED, INVALID, TOO_LARGE. Any thread.
 */

/* front -> keeper */
struct stk_front_orders {
    struct stk_order *orders;
    size_t order_count;
    struct stk_refusal *refusals;
    size_t refusal_count;
};

/*
 * Append one order (or refusal) to a message under way: messages of repeated fields concatenate,
 * so a batch grows in place. The caller keeps it within STK_BATCH_MAX and STK_LINK_MESSAGE_MAX.
 */
enum stirkeep_status stk_order_append(const struct stk_order *order, struct stk_buffer *out);
enum stirkeep_status stk_refusal_append(const struct stk_refusal *refusal, struct stk_buffer *out);

/* An order in the batch that fails its checks is left out and its id and status are put into
 * `ret_bad`, `ret_bad_count`, with room for STK_BATCH_MAX. */
enum stirkeep_status stk_front_orders_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_front_orders *ret_orders,
                                             struct stk_answer *ret_bad, size_t *ret_bad_count,
                                             struct stk_error *error);

/* keeper -> front: same way of growing. */
enum stirkeep_status stk_answer_append(const struct stk_answer *answer, struct stk_buffer *out);
enum stirkeep_status stk_answers_decode(struct stk_bytes message, struct stk_arena *arena,
                                        struct stk_answer **ret_answers, size_t *ret_count,
                                        struct stk_error *error);

/* intake -> keeper */
enum stk_custody_kind {
    STK_CUSTODY_TOKEN,
    STK_CUSTODY_IMPORT,
    STK_CUSTODY_PROVE,
    STK_CUSTODY_DESTROY,
    STK_CUSTODY_RECORD,
    STK_CUSTODY_GENERATE,
    STK_CUSTODY_REQUEST,
    STK_CUSTODY_EXAMINE,
    STK_CUSTODY_INVENTORY,
    STK_CUSTODY_KIND_COUNT
};

struct stk_custody_order {
    uint64_t id;
    enum stk_custody_kind kind;
    struct stk_name name;     /* IMPORT, GENERATE, REQUEST; RECORD: may be empty */
    struct stk_key_id key_id; /* IMPORT, PROVE, DESTROY, REQUEST; RECORD: zero when there is none;
                                 INVENTORY: after this one, zero for the first */
    struct stk_key_id ticket; /* GENERATE, REQUEST (zero: none) */
    struct stk_bytes chain[STK_CHAIN_MAX]; /* IMPORT */
    size_t chain_count;
    struct stk_bytes sealed;                 /* IMPORT; empty: the key has to be there */
    const char *x5u;                         /* IMPORT */
    const char *spc;                         /* REQUEST */
    const char *subject;                     /* REQUEST */
    uint8_t challenge[STK_CHALLENGE_LENGTH]; /* IMPORT, PROVE, REQUEST */
    /* RECORD */
    const char *act;
    const char *outcome;
    const char *detail;
    uint32_t generation;
    struct stk_peer peer;
    uint64_t request_id;
};

enum stirkeep_status stk_custody_order_encode(const struct stk_custody_order *order,
                                              struct stk_buffer *out);
enum stirkeep_status stk_custody_order_decode(struct stk_bytes message, struct stk_arena *arena,
                                              struct stk_custody_order *ret_order,
                                              struct stk_error *error);

/* keeper -> intake */
struct stk_token_report {
    const char *label;
    const char *serial;
    const char *model;
    bool hardware;
    const char *seal_way;
    const char *sign_way;
    uint32_t signers;
    struct stk_bytes wrapping_spki;
    uint64_t signatures;
    uint64_t audit_sequence;
    bool audit_writable;
    struct stk_bytes audit_spki; /* empty: there is no audit key */
    const char *audit_attributes;
    uint64_t audit_sealed;
    uint64_t audit_unsealed;
    int64_t audit_unsealed_since;               /* seconds since 1970; 0: nothing is unsealed */
    const struct stk_keeper_counters *counters; /* NULL: none */
};

struct stk_custody_answer {
    uint64_t id;
    enum stirkeep_status status;
    const char *message;
    bool has_token;
    struct stk_token_report token; /* to TOKEN */
    bool has_proof;
    uint8_t signature[STK_SIGNATURE_LENGTH]; /* to IMPORT, PROVE and REQUEST */
    const char *attributes;                  /* to these and INVENTORY */
    bool has_spki;
    struct stk_bytes spki; /* to GENERATE */
    bool has_request;      /* with has_proof */
    struct stk_bytes csr;  /* to REQUEST */
    bool has_destroyed;
    uint32_t objects;  /* to DESTROY */
    const char *proof; /* fewer than STK_ERROR_MAX characters */
    bool has_examined;
    const struct stk_fact *facts; /* to EXAMINE */
    size_t fact_count;
    const struct stk_trouble *troubles;
    size_t trouble_count;
    bool has_inventory;
    struct stk_key_id key_id; /* to INVENTORY; zero: there is no further one */
    const char *name;         /* sent as "" when it is not one */
    const struct stk_bytes *certificates;
    const char *const *x5u; /* one for each certificate; sent as "" when it is not fit */
    size_t certificate_count;
};

enum stirkeep_status stk_custody_answer_encode(const struct stk_custody_answer *answer,
                                               struct stk_buffer *out);
enum stirkeep_status stk_custody_answer_decode(struct stk_bytes message, struct stk_arena *arena,
                                               struct stk_custody_answer *ret_answer,
                                               struct stk_error *error);

/* What was used up of a quota on one day, between intake and front. */
struct stk_usage_count {
    bool of_certificate; /* else of a grant */
    char name[STK_GRANT_NAME_MAX + 1];
    int64_t day; /* days since 1970, UTC */
    uint64_t count;
};
#define STK_USAGE_COUNTS_MAX 256 /* in one message */

/* intake -> front. The constraints of decoded entries live in the arena. How many entries fit one
 * message depends on them: stk_catalog_push_encode is TOO_LARGE past STK_LINK_MESSAGE_MAX, and past
 * what front can decode in STK_DECODE_ARENA_MAX. What any one certificate says fits. */
struct stk_catalog_push {
    uint64_t push;
    bool first;
    bool last;
    bool status_wanted;
    struct stk_certificate *entries;
    size_t entry_count;
    struct stk_usage_count *usage; /* on any page of a snapshot */
    size_t usage_count;
};

enum stirkeep_status stk_catalog_push_encode(const struct stk_catalog_push *push,
                                             struct stk_buffer *out);
enum stirkeep_status stk_catalog_push_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_catalog_push *ret_push,
                                             struct stk_error *error);

/* front -> intake */
struct stk_front_report {
    uint64_t push;
    bool snapshot_wanted;
    uint64_t connections;
    uint64_t refusals;
    uint32_t in_flight;
    struct stk_usage_count *usage; /* what changed */
    size_t usage_count;
    const struct stk_front_counters *counters; /* NULL: not asked for */
};

enum stirkeep_status stk_front_report_encode(const struct stk_front_report *report,
                                             struct stk_buffer *out);
enum stirkeep_status stk_front_report_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_front_report *ret_report,
                                             struct stk_error *error);

#endif
