/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_ENCODE_H
#define STK_BASE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* base64url without padding, RFC 4648 section 5 as RFC 7515 section 2 uses it; and hex. */

#define STK_BASE64URL_LENGTH(n) (((n)*4 + 2) / 3) /* characters for n bytes */

/* Write the characters for `length` bytes to `ret_text` (no '\0'); returns how many. */
size_t stk_base64url_encode(const void *data, size_t length, char *ret_text);

/*
 * Read `length` characters into `ret_data`, which has room for `capacity` bytes. False for
 * padding, other characters, unused bits that are not zero, or too little room.
 */
bool stk_base64url_decode(const char *text, size_t length, uint8_t *ret_data, size_t capacity,
                          size_t *ret_length);

/* Lower-case hex with a '\0': 2 * length + 1 characters. */
void stk_hex_encode(const void *data, size_t length, char *ret_text);

/* Exactly `length` bytes from 2 * length hex digits of either case followed by '\0'. */
bool stk_hex_decode(const char *text, uint8_t *ret_data, size_t length);

#endif
