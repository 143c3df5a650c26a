/* SPDX-License-Identifier: BSD-2-Clause */
#include "forge.h"

#include "audit/merkle.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEX (2 * STK_DIGEST_LENGTH)

static void put(struct forgery *forgery, size_t at, char *text, size_t file)
{
    forgery->lines = reallocarray(forgery->lines, forgery->count + 1, sizeof(*forgery->lines));
    assert_non_null(forgery->lines);
    assert_non_null(text);
    memmove(forgery->lines + at + 1, forgery->lines + at,
            (forgery->count - at) * sizeof(*forgery->lines));
    forgery->lines[at] = (struct forged_line){text, file};
    forgery->count++;
}

struct forgery forgery_load(const struct files *files)
{
    struct forgery forgery = {.files = files->count};

    for (size_t i = 0; i < files->count; i++) {
        struct stk_buffer data = read_whole(files->paths[i]);
        const char *at = (const char *)data.data;
        const char *end = at + data.length;

        while (at < end) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));

            assert_non_null(newline);
            put(&forgery, forgery.count, strndup(at, (size_t)(newline - at)), i);
            at = newline + 1;
        }
        stk_buffer_free(&data);
    }
    return forgery;
}

struct forgery forgery_copy(const struct forgery *forgery)
{
    struct forgery copy = {.files = forgery->files, .count = forgery->count};

    copy.lines = calloc(copy.count + 1, sizeof(*copy.lines));
    assert_non_null(copy.lines);
    for (size_t i = 0; i < copy.count; i++)
        copy.lines[i] =
            (struct forged_line){strdup(forgery->lines[i].text), forgery->lines[i].file};
    return copy;
}

void forgery_free(struct forgery *forgery)
{
    for (size_t i = 0; i < forgery->count; i++)
        free(forgery->lines[i].text);
    free(forgery->lines);
    *forgery = (struct forgery){0};
}

void forgery_remove(struct forgery *forgery, size_t at)
{
    free(forgery->lines[at].text);
    forgery->count--;
    memmove(forgery->lines + at, forgery->lines + at + 1,
            (forgery->count - at) * sizeof(*forgery->lines));
}

void forgery_insert(struct forgery *forgery, size_t at, const char *text)
{
    put(forgery, at, strdup(text), forgery->lines[at].file);
}

void forgery_replace(struct forgery *forgery, size_t at, const char *from, const char *to)
{
    char *old = forgery->lines[at].text;
    const char *place = strstr(old, from);
    char *text = NULL;

    assert_non_null(place);
    assert_true(asprintf(&text, "%.*s%s%s", (int)(place - old), old, to, place + strlen(from)) > 0);
    free(old);
    forgery->lines[at].text = text;
}

static void digest_text(const char *text, char ret_hex[HEX + 1])
{
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_sha256(text, strlen(text), digest);
    stk_hex_encode(digest, sizeof(digest), ret_hex);
}

static void set_ends(struct forgery *forgery, size_t at, bool renumber)
{
    char *old = forgery->lines[at].text;
    const char *rest = strstr(old, ",\"time\":\"");
    const char *prev = strstr(old, ",\"prev\":\"");
    uint64_t sequence = strtoull(old + strlen("{\"seq\":"), NULL, 10);
    char link[HEX + 1] = "";
    char sum[HEX + 1] = "";
    char *summed = NULL;
    char *text = NULL;

    assert_true(rest != NULL && prev != NULL && rest < prev);
    memset(link, '0', HEX);
    if (at > 0)
        digest_text(forgery->lines[at - 1].text, link);
    else
        memcpy(link, prev + strlen(",\"prev\":\""), HEX);
    if (renumber && at > 0)
        sequence = strtoull(forgery->lines[at - 1].text + strlen("{\"seq\":"), NULL, 10) + 1;
    assert_true(asprintf(&summed, "{\"seq\":%" PRIu64 "%.*s,\"prev\":\"%s\"", sequence,
                         (int)(prev - rest), rest, link) > 0);
    digest_text(summed, sum);
    assert_true(asprintf(&text, "%s,\"sum\":\"%.16s\"}", summed, sum) > 0);
    free(summed);
    free(old);
    forgery->lines[at].text = text;
}

void forgery_relink(struct forgery *forgery, size_t at)
{
    set_ends(forgery, at, false);
}

void forgery_rechain(struct forgery *forgery, size_t at)
{
    for (; at < forgery->count; at++)
        set_ends(forgery, at, true);
}

