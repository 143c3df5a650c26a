/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_RECORD_WRITER_H
#define STK_CLI_RECORD_WRITER_H

#include "audit/fields.h"
#include <inttypes.h>

/* Putting words of a record together; only for record_line.c and record_sentences.c. What fails
 * first is kept, and nothing is written after it. */
struct stk_record_writer {
    struct stk_buffer *out;
    enum stirkeep_status status;
};

void stk_words_add(struct stk_record_writer *writer, const char *words);
void stk_words_number(struct stk_record_writer *writer, uint64_t number);
/* `before`, the text and `after`; nothing at all when the text is not there. */
void stk_words_text(struct stk_record_writer *writer, const char *before, struct stk_bytes raw,
                    const char *after);
/* The same of a value that a peer chose: in quotation marks where it could be read as something else
 * than one value (blanks, commas, what is not ASCII). None is within it. */
void stk_words_value(struct stk_record_writer *writer, const char *before, struct stk_bytes raw,
                     const char *after);
/* "12155550131, sip:a@example.com", of many the first ones and how many more. */
void stk_words_dest(struct stk_record_writer *writer, struct stk_bytes dest);

#endif
