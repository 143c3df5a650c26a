/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_NUMBER_H
#define STK_CONFIG_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits alone, from `minimum` to `maximum`; false otherwise. */
bool stk_number_parse(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_number);

#endif
