/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/line.h"
#include "audit/proof.h"
#include "base/digest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME "2026-10-25T20:06:24.123456Z"

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* One proof, made by hand: of record 3 of 5. */

#define COUNT 5
#define PROVEN 3

struct sample {
    struct audit_key key;
    struct stk_buffer lines[COUNT + 1];
    uint8_t digests[COUNT + 1][STK_DIGEST_LENGTH];
    struct stk_merkle_path path;
    struct stk_seal seal;
    struct stk_buffer seal_line;
    struct stk_buffer text;
};

/* H(0x00, digest) and H(0x01, left, right), as docs/AUDIT.md has them. */
static void hash(uint8_t kind, const uint8_t *left, const uint8_t *right, uint8_t *ret_hash)
{
    uint8_t data[1 + 2 * STK_DIGEST_LENGTH] = {kind};

    memcpy(data + 1, left, STK_DIGEST_LENGTH);
    if (right != NULL)
        memcpy(data + 1 + STK_DIGEST_LENGTH, right, STK_DIGEST_LENGTH);
    stk_sha256(data, right != NULL ? sizeof(data) : 1 + (size_t)STK_DIGEST_LENGTH, ret_hash);
}

static void write_sample(struct sample *sample)
{
    const struct stk_record record = {
        .act = "seal", .outcome = "ok", .key_id = &sample->seal.key_id, .seal = &sample->seal};
    struct stk_chain chain = {.sequence = COUNT};

    memcpy(chain.digest, sample->digests[COUNT], sizeof(chain.digest));
    stk_buffer_free(&sample->seal_line);
    stk_buffer_free(&sample->text);
    assert_int_equal(stk_line_append(&record, TIME, &chain, &sample->seal_line), STIRKEEP_OK);
    sample->seal_line.length--;
    assert_int_equal(stk_proof_write(view(&sample->lines[PROVEN]), &sample->path,
                                     view(&sample->seal_line), &sample->text),
                     STIRKEEP_OK);
}

static struct sample sample_make(void)
{
    struct sample sample = {.key = audit_key_make(), .seal = {.from = 1, .through = COUNT}};
    struct stk_chain chain = {0};
    uint8_t leaves[COUNT + 1][STK_DIGEST_LENGTH];
    uint8_t left[STK_DIGEST_LENGTH];
    uint8_t right[STK_DIGEST_LENGTH];

    for (size_t i = 1; i <= COUNT; i++) {
        struct stk_record record = sign_record(i);

        record.name = i == PROVEN ? "Al\"pha \\ \xc3\xa4\x1b" : "Alpha";
        assert_int_equal(stk_line_append(&record, TIME, &chain, &sample.lines[i]), STIRKEEP_OK);
        sample.lines[i].length--;
        stk_sha256(sample.lines[i].data, sample.lines[i].length, sample.digests[i]);
        hash(0, sample.digests[i], NULL, leaves[i]);
    }
    hash(1, leaves[1], leaves[2], left);
    hash(1, leaves[3], leaves[4], right);
    sample.path.count = 3;
    memcpy(sample.path.hashes[0], leaves[4], STK_DIGEST_LENGTH);
    memcpy(sample.path.hashes[1], left, STK_DIGEST_LENGTH);
    memcpy(sample.path.hashes[2], leaves[5], STK_DIGEST_LENGTH);
    hash(1, left, right, left);
    hash(1, left, leaves[5], sample.seal.root);
    memcpy(sample.seal.head, sample.digests[COUNT], STK_DIGEST_LENGTH);
    sign_seal(&sample.key, &sample.seal);
    write_sample(&sample);
    return sample;
}

static void sample_free(struct sample *sample)
{
    for (size_t i = 1; i <= COUNT; i++)
        stk_buffer_free(&sample->lines[i]);
    stk_buffer_free(&sample->seal_line);
    stk_buffer_free(&sample->text);
    audit_key_free(&sample->key);
}

