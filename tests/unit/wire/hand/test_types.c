/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims of all types, inputs and batches, written by the numbers of docs/PROTOCOL.md. */
#include "hand.h"

#include "wire/codec_order.h"
#include "wire/codec_sign.h"
#include <string.h>

enum { SIGN = 10, BATCH = 13 };
enum { PPT = 1, ORIG, DEST, IAT, ATTEST, ORIGID, DIV, OPT, RPH, RCD, MKY, OTHER, COMPACT };

static const char digest[] = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
static const char dig[] = "000102030405060708090A0B0C0D0E0F10111213";
static const char inner[] =
    "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30."
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static enum stirkeep_status try_request(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_request request = {.id = 99, .deadline_ms = 99};
    struct stk_request_sketch sketch = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_request_decode(message, arena, &request, &sketch, &error);

    if (status != STIRKEEP_OK) {
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
        assert_int_equal(request.deadline_ms, 99);
    } else if (hand_looks != NULL) {
        hand_looks(&request);
    }
    return status;
}

static void begin_claims(struct stk_buffer *claims, const char *ppt)
{
    struct stk_buffer party = {0};

    hand_text(claims, PPT, ppt);
    hand_text(&party, 1, "12155551212");
    hand_inside(claims, ORIG, &party);
    hand_text(&party, 1, "12155551213");
    hand_text(&party, 2, "sip:c@d.example");
    hand_inside(claims, DEST, &party);
    hand_number(claims, IAT, 1443208345);
}

/* As the body of a SignRequest; `claims` is released. */
static void end_claims(struct stk_buffer *claims, struct stk_buffer *sign)
{
    hand_text(sign, 1, "Alpha");
    hand_inside(sign, 2, claims);
}

static const struct stk_claims *claims_in(const void *decoded)
{
    const struct stk_request *request = decoded;

    assert_int_equal(request->kind, STK_REQUEST_SIGN);
    assert_int_equal(request->signing_count, 1);
    assert_string_equal(request->signings[0].name.text, "Alpha");
    assert_string_equal(request->signings[0].claims.orig_tn, "12155551212");
    assert_string_equal(request->signings[0].claims.dest_uri[0], "sip:c@d.example");
    assert_int_equal(request->signings[0].claims.iat, 1443208345);
    return &request->signings[0].claims;
}

static void look_at_base(const void *decoded)
{
    const struct stk_claims *claims = claims_in(decoded);

    assert_int_equal(claims->ppt, STK_PPT_BASE);
    assert_true(claims->compact);
    assert_int_equal(claims->mky_count, 1);
    assert_string_equal(claims->mky[0].name, "sha-1");
    assert_string_equal(claims->mky[0].value, dig);
}

static void base_claims_arrive(void **state)
{
    struct stk_buffer claims = {0};
    struct stk_buffer mky = {0};
    struct stk_buffer sign = {0};
    (void)state;

    begin_claims(&claims, "");
    hand_text(&mky, 1, "sha-1");
    hand_text(&mky, 2, dig);
    hand_inside(&claims, MKY, &mky);
    hand_number(&claims, COMPACT, 1);
    end_claims(&claims, &sign);
    hand_take(SIGN, &sign, try_request, look_at_base);
}

static void look_at_div_o(const void *decoded)
{
    const struct stk_claims *claims = claims_in(decoded);

    assert_int_equal(claims->ppt, STK_PPT_DIV_O);
    assert_string_equal(claims->div_uri, "sip:e@f.example");
    assert_string_equal(claims->div_hi, "1.2");
    assert_string_equal(claims->opt, inner);
}

static void div_claims_arrive(void **state)
{
    struct stk_buffer claims = {0};
    struct stk_buffer div = {0};
    struct stk_buffer sign = {0};
    (void)state;

    begin_claims(&claims, "div-o");
    hand_text(&div, 2, "sip:e@f.example");
    hand_text(&div, 3, "1.2");
    hand_inside(&claims, DIV, &div);
    hand_text(&claims, OPT, inner);
    end_claims(&claims, &sign);
    hand_take(SIGN, &sign, try_request, look_at_div_o);
}