bool forgery_is_seal(const struct forgery *forgery, size_t at)
{
    return strstr(forgery->lines[at].text, "Z\",\"act\":\"seal\",") != NULL;
}

static size_t line_of(const struct forgery *forgery, uint64_t sequence)
{
    for (size_t i = 0; i < forgery->count; i++)
        if (strtoull(forgery->lines[i].text + strlen("{\"seq\":"), NULL, 10) == sequence)
            return i;
    fail_msg("no record %" PRIu64, sequence);
    return 0;
}

void forgery_reseal(struct forgery *forgery, size_t at, const struct audit_key *key)
{
    const char *text = forgery->lines[at].text;
    struct stk_seal seal = {0};
    struct stk_merkle tree = {0};
    char head[HEX + 1];
    char root[HEX + 1];
    char key_id[HEX + 1];
    char signature[2 * STK_SIGNATURE_LENGTH + 1];
    char *line = NULL;

    seal.from = strtoull(strstr(text, "\"from\":") + strlen("\"from\":"), NULL, 10);
    seal.through = strtoull(strstr(text, "\"through\":") + strlen("\"through\":"), NULL, 10);
    for (uint64_t i = seal.from; i <= seal.through; i++) {
        const char *covered = forgery->lines[line_of(forgery, i)].text;

        stk_sha256(covered, strlen(covered), seal.head);
        stk_merkle_add(&tree, seal.head);
    }
    stk_merkle_root(&tree, seal.root);
    sign_seal(key, &seal);
    stk_hex_encode(seal.head, sizeof(seal.head), head);
    stk_hex_encode(seal.root, sizeof(seal.root), root);
    stk_hex_encode(seal.key_id.bytes, sizeof(seal.key_id.bytes), key_id);
    stk_hex_encode(seal.signature, sizeof(seal.signature), signature);
    assert_true(asprintf(&line,
                         "{\"seq\":%" PRIu64 ",\"time\":\"%s\",\"act\":\"seal\",\"outcome\":\"ok\","
                         "\"key_id\":\"%s\",\"from\":%" PRIu64 ",\"through\":%" PRIu64
                         ",\"head\":\"%s\",\"root\":\"%s\",\"sealed\":\"%s\",\"seal\":\"%s\","
                         "\"prev\":\"\"}",
                         (uint64_t)strtoull(text + strlen("{\"seq\":"), NULL, 10), seal.time,
                         key_id, seal.from, seal.through, head, root, seal.time, signature) > 0);
    free(forgery->lines[at].text);
    forgery->lines[at].text = line;
    forgery_relink(forgery, at);
}

struct stk_buffer forgery_file(const struct forgery *forgery, size_t file)
{
    struct stk_buffer data = {0};

    for (size_t i = 0; i < forgery->count; i++)
        if (forgery->lines[i].file == file) {
            assert_int_equal(stk_buffer_add_text(&data, forgery->lines[i].text), STIRKEEP_OK);
            assert_int_equal(stk_buffer_add(&data, "\n", 1), STIRKEEP_OK);
        }
    return data;
}

static int memory_file(const struct stk_buffer *data)
{
    int fd = memfd_create("trail", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(stk_file_write_all(fd, data->data, data->length));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

enum stirkeep_status verify_buffers(const struct stk_buffer *files, size_t count,
                                    const struct stk_verifier_options *options,
                                    struct stk_verdict *ret_verdict, struct stk_error *error)
{
    struct stk_verifier *verifier = NULL;
    enum stirkeep_status status = stk_verifier_new(options, &verifier, error);

    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++) {
        char name[32] = "";
        int fd = memory_file(&files[i]);

        (void)snprintf(name, sizeof(name), "file %zu", i + 1);
        status = stk_verifier_file(verifier, fd, name, error);
        (void)close(fd);
    }
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, ret_verdict, error);
    stk_verifier_free(verifier);
    return status;
}

enum stirkeep_status forgery_verify(const struct forgery *forgery,
                                    const struct stk_verifier_options *options,
                                    struct stk_verdict *ret_verdict, struct stk_error *error)
{
    struct stk_buffer files[FILES_MAX] = {{0}};
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < forgery->files; i++)
        files[i] = forgery_file(forgery, i);
    status = verify_buffers(files, forgery->files, options, ret_verdict, error);
    for (size_t i = 0; i < forgery->files; i++)
        stk_buffer_free(&files[i]);
    return status;
}
