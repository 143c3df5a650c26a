/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_SECRET_H
#define STK_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>
#include <stirkeep/status.h>

/*
 * Memory for a key, a PIN or a passphrase: pages of its own, locked where RLIMIT_MEMLOCK allows,
 * left out of core dumps and of children, wiped when freed. Owned by the caller; one thread.
 */
struct stk_secret {
    uint8_t *data;
    size_t length;   /* bytes in use; the owner sets it after writing into data */
    size_t capacity; /* bytes usable */
    size_t mapped;
};

/* A fresh secret of `capacity` zero bytes with length 0. NO_MEMORY leaves `secret` empty. */
enum stirkeep_status stk_secret_new(struct stk_secret *secret, size_t capacity);

/* Wipe and release. An empty secret ({0}) is allowed; it is empty afterwards. */
void stk_secret_free(struct stk_secret *secret);

#endif
