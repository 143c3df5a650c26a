/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/line.h"
#include "audit/reader.h"
#include "audit/tail.h"
#include "audit/unsealed.h"
#include "audit/verify.h"
#include "base/encode.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A trail's file: as it is (first byte 'R'), perhaps packed; or ('C') as the bodies of records, one
 * to a line, that are made a chain first, since no mutation ever hits upon a digest. In such a body
 * HEAD stands for the digest of the record before, and ROOT for the root over all records so far,
 * so that seals are met that are right. What verifies as a whole has its end found, and what it
 * holds unsealed.
 */
#define TIME "2026-11-26T12:00:00.123456Z"
#define RECORDS_MAX 64

static void put_hex(struct stk_buffer *body, const char *mark, const uint8_t *digest)
{
    char hex[2 * STK_DIGEST_LENGTH + 1];
    struct stk_buffer out = {0};
    uint8_t *at = body->length > 0 ? memmem(body->data, body->length, mark, strlen(mark)) : NULL;
    size_t before = at != NULL ? (size_t)(at - body->data) : 0;

    if (at == NULL)
        return;
    stk_hex_encode(digest, STK_DIGEST_LENGTH, hex);
    FUZZ_CHECK(stk_buffer_add(&out, body->data, before) == STIRKEEP_OK);
    FUZZ_CHECK(stk_buffer_add_text(&out, hex) == STIRKEEP_OK);
    FUZZ_CHECK(stk_buffer_add(&out, at + strlen(mark), body->length - before - strlen(mark)) ==
               STIRKEEP_OK);
    stk_buffer_free(body);
    *body = out;
}

static void make_chain(struct stk_bytes bodies, struct stk_buffer *out)
{
    struct stk_chain chain = {0};
    struct stk_merkle tree = {0};
    uint8_t root[STK_DIGEST_LENGTH];

    for (unsigned i = 0; i < RECORDS_MAX && bodies.length > 0; i++) {
        struct stk_bytes line = fuzz_line(&bodies);
        struct stk_buffer body = {0};

        if (line.length == 0)
            continue;
        FUZZ_CHECK(stk_buffer_add(&body, line.data, line.length) == STIRKEEP_OK);
        stk_merkle_root(&tree, root);
        put_hex(&body, "HEAD", chain.digest);
        put_hex(&body, "ROOT", root);
        FUZZ_CHECK(stk_line_finish(body.data, body.length, TIME, &chain, out) == STIRKEEP_OK);
        stk_merkle_add(&tree, chain.digest);
        stk_buffer_free(&body);
    }
}

struct told {
    uint64_t records;
    uint64_t paths;
};

static enum stirkeep_status tell(void *context, struct stk_verifier *verifier,
                                 const struct stk_verified *record, struct stk_error *error)
{
    struct told *told = context;
    struct stk_merkle_path path = {0};
    (void)error;

    told->records++;
    FUZZ_CHECK(memchr(record->line.data, '\n', record->line.length) == NULL);
    if (record->seal == NULL)
        return STIRKEEP_OK;
    FUZZ_CHECK(record->seal->through < record->sequence);
    if (stk_verifier_path(verifier, record->seal->through, &path)) {
        FUZZ_CHECK(stk_merkle_path_leads(
            &path, record->seal->head, record->seal->through - record->seal->from,
            record->seal->through - record->seal->from + 1, record->seal->root));
        told->paths++;
    }
    return STIRKEEP_OK;
}

static void check_end(int fd, off_t size, const struct stk_verdict *verdict)
{
    struct stk_position position = {0};
    struct stk_unsealed unsealed = {0};
    struct stk_error error = {0};
    int64_t since = 0;

    FUZZ_OK(stk_tail_find(fd, "audit.jsonl", size, &position, &error), &error);
    FUZZ_CHECK(position.end == size && position.chain.sequence == verdict->last);
    FUZZ_CHECK(stk_unsealed_make(&unsealed));
    stk_unsealed_find(&unsealed, fd, &position);
    FUZZ_CHECK(stk_unsealed_count(&unsealed, &since) <= verdict->records);
    stk_unsealed_free(&unsealed);
}

static void check_begun(int fd, off_t size)
{
    struct stk_position position = {0};
    struct stk_error error = {0};

    (void)stk_tail_begun(fd);
    if (stk_tail_find(fd, "audit.jsonl", size, &position, &error) == STIRKEEP_OK)
        FUZZ_CHECK(position.end >= 0 && position.end <= size);
    else
        fuzz_refusal(error.status, &error);
}

static void verify(struct stk_bytes file, bool packed)
{
    struct told told = {0};
    const struct stk_verifier_options options = {.each = tell, .context = &told};
    struct stk_verifier *verifier = NULL;
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    int fd = fuzz_file(file);
    enum stirkeep_status status = STIRKEEP_OK;

    FUZZ_OK(stk_verifier_new(&options, &verifier, &error), &error);
    status = stk_verifier_file(verifier, fd, "audit.jsonl", &error);
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, &verdict, &error);
    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
    } else {
        FUZZ_CHECK(told.records == verdict.records && verdict.sealed <= verdict.last);
        if (!packed && verdict.records > 0)
            check_end(fd, (off_t)file.length, &verdict);
    }
    check_begun(fd, (off_t)file.length);
    stk_verifier_free(verifier);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes rest = {data, size};
    struct stk_buffer chain = {0};

    if (fuzz_byte(&rest) != 'C') {
        verify(rest, rest.length >= 4 && memcmp(rest.data, "\x28\xb5\x2f\xfd", 4) == 0);
        return 0;
    }
    make_chain(rest, &chain);
    verify((struct stk_bytes){chain.data, chain.length}, false);
    stk_buffer_free(&chain);
    return 0;
}
