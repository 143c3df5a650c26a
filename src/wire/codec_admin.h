/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_CODEC_ADMIN_H
#define STK_WIRE_CODEC_ADMIN_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/diagnosis.h"
#include "model/generation.h"
#include "model/name.h"
#include "wire/bounds.h"
#include "wire/codec_counters.h"

/* proto/stirkeep/v1/admin.proto <-> values. Pure, any thread. Texts and bytes live in `arena`. */

enum stk_admin_kind {
    STK_ADMIN_NONE,
    STK_ADMIN_WRAPPING_KEY,
    STK_ADMIN_IMPORT,
    STK_ADMIN_SOURCE_REMOVED,
    STK_ADMIN_LIST,
    STK_ADMIN_SHOW,
    STK_ADMIN_RETIRE,
    STK_ADMIN_STATUS,
    STK_ADMIN_ROLLBACK,
    STK_ADMIN_GENERATE,
    STK_ADMIN_INSTALL,
    STK_ADMIN_DESTROY,
    STK_ADMIN_DOCTOR,
    STK_ADMIN_REBUILD,
    STK_ADMIN_RELOAD,
    STK_ADMIN_AUDIT_KEY,
    STK_ADMIN_KIND_COUNT
};

struct stk_admin_request {
    uint64_t id;
    enum stk_admin_kind kind;
    struct stk_name name;                  /* all but WRAPPING_KEY, LIST, STATUS, DOCTOR, REBUILD,
                                              RELOAD, AUDIT_KEY */
    struct stk_bytes chain[STK_CHAIN_MAX]; /* IMPORT, INSTALL: DER, leaf first */
    size_t chain_count;
    struct stk_bytes sealed;  /* IMPORT */
    const char *x5u;          /* IMPORT, INSTALL: "" for the template's */
    int64_t activate_at;      /* IMPORT, INSTALL: 0 for at once */
    bool elsewhere;           /* IMPORT: sealed on another machine */
    const char *source;       /* IMPORT, SOURCE_REMOVED */
    const char *how;          /* SOURCE_REMOVED */
    uint32_t generation;      /* SOURCE_REMOVED; SHOW: whose chain, 0 for the active one's */
    struct stk_key_id key_id; /* SOURCE_REMOVED; DESTROY: zero for all keys of the name, so that who
                                 takes an id from somebody has to refuse a zero one */
    const char *after;        /* LIST */
    const char *spc;          /* GENERATE */
    const char *subject;      /* GENERATE: "" for the usual one */
};

/* Append a framed request. INVALID for what the protocol cannot carry (chain too long). */
enum stirkeep_status stk_admin_request_encode(const struct stk_admin_request *request,
                                              struct stk_buffer *out);

/* MALFORMED, UNSUPPORTED (a body this version does not know), INVALID with the field's name,
 * TOO_LARGE. ret_request->id is set whenever it could be read. */
enum stirkeep_status stk_admin_request_decode(struct stk_bytes message, struct stk_arena *arena,
                                              struct stk_admin_request *ret_request,
                                              struct stk_error *error);

struct stk_service_status {
    bool ready;
    const char *version;
    const char *detail;
    const char *front;
    const char *keeper;
    const char *token_label;
    const char *token_serial;
    const char *token_model;
    const char *seal_way;
    const char *sign_way;
    uint32_t signers;
    uint32_t names;
    uint64_t signatures;
    uint64_t refusals;
    uint64_t connections;
    uint64_t audit_sequence;
    bool hardware;
    const char *const *warnings;
    size_t warning_count;
    const char *configuration; /* SHA-256 of the file that is in force, hex */
    const char *attestation;   /* the same of the attestation rules; "": there are none */
    const char *audit_key;     /* its key id, hex; "": there is none */
    uint64_t audit_sealed;     /* the last record that the keeper has sealed since it started */
    uint64_t audit_unsealed;
    int64_t audit_unsealed_since; /* seconds since 1970; 0: nothing is unsealed */
    const struct stk_front_counters *front_counters;   /* NULL: not known */
    const struct stk_keeper_counters *keeper_counters; /* likewise */
    struct stk_room_use intake_use;
    const char *const *lock_down; /* "front: system calls filtered, ..." */
    size_t lock_down_count;
};

struct stk_admin_response {
    uint64_t id;
    enum stirkeep_status status;
    const char *message;      /* when status is not OK */
    enum stk_admin_kind kind; /* which body; NONE with an error */
    struct stk_bytes spki;    /* WRAPPING_KEY, AUDIT_KEY */
    const char *token_label;
    const char *token_serial;
    uint32_t generation;         /* IMPORT, INSTALL, RETIRE, ROLLBACK */
    const char *x5u;             /* IMPORT, INSTALL */
    struct stk_key_id key_id;    /* IMPORT, INSTALL, GENERATE, AUDIT_KEY */
    bool already_held;           /* IMPORT, INSTALL, GENERATE */
    int64_t activate_at;         /* IMPORT, INSTALL: 0 for active */
    const char *const *warnings; /* IMPORT, INSTALL */
    size_t warning_count;
    const char *attributes;       /* IMPORT, INSTALL, GENERATE, AUDIT_KEY */
    struct stk_bytes csr;         /* GENERATE: DER */
    uint32_t keys;                /* DESTROY: how many; REBUILD: that were known */
    uint32_t names;               /* REBUILD: that are new */
    uint32_t affected;            /* DESTROY: whose keys they were; REBUILD: that are new */
    bool stopped;                 /* DESTROY */
    const char *proof;            /* DESTROY */
    const struct stk_fact *facts; /* DOCTOR */
    size_t fact_count;
    const struct stk_trouble *troubles;
    size_t trouble_count;
    const char *const *problems; /* REBUILD */
    size_t problem_count;
    const struct stk_requested_key *requested; /* SHOW */
    size_t requested_count;
    const struct stk_generation *generations; /* LIST, SHOW */
    size_t generation_count;
    bool more;                             /* LIST */
    struct stk_bytes chain[STK_CHAIN_MAX]; /* SHOW */
    size_t chain_count;
    struct stk_service_status service; /* STATUS */
    const char *configuration;         /* RELOAD: as in stk_service_status */
    const char *attestation;
    uint32_t grants;
    uint64_t attest_rules;
};

/* Append a framed response; a NULL text counts as "". */
enum stirkeep_status stk_admin_response_encode(const struct stk_admin_response *response,
                                               struct stk_buffer *out);
enum stirkeep_status stk_admin_response_decode(struct stk_bytes message, struct stk_arena *arena,
                                               struct stk_admin_response *ret_response,
                                               struct stk_error *error);

#endif
