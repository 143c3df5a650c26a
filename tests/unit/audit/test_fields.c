/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/fields.h"
#include "audit/line.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME "2026-10-25T20:06:24.123456Z"
#define START "{\"seq\":7,\"time\":\"" TIME "\""

static struct stk_bytes bytes_of(const char *text)
{
    return (struct stk_bytes){(const uint8_t *)text, strlen(text)};
}

static struct stk_buffer line_of(const struct stk_record *record)
{
    struct stk_chain chain = {.sequence = 6};
    struct stk_buffer line = {0};

    assert_int_equal(stk_line_append(record, TIME, &chain, &line), STIRKEEP_OK);
    line.length--;
    return line;
}

/* A text of a line resolved; the caller frees it. */
static char *text_of(struct stk_bytes raw)
{
    struct stk_buffer out = {0};
    char *text = NULL;

    assert_int_equal(stk_fields_text(raw, &out), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    text = strdup((const char *)out.data);
    assert_non_null(text);
    assert_int_equal(strlen(text) + 1, out.length);
    stk_buffer_free(&out);
    return text;
}

static void assert_text(struct stk_bytes raw, const char *expected)
{
    char *text = text_of(raw);

    assert_string_equal(text, expected);
    free(text);
}

static void every_member_of_a_record_is_found(void **state)
{
    static const char *const dest[] = {"12155550131", "sip:a\"b@example.com"};
    struct stk_record record = sign_record(UINT64_MAX);
    struct stk_fields fields = {0};
    struct stk_bytes rest = {0};
    struct stk_bytes text = {0};
    struct stk_buffer line = {0};
    (void)state;

    record.reason = "why \\ and \"how\"";
    record.detail = "line\nfeed";
    record.executable = "/usr/sbin/kamailio";
    record.dest = dest;
    record.dest_count = 2;
    record.attest_asked = "B";
    record.suppressed = 12;
    line = line_of(&record);
    assert_true(stk_fields_read((struct stk_bytes){line.data, line.length}, &fields));
    assert_int_equal(fields.sequence, 7);
    assert_true(fields.real_us == NOW_US);
    assert_true(fields.has_peer);
    assert_int_equal(fields.uid, 1000);
    assert_int_equal(fields.gid, 1001);
    assert_int_equal(fields.pid, 4321);
    assert_int_equal(fields.generation, 2);
    assert_int_equal(fields.iat, 1443208345);
    assert_int_equal(fields.suppressed, 12);
    assert_int_equal(fields.from, 0);
    assert_true(stk_fields_equal(fields.time, TIME));
    assert_true(stk_fields_equal(fields.act, "sign"));
    assert_true(stk_fields_equal(fields.outcome, "ok"));
    assert_true(stk_fields_equal(fields.executable, "/usr/sbin/kamailio"));
    assert_true(stk_fields_equal(fields.request_id, "18446744073709551615"));
    assert_true(stk_fields_equal(fields.grant, "kamailio"));
    assert_true(stk_fields_equal(fields.name, "Alpha"));
    assert_true(stk_fields_equal(fields.ppt, "shaken"));
    assert_true(stk_fields_equal(fields.orig, "12155550121"));
    assert_true(stk_fields_equal(fields.attest, "A"));
    assert_true(stk_fields_equal(fields.attest_asked, "B"));
    assert_int_equal(fields.key_id.length, 64);
    assert_int_equal(fields.sig.length, 64);
    assert_int_equal(fields.prev.length, 64);
    assert_int_equal(fields.sum.length, 16);
    assert_int_equal(fields.seal.length, 0);
    assert_text(fields.reason, "why \\ and \"how\"");
    assert_text(fields.detail, "line\nfeed");
    rest = fields.dest;
    assert_true(stk_fields_next_dest(&rest, &text));
    assert_text(text, "12155550131");
    assert_true(stk_fields_next_dest(&rest, &text));
    assert_text(text, "sip:a\"b@example.com");
    assert_false(stk_fields_next_dest(&rest, &text));
    assert_false(stk_fields_next_dest(&rest, &text));
    stk_buffer_free(&line);
}

static void a_record_without_a_peer_or_numbers_has_none(void **state)
{
    const struct stk_record record = {.act = "start", .outcome = "ok"};
    struct stk_buffer line = line_of(&record);
    struct stk_fields fields = {.uid = 5, .has_peer = true};
    struct stk_bytes text = {0};
    (void)state;

    assert_true(stk_fields_read((struct stk_bytes){line.data, line.length}, &fields));
    assert_false(fields.has_peer);
    assert_int_equal(fields.uid, 0);
    assert_int_equal(fields.dest.length, 0);
    assert_false(stk_fields_next_dest(&fields.dest, &text));
    stk_buffer_free(&line);
}

static void root_is_a_peer(void **state)
{
    struct stk_fields fields = {0};
    (void)state;

    assert_true(
        stk_fields_read(bytes_of(START ",\"act\":\"x\",\"uid\":0,\"gid\":0,\"pid\":0}"), &fields));
    assert_true(fields.has_peer);
    assert_int_equal(fields.uid, 0);
}

static void other_lines_are_refused(void **state)
{
    static const char *const others[] = {
        "",
        "{",
        "{}",
        "[]",
        START,
        START ",",
        START "}}",
        START "} ",
        " " START "}",
        START ",\"act\":\"sign\"",
        START ",\"act\":\"sign}",
        START ",\"act\":\"sign\\\"}",
        START ",\"act\":sign}",
        START ",\"act\":7}",
        START ",\"act\":null}",
        START ",\"act\" :\"x\"}",
        START ", \"act\":\"x\"}",
        START ",\"color\":\"x\"}",
        START ",\"\":\"x\"}",
        START ",\"ac\":\"x\"}",
        START ",\"actx\":\"x\"}",
        START ",\"act\":\"x\",\"act\":\"x\"}",
        START ",\"outcome\":\"x\",\"act\":\"x\"}",
        START ",\"uid\":\"7\"}",
        START ",\"uid\":-1}",
        START ",\"uid\":07}",
        START ",\"uid\":}",
        START ",\"uid\":7.0}",
        START ",\"uid\":4294967296}",
        START ",\"iat\":-}",
        START ",\"iat\":99999999999999999999}",
        START ",\"dest\":\"x\"}",
        START ",\"dest\":[]}",
        START ",\"dest\":[\"x\"}",
        START ",\"dest\":[\"x\",]}",
        START ",\"dest\":[7]}",
        START ",\"act\":\"\x01\"}",
        START ",\"act\":\"\x7f\"}",
        START ",\"act\":\"\n\"}",
        START ",\"act\":\"\xff\"}",
        START ",\"act\":\"\xc0\xaf\"}",
        START ",\"act\":\"\xed\xa0\x80\"}",
        START ",\"act\":\"\xc2\x9b\"}",     /* CSI */
        START ",\"act\":\"\xe2\x80\xae\"}", /* right to left */
        "{\"time\":\"" TIME "\",\"act\":\"x\"}",
        "{\"seq\":7,\"act\":\"x\"}",
        "{\"seq\":0,\"time\":\"" TIME "\"}",
        "{\"seq\":07,\"time\":\"" TIME "\"}",
        "{\"seq\":7,\"time\":\"2026-10-25T20:06:24Z\"}",
        "{\"seq\":7,\"time\":\"2026-10-25 20:06:24.123456Z\"}",
    };
    struct stk_fields fields = {.sequence = 77};
    (void)state;

    assert_true(stk_fields_read(bytes_of(START "}"), &fields));
    assert_true(stk_fields_read(bytes_of(START ",\"act\":\"\xc3\xa4\"}"), &fields));
    fields.sequence = 77;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (stk_fields_read(bytes_of(others[i]), &fields))
            fail_msg("%s was taken", others[i]);
        assert_int_equal(fields.sequence, 77);
    }
}

