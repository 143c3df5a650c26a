/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sign_batch.h"

#include "cli/batch_line.h"
#include "cli/input.h"
#include "cli/output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_FILE_MAX (64 * 1024 * 1024)
#define GROUP_ARENA ((size_t)8 * 1024 * 1024) /* one line of the largest size takes a third of it */

struct batch {
    const struct stk_cli *cli;
    struct stirkeep_client *client;
    const char *path;
    bool whole;
    struct stk_bytes rest;
    size_t line; /* number of the last one that was taken from `rest` */
    struct stk_arena arena;
    struct stirkeep_request requests[STIRKEEP_BATCH_MAX]; /* one group, texts in the arena */
    size_t lines[STIRKEEP_BATCH_MAX];
    size_t count;
    size_t done;
    size_t refused;
};

/* ---- results */

json_t *stk_signature_json(const char *name, const struct stirkeep_signature *signature)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "identity",
                     stk_json_text(signature->identity), "passport",
                     json_stringn(signature->identity, signature->passport_length), "name",
                     stk_json_text(name), "generation", (json_int_t)signature->generation, "iat",
                     (json_int_t)signature->iat, "origid", stk_json_text(signature->origid),
                     "attest", stk_json_text(signature->attest));
}

static bool print_line(json_t *value)
{
    char *text = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(value);
    if (text != NULL)
        (void)puts(text);
    else
        stk_complain("output", "out of memory");
    free(text);
    return text != NULL;
}

static bool print_signed(struct batch *batch, size_t line, const char *name,
                         const struct stirkeep_signature *signature)
{
    json_t *value = NULL;

    batch->done++;
    if (!batch->cli->json) {
        (void)puts(signature->identity);
        return true;
    }
    value = stk_signature_json(name, signature);
    if (value != NULL && (json_object_set_new(value, "line", json_integer((json_int_t)line)) != 0 ||
                          json_object_set_new(value, "status", json_string("ok")) != 0)) {
        json_decref(value);
        value = NULL;
    }
    return print_line(value);
}

/* A value of an Identity header field never begins with '!'. */
static bool print_refused(struct batch *batch, size_t line, enum stirkeep_status status,
                          const char *message)
{
    batch->refused++;
    if (batch->cli->json)
        return print_line(json_pack("{s:I, s:s, s:o}", "line", (json_int_t)line, "status",
                                    stirkeep_status_name(status), "message",
                                    stk_json_text(message)));
    (void)printf("! line %zu: %s: ", line, stirkeep_status_name(status));
    stk_print_safe(message);
    (void)putchar('\n');
    return true;
}

static bool print_answers(struct batch *batch, size_t first, const struct stirkeep_answer *answers,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t line = batch->lines[first + i];
        bool printed =
            answers[i].status == STIRKEEP_OK
                ? print_signed(batch, line, batch->requests[first + i].name, &answers[i].signature)
                : print_refused(batch, line, answers[i].status, answers[i].message);

        if (!printed)
            return false;
    }
    return true;
}

/* ---- asking */

/* Of a whole batch: "sign[3]: reason" is told with the line that it was. */
static void complain_of_whole(const struct batch *batch)
{
    const char *message = stirkeep_client_error(batch->client);
    const char *reason = strstr(message, "]: ");
    size_t place = 0;

    if (reason != NULL && sscanf(message, "sign[%zu]: ", &place) == 1 && place < batch->count)
        stk_complain(batch->path, "line %zu: %s", batch->lines[place], reason + 3);
    else
        stk_complain(batch->path, "%s", message);
}

/* Have some of the group signed; in two parts when that is too much for one request. False: there is
 * no use in going on, and it was complained about. */
static bool sign_some(struct batch *batch, size_t first, size_t count)
{
    struct stirkeep_answer answers[STIRKEEP_BATCH_MAX] = {{0}};
    enum stirkeep_status status = STIRKEEP_OK;

    if (count == 0)
        return true;
    status =
        stirkeep_sign_batch(batch->client, &batch->requests[first], count, batch->whole, answers);
    if (status == STIRKEEP_OK)
        return print_answers(batch, first, answers, count);
    if (batch->whole) {
        complain_of_whole(batch);
        return false;
    }
    if ((status == STIRKEEP_TOO_LARGE || status == STIRKEEP_INVALID) && count > 1)
        return sign_some(batch, first, count / 2) &&
               sign_some(batch, first + count / 2, count - count / 2);
    if (status == STIRKEEP_TOO_LARGE || status == STIRKEEP_INVALID)
        return print_refused(batch, batch->lines[first], status,
                             stirkeep_client_error(batch->client));
    stk_complain(batch->path, "line %zu and what follows it: %s", batch->lines[first],
                 stirkeep_client_error(batch->client));
    return false;
}

