/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/encode.h"
#include "cli/export_text.h"
#include "cli/output.h"
#include <string.h>

#define US_IN_SECOND 1000000

static json_t *time_or_null(int64_t real_us)
{
    return real_us != 0 ? stk_json_seconds(real_us / US_IN_SECOND) : json_null();
}

static json_t *files_json(const struct stk_export *taken)
{
    const struct stk_export_file *files = (const struct stk_export_file *)taken->files.data;
    json_t *array = json_array();

    for (size_t i = 0; i < taken->files.length / sizeof(*files); i++) {
        const char *slash = strrchr(files[i].name, '/');
        char digest[2 * STK_DIGEST_LENGTH + 1] = "";

        stk_hex_encode(files[i].digest, STK_DIGEST_LENGTH, digest);
        if (json_array_append_new(
                array, json_pack("{s:o, s:s, s:I, s:I, s:I}", "name",
                                 stk_json_text(slash != NULL ? slash + 1 : files[i].name), "sha256",
                                 digest, "bytes", (json_int_t)files[i].bytes, "first",
                                 (json_int_t)files[i].first, "last", (json_int_t)files[i].last)) !=
            0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *keys_json(const struct stk_audit_keys *keys)
{
    json_t *array = json_array();

    for (size_t i = 0; i < keys->count; i++) {
        uint8_t digest[STK_DIGEST_LENGTH] = {0};
        char text[2 * STK_DIGEST_LENGTH + 1] = "";

        stk_sha256(keys->spki[i], STK_SPKI_LENGTH, digest);
        stk_hex_encode(digest, sizeof(digest), text);
        if (json_array_append_new(array, json_string(text)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *stk_export_tally(const struct stk_tally *tally)
{
    json_t *object = json_object();
    bool done = object != NULL;

    for (size_t i = 0; i < tally->count && done; i++)
        done = json_object_set_new(object, tally->rows[i].key,
                                   json_integer((json_int_t)tally->rows[i].counts[0])) == 0;
    if (done && tally->others[0] > 0)
        done = json_object_set_new(object, "(others)",
                                   json_integer((json_int_t)tally->others[0])) == 0;
    if (!done) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *trail_json(const struct stk_export_about *about)
{
    const struct stk_verdict *verdict = about->verdict;

    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "good", true, "records",
                     (json_int_t)verdict->records, "first", (json_int_t)verdict->first, "last",
                     (json_int_t)verdict->last, "seals", (json_int_t)verdict->seals, "sealed",
                     (json_int_t)verdict->sealed, "uncovered", (json_int_t)verdict->uncovered,
                     "keys", keys_json(about->keys), "files", files_json(about->taken));
}

static json_t *record_or_null(uint64_t sequence)
{
    return sequence != 0 ? json_integer((json_int_t)sequence) : json_null();
}

json_t *stk_export_summary(const struct stk_export_about *about)
{
    const struct stk_export *taken = about->taken;

    return json_pack(
        "{s:i, s:o, s:o, s:o, s:s?, s:I, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
        "s:o, s:o}",
        "stirkeep-audit-bundle", 1, "made", time_or_null(about->now_us), "since",
        time_or_null(about->filter->since_us), "until", time_or_null(about->filter->until_us),
        "name", about->filter->name, "records", (json_int_t)taken->records, "first",
        record_or_null(taken->first), "last", record_or_null(taken->last), "first_time",
        taken->first_time, "last_time", taken->last_time, "proofs", (json_int_t)taken->proofs,
        "chain_only", (json_int_t)taken->chain_only.records, "unsealed",
        (json_int_t)taken->unsealed.records, "checkpoints", (json_int_t)taken->checkpoints,
        "certificates", (json_int_t)about->certificates, "acts", stk_export_tally(&taken->acts),
        "outcomes", stk_export_tally(&taken->outcomes), "names", stk_export_tally(&taken->names),
        "trail", trail_json(about));
}
