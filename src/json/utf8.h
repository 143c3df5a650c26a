/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_JSON_UTF8_H
#define STK_JSON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF. Pure; any thread. */

/* Bytes (1 to 4) of the character at `text`, of which `left` bytes are there; 0: it is none.
 * `*ret_character` is its code point. */
size_t stk_utf8_read(const char *text, size_t left, uint32_t *ret_character);

/* The bytes of a code point that is a character, 1 to 4 of them, into `ret_text`; how many. */
size_t stk_utf8_write(uint32_t character, char ret_text[4]);

#endif
