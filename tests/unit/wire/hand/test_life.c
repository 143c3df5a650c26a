/* SPDX-License-Identifier: BSD-2-Clause */
/* Administrators' messages of a key's life, written by hand from proto/: what each field is taken
 * for, and what a stranger may put there. */
#include "hand.h"

#include "wire/codec_admin.h"
#include <string.h>

/* proto/stirkeep/v1/admin.proto */
enum { REQUEST_IMPORT = 11, REQUEST_SHOW = 14, REQUEST_GENERATE = 18, REQUEST_INSTALL };
enum { REQUEST_DESTROY = 20, REQUEST_DOCTOR, REQUEST_REBUILD };
enum { RESPONSE_SHOWN = 14, RESPONSE_STATUS = 16, RESPONSE_GENERATED = 18, RESPONSE_INSTALLED };
enum { RESPONSE_DESTROYED = 20, RESPONSE_DIAGNOSIS, RESPONSE_REBUILT };

static const uint8_t id_a[STK_KEY_ID_LENGTH + 1] = {1, 2, 3};
static const uint8_t id_b[STK_KEY_ID_LENGTH + 1] = {4, 5, 6};
static const uint8_t zeros[STK_KEY_ID_LENGTH + 1];

static enum stirkeep_status try_request(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_admin_request request = {.how = "untouched"};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_admin_request_decode(message, arena, &request, &error);

    if (status == STIRKEEP_OK && hand_looks != NULL)
        hand_looks(&request);
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

    if (status == STIRKEEP_OK && hand_looks != NULL)
        hand_looks(&response);
    if (status != STIRKEEP_OK)
        assert_string_equal(response.message, "untouched");
    return status;
}

/* ---- requests */

static void look_at_generate(const void *decoded)
{
    const struct stk_admin_request *request = decoded;

    assert_int_equal(request->id, 5);
    assert_int_equal(request->kind, STK_ADMIN_GENERATE);
    assert_string_equal(request->name.text, "Alpha");
    assert_string_equal(request->spc, "709J");
    assert_string_equal(request->subject, "CN=SHAKEN 709J,O=Telco");
}

static void look_at_install(const void *decoded)
{
    const struct stk_admin_request *request = decoded;

    assert_int_equal(request->kind, STK_ADMIN_INSTALL);
    assert_string_equal(request->name.text, "Alpha");
    assert_int_equal(request->chain_count, 2);
    hand_assert_bytes(request->chain[0], "leaf");
    hand_assert_bytes(request->chain[1], "issuer");
    assert_string_equal(request->x5u, "https://a.example/c");
    assert_int_equal(request->activate_at, 1800000000);
    assert_int_equal(request->sealed.length, 0);
}

static void look_at_import(const void *decoded)
{
    const struct stk_admin_request *request = decoded;

    assert_int_equal(request->kind, STK_ADMIN_IMPORT);
    assert_int_equal(request->activate_at, 1800000000);
    assert_true(request->elsewhere);
}

static void look_at_show(const void *decoded)
{
    const struct stk_admin_request *request = decoded;

    assert_int_equal(request->kind, STK_ADMIN_SHOW);
    assert_string_equal(request->name.text, "Alpha");
    assert_int_equal(request->generation, 3);
}

static void look_at_destroy(const void *decoded)
{
    const struct stk_admin_request *request = decoded;

    assert_int_equal(request->kind, STK_ADMIN_DESTROY);
    assert_string_equal(request->name.text, "Alpha");
    assert_memory_equal(request->key_id.bytes, id_a, STK_KEY_ID_LENGTH);
}

static void requests_say_what_was_written(void **state)
{
    struct stk_buffer body = {0};
    (void)state;

    hand_text(&body, 1, "Alpha");
    hand_text(&body, 2, "709J");
    hand_text(&body, 3, "CN=SHAKEN 709J,O=Telco");
    hand_take(REQUEST_GENERATE, &body, try_request, look_at_generate);
    hand_text(&body, 1, "Alpha");
    hand_text(&body, 2, "leaf");
    hand_text(&body, 2, "issuer");
    hand_text(&body, 3, "https://a.example/c");
    hand_number(&body, 4, 1800000000);
    hand_take(REQUEST_INSTALL, &body, try_request, look_at_install);
    hand_text(&body, 1, "Alpha");
    hand_text(&body, 2, "leaf");
    hand_text(&body, 3, "sealed");
    hand_number(&body, 6, 1800000000);
    hand_number(&body, 7, 1);
    hand_take(REQUEST_IMPORT, &body, try_request, look_at_import);
    hand_text(&body, 1, "Alpha");
    hand_number(&body, 2, 3);
    hand_take(REQUEST_SHOW, &body, try_request, look_at_show);
    hand_text(&body, 1, "Alpha");
    hand_bytes(&body, 2, id_a, STK_KEY_ID_LENGTH);
    hand_take(REQUEST_DESTROY, &body, try_request, look_at_destroy);
}

