/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/fields.h"

#include "audit/json.h"
#include "audit/scan.h"
#include "json/utf8.h"
#include <string.h>

#define NUMBER_DIGITS 19 /* fits uint64_t whatever the digits */

enum kind { TEXT, LIST, U64, U32, SIGNED };

/* The members in the order in which they stand in a line. */
static const struct member {
    const char *name;
    size_t length;
    enum kind kind;
    size_t offset;
} members[] = {
#define MEMBER(name, field, kind)                                                                  \
    {                                                                                              \
        (name), sizeof(name) - 1, (kind), offsetof(struct stk_fields, field)                       \
    }
    MEMBER("seq", sequence, U64),
    MEMBER("time", time, TEXT),
    MEMBER("act", act, TEXT),
    MEMBER("outcome", outcome, TEXT),
    MEMBER("reason", reason, TEXT),
    MEMBER("detail", detail, TEXT),
    MEMBER("uid", uid, U32),
    MEMBER("gid", gid, U32),
    MEMBER("pid", pid, U32),
    MEMBER("executable", executable, TEXT),
    MEMBER("request_id", request_id, TEXT),
    MEMBER("grant", grant, TEXT),
    MEMBER("name", name, TEXT),
    MEMBER("generation", generation, U32),
    MEMBER("key_id", key_id, TEXT),
    MEMBER("ppt", ppt, TEXT),
    MEMBER("orig", orig, TEXT),
    MEMBER("dest", dest, LIST),
    MEMBER("attest", attest, TEXT),
    MEMBER("attest_asked", attest_asked, TEXT),
    MEMBER("origid", origid, TEXT),
    MEMBER("iat", iat, SIGNED),
    MEMBER("suppressed", suppressed, U64),
    MEMBER("sig", sig, TEXT),
    MEMBER("from", from, U64),
    MEMBER("through", through, U64),
    MEMBER("head", head, TEXT),
    MEMBER("root", root, TEXT),
    MEMBER("sealed", sealed, TEXT),
    MEMBER("seal", seal, TEXT),
    MEMBER("prev", prev, TEXT),
    MEMBER("sum", sum, TEXT),
#undef MEMBER
};
#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))

