/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of a message that is refused. */
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

/* The sample with the first field of this name holding `length` bytes of `data` instead; an
 * unknown field 900 behind it when `data` is NULL. */
static void spoil(const struct sample *sample, const char *field, const void *data, size_t length,
                  struct stk_buffer *out)
{
    static struct spot spots[SPOTS_MAX];
    struct stk_buffer sent = {0};
    struct stk_buffer piece = {0};
    size_t count = 0;
    size_t at = 0;

    sample_encode(sample, &sent);
    count = spots_find(sample->codec->type, view(&sent), spots);
    while (at < count && (spots[at].field == NULL || strcmp(spots[at].field->name, field) != 0))
        at++;
    assert_true(at < count);
    if (data != NULL) {
        put_bytes(spots[at].field->id, data, length, &piece);
    } else {
        assert_int_equal(stk_buffer_add(&piece, spots[at].raw.data, spots[at].raw.length),
                         STIRKEEP_OK);
        put_field(900, 0, &piece);
    }
    spot_replace(sample->codec->type, view(&sent), &spots[at], view(&piece), out);
    stk_buffer_free(&sent);
    stk_buffer_free(&piece);
}

static uint64_t id_of(const struct codec *codec, const union decoded *value)
{
    uint64_t id = 0;

    memcpy(&id, (const uint8_t *)value + codec->id_offset, sizeof(id));
    return id;
}

/* Whoever asked waits for an answer by this id, although what it holds is not allowed. */
static void a_message_refused_for_its_content_still_tells_the_id(void **state)
{
    static const struct {
        const char *sample;
        const char *field;
    } spoilt[] = {{"sign", "certificate"},
                  {"list", "after"},
                  {"signed", "identity"},
                  {"listed", "name"},
                  {"admin import", "sealed"},
                  {"admin source removed", "key_id"},
                  {"admin list", "after"},
                  {"admin show", "name"},
                  {"admin retire", "name"},
                  {"admin rollback", "name"},
                  {"answered wrapping key", "spki"},
                  {"answered import", "key_id"},
                  {"answered list", "key_id"},
                  {"answered show", "key_id"},
                  {"custody import", "name"},
                  {"custody prove", "challenge"},
                  {"custody destroy", "key_id"},
                  {"custody record", "act"},
                  {"admin generate", "spc"},
                  {"admin install", "chain"},
                  {"admin destroy", "name"},
                  {"answered generate", "csr"},
                  {"answered install", "key_id"},
                  {"answered requested", "key_id"},
                  {"custody generate", "ticket"},
                  {"custody request", "challenge"},
                  {"custody inventory", "after"}};
    (void)state;

    for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
        const struct sample *sample = sample_named(spoilt[i].sample);
        /* Nothing at all is in none of them, but for where a list goes on. */
        size_t length = strcmp(spoilt[i].field, "after") == 0 ? 1 : 0;
        struct stk_buffer message = {0};
        struct trial trial;

        spoil(sample, spoilt[i].field, " ", length, &message);
        trial_run(&trial, sample->codec, view(&message), STK_DECODE_ARENA_MAX);
        if (trial.status != STIRKEEP_INVALID)
            fail_msg("%s, %s: %s", spoilt[i].sample, spoilt[i].field, trial.error.message);
        assert_int_equal(id_of(sample->codec, &trial.value), SAMPLE_ID);
        trial_end(&trial);
        stk_buffer_free(&message);
    }
}

/* Nor is the id lost with the memory. */
static void a_message_too_large_for_the_memory_still_tells_the_id(void **state)
{
    (void)state;

    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer message = {0};
        struct trial trial;

        if (samples[i].codec->id_offset == NO_ID)
            continue;
        sample_encode(&samples[i], &message);
        trial_run(&trial, samples[i].codec, view(&message), 16);
        assert_int_equal(trial.status, STIRKEEP_TOO_LARGE);
        assert_int_equal(id_of(samples[i].codec, &trial.value), SAMPLE_ID);
        trial_end(&trial);
        stk_buffer_free(&message);
    }
}

