/* SPDX-License-Identifier: BSD-2-Clause */
/* Every message, damaged in every way at every place of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "trial.h"
#include <stdio.h>
#include <string.h>

#define SEED 0x5717c0de2026ULL
#define FLIPS 400  /* damaged copies of each message */
#define NOISES 400 /* messages of mere noise for each decoder */

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* xorshift64: the same numbers in each run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* What to do at one spot: false when there is nothing to do. */
typedef bool alter(const struct sample *sample, const struct spot *spot, unsigned variant,
                   struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected);

/* Alter each sample at each spot in each variant, and see that the outcome is as expected. */
static void at_every_spot(alter *change, unsigned variants)
{
    static struct spot spots[SPOTS_MAX];
    size_t changes = 0;

    for (size_t i = 0; i < sample_count; i++) {
        const struct codec *codec = samples[i].codec;
        struct stk_buffer sent = {0};
        size_t count = 0;

        sample_encode(&samples[i], &sent);
        count = spots_find(codec->type, view(&sent), spots);
        for (size_t j = 0; j < count * variants; j++) {
            const struct spot *spot = &spots[j / variants];
            enum stirkeep_status expected = STIRKEEP_OK;
            struct stk_buffer replacement = {0};
            struct stk_buffer changed = {0};
            char what[64] = "";

            (void)snprintf(what, sizeof(what), "%s, variant %zu", samples[i].name, j % variants);
            if (change(&samples[i], spot, (unsigned)(j % variants), &replacement, &expected)) {
                spot_replace(codec->type, view(&sent), spot, view(&replacement), &changed);
                trial_expect(codec, view(&changed), expected, what,
                             spot->field != NULL ? spot->field->name : spot->type->short_name);
                /* By the scan alone: protobuf-c is not relied upon. */
                assert_int_equal(stk_scan_check(codec->type, view(&changed), codec->unknown, NULL),
                                 expected);
                changes++;
            }
            stk_buffer_free(&replacement);
            stk_buffer_free(&changed);
        }
        stk_buffer_free(&sent);
    }
    assert_true(changes >= sample_count);
}

static void a_message_cut_short_is_malformed_unless_between_two_fields(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};
        size_t length = 0;

        sample_encode(&samples[i], &sent);
        for (length = 0; length < sent.length; length++) {
            struct stk_bytes rest = {sent.data, length};
            struct stk_wire_field field = {0};
            bool whole = true;
            enum stirkeep_status status = trial_status(samples[i].codec, rest);

            while (rest.length > 0 && whole)
                whole = stk_scan_cut(&rest, &field);
            if (whole == (status == STIRKEEP_MALFORMED))
                fail_msg("%s cut to %zu, %s: %s", samples[i].name, length,
                         whole ? "between fields" : "in a field", stirkeep_status_name(status));
        }
        stk_buffer_free(&sent);
    }
}

static void bits_that_flip_do_no_harm(void **state)
{
    uint64_t random = SEED;
    size_t refused = 0;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};

        sample_encode(&samples[i], &sent);
        for (unsigned round = 0; round < FLIPS; round++) {
            struct stk_buffer damaged = {0};

            assert_int_equal(stk_buffer_add(&damaged, sent.data, sent.length), STIRKEEP_OK);
            for (unsigned flips = 1 + round % 3; flips > 0; flips--) {
                uint64_t bit = next_random(&random) % (damaged.length * 8);

                damaged.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            }
            refused += trial_status(samples[i].codec, view(&damaged)) != STIRKEEP_OK;
            stk_buffer_free(&damaged);
        }
        stk_buffer_free(&sent);
    }
    assert_true(refused > sample_count);
    assert_true(refused < sample_count * FLIPS);
}

static void bytes_taken_out_or_put_in_do_no_harm(void **state)
{
    uint64_t random = SEED + 1;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};

        sample_encode(&samples[i], &sent);
        for (unsigned round = 0; round < FLIPS; round++) {
            struct stk_buffer damaged = {0};
            size_t from = next_random(&random) % sent.length;
            size_t to = next_random(&random) % sent.length;

            /* With to < from some bytes come twice. */
            assert_int_equal(stk_buffer_add(&damaged, sent.data, from), STIRKEEP_OK);
            assert_int_equal(stk_buffer_add(&damaged, sent.data + to, sent.length - to),
                             STIRKEEP_OK);
            (void)trial_status(samples[i].codec, view(&damaged));
            stk_buffer_free(&damaged);
        }
        stk_buffer_free(&sent);
    }
}

static void noise_does_no_harm(void **state)
{
    const struct codec *last = NULL;
    uint64_t random = SEED + 2;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        const struct codec *codec = samples[i].codec;

        for (unsigned round = 0; round < NOISES && codec != last; round++) {
            uint8_t noise[64];
            size_t length = next_random(&random) % (sizeof(noise) + 1);

            for (size_t j = 0; j < length; j++)
                noise[j] = (uint8_t)next_random(&random);
            /* Often something that begins like a field of ours. */
            if (length > 1 && round % 2 == 0) {
                noise[0] = (uint8_t)((next_random(&random) % 20) << 3 | 2);
                noise[1] = (uint8_t)(length - 2);
            }
            (void)trial_status(codec, (struct stk_bytes){noise, length});
        }
        last = codec;
    }
}

