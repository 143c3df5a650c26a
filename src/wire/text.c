/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/text.h"

#include <string.h>

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

/* Bytes of the character at `at`; 0 when there is none that RFC 3629 section 4 allows. */
static size_t character_length(const uint8_t *at, size_t left)
{
    uint8_t low = 0x80; /* range of the second byte */
    uint8_t high = 0xbf;
    size_t length = 0;

    if (at[0] < 0x80)
        return at[0] != 0 ? 1 : 0;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2;
    else if ((at[0] & 0xf0) == 0xe0)
        length = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4;
    if (length == 0 || length > left)
        return 0;
    if (at[0] == 0xe0) /* no second spelling of a shorter one */
        low = 0xa0;
    else if (at[0] == 0xed) /* no surrogates */
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4) /* nothing past U+10FFFF */
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Leading bytes of ASCII without a NUL, eight at a time; what is left over is for the slow way. */
static size_t ascii_run(const uint8_t *data, size_t length)
{
    size_t at = 0;

    while (length - at >= sizeof(uint64_t)) {
        uint64_t word = 0;

        memcpy(&word, data + at, sizeof(word));
        if ((((word - ONES) | word) & HIGHS) != 0)
            break;
        at += sizeof(word);
    }
    return at;
}

/* Leading bytes that are valid. */
static size_t valid_length(const uint8_t *data, size_t length)
{
    size_t at = ascii_run(data, length);

    while (at < length) {
        size_t step = character_length(data + at, length - at);

        if (step == 0)
            break;
        at += step;
    }
    return at;
}

bool stk_text_is_valid(const uint8_t *data, size_t length)
{
    return valid_length(data, length) == length;
}

void stk_text_scrub(uint8_t *data, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        at += valid_length(data + at, length - at);
        if (at < length)
            data[at] = '?';
    }
}

void stk_text_cut(const char *text, char *ret_text, size_t size)
{
    size_t length = text != NULL ? strnlen(text, size - 1) : 0;

    if (length > 0)
        memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    stk_text_scrub((uint8_t *)ret_text, length);
}
