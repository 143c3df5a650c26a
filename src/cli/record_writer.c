/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/record_writer.h"

#include <stdio.h>
#include <string.h>

#define DEST_SHOWN 8
#define DIGITS_MAX 20

void stk_words_add(struct stk_record_writer *writer, const char *words)
{
    if (writer->status == STIRKEEP_OK)
        writer->status = stk_buffer_add_text(writer->out, words);
}

void stk_words_number(struct stk_record_writer *writer, uint64_t number)
{
    char digits[DIGITS_MAX + 1] = "";

    (void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
    stk_words_add(writer, digits);
}

void stk_words_text(struct stk_record_writer *writer, const char *before, struct stk_bytes raw,
                    const char *after)
{
    size_t start = 0;

    if (raw.length == 0)
        return;
    stk_words_add(writer, before);
    start = writer->out->length;
    if (writer->status == STIRKEEP_OK)
        writer->status = stk_fields_text(raw, writer->out);
    for (size_t i = start; i < writer->out->length; i++)
        if (writer->out->data[i] < ' ' || writer->out->data[i] == 0x7f)
            writer->out->data[i] = '?';
    stk_words_add(writer, after);
}

/* Could it be taken for something else than one value: for two, or for another one that looks alike? */
static bool misleads(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] <= ' ' || data[i] >= 0x7f || data[i] == ',' || data[i] == '"')
            return true;
    return false;
}

void stk_words_value(struct stk_record_writer *writer, const char *before, struct stk_bytes raw,
                     const char *after)
{
    struct stk_buffer *out = writer->out;
    size_t start = 0;

    if (raw.length == 0)
        return;
    stk_words_add(writer, before);
    start = out->length;
    stk_words_text(writer, "\"", raw, "");
    if (writer->status != STIRKEEP_OK)
        return;
    if (misleads(out->data + start + 1, out->length - start - 1)) {
        for (size_t i = start + 1; i < out->length; i++)
            if (out->data[i] == '"')
                out->data[i] = '\'';
        stk_words_add(writer, "\"");
    } else {
        memmove(out->data + start, out->data + start + 1, out->length - start - 1);
        out->length--;
    }
    stk_words_add(writer, after);
}

void stk_words_dest(struct stk_record_writer *writer, struct stk_bytes dest)
{
    struct stk_bytes text = {0};
    size_t count = 0;

    for (; stk_fields_next_dest(&dest, &text); count++)
        if (count < DEST_SHOWN)
            stk_words_value(writer, count > 0 ? ", " : "", text, "");
    if (count <= DEST_SHOWN)
        return;
    stk_words_add(writer, " and ");
    stk_words_number(writer, count - DEST_SHOWN);
    stk_words_add(writer, " more");
}