static void requests_without_fields_need_none_and_take_none(void **state)
{
    static const uint32_t numbers[] = {REQUEST_DOCTOR, REQUEST_REBUILD};
    struct stk_buffer body = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_int_equal(hand_decode(numbers[i], &body, try_request), STIRKEEP_OK);
        hand_text(&body, 1, "Alpha");
        assert_int_equal(hand_decode(numbers[i], &body, try_request), STIRKEEP_UNSUPPORTED);
    }
}

/* Half an id, or none that is there, must never come to mean all keys. */
static void destroying_one_key_takes_its_whole_id(void **state)
{
    (void)state;

    for (size_t length = 0; length <= STK_KEY_ID_LENGTH + 1; length++) {
        struct stk_buffer body = {0};
        bool fits = length == 0 || length == STK_KEY_ID_LENGTH;

        hand_text(&body, 1, "Alpha");
        hand_bytes(&body, 2, id_a, length);
        assert_int_equal(hand_decode(REQUEST_DESTROY, &body, try_request),
                         fits ? STIRKEEP_OK : STIRKEEP_INVALID);
        hand_text(&body, 1, "Alpha");
        hand_bytes(&body, 2, zeros, length);
        assert_int_equal(hand_decode(REQUEST_DESTROY, &body, try_request),
                         length == 0 ? STIRKEEP_OK : STIRKEEP_INVALID);
    }
}

static void generating_installing_and_destroying_need_a_name(void **state)
{
    static const char *const bad[] = {"", "*", "a/../b", "-a", "a\n"};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct stk_buffer body = {0};

        hand_text(&body, 1, bad[i]);
        hand_text(&body, 2, "709J");
        assert_int_equal(hand_decode(REQUEST_GENERATE, &body, try_request), STIRKEEP_INVALID);
        hand_text(&body, 1, bad[i]);
        hand_text(&body, 2, "leaf");
        assert_int_equal(hand_decode(REQUEST_INSTALL, &body, try_request), STIRKEEP_INVALID);
        hand_text(&body, 1, bad[i]);
        assert_int_equal(hand_decode(REQUEST_DESTROY, &body, try_request), STIRKEEP_INVALID);
    }
}

static void fields_of_another_kind_are_malformed(void **state)
{
    struct stk_buffer body = {0};
    (void)state;

    hand_text(&body, 1, "Alpha");
    hand_number(&body, 2, 709);
    assert_int_equal(hand_decode(REQUEST_GENERATE, &body, try_request), STIRKEEP_MALFORMED);
    hand_text(&body, 1, "Alpha");
    hand_text(&body, 2, "leaf");
    hand_text(&body, 4, "tomorrow");
    assert_int_equal(hand_decode(REQUEST_INSTALL, &body, try_request), STIRKEEP_MALFORMED);
    hand_text(&body, 1, "Alpha");
    hand_text(&body, 2, "leaf");
    hand_number(&body, 4, 0);
    hand_number(&body, 4, 1);
    assert_int_equal(hand_decode(REQUEST_INSTALL, &body, try_request), STIRKEEP_MALFORMED);
    hand_text(&body, 1, "Alpha");
    hand_bytes(&body, 2, id_a, STK_KEY_ID_LENGTH);
    hand_bytes(&body, 2, id_b, STK_KEY_ID_LENGTH);
    assert_int_equal(hand_decode(REQUEST_DESTROY, &body, try_request), STIRKEEP_MALFORMED);
}

static void what_a_request_would_do_besides_is_refused(void **state)
{
    static const uint32_t numbers[] = {REQUEST_GENERATE, REQUEST_INSTALL};
    struct stk_buffer body = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        hand_text(&body, 1, "Alpha");
        hand_text(&body, 2, "709J");
        hand_number(&body, 9, 1);
        assert_int_equal(hand_decode(numbers[i], &body, try_request), STIRKEEP_UNSUPPORTED);
    }
    hand_text(&body, 1, "Alpha");
    hand_number(&body, 3, 1);
    assert_int_equal(hand_decode(REQUEST_DESTROY, &body, try_request), STIRKEEP_UNSUPPORTED);
}

/* ---- responses */

static void look_at_generated(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_GENERATE);
    hand_assert_bytes(response->csr, "csr");
    assert_memory_equal(response->key_id.bytes, id_a, STK_KEY_ID_LENGTH);
    assert_string_equal(response->attributes, "sensitive");
    assert_true(response->already_held);
}

