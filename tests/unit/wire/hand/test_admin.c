/* SPDX-License-Identifier: BSD-2-Clause */
/* Administrators' messages that no command of ours would send, and answers that intake would not. */
#include "hand.h"

#include "wire/codec_admin.h"
#include <stdlib.h>
#include <string.h>

/* proto/stirkeep/v1/admin.proto */
enum { REQUEST_IMPORT = 11, REQUEST_SOURCE_REMOVED, REQUEST_LIST, REQUEST_SHOW, REQUEST_RETIRE };
enum { RESPONSE_WRAPPING_KEY = 10, RESPONSE_IMPORTED, RESPONSE_LISTED = 13, RESPONSE_SHOWN };

static const uint8_t key_id[STK_KEY_ID_LENGTH + 1] = {9, 8, 7};

static enum stirkeep_status try_request(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_admin_request request = {.how = "untouched"};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_admin_request_decode(message, arena, &request, &error);

    if (status != STIRKEEP_OK) {
        assert_string_equal(request.how, "untouched");
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
    }
    return status;
}

static enum stirkeep_status try_response(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_admin_response response = {.message = "untouched"};
    enum stirkeep_status status = stk_admin_response_decode(message, arena, &response, NULL);

    if (status != STIRKEEP_OK)
        assert_string_equal(response.message, "untouched");
    return status;
}

struct import {
    const char *name;
    size_t certificates;
    size_t certificate_length;
    size_t sealed_length;
    const char *x5u;
    size_t source_length;
};

static const struct import good = {"Alpha", 2, 100, 300, "", 20};

static void write_import(struct stk_buffer *body, const struct import *import)
{
    char *filler = long_text(STK_CERT_DER_MAX + 1);

    hand_text(body, 1, import->name);
    for (size_t i = 0; i < import->certificates; i++)
        hand_bytes(body, 2, filler, import->certificate_length);
    hand_bytes(body, 3, filler, import->sealed_length);
    hand_text(body, 4, import->x5u);
    hand_bytes(body, 5, filler, import->source_length);
    free(filler);
}

static enum stirkeep_status decode_body(uint32_t number, struct stk_buffer *body,
                                        try_decode *decode)
{
    struct stk_buffer message = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    hand_inside(&message, number, body);
    status = decode_once(decode, bytes_of(&message));
    stk_buffer_free(&message);
    return status;
}

static enum stirkeep_status decode_import(const struct import *import)
{
    struct stk_buffer body = {0};

    write_import(&body, import);
    return decode_body(REQUEST_IMPORT, &body, try_request);
}

static void an_import_is_held_to_its_limits(void **state)
{
    struct import import = good;
    (void)state;

    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import.certificates = STK_CHAIN_MAX;
    import.certificate_length = STK_CERT_DER_MAX;
    import.sealed_length = STK_SEALED_MAX;
    import.source_length = STK_SOURCE_MAX - 1;
    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import.source_length = STK_SOURCE_MAX;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import = good;
    import.certificates = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import.certificates = STK_CHAIN_MAX + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import.certificates = 10000;
    import.certificate_length = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import = good;
    import.certificate_length = STK_CERT_DER_MAX + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import.certificate_length = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import = good;
    import.sealed_length = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import.sealed_length = STK_SEALED_MAX + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
}

static void an_imports_name_and_x5u_are_checked(void **state)
{
    struct import import = good;
    char *name = long_text(STK_NAME_MAX + 1);
    (void)state;

    import.name = name;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    name[STK_NAME_MAX] = '\0';
    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import.name = "a/../../b";
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import.name = "";
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import = good;
    import.x5u = "https://a.example/c";
    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import.x5u = "http://a.example/c";
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import.x5u = "https://u:p@a.example/c";
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import.x5u = "https://a.example/c>;alg=none";
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    free(name);
}

static void a_nul_hides_nothing_behind_a_source(void **state)
{
    struct import import = good;
    struct stk_buffer body = {0};
    (void)state;

    import.source_length = 0;
    write_import(&body, &import);
    body.length -= 2; /* the empty source, for one that the trail would show half of */
    hand_bytes(&body, 5, "/root/key\0/other", 16);
    assert_int_equal(decode_body(REQUEST_IMPORT, &body, try_request), STIRKEEP_INVALID);
}

static void a_key_that_was_sealed_twice_is_malformed(void **state)
{
    struct stk_buffer body = {0};
    (void)state;

    write_import(&body, &good);
    hand_bytes(&body, 3, "other", 5);
    assert_int_equal(decode_body(REQUEST_IMPORT, &body, try_request), STIRKEEP_MALFORMED);
    write_import(&body, &good);
    hand_text(&body, 1, "Beta");
    assert_int_equal(decode_body(REQUEST_IMPORT, &body, try_request), STIRKEEP_MALFORMED);
}

static void what_intake_does_not_know_it_does_not_do(void **state)
{
    struct stk_buffer body = {0};
    struct stk_buffer message = {0};
    (void)state;

    write_import(&body, &good);
    hand_number(&body, 60, 1); /* "activate later", say */
    assert_int_equal(decode_body(REQUEST_IMPORT, &body, try_request), STIRKEEP_UNSUPPORTED);
    assert_int_equal(decode_body(200, &body, try_request), STIRKEEP_UNSUPPORTED);
    hand_text(&body, 1, "Alpha");
    hand_number(&message, 1, 5);
    hand_inside(&message, REQUEST_RETIRE, &body);
    hand_text(&message, 200, "beside it");
    assert_int_equal(decode_once(try_request, bytes_of(&message)), STIRKEEP_OK);
    hand_bytes(&message, REQUEST_SHOW, "", 0);
    assert_int_equal(decode_once(try_request, bytes_of(&message)), STIRKEEP_MALFORMED);
    stk_buffer_free(&message);
}

