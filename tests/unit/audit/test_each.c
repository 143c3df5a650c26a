/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/line.h"
#include "audit/proof.h"
#include "base/digest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEALS 70 /* number N is over N records */
#define TIME "2026-10-25T20:06:24.123456Z"

/* What is done with each record and seal of a trail. */
struct listener {
    const struct audit_key *key;
    struct stk_buffer *lines; /* of the records by number, from 1 */
    uint64_t told;
    uint64_t seals;
    uint64_t proven;
    uint64_t stop_at; /* 0: never */
};

/* A trail whose seals are over 1, 2, 3, ... records, the seal before among them. */
static void make_trail(const struct scratch *scratch, const struct audit_key *key)
{
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    uint64_t request = 1;

    for (size_t count = 1; count <= SEALS; count++) {
        size_t more = count == 1 ? 1 : count - 1;

        append_some(trail, request, more);
        request += more;
        (void)seal_trail(trail, key, NULL);
    }
    append_some(trail, request, 3);
    stk_trail_close(trail);
}

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static void check_proof(const struct listener *listener, const struct stk_merkle_path *path,
                        const struct stk_verified *seal, uint64_t sequence)
{
    struct stk_buffer text = {0};
    struct stk_proof proof = {0};
    struct stk_error error = {0};

    assert_int_equal(stk_proof_write(view(&listener->lines[sequence]), path, seal->line, &text),
                     STIRKEEP_OK);
    if (stk_proof_read(text.data, text.length, "proof", &proof, &error) != STIRKEEP_OK ||
        stk_proof_check(&proof, listener->key->spki, 1, "proof", &error) != STIRKEEP_OK)
        fail_msg("record %d: %s", (int)sequence, error.message);
    assert_int_equal(proof.sequence, sequence);
    assert_int_equal(proof.record.length, listener->lines[sequence].length);
    assert_memory_equal(proof.record.data, listener->lines[sequence].data, proof.record.length);
    assert_true(text.length < 2048 + proof.record.length * 5 / 4);
    stk_proof_free(&proof);
    stk_buffer_free(&text);
}

static enum stirkeep_status listen(void *context, struct stk_verifier *verifier,
                                   const struct stk_verified *record, struct stk_error *error)
{
    struct listener *listener = context;
    struct stk_merkle_path path = {0};
    uint8_t digest[STK_DIGEST_LENGTH];

    assert_int_equal(record->sequence, ++listener->told);
    assert_int_equal(record->line_number, record->sequence);
    assert_string_equal(record->file, "audit.jsonl");
    stk_sha256(record->line.data, record->line.length, digest);
    assert_memory_equal(digest, record->digest, sizeof(digest));
    assert_int_equal(record->seal != NULL,
                     memmem(record->line.data, record->line.length, "\"seal\"", 6) != NULL);
    if (record->sequence == listener->stop_at)
        return stk_error_set(error, STIRKEEP_BUSY, "enough");
    if (listener->lines != NULL)
        assert_int_equal(stk_buffer_add(&listener->lines[record->sequence], record->line.data,
                                        record->line.length),
                         STIRKEEP_OK);
    if (record->seal == NULL) {
        assert_false(stk_verifier_path(verifier, 1, &path));
        return STIRKEEP_OK;
    }
    listener->seals++;
    assert_false(stk_verifier_path(verifier, record->seal->from - 1, &path));
    assert_false(stk_verifier_path(verifier, record->seal->through + 1, &path));
    assert_false(stk_verifier_path(verifier, UINT64_MAX, &path));
    for (uint64_t at = record->seal->from; listener->lines != NULL && at <= record->seal->through;
         at++) {
        assert_true(stk_verifier_path(verifier, at, &path));
        check_proof(listener, &path, record, at);
        listener->proven++;
    }
    return STIRKEEP_OK;
}

static enum stirkeep_status listen_to(const struct scratch *scratch, struct listener *listener,
                                      struct stk_verdict *ret_verdict, struct stk_error *error)
{
    const struct stk_verifier_options options = {
        .keys = listener->key->spki, .key_count = 1, .each = listen, .context = listener};
    struct files *files = calloc(1, sizeof(*files));
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(files);
    find_files(scratch, files);
    status = verify_files(files, &options, ret_verdict, error);
    free(files);
    return status;
}

