/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_check.h"

#include "audit/line.h"
#include "audit/proof.h"
#include "base/file.h"
#include "cli/export_bundle.h"
#include "cli/export_lines.h"
#include "cli/export_text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUMMARY_MAX ((size_t)16 * 1024 * 1024)

struct check {
    const struct stk_audit_keys *keys;
    int directory;
    json_t *summary;
    struct stk_trail_filter filter; /* what the records are to be, by the summary */
    struct stk_lines records, proofs, checkpoints;
    struct stk_bytes checkpoint; /* the one read last */
    struct stk_seal seal;        /* in it */
    struct stk_proof proof;      /* the next one, when there is one */
    bool has_proof;
    struct stk_tally acts, outcomes, names;
    struct stk_export_checked checked;
};

static enum stirkeep_status wrong(const struct stk_lines *lines, struct stk_error *error,
                                  const char *why)
{
    return stk_error_set(error, STIRKEEP_NOT_VERIFIED, "%s: line %" PRIu64 ": %s", lines->name,
                         lines->number, why);
}

/* ---- the summary */

static enum stirkeep_status read_time(const struct check *check, const char *name, int64_t *ret_us,
                                      struct stk_error *error)
{
    const char *text = json_string_value(json_object_get(check->summary, name));

    return text != NULL ? stk_trail_time(text, name, ret_us, error) : STIRKEEP_OK;
}

static enum stirkeep_status read_summary(struct check *check, const char *path,
                                         struct stk_error *error)
{
    char whole[PATH_MAX] = "";
    struct stk_buffer text = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if ((size_t)snprintf(whole, sizeof(whole), "%s/summary.json", path) >= sizeof(whole))
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: the path is too long", path);
    status = stk_file_read(whole, SUMMARY_MAX, &text, error);
    if (status == STIRKEEP_OK)
        check->summary =
            json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    stk_buffer_free(&text);
    if (status != STIRKEEP_OK)
        return status;
    if (json_integer_value(json_object_get(check->summary, "stirkeep-audit-bundle")) != 1)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: not the summary of a bundle that this version knows", whole);
    check->filter.name = json_string_value(json_object_get(check->summary, "name"));
    status = read_time(check, "since", &check->filter.since_us, error);
    if (status == STIRKEEP_OK)
        status = read_time(check, "until", &check->filter.until_us, error);
    return status;
}

static enum stirkeep_status compare(const struct check *check, const char *what, uint64_t found,
                                    struct stk_error *error)
{
    const json_t *value = json_object_get(check->summary, what);

    if (!json_is_integer(value) || (uint64_t)json_integer_value(value) != found)
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "summary.json: \"%s\" is %" PRIu64 " by what is here", what, found);
    return STIRKEEP_OK;
}

static enum stirkeep_status compare_tally(const struct check *check, const char *what,
                                          const struct stk_tally *tally, struct stk_error *error)
{
    json_t *found = stk_export_tally(tally);
    bool equal = found != NULL && json_equal(found, json_object_get(check->summary, what)) == 1;
    enum stirkeep_status status =
        found != NULL ? STIRKEEP_OK : stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");

    json_decref(found);
    if (status == STIRKEEP_OK && !equal)
        status = stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                               "summary.json: \"%s\" is not what is here", what);
    return status;
}

static enum stirkeep_status compare_all(const struct check *check, struct stk_error *error)
{
    const struct stk_export_checked *checked = &check->checked;
    json_int_t unproven = json_integer_value(json_object_get(check->summary, "chain_only")) +
                          json_integer_value(json_object_get(check->summary, "unsealed"));
    enum stirkeep_status status = compare(check, "records", checked->records, error);

    if (status == STIRKEEP_OK)
        status = compare(check, "proofs", checked->proven, error);
    if (status == STIRKEEP_OK)
        status = compare(check, "checkpoints", checked->checkpoints, error);
    if (status == STIRKEEP_OK && (uint64_t)unproven != checked->records - checked->proven)
        status = stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                               "summary.json: %" PRIu64 " records have no proof, not as it says",
                               checked->records - checked->proven);
    if (status == STIRKEEP_OK && checked->records > 0)
        status = compare(check, "first", checked->first, error);
    if (status == STIRKEEP_OK && checked->records > 0)
        status = compare(check, "last", checked->last, error);
    if (status == STIRKEEP_OK)
        status = compare_tally(check, "acts", &check->acts, error);
    if (status == STIRKEEP_OK)
        status = compare_tally(check, "outcomes", &check->outcomes, error);
    if (status == STIRKEEP_OK)
        status = compare_tally(check, "names", &check->names, error);
    return status;
}

