/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_BYTES_H
#define STK_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns. */
struct stk_bytes {
    const uint8_t *data;
    size_t length;
};

#endif
