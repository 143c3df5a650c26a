/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/ber.h"

#include "cert/der.h"
#include <stdbool.h>
#include <string.h>

#define CONSTRUCTED 0x20
#define HEADER_MAX 6

struct header {
    uint8_t tag;
    bool indefinite;
    size_t length;
};

/* Cut a header off; the contents are within what is left. */
static bool take_header(struct stk_bytes *in, struct header *ret_header)
{
    struct header header = {0};
    size_t octets = 0;

    if (in->length < 2 || (in->data[0] & 0x1f) == 0x1f)
        return false;
    header.tag = in->data[0];
    header.length = in->data[1];
    in->data += 2;
    in->length -= 2;
    header.indefinite = header.length == 0x80;
    if (header.indefinite) {
        header.length = 0;
        *ret_header = header;
        return (header.tag & CONSTRUCTED) != 0;
    }
    if (header.length > 0x80) {
        octets = header.length & 0x7f;
        header.length = 0;
        if (octets > 8 || octets > in->length)
            return false;
        for (size_t i = 0; i < octets; i++)
            header.length = header.length << 8 | in->data[i];
        in->data += octets;
        in->length -= octets;
    }
    *ret_header = header;
    return header.length <= in->length;
}

/* The shortest header for a length below 2^32. Returns its own length. */
static size_t write_header(uint8_t tag, size_t length, uint8_t ret_header[HEADER_MAX])
{
    size_t octets = 0;

    ret_header[0] = tag;
    if (length < 0x80) {
        ret_header[1] = (uint8_t)length;
        return 2;
    }
    while (length >> (8 * octets) != 0)
        octets++;
    ret_header[1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        ret_header[2 + i] = (uint8_t)(length >> (8 * (octets - 1 - i)));
    return 2 + octets;
}

/* Put a header before what was written since `start`. */
static bool close_value(struct stk_secret *out, size_t start, uint8_t tag)
{
    uint8_t header[HEADER_MAX];
    size_t length = out->length - start;
    size_t header_length = write_header(tag, length, header);

    if (out->capacity - out->length < header_length)
        return false;
    memmove(out->data + start + header_length, out->data + start, length);
    memcpy(out->data + start, header, header_length);
    out->length += header_length;
    return true;
}

static bool append(struct stk_secret *out, const uint8_t *data, size_t length)
{
    if (out->capacity - out->length < length)
        return false;
    memcpy(out->data + out->length, data, length);
    out->length += length;
    return true;
}

static bool convert(struct stk_bytes *in, struct stk_secret *out, unsigned depth, bool bare);

/* The parts of a constructed value: as many as its length or its end mark says. */
static bool convert_parts(struct stk_bytes *in, const struct header *header, struct stk_secret *out,
                          unsigned depth, bool bare)
{
    struct stk_bytes inside = {in->data, header->length};

    if (!header->indefinite) {
        in->data += header->length;
        in->length -= header->length;
        while (inside.length > 0)
            if (!convert(&inside, out, depth + 1, bare))
                return false;
        return true;
    }
    while (in->length < 2 || in->data[0] != 0 || in->data[1] != 0)
        if (in->length < 2 || !convert(in, out, depth + 1, bare))
            return false;
    in->data += 2;
    in->length -= 2;
    return true;
}

/* One value; `bare`: only the contents, of OCTET STRINGs that are pieces of one. Depth is bounded,
 * so this may recurse. */
static bool convert(struct stk_bytes *in, struct stk_secret *out, unsigned depth, bool bare)
{
    size_t start = out->length;
    struct header header = {0};
    bool pieces = false;

    if (depth > STK_DER_DEPTH_MAX || !take_header(in, &header))
        return false;
    pieces = header.tag == (STK_DER_OCTET_STRING | CONSTRUCTED);
    if (bare && !pieces && header.tag != STK_DER_OCTET_STRING)
        return false;
    if ((header.tag & CONSTRUCTED) == 0) {
        if (!append(out, in->data, header.length))
            return false;
        in->data += header.length;
        in->length -= header.length;
    } else if (!convert_parts(in, &header, out, depth, pieces)) {
        return false;
    }
    return bare || close_value(out, start, pieces ? STK_DER_OCTET_STRING : header.tag);
}

enum stirkeep_status stk_ber_to_der(struct stk_bytes ber, struct stk_secret *ret_der)
{
    struct stk_secret der = {0};

    /* Definite lengths take at most a byte more than indefinite ones, which have four. */
    if (stk_secret_new(&der, ber.length + ber.length / 4 + HEADER_MAX) != STIRKEEP_OK)
        return STIRKEEP_NO_MEMORY;
    if (!convert(&ber, &der, 0, false) || ber.length > 0) {
        stk_secret_free(&der);
        return STIRKEEP_KEY_UNREADABLE;
    }
    *ret_der = der;
    return STIRKEEP_OK;
}
