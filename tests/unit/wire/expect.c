/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expect.h"
#include "surgery.h"
#include "wire/frame.h"
#include <string.h>

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

char filler[STK_CERT_DER_MAX + 2];

const char *text_of(size_t length)
{
    memset(filler, 'f', sizeof(filler));
    filler[length] = '\0';
    return filler;
}

struct stk_bytes bytes_of(size_t length)
{
    return (struct stk_bytes){(const uint8_t *)filler, length};
}

void expect(const struct codec *codec, const union decoded *value, enum stirkeep_status expected,
            const char *what)
{
    struct stk_buffer out = {0};

    assert_int_equal(codec->encode(value, &out), STIRKEEP_OK);
    if (codec->framed)
        stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_expect(codec, view(&out), expected, what, "limit");
    stk_buffer_free(&out);
}

static size_t find_field(const struct sample *sample, struct stk_bytes message, const char *field,
                         struct spot spots[SPOTS_MAX])
{
    size_t count = spots_find(sample->codec->type, message, spots);
    size_t at = 0;

    while (at < count && (spots[at].field == NULL || strcmp(spots[at].field->name, field) != 0))
        at++;
    if (at == count)
        fail_msg("%s has no %s", sample->name, field);
    return at;
}

uint32_t number_of(const char *sample_name, const char *field)
{
    static struct spot spots[SPOTS_MAX];
    const struct sample *sample = sample_named(sample_name);
    struct stk_buffer sent = {0};
    uint32_t number = 0;

    sample_encode(sample, &sent);
    number = spots[find_field(sample, view(&sent), field, spots)].field->id;
    stk_buffer_free(&sent);
    return number;
}

void expect_instead(const char *sample_name, const char *field, struct stk_bytes instead,
                    enum stirkeep_status expected)
{
    static struct spot spots[SPOTS_MAX];
    const struct sample *sample = sample_named(sample_name);
    struct stk_buffer changed = {0};
    struct stk_buffer sent = {0};
    size_t at = 0;

    sample_encode(sample, &sent);
    at = find_field(sample, view(&sent), field, spots);
    spot_replace(sample->codec->type, view(&sent), &spots[at], instead, &changed);
    trial_expect(sample->codec, view(&changed), expected, field, sample_name);
    stk_buffer_free(&changed);
    stk_buffer_free(&sent);
}

void expect_field(const char *sample_name, const char *field, const void *data, size_t length,
                  enum stirkeep_status expected)
{
    struct stk_buffer instead = {0};

    put_bytes(number_of(sample_name, field), data, length, &instead);
    expect_instead(sample_name, field, view(&instead), expected);
    stk_buffer_free(&instead);
}

void expect_number(const char *sample_name, const char *field, uint64_t value,
                   enum stirkeep_status expected)
{
    struct stk_buffer instead = {0};

    put_number(number_of(sample_name, field), value, &instead);
    expect_instead(sample_name, field, view(&instead), expected);
    stk_buffer_free(&instead);
}

void pass_on(const struct codec *codec, const union decoded *value, struct trial *trial)
{
    struct stk_buffer out = {0};

    assert_int_equal(codec->encode(value, &out), STIRKEEP_OK);
    if (codec->framed)
        stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(trial, codec, view(&out), STK_DECODE_ARENA_MAX);
    if (trial->status != STIRKEEP_OK)
        fail_msg("%s: %s", codec->type->short_name, trial->error.message);
    stk_buffer_free(&out);
}