/* Read and checked; `ret_proof`, if not NULL, gets it when it is good. */
static enum stirkeep_status examine(const void *data, size_t length, const struct audit_key *key,
                                    struct stk_proof *ret_proof, struct stk_error *error)
{
    struct stk_proof proof = {0};
    enum stirkeep_status status = stk_proof_read(data, length, "p", &proof, error);

    if (status != STIRKEEP_OK)
        return status;
    status = stk_proof_check(&proof, key->spki, 1, "p", error);
    if (status == STIRKEEP_OK && ret_proof != NULL)
        *ret_proof = proof;
    else
        stk_proof_free(&proof);
    return status;
}

static void assert_refused(const struct sample *sample, enum stirkeep_status expected,
                           const char *message)
{
    struct stk_error error = {0};

    assert_int_equal(examine(sample->text.data, sample->text.length, &sample->key, NULL, &error),
                     expected);
    if (strstr(error.message, message) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error.message, message);
}

static void a_proof_is_as_it_is_documented(void **state)
{
    struct sample sample = sample_make();
    char expected[4096] = "";
    struct stk_proof proof = {0};
    struct stk_error error = {0};
    (void)state;

    (void)snprintf(expected, sizeof(expected), "%s",
                   "{\"stirkeep-audit-proof\":1,\"record\":\"{\\\"seq\\\":3,\\\"time\\\":\\\"" TIME
                   "\\\",\\\"act\\\":\\\"sign\\\",\\\"outcome\\\":\\\"ok\\\",\\\"uid\\\":1000,"
                   "\\\"gid\\\":1001,\\\"pid\\\":4321,\\\"request_id\\\":\\\"3\\\",\\\"grant\\\":"
                   "\\\"kamailio\\\",\\\"name\\\":\\\"Al\\\\\\\"pha \\\\\\\\ \xc3\xa4\\\\u001b\\\""
                   ",\\\"generation\\\":2,");
    assert_memory_equal(sample.text.data, expected, strlen(expected));
    assert_int_equal(sample.text.data[sample.text.length - 1], '\n');
    assert_int_equal(examine(sample.text.data, sample.text.length, &sample.key, &proof, &error),
                     STIRKEEP_OK);
    assert_int_equal(proof.sequence, PROVEN);
    assert_int_equal(proof.seal.through, COUNT);
    assert_int_equal(proof.record.length, sample.lines[PROVEN].length);
    assert_memory_equal(proof.record.data, sample.lines[PROVEN].data, proof.record.length);
    stk_proof_free(&proof);
    sample_free(&sample);
}

static void every_flipped_bit_is_found_or_changes_nothing(void **state)
{
    struct sample sample = sample_make();
    struct stk_buffer *text = &sample.text;
    size_t harmless = 0;
    (void)state;

    for (size_t at = 0; at < text->length; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct stk_proof proof = {0};
            struct stk_error error = {0};

            text->data[at] ^= (uint8_t)(1U << bit);
            if (examine(text->data, text->length, &sample.key, &proof, &error) == STIRKEEP_OK) {
                harmless++;
                assert_int_equal(proof.record.length, sample.lines[PROVEN].length);
                assert_memory_equal(proof.record.data, sample.lines[PROVEN].data,
                                    proof.record.length);
                assert_int_equal(proof.seal_line.length, sample.seal_line.length);
                assert_memory_equal(proof.seal_line.data, sample.seal_line.data,
                                    proof.seal_line.length);
                assert_memory_equal(&proof.path, &sample.path, sizeof(proof.path));
                stk_proof_free(&proof);
            }
            text->data[at] ^= (uint8_t)(1U << bit);
        }
    /* The newline behind it, of which no flipped bit makes another white space. */
    assert_int_equal(harmless, 0);
    for (size_t length = 0; length + 1 < text->length; length++)
        assert_int_equal(examine(text->data, length, &sample.key, NULL, NULL), STIRKEEP_INVALID);
    sample_free(&sample);
}

