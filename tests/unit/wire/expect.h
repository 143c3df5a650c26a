/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_WIRE_EXPECT_H
#define TEST_WIRE_EXPECT_H

#include "samples.h"
#include "trial.h"

/* How a message that differs from a sample in one thing is taken. */

/* One more than the longest text or byte string that any of the tests needs. */
extern char filler[STK_CERT_DER_MAX + 2];
/* The filler, so long. */
const char *text_of(size_t length);
struct stk_bytes bytes_of(size_t length);

/* Encode, and tell how decoding ends. */
void expect(const struct codec *codec, const union decoded *value, enum stirkeep_status expected,
            const char *what);

/* The number of the first such field in a sample. */
uint32_t number_of(const char *sample_name, const char *field);

/* Replace the first such field of a sample: bytes or text, a number, or any bytes that are to stand
 * in its place. */
void expect_field(const char *sample_name, const char *field, const void *data, size_t length,
                  enum stirkeep_status expected);
void expect_number(const char *sample_name, const char *field, uint64_t value,
                   enum stirkeep_status expected);
void expect_instead(const char *sample_name, const char *field, struct stk_bytes instead,
                    enum stirkeep_status expected);

/* Encode and decode, which has to succeed; the trial has it and is to be ended. */
void pass_on(const struct codec *codec, const union decoded *value, struct trial *ret_trial);

#endif
