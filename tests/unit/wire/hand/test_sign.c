/* SPDX-License-Identifier: BSD-2-Clause */
#include "hand.h"

#include "wire/codec_sign.h"
#include "wire/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* proto/stirkeep/v1/sign.proto */
enum { REQUEST_ID = 1, REQUEST_SIGN = 10, REQUEST_LIST, REQUEST_PING };
enum { RESPONSE_STATUS = 2, RESPONSE_SIGNED = 10, RESPONSE_LISTED, RESPONSE_PONG };
enum { CLAIMS_PPT = 1, CLAIMS_ORIG, CLAIMS_DEST, CLAIMS_IAT, CLAIMS_ATTEST, CLAIMS_ORIGID };

static const char origid[] = "123e4567-e89b-12d3-a456-426655440000";
static const char *const dest_tn[] = {"12155551214", "12155551213"};
static const char *const dest_uri[] = {"sip:bob@example.com"};

static struct stk_claims_input claims_input(void)
{
    return (struct stk_claims_input){.ppt = "shaken",
                                     .orig_tn = "+1 (215) 555-1212",
                                     .dest_tn = dest_tn,
                                     .dest_tn_count = 2,
                                     .dest_uri = dest_uri,
                                     .dest_uri_count = 1,
                                     .iat = 1443208345,
                                     .attest = "A",
                                     .origid = origid};
}

static enum stirkeep_status encode_sign(struct stk_buffer *out)
{
    const struct stk_claims_input claims = claims_input();
    const struct stk_signing_input signing = {.name = "Alpha", .claims = &claims};

    return stk_request_encode_sign(7, 250, &signing, out);
}

static enum stirkeep_status encode_list(struct stk_buffer *out)
{
    return stk_request_encode_list(8, "Alpha", out);
}

static enum stirkeep_status encode_ping(struct stk_buffer *out)
{
    return stk_request_encode_ping(UINT64_MAX, out);
}

/* What the trail would get of any request, refused or not, must be fit for it. */
static void assert_sketch_fits(const struct stk_request_sketch *sketch)
{
    const struct {
        const char *text;
        size_t max;
    } texts[] = {{sketch->name, STK_NAME_MAX},  {sketch->ppt, STK_PPT_MAX},
                 {sketch->orig, STK_URI_MAX},   {sketch->dest, STK_URI_MAX},
                 {sketch->attest, STK_PPT_MAX}, {sketch->origid, STK_ORIGID_LENGTH}};

    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_non_null(texts[i].text);
        assert_true(strlen(texts[i].text) <= texts[i].max);
        assert_true(stk_text_is_valid((const uint8_t *)texts[i].text, strlen(texts[i].text)));
    }
}

static enum stirkeep_status try_request(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_request request = {.id = 99, .deadline_ms = 99};
    struct stk_request_sketch sketch = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_request_decode(message, arena, &request, &sketch, &error);

    assert_sketch_fits(&sketch);
    if (status != STIRKEEP_OK) {
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
        assert_int_equal(request.deadline_ms, 99);
    }
    return status;
}

static enum stirkeep_status try_response(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_response response = {.id = 99, .message = "untouched"};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_response_decode(message, arena, &response, &error);

    if (status != STIRKEEP_OK) {
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
        assert_string_equal(response.message, "untouched");
    }
    return status;
}

/* ---- requests */

static void the_protocols_worked_example_is_a_request(void **state)
{
    /* docs/PROTOCOL.md */
    static const uint8_t frame[] = {
        0x00, 0x00, 0x00, 0x36, 0x08, 0x01, 0x52, 0x32, 0x0a, 0x05, 0x41, 0x6c, 0x70, 0x68, 0x61,
        0x12, 0x29, 0x0a, 0x06, 0x73, 0x68, 0x61, 0x6b, 0x65, 0x6e, 0x12, 0x0d, 0x0a, 0x0b, 0x31,
        0x32, 0x31, 0x35, 0x35, 0x35, 0x35, 0x31, 0x32, 0x31, 0x32, 0x1a, 0x0d, 0x0a, 0x0b, 0x31,
        0x32, 0x31, 0x35, 0x35, 0x35, 0x35, 0x31, 0x32, 0x31, 0x33, 0x2a, 0x01, 0x41};
    static const char *const dest[] = {"12155551213"};
    const struct stk_claims_input claims = {.ppt = "shaken",
                                            .orig_tn = "12155551212",
                                            .dest_tn = dest,
                                            .dest_tn_count = 1,
                                            .attest = "A"};
    const struct stk_signing_input signing = {.name = "Alpha", .claims = &claims};
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_request_encode_sign(1, 0, &signing, &out), STIRKEEP_OK);
    assert_int_equal(out.length, sizeof(frame));
    assert_memory_equal(out.data, frame, sizeof(frame));
    stk_buffer_free(&out);
}