/* ---- checkpoints */

static bool is_signed(const struct check *check)
{
    for (size_t i = 0; i < check->keys->count; i++)
        if (stk_seal_signed_by(&check->seal, check->keys->spki[i]))
            return true;
    return false;
}

/* The next checkpoint; data NULL at the end. */
static enum stirkeep_status next_checkpoint(struct check *check, struct stk_error *error)
{
    uint64_t before = check->checked.checkpoints > 0 ? check->seal.through : 0;
    struct stk_line line = {0};
    enum stirkeep_status status = stk_lines_next(&check->checkpoints, &check->checkpoint, error);

    if (status != STIRKEEP_OK || check->checkpoint.data == NULL)
        return status;
    if (stk_line_read(check->checkpoint.data, check->checkpoint.length, &line) != NULL ||
        !line.seals ||
        !stk_seal_read(check->checkpoint.data, check->checkpoint.length, &check->seal))
        return wrong(&check->checkpoints, error, "not a seal as it was written");
    if (!is_signed(check))
        return wrong(&check->checkpoints, error, "the seal is signed by none of the keys given");
    if (check->seal.from <= before || check->seal.through < check->seal.from)
        return wrong(&check->checkpoints, error, "the seals are not in order");
    check->checked.checkpoints++;
    return STIRKEEP_OK;
}

static bool is_under(const struct check *check)
{
    return check->checkpoint.data != NULL &&
           check->checkpoint.length == check->proof.seal_line.length &&
           memcmp(check->checkpoint.data, check->proof.seal_line.data, check->checkpoint.length) ==
               0;
}

static enum stirkeep_status find_checkpoint(struct check *check, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    while (status == STIRKEEP_OK && !is_under(check)) {
        status = next_checkpoint(check, error);
        if (status == STIRKEEP_OK && check->checkpoint.data == NULL)
            status = wrong(&check->proofs, error,
                           "its seal is not in checkpoints.jsonl, or the "
                           "proofs are not in order");
    }
    return status;
}

/* ---- proofs and records */

static enum stirkeep_status next_proof(struct check *check, struct stk_error *error)
{
    struct stk_bytes line = {0};
    enum stirkeep_status status = stk_lines_next(&check->proofs, &line, error);
    char name[64] = "";

    stk_proof_free(&check->proof);
    check->proof = (struct stk_proof){0};
    check->has_proof = status == STIRKEEP_OK && line.data != NULL;
    if (!check->has_proof)
        return status;
    (void)snprintf(name, sizeof(name), "%s: line %" PRIu64, check->proofs.name,
                   check->proofs.number);
    return stk_proof_read(line.data, line.length, name, &check->proof, error);
}

/* A signature is checked once for each seal, not for each proof under it. */
static enum stirkeep_status check_proof(struct check *check, struct stk_bytes record,
                                        const struct stk_line *line, struct stk_error *error)
{
    const struct stk_proof *proof = &check->proof;
    enum stirkeep_status status = STIRKEEP_OK;

    if (proof->record.length != record.length ||
        memcmp(proof->record.data, record.data, record.length) != 0)
        return wrong(&check->proofs, error, "it is not of the record in records.jsonl");
    status = find_checkpoint(check, error);
    if (status != STIRKEEP_OK)
        return status;
    if (line->sequence < check->seal.from || line->sequence > check->seal.through ||
        !stk_merkle_path_leads(&proof->path, line->digest, line->sequence - check->seal.from,
                               check->seal.through - check->seal.from + 1, check->seal.root))
        return wrong(&check->proofs, error,
                     "its path does not lead from the record to the seal's root");
    check->checked.proven++;
    return next_proof(check, error);
}

