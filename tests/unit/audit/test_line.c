/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/json.h"
#include "audit/line.h"
#include "base/digest.h"
#include "base/encode.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TIME "2026-11-25T20:06:24.123456Z"

/* The JSON string that `text` becomes. */
static char *quoted(const char *text)
{
    struct stk_buffer buffer = {0};
    struct stk_jsonl json = {.out = &buffer};
    char *result = NULL;

    stk_jsonl_string(&json, text);
    assert_int_equal(json.status, STIRKEEP_OK);
    result = strndup((const char *)buffer.data, buffer.length);
    assert_non_null(result);
    stk_buffer_free(&buffer);
    return result;
}

static void assert_quoted(const char *text, const char *expected)
{
    char *result = quoted(text);

    assert_string_equal(result, expected);
    free(result);
}

static void a_string_is_escaped_as_json_has_it(void **state)
{
    (void)state;
    assert_quoted("", "\"\"");
    assert_quoted("plain /text", "\"plain /text\"");
    assert_quoted("a\"b\\c", "\"a\\\"b\\\\c\"");
    assert_quoted("a\nb\r\t\x01\x7f", "\"a\\u000ab\\u000d\\u0009\\u0001\\u007f\"");
    assert_quoted("Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
                  "\"Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

static void what_is_not_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    assert_quoted("a\xff"
                  "b",
                  "\"a\\ufffdb\"");
    assert_quoted("\xc3", "\"\\ufffd\"");                       /* ends too early */
    assert_quoted("\xe2\x82", "\"\\ufffd\\ufffd\"");            /* ends too early */
    assert_quoted("\xc3\"", "\"\\ufffd\\\"\"");                 /* does not swallow the quote */
    assert_quoted("\xc0\xaf", "\"\\ufffd\\ufffd\"");            /* overlong '/' */
    assert_quoted("\xe0\x80\xa2", "\"\\ufffd\\ufffd\\ufffd\""); /* overlong '"' */
    assert_quoted("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* surrogate */
    assert_quoted("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* U+110000 */
    assert_quoted("\x80", "\"\\ufffd\"");
}

static void what_would_mislead_a_reader_is_escaped(void **state)
{
    (void)state;
    assert_quoted("\xc2\x9b"
                  "31m",
                  "\"\\u009b31m\"");              /* C1: a terminal's control sequence */
    assert_quoted("\xe2\x80\xa8", "\"\\u2028\""); /* line separator */
    assert_quoted("\xe2\x80\xae", "\"\\u202e\""); /* right to left override */
}

static void a_text_too_long_is_cut_and_says_so(void **state)
{
    char text[STK_JSONL_TEXT_MAX + 2];
    char *result = NULL;
    (void)state;

    memset(text, 0x01, sizeof(text));
    text[sizeof(text) - 1] = '\0';
    result = quoted(text);
    assert_int_equal(strlen(result), 2 + 6 * STK_JSONL_TEXT_MAX + 3);
    assert_string_equal(result + strlen(result) - 4, "...\"");
    free(result);
    text[STK_JSONL_TEXT_MAX] = '\0';
    result = quoted(text);
    assert_int_equal(strlen(result), 2 + 6 * STK_JSONL_TEXT_MAX);
    free(result);
}

static void numbers_reach_to_both_ends(void **state)
{
    struct stk_buffer buffer = {0};
    struct stk_jsonl json = {.out = &buffer};
    static const char expected[] = "0 18446744073709551615 -9223372036854775808 42";
    (void)state;

    stk_jsonl_unsigned(&json, 0);
    stk_jsonl_raw(&json, " ", 1);
    stk_jsonl_unsigned(&json, UINT64_MAX);
    stk_jsonl_raw(&json, " ", 1);
    stk_jsonl_signed(&json, INT64_MIN);
    stk_jsonl_raw(&json, " ", 1);
    stk_jsonl_signed(&json, 42);
    assert_int_equal(buffer.length, sizeof(expected) - 1);
    assert_memory_equal(buffer.data, expected, buffer.length);
    stk_buffer_free(&buffer);
}

static void a_failure_sticks_and_leaves_the_buffer_as_it_was(void **state)
{
    struct stk_buffer buffer = {.ceiling = 40};
    struct stk_chain chain = {0};
    struct stk_record record = sign_record(1);
    (void)state;

    assert_int_equal(stk_buffer_add_text(&buffer, "kept"), STIRKEEP_OK);
    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_TOO_LARGE);
    assert_int_equal(buffer.length, 4);
    assert_int_equal(chain.sequence, 0);
    stk_buffer_free(&buffer);
}

static json_t *parse(const struct stk_buffer *buffer)
{
    json_error_t error;
    json_t *object =
        json_loadb((const char *)buffer->data, buffer->length - 1, JSON_REJECT_DUPLICATES, &error);

    if (object == NULL)
        fail_msg("%s in %.*s", error.text, (int)buffer->length, (const char *)buffer->data);
    return object;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    assert_non_null(text);
    return text;
}

static void a_record_has_every_field_under_its_name(void **state)
{
    struct stk_buffer buffer = {0};
    struct stk_chain chain = {.sequence = 41, .digest = {0xee}};
    struct stk_record record = sign_record(UINT64_MAX);
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    json_t *object = NULL;
    (void)state;

    record.reason = "because";
    record.detail = "more";
    record.executable = "/usr/sbin/kamailio";
    record.suppressed = 7;
    record.attest_asked = "A";
    record.attest = "B";
    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
    assert_int_equal(buffer.data[buffer.length - 1], '\n');
    object = parse(&buffer);
    assert_int_equal(json_object_size(object), 26);
    assert_int_equal(json_integer_value(json_object_get(object, "seq")), 42);
    assert_string_equal(text_of(object, "time"), TIME);
    assert_string_equal(text_of(object, "act"), "sign");
    assert_string_equal(text_of(object, "outcome"), "ok");
    assert_string_equal(text_of(object, "reason"), "because");
    assert_string_equal(text_of(object, "detail"), "more");
    assert_int_equal(json_integer_value(json_object_get(object, "uid")), 1000);
    assert_int_equal(json_integer_value(json_object_get(object, "gid")), 1001);
    assert_int_equal(json_integer_value(json_object_get(object, "pid")), 4321);
    assert_string_equal(text_of(object, "executable"), "/usr/sbin/kamailio");
    assert_string_equal(text_of(object, "request_id"), "18446744073709551615");
    assert_string_equal(text_of(object, "grant"), "kamailio");
    assert_string_equal(text_of(object, "name"), "Alpha");
    assert_int_equal(json_integer_value(json_object_get(object, "generation")), 2);
    assert_memory_equal(text_of(object, "key_id"), "abcdef0000", 10);
    assert_string_equal(text_of(object, "ppt"), "shaken");
    assert_string_equal(text_of(object, "orig"), "12155550121");
    assert_int_equal(json_array_size(json_object_get(object, "dest")), 1);
    assert_string_equal(text_of(object, "attest"), "B");
    assert_string_equal(text_of(object, "attest_asked"), "A");
    assert_non_null(
        memmem(buffer.data, buffer.length, "\"attest\":\"B\",\"attest_asked\":\"A\"", 31));
    assert_string_equal(text_of(object, "origid"), "123e4567-e89b-12d3-a456-426655440000");
    assert_int_equal(json_integer_value(json_object_get(object, "iat")), 1443208345);
    assert_int_equal(json_integer_value(json_object_get(object, "suppressed")), 7);
    assert_memory_equal(text_of(object, "sig"), "5a00", 4);
    assert_memory_equal(text_of(object, "prev"), "ee00", 4);
    assert_int_equal(strlen(text_of(object, "sum")), 16);
    stk_sha256(buffer.data, buffer.length - 1, digest);
    assert_memory_equal(digest, chain.digest, sizeof(digest));
    assert_int_equal(chain.sequence, 42);
    json_decref(object);
    stk_buffer_free(&buffer);
}

static void what_was_asked_for_is_told_only_when_it_is_not_what_was_given(void **state)
{
    struct stk_buffer buffer = {0};
    struct stk_chain chain = {0};
    struct stk_record record = sign_record(1);
    (void)state;

    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
    record.attest_asked = "";
    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
    assert_null(memmem(buffer.data, buffer.length, "attest_asked", 12));
    stk_buffer_free(&buffer);
}

static void an_act_of_the_service_has_no_empty_fields(void **state)
{
    struct stk_buffer buffer = {0};
    struct stk_chain chain = {0};
    struct stk_record record = {.act = "start", .outcome = "ok", .detail = "", .name = ""};
    json_t *object = NULL;
    (void)state;

    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
    object = parse(&buffer);
    assert_int_equal(json_object_size(object), 6); /* seq time act outcome prev sum */
    json_decref(object);
    stk_buffer_free(&buffer);
}

/* Texts that try to end their string, to forge the chain's members or to begin a line. */
static const char *const hostile[] = {
    "\",\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\"",
    "x\"}\n{\"seq\":2,\"time\":\"2026-11-25T20:06:24.123456Z\",\"act\":\"sign\"",
    "\\",
    "\\\"",
    "\xc3\"",
    "\xf0\x9f\x98\",\"sum\":\"0000000000000000\"}",
    "\",\"act\":\"continue\",\"x\":\"",
    "\x1b[2J\x1b]0;owned\x07",
};

static void no_text_gets_out_of_its_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const char *dest[] = {hostile[i], hostile[i]};
        struct stk_record record = {.act = "refuse",
                                    .outcome = "invalid",
                                    .reason = hostile[i],
                                    .name = hostile[i],
                                    .orig = hostile[i],
                                    .dest = dest,
                                    .dest_count = 2,
                                    .attest_asked = hostile[i],
                                    .origid = hostile[i]};
        struct stk_buffer buffer = {0};
        struct stk_chain chain = {0};
        struct stk_chain again = {0};
        struct stk_line line = {0};
        json_t *object = NULL;

        assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
        assert_ptr_equal(memchr(buffer.data, '\n', buffer.length), buffer.data + buffer.length - 1);
        object = parse(&buffer);
        assert_int_equal(json_object_size(object), 12);
        assert_int_equal(json_integer_value(json_object_get(object, "seq")), 1);
        assert_string_equal(text_of(object, "act"), "refuse");
        if (strchr(hostile[i], '\xc3') == NULL && strchr(hostile[i], '\xf0') == NULL)
            assert_string_equal(text_of(object, "name"), hostile[i]);
        assert_null(stk_line_read(buffer.data, buffer.length - 1, &line));
        assert_false(line.continues);
        assert_null(stk_line_follow(&line, &again));
        assert_memory_equal(&chain, &again, sizeof(chain));
        json_decref(object);
        stk_buffer_free(&buffer);
    }
}

