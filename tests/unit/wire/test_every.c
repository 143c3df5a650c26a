/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for every message that is in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "trial.h"
#include <string.h>

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static void a_message_decodes_to_what_was_encoded(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        const struct codec *codec = samples[i].codec;
        struct stk_buffer sent = {0};
        struct stk_buffer again = {0};
        struct trial trial;

        sample_encode(&samples[i], &sent);
        trial_run(&trial, codec, view(&sent), STK_DECODE_ARENA_MAX);
        if (trial.status != STIRKEEP_OK)
            fail_msg("%s: %s", samples[i].name, trial.error.message);
        assert_int_equal(codec->encode(&trial.value, &again), STIRKEEP_OK);
        if (codec->framed)
            stk_buffer_drop(&again, STK_FRAME_HEADER);
        assert_int_equal(again.length, sent.length);
        assert_memory_equal(again.data, sent.data, sent.length);
        trial_end(&trial);
        stk_buffer_free(&sent);
        stk_buffer_free(&again);
    }
}

/* Texts whose form is prescribed do not say where they belong. */
static bool is_prescribed(const struct spot *spot, const char *text)
{
    static const struct {
        const char *type; /* NULL: of any */
        const char *field;
        const char *text;
    } prescribed[] = {{NULL, "ppt", "shaken"},
                      {NULL, "ppt", "div"},
                      {NULL, "ppt", "div-o"},
                      {NULL, "ppt", "rph"},
                      {NULL, "ppt", "rcd"},
                      {"Identity", "tn", "12155551212"},
                      {"Destinations", "tn", "112"},
                      {"Destinations", "tn", "12155551212"},
                      {"Diversion", "tn", SAMPLE_DIV_TN},
                      {NULL, "hi", SAMPLE_HI},
                      {NULL, "opt", SAMPLE_OPT},
                      {NULL, "auth", "esnet.0"},
                      {NULL, "sph", "psap-callback"},
                      {NULL, "apn", SAMPLE_APN},
                      {NULL, "pointer", "/icn"},
                      {NULL, "pointer", "/jcd"},
                      {NULL, "pointer", "/jcl"},
                      {NULL, "digest", SAMPLE_DIGEST},
                      {NULL, "alg", "sha-256"},
                      {NULL, "dig", SAMPLE_DIG},
                      {NULL, "dig", SAMPLE_OTHER_DIG},
                      {"Signed", "attest", "A"},
                      {"Claims", "attest", "A"},
                      {"Claims", "attest", "B"},
                      {NULL, "attest_asked", "A"},
                      {NULL, "origid", SAMPLE_ORIGID},
                      {NULL, "spc", SAMPLE_SPC},
                      {"Usage", "kind", "grant"},
                      {"Usage", "kind", "certificate"}};

    for (size_t i = 0; i < sizeof(prescribed) / sizeof(prescribed[0]); i++)
        if ((prescribed[i].type == NULL ||
             strcmp(prescribed[i].type, spot->type->short_name) == 0) &&
            strcmp(prescribed[i].field, spot->field->name) == 0 &&
            strcmp(prescribed[i].text, text) == 0)
            return true;
    return false;
}

static bool value_fits(const struct spot *spot)
{
    char text[2048] = "";

    switch (spot->field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        return spot->wire.value == 1;
    case PROTOBUF_C_TYPE_BYTES:
        for (size_t i = 0; i < spot->wire.inside.length; i++)
            if (spot->wire.inside.data[i] != spot->field->id)
                return false;
        return spot->wire.inside.length > 0;
    case PROTOBUF_C_TYPE_STRING:
        assert_true(spot->wire.inside.length < sizeof(text));
        memcpy(text, spot->wire.inside.data, spot->wire.inside.length);
        return strstr(text, spot->field->name) != NULL || is_prescribed(spot, text);
    case PROTOBUF_C_TYPE_FIXED64: /* of a range */
        return spot->wire.value ==
               (strcmp(spot->field->name, "first") == 0 ? SAMPLE_KEY_FIRST : SAMPLE_KEY_LAST);
    default: /* numbers */
        return spot->wire.value == 1000 + spot->field->id ||
               (strcmp(spot->field->name, "up_to_us") == 0 &&
                spot->wire.value == SAMPLE_CLASS_END) ||
               strcmp(spot->field->name, "status") == 0;
    }
}

static void every_value_is_sent_under_its_own_field(void **state)
{
    static struct spot spots[SPOTS_MAX];
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};
        size_t count = 0;

        sample_encode(&samples[i], &sent);
        count = spots_find(samples[i].codec->type, view(&sent), spots);
        for (size_t j = 0; j < count; j++)
            if (spots[j].field != NULL && !value_fits(&spots[j]))
                fail_msg("%s: %s.%s has another field's value", samples[i].name,
                         spots[j].type->short_name, spots[j].field->name);
        stk_buffer_free(&sent);
    }
}

