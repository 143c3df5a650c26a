/* SPDX-License-Identifier: BSD-2-Clause */
/* The same message in other forms than our encoders': it says the same, or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "trial.h"
#include "wire/frame.h"
#include <string.h>

#define SEED 0x9e3779b97f4a7c15U
#define ROUNDS 160
#define ARENA (64 * 1024)
#define VALUE_BYTES_MAX 10 /* of a number, however it is padded */
#define TAG_BYTES_MAX 5    /* of a tag or a length: past it, protobuf-c does not go along */

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

static void encode_again(const struct codec *codec, const union decoded *value,
                         struct stk_buffer *out)
{
    assert_int_equal(codec->encode(value, out), STIRKEEP_OK);
    if (codec->framed)
        stk_buffer_drop(out, STK_FRAME_HEADER);
}

/* `value` in `bytes` bytes, or as many more as it needs. */
static void put_padded(uint64_t value, size_t bytes, struct stk_buffer *out)
{
    size_t from = out->length;

    put_varint(value, out);
    while (out->length - from < bytes) {
        static const uint8_t nothing = 0;

        out->data[out->length - 1] |= 0x80;
        assert_int_equal(stk_buffer_add(out, &nothing, 1), STIRKEEP_OK);
    }
}

struct padding {
    size_t tag;
    size_t length;
    size_t number;
};

/* The field at the spot once more, padded. */
static void put_spot(const struct spot *spot, const struct padding *padding, struct stk_buffer *out)
{
    put_padded((uint64_t)spot->wire.number << 3 | spot->wire.type, padding->tag, out);
    if (spot->wire.type == PROTOBUF_C_WIRE_TYPE_VARINT) {
        put_padded(spot->wire.value, padding->number, out);
        return;
    }
    put_padded(spot->wire.inside.length, padding->length, out);
    assert_int_equal(stk_buffer_add(out, spot->wire.inside.data, spot->wire.inside.length),
                     STIRKEEP_OK);
}

/* OK: and the value is the one without the padding. */
static void expect_padded(const struct sample *sample, struct stk_bytes sent,
                          const struct spot *spot, const struct padding *padding,
                          enum stirkeep_status expected)
{
    const struct codec *codec = sample->codec;
    struct stk_buffer piece = {0};
    struct stk_buffer padded = {0};
    struct stk_buffer again = {0};
    struct trial trial;

    put_spot(spot, padding, &piece);
    spot_replace(codec->type, sent, spot, view(&piece), &padded);
    assert_int_not_equal(memcmp(padded.data, sent.data, sent.length), 0);
    trial_run(&trial, codec, view(&padded), ARENA);
    if (trial.status != expected)
        fail_msg("%s: %s padded to %zu, %zu, %zu: %s", sample->name, spot->field->name,
                 padding->tag, padding->length, padding->number,
                 stirkeep_status_name(trial.status));
    if (expected == STIRKEEP_OK) {
        encode_again(codec, &trial.value, &again);
        assert_int_equal(again.length, sent.length);
        assert_memory_equal(again.data, sent.data, sent.length);
    }
    trial_end(&trial);
    stk_buffer_free(&piece);
    stk_buffer_free(&padded);
    stk_buffer_free(&again);
}

/* Each field of each sample by itself. */
static void expect_each_padded(const struct padding *padding, ProtobufCWireType type,
                               enum stirkeep_status expected)
{
    static struct spot spots[SPOTS_MAX];
    size_t padded = 0;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};
        size_t count = 0;

        sample_encode(&samples[i], &sent);
        count = spots_find(samples[i].codec->type, view(&sent), spots);
        for (size_t j = 0; j < count; j++) {
            if (spots[j].field == NULL || spots[j].wire.type != type)
                continue;
            expect_padded(&samples[i], view(&sent), &spots[j], padding, expected);
            padded++;
        }
        stk_buffer_free(&sent);
    }
    assert_true(padded >= sample_count);
}

