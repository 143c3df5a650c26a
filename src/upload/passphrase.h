/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_UPLOAD_PASSPHRASE_H
#define STK_UPLOAD_PASSPHRASE_H

#include "base/error.h"
#include "base/secret.h"

/* The first line of a file (which may be a pipe), without its end; what comes after it is not
 * looked at. IO, TOO_LARGE, INVALID when it is empty. */
enum stirkeep_status stk_passphrase_file(const char *path, struct stk_secret *ret_passphrase,
                                         struct stk_error *error);

/* The same of a file that was read; `name` is for messages. */
enum stirkeep_status stk_passphrase_take(const struct stk_secret *data, const char *name,
                                         struct stk_secret *ret_passphrase,
                                         struct stk_error *error);

#endif