static size_t left(const struct stk_scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static bool take_char(struct stk_scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

/* A text's content: up to the first quotation mark that no backslash escapes. */
static bool take_text(struct stk_scan *scan, struct stk_bytes *ret_text)
{
    const char *start = scan->at + 1;
    const char *quote = NULL;

    if (!take_char(scan, '"'))
        return false;
    while ((quote = memchr(scan->at, '"', left(scan))) != NULL) {
        const char *before = quote;

        while (before > start && before[-1] == '\\')
            before--;
        scan->at = quote + 1;
        if ((quote - before) % 2 == 0) {
            *ret_text = (struct stk_bytes){(const uint8_t *)start, (size_t)(quote - start)};
            return true;
        }
    }
    return false;
}

static bool take_number(struct stk_scan *scan, uint64_t *ret_number)
{
    const char *start = scan->at;
    uint64_t number = 0;

    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        if (scan->at - start == NUMBER_DIGITS)
            return false;
        number = number * 10 + (uint64_t)(*scan->at - '0');
    }
    *ret_number = number;
    return scan->at > start && (*start != '0' || scan->at - start == 1);
}

static bool take_signed(struct stk_scan *scan, int64_t *ret_number)
{
    bool is_negative = take_char(scan, '-');
    uint64_t number = 0;

    if (!take_number(scan, &number) || number > INT64_MAX)
        return false;
    *ret_number = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool take_list(struct stk_scan *scan, struct stk_bytes *ret_list)
{
    const char *start = scan->at;
    struct stk_bytes text = {0};

    if (!take_char(scan, '['))
        return false;
    do {
        if (!take_text(scan, &text))
            return false;
    } while (take_char(scan, ','));
    if (!take_char(scan, ']'))
        return false;
    *ret_list = (struct stk_bytes){(const uint8_t *)start, (size_t)(scan->at - start)};
    return true;
}

static bool take_value(struct stk_scan *scan, const struct member *member,
                       struct stk_fields *fields)
{
    char *field = (char *)fields + member->offset;
    uint64_t number = 0;

    switch (member->kind) {
    case TEXT:
        return take_text(scan, (struct stk_bytes *)field);
    case LIST:
        return take_list(scan, (struct stk_bytes *)field);
    case U64:
        return take_number(scan, (uint64_t *)field);
    case SIGNED:
        return take_signed(scan, (int64_t *)field);
    case U32:
        break;
    }
    if (!take_number(scan, &number) || number > UINT32_MAX)
        return false;
    *(uint32_t *)field = (uint32_t)number;
    return true;
}

/* The member whose name stands here, `first` or one behind it; MEMBER_COUNT: none. */
static size_t take_name(struct stk_scan *scan, size_t first)
{
    const char *start = scan->at;
    const char *quote = NULL;
    size_t length = 0;

    if (!take_char(scan, '"') || (quote = memchr(scan->at, '"', left(scan))) == NULL)
        return MEMBER_COUNT;
    length = (size_t)(quote - start - 1);
    scan->at = quote + 1;
    for (; first < MEMBER_COUNT; first++)
        if (members[first].length == length && memcmp(members[first].name, start + 1, length) == 0)
            break;
    return take_char(scan, ':') ? first : MEMBER_COUNT;
}

static bool is_plain(uint8_t byte)
{
    return byte >= ' ' && byte < 0x7f;
}

bool stk_fields_are_safe(struct stk_bytes line)
{
    uint8_t special = 0;
    uint32_t point = 0;
    size_t length = 0;

    /* Without branches, for nearly all lines. */
    for (size_t i = 0; i < line.length; i++)
        special |= (uint8_t)!is_plain(line.data[i]);
    for (size_t i = 0; special != 0 && i < line.length; i += length) {
        length = stk_utf8_read((const char *)line.data + i, line.length - i, &point);
        if (length == 0 || stk_jsonl_escapes(point))
            return false;
    }
    return true;
}

bool stk_fields_read(struct stk_bytes line, struct stk_fields *ret_fields)
{
    struct stk_scan scan = {.at = (const char *)line.data,
                            .end = (const char *)line.data + line.length};
    struct stk_fields fields = {0};
    struct stk_scan time = {0};
    size_t next = 0;

    if (!stk_fields_are_safe(line) || !take_char(&scan, '{'))
        return false;
    do {
        size_t at = take_name(&scan, next);

        if (at == MEMBER_COUNT || !take_value(&scan, &members[at], &fields))
            return false;
        fields.has_peer |= members[at].offset == offsetof(struct stk_fields, uid);
        next = at + 1;
    } while (take_char(&scan, ','));
    if (!take_char(&scan, '}') || scan.at != scan.end || fields.sequence == 0 ||
        fields.time.length != STK_SCAN_TIME_LENGTH)
        return false;
    time = (struct stk_scan){.at = (const char *)fields.time.data,
                             .end = (const char *)fields.time.data + fields.time.length};
    if (!stk_scan_time(&time, &fields.real_us))
        return false;
    *ret_fields = fields;
    return true;
}

bool stk_fields_next_dest(struct stk_bytes *rest, struct stk_bytes *ret_text)
{
    struct stk_scan scan = {0};

    if (rest->length < 2)
        return false;
    /* Behind what stands before a text: the opening bracket, or the comma behind the one before. */
    scan = (struct stk_scan){.at = (const char *)rest->data + 1,
                             .end = (const char *)rest->data + rest->length};
    if (!take_text(&scan, ret_text))
        return false;
    *rest = (struct stk_bytes){(const uint8_t *)scan.at, left(&scan)};
    return true;
}

bool stk_fields_equal(struct stk_bytes raw, const char *text)
{
    return raw.length == strlen(text) &&
           (raw.length == 0 || memcmp(raw.data, text, raw.length) == 0);
}
