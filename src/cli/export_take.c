/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_take.h"

#include "audit/proof.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_AT_ONCE 65536

/* Where a record that waits for its seal stands in records.jsonl. */
struct waiting {
    uint64_t sequence;
    uint64_t offset;
    uint64_t number; /* in the row of what was taken */
    size_t length;
};

static enum stirkeep_status no_memory(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
}

struct stk_export *stk_export_new(const struct stk_trail_filter *filter, struct stk_bundle *bundle)
{
    struct stk_export *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->filter = filter;
    self->bundle = bundle;
    self->acts.most = self->outcomes.most = self->names.most = STK_EXPORT_TALLY_ROWS;
    return self;
}

void stk_export_free(struct stk_export *self)
{
    struct stk_export_file *files = NULL;

    if (self == NULL)
        return;
    files = (struct stk_export_file *)self->files.data;
    for (size_t i = 0; i < self->files.length / sizeof(*files); i++) {
        EVP_MD_CTX_free(files[i].context);
        free(files[i].name);
    }
    stk_buffer_free(&self->files);
    stk_buffer_free(&self->waiting);
    stk_buffer_free(&self->line);
    stk_buffer_free(&self->proof);
    stk_tally_free(&self->acts);
    stk_tally_free(&self->outcomes);
    stk_tally_free(&self->names);
    free(self);
}

/* ---- the trail's files */

static struct stk_export_file *last_file(struct stk_export *self)
{
    struct stk_export_file *files = (struct stk_export_file *)self->files.data;
    size_t count = self->files.length / sizeof(*files);

    return count > 0 ? &files[count - 1] : NULL;
}

static bool end_file(struct stk_export_file *file)
{
    if (file == NULL || file->context == NULL)
        return true;
    if (EVP_DigestFinal_ex(file->context, file->digest, NULL) != 1)
        return false;
    EVP_MD_CTX_free(file->context);
    file->context = NULL;
    return true;
}

static bool begin_file(struct stk_export *self, const struct stk_verified *record)
{
    struct stk_export_file file = {
        .name = strdup(record->file), .context = EVP_MD_CTX_new(), .first = record->sequence};

    if (end_file(last_file(self)) && file.name != NULL && file.context != NULL &&
        EVP_DigestInit_ex(file.context, EVP_sha256(), NULL) == 1 &&
        stk_buffer_add(&self->files, &file, sizeof(file)) == STIRKEEP_OK)
        return true;
    free(file.name);
    EVP_MD_CTX_free(file.context);
    return false;
}

/* What is hashed is what was verified, whatever becomes of the file meanwhile. */
static bool note_file(struct stk_export *self, const struct stk_verified *record)
{
    struct stk_export_file *file = NULL;

    if (record->line_number == 1 && !begin_file(self, record))
        return false;
    file = last_file(self);
    if (file == NULL)
        return false;
    file->last = record->sequence;
    file->bytes += record->line.length + 1;
    return EVP_DigestUpdate(file->context, record->line.data, record->line.length) == 1 &&
           EVP_DigestUpdate(file->context, "\n", 1) == 1;
}

/* ---- records */

/* Records that follow each other in what was taken make one run. */
void stk_export_runs_add(struct stk_export_runs *runs, uint64_t sequence, uint64_t number)
{
    struct stk_export_run *run = runs->count > 0 ? &runs->runs[runs->count - 1] : NULL;
    bool follows = runs->records > 0 && number == runs->last + 1;

    runs->records++;
    runs->last = number;
    if (follows && runs->left_out > 0) {
        runs->left_out++;
    } else if (follows && run != NULL) {
        run->last = sequence;
        run->count++;
    } else if (runs->count < STK_EXPORT_RUNS_MAX) {
        runs->runs[runs->count++] = (struct stk_export_run){sequence, sequence, 1};
    } else {
        runs->left_out++;
    }
}

static bool count_record(struct stk_export *self, const struct stk_fields *fields,
                         uint64_t sequence)
{
    int length =
        (int)(fields->time.length < STK_TIME_TEXT ? fields->time.length : STK_TIME_TEXT - 1);

    if (self->records++ == 0) {
        self->first = sequence;
        (void)snprintf(self->first_time, STK_TIME_TEXT, "%.*s", length,
                       (const char *)fields->time.data);
    }
    self->last = sequence;
    (void)snprintf(self->last_time, STK_TIME_TEXT, "%.*s", length, (const char *)fields->time.data);
    return stk_tally_add(&self->acts, fields->act, 0, 1, 0) &&
           stk_tally_add(&self->outcomes, fields->outcome, 0, 1, 0) &&
           (fields->name.length == 0 || stk_tally_add(&self->names, fields->name, 0, 1, 0));
}

/* Those that no seal can cover any more. Looked for only when a run of them is likely, as dropping
 * from the front moves the rest. */
static void give_up_old(struct stk_export *self, uint64_t sequence)
{
    const struct waiting *waiting = (const struct waiting *)self->waiting.data;
    size_t count = self->waiting.length / sizeof(*waiting);
    size_t old = 0;

    if (count == 0 || sequence - waiting[0].sequence < STK_EXPORT_WAITING_MAX + OLD_AT_ONCE)
        return;
    for (; old < count && sequence - waiting[old].sequence >= STK_EXPORT_WAITING_MAX; old++)
        stk_export_runs_add(&self->chain_only, (&waiting[old])->sequence, (&waiting[old])->number);
    stk_buffer_drop(&self->waiting, old * sizeof(*waiting));
}