static void a_sign_request_arrives_canonical(void **state)
{
    struct stk_buffer out = {0};
    struct stk_arena arena = {0};
    struct stk_request request = {0};
    struct stk_request_sketch sketch = {0};
    const struct stk_claims *claims = NULL;
    (void)state;

    assert_int_equal(encode_sign(&out), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(
        stk_request_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &request, &sketch, NULL),
        STIRKEEP_OK);
    assert_int_equal(request.id, 7);
    assert_int_equal(request.deadline_ms, 250);
    assert_int_equal(request.kind, STK_REQUEST_SIGN);
    assert_int_equal(request.signing_count, 1);
    claims = &request.signings[0].claims;
    assert_string_equal(request.signings[0].name.text, "Alpha");
    assert_int_equal(claims->ppt, STK_PPT_SHAKEN);
    assert_string_equal(claims->orig_tn, "12155551212");
    assert_null(claims->orig_uri);
    assert_int_equal(claims->dest_tn_count, 2);
    assert_string_equal(claims->dest_tn[0], "12155551213");
    assert_string_equal(claims->dest_tn[1], "12155551214");
    assert_int_equal(claims->dest_uri_count, 1);
    assert_string_equal(claims->dest_uri[0], "sip:bob@example.com");
    assert_true(claims->iat == 1443208345);
    assert_int_equal(claims->attest, 'A');
    assert_string_equal(claims->origid, origid);
    assert_string_equal(sketch.name, "Alpha");
    assert_string_equal(sketch.orig, "+1 (215) 555-1212");
    assert_string_equal(sketch.dest, "12155551214");
    stk_arena_free(&arena);
    stk_buffer_free(&out);
}

static void list_and_ping_requests_arrive(void **state)
{
    struct stk_buffer out = {0};
    struct stk_arena arena = {0};
    struct stk_request request = {0};
    struct stk_request_sketch sketch = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(encode_list(&out), STIRKEEP_OK);
    assert_int_equal(
        stk_request_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &request, &sketch, NULL),
        STIRKEEP_OK);
    assert_int_equal(request.kind, STK_REQUEST_LIST);
    assert_string_equal(request.after, "Alpha");
    out.length = 0;
    assert_int_equal(encode_ping(&out), STIRKEEP_OK);
    assert_int_equal(
        stk_request_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &request, &sketch, NULL),
        STIRKEEP_OK);
    assert_int_equal(request.kind, STK_REQUEST_PING);
    assert_true(request.id == UINT64_MAX);
    stk_arena_free(&arena);
    stk_buffer_free(&out);
}

static void requests_bear_every_cut_bit_and_shortage(void **state)
{
    static try_encode *const encoders[] = {encode_sign, encode_list, encode_ping};
    (void)state;

    for (size_t i = 0; i < COUNT(encoders); i++) {
        struct stk_buffer out = {0};

        assert_int_equal(encoders[i](&out), STIRKEEP_OK);
        attack(try_request, message_of(&out, STK_SIGN_MESSAGE_MAX));
        attack_by_ceiling(encoders[i]);
        stk_buffer_free(&out);
    }
}

/* ---- requests made by hand */

struct parts {
    const char *name;
    const char *ppt;
    const char *orig;
    const char *dest;
    size_t dest_count;
    const char *attest;
    const char *origid;
    uint64_t iat;
};

static const struct parts good = {"Alpha", "shaken", "12155551212", "12155551213", 1, "B", "", 0};

