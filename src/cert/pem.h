/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_PEM_H
#define STK_CERT_PEM_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>

/*
 * PEM blocks (RFC 7468, and RFC 1421 headers as OpenSSL writes them) in a text: LF, CR LF or CR,
 * blanks around lines, a byte order mark and text between the blocks are allowed. Views only, so
 * that it can walk a private key in secret memory. Pure, any thread.
 */
struct stk_pem_block {
    struct stk_bytes label;   /* "EC PRIVATE KEY" */
    struct stk_bytes headers; /* "Proc-Type: ..." lines; empty mostly */
    struct stk_bytes body;    /* base64 text with its line ends */
    size_t line;              /* of the BEGIN line, counted from 1 */
};

struct stk_pem_reader {
    struct stk_bytes rest; /* the text to begin with */
    size_t line;           /* 0 to begin with */
};

/* Does the text hold a BEGIN line? */
bool stk_pem_is(struct stk_bytes text);

/*
 * The next block; at the end OK with an empty label. KEY_UNREADABLE with the line for a BEGIN that
 * has no END of the same label: the caller puts its own status.
 */
enum stirkeep_status stk_pem_next(struct stk_pem_reader *reader, struct stk_pem_block *ret_block,
                                  struct stk_error *error);

/* The value of a header line ("DEK-Info"), without blanks around it; empty when there is none. */
struct stk_bytes stk_pem_header(const struct stk_pem_block *block, const char *name);

/* Room that the body's bytes need at most. */
size_t stk_pem_body_room(const struct stk_pem_block *block);

/*
 * Decode the body (RFC 4648 section 4, padded, white space ignored) into `ret_data`, which has
 * stk_pem_body_room() bytes. False when it is not base64. Takes the same time whatever the
 * characters are; leaves no copy.
 */
bool stk_pem_decode(const struct stk_pem_block *block, uint8_t *ret_data, size_t *ret_length);

/* Is it this label? */
bool stk_pem_labelled(const struct stk_pem_block *block, const char *label);

/*
 * Append a block (RFC 7468 section 3, lines of 64 characters). `headers` are whole lines, or "".
 * For what is public: OpenSSL's encoder leaves traces. On failure (TOO_LARGE, NO_MEMORY) `out` is
 * as it was.
 */
enum stirkeep_status stk_pem_add(struct stk_buffer *out, const char *label, const char *headers,
                                 struct stk_bytes der);

#endif
