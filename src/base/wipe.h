/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_WIPE_H
#define STK_BASE_WIPE_H

#include <stddef.h>

/* Overwrite memory with zeros in a way that the compiler keeps. NULL with 0 is allowed. */
void stk_wipe(void *data, size_t length);

#endif
