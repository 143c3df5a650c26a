/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_BATCH_LINE_H
#define STK_CLI_BATCH_LINE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include <stirkeep/client.h>

/*
 * A line of a batch: a JSON object with the claims as a PASSporT's payload has them, and beside them
 * "name" (of the certificate), "ppt" ("shaken" when absent, "base" or "" for none), "compact", and
 * "claims" (an object: further claims of another type):
 *
 *   {"name":"Alpha","attest":"A","orig":{"tn":"12155550121"},"dest":{"tn":["12155550131"]}}
 *
 * Or it has "header" and "payload", each a finished text. dest's tn and uri may be a text by itself,
 * orig, dest and div may have visual separators: the service makes it canonical. INVALID: the message
 * names the key; TOO_LARGE: the arena is used up. All in `arena`; `name` is for a line without one
 * (NULL: it has to have one).
 */
enum stirkeep_status stk_batch_line(struct stk_bytes line, const char *name,
                                    struct stk_arena *arena, struct stirkeep_request *ret_request,
                                    struct stk_error *error);

#endif
