/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/json.h"

#include <string.h>

#define ESCAPE_LENGTH 6   /* \uXXXX, the longest that one byte becomes */
#define DECIMAL_LENGTH 20 /* of UINT64_MAX */

static const char hex_digits[] = "0123456789abcdef";

/* Room for `length` bytes at the end; NULL after a failure. What is written there counts only once
 * the buffer's length says so. */
static uint8_t *room_for(struct stk_jsonl *json, size_t length)
{
    const struct stk_buffer *out = json->out;

    /* Nearly always there is room, and a call for each piece would cost more than the piece. */
    if (json->status == STIRKEEP_OK && (out->ceiling > 0 || out->capacity - out->length < length))
        json->status = stk_buffer_reserve(json->out, length);
    return json->status == STIRKEEP_OK ? json->out->data + json->out->length : NULL;
}

void stk_jsonl_raw(struct stk_jsonl *json, const void *data, size_t length)
{
    uint8_t *at = room_for(json, length);

    if (at == NULL)
        return;
    memcpy(at, data, length);
    json->out->length += length;
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

#define EIGHT(byte) (0x0101010101010101U * (byte))

/* Of a byte with the value 0, and perhaps of ones above it, the high bit; no bit when there is
 * none. */
static uint64_t zeros(uint64_t bytes)
{
    return (bytes - EIGHT(0x01)) & ~bytes & EIGHT(0x80);
}

/* Are eight bytes plain, all of them? It may say no where some are. */
static bool are_plain(const uint8_t *in)
{
    uint64_t bytes = 0;

    memcpy(&bytes, in, sizeof(bytes));
    return ((bytes & EIGHT(0x80)) | zeros(bytes & EIGHT(0xe0)) | zeros(bytes ^ EIGHT(0x7f)) |
            zeros(bytes ^ EIGHT('"')) | zeros(bytes ^ EIGHT('\\'))) == 0;
}

/* The length of the UTF-8 sequence that begins at `in`, and its code point; 0 when it is none
 * (RFC 3629 section 4: no overlong forms, no surrogates, nothing past U+10FFFF). */
static size_t sequence_at(const uint8_t *in, size_t left, uint32_t *ret_point)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = in[0] >= 0xf0 ? 4 : in[0] >= 0xe0 ? 3 : 2;
    uint32_t point = in[0] & (0x7fU >> length);

    if (in[0] < 0xc2 || in[0] > 0xf4 || left < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((in[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (in[i] & 0x3f);
    }
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return length;
}

/* Past ASCII: could it make a terminal or an editor show the line as something else than it is? */
static bool misleads(uint32_t point)
{
    return point < 0xa0 || point == 0x061c || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0xfeff;
}

bool stk_jsonl_escapes(uint32_t point)
{
    return point < ' ' || (point >= 0x7f && misleads(point));
}

static uint8_t *escape(uint8_t *at, uint32_t point)
{
    *at++ = '\\';
    *at++ = 'u';
    *at++ = (uint8_t)hex_digits[point >> 12 & 15];
    *at++ = (uint8_t)hex_digits[point >> 8 & 15];
    *at++ = (uint8_t)hex_digits[point >> 4 & 15];
    *at++ = (uint8_t)hex_digits[point & 15];
    return at;
}

/* One character that is not plain; returns how many bytes of `in` it took. */
static size_t special(const uint8_t *in, size_t left, uint8_t **at)
{
    uint32_t point = 0;
    size_t length = 1;

    if (in[0] == '"' || in[0] == '\\') {
        *(*at)++ = '\\';
        *(*at)++ = in[0];
    } else if (in[0] < 0x80) {
        *at = escape(*at, in[0]);
    } else if ((length = sequence_at(in, left, &point)) == 0) {
        *at = escape(*at, 0xfffd);
        length = 1;
    } else if (misleads(point)) {
        *at = escape(*at, point);
    } else {
        memcpy(*at, in, length);
        *at += length;
    }
    return length;
}

void stk_jsonl_string(struct stk_jsonl *json, const char *text)
{
    const uint8_t *in = (const uint8_t *)text;
    size_t whole = strlen(text);
    size_t left = whole > STK_JSONL_TEXT_MAX ? STK_JSONL_TEXT_MAX : whole;
    uint8_t *start = room_for(json, left * ESCAPE_LENGTH + sizeof("\"...\""));
    uint8_t *at = start;

    if (start == NULL)
        return;
    *at++ = '"';
    while (left > 0) {
        size_t taken = 0;

        if (left >= sizeof(uint64_t) && are_plain(in)) {
            memcpy(at, in, sizeof(uint64_t));
            at += sizeof(uint64_t);
            taken = sizeof(uint64_t);
        } else if (is_plain(*in)) {
            *at++ = *in;
            taken = 1;
        } else {
            taken = special(in, left, &at);
        }
        in += taken;
        left -= taken;
    }
    if (whole > STK_JSONL_TEXT_MAX) {
        memcpy(at, "...", 3);
        at += 3;
    }
    *at++ = '"';
    json->out->length += (size_t)(at - start);
}

void stk_jsonl_unsigned(struct stk_jsonl *json, uint64_t value)
{
    uint8_t digits[DECIMAL_LENGTH];
    uint8_t *at = digits + sizeof(digits);

    do {
        *--at = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    stk_jsonl_raw(json, at, (size_t)(digits + sizeof(digits) - at));
}

void stk_jsonl_signed(struct stk_jsonl *json, int64_t value)
{
    if (value < 0)
        stk_jsonl_raw(json, "-", 1);
    stk_jsonl_unsigned(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void stk_jsonl_hex(struct stk_jsonl *json, const uint8_t *data, size_t length)
{
    uint8_t *at = room_for(json, 2 * length + 2);

    if (at == NULL)
        return;
    *at++ = '"';
    for (size_t i = 0; i < length; i++) {
        *at++ = (uint8_t)hex_digits[data[i] >> 4];
        *at++ = (uint8_t)hex_digits[data[i] & 15];
    }
    *at = '"';
    json->out->length += 2 * length + 2;
}
