/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_VERIFY_H
#define STK_AUDIT_VERIFY_H

#include "base/error.h"
#include <stdint.h>

/*
 * Read a trail from its first line to its last: is each line whole, in sequence and chained to the
 * one before? OK: `*ret_records` is how many there are. NOT_VERIFIED names the first bad line and
 * what is wrong with it. Memory does not grow with the file. Any thread.
 */
enum stirkeep_status stk_trail_verify(int fd, const char *name, uint64_t *ret_records,
                                      struct stk_error *error);

#endif
