/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames, texts, and the reading of single fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "surgery.h"
#include "wire/frame.h"
#include "wire/pack.h"
#include "wire/text.h"
#include <stdlib.h>
#include <string.h>

/* ---- frames */

static void frames_are_cut_one_by_one(void **state)
{
    static const uint8_t data[] = {0, 0, 0, 1, 'a', 0, 0, 0, 3, 'b', 'c', 'd', 0, 0};
    struct stk_bytes message = {0};
    size_t taken = 0;
    (void)state;

    assert_int_equal(stk_frame_next(data, sizeof(data), 10, &message, &taken), STK_FRAME_WHOLE);
    assert_int_equal(taken, 5);
    assert_int_equal(message.length, 1);
    assert_ptr_equal(message.data, data + 4);
    assert_int_equal(stk_frame_next(data + 5, sizeof(data) - 5, 10, &message, &taken),
                     STK_FRAME_WHOLE);
    assert_int_equal(taken, 7);
    assert_memory_equal(message.data, "bcd", 3);
    assert_int_equal(stk_frame_next(data + 12, 2, 10, &message, &taken), STK_FRAME_NONE);
}

static void a_frame_is_not_whole_before_its_last_byte(void **state)
{
    static const uint8_t data[] = {0, 0, 0, 3, 'a', 'b', 'c'};
    (void)state;

    for (size_t length = 0; length < sizeof(data); length++) {
        struct stk_bytes message = {(const uint8_t *)"untouched", 9};
        uint8_t *copy = malloc(length + 1);
        size_t taken = 99;

        assert_non_null(copy);
        memcpy(copy, data, length);
        assert_int_equal(stk_frame_next(copy, length, 10, &message, &taken), STK_FRAME_NONE);
        assert_int_equal(taken, 99);
        assert_int_equal(message.length, 9);
        free(copy);
    }
}

static void a_frame_past_the_limit_is_known_by_its_header(void **state)
{
    static const uint8_t fits[] = {0, 1, 0, 0};
    static const uint8_t too_large[] = {0, 1, 0, 1};
    static const uint8_t largest[] = {0xff, 0xff, 0xff, 0xff};
    static const uint8_t empty[] = {0, 0, 0, 0};
    struct stk_bytes message = {0};
    size_t taken = 0;
    (void)state;

    assert_int_equal(stk_frame_next(fits, 4, STK_SIGN_MESSAGE_MAX, &message, &taken),
                     STK_FRAME_NONE);
    assert_int_equal(stk_frame_next(too_large, 4, STK_SIGN_MESSAGE_MAX, &message, &taken),
                     STK_FRAME_TOO_LARGE);
    assert_int_equal(stk_frame_next(largest, 4, STK_ADMIN_MESSAGE_MAX, &message, &taken),
                     STK_FRAME_TOO_LARGE);
    assert_int_equal(stk_frame_next(largest, 4, SIZE_MAX, &message, &taken), STK_FRAME_NONE);
    assert_int_equal(stk_frame_next(empty, 4, STK_SIGN_MESSAGE_MAX, &message, &taken),
                     STK_FRAME_EMPTY);
    assert_int_equal(stk_frame_next(NULL, 0, STK_SIGN_MESSAGE_MAX, &message, &taken),
                     STK_FRAME_NONE);
}

static void a_header_reads_back(void **state)
{
    static const size_t lengths[] = {1, 255, 256, 65536, 0x01020304, UINT32_MAX};
    (void)state;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint8_t header[STK_FRAME_HEADER];
        struct stk_bytes message = {0};
        size_t taken = 0;

        stk_frame_header(lengths[i], header);
        assert_int_equal(header[0], lengths[i] >> 24 & 0xff);
        assert_int_equal(header[3], lengths[i] & 0xff);
        assert_int_equal(stk_frame_next(header, 4, lengths[i], &message, &taken), STK_FRAME_NONE);
        assert_int_equal(stk_frame_next(header, 4, lengths[i] - 1, &message, &taken),
                         STK_FRAME_TOO_LARGE);
    }
}

