/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_FETCH_H
#define STK_BASE_FETCH_H

#include <stddef.h>
#include <stdint.h>

#define STK_CACHE_LINE 64 /* octets that come from memory together */

/* These octets are about to be read: they are fetched into the processor's caches. Waits for nothing,
 * reads nothing: they need not be there. Any thread. */
static inline void stk_fetch(const void *data, size_t length)
{
    const uintptr_t end = (uintptr_t)data + length;

    for (uintptr_t at = (uintptr_t)data / STK_CACHE_LINE * STK_CACHE_LINE; at < end;
         at += STK_CACHE_LINE)
        __builtin_prefetch((const void *)at);
}

#endif
