/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/line.h"

#include "audit/form.h"
#include "audit/json.h"
#include "audit/pass.h"
#include <string.h>

#define DIGITS_MAX 20 /* of UINT64_MAX */
/* What stk_line_finish adds to a body, at most. */
#define ENDS_MAX                                                                                   \
    (sizeof(STK_FORM_SEQ STK_FORM_TIME STK_FORM_ACT STK_FORM_PREV STK_FORM_SUM STK_FORM_END) +     \
     DIGITS_MAX + STK_TIME_TEXT + 2 * (STK_DIGEST_LENGTH + STK_LINE_SUM_LENGTH) + 1)

#define RAW(json, literal) stk_jsonl_raw((json), (literal), sizeof(literal) - 1)
#define TEXT_MEMBER(json, name, text)                                                              \
    text_member((json), ",\"" name "\":", sizeof(",\"" name "\":") - 1, (text))

static void text_member(struct stk_jsonl *json, const char *name, size_t length, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    stk_jsonl_raw(json, name, length);
    stk_jsonl_string(json, text);
}

static void peer_members(struct stk_jsonl *json, const struct stk_record *record)
{
    if (record->peer == NULL)
        return;
    RAW(json, ",\"uid\":");
    stk_jsonl_unsigned(json, record->peer->uid);
    RAW(json, ",\"gid\":");
    stk_jsonl_unsigned(json, record->peer->gid);
    RAW(json, ",\"pid\":");
    stk_jsonl_signed(json, record->peer->pid);
    TEXT_MEMBER(json, "executable", record->executable);
    /* A string: clients use all 64 bits, of which JSON readers keep 53 or 63 in a number. */
    RAW(json, ",\"request_id\":\"");
    stk_jsonl_unsigned(json, record->request_id);
    RAW(json, "\"");
}

static void certificate_members(struct stk_jsonl *json, const struct stk_record *record)
{
    TEXT_MEMBER(json, "grant", record->grant);
    TEXT_MEMBER(json, "name", record->name);
    if (record->generation != 0) {
        RAW(json, ",\"generation\":");
        stk_jsonl_unsigned(json, record->generation);
    }
    if (record->key_id != NULL) {
        RAW(json, ",\"key_id\":");
        stk_jsonl_hex(json, record->key_id->bytes, sizeof(record->key_id->bytes));
    }
}

static void dest_member(struct stk_jsonl *json, const struct stk_record *record)
{
    if (record->dest_count == 0)
        return;
    RAW(json, ",\"dest\":[");
    for (size_t i = 0; i < record->dest_count && i < STK_DEST_MAX; i++) {
        if (i > 0)
            RAW(json, ",");
        stk_jsonl_string(json, record->dest[i]);
    }
    RAW(json, "]");
}

static void claim_members(struct stk_jsonl *json, const struct stk_record *record)
{
    TEXT_MEMBER(json, "ppt", record->ppt);
    TEXT_MEMBER(json, "orig", record->orig);
    dest_member(json, record);
    TEXT_MEMBER(json, "attest", record->attest);
    TEXT_MEMBER(json, "attest_asked", record->attest_asked);
    TEXT_MEMBER(json, "origid", record->origid);
    if (record->iat != 0) {
        RAW(json, ",\"iat\":");
        stk_jsonl_signed(json, record->iat);
    }
    if (record->suppressed != 0) {
        RAW(json, ",\"suppressed\":");
        stk_jsonl_unsigned(json, record->suppressed);
    }
    if (record->signature_digest != NULL) {
        RAW(json, ",\"sig\":");
        stk_jsonl_hex(json, record->signature_digest, STK_DIGEST_LENGTH);
    }
}

static void seal_members(struct stk_jsonl *json, const struct stk_seal *seal)
{
    if (seal == NULL)
        return;
    RAW(json, STK_FORM_FROM);
    stk_jsonl_unsigned(json, seal->from);
    RAW(json, STK_FORM_THROUGH);
    stk_jsonl_unsigned(json, seal->through);
    RAW(json, STK_FORM_HEAD);
    stk_jsonl_hex(json, seal->head, sizeof(seal->head));
    RAW(json, STK_FORM_ROOT);
    stk_jsonl_hex(json, seal->root, sizeof(seal->root));
    RAW(json, STK_FORM_SEALED);
    stk_jsonl_string(json, seal->time);
    RAW(json, STK_FORM_SIGNATURE);
    stk_jsonl_hex(json, seal->signature, sizeof(seal->signature));
}

enum stirkeep_status stk_line_body(const struct stk_record *record, struct stk_buffer *out)
{
    struct stk_jsonl json = {.out = out};
    size_t start = out->length;

    RAW(&json, "\"act\":");
    stk_jsonl_string(&json, record->act != NULL ? record->act : "");
    TEXT_MEMBER(&json, "outcome", record->outcome);
    TEXT_MEMBER(&json, "reason", record->reason);
    TEXT_MEMBER(&json, "detail", record->detail);
    peer_members(&json, record);
    certificate_members(&json, record);
    claim_members(&json, record);
    seal_members(&json, record->seal);
    if (json.status != STIRKEEP_OK)
        out->length = start;
    return json.status;
}

enum stirkeep_status stk_line_finish(const void *body, size_t length, const char *time_text,
                                     struct stk_chain *chain, struct stk_buffer *out)
{
    struct stk_jsonl json = {.out = out};
    size_t start = out->length;
    size_t summed = 0;
    uint8_t digest[STK_DIGEST_LENGTH];
    enum stirkeep_status status = stk_buffer_reserve(out, length + ENDS_MAX);

    if (status != STIRKEEP_OK)
        return status;
    RAW(&json, STK_FORM_SEQ);
    stk_jsonl_unsigned(&json, chain->sequence + 1);
    RAW(&json, STK_FORM_TIME);
    stk_jsonl_raw(&json, time_text, strlen(time_text));
    RAW(&json, "\",");
    stk_jsonl_raw(&json, body, length);
    RAW(&json, ",\"prev\":");
    stk_jsonl_hex(&json, chain->digest, sizeof(chain->digest));
    summed = out->length - start;
    stk_pass_begin(out->data + start, summed, digest);
    RAW(&json, ",\"sum\":");
    stk_jsonl_hex(&json, digest, STK_LINE_SUM_LENGTH);
    RAW(&json, "}\n");
    chain->sequence++;
    stk_pass_end(out->data + start + summed, out->length - start - summed - 1, chain->digest);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_line_append(const struct stk_record *record, const char *time_text,
                                     struct stk_chain *chain, struct stk_buffer *out)
{
    struct stk_buffer body = {.ceiling = out->ceiling};
    enum stirkeep_status status = stk_line_body(record, &body);

    if (status == STIRKEEP_OK)
        status = stk_line_finish(body.data, body.length, time_text, chain, out);
    stk_buffer_free(&body);
    return status;
}