static void a_number_padded_with_zeros_keeps_its_value(void **state)
{
    const struct padding padding = {.number = VALUE_BYTES_MAX};
    (void)state;

    expect_each_padded(&padding, PROTOBUF_C_WIRE_TYPE_VARINT, STIRKEEP_OK);
}

static void a_tag_or_length_padded_with_zeros_is_read_as_far_as_32_bits_take(void **state)
{
    const struct padding padding = {.tag = TAG_BYTES_MAX, .length = TAG_BYTES_MAX};
    (void)state;

    expect_each_padded(&padding, PROTOBUF_C_WIRE_TYPE_VARINT, STIRKEEP_OK);
    expect_each_padded(&padding, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, STIRKEEP_OK);
}

/* Here the scan goes along and protobuf-c does not: still a refusal that says why. */
static void a_tag_or_length_padded_further_is_malformed(void **state)
{
    const struct padding tag = {.tag = TAG_BYTES_MAX + 1};
    const struct padding length = {.length = TAG_BYTES_MAX + 1};
    (void)state;

    expect_each_padded(&tag, PROTOBUF_C_WIRE_TYPE_VARINT, STIRKEEP_MALFORMED);
    expect_each_padded(&tag, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, STIRKEEP_MALFORMED);
    expect_each_padded(&length, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, STIRKEEP_MALFORMED);
}

static bool is_bool(const struct spot *spot)
{
    return spot->field != NULL && spot->field->type == PROTOBUF_C_TYPE_BOOL;
}

/* A flag is true for any number but 0, also for one whose low 32 bits are 0. */
static void a_flag_is_true_for_any_number_but_0(void **state)
{
    static const uint64_t numbers[] = {2, 0x80, UINT64_C(1) << 32, UINT64_C(1) << 63};
    static struct spot spots[SPOTS_MAX];
    size_t flags = 0;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};
        size_t count = 0;

        sample_encode(&samples[i], &sent);
        count = spots_find(samples[i].codec->type, view(&sent), spots);
        for (size_t j = 0; j < count * 4; j++) {
            struct spot spot = spots[j / 4];

            if (!is_bool(&spot))
                continue;
            spot.wire.value = numbers[j % 4];
            expect_padded(&samples[i], view(&sent), &spot, &(struct padding){0}, STIRKEEP_OK);
            flags++;
        }
        stk_buffer_free(&sent);
    }
    assert_true(flags > 0);
}

static void swap_halves(struct stk_bytes message, struct stk_buffer *out)
{
    struct stk_bytes rest = message;
    struct stk_wire_field field = {0};

    assert_true(stk_scan_cut(&rest, &field));
    assert_int_equal(stk_buffer_add(out, rest.data, rest.length), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(out, message.data, message.length - rest.length), STIRKEEP_OK);
}

static void a_message_says_the_same_with_its_first_field_last(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        const struct codec *codec = samples[i].codec;
        struct stk_buffer sent = {0};
        struct stk_buffer swapped = {0};
        struct stk_buffer again = {0};
        struct trial trial;

        sample_encode(&samples[i], &sent);
        swap_halves(view(&sent), &swapped);
        /* Of lists that grow in place the order counts. */
        if (codec != &codec_front_orders && codec != &codec_answers) {
            trial_run(&trial, codec, view(&swapped), ARENA);
            assert_int_equal(trial.status, STIRKEEP_OK);
            encode_again(codec, &trial.value, &again);
            assert_int_equal(again.length, sent.length);
            assert_memory_equal(again.data, sent.data, sent.length);
            trial_end(&trial);
        }
        stk_buffer_free(&sent);
        stk_buffer_free(&swapped);
        stk_buffer_free(&again);
    }
}

