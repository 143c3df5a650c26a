/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/der.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The header of the value at `in`: its tag, its own length and that of the contents. */
static bool read_header(const struct stk_bytes *in, uint8_t *ret_tag, size_t *ret_header,
                        size_t *ret_length)
{
    size_t header = 2;
    size_t length = 0;
    size_t octets = 0;

    if (in->length < 2 || (in->data[0] & 0x1f) == 0x1f)
        return false;
    length = in->data[1];
    if (length >= 0x80) {
        octets = length & 0x7f;
        if (octets == 0 || octets > sizeof(uint32_t) || in->length - 2 < octets)
            return false;
        length = 0;
        for (size_t i = 0; i < octets; i++)
            length = length << 8 | in->data[2 + i];
        if (length < 0x80 || length >> (8 * (octets - 1)) == 0)
            return false;
        header += octets;
    }
    if (length > in->length - header)
        return false;
    *ret_tag = in->data[0];
    *ret_header = header;
    *ret_length = length;
    return true;
}

int stk_der_peek(const struct stk_bytes *in)
{
    uint8_t tag = 0;
    size_t header = 0;
    size_t length = 0;

    return read_header(in, &tag, &header, &length) ? tag : -1;
}

bool stk_der_next(struct stk_bytes *in, uint8_t *ret_tag, struct stk_bytes *ret_contents,
                  struct stk_bytes *ret_whole)
{
    uint8_t tag = 0;
    size_t header = 0;
    size_t length = 0;

    if (!read_header(in, &tag, &header, &length))
        return false;
    if (ret_tag != NULL)
        *ret_tag = tag;
    if (ret_whole != NULL)
        *ret_whole = (struct stk_bytes){in->data, header + length};
    if (ret_contents != NULL)
        *ret_contents = (struct stk_bytes){in->data + header, length};
    in->data += header + length;
    in->length -= header + length;
    return true;
}

bool stk_der_take(struct stk_bytes *in, uint8_t tag, struct stk_bytes *ret_contents)
{
    return stk_der_peek(in) == tag && stk_der_next(in, NULL, ret_contents, NULL);
}

bool stk_der_only(struct stk_bytes der, uint8_t tag, struct stk_bytes *ret_contents)
{
    struct stk_bytes contents = {0};

    if (!stk_der_take(&der, tag, &contents) || der.length > 0)
        return false;
    *ret_contents = contents;
    return true;
}

bool stk_der_valid(struct stk_bytes der)
{
    struct stk_bytes open[STK_DER_DEPTH_MAX];
    size_t depth = 0;
    uint8_t tag = 0;
    struct stk_bytes contents = {0};

    if (!stk_der_next(&der, &tag, &contents, NULL) || der.length > 0)
        return false;
    for (;;) {
        if ((tag & 0x20) != 0 && contents.length > 0) {
            if (depth == STK_DER_DEPTH_MAX)
                return false;
            open[depth++] = contents;
        }
        while (depth > 0 && open[depth - 1].length == 0)
            depth--;
        if (depth == 0)
            return true;
        if (!stk_der_next(&open[depth - 1], &tag, &contents, NULL))
            return false;
    }
}

bool stk_der_take_uint(struct stk_bytes *in, uint64_t *ret_value)
{
    struct stk_bytes rest = *in;
    struct stk_bytes contents = {0};
    uint64_t value = 0;

    if (!stk_der_take(&rest, STK_DER_INTEGER, &contents) || contents.length == 0 ||
        contents.data[0] >= 0x80)
        return false;
    if (contents.length > 1 && contents.data[0] == 0 && contents.data[1] < 0x80)
        return false;
    if (contents.length > sizeof(value) + (contents.data[0] == 0))
        return false;
    for (size_t i = 0; i < contents.length; i++)
        value = value << 8 | contents.data[i];
    *in = rest;
    *ret_value = value;
    return true;
}

size_t stk_der_bits(struct stk_bytes integer)
{
    size_t bits = 0;

    while (integer.length > 0 && integer.data[0] == 0) {
        integer.data++;
        integer.length--;
    }
    if (integer.length == 0)
        return 0;
    for (unsigned top = integer.data[0]; top != 0; top >>= 1)
        bits++;
    return (integer.length - 1) * 8 + bits;
}

bool stk_bytes_are(struct stk_bytes bytes, const void *data, size_t length)
{
    return bytes.length == length && (length == 0 || memcmp(bytes.data, data, length) == 0);
}

void stk_der_oid_text(struct stk_bytes oid, char ret_text[STK_OID_TEXT])
{
    size_t used = 0;
    uint64_t arc = 0;
    bool first = true;

    (void)snprintf(ret_text, STK_OID_TEXT, "?");
    if (oid.length == 0 || oid.data[oid.length - 1] >= 0x80)
        return;
    for (size_t i = 0; i < oid.length; i++) {
        int written = 0;

        if (arc > UINT64_MAX >> 7)
            goto unreadable;
        arc = arc << 7 | (oid.data[i] & 0x7f);
        if (oid.data[i] >= 0x80)
            continue;
        if (first) {
            uint64_t root = arc < 80 ? arc / 40 : 2;
            written =
                snprintf(ret_text, STK_OID_TEXT, "%" PRIu64 ".%" PRIu64, root, arc - root * 40);
        } else {
            written = snprintf(ret_text + used, STK_OID_TEXT - used, ".%" PRIu64, arc);
        }
        used += (size_t)written;
        if (used >= STK_OID_TEXT)
            goto unreadable;
        first = false;
        arc = 0;
    }
    return;
unreadable:
    (void)snprintf(ret_text, STK_OID_TEXT, "?");
}
