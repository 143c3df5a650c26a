/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STIRKEEP_STATUS_H
#define STIRKEEP_STATUS_H

/*
 * The one set of outcomes that the service, its wire protocol, its library and its commands use.
 * The numbers are part of the protocol (docs/PROTOCOL.md): they never change, new ones are added
 * at the end.
 */

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define STIRKEEP_API __attribute__((visibility("default")))
#else
#define STIRKEEP_API
#endif

enum stirkeep_status {
    STIRKEEP_OK = 0,
    STIRKEEP_INVALID = 1,       /* a value in the request is not allowed; the message names it */
    STIRKEEP_MALFORMED = 2,     /* the bytes are not a message of the protocol */
    STIRKEEP_TOO_LARGE = 3,     /* past a stated limit */
    STIRKEEP_NOT_PERMITTED = 4, /* no grant allows it */
    STIRKEEP_UNKNOWN_NAME = 5,  /* no certificate of that name */
    STIRKEEP_NOT_ACTIVE = 6,    /* the name is held but does not sign: retired or staged */
    STIRKEEP_CERT_NOT_YET_VALID = 7, /* before notBefore (RFC 5280 section 4.1.2.5) */
    STIRKEEP_CERT_EXPIRED = 8,       /* after notAfter */
    STIRKEEP_KEY_TYPE = 9,           /* not a P-256 key (RFC 8225 section 4, ES256) */
    STIRKEEP_KEY_MISMATCH = 10,      /* key and certificate do not belong together */
    STIRKEEP_CERT_INVALID = 11,      /* the certificate or its chain fails the import gate */
    STIRKEEP_KEY_UNREADABLE = 12,    /* not a private key in a known form, or a wrong passphrase */
    STIRKEEP_CONFLICT = 13,          /* clashes with what is held already */
    STIRKEEP_UNAVAILABLE = 14,       /* a part of the service is (re)starting: try again */
    STIRKEEP_TOKEN_LOCKED = 15,      /* the token refused the PIN, or its PIN is locked */
    STIRKEEP_TOKEN_ERROR = 16,       /* the token failed; the message has the PKCS#11 code */
    STIRKEEP_KEY_UNAVAILABLE = 17,   /* the key is not on the token, or does not prove itself */
    STIRKEEP_OVERLOADED = 18,        /* too many requests in flight */
    STIRKEEP_DEADLINE = 19,          /* the request's time was up before it was signed */
    STIRKEEP_AUDIT_UNAVAILABLE = 20, /* the audit trail cannot be written: nothing is signed */
    STIRKEEP_STORAGE = 21,           /* the service's disk: full, read-only or failing */
    STIRKEEP_IO = 22,                /* a file or socket of the caller's */
    STIRKEEP_NO_MEMORY = 23,
    STIRKEEP_TIMEOUT = 24,       /* no answer, or no complete request, in time */
    STIRKEEP_NOT_CONNECTED = 25, /* nobody answers at the socket */
    STIRKEEP_CONFIG = 26,        /* the configuration is not usable */
    STIRKEEP_UNSUPPORTED = 27,   /* not known to this version or this token */
    STIRKEEP_INTERNAL = 28,      /* a fault of the service's own */
    STIRKEEP_SOURCE_UNSAFE = 29, /* the uploaded file may not be removed: links, or it changed */
    STIRKEEP_BUSY = 30,          /* the same name is being changed by somebody else */
    STIRKEEP_NOT_VERIFIED = 31,  /* a signature, proof or chain does not verify */
    STIRKEEP_RATE_LIMITED = 32,  /* past the grant's rate or quota */
    STIRKEEP_STATUS_COUNT
};

/*
 * The fixed name of a status in lower case with hyphens ("not-permitted"), as the commands' JSON
 * and the audit trail show it. Never NULL: an unknown number gives "unknown". Any thread.
 */
STIRKEEP_API const char *stirkeep_status_name(enum stirkeep_status status);

/*
 * A short English sentence without a full stop. Never NULL. Any thread.
 */
STIRKEEP_API const char *stirkeep_status_text(enum stirkeep_status status);

#ifdef __cplusplus
}
#endif

#endif
