/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_WIRE_SAMPLES_H
#define TEST_WIRE_SAMPLES_H

#include "codecs.h"

/*
 * One message of each kind with all its fields filled in, each by its own place: a number is 1000
 * and the field's number, a text has the field's name in it where any text will do, bytes are the
 * field's number again and again. So a value in the wrong field shows.
 */
struct sample {
    const char *name;
    const struct codec *codec;
    void (*fill)(union decoded *value);
};

#define SAMPLE_ID 1001
#define SAMPLE_SPC "SPC1"
#define SAMPLE_ORIGID "123e4567-e89b-42d3-a456-426614174000"
#define SAMPLE_DIV_TN "12155550199"
#define SAMPLE_APN "12155550100"
#define SAMPLE_HI "1.2"
#define SAMPLE_OPT                                                                                 \
    "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30."                                                                \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SAMPLE_DIGEST "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SAMPLE_DIG "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
#define SAMPLE_OTHER_DIG "FF112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
/* Keys of 12155550100 and 12155550199, model/number.h. */
#define SAMPLE_KEY_FIRST UINT64_C(0xb000012155550100)
#define SAMPLE_KEY_LAST UINT64_C(0xb000012155550199)

extern const struct sample samples[];
extern const size_t sample_count;

void sample_fill(const struct sample *sample, union decoded *ret_value);

/* The sample's bytes without their frame; the buffer is the caller's to free. */
void sample_encode(const struct sample *sample, struct stk_buffer *out);
const struct sample *sample_named(const char *name);

/* Parts that tests of one message begin with. */
void fill_order(struct stk_order *order);
void fill_refusal(struct stk_refusal *refusal);
void fill_answer(struct stk_answer *answer);
void fill_certificate(struct stk_certificate *certificate, unsigned base);
void fill_constraints(struct stk_constraints *constraints);
#define SAMPLE_CLASS_END 1023 /* a class of times ends here */
const struct stk_front_counters *sample_front_counters(void);
const struct stk_keeper_counters *sample_keeper_counters(void);

#endif
