/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_DIGEST_H
#define STK_BASE_DIGEST_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256, FIPS 180-4. Any thread. Aborts the process when the crypto library has none. */
void stk_sha256(const void *data, size_t length, uint8_t ret_digest[STK_DIGEST_LENGTH]);

/* The digest of `first` followed by `second`. */
void stk_sha256_two(const void *first, size_t first_length, const void *second,
                    size_t second_length, uint8_t ret_digest[STK_DIGEST_LENGTH]);

/* `length` bytes from the kernel's random source. Aborts when there is none. Any thread. */
void stk_random(void *ret_data, size_t length);

#endif