static void look_at_rph(const void *decoded)
{
    const struct stk_claims *claims = claims_in(decoded);

    assert_int_equal(claims->ppt, STK_PPT_RPH);
    assert_int_equal(claims->rph_auth_count, 2);
    assert_string_equal(claims->rph_auth[0], "ets.0");
    assert_string_equal(claims->rph_auth[1], "esnet.1");
    assert_string_equal(claims->sph, "psap-callback");
}

static void rph_claims_arrive(void **state)
{
    struct stk_buffer claims = {0};
    struct stk_buffer rph = {0};
    struct stk_buffer sign = {0};
    (void)state;

    begin_claims(&claims, "rph");
    hand_text(&rph, 1, "ets.0");
    hand_text(&rph, 2, "psap-callback");
    hand_text(&rph, 1, "esnet.1");
    hand_inside(&claims, RPH, &rph);
    end_claims(&claims, &sign);
    hand_take(SIGN, &sign, try_request, look_at_rph);
}

static void look_at_rcd(const void *decoded)
{
    const struct stk_claims *claims = claims_in(decoded);

    assert_int_equal(claims->ppt, STK_PPT_RCD);
    assert_string_equal(claims->rcd_nam, "nam");
    assert_string_equal(claims->rcd_apn, "12155550100");
    assert_string_equal(claims->rcd_icn, "https://a.example/i");
    assert_string_equal(claims->rcd_jcl, "https://a.example/j");
    assert_null(claims->rcd_jcd);
    assert_string_equal(claims->crn, "crn");
    assert_int_equal(claims->rcdi_count, 2);
    assert_string_equal(claims->rcdi[0].name, "/icn");
    assert_string_equal(claims->rcdi[1].name, "/jcl");
    assert_string_equal(claims->rcdi[1].value, digest);
}

static void rcd_claims_arrive(void **state)
{
    static const char *const pointers[] = {"/jcl", "/icn"};
    struct stk_buffer claims = {0};
    struct stk_buffer rcd = {0};
    struct stk_buffer rcdi = {0};
    struct stk_buffer sign = {0};
    (void)state;

    begin_claims(&claims, "rcd");
    hand_text(&rcd, 1, "nam");
    hand_text(&rcd, 2, "+1 (215) 555-0100");
    hand_text(&rcd, 3, "https://a.example/i");
    hand_text(&rcd, 5, "https://a.example/j");
    hand_text(&rcd, 6, "crn");
    for (size_t i = 0; i < COUNT(pointers); i++) {
        hand_text(&rcdi, 1, pointers[i]);
        hand_text(&rcdi, 2, digest);
        hand_inside(&rcd, 7, &rcdi);
    }
    hand_inside(&claims, RCD, &rcd);
    end_claims(&claims, &sign);
    hand_take(SIGN, &sign, try_request, look_at_rcd);
}

static void look_at_jcd(const void *decoded)
{
    const struct stk_claims *claims = claims_in(decoded);

    assert_int_equal(claims->ppt, STK_PPT_SHAKEN);
    assert_int_equal(claims->attest, 'C');
    assert_int_equal(claims->rcd_jcd->kind, STK_JSON_ARRAY);
    assert_string_equal(claims->rcd_jcd->first->text, "vcard");
}

static void a_jcard_in_shaken_claims_arrives(void **state)
{
    struct stk_buffer claims = {0};
    struct stk_buffer rcd = {0};
    struct stk_buffer sign = {0};
    (void)state;

    begin_claims(&claims, "shaken");
    hand_text(&claims, ATTEST, "C");
    hand_text(&rcd, 1, "nam");
    hand_text(&rcd, 4, " [\"vcard\", [[\"fn\",{},\"text\",\"\\u0041\"]]]");
    hand_inside(&claims, RCD, &rcd);
    end_claims(&claims, &sign);
    hand_take(SIGN, &sign, try_request, look_at_jcd);
}