static enum stirkeep_status take_record(struct stk_export *self, const struct stk_fields *fields,
                                        const struct stk_verified *record, struct stk_error *error)
{
    const struct waiting waiting = {.sequence = record->sequence,
                                    .offset = self->bundle->files[STK_BUNDLE_RECORDS].length,
                                    .number = self->records,
                                    .length = record->line.length};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!count_record(self, fields, record->sequence) ||
        stk_buffer_add(&self->waiting, &waiting, sizeof(waiting)) != STIRKEEP_OK)
        return no_memory(error);
    status = stk_bundle_add(self->bundle, STK_BUNDLE_RECORDS, record->line.data,
                            record->line.length, error);
    if (status == STIRKEEP_OK)
        status = stk_bundle_add(self->bundle, STK_BUNDLE_RECORDS, "\n", 1, error);
    return status;
}

/* ---- proofs */

static enum stirkeep_status prove(struct stk_export *self, struct stk_verifier *verifier,
                                  const struct waiting *waiting, const struct stk_verified *seal,
                                  struct stk_error *error)
{
    struct stk_merkle_path path = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_verifier_path(verifier, waiting->sequence, &path)) {
        stk_export_runs_add(&self->chain_only, (waiting)->sequence, (waiting)->number);
        return STIRKEEP_OK;
    }
    status = stk_bundle_read(self->bundle, STK_BUNDLE_RECORDS, waiting->offset, waiting->length,
                             &self->line, error);
    if (status != STIRKEEP_OK)
        return status;
    self->proof.length = 0;
    status = stk_proof_write((struct stk_bytes){self->line.data, self->line.length}, &path,
                             seal->line, &self->proof);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "record %" PRIu64 ": %s", waiting->sequence,
                             stirkeep_status_text(status));
    self->proofs++;
    return stk_bundle_add(self->bundle, STK_BUNDLE_PROOFS, self->proof.data, self->proof.length,
                          error);
}

/* All that waits and is under this seal. */
static enum stirkeep_status prove_all(struct stk_export *self, struct stk_verifier *verifier,
                                      const struct stk_verified *seal, size_t count,
                                      struct stk_error *error)
{
    const struct waiting *waiting = (const struct waiting *)self->waiting.data;
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++)
        status = prove(self, verifier, &waiting[i], seal, error);
    stk_buffer_drop(&self->waiting, count * sizeof(*waiting));
    return status;
}

static size_t count_covered(const struct stk_export *self, uint64_t through)
{
    const struct waiting *waiting = (const struct waiting *)self->waiting.data;
    size_t count = self->waiting.length / sizeof(*waiting);
    size_t covered = 0;

    while (covered < count && waiting[covered].sequence <= through)
        covered++;
    return covered;
}

/* Of the period's time, whatever its name is. */
static bool in_period(const struct stk_trail_filter *filter, int64_t real_us)
{
    return (filter->since_us == 0 || real_us >= filter->since_us) &&
           (filter->until_us == 0 || real_us < filter->until_us);
}

static enum stirkeep_status take_seal(struct stk_export *self, struct stk_verifier *verifier,
                                      const struct stk_fields *fields,
                                      const struct stk_verified *record, struct stk_error *error)
{
    int64_t until_us = self->filter->until_us;
    size_t covered = count_covered(self, record->seal->through);
    bool after = until_us != 0 && fields->real_us >= until_us && !self->has_one_after;
    enum stirkeep_status status = STIRKEEP_OK;

    if (covered > 0)
        status = prove_all(self, verifier, record, covered, error);
    if (status != STIRKEEP_OK ||
        (covered == 0 && !after && !in_period(self->filter, fields->real_us)))
        return status;
    self->has_one_after = self->has_one_after || after;
    self->checkpoints++;
    status = stk_bundle_add(self->bundle, STK_BUNDLE_CHECKPOINTS, record->line.data,
                            record->line.length, error);
    if (status == STIRKEEP_OK)
        status = stk_bundle_add(self->bundle, STK_BUNDLE_CHECKPOINTS, "\n", 1, error);
    return status;
}

enum stirkeep_status stk_export_each(void *context, struct stk_verifier *verifier,
                                     const struct stk_verified *record, struct stk_error *error)
{
    struct stk_export *self = context;
    struct stk_fields fields = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_fields_read(record->line, &fields))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: line %" PRIu64 " (record %" PRIu64
                             "): it has members that this version does not know",
                             record->file, record->line_number, record->sequence);
    if (!note_file(self, record))
        return no_memory(error);
    give_up_old(self, record->sequence);
    /* The seal before itself as a record: it covers only what is before it. */
    if (record->seal != NULL)
        status = take_seal(self, verifier, &fields, record, error);
    if (status == STIRKEEP_OK && stk_trail_filter_takes(self->filter, &fields))
        status = take_record(self, &fields, record, error);
    return status;
}

enum stirkeep_status stk_export_finish(struct stk_export *self, struct stk_error *error)
{
    const struct waiting *waiting = (const struct waiting *)self->waiting.data;

    if (!end_file(last_file(self)))
        return no_memory(error);
    for (size_t i = 0; i < self->waiting.length / sizeof(*waiting); i++)
        stk_export_runs_add(&self->unsealed, (&waiting[i])->sequence, (&waiting[i])->number);
    self->waiting.length = 0;
    return STIRKEEP_OK;
}
