/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STIRKEEP_CLIENT_H
#define STIRKEEP_CLIENT_H

/*
 * libstirkeep: PASSporT signatures from a stirkeep service over its Unix socket.
 *
 * No global state, no signal handlers, no output. A client belongs to one thread at a time;
 * different clients are independent. Safe in programs that fork after loading the library, or even
 * after connecting: a client used in a child opens a connection of its own and never touches the
 * parent's. Compiles as C11 and C++.
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
 * A client for the socket at `path` (NULL: the environment variable STIRKEEP_SIGN_SOCKET, else
 * STIRKEEP_DEFAULT_SIGN_SOCKET). Nothing is opened yet: the first call connects, and later ones
 * connect again when the service was restarted. `timeout_ms` (0: 2000) bounds every call,
 * connecting included. INVALID (path too long for a Unix socket), NO_MEMORY.
 */
STIRKEEP_API enum stirkeep_status stirkeep_client_new(const char *path, uint32_t timeout_ms,
                                                      struct stirkeep_client **ret_client);

/* Close and release. NULL is allowed. Requests without an answer are forgotten. */
STIRKEEP_API void stirkeep_client_free(struct stirkeep_client *client);

/* One line about the last call that failed on this client ("" when none did). Valid until the next
 * call on it. */
STIRKEEP_API const char *stirkeep_client_error(const struct stirkeep_client *client);

/* What a PASSporT shall say (RFC 8225, RFC 8588). Texts are UTF-8, '\0'-terminated, the caller's. */
struct stirkeep_claims {
    const char *ppt;     /* NULL or "": base PASSporT; "shaken" */
    const char *orig_tn; /* exactly one of orig_tn and orig_uri */
    const char *orig_uri;
    const char *const *dest_tn; /* at least one destination in all */
    size_t dest_tn_count;
    const char *const *dest_uri;
    size_t dest_uri_count;
    int64_t iat;        /* seconds since 1970; 0: now */
    const char *attest; /* shaken: "A", "B" or "C" */
    const char *origid; /* shaken: a UUID; NULL: made by the service */
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
