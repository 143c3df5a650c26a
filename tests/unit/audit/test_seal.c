/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/line.h"
#include "base/encode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME "2026-11-25T20:06:24.123456Z"

/* Made with another implementation (Python's cryptography, key of RFC 6979 section A.2.5). */
#define SPKI                                                                                       \
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049"   \
    "b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define KEY_ID "5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4"
#define DIGEST "66fc72c69d90a7407a67a533382f8b0abf5f00f9e7a61dd7358b9c122f8b5e7c"
#define SIGNATURE                                                                                  \
    "34f1ebcdb4aa1678e34bd98131bfee1db7c774ff6ceef79f4858085a6ad171c203865beb094b9600d102f15830"   \
    "02d68d17987e73fbf108b9ee8b449ec6fba96e"

static struct stk_seal known_seal(void)
{
    struct stk_seal seal = {.from = 1001, .through = 2000, .time = TIME};

    for (uint8_t i = 0; i < STK_DIGEST_LENGTH; i++) {
        seal.head[i] = i;
        seal.root[i] = (uint8_t)(32 + i);
    }
    assert_true(stk_hex_decode(KEY_ID, seal.key_id.bytes, sizeof(seal.key_id.bytes)));
    assert_true(stk_hex_decode(SIGNATURE, seal.signature, sizeof(seal.signature)));
    return seal;
}

static void what_is_signed_is_as_it_is_documented(void **state)
{
    struct stk_seal seal = known_seal();
    uint8_t digest[STK_DIGEST_LENGTH];
    char hex[2 * STK_DIGEST_LENGTH + 1];
    (void)state;

    stk_seal_digest(&seal, digest);
    stk_hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(hex, DIGEST);
}

static void a_signature_that_others_made_is_accepted(void **state)
{
    struct stk_seal seal = known_seal();
    uint8_t spki[STK_SPKI_LENGTH];
    (void)state;

    assert_true(stk_hex_decode(SPKI, spki, sizeof(spki)));
    assert_true(stk_seal_signed_by(&seal, spki));
}

static void every_part_of_a_seal_is_under_its_signature(void **state)
{
    struct audit_key key = audit_key_make();
    struct stk_seal seal = known_seal();
    struct stk_seal other = {0};
    (void)state;

    sign_seal(&key, &seal);
    assert_true(stk_seal_signed_by(&seal, key.spki[0]));
    other = seal;
    other.from--;
    assert_false(stk_seal_signed_by(&other, key.spki[0]));
    other = seal;
    other.through++;
    assert_false(stk_seal_signed_by(&other, key.spki[0]));
    other = seal;
    other.time[3] ^= 1;
    assert_false(stk_seal_signed_by(&other, key.spki[0]));
    for (size_t i = 0; i < STK_DIGEST_LENGTH; i++) {
        other = seal;
        other.head[i] ^= 0x80;
        assert_false(stk_seal_signed_by(&other, key.spki[0]));
        other = seal;
        other.root[i] ^= 1;
        assert_false(stk_seal_signed_by(&other, key.spki[0]));
        other = seal;
        other.key_id.bytes[i] ^= 1;
        assert_false(stk_seal_signed_by(&other, key.spki[0]));
    }
    for (size_t i = 0; i < STK_SIGNATURE_LENGTH; i++) {
        other = seal;
        other.signature[i] ^= 1;
        assert_false(stk_seal_signed_by(&other, key.spki[0]));
    }
    audit_key_free(&key);
}

static void signatures_at_the_edges_are_none(void **state)
{
    struct audit_key key = audit_key_make();
    struct stk_seal seal = known_seal();
    (void)state;

    sign_seal(&key, &seal);
    memset(seal.signature, 0, sizeof(seal.signature));
    assert_false(stk_seal_signed_by(&seal, key.spki[0]));
    memset(seal.signature, 0xff, sizeof(seal.signature));
    assert_false(stk_seal_signed_by(&seal, key.spki[0]));
    audit_key_free(&key);
}

static void another_key_or_none_has_not_signed(void **state)
{
    struct audit_key key = audit_key_make();
    struct audit_key other = audit_key_make();
    struct audit_key mixed = key;
    struct stk_seal seal = known_seal();
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    (void)state;

    sign_seal(&key, &seal);
    assert_false(stk_seal_signed_by(&seal, other.spki[0]));
    /* It says that it is by the one, and is by the other. */
    sign_seal(&other, &seal);
    seal.key_id = key.key_id;
    assert_false(stk_seal_signed_by(&seal, key.spki[0]));
    assert_false(stk_seal_signed_by(&seal, other.spki[0]));
    mixed.key_id = other.key_id;
    sign_seal(&mixed, &seal);
    assert_false(stk_seal_signed_by(&seal, key.spki[0]));
    assert_false(stk_seal_signed_by(&seal, spki));
    memcpy(spki, key.spki[0], sizeof(spki));
    spki[STK_SPKI_LENGTH - 1] ^= 1; /* a point that is not on the curve */
    assert_false(stk_seal_signed_by(&seal, spki));
    audit_key_free(&key);
    audit_key_free(&other);
}

/* The line of a seal, without its newline, as the trail writes it. */
static struct stk_buffer line_of(const struct stk_seal *seal, uint64_t sequence)
{
    const struct stk_record record = {
        .act = "seal", .outcome = "ok", .key_id = &seal->key_id, .seal = seal};
    struct stk_chain chain = {.sequence = sequence - 1};
    struct stk_buffer line = {0};