/* Into `sign`: the inside of a SignRequest. */
static void write_sign(struct stk_buffer *sign, const struct parts *parts)
{
    struct stk_buffer claims = {0};
    struct stk_buffer orig = {0};
    struct stk_buffer dest = {0};

    hand_text(&orig, 1, parts->orig);
    for (size_t i = 0; i < parts->dest_count; i++)
        hand_text(&dest, 1, parts->dest);
    hand_text(&claims, CLAIMS_PPT, parts->ppt);
    hand_inside(&claims, CLAIMS_ORIG, &orig);
    hand_inside(&claims, CLAIMS_DEST, &dest);
    hand_number(&claims, CLAIMS_IAT, parts->iat);
    hand_text(&claims, CLAIMS_ATTEST, parts->attest);
    hand_text(&claims, CLAIMS_ORIGID, parts->origid);
    hand_text(sign, 1, parts->name);
    hand_inside(sign, 2, &claims);
}

static enum stirkeep_status decode_parts(const struct parts *parts)
{
    struct stk_buffer message = {0};
    struct stk_buffer sign = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    write_sign(&sign, parts);
    hand_number(&message, REQUEST_ID, 5);
    hand_inside(&message, REQUEST_SIGN, &sign);
    status = decode_once(try_request, bytes_of(&message));
    stk_buffer_free(&message);
    return status;
}

static void claims_are_held_to_their_limits(void **state)
{
    struct parts parts = good;
    char *name = long_text(STK_NAME_MAX + 1);
    (void)state;

    assert_int_equal(decode_parts(&parts), STIRKEEP_OK);
    parts.dest_count = STK_DEST_MAX;
    assert_int_equal(decode_parts(&parts), STIRKEEP_OK);
    parts.dest_count = STK_DEST_MAX + 1;
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts.dest_count = 0;
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts.dest_count = 4000; /* an oversize count in a message that is small enough */
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.name = name;
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    name[STK_NAME_MAX] = '\0';
    assert_int_equal(decode_parts(&parts), STIRKEEP_OK);
    parts = good;
    parts.orig = "1234567890123456";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts.orig = "";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.iat = UINT64_MAX; /* -1 */
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    free(name);
}

static void claims_say_what_they_must_and_nothing_else(void **state)
{
    struct parts parts = good;
    (void)state;

    parts.ppt = "no type";
    assert_int_equal(decode_parts(&parts), STIRKEEP_UNSUPPORTED);
    parts.ppt = "div"; /* has no attest, but a div */
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.attest = "";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts.attest = "D";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts.attest = "AB";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.ppt = "";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.origid = "not a UUID";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.name = "../Alpha";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts.name = "";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
}

static void a_text_that_is_not_utf8_is_refused_in_every_field(void **state)
{
    struct parts parts = good;
    (void)state;

    parts.name = "Alpha\xff";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.ppt = "\xc0\x80";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.orig = "1215555\x80";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.dest = "\xed\xa0\x80";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.attest = "\xff";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    parts = good;
    parts.origid = "\xf5";
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
}

/* "Alpha\0..." must never pass for "Alpha". */
static void a_nul_in_a_text_is_refused(void **state)
{
    struct stk_buffer message = {0};
    struct stk_buffer sign = {0};
    struct stk_buffer rest = {0};
    (void)state;

    write_sign(&rest, &good);
    hand_bytes(&sign, 1, "Alpha\0Beta", 10);
    /* the claims of `rest`, behind its 7 bytes of name */
    stk_buffer_drop(&rest, 7);
    assert_int_equal(stk_buffer_add(&sign, rest.data, rest.length), STIRKEEP_OK);
    hand_inside(&message, REQUEST_SIGN, &sign);
    assert_int_equal(decode_once(try_request, bytes_of(&message)), STIRKEEP_INVALID);
    stk_buffer_free(&message);
    stk_buffer_free(&rest);
}

static enum stirkeep_status sign_with(const struct stk_buffer *more)
{
    struct stk_buffer message = {0};
    struct stk_buffer sign = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    write_sign(&sign, &good);
    assert_int_equal(stk_buffer_add(&sign, more->data, more->length), STIRKEEP_OK);
    hand_inside(&message, REQUEST_SIGN, &sign);
    status = decode_once(try_request, bytes_of(&message));
    stk_buffer_free(&message);
    return status;
}

