/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_CODEC_SIGN_H
#define STK_WIRE_CODEC_SIGN_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "model/certificate.h"
#include "model/claims.h"

/* proto/stirkeep/v1/sign.proto <-> model. Pure: bytes in, values out. Any thread. */

enum stk_request_kind { STK_REQUEST_SIGN, STK_REQUEST_LIST, STK_REQUEST_PING, STK_REQUEST_BATCH };

/* What of a sign request could be read although it is refused, for the trail; texts in the arena,
 * never NULL, cut to their limits. */
struct stk_request_sketch {
    const char *name;
    const char *ppt;
    const char *orig;
    const char *dest;
    const char *attest;
    const char *origid;
};

/* One PASSporT that is asked for. */
struct stk_signing {
    enum stirkeep_status status; /* not OK: why it is refused; only in a batch that is not whole */
    const char *reason;
    struct stk_request_sketch sketch;
    struct stk_name name;
    bool is_input;           /* a finished header and payload instead of claims: */
    struct stk_bytes header; /* as they came: 1 to STK_SIGN_MESSAGE_MAX bytes of UTF-8 */
    struct stk_bytes payload;
    struct stk_claims claims; /* not with is_input */
};

#define STK_SIGNINGS_MAX 64 /* in one batch */

struct stk_request {
    uint64_t id;
    uint32_t deadline_ms; /* 0: the service's */
    enum stk_request_kind kind;
    struct stk_signing *signings; /* SIGN: one; BATCH: 1 to STK_SIGNINGS_MAX */
    size_t signing_count;
    bool whole;                   /* BATCH: all or nothing */
    char after[STK_NAME_MAX + 1]; /* LIST */
};

/*
 * Decode one message (without its frame header) completely. MALFORMED: not a message of the
 * protocol; then ret_request->id is 0 when even that could not be read. TOO_LARGE: takes more
 * memory than the arena has, or has more to sign than STK_SIGNINGS_MAX. UNSUPPORTED: no body known to this version, or a field in it that is
 * not. INVALID: a text that is not UTF-8 or has a NUL in it, a bad name; and all of
 * stk_claims_make. ret_request->id is set with each of these, the rest only with OK. `ret_sketch`
 * is always filled in: with what is refused, or with the first of a batch. In a batch that is not
 * whole a signing that is refused has its status and the request is OK; in a whole one the message
 * begins with its place ("sign[3]: ..."). Texts live in `arena`, which the caller resets.
 */
enum stirkeep_status stk_request_decode(struct stk_bytes message, struct stk_arena *arena,
                                        struct stk_request *ret_request,
                                        struct stk_request_sketch *ret_sketch,
                                        struct stk_error *error);

/*
 * The certificate name in a message that is not decoded yet, as a hint of what will be asked for:
 * nothing of it is checked. {NULL, 0} when there is none to be seen at once: in what is no message,
 * and in all but one PASSporT's request. A view of `message`.
 */
struct stk_bytes stk_request_glimpse(struct stk_bytes message);

/* Append a framed request. The claims are sent as given: checking is the receiver's. TOO_LARGE,
 * NO_MEMORY; `out` is then as it was, as with all encoders here. */
struct stk_signing_input {
    const char *name;
    const struct stk_claims_input *claims; /* NULL: header and payload instead */
    const char *header;
    const char *payload;
};
enum stirkeep_status stk_request_encode_sign(uint64_t id, uint32_t deadline_ms,
                                             const struct stk_signing_input *signing,
                                             struct stk_buffer *out);
enum stirkeep_status stk_request_encode_batch(uint64_t id, uint32_t deadline_ms,
                                              const struct stk_signing_input *signings,
                                              size_t count, bool whole, struct stk_buffer *out);
enum stirkeep_status stk_request_encode_list(uint64_t id, const char *after,
                                             struct stk_buffer *out);
enum stirkeep_status stk_request_encode_ping(uint64_t id, struct stk_buffer *out);

struct stk_response_signed {
    struct stk_bytes identity;
    uint32_t passport_length;
    uint32_t generation;
    int64_t iat;
    const char *origid;
    const char *attest; /* "A", "B", "C" as given; "" where there is none */
};

/* One of a batch's. */
struct stk_response_result {
    enum stirkeep_status status;
    const char *message;                /* when status is not OK */
    struct stk_response_signed signed_; /* else */
};

struct stk_response_pong {
    bool ready;
    const char *version;
    const char *detail;
    uint32_t certificates;
};

/* Certificates in one list: so many fit STK_DECODE_ARENA_MAX at the client's. */
#define STK_LISTED_MAX 256

/* Append a framed response. A list takes as many certificates as fit into one message, and
 * STK_LISTED_MAX at most; when some are left out, its `more` is set. Words in error answers and
 * pongs are scrubbed to valid UTF-8. */
enum stirkeep_status stk_response_encode_signed(uint64_t id, const struct stk_response_signed *body,
                                                struct stk_buffer *out);
/* TOO_LARGE past STK_SIGN_MESSAGE_MAX. stk_response_batch_bound: how many bytes such an answer may
 * take when its identities together take `identities` bytes, those of results that are refused
 * counted or not: their messages are cut as far as is necessary. */
enum stirkeep_status stk_response_encode_batch(uint64_t id,
                                               const struct stk_response_result *results,
                                               size_t count, struct stk_buffer *out);
size_t stk_response_batch_bound(size_t count, size_t identities);
enum stirkeep_status stk_response_encode_list(uint64_t id,
                                              const struct stk_certificate *const *certificates,
                                              size_t count, bool more, struct stk_buffer *out);
enum stirkeep_status stk_response_encode_pong(uint64_t id, const struct stk_response_pong *body,
                                              struct stk_buffer *out);
enum stirkeep_status stk_response_encode_error(uint64_t id, enum stirkeep_status status,
                                               const char *message, struct stk_buffer *out);

enum stk_response_kind {
    STK_RESPONSE_ERROR,
    STK_RESPONSE_SIGNED,
    STK_RESPONSE_LISTED,
    STK_RESPONSE_PONG,
    STK_RESPONSE_BATCH
};

struct stk_response {
    uint64_t id;
    enum stirkeep_status status; /* OK unless kind is ERROR */
    const char *message;
    enum stk_response_kind kind;
    struct stk_response_signed signed_; /* SIGNED */
    struct stk_response_pong pong;      /* PONG */
    struct stk_certificate *listed;     /* LISTED; key_id is not told */
    size_t listed_count;
    bool more;
    struct stk_response_result *results; /* BATCH */
    size_t result_count;
};

/* Decode one message of the service's. MALFORMED, INVALID, TOO_LARGE, UNSUPPORTED (success, but
 * with a body that is not known); ret_response->id is set then, too. Texts live in `arena`, for
 * which STK_DECODE_ARENA_MAX is enough. A status that is not known counts as INTERNAL. */
enum stirkeep_status stk_response_decode(struct stk_bytes message, struct stk_arena *arena,
                                         struct stk_response *ret_response,
                                         struct stk_error *error);

#endif
