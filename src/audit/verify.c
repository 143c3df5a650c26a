/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/verify.h"

#include "audit/reader.h"
#include "audit/trail.h"
#include "audit/verifier.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A seal may cover so many records and stand so many behind them. */
#define WINDOW ((uint64_t)2 * STK_SEAL_RECORDS_MAX + 1)

static int by_through(const void *a, const void *b)
{
    uint64_t left = ((const struct stk_seal *)a)->through;
    uint64_t right = ((const struct stk_seal *)b)->through;

    return (left > right) - (left < right);
}

static enum stirkeep_status take_keys(struct stk_verifier *verifier,
                                      const struct stk_verifier_options *options,
                                      struct stk_error *error)
{
    if (options->key_count == 0)
        return STIRKEEP_OK;
    verifier->keys = calloc(options->key_count, sizeof(*verifier->keys));
    if (verifier->keys == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    for (; verifier->key_count < options->key_count; verifier->key_count++)
        if (!stk_checker_make(options->keys[verifier->key_count],
                              &verifier->keys[verifier->key_count]))
            return stk_error_set(error, STIRKEEP_INVALID, "audit key %zu is no P-256 public key",
                                 verifier->key_count + 1);
    return STIRKEEP_OK;
}

static enum stirkeep_status take_witness(struct stk_verifier *verifier,
                                         const struct stk_verifier_options *options,
                                         struct stk_error *error)
{
    if (options->witness_count == 0)
        return STIRKEEP_OK;
    verifier->witness = calloc(options->witness_count, sizeof(*verifier->witness));
    if (verifier->witness == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    verifier->witness_count = options->witness_count;
    memcpy(verifier->witness, options->witness, options->witness_count * sizeof(struct stk_seal));
    qsort(verifier->witness, verifier->witness_count, sizeof(struct stk_seal), by_through);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_verifier_new(const struct stk_verifier_options *options,
                                      struct stk_verifier **ret_verifier, struct stk_error *error)
{
    struct stk_verifier *verifier = calloc(1, sizeof(*verifier));
    enum stirkeep_status status = STIRKEEP_OK;

    if (verifier == NULL || !stk_window_make(WINDOW, &verifier->window)) {
        free(verifier);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    status = take_keys(verifier, options, error);
    if (status == STIRKEEP_OK)
        status = take_witness(verifier, options, error);
    if (status != STIRKEEP_OK) {
        stk_verifier_free(verifier);
        return status;
    }
    verifier->each = options->each;
    verifier->context = options->context;
    *ret_verifier = verifier;
    return STIRKEEP_OK;
}

void stk_verifier_free(struct stk_verifier *verifier)
{
    if (verifier == NULL)
        return;
    for (size_t i = 0; i < verifier->key_count; i++)
        stk_checker_free(&verifier->keys[i]);
    free(verifier->keys);
    free(verifier->witness);
    stk_merkle_whole_free(&verifier->whole);
    stk_window_free(&verifier->window);
    free(verifier);
}

enum stirkeep_status stk_verifier_wrong(const struct stk_verifier *verifier, uint64_t record,
                                        struct stk_error *error, const char *format, ...)
{
    char what[STK_ERROR_MAX] = "";
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                         "%s: line %" PRIu64 " (record %" PRIu64 "): %s", verifier->name,
                         verifier->line, record, what);
}

/* A file's first line, which does not follow what was before. */
static enum stirkeep_status wrong_file(const struct stk_verifier *verifier, uint64_t sequence,
                                       struct stk_error *error)
{
    uint64_t last = verifier->chain.sequence;

    if (last == 0)
        return stk_verifier_wrong(verifier, sequence, error,
                                  "the trail does not begin here: the records before it are "
                                  "missing");
    if (sequence > last + 1)
        return stk_verifier_wrong(verifier, sequence, error,
                                  "the file before ended with record %" PRIu64
                                  ": a file is missing between them, or they are not in order",
                                  last);
    if (sequence <= last)
        return stk_verifier_wrong(verifier, sequence, error,
                                  "the file before ended with record %" PRIu64
                                  ": they are not in order, one of them is there twice, or the "
                                  "trail was begun anew",
                                  last);
    return stk_verifier_wrong(verifier, sequence, error,
                              "it is not chained to record %" PRIu64
                              ", with which the file before ended: one of the two files was "
                              "changed or replaced",
                              last);
}

static enum stirkeep_status wrong_line(const struct stk_verifier *verifier, uint64_t sequence,
                                       struct stk_error *error)
{
    uint64_t last = verifier->chain.sequence;

    if (verifier->line == 1)
        return wrong_file(verifier, sequence, error);
    if (sequence > last + 1)
        return stk_verifier_wrong(verifier, sequence, error,
                                  "its number does not follow record %" PRIu64
                                  ": what stood between them is missing",
                                  last);
    if (sequence <= last)
        return stk_verifier_wrong(verifier, sequence, error,
                                  "its number does not follow record %" PRIu64
                                  ": it was put in, or stands out of its order",
                                  last);
    return stk_verifier_wrong(verifier, sequence, error,
                              "it is not chained to record %" PRIu64
                              " as that is now: one of the two was changed or put in",
                              last);
}

/* The chain of a file that was taken away, or is not given, goes on here. */
static void begin_at(struct stk_verifier *verifier, const struct stk_line *line)
{
    if (line->continues) {
        verifier->chain.sequence = line->sequence - 1;
        memcpy(verifier->chain.digest, line->previous, sizeof(verifier->chain.digest));
    }
    memcpy(verifier->before, verifier->chain.digest, sizeof(verifier->before));
    verifier->verdict.first = verifier->chain.sequence + 1;
}

/* One that is too old for any seal is dropped. */
static bool keep_digest(struct stk_verifier *verifier)
{
    struct stk_window *window = &verifier->window;

    if (window->count == window->most)
        stk_window_drop_through(window, stk_window_first_block_end(window));
    return stk_window_add(window, verifier->chain.sequence, verifier->chain.digest, 0);
}

static enum stirkeep_status tell(struct stk_verifier *verifier, struct stk_bytes line,
                                 struct stk_error *error)
{
    const struct stk_verified record = {.sequence = verifier->chain.sequence,
                                        .line = line,
                                        .digest = verifier->chain.digest,
                                        .file = verifier->name,
                                        .line_number = verifier->line,
                                        .seal = verifier->seal};

    return verifier->each(verifier->context, verifier, &record, error);
}

static enum stirkeep_status take_line(struct stk_verifier *verifier, const uint8_t *data,
                                      size_t length, struct stk_error *error)
{
    struct stk_line line = {0};
    struct stk_seal seal = {0};
    const char *why = stk_line_read(data, length, &line);
    enum stirkeep_status status = STIRKEEP_OK;

    if (why != NULL)
        return stk_verifier_wrong(verifier, verifier->chain.sequence + 1, error, "%s", why);
    if (verifier->verdict.records == 0)
        begin_at(verifier, &line);
    if (stk_line_follow(&line, &verifier->chain) != NULL)
        return wrong_line(verifier, line.sequence, error);
    if (!keep_digest(verifier))
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", verifier->name);
    verifier->verdict.records++;
    status = stk_verifier_witness(verifier, error);
    if (status == STIRKEEP_OK && line.seals)
        status = stk_verifier_seal(verifier, data, length, &seal, error);
    if (status == STIRKEEP_OK && verifier->each != NULL)
        status = tell(verifier, (struct stk_bytes){data, length}, error);
    if (line.seals)
        stk_verifier_seal_done(verifier);
    return status;
}

static enum stirkeep_status finish_file(struct stk_verifier *verifier,
                                        const struct stk_reader *reader,
                                        enum stk_reader_state state, struct stk_error *error)
{
    uint64_t next = verifier->chain.sequence + 1;

    switch (state) {
    case STK_READER_TORN:
        return stk_verifier_wrong(verifier, next, error,
                                  "it has no end: it was cut off, or is being written");
    case STK_READER_LONG:
        return stk_verifier_wrong(verifier, next, error, "it is longer than any record");
    case STK_READER_DAMAGED:
        return stk_verifier_wrong(verifier, next, error, "the file cannot be unpacked: %s",
                                  reader->why);
    case STK_READER_ERROR:
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", verifier->name, strerror(errno));
    case STK_READER_END:
    case STK_READER_LINE:
        break;
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_verifier_file(struct stk_verifier *verifier, int fd, const char *name,
                                       struct stk_error *error)
{
    struct stk_reader reader = {.fd = fd, .at = -1, .may_be_packed = true};
    enum stk_reader_state state = STK_READER_LINE;
    enum stirkeep_status status = verifier->failed;
    const uint8_t *data = NULL;
    size_t length = 0;

    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s: a file before it failed", name);
    verifier->name = name;
    verifier->line = 0;
    while (status == STIRKEEP_OK && state == STK_READER_LINE) {
        verifier->line++;
        state = stk_reader_next(&reader, &data, &length);
        status = state == STK_READER_LINE ? take_line(verifier, data, length, error)
                                          : finish_file(verifier, &reader, state, error);
    }
    stk_reader_free(&reader);
    verifier->verdict.last = verifier->chain.sequence;
    verifier->verdict.files++;
    verifier->failed = status;
    verifier->name = "";
    return status;
}

enum stirkeep_status stk_verifier_end(struct stk_verifier *verifier,
                                      struct stk_verdict *ret_verdict, struct stk_error *error)
{
    enum stirkeep_status status = verifier->failed;

    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "a file failed");
    status = stk_verifier_witness_end(verifier, error);
    if (status == STIRKEEP_OK)
        *ret_verdict = verifier->verdict;
    return status;
}
