/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STIRKEEP_CLIENT_H
#define STIRKEEP_CLIENT_H

/*
 * libstirkeep: PASSporT signatures from a stirkeep service over its Unix socket.
 *
 * No global state but a note of the process's number, no signal handlers, no output. A client
 * belongs to one thread at a time; different clients are independent. Safe in programs that fork
 * after loading the library, or even after connecting: a client used in a child opens a connection
 * of its own and never touches the parent's. Compiles as C11 and C++.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stirkeep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STIRKEEP_DEFAULT_SIGN_SOCKET "/run/stirkeep/sign.sock"

struct stirkeep_client;

/*
 * When the service is restarted, or one of its processes is, requests without an answer are asked
 * again, each within its deadline: when the connection ends, all that are under way on the next
 * one; after a moment what was answered UNAVAILABLE, when time is left (not single ones of a
 * batch), and that answer stands when no other comes in time; and for 5 seconds after a connection
 * was lost a socket where nobody listens is tried again, where otherwise that is NOT_CONNECTED at
 * once. So a restart is a delay. What was asked twice may have been signed twice: the caller gets
 * one signature, the service's audit trail has both, and quotas count both.
 */

/*
 * A client for the socket at `path` (NULL: the environment variable STIRKEEP_SIGN_SOCKET, else
 * STIRKEEP_DEFAULT_SIGN_SOCKET). Nothing is opened yet: the first call connects, and later ones
 * connect again when the service was restarted. `timeout_ms` (0: 2000) bounds every call,
 * connecting included. INVALID (path too long for a Unix socket), NO_MEMORY.
 */
STIRKEEP_API enum stirkeep_status stirkeep_client_new(const char *path, uint32_t timeout_ms,
                                                      struct stirkeep_client **ret_client);

/* Close and release. NULL is allowed. Requests without an answer are forgotten. */
STIRKEEP_API void stirkeep_client_free(struct stirkeep_client *client);

/*
 * How long after a lost connection a socket where nobody listens is tried again: `patience_ms`,
 * 5000 unless said otherwise. 0: that is NOT_CONNECTED at once, for who would rather do without a
 * signature than wait for one. For all calls from now on; not while another thread uses the client.
 */
STIRKEEP_API void stirkeep_set_patience(struct stirkeep_client *client, uint32_t patience_ms);

/* One line about the last call that failed on this client ("" when none did). Valid until the next
 * call on it. */
STIRKEEP_API const char *stirkeep_client_error(const struct stirkeep_client *client);

/* Two texts that belong together. */
struct stirkeep_pair {
    const char *name;
    const char *value;
};

/*
 * What a PASSporT shall say. Texts are UTF-8, '\0'-terminated, the caller's; NULL or "" is "not
 * there". Initialise with {0} and name the fields: new ones get added at the end.
 */
struct stirkeep_claims {
    const char *ppt;     /* NULL or "": base PASSporT; "shaken", "div", "div-o", "rph", "rcd", or a
                            name that the service's grant has */
    const char *orig_tn; /* exactly one of orig_tn and orig_uri */
    const char *orig_uri;
    const char *const *dest_tn; /* at least one destination in all */
    size_t dest_tn_count;
    const char *const *dest_uri;
    size_t dest_uri_count;
    int64_t iat;        /* seconds since 1970; 0: now */
    const char *attest; /* shaken: "A", "B" or "C" */
    const char *origid; /* shaken: a UUID; NULL: made by the service */
    const char *div_tn; /* div, div-o (RFC 8946): who the call was retargeted from, one of two */
    const char *div_uri;
    const char *div_hi;          /* hi-index (RFC 7044), optional */
    const char *opt;             /* div-o: the complete inner PASSporT */
    const char *const *rph_auth; /* rph (RFC 8443): "ets.0", at least one */
    size_t rph_auth_count;
    const char *sph;     /* rph (RFC 9027), optional */
    const char *rcd_nam; /* rcd (RFC 9795), with shaken, too: required in an rcd */
    const char *rcd_apn;
    const char *rcd_icn;
    const char *rcd_jcd; /* a jCard as JSON; not with rcd_jcl */
    const char *rcd_jcl;
    const char *crn;                  /* rcd: call reason */
    const struct stirkeep_pair *rcdi; /* rcd: JSON pointer, digest ("sha256-...") */
    size_t rcdi_count;
    const struct stirkeep_pair *mky; /* RFC 8225 section 5.2.2: alg ("sha-256"), dig (hex) */
    size_t mky_count;
    const char *other; /* a JSON object: further claims of a ppt that stirkeep does not know */
    bool compact;      /* base: compact form, "..signature" (RFC 8225 section 7) */
};

/* A signature. The texts are '\0'-terminated and belong to the client: valid until the next call
 * on it. */
struct stirkeep_signature {
    const char *identity; /* complete Identity header value, RFC 8224 section 4 */
    size_t identity_length;
    size_t passport_length; /* its first so many characters are the PASSporT */
    uint32_t generation;    /* of the certificate, as `stirkeep show` numbers them */
    int64_t iat;
    const char *origid; /* "" for a base PASSporT */
    const char *attest; /* as given: the service may have lowered it; "" where there is none */
};