static void look_at_installed(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_INSTALL);
    assert_int_equal(response->generation, 3);
    assert_int_equal(response->activate_at, 1800000000);
}

static void look_at_destroyed(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_DESTROY);
    assert_int_equal(response->keys, 2);
    assert_int_equal(response->affected, 7);
    assert_true(response->stopped);
    assert_string_equal(response->proof, "asked to sign");
}

static void look_at_rebuilt(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_REBUILD);
    assert_int_equal(response->names, 2);
    assert_int_equal(response->affected, 7);
    assert_int_equal(response->keys, 9);
    assert_int_equal(response->problem_count, 1);
    assert_string_equal(response->problems[0], "no certificate");
}

static void look_at_requested(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_SHOW);
    assert_int_equal(response->generation_count, 0);
    assert_int_equal(response->requested_count, 1);
    assert_memory_equal(response->requested[0].key_id.bytes, id_a, STK_KEY_ID_LENGTH);
    assert_string_equal(response->requested[0].attributes, "local");
    assert_int_equal(response->requested[0].created, 1700000000);
    assert_int_equal(response->requested[0].created_by, 1000);
}

static void look_at_status(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_STATUS);
    assert_int_equal(response->service.warning_count, 1);
    assert_string_equal(response->service.warnings[0], "expires soon");
}

static void responses_say_what_was_written(void **state)
{
    struct stk_buffer body = {0};
    struct stk_buffer inside = {0};
    (void)state;

    hand_text(&body, 1, "csr");
    hand_bytes(&body, 2, id_a, STK_KEY_ID_LENGTH);
    hand_text(&body, 3, "sensitive");
    hand_number(&body, 4, 1);
    hand_take(RESPONSE_GENERATED, &body, try_response, look_at_generated);
    hand_number(&body, 1, 3);
    hand_bytes(&body, 3, id_a, STK_KEY_ID_LENGTH);
    hand_number(&body, 7, 1800000000);
    hand_take(RESPONSE_INSTALLED, &body, try_response, look_at_installed);
    hand_number(&body, 1, 2);
    hand_number(&body, 2, 7);
    hand_number(&body, 3, 1);
    hand_text(&body, 4, "asked to sign");
    hand_take(RESPONSE_DESTROYED, &body, try_response, look_at_destroyed);
    hand_number(&body, 1, 2);
    hand_number(&body, 2, 7);
    hand_number(&body, 3, 9);
    hand_text(&body, 4, "no certificate");
    hand_take(RESPONSE_REBUILT, &body, try_response, look_at_rebuilt);
    hand_bytes(&inside, 1, id_a, STK_KEY_ID_LENGTH);
    hand_text(&inside, 2, "local");
    hand_number(&inside, 3, 1700000000);
    hand_number(&inside, 4, 1000);
    hand_inside(&body, 3, &inside);
    hand_take(RESPONSE_SHOWN, &body, try_response, look_at_requested);
    hand_text(&body, 18, "expires soon");
    hand_take(RESPONSE_STATUS, &body, try_response, look_at_status);
}

static void look_at_diagnosis(const void *decoded)
{
    const struct stk_admin_response *response = decoded;

    assert_int_equal(response->kind, STK_ADMIN_DOCTOR);
    assert_int_equal(response->fact_count, 2);
    assert_string_equal(response->facts[0].name, "label");
    assert_string_equal(response->facts[0].value, "prod");
    assert_string_equal(response->facts[1].name, "");
    assert_int_equal(response->trouble_count, 1);
    assert_string_equal(response->troubles[0].severity, "error");
    assert_string_equal(response->troubles[0].what, "no PIN");
    assert_string_equal(response->troubles[0].cure, "give it one");
}

static void a_diagnosis_says_what_was_written(void **state)
{
    struct stk_buffer body = {0};
    (void)state;

    hand_diagnosis(&body);
    hand_take(RESPONSE_DIAGNOSIS, &body, try_response, look_at_diagnosis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_say_what_was_written),
        cmocka_unit_test(requests_without_fields_need_none_and_take_none),
        cmocka_unit_test(destroying_one_key_takes_its_whole_id),
        cmocka_unit_test(generating_installing_and_destroying_need_a_name),
        cmocka_unit_test(fields_of_another_kind_are_malformed),
        cmocka_unit_test(what_a_request_would_do_besides_is_refused),
        cmocka_unit_test(responses_say_what_was_written),
        cmocka_unit_test(a_diagnosis_says_what_was_written),
    };

    return cmocka_run_group_tests_name("wire-hand-life", tests, NULL, NULL);
}