static enum stirkeep_status check_record(struct check *check, struct stk_bytes record,
                                         struct stk_error *error)
{
    struct stk_fields fields = {0};
    struct stk_line line = {0};
    const char *why = stk_line_read(record.data, record.length, &line);

    if (why != NULL)
        return wrong(&check->records, error, why);
    if (!stk_fields_read(record, &fields))
        return wrong(&check->records, error, "it has members that this version does not know");
    if (!stk_trail_filter_takes(&check->filter, &fields))
        return wrong(&check->records, error, "it is not of the period and name of this bundle");
    if (line.sequence <= check->checked.last)
        return wrong(&check->records, error, "the records are not in order");
    if (check->checked.records++ == 0)
        check->checked.first = line.sequence;
    check->checked.last = line.sequence;
    if (!stk_tally_add(&check->acts, fields.act, 0, 1, 0) ||
        !stk_tally_add(&check->outcomes, fields.outcome, 0, 1, 0) ||
        (fields.name.length > 0 && !stk_tally_add(&check->names, fields.name, 0, 1, 0)))
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (check->has_proof && check->proof.sequence == line.sequence)
        return check_proof(check, record, &line, error);
    stk_export_runs_add(&check->checked.unproven, line.sequence, check->checked.records);
    return STIRKEEP_OK;
}

static enum stirkeep_status check_all(struct check *check, struct stk_error *error)
{
    struct stk_bytes record = {0};
    enum stirkeep_status status = next_proof(check, error);

    if (status == STIRKEEP_OK)
        status = stk_lines_next(&check->records, &record, error);
    while (status == STIRKEEP_OK && record.data != NULL) {
        status = check_record(check, record, error);
        if (status == STIRKEEP_OK)
            status = stk_lines_next(&check->records, &record, error);
    }
    if (status == STIRKEEP_OK && check->has_proof)
        status = wrong(&check->proofs, error, "it is of a record that records.jsonl has not");
    do {
        if (status == STIRKEEP_OK)
            status = next_checkpoint(check, error);
    } while (status == STIRKEEP_OK && check->checkpoint.data != NULL);
    return status == STIRKEEP_OK ? compare_all(check, error) : status;
}

static enum stirkeep_status open_all(struct check *check, const char *path, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    check->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (check->directory < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    status = read_summary(check, path, error);
    if (status == STIRKEEP_OK)
        status = stk_lines_open(check->directory, stk_bundle_names[STK_BUNDLE_RECORDS],
                                STK_LINE_MAX, &check->records, error);
    if (status == STIRKEEP_OK)
        status = stk_lines_open(check->directory, stk_bundle_names[STK_BUNDLE_PROOFS],
                                STK_PROOF_MAX, &check->proofs, error);
    if (status == STIRKEEP_OK)
        status = stk_lines_open(check->directory, stk_bundle_names[STK_BUNDLE_CHECKPOINTS],
                                STK_LINE_MAX, &check->checkpoints, error);
    return status;
}

enum stirkeep_status stk_export_check(const char *path, const struct stk_audit_keys *keys,
                                      struct stk_export_checked *ret_checked,
                                      struct stk_error *error)
{
    struct check check = {.keys = keys,
                          .directory = -1,
                          .records.fd = -1,
                          .proofs.fd = -1,
                          .checkpoints.fd = -1,
                          .acts.most = STK_EXPORT_TALLY_ROWS,
                          .outcomes.most = STK_EXPORT_TALLY_ROWS,
                          .names.most = STK_EXPORT_TALLY_ROWS};
    enum stirkeep_status status = open_all(&check, path, error);

    if (status == STIRKEEP_OK)
        status = check_all(&check, error);
    if (status == STIRKEEP_OK)
        *ret_checked = check.checked;
    stk_tally_free(&check.acts);
    stk_tally_free(&check.outcomes);
    stk_tally_free(&check.names);
    stk_proof_free(&check.proof);
    stk_lines_close(&check.records);
    stk_lines_close(&check.proofs);
    stk_lines_close(&check.checkpoints);
    json_decref(check.summary);
    if (check.directory >= 0)
        (void)close(check.directory);
    return status;
}