static void singular_fields_given_twice_are_malformed(void **state)
{
    struct stk_buffer more = {0};
    struct stk_buffer out = {0};
    (void)state;

    hand_text(&more, 1, "Beta"); /* another name behind the one that was checked */
    assert_int_equal(sign_with(&more), STIRKEEP_MALFORMED);
    stk_buffer_free(&more);
    hand_bytes(&more, 2, "", 0); /* other claims */
    assert_int_equal(sign_with(&more), STIRKEEP_MALFORMED);
    stk_buffer_free(&more);
    assert_int_equal(encode_sign(&out), STIRKEEP_OK);
    hand_number(&more, REQUEST_ID, 7);
    assert_int_equal(decode_with(try_request, message_of(&out, STK_SIGN_MESSAGE_MAX), &more),
                     STIRKEEP_MALFORMED);
    stk_buffer_free(&more);
    hand_bytes(&more, REQUEST_SIGN, "", 0);
    assert_int_equal(decode_with(try_request, message_of(&out, STK_SIGN_MESSAGE_MAX), &more),
                     STIRKEEP_MALFORMED);
    stk_buffer_free(&more);
    hand_bytes(&more, REQUEST_PING, "", 0); /* a second, different body */
    assert_int_equal(decode_with(try_request, message_of(&out, STK_SIGN_MESSAGE_MAX), &more),
                     STIRKEEP_MALFORMED);
    stk_buffer_free(&more);
    stk_buffer_free(&out);
}

static void unknown_fields_are_ignored_outside_and_refused_inside(void **state)
{
    struct stk_buffer more = {0};
    struct stk_buffer out = {0};
    (void)state;

    hand_text(&more, 777, "new");
    assert_int_equal(encode_sign(&out), STIRKEEP_OK);
    assert_int_equal(decode_with(try_request, message_of(&out, STK_SIGN_MESSAGE_MAX), &more),
                     STIRKEEP_OK);
    assert_int_equal(sign_with(&more), STIRKEEP_UNSUPPORTED);
    stk_buffer_free(&more);
    hand_number(&more, REQUEST_ID, 3); /* no body at all */
    assert_int_equal(decode_once(try_request, bytes_of(&more)), STIRKEEP_UNSUPPORTED);
    hand_bytes(&more, 40, "", 0); /* a body of the future */
    assert_int_equal(decode_once(try_request, bytes_of(&more)), STIRKEEP_UNSUPPORTED);
    stk_buffer_free(&more);
    stk_buffer_free(&out);
}

/* Whoever sends both must not get bytes into the trail's message that make the keeper drop it. */
static void a_refused_requests_sketch_is_scrubbed_whatever_was_found_first(void **state)
{
    static const struct parts bad = {"Al\xffpha", "sha\xffken", "1\xff", "2\xff",
                                     1,           "\xff",       "\xff",  0};
    struct stk_arena arena = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    for (int unknown_first = 0; unknown_first < 2; unknown_first++) {
        struct stk_request request = {0};
        struct stk_request_sketch sketch = {0};
        struct stk_buffer message = {0};
        struct stk_buffer sign = {0};

        if (unknown_first)
            hand_number(&sign, 777, 1);
        write_sign(&sign, &bad);
        hand_number(&message, REQUEST_ID, 5);
        hand_inside(&message, REQUEST_SIGN, &sign);
        assert_int_equal(stk_request_decode(bytes_of(&message), &arena, &request, &sketch, NULL),
                         unknown_first ? STIRKEEP_UNSUPPORTED : STIRKEEP_INVALID);
        assert_int_equal(request.id, 5);
        assert_sketch_fits(&sketch);
        assert_string_equal(sketch.name, "Al?pha");
        assert_string_equal(sketch.orig, "1?");
        assert_string_equal(sketch.dest, "2?");
        stk_arena_reset(&arena);
        stk_buffer_free(&message);
    }
    stk_arena_free(&arena);
}

static void a_sketch_is_cut_to_its_limits(void **state)
{
    struct parts parts = good;
    char *text = long_text(5000);
    (void)state;

    parts.name = parts.ppt = parts.orig = parts.dest = parts.attest = parts.origid = text;
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID); /* try_request looks at the sketch */
    memcpy(text + STK_NAME_MAX - 1, "\xe2\x82\xac", 3);       /* across the limit of the name */
    assert_int_equal(decode_parts(&parts), STIRKEEP_INVALID);
    free(text);
}