static void a_frame_that_outgrew_its_limit_is_taken_back(void **state)
{
    struct stk_buffer out = {0};
    size_t mark = 0;
    (void)state;

    assert_int_equal(stk_buffer_add(&out, "before", 6), STIRKEEP_OK);
    assert_int_equal(stk_pack_frame_begin(&out, &mark), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "12345", 5), STIRKEEP_OK);
    assert_int_equal(stk_pack_frame_end(mark, 4, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 6);
    assert_int_equal(stk_pack_frame_begin(&out, &mark), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "1234", 4), STIRKEEP_OK);
    assert_int_equal(stk_pack_frame_end(mark, 4, &out), STIRKEEP_OK);
    assert_memory_equal(out.data, "before\0\0\0\0041234", 14);
    stk_buffer_free(&out);
}

static void what_is_closed_moves_behind_its_prefix(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384, 70000};
    (void)state;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct stk_buffer out = {0};
        struct stk_buffer expected = {0};
        char *inside = calloc(1, lengths[i] + 1);

        assert_non_null(inside);
        memset(inside, 'i', lengths[i]);
        assert_int_equal(stk_buffer_add(&out, "b", 1), STIRKEEP_OK);
        assert_int_equal(stk_buffer_add(&expected, "b", 1), STIRKEEP_OK);
        assert_int_equal(stk_buffer_add(&out, inside, lengths[i]), STIRKEEP_OK);
        assert_int_equal(stk_pack_close(100, 1, &out), STIRKEEP_OK);
        put_bytes(100, inside, lengths[i], &expected);
        assert_int_equal(out.length, expected.length);
        assert_memory_equal(out.data, expected.data, expected.length);
        stk_buffer_free(&out);
        stk_buffer_free(&expected);
        free(inside);
    }
}

/* ---- texts */

/* RFC 3629 section 4, word for word: the ranges of each byte. */
static bool valid_by_the_grammar(const uint8_t *text, size_t length)
{
    static const struct {
        unsigned count;
        uint8_t low[4];
        uint8_t high[4];
    } rows[] = {{1, {0x01}, {0x7f}},
                {2, {0xc2, 0x80}, {0xdf, 0xbf}},
                {3, {0xe0, 0xa0, 0x80}, {0xe0, 0xbf, 0xbf}},
                {3, {0xe1, 0x80, 0x80}, {0xec, 0xbf, 0xbf}},
                {3, {0xed, 0x80, 0x80}, {0xed, 0x9f, 0xbf}},
                {3, {0xee, 0x80, 0x80}, {0xef, 0xbf, 0xbf}},
                {4, {0xf0, 0x90, 0x80, 0x80}, {0xf0, 0xbf, 0xbf, 0xbf}},
                {4, {0xf1, 0x80, 0x80, 0x80}, {0xf3, 0xbf, 0xbf, 0xbf}},
                {4, {0xf4, 0x80, 0x80, 0x80}, {0xf4, 0x8f, 0xbf, 0xbf}}};
    size_t at = 0;

    while (at < length) {
        bool found = false;

        for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]) && !found; row++) {
            found = rows[row].count <= length - at;
            for (unsigned i = 0; i < rows[row].count && found; i++)
                found = text[at + i] >= rows[row].low[i] && text[at + i] <= rows[row].high[i];
            at += found ? rows[row].count : 0;
        }
        if (!found)
            return false;
    }
    return true;
}

