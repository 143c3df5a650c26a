/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/scan.h"

#include "json/utf8.h"
#include <string.h>

#define INTEGER_MAX ((int64_t)9007199254740991) /* 2^53 - 1 */

enum stirkeep_status stk_scan_refuse(const struct stk_scan *scan, size_t at, const char *why)
{
    return stk_error_set(scan->error, STIRKEEP_INVALID, "%s: byte %zu: %s", scan->field, at + 1,
                         why);
}

enum stirkeep_status stk_scan_no_room(const struct stk_scan *scan)
{
    return stk_error_set(scan->error, STIRKEEP_TOO_LARGE, "%s: takes too much memory", scan->field);
}

char stk_scan_next(struct stk_scan *scan)
{
    for (; scan->at < scan->length; scan->at++) {
        char c = scan->text[scan->at];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return c;
    }
    return '\0';
}

bool stk_scan_take(struct stk_scan *scan, char c)
{
    if (stk_scan_next(scan) != c || scan->at == scan->length)
        return false;
    scan->at++;
    return true;
}

/* Four hex digits at `at`. */
static bool read_hex4(const struct stk_scan *scan, size_t at, uint32_t *ret_unit)
{
    uint32_t unit = 0;

    if (scan->length - at < 4)
        return false;
    for (size_t i = at; i < at + 4; i++) {
        char c = scan->text[i];

        if (c >= '0' && c <= '9')
            unit = unit << 4 | (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            unit = unit << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *ret_unit = unit;
    return true;
}

/* "\uXXXX", or two of them that are a surrogate pair; `at` is the backslash's. */
static enum stirkeep_status read_unicode(struct stk_scan *scan, size_t at, uint32_t *ret_character)
{
    uint32_t high = 0;
    uint32_t low = 0;

    if (!read_hex4(scan, at + 2, &high))
        return stk_scan_refuse(scan, at, "\\u without four hex digits");
    scan->at = at + 6;
    if (high == 0)
        return stk_scan_refuse(scan, at, "the character U+0000 is not allowed");
    *ret_character = high;
    if (high < 0xd800 || high >= 0xe000)
        return STIRKEEP_OK;
    if (high >= 0xdc00 || scan->length - scan->at < 6 || scan->text[scan->at] != '\\' ||
        scan->text[scan->at + 1] != 'u' || !read_hex4(scan, scan->at + 2, &low) || low < 0xdc00 ||
        low >= 0xe000)
        return stk_scan_refuse(scan, at, "half of a surrogate pair");
    scan->at += 6;
    *ret_character = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return STIRKEEP_OK;
}

/* One escape, from its backslash on. */
static enum stirkeep_status read_escape(struct stk_scan *scan, uint32_t *ret_character)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    size_t at = scan->at;
    char letter = scan->length - at > 1 ? scan->text[at + 1] : '\0';
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

    if (letter == 'u')
        return read_unicode(scan, at, ret_character);
    if (found == NULL)
        return stk_scan_refuse(scan, at, "an escape that JSON does not have");
    scan->at += 2;
    *ret_character = (unsigned char)meanings[found - letters];
    return STIRKEEP_OK;
}

/* One character of a string, not its last quote. */
static enum stirkeep_status read_character(struct stk_scan *scan, char *ret_text,
                                           size_t *ret_length)
{
    uint32_t character = 0;
    size_t length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (scan->text[scan->at] == '\\') {
        status = read_escape(scan, &character);
        if (status == STIRKEEP_OK)
            *ret_length = stk_utf8_write(character, ret_text);
        return status;
    }
    length = stk_utf8_read(scan->text + scan->at, scan->length - scan->at, &character);
    if (length == 0)
        return stk_scan_refuse(scan, scan->at, "is not UTF-8");
    if (character < 0x20)
        return stk_scan_refuse(scan, scan->at, "a control character has to be escaped");
    memcpy(ret_text, scan->text + scan->at, length);
    scan->at += length;
    *ret_length = length;
    return STIRKEEP_OK;
}

/* Bytes up to the quote that ends the string: no character takes fewer than it becomes. */
static size_t room_for(const struct stk_scan *scan)
{
    size_t end = scan->at;

    while (end < scan->length && scan->text[end] != '"')
        end += scan->text[end] == '\\' ? 2 : 1;
    return (end < scan->length ? end : scan->length) - scan->at;
}

enum stirkeep_status stk_scan_string(struct stk_scan *scan, const char **ret_text,
                                     size_t *ret_length)
{
    const size_t start = scan->at++;
    char *text = stk_arena_take(scan->arena, room_for(scan) + 1);
    size_t length = 0;

    if (text == NULL)
        return stk_scan_no_room(scan);
    while (scan->at < scan->length && scan->text[scan->at] != '"') {
        char character[4] = "";
        size_t taken = 0;
        enum stirkeep_status status = read_character(scan, character, &taken);

        if (status != STIRKEEP_OK)
            return status;
        memcpy(text + length, character, taken);
        length += taken;
    }
    if (scan->at == scan->length)
        return stk_scan_refuse(scan, start, "a string without its end");
    scan->at++;
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return STIRKEEP_OK;
}

static bool is_digit_at(const struct stk_scan *scan)
{
    return scan->at < scan->length && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9';
}

enum stirkeep_status stk_scan_integer(struct stk_scan *scan, int64_t *ret_integer)
{
    const size_t start = scan->at;
    const bool negative = scan->text[start] == '-';
    int64_t integer = 0;

    scan->at += negative;
    if (!is_digit_at(scan))
        return stk_scan_refuse(scan, start, "a minus without digits");
    if (scan->text[scan->at] == '0' && scan->length - scan->at > 1 &&
        scan->text[scan->at + 1] >= '0' && scan->text[scan->at + 1] <= '9')
        return stk_scan_refuse(scan, start, "a number that begins with 0");
    for (; is_digit_at(scan); scan->at++) {
        integer = integer * 10 + (scan->text[scan->at] - '0');
        if (integer > INTEGER_MAX)
            return stk_scan_refuse(scan, start, "a number past 2^53 - 1");
    }
    if (scan->at < scan->length &&
        (scan->text[scan->at] == '.' || scan->text[scan->at] == 'e' || scan->text[scan->at] == 'E'))
        return stk_scan_refuse(scan, start, "a number that is not written as an integer");
    *ret_integer = negative ? -integer : integer;
    return STIRKEEP_OK;
}
