/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_NUMBER_KEY_H
#define STK_CLI_NUMBER_KEY_H

#include "model/number_hash.h"

/* The key that a trail's numbers are hashed with, from its file. IO, INVALID, TOO_LARGE. */
enum stirkeep_status stk_number_key_read(const char *path, struct stk_number_key *ret_key,
                                         struct stk_error *error);

#endif