static void every_record_under_a_seal_is_proven(void **state)
{
    struct scratch *scratch = *state;
    struct audit_key key = audit_key_make();
    const uint64_t records = SEALS * (SEALS - 1) / 2 + 1 + SEALS + 3;
    struct listener listener = {.key = &key};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    make_trail(scratch, &key);
    listener.lines = calloc(records + 1, sizeof(*listener.lines));
    assert_non_null(listener.lines);
    if (listen_to(scratch, &listener, &verdict, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(listener.told, records);
    assert_int_equal(listener.seals, SEALS);
    assert_int_equal(verdict.seals, SEALS);
    assert_int_equal(listener.proven, verdict.sealed);
    assert_int_equal(verdict.uncovered, 0);
    for (uint64_t i = 0; i <= records; i++)
        stk_buffer_free(&listener.lines[i]);
    free(listener.lines);
    audit_key_free(&key);
}

static void whoever_is_told_can_end_the_verifying(void **state)
{
    struct scratch *scratch = *state;
    struct audit_key key = audit_key_make();
    struct stk_verdict verdict = {.records = 77};

    make_trail(scratch, &key);
    for (uint64_t stop = 1; stop < 10; stop++) {
        struct listener listener = {.key = &key, .stop_at = stop};
        struct stk_error error = {0};

        assert_int_equal(listen_to(scratch, &listener, &verdict, &error), STIRKEEP_BUSY);
        assert_string_equal(error.message, "enough");
        assert_int_equal(listener.told, stop);
        assert_int_equal(verdict.records, 77);
    }
    audit_key_free(&key);
}

/* ---- a file whose first tree reaches back into the file before */

static enum stirkeep_status count_paths(void *context, struct stk_verifier *verifier,
                                        const struct stk_verified *record, struct stk_error *error)
{
    uint64_t *count = context;
    struct stk_merkle_path path = {0};
    (void)error;

    if (record->seal == NULL)
        return STIRKEEP_OK;
    for (uint64_t at = record->seal->from; at <= record->seal->through; at++)
        if (stk_verifier_path(verifier, at, &path))
            (*count)++;
    return STIRKEEP_OK;
}

/* Two files, `between` records between the first one's seal and its end; the second one has a
 * continue, ten records and a seal. */
static void make_two_files(const struct scratch *scratch, const struct audit_key *key,
                           size_t between)
{
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_error error = {0};
    char name[PATH_MAX] = "";

    append_some(trail, 1, 5);
    (void)seal_trail(trail, key, NULL);
    append_some(trail, 6, between);
    assert_int_equal(stk_trail_rotate(trail, NOW_US, name, &error), STIRKEEP_OK);
    append_some(trail, 100, 10);
    (void)seal_trail(trail, key, NULL);
    stk_trail_close(trail);
}

/* The file at the scratch path alone. */
static enum stirkeep_status verify_last(const struct scratch *scratch, const struct audit_key *key,
                                        uint64_t *ret_paths, struct stk_verdict *ret_verdict,
                                        struct stk_error *error)
{
    const struct stk_verifier_options options = {
        .keys = key->spki, .key_count = 1, .each = count_paths, .context = ret_paths};
    struct files *files = calloc(1, sizeof(*files));
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(files);
    *ret_paths = 0;
    files->count = 1;
    (void)snprintf(files->paths[0], PATH_MAX, "%s", scratch->path);
    status = verify_files(files, &options, ret_verdict, error);
    free(files);
    return status;
}

static void the_record_before_a_file_is_known_by_its_digest(void **state)
{
    struct scratch *scratch = *state;
    struct audit_key key = audit_key_make();
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    uint64_t paths = 0;

    make_two_files(scratch, &key, 0);
    if (verify_last(scratch, &key, &paths, &verdict, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(paths, 11);
    assert_int_equal(verdict.uncovered, 0);
    assert_int_equal(verdict.first, 7);
    audit_key_free(&key);
}

static void more_of_the_file_before_is_not(void **state)
{
    struct scratch *scratch = *state;
    struct audit_key key = audit_key_make();
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    uint64_t paths = 0;

    make_two_files(scratch, &key, 1);
    if (verify_last(scratch, &key, &paths, &verdict, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(paths, 0);
    assert_int_equal(verdict.uncovered, 11);
    audit_key_free(&key);
}

/* The last line of the file, a seal, made anew with another root. */
static void forge_root(const struct scratch *scratch, const struct audit_key *key)
{
    struct stk_buffer data = read_whole(scratch->path);
    const uint8_t *last = memrchr(data.data, '\n', data.length - 1);
    const uint8_t *before = memrchr(data.data, '\n', (size_t)(last - data.data));
    struct stk_line line = {0};
    struct stk_chain chain = {0};
    struct stk_seal seal = {0};
    const struct stk_record record = {
        .act = "seal", .outcome = "ok", .key_id = &seal.key_id, .seal = &seal};
    size_t start = (size_t)(last + 1 - data.data);

    assert_null(stk_line_read(before + 1, (size_t)(last - before) - 1, &line));
    chain.sequence = line.sequence;
    memcpy(chain.digest, line.digest, sizeof(chain.digest));
    assert_true(stk_seal_read(last + 1, data.length - start - 1, &seal));
    seal.root[0] ^= 1;
    sign_seal(key, &seal);
    data.length = start;
    assert_int_equal(stk_line_append(&record, TIME, &chain, &data), STIRKEEP_OK);
    write_whole(scratch->path, data.data, data.length);
    stk_buffer_free(&data);
}

static void a_root_that_needs_the_record_before_is_checked(void **state)
{
    struct scratch *scratch = *state;
    struct audit_key key = audit_key_make();
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    uint64_t paths = 0;

    make_two_files(scratch, &key, 0);
    forge_root(scratch, &key);
    assert_int_equal(verify_last(scratch, &key, &paths, &verdict, &error), STIRKEEP_NOT_VERIFIED);
    assert_non_null(strstr(error.message, "the seal's tree is not that of records 6 to 17"));
    assert_int_equal(paths, 0);
    audit_key_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_record_under_a_seal_is_proven),
        TEST(whoever_is_told_can_end_the_verifying),
        TEST(the_record_before_a_file_is_known_by_its_digest),
        TEST(more_of_the_file_before_is_not),
        TEST(a_root_that_needs_the_record_before_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