static void look_at_other(const void *decoded)
{
    const struct stk_claims *claims = claims_in(decoded);

    assert_int_equal(claims->ppt, STK_PPT_OTHER);
    assert_string_equal(claims->ppt_text, "msgi");
    assert_int_equal(claims->other->count, 2);
    assert_string_equal(claims->other->first->key, "a");
    assert_string_equal(claims->other->first->next->key, "b");
}

static void claims_of_another_type_arrive(void **state)
{
    struct stk_buffer claims = {0};
    struct stk_buffer sign = {0};
    (void)state;

    begin_claims(&claims, "msgi");
    hand_text(&claims, OTHER, "{\"b\":[1,2],\"a\":{\"c\":null}}");
    end_claims(&claims, &sign);
    hand_take(SIGN, &sign, try_request, look_at_other);
}

static void put_input(struct stk_buffer *sign, const char *header, const char *payload)
{
    struct stk_buffer input = {0};

    hand_text(&input, 1, header);
    hand_text(&input, 2, payload);
    hand_text(sign, 1, "Beta");
    hand_inside(sign, 3, &input);
}

static void look_at_batch(const void *decoded)
{
    const struct stk_request *request = decoded;

    assert_int_equal(request->kind, STK_REQUEST_BATCH);
    assert_true(request->whole);
    assert_int_equal(request->signing_count, 2);
    assert_false(request->signings[0].is_input);
    assert_int_equal(request->signings[0].claims.attest, 'A');
    assert_true(request->signings[1].is_input);
    assert_string_equal(request->signings[1].name.text, "Beta");
    hand_assert_bytes(request->signings[1].header, "{\"h\":1}");
    hand_assert_bytes(request->signings[1].payload, "{\"p\":2}");
}

static void a_batch_arrives(void **state)
{
    struct stk_buffer batch = {0};
    struct stk_buffer claims = {0};
    struct stk_buffer sign = {0};
    (void)state;

    hand_number(&batch, 2, 1); /* before what it is about */
    begin_claims(&claims, "shaken");
    hand_text(&claims, ATTEST, "A");
    end_claims(&claims, &sign);
    hand_inside(&batch, 1, &sign);
    put_input(&sign, "{\"h\":1}", "{\"p\":2}");
    hand_inside(&batch, 1, &sign);
    hand_take(BATCH, &batch, try_request, look_at_batch);
}

static enum stirkeep_status try_response(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_response response = {.id = 99, .message = "untouched"};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_response_decode(message, arena, &response, &error);

    if (status != STIRKEEP_OK)
        assert_string_equal(response.message, "untouched");
    else if (hand_looks != NULL)
        hand_looks(&response);
    return status;
}

static void look_at_results(const void *decoded)
{
    const struct stk_response *response = decoded;

    assert_int_equal(response->kind, STK_RESPONSE_BATCH);
    assert_int_equal(response->result_count, 2);
    hand_assert_bytes(response->results[0].signed_.identity, "abc;info");
    assert_int_equal(response->results[0].signed_.passport_length, 3);
    assert_string_equal(response->results[0].signed_.attest, "B");
    assert_int_equal(response->results[1].status, STIRKEEP_RATE_LIMITED);
    assert_string_equal(response->results[1].message, "grant k: rate");
}

static void results_arrive(void **state)
{
    struct stk_buffer body = {0};
    struct stk_buffer result = {0};
    struct stk_buffer signature = {0};
    (void)state;

    hand_text(&signature, 1, "abc;info");
    hand_number(&signature, 2, 3);
    hand_text(&signature, 6, "B");
    hand_inside(&result, 3, &signature);
    hand_inside(&body, 1, &result);
    hand_number(&result, 1, STIRKEEP_RATE_LIMITED);
    hand_text(&result, 2, "grant k: rate");
    hand_inside(&body, 1, &result);
    hand_take(BATCH, &body, try_response, look_at_results);
}

