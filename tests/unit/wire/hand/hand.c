/* SPDX-License-Identifier: BSD-2-Clause */
#include "hand.h"

#include "wire/frame.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- protobuf written by hand */

static void put_varint(struct stk_buffer *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));

        assert_int_equal(stk_buffer_add(out, &byte, 1), STIRKEEP_OK);
        value >>= 7;
    } while (value > 0);
}

void hand_number(struct stk_buffer *out, uint32_t field, uint64_t value)
{
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

void hand_bytes(struct stk_buffer *out, uint32_t field, const void *data, size_t length)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, length);
    if (length > 0)
        assert_int_equal(stk_buffer_add(out, data, length), STIRKEEP_OK);
}

void hand_text(struct stk_buffer *out, uint32_t field, const char *text)
{
    hand_bytes(out, field, text, strlen(text));
}

void hand_inside(struct stk_buffer *out, uint32_t field, struct stk_buffer *inside)
{
    hand_bytes(out, field, inside->data, inside->length);
    stk_buffer_free(inside);
}

struct stk_bytes bytes_of(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

struct stk_bytes message_of(const struct stk_buffer *buffer, size_t limit)
{
    struct stk_bytes message = {0};
    size_t taken = 0;

    assert_int_equal(stk_frame_next(buffer->data, buffer->length, limit, &message, &taken),
                     STK_FRAME_WHOLE);
    assert_int_equal(taken, buffer->length);
    return message;
}

char *long_text(size_t length)
{
    char *text = malloc(length + 1);

    assert_non_null(text);
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

void hand_assert_bytes(struct stk_bytes bytes, const char *text)
{
    assert_int_equal(bytes.length, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.length);
}

void hand_diagnosis(struct stk_buffer *body)
{
    struct stk_buffer inside = {0};

    hand_text(&inside, 1, "label");
    hand_text(&inside, 2, "prod");
    hand_inside(body, 1, &inside);
    hand_text(&inside, 1, "error");
    hand_text(&inside, 2, "no PIN");
    hand_text(&inside, 3, "give it one");
    hand_inside(body, 2, &inside);
    hand_inside(body, 1, &inside); /* a fact of nothing, behind the trouble */
}

/* ---- attacks */

static enum stirkeep_status decode_within(try_decode *decode, struct stk_bytes message,
                                          size_t capacity)
{
    struct stk_arena arena = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_int_equal(stk_arena_new(&arena, capacity), STIRKEEP_OK);
    status = decode(message, &arena);
    stk_arena_free(&arena);
    return status;
}

/* In memory of exactly its size: a read past its end is one past the allocation. */
enum stirkeep_status decode_once(try_decode *decode, struct stk_bytes message)
{
    uint8_t *copy = malloc(message.length > 0 ? message.length : 1);
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(copy);
    if (message.length > 0)
        memcpy(copy, message.data, message.length);
    status = decode_within(decode, (struct stk_bytes){copy, message.length}, STK_DECODE_ARENA_MAX);
    free(copy);
    return status;
}

static uint64_t get_varint(struct stk_bytes message, size_t *at)
{
    uint64_t value = 0;

    for (unsigned shift = 0; *at < message.length; shift += 7) {
        uint8_t byte = message.data[(*at)++];

        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return value;
}

/* Where the outermost field that begins at `at` ends, in a message that is well-formed. */
static size_t field_end(struct stk_bytes message, size_t at)
{
    uint64_t tag = get_varint(message, &at);
    uint64_t value = get_varint(message, &at);

    return (tag & 7) == 2 ? at + (size_t)value : at;
}

void attack_by_cutting(try_decode *decode, struct stk_bytes message)
{
    size_t border = 0;

    for (size_t length = 0; length < message.length; length++) {
        enum stirkeep_status status = decode_once(decode, (struct stk_bytes){message.data, length});

        if (length == border)
            border = field_end(message, border);
        else
            assert_int_equal(status, STIRKEEP_MALFORMED);
    }
    assert_int_equal(border, message.length);
}

void attack_by_turning_bits(try_decode *decode, struct stk_bytes message)
{
    uint8_t *copy = malloc(message.length);

    assert_non_null(copy);
    memcpy(copy, message.data, message.length);
    for (size_t bit = 0; bit < message.length * 8; bit++) {
        enum stirkeep_status status = STIRKEEP_OK;

        copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
        status =
            decode_within(decode, (struct stk_bytes){copy, message.length}, STK_DECODE_ARENA_MAX);
        copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_true(status == STIRKEEP_OK || status == STIRKEEP_MALFORMED ||
                    status == STIRKEEP_INVALID || status == STIRKEEP_TOO_LARGE ||
                    status == STIRKEEP_UNSUPPORTED);
    }
    free(copy);
}

void attack_by_starving(try_decode *decode, struct stk_bytes message)
{
    enum stirkeep_status status = STIRKEEP_TOO_LARGE;
    size_t capacity = 8;

    for (; status != STIRKEEP_OK && capacity <= STK_DECODE_ARENA_MAX; capacity += 24) {
        status = decode_within(decode, message, capacity);
        assert_true(status == STIRKEEP_OK || status == STIRKEEP_TOO_LARGE);
    }
    assert_int_equal(status, STIRKEEP_OK);
    assert_true(capacity > 64); /* it was starved at all */
}

void attack_by_ceiling(try_encode *encode)
{
    struct stk_buffer whole = {0};

    assert_int_equal(encode(&whole), STIRKEEP_OK);
    for (size_t ceiling = 3; ceiling <= whole.length + 3; ceiling++) {
        struct stk_buffer out = {.ceiling = ceiling};
        enum stirkeep_status status = STIRKEEP_OK;

        assert_int_equal(stk_buffer_add(&out, "abc", 3), STIRKEEP_OK);
        status = encode(&out);
        if (ceiling < whole.length + 3) {
            assert_int_equal(status, STIRKEEP_TOO_LARGE);
            assert_int_equal(out.length, 3);
        } else {
            assert_int_equal(status, STIRKEEP_OK);
            assert_int_equal(out.length, 3 + whole.length);
            assert_memory_equal(out.data + 3, whole.data, whole.length);
        }
        assert_memory_equal(out.data, "abc", 3);
        stk_buffer_free(&out);
    }
    stk_buffer_free(&whole);
}

void attack(try_decode *decode, struct stk_bytes message)
{
    assert_int_equal(decode_once(decode, message), STIRKEEP_OK);
    attack_by_cutting(decode, message);
    attack_by_turning_bits(decode, message);
    attack_by_starving(decode, message);
}

enum stirkeep_status decode_with(try_decode *decode, struct stk_bytes message,
                                 const struct stk_buffer *more)
{
    struct stk_buffer both = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_int_equal(stk_buffer_add(&both, message.data, message.length), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&both, more->data, more->length), STIRKEEP_OK);
    status = decode_once(decode, bytes_of(&both));
    stk_buffer_free(&both);
    return status;
}

/* ---- looking at what is decoded */

hand_look *hand_looks;

static void put_message(uint32_t number, struct stk_buffer *body, struct stk_buffer *message)
{
    enum { ID = 1 };

    hand_number(message, ID, 5);
    hand_inside(message, number, body);
}

enum stirkeep_status hand_decode(uint32_t number, struct stk_buffer *body, try_decode *decode)
{
    struct stk_buffer message = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    put_message(number, body, &message);
    status = decode_once(decode, bytes_of(&message));
    stk_buffer_free(&message);
    return status;
}

void hand_take(uint32_t number, struct stk_buffer *body, try_decode *decode, hand_look *look)
{
    struct stk_buffer message = {0};

    put_message(number, body, &message);
    hand_looks = look;
    assert_int_equal(decode_once(decode, bytes_of(&message)), STIRKEEP_OK);
    hand_looks = NULL;
    attack(decode, bytes_of(&message));
    stk_buffer_free(&message);
}
