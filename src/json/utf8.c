/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/utf8.h"

/* How long a sequence with this first byte is; 0: no sequence begins so. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < 0xf5 ? 4 : 0;
}

size_t stk_utf8_read(const char *text, size_t left, uint32_t *ret_character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *in = (const unsigned char *)text;
    size_t length = left > 0 ? length_of(in[0]) : 0;
    uint32_t character = 0;

    if (length == 0 || length > left)
        return 0;
    character = length == 1 ? in[0] : in[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((in[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (in[i] & 0x3fU);
    }
    if (character < least[length] || character > 0x10ffff ||
        (character >= 0xd800 && character < 0xe000))
        return 0;
    *ret_character = character;
    return length;
}

size_t stk_utf8_write(uint32_t character, char ret_text[4])
{
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    for (size_t i = length - 1; i > 0; i--) {
        ret_text[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    ret_text[0] = (char)(first[length] | character);
    return length;
}