/* ---- between rooms */

static enum stirkeep_status try_push(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_catalog_push push = {.push = 99};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_catalog_push_decode(message, arena, &push, &error);

    if (status != STIRKEEP_OK)
        assert_int_equal(push.push, 99);
    else if (hand_looks != NULL)
        hand_looks(&push);
    return status;
}

static void put_fixed64(struct stk_buffer *out, uint32_t field, uint64_t value)
{
    uint8_t bytes[9] = {(uint8_t)(field << 3 | 1)};

    for (unsigned i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)(value >> (8 * i));
    assert_int_equal(stk_buffer_add(out, bytes, sizeof(bytes)), STIRKEEP_OK);
}

static void look_at_push(const void *decoded)
{
    const struct stk_catalog_push *push = decoded;
    const struct stk_constraints *constraints = push->entries[0].constraints;

    assert_int_equal(push->entry_count, 1);
    assert_true(constraints->numbers_only);
    assert_int_equal(constraints->range_count, 1);
    assert_true(constraints->ranges[0].first == stk_number_key("12155550100"));
    assert_true(constraints->ranges[0].last == stk_number_key("12155550199"));
    assert_string_equal(constraints->must_include[0], "attest");
    assert_string_equal(constraints->permitted[0].claim, "origid");
    assert_string_equal(constraints->permitted[0].values[0], "x");
    assert_string_equal(constraints->must_exclude[0], "rcd");
    assert_int_equal(push->usage_count, 1);
    assert_false(push->usage[0].of_certificate);
    assert_string_equal(push->usage[0].name, "kamailio");
    assert_int_equal(push->usage[0].day, 20000);
    assert_int_equal(push->usage[0].count, 7);
}

static void a_name_with_constraints_and_a_count_arrive(void **state)
{
    static const uint8_t key_id[STK_KEY_ID_LENGTH] = {1};
    struct stk_buffer message = {0};
    struct stk_buffer entry = {0};
    struct stk_buffer constraints = {0};
    struct stk_buffer part = {0};
    (void)state;

    hand_number(&constraints, 1, 1);
    put_fixed64(&part, 1, UINT64_C(0xb000012155550100));
    put_fixed64(&part, 2, UINT64_C(0xb000012155550199));
    hand_inside(&constraints, 2, &part);
    hand_text(&constraints, 3, "attest");
    hand_text(&part, 1, "origid");
    hand_text(&part, 2, "x");
    hand_inside(&constraints, 4, &part);
    hand_text(&constraints, 5, "rcd");
    hand_text(&entry, 1, "Alpha");
    hand_bytes(&entry, 3, key_id, sizeof(key_id));
    hand_text(&entry, 4, "https://a.example/c");
    hand_inside(&entry, 8, &constraints);
    hand_inside(&message, 4, &entry);
    hand_text(&part, 1, "grant");
    hand_text(&part, 2, "kamailio");
    hand_number(&part, 3, 20000);
    hand_number(&part, 4, 7);
    hand_inside(&message, 6, &part);
    hand_looks = look_at_push;
    assert_int_equal(decode_once(try_push, bytes_of(&message)), STIRKEEP_OK);
    hand_looks = NULL;
    attack_by_turning_bits(try_push, bytes_of(&message));
    attack_by_starving(try_push, bytes_of(&message));
    stk_buffer_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_claims_arrive),
        cmocka_unit_test(div_claims_arrive),
        cmocka_unit_test(rph_claims_arrive),
        cmocka_unit_test(rcd_claims_arrive),
        cmocka_unit_test(a_jcard_in_shaken_claims_arrives),
        cmocka_unit_test(claims_of_another_type_arrive),
        cmocka_unit_test(a_batch_arrives),
        cmocka_unit_test(results_arrive),
        cmocka_unit_test(a_name_with_constraints_and_a_count_arrive),
    };

    return cmocka_run_group_tests_name("wire-hand-types", tests, NULL, NULL);
}