static bool add_unknown(const struct sample *sample, const struct spot *spot, unsigned variant,
                        struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    static const unsigned wire_types[] = {0, 1, 2, 5};
    static const uint32_t numbers[] = {1000, 0x1fffffff};

    if (spot->field != NULL)
        return false;
    put_field(numbers[variant / 4], wire_types[variant % 4], ret_replacement);
    *ret_expected =
        spot->depth >= (unsigned)sample->codec->unknown ? STIRKEEP_UNSUPPORTED : STIRKEEP_OK;
    return true;
}

static void unknown_fields_are_ignored_where_they_may_be_and_refused_elsewhere(void **state)
{
    (void)state;
    at_every_spot(add_unknown, 8);
}

static bool add_impossible(const struct sample *sample, const struct spot *spot, unsigned variant,
                           struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    (void)sample;
    if (spot->field != NULL)
        return false;
    switch (variant) {
    case 0: /* field number 0 */
        put_field(0, 0, ret_replacement);
        break;
    case 1: /* a field number of 30 bits */
        put_varint((uint64_t)0x20000000 << 3, ret_replacement);
        put_varint(0, ret_replacement);
        break;
    case 2: /* a length that overflows */
        put_varint(1000 << 3 | 2, ret_replacement);
        put_varint(UINT64_MAX, ret_replacement);
        break;
    case 3: /* a length past the end by one */
        put_varint(1000 << 3 | 2, ret_replacement);
        put_varint(1, ret_replacement);
        break;
    case 4: /* a number that does not end */
        for (unsigned i = 0; i < 10; i++)
            put_bytes(0, NULL, 0, ret_replacement);
        memset(ret_replacement->data, 0xff, ret_replacement->length);
        break;
    default: /* wire types 3, 4, 6, 7 */
        put_field(1000, variant == 5 ? 3 : variant == 6 ? 4 : variant - 1, ret_replacement);
        break;
    }
    *ret_expected = STIRKEEP_MALFORMED;
    return true;
}

static void what_is_no_field_at_all_is_malformed(void **state)
{
    (void)state;
    at_every_spot(add_impossible, 9);
}

static bool give_twice(const struct sample *sample, const struct spot *spot, unsigned variant,
                       struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    (void)sample;
    (void)variant;
    if (spot->field == NULL || spot->field->label == PROTOBUF_C_LABEL_REPEATED)
        return false;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(stk_buffer_add(ret_replacement, spot->raw.data, spot->raw.length),
                         STIRKEEP_OK);
    *ret_expected = STIRKEEP_MALFORMED;
    return true;
}

static void a_field_given_twice_is_malformed(void **state)
{
    (void)state;
    at_every_spot(give_twice, 1);
}