/* What decodes is sent on; whoever gets it next must read the same in it. */
static void expect_stable(const struct codec *codec, struct stk_bytes message, size_t *stable)
{
    struct stk_buffer once = {0};
    struct stk_buffer twice = {0};
    struct trial first;
    struct trial second;
    uint64_t id = 0;

    trial_run(&first, codec, message, ARENA);
    if (first.status == STIRKEEP_OK) {
        if (codec->id_offset != NO_ID) {
            memcpy(&id, (const uint8_t *)&first.value + codec->id_offset, sizeof(id));
            assert_int_equal(id, stk_scan_id(message));
        }
        encode_again(codec, &first.value, &once);
        trial_run(&second, codec, view(&once), ARENA);
        if (second.status != STIRKEEP_OK)
            fail_msg("%s: %s", codec->type->short_name, second.error.message);
        encode_again(codec, &second.value, &twice);
        assert_int_equal(twice.length, once.length);
        if (once.length > 0)
            assert_memory_equal(twice.data, once.data, once.length);
        trial_end(&second);
        *stable += 1;
    }
    trial_end(&first);
    stk_buffer_free(&once);
    stk_buffer_free(&twice);
}

static void what_a_damaged_message_still_says_is_told_on_unchanged(void **state)
{
    uint64_t random = SEED;
    size_t stable = 0;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};

        sample_encode(&samples[i], &sent);
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint64_t bit = next_random(&random) % (sent.length * 8);
            uint8_t mask = (uint8_t)(1U << (bit % 8));

            sent.data[bit / 8] ^= mask;
            expect_stable(samples[i].codec, view(&sent), &stable);
            sent.data[bit / 8] ^= mask;
        }
        stk_buffer_free(&sent);
    }
    assert_true(stable > sample_count);
    assert_true(stable < sample_count * ROUNDS);
}

/* Take what is whole out of the stream, and see that it is what was sent. */
static void take_frames(struct stk_buffer *stream, struct stk_bytes sent, size_t *taken)
{
    struct stk_bytes message = {0};
    size_t used = 0;

    while (stk_frame_next(stream->data, stream->length, STK_ADMIN_MESSAGE_MAX, &message, &used) ==
           STK_FRAME_WHOLE) {
        assert_true(used <= sent.length - *taken);
        assert_memory_equal(stream->data, sent.data + *taken, used);
        assert_int_equal(message.length, used - STK_FRAME_HEADER);
        stk_buffer_drop(stream, used);
        *taken += used;
    }
}

static void frames_come_out_of_a_stream_however_it_is_cut(void **state)
{
    uint64_t random = SEED;
    struct stk_buffer sent = {0};
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        union decoded value;

        if (!samples[i].codec->framed)
            continue;
        sample_fill(&samples[i], &value);
        assert_int_equal(samples[i].codec->encode(&value, &sent), STIRKEEP_OK);
    }
    for (size_t piece_max = 1; piece_max <= 4096; piece_max *= 4) {
        struct stk_buffer stream = {0};
        size_t taken = 0;

        for (size_t at = 0; at < sent.length;) {
            size_t piece = 1 + next_random(&random) % piece_max;

            piece = piece < sent.length - at ? piece : sent.length - at;
            assert_int_equal(stk_buffer_add(&stream, sent.data + at, piece), STIRKEEP_OK);
            take_frames(&stream, view(&sent), &taken);
            at += piece;
        }
        assert_int_equal(taken, sent.length);
        assert_int_equal(stream.length, 0);
        stk_buffer_free(&stream);
    }
    stk_buffer_free(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_padded_with_zeros_keeps_its_value),
        cmocka_unit_test(a_tag_or_length_padded_with_zeros_is_read_as_far_as_32_bits_take),
        cmocka_unit_test(a_tag_or_length_padded_further_is_malformed),
        cmocka_unit_test(a_flag_is_true_for_any_number_but_0),
        cmocka_unit_test(a_message_says_the_same_with_its_first_field_last),
        cmocka_unit_test(what_a_damaged_message_still_says_is_told_on_unchanged),
        cmocka_unit_test(frames_come_out_of_a_stream_however_it_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