static void retiring_and_showing_need_a_name(void **state)
{
    static const uint32_t numbers[] = {REQUEST_RETIRE, REQUEST_SHOW};
    struct stk_buffer body = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_int_equal(decode_body(numbers[i], &body, try_request), STIRKEEP_INVALID);
        hand_text(&body, 1, "*");
        assert_int_equal(decode_body(numbers[i], &body, try_request), STIRKEEP_INVALID);
        hand_text(&body, 1, "Alpha");
        assert_int_equal(decode_body(numbers[i], &body, try_request), STIRKEEP_OK);
    }
    assert_int_equal(decode_body(REQUEST_LIST, &body, try_request), STIRKEEP_OK);
    hand_text(&body, 1, "*");
    assert_int_equal(decode_body(REQUEST_LIST, &body, try_request), STIRKEEP_INVALID);
}

static void a_removal_is_told_within_limits(void **state)
{
    static const struct {
        size_t key_id_length;
        size_t source_length;
        size_t how_length;
        enum stirkeep_status status;
    } cases[] = {{STK_KEY_ID_LENGTH, STK_SOURCE_MAX - 1, 256, STIRKEEP_OK},
                 {STK_KEY_ID_LENGTH, STK_SOURCE_MAX, 256, STIRKEEP_TOO_LARGE},
                 {STK_KEY_ID_LENGTH, 5, 257, STIRKEEP_TOO_LARGE},
                 {STK_KEY_ID_LENGTH - 1, 5, 5, STIRKEEP_INVALID},
                 {STK_KEY_ID_LENGTH + 1, 5, 5, STIRKEEP_INVALID},
                 {0, 5, 5, STIRKEEP_INVALID}};
    char *filler = long_text(STK_SOURCE_MAX);
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_buffer body = {0};

        hand_text(&body, 1, "Alpha");
        hand_bytes(&body, 3, key_id, cases[i].key_id_length);
        hand_bytes(&body, 4, filler, cases[i].source_length);
        hand_bytes(&body, 5, filler, cases[i].how_length);
        assert_int_equal(decode_body(REQUEST_SOURCE_REMOVED, &body, try_request), cases[i].status);
    }
    free(filler);
}

static void a_chain_too_long_is_not_sent(void **state)
{
    static const struct stk_bytes certificate = {key_id, sizeof(key_id)};
    struct stk_admin_request request = {.kind = STK_ADMIN_IMPORT, .name = {"Alpha"}};
    struct stk_buffer out = {0};
    (void)state;

    for (size_t i = 0; i < STK_CHAIN_MAX; i++)
        request.chain[i] = certificate;
    request.chain_count = STK_CHAIN_MAX + 1;
    assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_INVALID);
    request.kind = STK_ADMIN_NONE;
    assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_INVALID);
    request.kind = STK_ADMIN_KIND_COUNT;
    assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_INVALID);
    assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
}

/* ---- the command's side */

static void the_command_checks_what_intake_says(void **state)
{
    struct stk_buffer body = {0};
    struct stk_buffer summary = {0};
    (void)state;

    assert_int_equal(decode_body(RESPONSE_WRAPPING_KEY, &body, try_response), STIRKEEP_INVALID);
    hand_bytes(&body, 3, key_id, STK_KEY_ID_LENGTH - 1);
    assert_int_equal(decode_body(RESPONSE_IMPORTED, &body, try_response), STIRKEEP_INVALID);
    hand_bytes(&body, 3, key_id, STK_KEY_ID_LENGTH);
    for (size_t i = 0; i < 64; i++)
        hand_text(&body, 5, "CODE: message");
    assert_int_equal(decode_body(RESPONSE_IMPORTED, &body, try_response), STIRKEEP_OK);
    hand_bytes(&body, 3, key_id, STK_KEY_ID_LENGTH);
    for (size_t i = 0; i < 65; i++)
        hand_text(&body, 5, "CODE: message");
    assert_int_equal(decode_body(RESPONSE_IMPORTED, &body, try_response), STIRKEEP_TOO_LARGE);
    hand_text(&summary, 1, "Alpha"); /* no key id */
    hand_inside(&body, 1, &summary);
    assert_int_equal(decode_body(RESPONSE_LISTED, &body, try_response), STIRKEEP_INVALID);
    for (size_t i = 0; i <= STK_CHAIN_MAX; i++)
        hand_bytes(&body, 2, "x", 1);
    assert_int_equal(decode_body(RESPONSE_SHOWN, &body, try_response), STIRKEEP_TOO_LARGE);
}

static void an_answer_that_says_ok_and_nothing_else_is_not_taken(void **state)
{
    struct stk_buffer message = {0};
    (void)state;

    hand_number(&message, 1, 5);
    assert_int_equal(decode_once(try_response, bytes_of(&message)), STIRKEEP_UNSUPPORTED);
    hand_number(&message, 2, STIRKEEP_BUSY);
    assert_int_equal(decode_once(try_response, bytes_of(&message)), STIRKEEP_OK);
    stk_buffer_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_import_is_held_to_its_limits),
        cmocka_unit_test(an_imports_name_and_x5u_are_checked),
        cmocka_unit_test(a_nul_hides_nothing_behind_a_source),
        cmocka_unit_test(a_key_that_was_sealed_twice_is_malformed),
        cmocka_unit_test(what_intake_does_not_know_it_does_not_do),
        cmocka_unit_test(retiring_and_showing_need_a_name),
        cmocka_unit_test(a_removal_is_told_within_limits),
        cmocka_unit_test(a_chain_too_long_is_not_sent),
        cmocka_unit_test(the_command_checks_what_intake_says),
        cmocka_unit_test(an_answer_that_says_ok_and_nothing_else_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
