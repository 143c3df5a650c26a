/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures made in an arena: they say what protobuf-c's own reading of the same bytes says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "wire/structure.h"
#include <stdlib.h>
#include <string.h>

#define SEED 0x2545f4914f6cdd1dULL
#define ARENA (64 * 1024)
#define ROUNDS 200 /* damaged copies of each message */

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

static void packed(const void *structure, struct stk_buffer *out)
{
    size_t length = protobuf_c_message_get_packed_size(structure);

    assert_int_equal(stk_buffer_reserve(out, length), STIRKEEP_OK);
    assert_int_equal(protobuf_c_message_pack(structure, out->data), length);
    out->length = length;
}

/* As both readings have it; fields that are not known are in neither. */
static void compare(const ProtobufCMessageDescriptor *type, struct stk_bytes message)
{
    struct stk_arena arena = {0};
    struct stk_buffer ours = {0};
    struct stk_buffer theirs = {0};
    ProtobufCMessage *their = protobuf_c_message_unpack(type, NULL, message.length, message.data);
    void *our = NULL;

    assert_int_equal(stk_arena_new(&arena, ARENA), STIRKEEP_OK);
    our = stk_structure_make(type, message, &arena);
    assert_non_null(our);
    if (their == NULL)
        fail_msg("%s: protobuf-c refuses what the scan lets pass", type->short_name);
    packed(our, &ours);
    packed(their, &theirs);
    assert_int_equal(ours.length, theirs.length);
    if (ours.length > 0)
        assert_memory_equal(ours.data, theirs.data, ours.length);
    protobuf_c_message_free_unpacked(their, NULL);
    stk_buffer_free(&ours);
    stk_buffer_free(&theirs);
    stk_arena_free(&arena);
}

static void every_sample_is_read_as_protobuf_c_reads_it(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};

        sample_encode(&samples[i], &sent);
        compare(samples[i].codec->type, view(&sent));
        stk_buffer_free(&sent);
    }
}

/* Whatever of a damaged message the scan lets pass, with nothing unknown in it. */
static void what_is_left_of_a_damaged_message_is_read_as_protobuf_c_reads_it(void **state)
{
    uint64_t random = SEED;
    size_t compared = 0;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};

        sample_encode(&samples[i], &sent);
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint64_t bit = next_random(&random) % (sent.length * 8);
            uint8_t mask = (uint8_t)(1U << (bit % 8));

            sent.data[bit / 8] ^= mask;
            if (stk_scan_check(samples[i].codec->type, view(&sent), STK_UNKNOWN_REFUSED, NULL) ==
                STIRKEEP_OK) {
                compare(samples[i].codec->type, view(&sent));
                compared++;
            }
            sent.data[bit / 8] ^= mask;
        }
        stk_buffer_free(&sent);
    }
    assert_true(compared > sample_count);
}

/* Room for so many bytes, and not one more, is what it takes: the rest of the arena stays as it is. */
static void an_arena_that_is_used_up_gives_no_structure(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        const ProtobufCMessageDescriptor *type = samples[i].codec->type;
        struct stk_arena arena = {0};
        struct stk_buffer sent = {0};
        size_t needed = 0;

        sample_encode(&samples[i], &sent);
        assert_int_equal(stk_arena_new(&arena, ARENA), STIRKEEP_OK);
        assert_non_null(stk_structure_make(type, view(&sent), &arena));
        needed = arena.used;
        stk_arena_free(&arena);
        for (size_t capacity = 1; capacity < needed - 16; capacity += 13) {
            assert_int_equal(stk_arena_new(&arena, capacity), STIRKEEP_OK);
            assert_null(stk_structure_make(type, view(&sent), &arena));
            stk_arena_free(&arena);
        }
        stk_buffer_free(&sent);
    }
}

/* Two bytes each, and there is no limit to how many but the arena's. */
static void a_message_full_of_empty_elements_ends_with_the_arena(void **state)
{
    static const struct codec *const codecs[] = {&codec_request, &codec_front_orders, &codec_push};
    static const uint32_t numbers[] = {13, 1, 4};
    (void)state;

    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        struct stk_buffer inside = {0};
        struct stk_buffer message = {0};
        struct stk_arena arena = {0};

        while (inside.length < STK_SIGN_MESSAGE_MAX - 16)
            put_bytes(i == 0 ? 1 : numbers[i], "", 0, &inside);
        if (i == 0)
            put_bytes(numbers[i], inside.data, inside.length, &message);
        else
            assert_int_equal(stk_buffer_add(&message, inside.data, inside.length), STIRKEEP_OK);
        assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
        assert_int_equal(stk_scan_check(codecs[i]->type, view(&message), STK_UNKNOWN_REFUSED, NULL),
                         STIRKEEP_OK);
        assert_null(stk_structure_make(codecs[i]->type, view(&message), &arena));
        assert_true(arena.used <= arena.capacity);
        stk_arena_free(&arena);
        stk_buffer_free(&inside);
        stk_buffer_free(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_read_as_protobuf_c_reads_it),
        cmocka_unit_test(what_is_left_of_a_damaged_message_is_read_as_protobuf_c_reads_it),
        cmocka_unit_test(an_arena_that_is_used_up_gives_no_structure),
        cmocka_unit_test(a_message_full_of_empty_elements_ends_with_the_arena),
    };

    return cmocka_run_group_tests_name("wire-structure", tests, NULL, NULL);
}