static void texts_are_resolved(void **state)
{
    static const struct {
        const char *raw;
        const char *text;
    } known[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\\\"b\\\\c\\/d", "a\"b\\c/d"},
        {"\\b\\f\\n\\r\\t", "\b\f\n\r\t"},
        {"\\u001b[1m\\u009b", "\x1b[1m\xc2\x9b"},
        {"\\u00e4\\u00E4", "\xc3\xa4\xc3\xa4"},
        {"\\ud83d\\ude00!", "\xf0\x9f\x98\x80!"},
        {"\\ufffd", "\xef\xbf\xbd"},
        {"\\u0000x", "\xef\xbf\xbdx"},
        {"\\ud83dx", "\xef\xbf\xbdx"},
        {"\\ude00", "\xef\xbf\xbd"},
        {"\\ud83d\\u0041", "\xef\xbf\xbd\x41"},
        {"\\u12", "\xef\xbf\xbd\x31\x32"},
        {"\\u12g4", "\xef\xbf\xbd\x31\x32g4"},
        {"\\x", "\xef\xbf\xbdx"},
        {"x\\", "x\xef\xbf\xbd"},
        {"\\u", "\xef\xbf\xbd"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_text(bytes_of(known[i].raw), known[i].text);
}

static void a_text_that_does_not_fit_leaves_nothing(void **state)
{
    struct stk_buffer out = {.ceiling = 8};
    (void)state;

    assert_int_equal(stk_buffer_add(&out, "ab", 2), STIRKEEP_OK);
    assert_int_equal(stk_fields_text(bytes_of("cd\\nefghij"), &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 2);
    stk_buffer_free(&out);
}

/* In memory of its own length, so that a byte read behind it is noticed. */
static bool reads_alone(const uint8_t *data, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    struct stk_fields fields = {0};
    struct stk_bytes text = {0};
    bool reads = false;

    assert_non_null(copy);
    memcpy(copy, data, length);
    reads = stk_fields_read((struct stk_bytes){copy, length}, &fields);
    while (reads && stk_fields_next_dest(&fields.dest, &text))
        free(text_of(text));
    free(copy);
    return reads;
}

static void no_part_of_a_line_is_a_line(void **state)
{
    struct stk_record record = sign_record(3);
    struct stk_buffer line = line_of(&record);
    (void)state;

    assert_true(reads_alone(line.data, line.length));
    for (size_t length = 0; length < line.length; length++)
        assert_false(reads_alone(line.data, length));
    for (size_t at = 0; at < line.length; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            line.data[at] ^= (uint8_t)(1U << bit);
            (void)reads_alone(line.data, line.length);
            line.data[at] ^= (uint8_t)(1U << bit);
        }
    stk_buffer_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_of_a_record_is_found),
        cmocka_unit_test(a_record_without_a_peer_or_numbers_has_none),
        cmocka_unit_test(root_is_a_peer),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test(texts_are_resolved),
        cmocka_unit_test(a_text_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(no_part_of_a_line_is_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