static void white_space_and_order_mean_nothing(void **state)
{
    struct sample sample = sample_make();
    struct stk_buffer turned = {0};
    struct stk_error error = {0};
    const char *text = NULL;
    const char *path = NULL;
    const char *seal = NULL;
    (void)state;

    assert_int_equal(stk_buffer_add(&sample.text, "", 1), STIRKEEP_OK);
    text = (const char *)sample.text.data;
    path = strstr(text, ",\"path\"");
    seal = strstr(text, ",\"seal\":\"");
    assert_non_null(path);
    assert_non_null(seal);
    (void)stk_buffer_add_text(&turned, " {\n \"path\"\t:");
    (void)stk_buffer_add(&turned, path + 8, (size_t)(seal - path) - 8);
    (void)stk_buffer_add(&turned, ",", 1);
    (void)stk_buffer_add(&turned, text + 1, (size_t)(path - text) - 1);
    (void)stk_buffer_add_text(&turned, seal);
    if (examine(turned.data, turned.length, &sample.key, NULL, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_buffer_free(&turned);
    sample_free(&sample);
}

static enum stirkeep_status check_with(const struct stk_proof *proof,
                                       uint8_t (*keys)[STK_SPKI_LENGTH], size_t count,
                                       struct stk_error *error)
{
    return stk_proof_check(proof, (const uint8_t(*)[STK_SPKI_LENGTH])keys, count, "p", error);
}

static void another_key_or_none_proves_nothing(void **state)
{
    struct sample sample = sample_make();
    struct audit_key other = audit_key_make();
    struct stk_proof proof = {0};
    struct stk_error error = {0};
    uint8_t both[2][STK_SPKI_LENGTH];
    (void)state;

    assert_int_equal(stk_proof_read(sample.text.data, sample.text.length, "p", &proof, &error),
                     STIRKEEP_OK);
    assert_int_equal(check_with(&proof, NULL, 0, &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(check_with(&proof, other.spki, 1, &error), STIRKEEP_NOT_VERIFIED);
    assert_non_null(strstr(error.message, "which is none of those given"));
    memcpy(both[0], other.spki[0], STK_SPKI_LENGTH);
    memcpy(both[1], sample.key.spki[0], STK_SPKI_LENGTH);
    assert_int_equal(check_with(&proof, both, 2, &error), STIRKEEP_OK);
    proof.seal.signature[5] ^= 1;
    assert_int_equal(check_with(&proof, both, 2, &error), STIRKEEP_NOT_VERIFIED);
    assert_non_null(strstr(error.message, "it is forged, or was changed"));
    memset(both[0], 0, STK_SPKI_LENGTH);
    assert_int_equal(check_with(&proof, both, 1, &error), STIRKEEP_NOT_VERIFIED);
    stk_proof_free(&proof);
    audit_key_free(&other);
    sample_free(&sample);
}

/* Everything else in it is right. */
static void another_record_or_way_is_no_proof(void **state)
{
    struct sample sample = sample_make();
    struct stk_buffer kept = sample.lines[PROVEN];
    struct stk_merkle_path path = sample.path;
    (void)state;

    sample.lines[PROVEN] = sample.lines[4];
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED, "p: the path does not lead from the record");
    sample.lines[PROVEN] = kept;
    sample.path.count = 2;
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED, "p: the path does not lead from the record");
    sample.path = path;
    sample.path.count = 4;
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED, "p: the path does not lead from the record");
    sample.path = path;
    memcpy(sample.path.hashes[0], path.hashes[1], STK_DIGEST_LENGTH);
    memcpy(sample.path.hashes[1], path.hashes[0], STK_DIGEST_LENGTH);
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED, "p: the path does not lead from the record");
    sample_free(&sample);
}

