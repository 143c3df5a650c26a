/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/line.h"

#include "audit/json.h"
#include "base/digest.h"
#include "base/encode.h"
#include <string.h>

#define SEQ "{\"seq\":"
#define TIME ",\"time\":\""
#define ACT "Z\",\"act\":"
#define CONTINUE ACT "\"continue\","
#define PREV ",\"prev\":\""
#define SUM "\",\"sum\":\""
#define TIME_LENGTH 26 /* 2026-11-25T20:06:24.123456, the 'Z' not counted */
#define SUM_AT (sizeof(SUM) - 1 + 2 * STK_LINE_SUM_LENGTH + sizeof("\"}") - 1) /* from the end */
#define PREV_AT (SUM_AT + 2 * STK_DIGEST_LENGTH + sizeof(PREV) - 1)
#define SEQUENCE_DIGITS 19 /* fits uint64_t whatever the digits */

/* The sum is over the line up to its quote that ends prev: SUM's own first byte. */
#define SUMMED(length) ((length)-SUM_AT + 1)

static void member_name(struct stk_jsonl *json, const char *name)
{
    stk_jsonl_raw(json, name, strlen(name));
}

static void text_member(struct stk_jsonl *json, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    member_name(json, name);
    stk_jsonl_string(json, text);
}

static void number_member(struct stk_jsonl *json, const char *name, uint64_t value)
{
    member_name(json, name);
    stk_jsonl_unsigned(json, value);
}

static void peer_members(struct stk_jsonl *json, const struct stk_record *record)
{
    if (record->peer == NULL)
        return;
    number_member(json, ",\"uid\":", record->peer->uid);
    number_member(json, ",\"gid\":", record->peer->gid);
    member_name(json, ",\"pid\":");
    stk_jsonl_signed(json, record->peer->pid);
    /* A string: clients use all 64 bits, of which JSON readers keep 53 or 63 in a number. */
    member_name(json, ",\"request_id\":\"");
    stk_jsonl_unsigned(json, record->request_id);
    stk_jsonl_raw(json, "\"", 1);
}

static void certificate_members(struct stk_jsonl *json, const struct stk_record *record)
{
    text_member(json, ",\"grant\":", record->grant);
    text_member(json, ",\"name\":", record->name);
    if (record->generation != 0)
        number_member(json, ",\"generation\":", record->generation);
    if (record->key_id == NULL)
        return;
    member_name(json, ",\"key_id\":");
    stk_jsonl_hex(json, record->key_id->bytes, sizeof(record->key_id->bytes));
}

static void dest_member(struct stk_jsonl *json, const struct stk_record *record)
{
    if (record->dest_count == 0)
        return;
    member_name(json, ",\"dest\":[");
    for (size_t i = 0; i < record->dest_count && i < STK_DEST_MAX; i++) {
        if (i > 0)
            stk_jsonl_raw(json, ",", 1);
        stk_jsonl_string(json, record->dest[i]);
    }
    stk_jsonl_raw(json, "]", 1);
}

static void claim_members(struct stk_jsonl *json, const struct stk_record *record)
{
    text_member(json, ",\"ppt\":", record->ppt);
    text_member(json, ",\"orig\":", record->orig);
    dest_member(json, record);
    text_member(json, ",\"attest\":", record->attest);
    text_member(json, ",\"attest_asked\":", record->attest_asked);
    text_member(json, ",\"origid\":", record->origid);
    if (record->iat != 0) {
        member_name(json, ",\"iat\":");
        stk_jsonl_signed(json, record->iat);
    }
    if (record->suppressed != 0)
        number_member(json, ",\"suppressed\":", record->suppressed);
    if (record->signature_digest == NULL)
        return;
    member_name(json, ",\"sig\":");
    stk_jsonl_hex(json, record->signature_digest, STK_DIGEST_LENGTH);
}

static void chain_members(struct stk_jsonl *json, size_t start, const struct stk_chain *chain)
{
    uint8_t digest[STK_DIGEST_LENGTH];

    member_name(json, ",\"prev\":");
    stk_jsonl_hex(json, chain->digest, sizeof(chain->digest));
    if (json->status != STIRKEEP_OK)
        return;
    stk_sha256(json->out->data + start, json->out->length - start, digest);
    member_name(json, ",\"sum\":");
    stk_jsonl_hex(json, digest, STK_LINE_SUM_LENGTH);
    stk_jsonl_raw(json, "}\n", 2);
}