    assert_int_equal(stk_line_append(&record, TIME, &chain, &line), STIRKEEP_OK);
    line.length--;
    return line;
}

static void a_seal_is_written_and_read_member_by_member(void **state)
{
    static const char expected[] =
        "{\"seq\":2003,\"time\":\"" TIME "\",\"act\":\"seal\",\"outcome\":\"ok\",\"key_id\":"
        "\"" KEY_ID "\",\"from\":1001,\"through\":2000,\"head\":"
        "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\"root\":"
        "\"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\",\"sealed\":"
        "\"" TIME "\",\"seal\":\"" SIGNATURE "\",\"prev\":\"";
    struct stk_seal seal = known_seal();
    struct stk_buffer line = line_of(&seal, 2003);
    struct stk_line read_line = {0};
    struct stk_seal read = {0};
    (void)state;

    assert_true(line.length > sizeof(expected) && line.length < 1024);
    assert_memory_equal(line.data, expected, sizeof(expected) - 1);
    assert_null(stk_line_read(line.data, line.length, &read_line));
    assert_true(read_line.seals);
    assert_true(stk_seal_read(line.data, line.length, &read));
    assert_memory_equal(&read, &seal, sizeof(seal));
    stk_buffer_free(&line);
}

/* `from` in the line's text replaced by `to`. */
static bool reads_with(const struct stk_buffer *line, const char *from, const char *to)
{
    struct stk_buffer text = {0};
    const char *start = (const char *)line->data;
    const char *place = memmem(start, line->length, from, strlen(from));
    struct stk_seal read = {.from = 77};
    bool reads = false;

    assert_non_null(place);
    (void)stk_buffer_add(&text, start, (size_t)(place - start));
    (void)stk_buffer_add_text(&text, to);
    (void)stk_buffer_add(&text, place + strlen(from),
                         line->length - (size_t)(place - start) - strlen(from));
    reads = stk_seal_read(text.data, text.length, &read);
    if (!reads)
        assert_int_equal(read.from, 77);
    stk_buffer_free(&text);
    return reads;
}

static void a_seal_is_read_in_its_one_form_alone(void **state)
{
    static const char *const other[][2] = {
        {"\"act\":\"seal\"", "\"act\":\"sign\""},
        {"\"outcome\":\"ok\"", "\"outcome\":\"begun\""},
        {"\"outcome\":\"ok\",", ""},
        {"\"outcome\":\"ok\"", "\"outcome\":\"ok\",\"detail\":\"x\""},
        {"\"from\":1001", "\"from\":01001"},
        {"\"from\":1001", "\"from\":0"},
        {"\"from\":1001", "\"from\":-1"},
        {"\"from\":1001", "\"from\":\"1001\""},
        {"\"from\":1001", "\"from\":2001"},
        {"\"from\":1001", "\"from\":99999999999999999999"},
        {"\"through\":2000", "\"through\":2003"},
        {"\"through\":2000", "\"through\":20000"},
        {"\"through\":2000", "\"through\":2000.0"},
        {"\"from\":1001,\"through\":2000", "\"through\":2000,\"from\":1001"},
        {"\"0001020304", "\"000102030"},
        {"0a0b0c0d", "0A0B0C0D"},
        {"\"sealed\":\"2026", "\"sealed\":\" 026"},
        {"24.123456Z\",\"seal\"", "24Z\",\"seal\""},
        {"\"seal\":\"34f1", "\"seal\":\"34f"},
        {"fba96e\",", "fba96e0\","},
        {"fba96e\",", "fba96e\",\"more\":1,"},
        {"\"seq\":2003", "\"seq\":2000"},
        {"{\"seq\"", "{ \"seq\""},
        {"\"key_id\":", "\"key_id\": "},
    };
    struct stk_seal seal = known_seal();
    struct stk_buffer line = line_of(&seal, 2003);
    struct stk_seal read = {0};
    (void)state;

    assert_true(reads_with(&line, "\"from\":1001", "\"from\":1002"));
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (reads_with(&line, other[i][0], other[i][1]))
            fail_msg("%s was read", other[i][1]);
    for (size_t length = 0; length < line.length - 100; length++)
        assert_false(stk_seal_read(line.data, length, &read));
    stk_buffer_free(&line);
}

static void another_record_is_no_seal(void **state)
{
    struct stk_record record = sign_record(1);
    struct stk_chain chain = {0};
    struct stk_buffer line = {0};
    struct stk_line read = {0};
    struct stk_seal seal = {0};
    (void)state;

    record.detail = "\",\"act\":\"seal\",\"outcome\":\"ok\",\"key_id\":\"";
    assert_int_equal(stk_line_append(&record, TIME, &chain, &line), STIRKEEP_OK);
    assert_null(stk_line_read(line.data, line.length - 1, &read));
    assert_false(read.seals);
    assert_false(stk_seal_read(line.data, line.length - 1, &seal));
    stk_buffer_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_as_it_is_documented),
        cmocka_unit_test(a_signature_that_others_made_is_accepted),
        cmocka_unit_test(every_part_of_a_seal_is_under_its_signature),
        cmocka_unit_test(signatures_at_the_edges_are_none),
        cmocka_unit_test(another_key_or_none_has_not_signed),
        cmocka_unit_test(a_seal_is_written_and_read_member_by_member),
        cmocka_unit_test(a_seal_is_read_in_its_one_form_alone),
        cmocka_unit_test(another_record_is_no_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