static void a_seal_that_is_not_over_the_record_is_no_proof(void **state)
{
    struct sample sample = sample_make();
    (void)state;

    sample.seal.from = 4;
    sign_seal(&sample.key, &sample.seal);
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED,
                   "p: the seal is over records 4 to 5, and this is record 3");
    sample.seal.from = 1;
    sample.seal.through = 2;
    sign_seal(&sample.key, &sample.seal);
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED,
                   "p: the seal is over records 1 to 2, and this is record 3");
    sample.seal.through = 4;
    sign_seal(&sample.key, &sample.seal);
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED, "p: the path does not lead from the record");
    sample_free(&sample);
}

static void a_seal_is_held_to_its_own_head(void **state)
{
    struct sample sample = sample_make();
    struct stk_buffer line = {0};
    struct stk_record record = sign_record(1);
    struct stk_chain chain = {0};
    (void)state;

    /* A tree of one record, whose head is another one. */
    assert_int_equal(stk_line_append(&record, TIME, &chain, &line), STIRKEEP_OK);
    line.length--;
    stk_buffer_free(&sample.lines[PROVEN]);
    sample.lines[PROVEN] = line;
    sample.path.count = 0;
    sample.seal.from = sample.seal.through = 1;
    hash(0, chain.digest, NULL, sample.seal.root);
    sign_seal(&sample.key, &sample.seal);
    write_sample(&sample);
    assert_refused(&sample, STIRKEEP_NOT_VERIFIED, "p: the seal's head is not its last record");
    memcpy(sample.seal.head, chain.digest, STK_DIGEST_LENGTH);
    sign_seal(&sample.key, &sample.seal);
    write_sample(&sample);
    assert_int_equal(examine(sample.text.data, sample.text.length, &sample.key, NULL, NULL),
                     STIRKEEP_OK);
    sample_free(&sample);
}

/* The sample with `from` replaced by `to`. */
static enum stirkeep_status examine_with(const struct sample *sample, const char *from,
                                         const char *to, struct stk_error *error)
{
    const char *start = (const char *)sample->text.data;
    const char *place = memmem(start, sample->text.length, from, strlen(from));
    struct stk_buffer text = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(place);
    (void)stk_buffer_add(&text, start, (size_t)(place - start));
    (void)stk_buffer_add_text(&text, to);
    (void)stk_buffer_add(&text, place + strlen(from),
                         sample->text.length - (size_t)(place - start) - strlen(from));
    status = examine(text.data, text.length, &sample->key, NULL, error);
    stk_buffer_free(&text);
    return status;
}

static void what_is_no_proof_is_refused(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *message;
    } others[] = {
        {"\"stirkeep-audit-proof\":1,", "", "\"stirkeep-audit-proof\" is missing"},
        {"proof\":1", "proof\":\"1\"", "\"stirkeep-audit-proof\" is missing"},
        {"proof\":1", "proof\":2", "a form that this version does not know"},
        {"proof\":1", "proof\":1,\"more\":1", "and nothing else"},
        {"proof\":1", "proof\":1,\"path\":[]", "a key is given twice"},
        {"\"record\":\"", "\"recorX\":\"", "\"record\" has to be a line"},
        {"\"record\":\"", "\"record\":\"x", "\"record\" does not begin like a record"},
        {"\"seal\":\"{", "\"seal\":\"", "\"seal\" is no seal as one is written"},
        {"\"path\":[", "\"path\":[7,", "64 hex digits"},
        {"\"path\":[", "\"path\":[[],", "64 hex digits"},
        {"\"path\":[", "\"path\":[\"\",", "64 hex digits"},
        {"\"path\":[\"", "\"path\":[\"A", "64 hex digits"},
        {"}\n", "}}\n", "byte"},
    };
    struct sample sample = sample_make();
    (void)state;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct stk_error error = {0};

        assert_int_equal(examine_with(&sample, others[i].from, others[i].to, &error),
                         STIRKEEP_INVALID);
        if (strstr(error.message, others[i].message) == NULL)
            fail_msg("%s: \"%s\"", others[i].to, error.message);
    }
    sample_free(&sample);
}