enum stirkeep_status stk_line_append(const struct stk_record *record, const char *time_text,
                                     struct stk_chain *chain, struct stk_buffer *out)
{
    struct stk_jsonl json = {.out = out};
    size_t start = out->length;

    number_member(&json, SEQ, chain->sequence + 1);
    text_member(&json, ",\"time\":", time_text);
    text_member(&json, ",\"act\":", record->act);
    text_member(&json, ",\"outcome\":", record->outcome);
    text_member(&json, ",\"reason\":", record->reason);
    text_member(&json, ",\"detail\":", record->detail);
    peer_members(&json, record);
    certificate_members(&json, record);
    claim_members(&json, record);
    chain_members(&json, start, chain);
    if (json.status != STIRKEEP_OK) {
        out->length = start;
        return json.status;
    }
    chain->sequence++;
    stk_sha256(out->data + start, out->length - start - 1, chain->digest);
    return STIRKEEP_OK;
}

/* The number at `*at`, which is moved behind it; 0 when there is none that begins a line. */
static uint64_t sequence_at(const char **at, const char *end)
{
    const char *in = *at;
    uint64_t value = 0;

    while (in < end && *in >= '0' && *in <= '9' && in - *at < SEQUENCE_DIGITS)
        value = value * 10 + (uint64_t)(*in++ - '0');
    if (in == *at || **at == '0')
        return 0;
    *at = in;
    return value;
}

static bool begins(const char *at, const char *end, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
}

/* Exactly 2 * length lower-case digits. */
static bool hex_at(const char *at, uint8_t *ret_data, size_t length)
{
    char again[2 * STK_DIGEST_LENGTH + 1];
    char text[2 * STK_DIGEST_LENGTH + 1];

    memcpy(text, at, 2 * length);
    text[2 * length] = '\0';
    if (!stk_hex_decode(text, ret_data, length))
        return false;
    stk_hex_encode(ret_data, length, again);
    return memcmp(again, text, 2 * length) == 0;
}

static const char *read_end(const char *data, size_t length, uint8_t ret_previous[])
{
    uint8_t digest[STK_DIGEST_LENGTH];
    uint8_t sum[STK_LINE_SUM_LENGTH];
    const char *end = data + length;

    if (length < PREV_AT || memcmp(end - PREV_AT, PREV, sizeof(PREV) - 1) != 0 ||
        memcmp(end - SUM_AT, SUM, sizeof(SUM) - 1) != 0 || memcmp(end - 2, "\"}", 2) != 0 ||
        !hex_at(end - PREV_AT + sizeof(PREV) - 1, ret_previous, STK_DIGEST_LENGTH) ||
        !hex_at(end - SUM_AT + sizeof(SUM) - 1, sum, sizeof(sum)))
        return "it does not end like a record";
    stk_sha256(data, SUMMED(length), digest);
    return memcmp(sum, digest, sizeof(sum)) == 0 ? NULL : "its sum does not match: it was changed";
}

const char *stk_line_read(const void *data, size_t length, struct stk_line *ret_line)
{
    const char *at = data;
    const char *end = at + length;
    struct stk_line line = {0};
    const char *wrong = read_end(data, length, line.previous);

    if (wrong != NULL)
        return wrong;
    if (!begins(at, end, SEQ))
        return "it does not begin like a record";
    at += sizeof(SEQ) - 1;
    line.sequence = sequence_at(&at, end);
    if (line.sequence == 0 || !begins(at, end, TIME))
        return "it does not begin like a record";
    at += sizeof(TIME) - 1;
    if ((size_t)(end - at) < TIME_LENGTH || !begins(at + TIME_LENGTH, end, ACT))
        return "it does not begin like a record";
    line.continues = begins(at + TIME_LENGTH, end, CONTINUE);
    stk_sha256(data, length, line.digest);
    *ret_line = line;
    return NULL;
}

const char *stk_line_follow(const struct stk_line *line, struct stk_chain *chain)
{
    if (line->sequence != chain->sequence + 1)
        return "its number does not follow the line before: lines are missing or added";
    if (memcmp(line->previous, chain->digest, sizeof(line->previous)) != 0)
        return "it is not chained to the line before, which was changed or replaced";
    chain->sequence = line->sequence;
    memcpy(chain->digest, line->digest, sizeof(chain->digest));
    return NULL;
}