static void the_longest_record_is_shorter_than_the_limit_of_a_line(void **state)
{
    char text[STK_JSONL_TEXT_MAX + 1];
    const char *dest[STK_DEST_MAX + 8];
    struct stk_record record = sign_record(UINT64_MAX);
    struct stk_buffer buffer = {0};
    struct stk_chain chain = {.sequence = UINT64_MAX - 1};
    (void)state;

    memset(text, 0x01, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < sizeof(dest) / sizeof(dest[0]); i++)
        dest[i] = text;
    record.act = record.outcome = record.reason = record.detail = record.name = record.ppt = text;
    record.orig = record.attest = record.attest_asked = record.origid = record.grant = text;
    record.dest = dest;
    record.dest_count = sizeof(dest) / sizeof(dest[0]);
    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
    assert_true(buffer.length < STK_LINE_MAX);
    stk_buffer_free(&buffer);
}

static void any_flipped_bit_of_a_line_is_found(void **state)
{
    struct stk_record record = sign_record(3);
    struct stk_buffer buffer = {0};
    struct stk_chain chain = {0};
    struct stk_line line = {0};
    (void)state;

    assert_int_equal(stk_line_append(&record, TIME, &chain, &buffer), STIRKEEP_OK);
    assert_null(stk_line_read(buffer.data, buffer.length - 1, &line));
    for (size_t bit = 0; bit < 8 * (buffer.length - 1); bit++) {
        buffer.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_non_null(stk_line_read(buffer.data, buffer.length - 1, &line));
        buffer.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t length = 0; length < buffer.length - 1; length++)
        assert_non_null(stk_line_read(buffer.data, length, &line));
    stk_buffer_free(&buffer);
}