/* All pairs of bytes at once, then behind them the bytes at which something changes. */
static void texts_are_judged_as_the_grammar_does(void **state)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                    0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff};
    (void)state;

    for (unsigned pair = 0; pair < 65536; pair++) {
        uint8_t text[4] = {(uint8_t)(pair >> 8), (uint8_t)pair, 0, 0};

        assert_int_equal(stk_text_is_valid(text, 1), valid_by_the_grammar(text, 1));
        assert_int_equal(stk_text_is_valid(text, 2), valid_by_the_grammar(text, 2));
        for (unsigned i = 0; i < 256 && text[0] >= 0xe0; i++) {
            text[2] = edges[i / 16];
            text[3] = edges[i % 16];
            assert_int_equal(stk_text_is_valid(text, 3), valid_by_the_grammar(text, 3));
            assert_int_equal(stk_text_is_valid(text, 4), valid_by_the_grammar(text, 4));
        }
    }
}

/* Eight bytes are looked at at once: at each place in them and behind. */
static void a_bad_byte_is_found_wherever_it_is(void **state)
{
    static const uint8_t bad[] = {0x00, 0x80, 0xff};
    (void)state;

    for (size_t length = 1; length <= 40; length++)
        for (size_t at = 0; at < length; at++)
            for (size_t i = 0; i < sizeof(bad); i++) {
                uint8_t *text = malloc(length);

                assert_non_null(text);
                memset(text, at % 2 == 0 ? 0x01 : 0x7f, length);
                assert_true(stk_text_is_valid(text, length));
                text[at] = bad[i];
                assert_false(stk_text_is_valid(text, length));
                stk_text_scrub(text, length);
                assert_true(stk_text_is_valid(text, length));
                assert_int_equal(text[at], '?');
                assert_ptr_equal(memchr(text, '?', length), text + at);
                free(text);
            }
}

static void scrubbing_leaves_what_is_valid(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } texts[] = {{"", ""},
                 {"plain", "plain"},
                 {"Z\xc3\xbcrich", "Z\xc3\xbcrich"},
                 {"Z\xfcrich", "Z?rich"},
                 {"\xe2\x82", "??"},
                 {"\xf0\x9f\x93\x9e!", "\xf0\x9f\x93\x9e!"},
                 {"\xed\xa0\x80", "???"},
                 {"a\xc3", "a?"}};
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[32] = "";

        memcpy(text, texts[i].before, strlen(texts[i].before));
        stk_text_scrub((uint8_t *)text, strlen(text));
        assert_string_equal(text, texts[i].after);
    }
}

static void a_cut_text_ends_and_is_valid(void **state)
{
    char text[5];
    (void)state;

    memset(text, 'x', sizeof(text));
    stk_text_cut(NULL, text, sizeof(text));
    assert_string_equal(text, "");
    stk_text_cut("abcd", text, sizeof(text));
    assert_string_equal(text, "abcd");
    stk_text_cut("abc\xc3\xa9", text, sizeof(text));
    assert_string_equal(text, "abc?");
    stk_text_cut("abcdefgh", text, 1);
    assert_string_equal(text, "");
}

/* ---- fields */

static uint64_t id_in(const char *bytes, size_t length)
{
    return stk_scan_id((struct stk_bytes){(const uint8_t *)bytes, length});
}

static void an_id_is_told_as_far_as_it_can_be_read(void **state)
{
    (void)state;

    assert_int_equal(id_in("", 0), 0);
    assert_int_equal(id_in("\x08\x07", 2), 7);
    assert_int_equal(id_in("\x08\x07\xff\xff", 4), 7);
    assert_int_equal(id_in("\x10\x05\x08\x07", 4), 7);
    assert_int_equal(id_in("\x10\x80", 2), 0);
    assert_int_equal(id_in("\x08", 1), 0);
    assert_int_equal(id_in("\x0a\x01\x07", 3), 0); /* a text */
    assert_true(id_in("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11) == UINT64_MAX);
}

static void what_is_inside_of_a_field_is_told_as_far_as_it_can_be_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *inside;
    } cases[] = {
        {"", 0, NULL},
        {"\x0a\x02hi", 4, "hi"},
        {"\x10\x05\x0a\x02hi", 6, "hi"},
        {"\x0a\x02hi\x0a\x02ho", 8, "hi"},
        {"\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x0a\x02hi", 18, "hi"},
        {"\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x10\x05\x0a\x02hi", 20, NULL},
        {"\x0a\x03hi", 4, NULL},      /* cut off */
        {"\x12\x02hi", 4, NULL},      /* another field */
        {"\x08\x07", 2, NULL},        /* a number */
        {"\xff\x0a\x02hi", 5, NULL}}; /* no field */
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stk_bytes inside = stk_scan_inside(
            (struct stk_bytes){(const uint8_t *)cases[i].bytes, cases[i].length}, 1);

        if (cases[i].inside == NULL) {
            assert_null(inside.data);
            assert_int_equal(inside.length, 0);
        } else {
            assert_int_equal(inside.length, strlen(cases[i].inside));
            assert_memory_equal(inside.data, cases[i].inside, inside.length);
        }
    }
}

