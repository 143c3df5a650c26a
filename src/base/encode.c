/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/encode.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t stk_base64url_encode(const void *data, size_t length, char *ret_text)
{
    const uint8_t *in = data;
    char *out = ret_text;
    size_t left = length;

    for (; left >= 3; left -= 3, in += 3) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = alphabet[bits >> 6 & 63];
        *out++ = alphabet[bits & 63];
    }
    if (left > 0) {
        uint32_t bits = (uint32_t)in[0] << 16 | (left == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        if (left == 2)
            *out++ = alphabet[bits >> 6 & 63];
    }
    return (size_t)(out - ret_text);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

bool stk_base64url_decode(const char *text, size_t length, uint8_t *ret_data, size_t capacity,
                          size_t *ret_length)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;

    if (length % 4 == 1 || length / 4 * 3 + (length % 4) * 3 / 4 > capacity)
        return false;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret_data[written++] = (uint8_t)(bits >> held);
            bits &= (1U << held) - 1;
        }
    }
    if (bits != 0)
        return false;
    *ret_length = written;
    return true;
}

void stk_hex_encode(const void *data, size_t length, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;

    for (size_t i = 0; i < length; i++) {
        ret_text[2 * i] = digits[in[i] >> 4];
        ret_text[2 * i + 1] = digits[in[i] & 15];
    }
    ret_text[2 * length] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool stk_hex_decode(const char *text, uint8_t *ret_data, size_t length)
{
    if (strlen(text) != 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_data[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