static bool some_sample_has(const ProtobufCMessageDescriptor *type,
                            const ProtobufCFieldDescriptor *field)
{
    static struct spot spots[SPOTS_MAX];
    bool found = false;

    for (size_t i = 0; i < sample_count && !found; i++) {
        struct stk_buffer sent = {0};
        size_t count = 0;

        sample_encode(&samples[i], &sent);
        count = spots_find(samples[i].codec->type, view(&sent), spots);
        for (size_t j = 0; j < count && !found; j++)
            found = spots[j].type == type && spots[j].field == field;
        stk_buffer_free(&sent);
    }
    return found;
}

static size_t check_fields(const ProtobufCMessageDescriptor *type)
{
    size_t count = type->n_fields;

    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!some_sample_has(type, &type->fields[i]))
            fail_msg("%s.%s is in no sample", type->short_name, type->fields[i].name);
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            count += check_fields(type->fields[i].descriptor);
    }
    return count;
}

static void no_field_of_the_protocol_is_left_out_here(void **state)
{
    const struct codec *last = NULL;
    size_t count = 0;
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].codec != last)
            count += check_fields(samples[i].codec->type);
        last = samples[i].codec;
    }
    assert_true(count > 250);
}

static void an_encoder_that_fails_leaves_the_buffer_as_it_was(void **state)
{
    static const char before[] = "before";
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer whole = {0};
        union decoded value;
        size_t room = 0;

        sample_encode(&samples[i], &whole);
        sample_fill(&samples[i], &value);
        whole.length += samples[i].codec->framed ? STK_FRAME_HEADER : 0;
        for (room = 0; room < whole.length; room++) {
            struct stk_buffer out = {.ceiling = sizeof(before) + room};

            assert_int_equal(stk_buffer_add(&out, before, sizeof(before)), STIRKEEP_OK);
            /* Of a batch, what fits is in it; each append is all or nothing. */
            assert_int_equal(samples[i].codec->encode(&value, &out), STIRKEEP_TOO_LARGE);
            if (samples[i].codec != &codec_front_orders && samples[i].codec != &codec_answers)
                assert_int_equal(out.length, sizeof(before));
            assert_memory_equal(out.data, before, sizeof(before));
            stk_buffer_free(&out);
        }
        stk_buffer_free(&whole);
    }
}

static void an_encoder_needs_no_more_room_than_the_message_takes(void **state)
{
    static const char before[] = "before";
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer whole = {0};
        struct stk_buffer out = {0};
        union decoded value;

        sample_encode(&samples[i], &whole);
        sample_fill(&samples[i], &value);
        out.ceiling = sizeof(before) + whole.length;
        out.ceiling += samples[i].codec->framed ? STK_FRAME_HEADER : 0;
        assert_int_equal(stk_buffer_add(&out, before, sizeof(before)), STIRKEEP_OK);
        assert_int_equal(samples[i].codec->encode(&value, &out), STIRKEEP_OK);
        assert_int_equal(out.length, out.ceiling);
        assert_memory_equal(out.data, before, sizeof(before));
        assert_memory_equal(out.data + out.length - whole.length, whole.data, whole.length);
        stk_buffer_free(&whole);
        stk_buffer_free(&out);
    }
}

/* Orders may end otherwise: one that runs out of memory is told of by its id. */
static void memory_that_does_not_suffice_is_too_large(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        const struct codec *codec = samples[i].codec;
        struct stk_buffer sent = {0};
        struct trial trial;
        size_t needed = 0;
        size_t capacity = 0;

        sample_encode(&samples[i], &sent);
        trial_run(&trial, codec, view(&sent), STK_DECODE_ARENA_MAX);
        needed = trial.arena.used;
        trial_end(&trial);
        assert_true(needed >= 16);
        for (capacity = 1; capacity < needed - 16; capacity++) {
            trial_run(&trial, codec, view(&sent), capacity);
            trial_end(&trial);
            if (codec == &codec_front_orders && trial.status == STIRKEEP_OK)
                continue;
            if (trial.status != STIRKEEP_TOO_LARGE)
                fail_msg("%s in %zu of %zu bytes: %s", samples[i].name, capacity, needed,
                         stirkeep_status_name(trial.status));
        }
        stk_buffer_free(&sent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_decodes_to_what_was_encoded),
        cmocka_unit_test(every_value_is_sent_under_its_own_field),
        cmocka_unit_test(no_field_of_the_protocol_is_left_out_here),
        cmocka_unit_test(an_encoder_that_fails_leaves_the_buffer_as_it_was),
        cmocka_unit_test(an_encoder_needs_no_more_room_than_the_message_takes),
        cmocka_unit_test(memory_that_does_not_suffice_is_too_large),
    };

    return cmocka_run_group_tests_name("wire-every", tests, NULL, NULL);
}