static void numbers_of_every_length_are_read(void **state)
{
    (void)state;

    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t number = (uint64_t)1 << bit | 1;
        struct stk_buffer out = {0};
        struct stk_wire_field field = {0};
        struct stk_bytes rest = {0};

        put_number(0x1fffffff, number, &out);
        rest = (struct stk_bytes){out.data, out.length};
        assert_true(stk_scan_cut(&rest, &field));
        assert_int_equal(rest.length, 0);
        assert_int_equal(field.number, 0x1fffffff);
        assert_true(field.value == number);
        for (size_t length = 0; length < out.length; length++) {
            rest = (struct stk_bytes){out.data, length};
            assert_false(stk_scan_cut(&rest, &field));
        }
        stk_buffer_free(&out);
    }
}

static void a_field_ends_inside_what_it_is_read_from(void **state)
{
    static const unsigned wire_types[] = {0, 1, 2, 5};
    (void)state;

    for (size_t i = 0; i < sizeof(wire_types) / sizeof(wire_types[0]); i++) {
        struct stk_wire_field field = {.number = 99};
        struct stk_buffer out = {0};
        struct stk_bytes rest = {0};

        if (wire_types[i] == 2)
            put_bytes(7, "inside", 6, &out);
        else
            put_field(7, wire_types[i], &out);
        for (size_t length = 0; length < out.length; length++) {
            rest = (struct stk_bytes){out.data, length};
            assert_false(stk_scan_cut(&rest, &field));
            assert_int_equal(field.number, 99);
        }
        rest = (struct stk_bytes){out.data, out.length};
        assert_true(stk_scan_cut(&rest, &field));
        assert_int_equal(rest.length, 0);
        assert_int_equal(field.type, wire_types[i]);
        assert_int_equal(field.inside.length, wire_types[i] == 2 ? 6 : 0);
        stk_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_cut_one_by_one),
        cmocka_unit_test(a_frame_is_not_whole_before_its_last_byte),
        cmocka_unit_test(a_frame_past_the_limit_is_known_by_its_header),
        cmocka_unit_test(a_header_reads_back),
        cmocka_unit_test(a_frame_that_outgrew_its_limit_is_taken_back),
        cmocka_unit_test(what_is_closed_moves_behind_its_prefix),
        cmocka_unit_test(texts_are_judged_as_the_grammar_does),
        cmocka_unit_test(a_bad_byte_is_found_wherever_it_is),
        cmocka_unit_test(scrubbing_leaves_what_is_valid),
        cmocka_unit_test(a_cut_text_ends_and_is_valid),
        cmocka_unit_test(an_id_is_told_as_far_as_it_can_be_read),
        cmocka_unit_test(a_field_ends_inside_what_it_is_read_from),
        cmocka_unit_test(what_is_inside_of_a_field_is_told_as_far_as_it_can_be_read),
        cmocka_unit_test(numbers_of_every_length_are_read),
    };

    return cmocka_run_group_tests_name("wire-parts", tests, NULL, NULL);
}
