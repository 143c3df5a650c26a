/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_RECORD_WORDS_H
#define STK_CLI_RECORD_WORDS_H

#include "audit/fields.h"

/*
 * A record in a person's words. Texts in records may come from anybody, and here they are with
 * their escapes resolved: what is made goes through stk_print_safe. NO_MEMORY.
 */

/* All of it in one line: number, time, act and outcome, what, who, why. */
enum stirkeep_status stk_record_line(const struct stk_fields *fields, struct stk_buffer *out);

/* In sentences, each on a line of its own. */
enum stirkeep_status stk_record_sentences(const struct stk_fields *fields, struct stk_buffer *out);

#endif
