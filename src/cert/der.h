/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_DER_H
#define STK_CERT_DER_H

#include "base/bytes.h"
#include <stdbool.h>

/*
 * A reader of DER (X.690 section 10) that only hands out views: nothing is copied, so that it can
 * walk a private key in secret memory. Strict: definite lengths in the fewest octets, tag numbers
 * below 31. Pure, any thread.
 */

enum stk_der_tag {
    STK_DER_BOOLEAN = 0x01,
    STK_DER_INTEGER = 0x02,
    STK_DER_BIT_STRING = 0x03,
    STK_DER_OCTET_STRING = 0x04,
    STK_DER_NULL = 0x05,
    STK_DER_OID = 0x06,
    STK_DER_UTF8_STRING = 0x0c,
    STK_DER_IA5_STRING = 0x16,
    STK_DER_SEQUENCE = 0x30,
    STK_DER_SET = 0x31
};
#define STK_DER_CONTEXT(n) (0x80 | (n))     /* [n] IMPLICIT of a primitive type */
#define STK_DER_CONSTRUCTED(n) (0xa0 | (n)) /* [n] EXPLICIT, or IMPLICIT of a constructed type */

#define STK_DER_DEPTH_MAX 24 /* nesting that stk_der_valid follows */

/* The tag of the next value in `in`; -1 when nothing is left or the value is not DER. */
int stk_der_peek(const struct stk_bytes *in);

/* Take the next value: its contents, and the whole of it with its header (either may be NULL).
 * False, with `in` unmoved, when there is none or it is not DER. */
bool stk_der_next(struct stk_bytes *in, uint8_t *ret_tag, struct stk_bytes *ret_contents,
                  struct stk_bytes *ret_whole);

/* The same for one expected tag. */
bool stk_der_take(struct stk_bytes *in, uint8_t tag, struct stk_bytes *ret_contents);

/* All of `der` is one value with this tag and nothing behind it. */
bool stk_der_only(struct stk_bytes der, uint8_t tag, struct stk_bytes *ret_contents);

/* All of `der` is one value, its constructed parts are well-formed to the last byte, and it nests
 * no deeper than STK_DER_DEPTH_MAX. */
bool stk_der_valid(struct stk_bytes der);

/* An INTEGER that is not negative, in minimal form, and fits. */
bool stk_der_take_uint(struct stk_bytes *in, uint64_t *ret_value);

/* Bits of a positive INTEGER's contents: the size of a modulus. */
size_t stk_der_bits(struct stk_bytes integer);

/* Is it these bytes? */
bool stk_bytes_are(struct stk_bytes bytes, const void *data, size_t length);

/* "1.2.840.10045.2.1" from an OBJECT IDENTIFIER's contents; "?" when it is not one or too long. */
#define STK_OID_TEXT 80
void stk_der_oid_text(struct stk_bytes oid, char ret_text[STK_OID_TEXT]);

#endif
