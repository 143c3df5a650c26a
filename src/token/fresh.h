/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_FRESH_H
#define STK_TOKEN_FRESH_H

#include "base/error.h"

/*
 * Make a token in the first slot of a SoftHSM that has none yet, set both PINs, and make a wrapping
 * key, shorter than the service makes one. For a throw-away service: the module is loaded into this
 * process and stays in it, so that a child of its own is the place for it. TOKEN_ERROR with the
 * module's path or the call that failed.
 */
enum stirkeep_status stk_token_make(const char *module, const char *label, const char *so_pin,
                                    const char *pin, struct stk_error *error);

#endif
