/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/fields.h"

#include "json/utf8.h"
#include <string.h>

#define NO_CHARACTER 0xfffd
#define HEX_DIGITS 4

static int worth_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind "\u". */
static bool read_hex(struct stk_bytes raw, size_t at, uint32_t *ret_point)
{
    uint32_t point = 0;

    if (raw.length - at < HEX_DIGITS)
        return false;
    for (size_t i = 0; i < HEX_DIGITS; i++) {
        int worth = worth_of(raw.data[at + i]);

        if (worth < 0)
            return false;
        point = point << 4 | (uint32_t)worth;
    }
    *ret_point = point;
    return true;
}

/* What stands behind the "\u" at `at`, both halves of a pair; moves `at` behind it. */
static uint32_t take_point(struct stk_bytes raw, size_t *at)
{
    uint32_t point = 0;
    uint32_t low = 0;

    if (!read_hex(raw, *at, &point))
        return NO_CHARACTER;
    *at += HEX_DIGITS;
    if (point >= 0xd800 && point <= 0xdbff && raw.length - *at >= 2 && raw.data[*at] == '\\' &&
        raw.data[*at + 1] == 'u' && read_hex(raw, *at + 2, &low) && low >= 0xdc00 &&
        low <= 0xdfff) {
        *at += 2 + HEX_DIGITS;
        point = 0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff));
    }
    /* A NUL would be the end of the text for whoever prints it. */
    return point == 0 || (point >= 0xd800 && point <= 0xdfff) ? NO_CHARACTER : point;
}

/* The escape behind the backslash at `at` - 1; moves `at` behind it. */
static uint32_t take_escape(struct stk_bytes raw, size_t *at)
{
    static const char names[] = "\"\\/bfnrt";
    static const char characters[] = "\"\\/\b\f\n\r\t";
    const char *known = NULL;

    if (*at == raw.length)
        return NO_CHARACTER;
    if (raw.data[*at] == 'u') {
        (*at)++;
        return take_point(raw, at);
    }
    known = memchr(names, raw.data[*at], sizeof(names) - 1);
    if (known == NULL)
        return NO_CHARACTER;
    (*at)++;
    return (uint32_t)characters[known - names];
}

enum stirkeep_status stk_fields_text(struct stk_bytes raw, struct stk_buffer *out)
{
    enum stirkeep_status status = STIRKEEP_OK;
    size_t before = out->length;
    size_t at = 0;

    while (at < raw.length && status == STIRKEEP_OK) {
        const uint8_t *start = raw.data + at;
        const uint8_t *escape = memchr(start, '\\', raw.length - at);
        size_t plain = escape != NULL ? (size_t)(escape - start) : raw.length - at;
        char character[4];

        status = stk_buffer_add(out, start, plain);
        at += plain;
        if (escape == NULL || status != STIRKEEP_OK)
            continue;
        at++;
        status = stk_buffer_add(out, character, stk_utf8_write(take_escape(raw, &at), character));
    }
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}