static bool add_second_body(const struct sample *sample, const struct spot *spot, unsigned variant,
                            struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    const ProtobufCMessageDescriptor *type = spot->type;
    (void)sample;

    if (spot->field == NULL || (spot->field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
        return false;
    if (variant >= type->n_fields || type->fields[variant].id == spot->field->id ||
        (type->fields[variant].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
        return false;
    assert_int_equal(stk_buffer_add(ret_replacement, spot->raw.data, spot->raw.length),
                     STIRKEEP_OK);
    put_bytes(type->fields[variant].id, NULL, 0, ret_replacement);
    *ret_expected = STIRKEEP_MALFORMED;
    return true;
}

static void a_second_body_is_malformed(void **state)
{
    (void)state;
    at_every_spot(add_second_body, 16);
}

static bool change_wire_type(const struct sample *sample, const struct spot *spot, unsigned variant,
                             struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    (void)sample;
    if (spot->field == NULL || spot->wire.type == variant)
        return false;
    put_field(spot->field->id, variant, ret_replacement);
    *ret_expected = STIRKEEP_MALFORMED;
    return true;
}

static void a_wire_type_that_is_not_the_fields_is_malformed(void **state)
{
    (void)state;
    at_every_spot(change_wire_type, 8);
}

static bool spoil_text(const struct sample *sample, const struct spot *spot, unsigned variant,
                       struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    static const struct {
        const char *text;
        size_t length;
    } spoilt[] = {{"\0", 1},           {"a\0", 2},
                  {"\0b", 2},          {"\xff", 1},
                  {"\x80", 1},         {"ab\xc3", 3},
                  {"\xc0\xaf", 2},     {"\xe0\x80\xaf", 3},
                  {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
                  {"12345678\xfe", 9}, {"1234567\0abcdefgh", 16}};
    (void)sample;

    assert_true(variant < sizeof(spoilt) / sizeof(spoilt[0]));
    if (spot->field == NULL || spot->field->type != PROTOBUF_C_TYPE_STRING)
        return false;
    put_bytes(spot->field->id, spoilt[variant].text, spoilt[variant].length, ret_replacement);
    *ret_expected = STIRKEEP_INVALID;
    return true;
}

static void a_text_with_a_nul_or_without_utf8_is_invalid(void **state)
{
    (void)state;
    at_every_spot(spoil_text, 12);
}

static bool outgrow_number(const struct sample *sample, const struct spot *spot, unsigned variant,
                           struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    static const uint64_t numbers[] = {(uint64_t)UINT32_MAX + 1, (uint64_t)1 << 63, UINT64_MAX};
    (void)sample;

    if (spot->field == NULL || spot->field->type != PROTOBUF_C_TYPE_UINT32)
        return false;
    put_number(spot->field->id, numbers[variant], ret_replacement);
    *ret_expected = STIRKEEP_MALFORMED;
    return true;
}

static void a_number_that_does_not_fit_its_field_is_malformed(void **state)
{
    (void)state;
    at_every_spot(outgrow_number, 3);
}

static bool lengthen_number(const struct sample *sample, const struct spot *spot, unsigned variant,
                            struct stk_buffer *ret_replacement, enum stirkeep_status *ret_expected)
{
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x01};
    static const uint8_t past_64_bits[] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0x02};
    (void)sample;

    if (spot->field == NULL || spot->wire.type != PROTOBUF_C_WIRE_TYPE_VARINT)
        return false;
    put_varint(spot->field->id << 3, ret_replacement);
    assert_int_equal(variant == 0
                         ? stk_buffer_add(ret_replacement, endless, sizeof(endless))
                         : stk_buffer_add(ret_replacement, past_64_bits, sizeof(past_64_bits)),
                     STIRKEEP_OK);
    *ret_expected = STIRKEEP_MALFORMED;
    return true;
}

static void a_number_of_more_than_64_bits_is_malformed(void **state)
{
    (void)state;
    at_every_spot(lengthen_number, 2);
}

/* Requests are answered by their id even when they cannot be decoded. */
static void a_failure_still_tells_the_id(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        const struct codec *codec = samples[i].codec;
        struct stk_buffer sent = {0};
        struct trial trial;
        uint64_t id = 0;

        if (codec->id_offset == NO_ID)
            continue;
        sample_encode(&samples[i], &sent);
        for (unsigned damage = 0; damage < 2; damage++) {
            put_field(1000, damage == 0 ? 3 : 2, &sent); /* a group, then nothing that may follow */
            trial_run(&trial, codec, view(&sent), STK_DECODE_ARENA_MAX);
            assert_int_equal(trial.status, STIRKEEP_MALFORMED);
            memcpy(&id, (const uint8_t *)&trial.value + codec->id_offset, sizeof(id));
            assert_int_equal(id, SAMPLE_ID);
            trial_end(&trial);
        }
        stk_buffer_free(&sent);
    }
}

static void a_body_that_is_missing_or_not_known_is_unsupported(void **state)
{
    static const struct codec *const codecs[] = {&codec_request, &codec_response,
                                                 &codec_admin_request, &codec_admin_response,
                                                 &codec_custody_order};
    (void)state;

    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        struct stk_buffer message = {0};

        trial_expect(codecs[i], view(&message), STIRKEEP_UNSUPPORTED, "empty", "");
        put_number(1, SAMPLE_ID, &message);
        trial_expect(codecs[i], view(&message), STIRKEEP_UNSUPPORTED, "no body", "");
        put_bytes(99, "", 0, &message);
        trial_expect(codecs[i], view(&message), STIRKEEP_UNSUPPORTED, "unknown body", "");
        stk_buffer_free(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_cut_short_is_malformed_unless_between_two_fields),
        cmocka_unit_test(bits_that_flip_do_no_harm),
        cmocka_unit_test(bytes_taken_out_or_put_in_do_no_harm),
        cmocka_unit_test(noise_does_no_harm),
        cmocka_unit_test(unknown_fields_are_ignored_where_they_may_be_and_refused_elsewhere),
        cmocka_unit_test(what_is_no_field_at_all_is_malformed),
        cmocka_unit_test(a_field_given_twice_is_malformed),
        cmocka_unit_test(a_second_body_is_malformed),
        cmocka_unit_test(a_wire_type_that_is_not_the_fields_is_malformed),
        cmocka_unit_test(a_text_with_a_nul_or_without_utf8_is_invalid),
        cmocka_unit_test(a_number_that_does_not_fit_its_field_is_malformed),
        cmocka_unit_test(a_number_of_more_than_64_bits_is_malformed),
        cmocka_unit_test(a_failure_still_tells_the_id),
        cmocka_unit_test(a_body_that_is_missing_or_not_known_is_unsupported),
    };

    return cmocka_run_group_tests_name("wire-hostile", tests, NULL, NULL);
}