static void a_finding_names_its_place(void **state)
{
    static const char bad[] = "\xff";
    static const struct {
        const char *sample;
        const char *field;
        const char *data; /* NULL: a field that is not known */
        const char *place;
    } findings[] = {{"sign", "certificate", bad, "sign.certificate: "},
                    {"sign", "ppt", bad, "sign.claims.ppt: "},
                    {"sign", "ppt", NULL, "sign.claims: "},
                    {"sign", "claims", NULL, "sign: "},
                    {"sign", "tn", bad, "sign.claims.orig.tn: "},
                    {"sign", "dest", "\x08", "sign.claims.dest: "},
                    {"sign", "claims", "\x08", "sign.claims: "},
                    {"sign", "sign", "\x08", "sign: "},
                    {"listed", "x5u", bad, "listed.certificates.x5u: "},
                    {"admin show", "name", bad, "show.name: "},
                    {"answered show", "issuer", bad, "shown.generations.issuer: "},
                    {"front orders", "reason", bad, "refusals.reason: "},
                    {"front orders", "refusals", NULL, "FrontOrders: "},
                    {"custody record", "detail", bad, "record.detail: "},
                    {"push", "entries", NULL, "CatalogPush: "}};
    (void)state;

    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
        const struct sample *sample = sample_named(findings[i].sample);
        const char *place = findings[i].place;
        struct stk_buffer message = {0};
        struct trial trial;

        spoil(sample, findings[i].field, findings[i].data, 1, &message);
        trial_run(&trial, sample->codec, view(&message), STK_DECODE_ARENA_MAX);
        assert_int_not_equal(trial.status, STIRKEEP_OK);
        if (strncmp(trial.error.message, place, strlen(place)) != 0)
            fail_msg("expected \"%s\", not \"%s\"", place, trial.error.message);
        trial_end(&trial);
        stk_buffer_free(&message);
    }
}

static void of_two_findings_the_first_is_told(void **state)
{
    struct stk_buffer message = {0};
    struct stk_buffer sign = {0};
    struct trial trial;
    (void)state;

    put_field(900, 0, &sign);
    put_bytes(1, "\xff", 1, &sign);
    put_bytes(10, sign.data, sign.length, &message);
    trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_UNSUPPORTED);
    assert_int_equal(strncmp(trial.error.message, "sign: ", 6), 0);
    trial_end(&trial);
    sign.length = 0;
    message.length = 0;
    put_bytes(1, "\xff", 1, &sign);
    put_field(900, 0, &sign);
    put_bytes(10, sign.data, sign.length, &message);
    trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_INVALID);
    assert_int_equal(strncmp(trial.error.message, "sign.certificate: ", 18), 0);
    trial_end(&trial);
    stk_buffer_free(&sign);
    stk_buffer_free(&message);
}

/* As long as they may be, the texts of a refused request reach the trail whole. */
static void a_sketch_holds_what_is_as_long_as_its_limit(void **state)
{
    static const struct {
        const char *field;
        size_t offset;
        size_t max;
    } texts[] = {{"certificate", offsetof(struct stk_request_sketch, name), STK_NAME_MAX},
                 {"ppt", offsetof(struct stk_request_sketch, ppt), STK_PPT_MAX},
                 {"tn", offsetof(struct stk_request_sketch, orig), STK_URI_MAX},
                 {"attest", offsetof(struct stk_request_sketch, attest), STK_PPT_MAX},
                 {"origid", offsetof(struct stk_request_sketch, origid), STK_ORIGID_LENGTH}};
    char text[STK_URI_MAX + 1];
    (void)state;

    memset(text, '%', sizeof(text)); /* in no text that is allowed */
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t length = texts[i].max; length <= texts[i].max + 1; length++) {
            struct stk_buffer message = {0};
            const char *sketched = NULL;
            struct trial trial;

            spoil(sample_named("sign"), texts[i].field, text, length, &message);
            trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
            assert_int_not_equal(trial.status, STIRKEEP_OK);
            memcpy(&sketched, (const uint8_t *)&trial.value.sign.sketch + texts[i].offset,
                   sizeof(sketched));
            assert_int_equal(strlen(sketched), texts[i].max);
            assert_memory_equal(sketched, text, texts[i].max);
            trial_end(&trial);
            stk_buffer_free(&message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_refused_for_its_content_still_tells_the_id),
        cmocka_unit_test(a_message_too_large_for_the_memory_still_tells_the_id),
        cmocka_unit_test(a_finding_names_its_place),
        cmocka_unit_test(of_two_findings_the_first_is_told),
        cmocka_unit_test(a_sketch_holds_what_is_as_long_as_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
