/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/proof.h"

#include "audit/checker.h"
#include "audit/line.h"
#include "base/encode.h"
#include "json/utf8.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEY_SHOWN 8 /* bytes of a key's id in a message */

/* Bytes from `data` on that a JSON text may hold as they are. */
static size_t plain_run(const uint8_t *data, size_t length)
{
    size_t at = 0;

    while (at < length && data[at] >= ' ' && data[at] < 0x80 && data[at] != '"' && data[at] != '\\')
        at++;
    return at;
}

/* The one character at `data` that is not plain; 0 bytes: it is none. */
static size_t add_special(struct stk_buffer *out, const uint8_t *data, size_t length,
                          enum stirkeep_status *ret_status)
{
    char escaped[8] = "";
    uint32_t character = 0;
    size_t taken = stk_utf8_read((const char *)data, length, &character);

    if (taken > 1) {
        *ret_status = stk_buffer_add(out, data, taken);
        return taken;
    }
    if (character < ' ')
        (void)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)character);
    else
        (void)snprintf(escaped, sizeof(escaped), "\\%c", (char)character);
    if (taken == 1)
        *ret_status = stk_buffer_add_text(out, escaped);
    return taken;
}

/* A line as a JSON text that gives the same bytes again. */
static enum stirkeep_status add_line(struct stk_buffer *out, struct stk_bytes line)
{
    enum stirkeep_status status = stk_buffer_add_text(out, "\"");
    size_t at = 0;

    while (at < line.length && status == STIRKEEP_OK) {
        size_t run = plain_run(line.data + at, line.length - at);

        if (run > 0) {
            status = stk_buffer_add(out, line.data + at, run);
        } else {
            run = add_special(out, line.data + at, line.length - at, &status);
            if (run == 0)
                return STIRKEEP_INVALID;
        }
        at += run;
    }
    return status == STIRKEEP_OK ? stk_buffer_add_text(out, "\"") : status;
}

static enum stirkeep_status add_path(struct stk_buffer *out, const struct stk_merkle_path *path)
{
    enum stirkeep_status status = STIRKEEP_OK;
    char hex[2 * STK_DIGEST_LENGTH + 1];

    for (size_t i = 0; i < path->count && status == STIRKEEP_OK; i++) {
        stk_hex_encode(path->hashes[i], STK_DIGEST_LENGTH, hex);
        status = stk_buffer_add_text(out, i > 0 ? ",\"" : "\"");
        if (status == STIRKEEP_OK)
            status = stk_buffer_add_text(out, hex);
        if (status == STIRKEEP_OK)
            status = stk_buffer_add_text(out, "\"");
    }
    return status;
}

enum stirkeep_status stk_proof_write(struct stk_bytes record, const struct stk_merkle_path *path,
                                     struct stk_bytes seal_line, struct stk_buffer *out)
{
    size_t before = out->length;
    enum stirkeep_status status = stk_buffer_add_text(out, "{\"" STK_PROOF_FORM "\":1,\"record\":");

    if (status == STIRKEEP_OK)
        status = add_line(out, record);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add_text(out, ",\"path\":[");
    if (status == STIRKEEP_OK)
        status = add_path(out, path);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add_text(out, "],\"seal\":");
    if (status == STIRKEEP_OK)
        status = add_line(out, seal_line);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add_text(out, "}\n");
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

void stk_proof_free(struct stk_proof *proof)
{
    stk_buffer_free(&proof->record);
    stk_buffer_free(&proof->seal_line);
}

static enum stirkeep_status check_signature(const struct stk_seal *seal,
                                            const uint8_t (*keys)[STK_SPKI_LENGTH],
                                            size_t key_count, const char *name,
                                            struct stk_error *error)
{
    char hex[2 * KEY_SHOWN + 1];
    bool is_known = false;

    for (size_t i = 0; i < key_count; i++) {
        struct stk_checker checker = {0};
        bool made = stk_checker_make(keys[i], &checker);
        bool is_signed = made && stk_checker_signed(&checker, seal);

        is_known |= made && memcmp(checker.key_id.bytes, seal->key_id.bytes,
                                   sizeof(seal->key_id.bytes)) == 0;
        stk_checker_free(&checker);
        if (is_signed)
            return STIRKEEP_OK;
    }
    stk_hex_encode(seal->key_id.bytes, KEY_SHOWN, hex);
    if (is_known)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: the seal's signature is not by its audit key %s...: it is "
                             "forged, or was changed",
                             name, hex);
    return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                         "%s: the seal is by key %s..., which is none of those given", name, hex);
}

/* The lines themselves: what their sums say. */
static enum stirkeep_status check_lines(const struct stk_proof *proof, const char *name,
                                        struct stk_line *ret_record, struct stk_error *error)
{
    struct stk_line seal = {0};
    const char *why = stk_line_read(proof->record.data, proof->record.length, ret_record);

    if (why != NULL)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED, "%s: the record: %s", name, why);
    why = stk_line_read(proof->seal_line.data, proof->seal_line.length, &seal);
    if (why != NULL)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED, "%s: the seal: %s", name, why);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_proof_check(const struct stk_proof *proof,
                                     const uint8_t (*keys)[STK_SPKI_LENGTH], size_t key_count,
                                     const char *name, struct stk_error *error)
{
    const struct stk_seal *seal = &proof->seal;
    struct stk_line record = {0};
    enum stirkeep_status status = check_lines(proof, name, &record, error);

    if (status != STIRKEEP_OK)
        return status;
    if (record.sequence < seal->from || record.sequence > seal->through)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: the seal is over records %" PRIu64 " to %" PRIu64
                             ", and this is record %" PRIu64,
                             name, seal->from, seal->through, record.sequence);
    if (!stk_merkle_path_leads(&proof->path, record.digest, record.sequence - seal->from,
                               seal->through - seal->from + 1, seal->root))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: the path does not lead from the record to the seal's root: this "
                             "record is not the one that was sealed",
                             name);
    if (record.sequence == seal->through &&
        memcmp(record.digest, seal->head, sizeof(seal->head)) != 0)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: the seal's head is not its last record", name);
    return check_signature(seal, keys, key_count, name, error);
}