static void a_bomb_is_no_proof(void **state)
{
    struct sample sample = sample_make();
    struct stk_buffer text = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_proof_read("", 0, "p", &(struct stk_proof){0}, &error), STIRKEEP_INVALID);
    /* Long, with more values than memory is set aside for. */
    (void)stk_buffer_add_text(&text, "{\"stirkeep-audit-proof\":1,\"path\":[1");
    while (text.length < STK_PROOF_MAX - 16)
        (void)stk_buffer_add_text(&text, ",1");
    (void)stk_buffer_add_text(&text, "]}");
    assert_int_equal(examine(text.data, text.length, &sample.key, NULL, &error), STIRKEEP_INVALID);
    assert_string_equal(error.message, "p: it is no proof: it has more in it than a proof has");
    while (text.length <= STK_PROOF_MAX)
        (void)stk_buffer_add_text(&text, " ");
    assert_int_equal(examine(text.data, text.length, &sample.key, NULL, &error), STIRKEEP_INVALID);
    assert_string_equal(error.message, "p: it is no proof: it is too long for one");
    text.length = 0;
    for (size_t i = 0; i < 100000; i++)
        (void)stk_buffer_add_text(&text, "[");
    assert_int_equal(examine(text.data, text.length, &sample.key, NULL, &error), STIRKEEP_INVALID);
    stk_buffer_free(&text);
    sample_free(&sample);
}

static void the_longest_path_is_read_and_one_more_is_not(void **state)
{
    struct sample sample = sample_make();
    struct stk_proof proof = {0};
    struct stk_error error = {0};
    (void)state;

    sample.path.count = STK_MERKLE_DEPTH_MAX;
    write_sample(&sample);
    assert_int_equal(stk_proof_read(sample.text.data, sample.text.length, "p", &proof, &error),
                     STIRKEEP_OK);
    assert_int_equal(proof.path.count, STK_MERKLE_DEPTH_MAX);
    stk_proof_free(&proof);
    assert_int_equal(
        examine_with(&sample, "\"path\":[",
                     "\"path\":[\"5a00000000000000000000000000000000000000000000000000000000000000"
                     "\",",
                     &error),
        STIRKEEP_INVALID);
    assert_non_null(strstr(error.message, "at most 40 hashes"));
    sample_free(&sample);
}

static void a_line_that_is_no_text_is_not_written(void **state)
{
    static const uint8_t line[] = {'a', 0xff, 'b'};
    const struct stk_merkle_path path = {0};
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_buffer_add(&out, "x", 1), STIRKEEP_OK);
    assert_int_equal(stk_proof_write((struct stk_bytes){line, sizeof(line)}, &path,
                                     (struct stk_bytes){line, 1}, &out),
                     STIRKEEP_INVALID);
    assert_int_equal(out.length, 1);
    out.ceiling = 40;
    assert_int_equal(
        stk_proof_write((struct stk_bytes){line, 1}, &path, (struct stk_bytes){line, 1}, &out),
        STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 1);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proof_is_as_it_is_documented),
        cmocka_unit_test(every_flipped_bit_is_found_or_changes_nothing),
        cmocka_unit_test(white_space_and_order_mean_nothing),
        cmocka_unit_test(another_key_or_none_proves_nothing),
        cmocka_unit_test(another_record_or_way_is_no_proof),
        cmocka_unit_test(a_seal_that_is_not_over_the_record_is_no_proof),
        cmocka_unit_test(a_seal_is_held_to_its_own_head),
        cmocka_unit_test(what_is_no_proof_is_refused),
        cmocka_unit_test(a_bomb_is_no_proof),
        cmocka_unit_test(the_longest_path_is_read_and_one_more_is_not),
        cmocka_unit_test(a_line_that_is_no_text_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
