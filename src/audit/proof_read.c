/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/line.h"
#include "audit/proof.h"
#include "audit/scan.h"
#include "json/json.h"
#include <string.h>

#define MEMBERS 4
/* What the parts of a proof take beside their texts: a value for each of the longest path's hashes,
 * and some. */
#define VALUES_ROOM ((size_t)64 * 1024)

struct reading {
    const char *name;
    struct stk_error *error;
};

static enum stirkeep_status no_proof(const struct reading *reading, const char *why)
{
    return stk_error_set(reading->error, STIRKEEP_INVALID, "%s: it is no proof: %s", reading->name,
                         why);
}

static enum stirkeep_status take_line(const struct reading *reading, const struct stk_json *member,
                                      const char *why, struct stk_buffer *ret_line)
{
    if (member == NULL || member->kind != STK_JSON_STRING || member->length == 0 ||
        member->length >= STK_LINE_MAX)
        return no_proof(reading, why);
    if (stk_buffer_add(ret_line, member->text, member->length) != STIRKEEP_OK)
        return stk_error_set(reading->error, STIRKEEP_NO_MEMORY, "%s: out of memory",
                             reading->name);
    return STIRKEEP_OK;
}

static enum stirkeep_status take_path(const struct reading *reading, const struct stk_json *member,
                                      struct stk_merkle_path *ret_path)
{
    struct stk_merkle_path path = {0};

    if (member == NULL || member->kind != STK_JSON_ARRAY || member->count > STK_MERKLE_DEPTH_MAX)
        return no_proof(reading, "\"path\" has to be an array of at most 40 hashes");
    for (const struct stk_json *hash = member->first; hash != NULL; hash = hash->next) {
        struct stk_scan scan = {.at = hash->text, .end = hash->text};

        if (hash->kind == STK_JSON_STRING)
            scan.end += hash->length;
        if (hash->kind != STK_JSON_STRING || hash->length != 2 * (size_t)STK_DIGEST_LENGTH ||
            !stk_scan_hex(&scan, path.hashes[path.count++], STK_DIGEST_LENGTH))
            return no_proof(reading, "a hash in \"path\" has to be 64 hex digits in lower case");
    }
    *ret_path = path;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_members(const struct reading *reading, const struct stk_json *json,
                                         struct stk_proof *proof)
{
    const struct stk_json *version = stk_json_member(json, STK_PROOF_FORM);
    enum stirkeep_status status = STIRKEEP_OK;
    struct stk_line_start start = {0};

    if (version == NULL || version->kind != STK_JSON_INTEGER)
        return no_proof(reading, "\"" STK_PROOF_FORM "\" is missing");
    if (version->integer != 1)
        return stk_error_set(reading->error, STIRKEEP_INVALID,
                             "%s: it is a proof of a form that this version does not know",
                             reading->name);
    if (json->count != MEMBERS)
        return no_proof(reading, "it has to have a record, a path and a seal, and nothing else");
    status = take_line(reading, stk_json_member(json, "record"),
                       "\"record\" has to be a line of a trail", &proof->record);
    if (status == STIRKEEP_OK)
        status = take_line(reading, stk_json_member(json, "seal"),
                           "\"seal\" has to be a line of a trail", &proof->seal_line);
    if (status == STIRKEEP_OK)
        status = take_path(reading, stk_json_member(json, "path"), &proof->path);
    if (status != STIRKEEP_OK)
        return status;
    if (!stk_line_begins(proof->record.data, proof->record.length, &start))
        return no_proof(reading, "\"record\" does not begin like a record");
    if (!stk_seal_read(proof->seal_line.data, proof->seal_line.length, &proof->seal))
        return no_proof(reading, "\"seal\" is no seal as one is written");
    proof->sequence = start.sequence;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_proof_read(const void *data, size_t length, const char *name,
                                    struct stk_proof *ret_proof, struct stk_error *error)
{
    const struct reading reading = {.name = name, .error = error};
    struct stk_arena arena = {0};
    struct stk_proof proof = {0};
    const struct stk_json *json = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (length > STK_PROOF_MAX)
        return no_proof(&reading, "it is too long for one");
    if (stk_arena_new(&arena, length + VALUES_ROOM) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", name);
    status = stk_json_read(data, length, name, &arena, &json, error);
    if (status == STIRKEEP_TOO_LARGE)
        status = no_proof(&reading, "it has more in it than a proof has");
    if (status == STIRKEEP_OK)
        status = take_members(&reading, json, &proof);
    if (status == STIRKEEP_OK)
        *ret_proof = proof;
    else
        stk_proof_free(&proof);
    stk_arena_free(&arena);
    return status;
}
