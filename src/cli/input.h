/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_INPUT_H
#define STK_CLI_INPUT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"
#include <stdbool.h>

/*
 * A text given as such, from a file ("@FILE"), or from standard input ("-" or NULL). TOO_LARGE
 * past `limit`, IO. The caller frees `ret_text`.
 */
enum stirkeep_status stk_input_read(const char *given, size_t limit, struct stk_buffer *ret_text,
                                    struct stk_error *error);

/*
 * A text file, or standard input ("-"): without one line end behind it, with a '\0' that its length
 * does not count. INVALID with a NUL in it, TOO_LARGE, IO. The caller frees `ret_text`.
 */
enum stirkeep_status stk_input_file(const char *path, size_t limit, struct stk_buffer *ret_text,
                                    struct stk_error *error);

/*
 * Ask for a passphrase on the terminal, without echo; `thing` is named in the question. IO when
 * there is no terminal, it was interrupted or left empty. Signals that would leave the terminal
 * without echo wait until it is over.
 */
enum stirkeep_status stk_passphrase_ask(const char *thing, struct stk_secret *ret_passphrase,
                                        struct stk_error *error);

#endif