static void the_id_is_told_of_what_is_broken_behind_it(void **state)
{
    static const uint8_t broken[] = {0x08, 0x2a, 0x52, 0x7f};
    struct stk_arena arena = {0};
    struct stk_request request = {0};
    struct stk_request_sketch sketch = {0};
    struct stk_response response = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, 4096), STIRKEEP_OK);
    assert_int_equal(stk_request_decode((struct stk_bytes){broken, sizeof(broken)}, &arena,
                                        &request, &sketch, NULL),
                     STIRKEEP_MALFORMED);
    assert_int_equal(request.id, 42);
    assert_int_equal(
        stk_response_decode((struct stk_bytes){broken, sizeof(broken)}, &arena, &response, NULL),
        STIRKEEP_MALFORMED);
    assert_int_equal(response.id, 42);
    stk_arena_free(&arena);
}

static void a_request_past_the_limit_is_not_sent(void **state)
{
    struct stk_claims_input claims = claims_input();
    struct stk_buffer out = {0};
    char *name = long_text(STK_SIGN_MESSAGE_MAX);
    const struct stk_signing_input signing = {.name = name, .claims = &claims};
    (void)state;

    assert_int_equal(stk_request_encode_sign(1, 0, &signing, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(stk_request_encode_list(1, name, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 0);
    free(name);
    stk_buffer_free(&out);
}

/* ---- responses */

static enum stirkeep_status encode_signed(struct stk_buffer *out)
{
    static const char identity[] = "eyJ.eyJ.sig;info=<https://a.example/c>;alg=ES256;ppt=shaken";
    const struct stk_response_signed body = {
        .identity = {(const uint8_t *)identity, sizeof(identity) - 1},
        .passport_length = 11,
        .generation = 3,
        .iat = 1443208345,
        .origid = origid};

    return stk_response_encode_signed(7, &body, out);
}

static struct stk_certificate certificate_of(unsigned i)
{
    struct stk_certificate certificate = {
        .generation = i + 1, .not_before = -5, .not_after = INT64_MAX, .active = i % 2 == 0};

    (void)snprintf(certificate.name.text, sizeof(certificate.name.text), "Name-%05u", i);
    (void)snprintf(certificate.x5u, sizeof(certificate.x5u), "https://a.example/%u.pem", i);
    return certificate;
}

static enum stirkeep_status encode_listed(struct stk_buffer *out)
{
    const struct stk_certificate certificates[] = {certificate_of(0), certificate_of(1)};
    const struct stk_certificate *const list[] = {&certificates[0], &certificates[1]};

    return stk_response_encode_list(8, list, 2, true, out);
}

static enum stirkeep_status encode_pong(struct stk_buffer *out)
{
    const struct stk_response_pong body = {
        .ready = false, .version = "0.1.0", .detail = "token \xff locked", .certificates = 12};

    return stk_response_encode_pong(9, &body, out);
}

static enum stirkeep_status encode_error(struct stk_buffer *out)
{
    return stk_response_encode_error(10, STIRKEEP_RATE_LIMITED, "grant \"k\": \xc3", out);
}

static void responses_arrive_as_they_were_sent(void **state)
{
    struct stk_buffer out = {0};
    struct stk_arena arena = {0};
    struct stk_response response = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(encode_signed(&out), STIRKEEP_OK);
    assert_int_equal(
        stk_response_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &response, NULL),
        STIRKEEP_OK);
    assert_int_equal(response.kind, STK_RESPONSE_SIGNED);
    assert_int_equal(response.id, 7);
    assert_int_equal(response.signed_.identity.length, 59);
    assert_memory_equal(response.signed_.identity.data, "eyJ.eyJ.sig;", 12);
    assert_int_equal(response.signed_.passport_length, 11);
    assert_int_equal(response.signed_.generation, 3);
    assert_true(response.signed_.iat == 1443208345);
    assert_string_equal(response.signed_.origid, origid);
    out.length = 0;
    assert_int_equal(encode_listed(&out), STIRKEEP_OK);
    assert_int_equal(
        stk_response_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &response, NULL),
        STIRKEEP_OK);
    assert_int_equal(response.kind, STK_RESPONSE_LISTED);
    assert_int_equal(response.listed_count, 2);
    assert_true(response.more);
    for (unsigned i = 0; i < 2; i++) {
        struct stk_certificate wanted = certificate_of(i);

        assert_memory_equal(&response.listed[i], &wanted, sizeof(wanted));
    }
    out.length = 0;
    assert_int_equal(encode_pong(&out), STIRKEEP_OK);
    assert_int_equal(
        stk_response_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &response, NULL),
        STIRKEEP_OK);
    assert_int_equal(response.kind, STK_RESPONSE_PONG);
    assert_false(response.pong.ready);
    assert_string_equal(response.pong.version, "0.1.0");
    assert_string_equal(response.pong.detail, "token ? locked");
    assert_int_equal(response.pong.certificates, 12);
    out.length = 0;
    assert_int_equal(encode_error(&out), STIRKEEP_OK);
    assert_int_equal(
        stk_response_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &response, NULL),
        STIRKEEP_OK);
    assert_int_equal(response.kind, STK_RESPONSE_ERROR);
    assert_int_equal(response.status, STIRKEEP_RATE_LIMITED);
    assert_string_equal(response.message, "grant \"k\": ?");
    stk_arena_free(&arena);
    stk_buffer_free(&out);
}

