/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_CERT_H
#define STK_CERT_CERT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/key_id.h"
#include <stdbool.h>

/* A certificate chain, leaf first, parsed. Opaque; immutable; one thread at a time. */
struct stk_chain;

/*
 * Read certificates from PEM (one or more, leaf first, other blocks skipped; text, CRLF and BOM
 * allowed) or a single DER. `name` is for messages. CERT_INVALID with what was found, TOO_LARGE
 * past STK_CERT_FILE_MAX, STK_CERT_DER_MAX or STK_CHAIN_MAX. Well-formed only: whether it is fit
 * to sign with is the gate's question.
 */
enum stirkeep_status stk_chain_read(struct stk_bytes data, const char *name,
                                    struct stk_chain **ret_chain, struct stk_error *error);

/* From DER certificates, leaf first (1 to STK_CHAIN_MAX). */
enum stirkeep_status stk_chain_from_der(const struct stk_bytes *certificates, size_t count,
                                        struct stk_chain **ret_chain, struct stk_error *error);
/* Append what another file held (an extra chain file), without what the chain has already: such a
 * file often repeats the leaf. TOO_LARGE past STK_CHAIN_MAX, with the chain as it was. */
enum stirkeep_status stk_chain_append(struct stk_chain *chain, const struct stk_chain *more,
                                      struct stk_error *error);
void stk_chain_free(struct stk_chain *chain);

size_t stk_chain_count(const struct stk_chain *chain);
/* DER of certificate `index`; lives as long as the chain. */
struct stk_bytes stk_chain_der(const struct stk_chain *chain, size_t index);
/* The whole chain as PEM, leaf first. */
enum stirkeep_status stk_chain_pem(const struct stk_chain *chain, struct stk_buffer *out);

/* What the leaf says. Texts live in `arena`, never NULL. */
struct stk_leaf {
    const char *subject; /* RFC 2253 */
    const char *issuer;
    const char *serial;   /* upper-case hex */
    char fingerprint[65]; /* SHA-256 of the DER, hex */
    const char *key;      /* what the key is: "EC P-256 key", "RSA 2048 key", ... */
    const char *spc;      /* first SPC of the TNAuthList; "" when none */
    const char *numbers;  /* telephone numbers of it, the first few and how many more; "": none */
    int64_t not_before;   /* seconds since 1970 */
    int64_t not_after;
    struct stk_key_id key_id;      /* SHA-256 of the SubjectPublicKeyInfo; P-256: of `spki` */
    uint8_t spki[STK_SPKI_LENGTH]; /* P-256 only, the point uncompressed; zero otherwise */
    bool p256;
};
enum stirkeep_status stk_chain_leaf(const struct stk_chain *chain, struct stk_arena *arena,
                                    struct stk_leaf *ret_leaf, struct stk_error *error);

/* Does `signature` (r||s) over the SHA-256 `digest` verify with the leaf's key? */
bool stk_chain_verifies(const struct stk_chain *chain, const uint8_t digest[STK_DIGEST_LENGTH],
                        const uint8_t signature[STK_SIGNATURE_LENGTH]);

/* The same with a P-256 key by itself. */
bool stk_spki_verifies(const uint8_t spki[STK_SPKI_LENGTH], const uint8_t digest[STK_DIGEST_LENGTH],
                       const uint8_t signature[STK_SIGNATURE_LENGTH]);

/*
 * Does the chain lead to one of the certificates in `roots`, at time `now`? An intermediate in
 * `roots` is an anchor, too. A critical TNAuthList is accepted, other unknown critical extensions
 * are not. NOT_VERIFIED with the reason.
 */
enum stirkeep_status stk_chain_trusted(const struct stk_chain *chain, const struct stk_chain *roots,
                                       int64_t now, struct stk_error *error);

/* Is one of its certificates a CA's (RFC 5280 section 4.2.1.9)? */
bool stk_chain_has_authority(const struct stk_chain *chain);

#endif
