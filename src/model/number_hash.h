/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_NUMBER_HASH_H
#define STK_MODEL_NUMBER_HASH_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Telephone numbers and URIs as keyed hashes, so that who has the key can prove that a record is
 * of a number, and who has not cannot read it: "h:" and the first 16 bytes of HMAC-SHA-256
 * (RFC 2104) of the text in hex. Pure; any thread.
 */

#define STK_NUMBER_KEY_MIN 32
#define STK_NUMBER_KEY_MAX 4096
#define STK_NUMBER_HASH_TEXT (2 + 32 + 1)

#define STK_NUMBER_KEY_BLOCK 64 /* of SHA-256 */

/* A secret: what the two hashes of an HMAC begin with. */
struct stk_number_key {
    uint8_t inner[STK_NUMBER_KEY_BLOCK];
    uint8_t outer[STK_NUMBER_KEY_BLOCK];
};

/* All bytes count. INVALID: too short or too long for one. */
enum stirkeep_status stk_number_key_make(const void *data, size_t length,
                                         struct stk_number_key *ret_key, struct stk_error *error);

/* Of a number in any form that stk_tn_parse takes: of its digits; of any other text: as it is. ""
 * and NULL stay "". */
void stk_number_hash(const struct stk_number_key *key, const char *text,
                     char ret_text[STK_NUMBER_HASH_TEXT]);

/*
 * A sentence without the numbers in it: runs of more than three digits, shorter ones behind "orig",
 * "dest", "div" and "for", what is between quotation marks, and words with ':' or '@' in their
 * middle become "...". At most `size` bytes with its end.
 */
void stk_number_hide(const char *sentence, char *ret_text, size_t size);

#endif