static void responses_bear_every_cut_bit_and_shortage(void **state)
{
    static try_encode *const encoders[] = {encode_signed, encode_listed, encode_pong, encode_error};
    (void)state;

    for (size_t i = 0; i < COUNT(encoders); i++) {
        struct stk_buffer out = {0};

        assert_int_equal(encoders[i](&out), STIRKEEP_OK);
        attack(try_response, message_of(&out, STK_SIGN_MESSAGE_MAX));
        attack_by_ceiling(encoders[i]);
        stk_buffer_free(&out);
    }
}

/* A list longer than a message goes on with the next one: none lost, none twice. */
static void a_long_list_fills_one_message_and_says_that_there_is_more(void **state)
{
    enum { MANY = 3000 };
    struct stk_certificate *certificates = calloc(MANY, sizeof(*certificates));
    const struct stk_certificate **list = calloc(MANY, sizeof(*list));
    struct stk_arena arena = {0};
    size_t told = 0;
    size_t rounds = 0;
    (void)state;

    assert_non_null(certificates);
    assert_non_null(list);
    for (unsigned i = 0; i < MANY; i++) {
        certificates[i] = certificate_of(i);
        list[i] = &certificates[i];
    }
    assert_int_equal(stk_arena_new(&arena, 8 * STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    for (bool more = true; more; rounds++) {
        struct stk_buffer out = {0};
        struct stk_response response = {0};

        stk_arena_reset(&arena);
        assert_int_equal(stk_response_encode_list(1, list + told, MANY - told, false, &out),
                         STIRKEEP_OK);
        assert_int_equal(
            stk_response_decode(message_of(&out, STK_SIGN_MESSAGE_MAX), &arena, &response, NULL),
            STIRKEEP_OK);
        for (size_t i = 0; i < response.listed_count; i++)
            assert_string_equal(response.listed[i].name.text, certificates[told + i].name.text);
        assert_true(response.listed_count > 0);
        told += response.listed_count;
        more = response.more;
        stk_buffer_free(&out);
    }
    assert_int_equal(told, MANY);
    assert_true(rounds > 1);
    stk_arena_free(&arena);
    free(list);
    free(certificates);
}

static enum stirkeep_status decode_signed(const char *identity, uint64_t length, const char *uuid)
{
    struct stk_buffer message = {0};
    struct stk_buffer body = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    hand_text(&body, 1, identity);
    hand_number(&body, 2, length);
    hand_text(&body, 5, uuid);
    hand_inside(&message, RESPONSE_SIGNED, &body);
    status = decode_once(try_response, bytes_of(&message));
    stk_buffer_free(&message);
    return status;
}

static void a_client_does_not_trust_lengths_either(void **state)
{
    char *identity = long_text(STK_IDENTITY_MAX + 1);
    (void)state;

    assert_int_equal(decode_signed("abc", 3, ""), STIRKEEP_OK);
    assert_int_equal(decode_signed("abc", 4, ""), STIRKEEP_INVALID);
    assert_int_equal(decode_signed("abc", UINT32_MAX, ""), STIRKEEP_INVALID);
    assert_int_equal(decode_signed("abc", 0, ""), STIRKEEP_INVALID);
    assert_int_equal(decode_signed("", 0, ""), STIRKEEP_INVALID);
    assert_int_equal(decode_signed(identity, 5, ""), STIRKEEP_INVALID);
    identity[STK_IDENTITY_MAX] = '\0';
    assert_int_equal(decode_signed(identity, 5, ""), STIRKEEP_OK);
    assert_int_equal(decode_signed("abc", 3, origid), STIRKEEP_OK);
    identity[STK_ORIGID_LENGTH + 1] = '\0';
    assert_int_equal(decode_signed("abc", 3, identity), STIRKEEP_TOO_LARGE);
    free(identity);
}

static void a_status_of_the_future_counts_as_internal(void **state)
{
    static const uint64_t numbers[] = {STIRKEEP_STATUS_COUNT, 200, UINT32_MAX};
    struct stk_arena arena = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, 4096), STIRKEEP_OK);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct stk_buffer message = {0};
        struct stk_response response = {0};

        hand_number(&message, RESPONSE_STATUS, numbers[i]);
        assert_int_equal(stk_response_decode(bytes_of(&message), &arena, &response, NULL),
                         STIRKEEP_OK);
        assert_int_equal(response.status, STIRKEEP_INTERNAL);
        assert_int_equal(response.kind, STK_RESPONSE_ERROR);
        stk_buffer_free(&message);
    }
    stk_arena_free(&arena);
}

