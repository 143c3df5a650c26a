/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/fields.h"
#include "audit/line.h"
#include "fuzz.h"
#include "json/json.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*
 * A record of whatever texts, one to a line of the input. Its line is one line, whole, an object
 * for every reader of JSON, and has the members that were given, whatever is in them.
 */
#define TEXTS 14
#define DEST_MAX 40
#define TIME "2026-11-26T12:00:00.123456Z"

static void check_line(const struct stk_buffer *out, const struct stk_record *record)
{
    const size_t length = out->length - 1;
    struct stk_line line = {0};
    struct stk_line_start start = {0};
    struct stk_fields fields = {0};
    json_t *json = NULL;

    FUZZ_CHECK(out->data[length] == '\n' && memchr(out->data, '\n', length) == NULL);
    FUZZ_CHECK(stk_line_read(out->data, length, &line) == NULL && line.sequence == 1);
    FUZZ_CHECK(stk_line_begins(out->data, length, &start) && start.sequence == 1);
    FUZZ_CHECK(stk_fields_are_safe((struct stk_bytes){out->data, length}));
    FUZZ_CHECK(stk_fields_read((struct stk_bytes){out->data, length}, &fields));
    FUZZ_CHECK(fields.sequence == 1 && fields.real_us == start.real_us);
    FUZZ_CHECK(fields.has_peer == (record->peer != NULL));
    FUZZ_CHECK(fields.iat == record->iat);
    json = json_loadb((const char *)out->data, length, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(json_is_object(json));
    FUZZ_CHECK((json_object_get(json, "detail") != NULL) ==
               (record->detail != NULL && record->detail[0] != '\0'));
    json_decref(json);
}

static void append(const struct stk_record *record)
{
    struct stk_chain chain = {0};
    struct stk_buffer out = {0};

    FUZZ_CHECK(stk_line_append(record, TIME, &chain, &out) == STIRKEEP_OK);
    FUZZ_CHECK(chain.sequence == 1 && out.length > 0 && out.length <= STK_LINE_MAX);
    check_line(&out, record);
    stk_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes rest = {data, size};
    uint8_t way = fuzz_byte(&rest);
    char *texts[TEXTS];
    char *dest[DEST_MAX];
    size_t dest_count = 0;
    const struct stk_peer peer = {.uid = 1000, .gid = 1000, .pid = way};
    uint8_t digest[STK_DIGEST_LENGTH] = {way};
    const struct stk_key_id key_id = {{way}};

    for (size_t i = 0; i < TEXTS; i++)
        texts[i] = fuzz_text(fuzz_line(&rest));
    while (rest.length > 0 && dest_count < DEST_MAX)
        dest[dest_count++] = fuzz_text(fuzz_line(&rest));
    append(&(struct stk_record){.act = (way & 32) != 0 ? "sign" : texts[0],
                                .outcome = texts[1],
                                .reason = texts[2],
                                .detail = texts[3],
                                .name = texts[4],
                                .generation = way,
                                .key_id = (way & 1) != 0 ? &key_id : NULL,
                                .ppt = texts[5],
                                .orig = texts[6],
                                .dest = (const char *const *)dest,
                                .dest_count = dest_count,
                                .attest = texts[7],
                                .attest_asked = texts[8],
                                .origid = texts[9],
                                .iat = (way & 2) != 0 ? INT64_MAX - way : way,
                                .peer = (way & 4) != 0 ? &peer : NULL,
                                .executable = texts[10],
                                .grant = texts[11],
                                .request_id = way,
                                .suppressed = way & 8,
                                .signature_digest = (way & 16) != 0 ? digest : NULL});
    for (size_t i = 0; i < TEXTS; i++)
        free(texts[i]);
    for (size_t i = 0; i < dest_count; i++)
        free(dest[i]);
    return 0;
}