static bool sign_group(struct batch *batch)
{
    bool go_on = sign_some(batch, 0, batch->count);

    batch->count = 0;
    stk_arena_reset(&batch->arena);
    return go_on;
}

/* ---- lines */

/* The next one that is not empty. */
static bool next_line(struct batch *batch, struct stk_bytes *ret_line)
{
    while (batch->rest.length > 0) {
        const uint8_t *end = memchr(batch->rest.data, '\n', batch->rest.length);
        size_t length = end != NULL ? (size_t)(end - batch->rest.data) : batch->rest.length;
        size_t step = length + (end != NULL ? 1 : 0);
        struct stk_bytes line = {batch->rest.data, length};

        batch->rest.data += step;
        batch->rest.length -= step;
        batch->line++;
        if (line.length > 0 && line.data[line.length - 1] == '\r')
            line.length--;
        if (line.length == 0)
            continue;
        *ret_line = line;
        return true;
    }
    return false;
}

/* What is no request is told in its place; in a whole batch it ends all. */
static bool refuse_line(struct batch *batch, const struct stk_error *error)
{
    size_t line = batch->line;

    if (batch->whole) {
        stk_complain(batch->path, "line %zu: %s", line, error->message);
        return false;
    }
    return sign_group(batch) && print_refused(batch, line, error->status, error->message);
}

static bool take_line(struct batch *batch, struct stk_bytes line)
{
    struct stirkeep_request request = {0};
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_batch_line(line, batch->cli->positional, &batch->arena, &request, &error);

    if (status == STIRKEEP_TOO_LARGE && batch->count > 0 && !batch->whole) {
        if (!sign_group(batch))
            return false;
        status = stk_batch_line(line, batch->cli->positional, &batch->arena, &request, &error);
    }
    if (status != STIRKEEP_OK)
        return refuse_line(batch, &error);
    if (batch->count == STIRKEEP_BATCH_MAX) { /* only of a whole one */
        stk_complain(batch->path, "more than %d lines, which are the most of a whole batch",
                     STIRKEEP_BATCH_MAX);
        return false;
    }
    batch->lines[batch->count] = batch->line;
    batch->requests[batch->count++] = request;
    return batch->whole || batch->count < STIRKEEP_BATCH_MAX || sign_group(batch);
}

static bool sign_lines(struct batch *batch)
{
    struct stk_bytes line = {0};

    while (next_line(batch, &line))
        if (!take_line(batch, line))
            return false;
    if (batch->count == 0 && batch->done + batch->refused == 0) {
        stk_complain(batch->path, "there are no claims in it");
        return false;
    }
    if (!sign_group(batch))
        return false;
    if (batch->refused > 0)
        stk_complain(batch->path, "%zu of %zu were not signed", batch->refused,
                     batch->done + batch->refused);
    return batch->refused == 0;
}

enum stk_exit stk_sign_batch(const struct stk_cli *cli, struct stirkeep_client *client,
                             const char *path, bool whole)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    struct stk_buffer text = {0};
    struct stk_error error = {0};
    bool done = false;

    if (batch == NULL || stk_arena_new(&batch->arena, GROUP_ARENA) != STIRKEEP_OK) {
        stk_complain(cli->verb->name, "out of memory");
        goto out;
    }
    batch->cli = cli;
    batch->client = client;
    batch->path = strcmp(path, "-") == 0 ? "standard input" : path;
    batch->whole = whole;
    if (stk_input_file(path, BATCH_FILE_MAX, &text, &error) != STIRKEEP_OK) {
        stk_complain(batch->path, "%s", error.message);
        goto out;
    }
    batch->rest = (struct stk_bytes){text.data, text.length};
    done = sign_lines(batch);
out:
    if (batch != NULL)
        stk_arena_free(&batch->arena);
    free(batch);
    stk_buffer_free(&text);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}
