/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_ZSTD_FILE_H
#define STK_KEEPER_ZSTD_FILE_H

#include "base/limits.h"
#include <stdbool.h>
#include <stdint.h>

/* Whole files through zstd, with little memory. Each begins at the descriptor's start and is false
 * with errno when it does not come to the end. Any thread. */

/* SHA-256 of a file, and its size. */
bool stk_plain_digest(int fd, uint8_t ret_digest[STK_DIGEST_LENGTH], uint64_t *ret_size);

/* Compress `size` bytes of `plain` into `fd`: one frame with a checksum. `ret_digest`: SHA-256 of what
 * was read. */
bool stk_zstd_write(int plain, int fd, uint64_t size, uint8_t ret_digest[STK_DIGEST_LENGTH]);

/* The same as stk_plain_digest of what is compressed in a file. */
bool stk_zstd_read(int fd, uint8_t ret_digest[STK_DIGEST_LENGTH], uint64_t *ret_size);

#endif
