/* SPDX-License-Identifier: BSD-2-Clause */
#include "hand.h"

#include "wire/frame.h"
#include "wire/pack.h"
#include "wire/scan.h"
#include "wire/text.h"

#include "sign.pb-c.h"
#include <stdlib.h>
#include <string.h>

/* ---- frames */

static enum stk_frame_state next(const void *data, size_t length, size_t limit)
{
    struct stk_bytes message = {(const uint8_t *)"untouched", 9};
    size_t taken = 77;
    enum stk_frame_state state = stk_frame_next(data, length, limit, &message, &taken);

    if (state != STK_FRAME_WHOLE) {
        assert_int_equal(message.length, 9);
        assert_int_equal(taken, 77);
    }
    return state;
}

static void a_frame_is_whole_at_its_last_byte_and_not_before(void **state)
{
    static const uint8_t frame[] = {0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd'};
    struct stk_bytes message = {0};
    size_t taken = 0;
    (void)state;

    for (size_t length = 0; length < 7; length++)
        assert_int_equal(next(frame, length, 3), STK_FRAME_NONE);
    for (size_t length = 7; length <= sizeof(frame); length++) {
        assert_int_equal(stk_frame_next(frame, length, 3, &message, &taken), STK_FRAME_WHOLE);
        assert_ptr_equal(message.data, frame + 4);
        assert_int_equal(message.length, 3);
        assert_int_equal(taken, 7);
    }
    assert_int_equal(stk_frame_next(frame + 7, 5, 3, &message, &taken), STK_FRAME_WHOLE);
    assert_memory_equal(message.data, "d", 1);
}

static void a_length_of_nothing_or_past_the_limit_is_known_from_the_header(void **state)
{
    static const uint8_t empty[] = {0, 0, 0, 0};
    static const uint8_t at_limit[] = {0, 1, 0, 0};
    static const uint8_t past_limit[] = {0, 1, 0, 1};
    static const uint8_t most[] = {0xff, 0xff, 0xff, 0xff};
    (void)state;

    assert_int_equal(next(empty, 4, STK_SIGN_MESSAGE_MAX), STK_FRAME_EMPTY);
    assert_int_equal(next(empty, 3, STK_SIGN_MESSAGE_MAX), STK_FRAME_NONE);
    assert_int_equal(next(at_limit, 4, STK_SIGN_MESSAGE_MAX), STK_FRAME_NONE);
    assert_int_equal(next(past_limit, 4, STK_SIGN_MESSAGE_MAX), STK_FRAME_TOO_LARGE);
    assert_int_equal(next(most, 4, STK_SIGN_MESSAGE_MAX), STK_FRAME_TOO_LARGE);
    assert_int_equal(next(most, 4, STK_ADMIN_MESSAGE_MAX), STK_FRAME_TOO_LARGE);
}

static void headers_are_big_endian(void **state)
{
    static const uint8_t wanted[] = {0x01, 0x02, 0x03, 0x04};
    uint8_t header[STK_FRAME_HEADER] = {0};
    (void)state;

    stk_frame_header(0x01020304, header);
    assert_memory_equal(header, wanted, sizeof(wanted));
}

/* ---- texts */

static void texts_are_utf8_as_rfc_3629_has_it(void **state)
{
    static const char *const valid[] = {"",
                                        "abc",
                                        "\x01\x7f",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x91 key"};
    static const char *const invalid[] = {"\x80",             /* goes on from nothing */
                                          "\xc0\x80",         /* NUL in two bytes */
                                          "\xc1\xbf",         /* ASCII in two bytes */
                                          "\xc2",             /* cut */
                                          "\xc2\x41",         /* not gone on */
                                          "\xe0\x9f\xbf",     /* two bytes' worth in three */
                                          "\xe2\x82",         /* cut */
                                          "\xe2\x82\x41",     /* not gone on */
                                          "\xed\xa0\x80",     /* surrogate */
                                          "\xed\xbf\xbf",     /* surrogate */
                                          "\xf0\x8f\xbf\xbf", /* three bytes' worth in four */
                                          "\xf0\x9f\x94",     /* cut */
                                          "\xf4\x90\x80\x80", /* past U+10FFFF */
                                          "\xf5\x80\x80\x80",
                                          "\xf8\x88\x80\x80\x80",
                                          "\xff",
                                          "\xfe"};
    (void)state;

    for (size_t i = 0; i < COUNT(valid); i++)
        assert_true(stk_text_is_valid((const uint8_t *)valid[i], strlen(valid[i])));
    for (size_t i = 0; i < COUNT(invalid); i++)
        assert_false(stk_text_is_valid((const uint8_t *)invalid[i], strlen(invalid[i])));
}

/* ASCII is read eight bytes at a time: every place of a bad byte, in every length. */
static void a_bad_byte_is_found_at_every_place(void **state)
{
    static const uint8_t bad[] = {0x00, 0x80, 0xff};
    uint8_t *text = NULL;
    (void)state;

    for (size_t length = 1; length <= 40; length++) {
        text = malloc(length);
        assert_non_null(text);
        memset(text, 'x', length);
        assert_true(stk_text_is_valid(text, length));
        for (size_t at = 0; at < length; at++) {
            for (size_t i = 0; i < COUNT(bad); i++) {
                text[at] = bad[i];
                assert_false(stk_text_is_valid(text, length));
            }
            stk_text_scrub(text, length);
            assert_int_equal(text[at], '?');
            assert_true(stk_text_is_valid(text, length));
            text[at] = 'x';
        }
        free(text);
    }
}

static void scrubbing_touches_only_what_is_bad(void **state)
{
    char text[] = "a\xff\xe2\x82\xac\xe2\x82z\xed\xa0\x80";
    (void)state;

    stk_text_scrub((uint8_t *)text, sizeof(text) - 1);
    assert_string_equal(text, "a?\xe2\x82\xac??z???");
    stk_text_scrub(NULL, 0);
}

static void a_cut_text_stays_valid_and_inside_its_room(void **state)
{
    char text[8] = "";
    (void)state;

    stk_text_cut("12345678", text, sizeof(text));
    assert_string_equal(text, "1234567");
    stk_text_cut("123456\xc3\xbc", text, sizeof(text));
    assert_string_equal(text, "123456?");
    stk_text_cut(NULL, text, sizeof(text));
    assert_string_equal(text, "");
    stk_text_cut("anything", text, 1);
    assert_string_equal(text, "");
}

/* ---- fields */

static bool scans(const char *bytes, size_t length, struct stk_wire_field *ret_field)
{
    struct stk_bytes rest = {(const uint8_t *)bytes, length};

    if (!stk_scan_cut(&rest, ret_field))
        return false;
    assert_int_equal(rest.length, 0); /* not less than nothing, either */
    return true;
}
#define SCANS(bytes, field) scans(bytes, sizeof(bytes) - 1, field)

static void numbers_have_at_most_64_bits(void **state)
{
    struct stk_wire_field field = {0};
    (void)state;

    assert_true(SCANS("\x08\x00", &field));
    assert_int_equal(field.value, 0);
    assert_true(SCANS("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &field));
    assert_true(field.value == UINT64_MAX);
    assert_false(SCANS("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", &field));
    assert_false(SCANS("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", &field));
    assert_false(SCANS("\x08", &field));
    assert_false(SCANS("\x08\x80", &field));
    assert_false(SCANS("", &field));
}

static void field_numbers_stay_in_protobufs_range(void **state)
{
    struct stk_wire_field field = {0};
    (void)state;

    assert_false(SCANS("\x00\x00", &field)); /* number 0 */
    assert_true(SCANS("\xf8\xff\xff\xff\x0f\x00", &field));
    assert_int_equal(field.number, 0x1fffffff);
    assert_false(SCANS("\x80\x80\x80\x80\x10\x00", &field));
    assert_false(SCANS("\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", &field));
}

static void groups_and_unknown_wire_types_are_refused(void **state)
{
    struct stk_wire_field field = {0};
    (void)state;

    assert_false(SCANS("\x0b\x0c", &field)); /* group */
    assert_false(SCANS("\x0c", &field));
    assert_false(SCANS("\x0e\x00", &field));
    assert_false(SCANS("\x0f\x00", &field));
    assert_true(SCANS("\x09"
                      "12345678",
                      &field));
    assert_false(SCANS("\x09"
                       "1234567",
                       &field));
    assert_true(SCANS("\x0d"
                      "1234",
                      &field));
    assert_false(SCANS("\x0d"
                       "123",
                       &field));
}

static void a_length_past_the_end_is_refused_however_large(void **state)
{
    struct stk_wire_field field = {0};
    (void)state;

    assert_true(SCANS("\x0a\x01x", &field));
    assert_false(SCANS("\x0a\x02x", &field));
    assert_false(SCANS("\x0a\xff\xff\xff\xff\x0fx", &field));
    assert_false(SCANS("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", &field));
}

static uint64_t id_of(const char *bytes, size_t length)
{
    return stk_scan_id((struct stk_bytes){(const uint8_t *)bytes, length});
}

static void an_id_is_found_in_what_is_broken_behind_it(void **state)
{
    (void)state;

    assert_int_equal(id_of("\x08\x2a\xff\xff", 4), 42);
    assert_int_equal(id_of("\x52\x01x\x08\x2a", 5), 42);
    assert_int_equal(id_of("\xff\xff\x08\x2a", 4), 0);
    assert_int_equal(id_of("\x0a\x01x\x08\x2a", 5), 0); /* field 1, but a text */
    assert_int_equal(id_of("", 0), 0);
}

/* ---- what a message may hold */

static enum stirkeep_status check(struct stk_buffer *message, enum stk_unknown unknown,
                                  struct stk_error *error)
{
    enum stirkeep_status status =
        stk_scan_check(&stirkeep__v1__request__descriptor, bytes_of(message), unknown, error);

    stk_buffer_free(message);
    return status;
}

static void unknown_fields_are_judged_by_their_depth(void **state)
{
    struct stk_buffer message = {0};
    struct stk_buffer inside = {0};
    struct stk_error error = {0};
    (void)state;

    hand_number(&message, 1, 5);
    hand_number(&message, 500, 1);
    assert_int_equal(check(&message, STK_UNKNOWN_REFUSED_IN_BODY, &error), STIRKEEP_OK);
    hand_number(&message, 500, 1);
    assert_int_equal(check(&message, STK_UNKNOWN_REFUSED, &error), STIRKEEP_UNSUPPORTED);
    hand_text(&inside, 500, "x");
    hand_inside(&message, 12, &inside);
    assert_int_equal(check(&message, STK_UNKNOWN_REFUSED_IN_BODY, &error), STIRKEEP_UNSUPPORTED);
    assert_non_null(strstr(error.message, "ping"));
    hand_text(&inside, 500, "x");
    hand_inside(&message, 12, &inside);
    assert_int_equal(check(&message, STK_UNKNOWN_IGNORED, &error), STIRKEEP_OK);
}

static void structure_is_judged_before_content_whatever_comes_first(void **state)
{
    struct stk_buffer message = {0};
    struct stk_buffer inside = {0};
    struct stk_error error = {0};
    (void)state;

    hand_text(&inside, 1, "\xff"); /* a text that is not one */
    hand_inside(&message, 11, &inside);
    hand_number(&message, 1, 5);
    hand_number(&message, 1, 6); /* twice */
    assert_int_equal(check(&message, STK_UNKNOWN_REFUSED_IN_BODY, &error), STIRKEEP_MALFORMED);
    assert_non_null(strstr(error.message, "id"));
    hand_text(&inside, 1, "a\xff");
    hand_inside(&message, 11, &inside);
    assert_int_equal(check(&message, STK_UNKNOWN_REFUSED_IN_BODY, &error), STIRKEEP_INVALID);
    assert_non_null(strstr(error.message, "list.after"));
}

static void wire_types_and_sizes_must_be_the_fields(void **state)
{
    struct stk_buffer message = {0};
    struct stk_error error = {0};
    (void)state;

    hand_text(&message, 1, "5"); /* id as a text */
    assert_int_equal(check(&message, STK_UNKNOWN_IGNORED, &error), STIRKEEP_MALFORMED);
    hand_number(&message, 10, 5); /* a message as a number */
    assert_int_equal(check(&message, STK_UNKNOWN_IGNORED, &error), STIRKEEP_MALFORMED);
    hand_number(&message, 2, UINT32_MAX);
    assert_int_equal(check(&message, STK_UNKNOWN_IGNORED, &error), STIRKEEP_OK);
    hand_number(&message, 2, (uint64_t)UINT32_MAX + 1);
    assert_int_equal(check(&message, STK_UNKNOWN_IGNORED, &error), STIRKEEP_MALFORMED);
    assert_non_null(strstr(error.message, "deadline_ms"));
}

/* ---- packing */

static void a_frame_past_its_limit_is_taken_back(void **state)
{
    struct stk_buffer out = {0};
    size_t mark = 0;
    (void)state;

    assert_int_equal(stk_buffer_add_text(&out, "abc"), STIRKEEP_OK);
    assert_int_equal(stk_pack_frame_begin(&out, &mark), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add_text(&out, "12345"), STIRKEEP_OK);
    assert_int_equal(stk_pack_frame_end(mark, 4, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 3);
    assert_int_equal(stk_pack_frame_begin(&out, &mark), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add_text(&out, "12345"), STIRKEEP_OK);
    assert_int_equal(stk_pack_frame_end(mark, 5, &out), STIRKEEP_OK);
    assert_memory_equal(out.data,
                        "abc\0\0\0\x05"
                        "12345",
                        12);
    stk_buffer_free(&out);
}

static void what_was_appended_is_closed_into_a_field(void **state)
{
    struct stk_buffer out = {0};
    struct stk_buffer wanted = {0};
    char *inside = long_text(300); /* a length of two bytes */
    (void)state;

    hand_text(&wanted, 300, inside);
    assert_int_equal(stk_buffer_add_text(&out, inside), STIRKEEP_OK);
    assert_int_equal(stk_pack_close(300, 0, &out), STIRKEEP_OK);
    assert_int_equal(out.length, wanted.length);
    assert_memory_equal(out.data, wanted.data, wanted.length);
    free(inside);
    stk_buffer_free(&wanted);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_whole_at_its_last_byte_and_not_before),
        cmocka_unit_test(a_length_of_nothing_or_past_the_limit_is_known_from_the_header),
        cmocka_unit_test(headers_are_big_endian),
        cmocka_unit_test(texts_are_utf8_as_rfc_3629_has_it),
        cmocka_unit_test(a_bad_byte_is_found_at_every_place),
        cmocka_unit_test(scrubbing_touches_only_what_is_bad),
        cmocka_unit_test(a_cut_text_stays_valid_and_inside_its_room),
        cmocka_unit_test(numbers_have_at_most_64_bits),
        cmocka_unit_test(field_numbers_stay_in_protobufs_range),
        cmocka_unit_test(groups_and_unknown_wire_types_are_refused),
        cmocka_unit_test(a_length_past_the_end_is_refused_however_large),
        cmocka_unit_test(an_id_is_found_in_what_is_broken_behind_it),
        cmocka_unit_test(unknown_fields_are_judged_by_their_depth),
        cmocka_unit_test(structure_is_judged_before_content_whatever_comes_first),
        cmocka_unit_test(wire_types_and_sizes_must_be_the_fields),
        cmocka_unit_test(a_frame_past_its_limit_is_taken_back),
        cmocka_unit_test(what_was_appended_is_closed_into_a_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
