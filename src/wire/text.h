/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_TEXT_H
#define STK_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a text field of a message may hold: UTF-8 (RFC 3629) without a NUL. Any thread. */
bool stk_text_is_valid(const uint8_t *data, size_t length);

/* Put '?' in the place of each byte that makes the text invalid. */
void stk_text_scrub(uint8_t *data, size_t length);

/* Copy at most `size` - 1 characters of `text` (NULL counts as ""), scrubbed, with a '\0'. */
void stk_text_cut(const char *text, char *ret_text, size_t size);

#endif