/* Give `text` a sum that fits, as somebody would who writes lines by hand. */
static const char *read_with_fitting_sum(const char *body)
{
    struct stk_buffer buffer = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    char hex[2 * STK_LINE_SUM_LENGTH + 1] = "";
    struct stk_line line = {0};
    const char *wrong = NULL;

    (void)stk_buffer_add_text(&buffer, body);
    (void)stk_buffer_add_text(&buffer, ",\"prev\":\"0000000000000000000000000000000000000000000000"
                                       "000000000000000000\"");
    stk_sha256(buffer.data, buffer.length, digest);
    stk_hex_encode(digest, STK_LINE_SUM_LENGTH, hex);
    (void)stk_buffer_add_text(&buffer, ",\"sum\":\"");
    (void)stk_buffer_add_text(&buffer, hex);
    (void)stk_buffer_add_text(&buffer, "\"}");
    wrong = stk_line_read(buffer.data, buffer.length, &line);
    stk_buffer_free(&buffer);
    return wrong;
}

static void a_line_must_begin_like_a_record_whatever_its_sum(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{\"seq\":",
        "{\"seq\":1",
        "{\"seq\":0,\"time\":\"" TIME "\",\"act\":\"sign\"",
        "{\"seq\":01,\"time\":\"" TIME "\",\"act\":\"sign\"",
        "{\"seq\":-1,\"time\":\"" TIME "\",\"act\":\"sign\"",
        "{\"seq\":99999999999999999999,\"time\":\"" TIME "\",\"act\":\"sign\"",
        "{\"seq\": 1,\"time\":\"" TIME "\",\"act\":\"sign\"",
        "{\"seq\":1,\"time\":\"2026\",\"act\":\"sign\"",
        "{\"seq\":1,\"time\":\"" TIME "\",\"name\":\"x\",\"act\":\"sign\"",
        "[1",
    };
    (void)state;

    assert_null(read_with_fitting_sum("{\"seq\":1,\"time\":\"" TIME "\",\"act\":\"sign\""));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(read_with_fitting_sum(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_is_escaped_as_json_has_it),
        cmocka_unit_test(what_is_not_utf8_becomes_the_replacement_character),
        cmocka_unit_test(what_would_mislead_a_reader_is_escaped),
        cmocka_unit_test(a_text_too_long_is_cut_and_says_so),
        cmocka_unit_test(numbers_reach_to_both_ends),
        cmocka_unit_test(a_failure_sticks_and_leaves_the_buffer_as_it_was),
        cmocka_unit_test(a_record_has_every_field_under_its_name),
        cmocka_unit_test(what_was_asked_for_is_told_only_when_it_is_not_what_was_given),
        cmocka_unit_test(an_act_of_the_service_has_no_empty_fields),
        cmocka_unit_test(no_text_gets_out_of_its_string),
        cmocka_unit_test(the_longest_record_is_shorter_than_the_limit_of_a_line),
        cmocka_unit_test(any_flipped_bit_of_a_line_is_found),
        cmocka_unit_test(a_line_must_begin_like_a_record_whatever_its_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
