/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/pem.h"

#include "cert/der.h"
#include <string.h>
#include <strings.h>

#define LABEL_MAX 40

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static struct stk_bytes trimmed(struct stk_bytes text)
{
    while (text.length > 0 && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* Cut the next line off; false at the end. */
static bool next_line(struct stk_pem_reader *reader, struct stk_bytes *ret_line)
{
    struct stk_bytes *rest = &reader->rest;
    size_t length = 0;

    if (rest->length == 0)
        return false;
    while (length < rest->length && rest->data[length] != '\n' && rest->data[length] != '\r')
        length++;
    *ret_line = trimmed((struct stk_bytes){rest->data, length});
    if (length + 1 < rest->length && rest->data[length] == '\r' && rest->data[length + 1] == '\n')
        length++;
    if (length < rest->length)
        length++;
    rest->data += length;
    rest->length -= length;
    reader->line++;
    return true;
}

/* Labels get into messages: capitals, digits, no hyphen, so that a key written on one line together
 * with its marks never passes for one. */
static bool is_label(struct stk_bytes text)
{
    if (text.length > LABEL_MAX)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t c = text.data[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != ' ' && c != '.' && c != '#')
            return false;
    }
    return true;
}

/* "-----BEGIN label-----" with this mark. */
static bool is_boundary(struct stk_bytes line, const char *mark, struct stk_bytes *ret_label)
{
    size_t before = strlen(mark);
    size_t after = strlen(dashes);
    struct stk_bytes label = {0};

    if (line.length <= before + after || memcmp(line.data, mark, before) != 0 ||
        memcmp(line.data + line.length - after, dashes, after) != 0)
        return false;
    label = (struct stk_bytes){line.data + before, line.length - before - after};
    if (!is_label(label))
        return false;
    *ret_label = label;
    return true;
}

static void skip_byte_order_mark(struct stk_pem_reader *reader)
{
    static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};

    if (reader->line > 0 || reader->rest.length < sizeof(mark) ||
        memcmp(reader->rest.data, mark, sizeof(mark)) != 0)
        return;
    reader->rest.data += sizeof(mark);
    reader->rest.length -= sizeof(mark);
}

bool stk_pem_is(struct stk_bytes text)
{
    struct stk_pem_reader reader = {.rest = text};
    struct stk_bytes line = {0};
    struct stk_bytes label = {0};

    skip_byte_order_mark(&reader);
    while (next_line(&reader, &line))
        if (is_boundary(line, begin_mark, &label))
            return true;
    return false;
}

/* Split what lies between BEGIN and END into header lines and base64 text. */
static void split_headers(struct stk_bytes inside, struct stk_pem_block *block)
{
    struct stk_pem_reader reader = {.rest = inside};
    struct stk_bytes line = {0};

    block->body = inside;
    if (!next_line(&reader, &line) || memchr(line.data, ':', line.length) == NULL)
        return;
    while (line.length > 0 && next_line(&reader, &line))
        continue;
    block->headers = (struct stk_bytes){inside.data, inside.length - reader.rest.length};
    block->body = reader.rest;
}

enum stirkeep_status stk_pem_next(struct stk_pem_reader *reader, struct stk_pem_block *ret_block,
                                  struct stk_error *error)
{
    struct stk_pem_block block = {0};
    struct stk_bytes line = {0};
    struct stk_bytes label = {0};
    const uint8_t *inside = NULL;

    skip_byte_order_mark(reader);
    do {
        if (!next_line(reader, &line)) {
            *ret_block = block;
            return STIRKEEP_OK;
        }
    } while (!is_boundary(line, begin_mark, &block.label));
    block.line = reader->line;
    inside = reader->rest.data;
    while (next_line(reader, &line)) {
        if (is_boundary(line, begin_mark, &label))
            break;
        if (!is_boundary(line, end_mark, &label))
            continue;
        if (!stk_bytes_are(label, block.label.data, block.label.length))
            return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                                 "the BEGIN of line %zu and the END of line %zu do not match",
                                 block.line, reader->line);
        split_headers((struct stk_bytes){inside, (size_t)(line.data - inside)}, &block);
        *ret_block = block;
        return STIRKEEP_OK;
    }
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                         "truncated: the BEGIN of line %zu has no END", block.line);
}

struct stk_bytes stk_pem_header(const struct stk_pem_block *block, const char *name)
{
    struct stk_pem_reader reader = {.rest = block->headers};
    struct stk_bytes line = {0};
    size_t length = strlen(name);

    while (next_line(&reader, &line))
        if (line.length > length && line.data[length] == ':' &&
            strncasecmp((const char *)line.data, name, length) == 0)
            return trimmed((struct stk_bytes){line.data + length + 1, line.length - length - 1});
    return (struct stk_bytes){0};
}

size_t stk_pem_body_room(const struct stk_pem_block *block)
{
    return block->body.length / 4 * 3 + 3;
}

/* All ones when low <= c <= high: no branch and no table that could be timed. */
static uint32_t within(uint32_t c, uint32_t low, uint32_t high)
{
    return (((c - low) | (high - c)) >> 31) - 1;
}

/* The six bits of a base64 character with bit 6 set; 0 for any other character. */
static uint32_t value_of(uint32_t c)
{
    return (within(c, 'A', 'Z') & (0x40 | (c - 'A'))) |
           (within(c, 'a', 'z') & (0x40 | (c - 'a' + 26))) |
           (within(c, '0', '9') & (0x40 | (c - '0' + 52))) | (within(c, '+', '+') & (0x40 | 62)) |
           (within(c, '/', '/') & (0x40 | 63));
}

bool stk_pem_decode(const struct stk_pem_block *block, uint8_t *ret_data, size_t *ret_length)
{
    uint32_t bits = 0;
    uint32_t bad = 0;
    size_t characters = 0;
    size_t padding = 0;
    size_t written = 0;

    for (size_t i = 0; i < block->body.length; i++) {
        uint8_t c = block->body.data[i];
        uint32_t value = 0;

        if (c == '\n' || c == '\r' || is_blank(c))
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        value = value_of(c);
        bad |= (value ^ 0x40) & 0x40;
        bad |= (uint32_t)(padding > 0);
        bits = bits << 6 | (value & 0x3f);
        characters++;
        if (characters % 4 != 1)
            ret_data[written++] = (uint8_t)(bits >> (2 * (3 - (characters - 1) % 4)));
    }
    /* What is left of the last character must be zero, and the padding complete. */
    if (characters % 4 != 0)
        bad |= bits & ((1U << (characters % 4 == 2 ? 4 : 2)) - 1);
    if (bad != 0 || characters == 0 || characters % 4 == 1 || padding != (4 - characters % 4) % 4)
        return false;
    *ret_length = written;
    return true;
}

bool stk_pem_labelled(const struct stk_pem_block *block, const char *label)
{
    return stk_bytes_are(block->label, label, strlen(label));
}
