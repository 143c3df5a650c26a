/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trial.h"
#include "wire/text.h"
#include <stdlib.h>
#include <string.h>

#define UNTOUCHED 0xa5

/* Enough for a small message; thousands of larger arenas take a sanitizer half a minute. */
#define SMALL_MESSAGE 4096
#define SMALL_ARENA (64 * 1024)

static void check_untouched(const struct codec *codec, const union decoded *value)
{
    const uint8_t *bytes = (const uint8_t *)value;

    for (size_t i = 0; i < codec->value_size; i++)
        if (codec->id_offset == NO_ID || i < codec->id_offset ||
            i >= codec->id_offset + sizeof(uint64_t))
            if (bytes[i] != UNTOUCHED)
                fail_msg("%s: byte %zu of the value was touched by a failure",
                         codec->type->short_name, i);
}

static void check_sketch(const struct stk_request_sketch *sketch)
{
    const struct {
        const char *text;
        size_t max;
    } texts[] = {{sketch->name, STK_NAME_MAX},  {sketch->ppt, STK_PPT_MAX},
                 {sketch->orig, STK_URI_MAX},   {sketch->dest, STK_URI_MAX},
                 {sketch->attest, STK_PPT_MAX}, {sketch->origid, STK_ORIGID_LENGTH}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_non_null(texts[i].text);
        assert_true(strlen(texts[i].text) <= texts[i].max);
        assert_true(stk_text_is_valid((const uint8_t *)texts[i].text, strlen(texts[i].text)));
    }
}

static void check_encodes(const struct codec *codec, const union decoded *value)
{
    struct stk_buffer out = {0};
    enum stirkeep_status status = codec->encode(value, &out);

    if (status != STIRKEEP_OK && status != STIRKEEP_TOO_LARGE)
        fail_msg("%s: what was decoded does not encode: %s", codec->type->short_name,
                 stirkeep_status_name(status));
    stk_buffer_free(&out);
}

void trial_run(struct trial *trial, const struct codec *codec, struct stk_bytes message,
               size_t capacity)
{
    *trial = (struct trial){.message = malloc(message.length > 0 ? message.length : 1)};
    assert_non_null(trial->message);
    if (message.length > 0)
        memcpy(trial->message, message.data, message.length);
    assert_int_equal(stk_arena_new(&trial->arena, capacity), STIRKEEP_OK);
    memset(&trial->value, UNTOUCHED, sizeof(trial->value));
    trial->status = codec->decode((struct stk_bytes){trial->message, message.length}, &trial->arena,
                                  &trial->value, &trial->error);
    if (codec == &codec_request)
        check_sketch(&trial->value.sign.sketch);
    if (trial->status == STIRKEEP_OK) {
        check_encodes(codec, &trial->value);
        return;
    }
    if (trial->status != STIRKEEP_MALFORMED && trial->status != STIRKEEP_INVALID &&
        trial->status != STIRKEEP_TOO_LARGE && trial->status != STIRKEEP_UNSUPPORTED)
        fail_msg("%s: decoding ends with %s", codec->type->short_name,
                 stirkeep_status_name(trial->status));
    assert_int_equal(trial->error.status, trial->status);
    assert_int_not_equal(trial->error.message[0], '\0');
    check_untouched(codec, &trial->value);
}

void trial_end(struct trial *trial)
{
    stk_arena_free(&trial->arena);
    free(trial->message);
}

static size_t capacity_for(struct stk_bytes message)
{
    return message.length <= SMALL_MESSAGE ? SMALL_ARENA : STK_DECODE_ARENA_MAX;
}

enum stirkeep_status trial_status(const struct codec *codec, struct stk_bytes message)
{
    struct trial trial;

    trial_run(&trial, codec, message, capacity_for(message));
    trial_end(&trial);
    return trial.status;
}

void trial_expect(const struct codec *codec, struct stk_bytes message,
                  enum stirkeep_status expected, const char *what, const char *where)
{
    struct trial trial;

    trial_run(&trial, codec, message, capacity_for(message));
    trial_end(&trial);
    if (trial.status != expected)
        fail_msg("%s, %s of %s: %s, expected %s (%s)", what, where, codec->type->short_name,
                 stirkeep_status_name(trial.status), stirkeep_status_name(expected),
                 trial.error.message);
}