static void a_client_ignores_what_it_does_not_know_but_not_a_missing_body(void **state)
{
    struct stk_buffer message = {0};
    struct stk_buffer body = {0};
    (void)state;

    hand_number(&body, 1, 1);
    hand_text(&body, 999, "new");
    hand_inside(&message, RESPONSE_PONG, &body);
    hand_number(&message, 999, 1);
    assert_int_equal(decode_once(try_response, bytes_of(&message)), STIRKEEP_OK);
    stk_buffer_free(&message);
    hand_number(&message, 1, 5); /* OK, and nothing else */
    assert_int_equal(decode_once(try_response, bytes_of(&message)), STIRKEEP_UNSUPPORTED);
    hand_bytes(&message, 44, "", 0);
    assert_int_equal(decode_once(try_response, bytes_of(&message)), STIRKEEP_UNSUPPORTED);
    stk_buffer_free(&message);
}

static void listed_names_and_x5us_are_checked(void **state)
{
    static const struct {
        const char *name;
        const char *x5u;
        enum stirkeep_status status;
    } cases[] = {{"Alpha", "https://a.example/c", STIRKEEP_OK},
                 {"", "https://a.example/c", STIRKEEP_INVALID},
                 {"Al pha", "https://a.example/c", STIRKEEP_INVALID},
                 {"Alpha", "http://a.example/c", STIRKEEP_INVALID},
                 {"Alpha", "", STIRKEEP_INVALID}};
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_buffer message = {0};
        struct stk_buffer listed = {0};
        struct stk_buffer summary = {0};

        hand_text(&summary, 1, cases[i].name);
        hand_text(&summary, 3, cases[i].x5u);
        hand_inside(&listed, 1, &summary);
        hand_inside(&message, RESPONSE_LISTED, &listed);
        assert_int_equal(decode_once(try_response, bytes_of(&message)), cases[i].status);
        stk_buffer_free(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_protocols_worked_example_is_a_request),
        cmocka_unit_test(a_sign_request_arrives_canonical),
        cmocka_unit_test(list_and_ping_requests_arrive),
        cmocka_unit_test(requests_bear_every_cut_bit_and_shortage),
        cmocka_unit_test(claims_are_held_to_their_limits),
        cmocka_unit_test(claims_say_what_they_must_and_nothing_else),
        cmocka_unit_test(a_text_that_is_not_utf8_is_refused_in_every_field),
        cmocka_unit_test(a_nul_in_a_text_is_refused),
        cmocka_unit_test(singular_fields_given_twice_are_malformed),
        cmocka_unit_test(unknown_fields_are_ignored_outside_and_refused_inside),
        cmocka_unit_test(a_refused_requests_sketch_is_scrubbed_whatever_was_found_first),
        cmocka_unit_test(a_sketch_is_cut_to_its_limits),
        cmocka_unit_test(the_id_is_told_of_what_is_broken_behind_it),
        cmocka_unit_test(a_request_past_the_limit_is_not_sent),
        cmocka_unit_test(responses_arrive_as_they_were_sent),
        cmocka_unit_test(responses_bear_every_cut_bit_and_shortage),
        cmocka_unit_test(a_long_list_fills_one_message_and_says_that_there_is_more),
        cmocka_unit_test(a_client_does_not_trust_lengths_either),
        cmocka_unit_test(a_status_of_the_future_counts_as_internal),
        cmocka_unit_test(a_client_ignores_what_it_does_not_know_but_not_a_missing_body),
        cmocka_unit_test(listed_names_and_x5us_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