/*
 * Have a PASSporT signed with the certificate called `name`; waits for the answer. When the
 * connection breaks before the answer, it connects again and repeats the request, within the
 * time-out. The service's refusals come as their status (NOT_PERMITTED, UNKNOWN_NAME, INVALID,
 * CERT_EXPIRED, OVERLOADED, ...); TIMEOUT and NOT_CONNECTED are this side's. Not to be mixed with
 * requests under way from stirkeep_submit: INVALID.
 */
STIRKEEP_API enum stirkeep_status stirkeep_sign(struct stirkeep_client *client, const char *name,
                                                const struct stirkeep_claims *claims,
                                                struct stirkeep_signature *ret_signature);

/*
 * Have a header and a payload signed that the caller composed: canonical JSON, as the service would
 * write it (RFC 8225 section 9). Refused with INVALID where they are not, and with NOT_PERMITTED
 * unless the grant has sign-input. Otherwise as stirkeep_sign.
 */
STIRKEEP_API enum stirkeep_status stirkeep_sign_input(struct stirkeep_client *client,
                                                      const char *name, const char *header,
                                                      const char *payload,
                                                      struct stirkeep_signature *ret_signature);

/* One of several. */
struct stirkeep_request {
    const char *name;
    const struct stirkeep_claims *claims; /* NULL: header and payload instead */
    const char *header;
    const char *payload;
};

#define STIRKEEP_BATCH_MAX 64

struct stirkeep_answer;

/*
 * Have 1 to STIRKEEP_BATCH_MAX PASSporTs signed in one request. With `whole` all or nothing: the
 * status of the first refusal is the call's. Else OK, and each of the `count` places of
 * `ret_answers` has its own status; its tag is the place. The texts are valid until the next call.
 * Otherwise as stirkeep_sign. INVALID, TOO_LARGE: more than the protocol takes.
 */
STIRKEEP_API enum stirkeep_status stirkeep_sign_batch(struct stirkeep_client *client,
                                                      const struct stirkeep_request *requests,
                                                      size_t count, bool whole,
                                                      struct stirkeep_answer *ret_answers);

/* ---- many requests under way at once */

/* An answer to a submitted request. */
struct stirkeep_answer {
    uint64_t tag; /* as given to stirkeep_submit */
    enum stirkeep_status status;
    const char *message; /* when status is not OK */
    struct stirkeep_signature signature;
};

/*
 * Queue a request; `tag` comes back with its answer. `deadline_ms` (0: the client's time-out).
 * Never waits: bytes that the socket does not take leave with the next call. OVERLOADED when
 * 4096 are under way already.
 */
STIRKEEP_API enum stirkeep_status stirkeep_submit(struct stirkeep_client *client, const char *name,
                                                  const struct stirkeep_claims *claims,
                                                  uint32_t deadline_ms, uint64_t tag);

/*
 * Fetch one answer, waiting up to `wait_ms` (0: not at all). OK: `ret_answer` is filled in, also
 * when the service refused. TIMEOUT: none came in time. INVALID: nothing is under way. Requests
 * whose deadline passes get an answer with status TIMEOUT. When the connection breaks, what is
 * under way is sent again on a new one.
 */
STIRKEEP_API enum stirkeep_status stirkeep_fetch(struct stirkeep_client *client, int wait_ms,
                                                 struct stirkeep_answer *ret_answer);

/* Requests that have no answer yet. */
STIRKEEP_API size_t stirkeep_under_way(const struct stirkeep_client *client);

/*
 * For a caller's own event loop: the descriptor (-1 when not connected) and whether to wait for it
 * to be writable too. When it is ready, call stirkeep_fetch(client, 0, ...) until TIMEOUT. Both may
 * change with every call.
 */
STIRKEEP_API int stirkeep_fd(const struct stirkeep_client *client, bool *ret_want_write);

/*
 * For the same loop: how many milliseconds at most it may wait for the descriptor, as poll(2) takes
 * them; then stirkeep_fetch is to be called, too: a deadline passes, or a connection is to be tried
 * again. 0: now. -1: nothing is under way. May change with every call.
 */
STIRKEEP_API int stirkeep_wait_ms(const struct stirkeep_client *client);

/* ---- asking; like stirkeep_sign not to be mixed with requests under way: INVALID */

struct stirkeep_certificate {
    const char *name;
    uint32_t generation;
    const char *x5u;
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
    bool active;
};

/*
 * The certificates that this process may use, in the order of their names. `*ret_list` belongs to
 * the client, valid until the next call on it.
 */
STIRKEEP_API enum stirkeep_status stirkeep_list(struct stirkeep_client *client,
                                                const struct stirkeep_certificate **ret_list,
                                                size_t *ret_count);

/* Can signatures be had now? OK: yes. UNAVAILABLE: stirkeep_client_error says why not. */
STIRKEEP_API enum stirkeep_status stirkeep_ping(struct stirkeep_client *client);

/* "1.0.0", of the library. */
STIRKEEP_API const char *stirkeep_version(void);

#ifdef __cplusplus
}
#endif

#endif
