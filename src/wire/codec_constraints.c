/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_constraints.h"

#include "wire/unpack.h"
#include <string.h>

/* Field numbers; proto/stirkeep/v1/order.proto. */
enum {
    CONSTRAINTS_NUMBERS_ONLY = 1,
    CONSTRAINTS_NUMBERS,
    CONSTRAINTS_MUST_INCLUDE,
    CONSTRAINTS_PERMITTED,
    CONSTRAINTS_MUST_EXCLUDE
};
enum { PERMITTED_CLAIM = 1, PERMITTED_VALUES };

/* ---- out */

static void write_texts(struct stk_writer *writer, uint32_t number, const char *const *texts,
                        size_t count)
{
    for (size_t i = 0; i < count && writer->status == STIRKEEP_OK; i++)
        stk_write_text_element(writer, number, texts[i]);
}

static void write_ranges(struct stk_writer *writer, const struct stk_constraints *constraints)
{
    Stirkeep__V1__Order__NumberRange range = STIRKEEP__V1__ORDER__NUMBER_RANGE__INIT;

    for (size_t i = 0; i < constraints->range_count && writer->status == STIRKEEP_OK; i++) {
        range.first = constraints->ranges[i].first;
        range.last = constraints->ranges[i].last;
        writer->status = stk_pack_element(CONSTRAINTS_NUMBERS, &range.base, writer->out);
    }
}

static void write_permitted(struct stk_writer *writer, const struct stk_permitted *permitted)
{
    size_t mark = writer->out->length;

    stk_write_text(writer, PERMITTED_CLAIM, permitted->claim);
    write_texts(writer, PERMITTED_VALUES, permitted->values, permitted->count);
    stk_write_close(writer, CONSTRAINTS_PERMITTED, mark);
}

void stk_constraints_write(struct stk_writer *writer, uint32_t number,
                           const struct stk_constraints *constraints)
{
    size_t mark = writer->out->length;

    if (constraints == NULL)
        return;
    stk_write_number(writer, CONSTRAINTS_NUMBERS_ONLY, constraints->numbers_only);
    write_ranges(writer, constraints);
    write_texts(writer, CONSTRAINTS_MUST_INCLUDE, constraints->must_include,
                constraints->must_include_count);
    for (size_t i = 0; i < constraints->permitted_count; i++)
        write_permitted(writer, &constraints->permitted[i]);
    write_texts(writer, CONSTRAINTS_MUST_EXCLUDE, constraints->must_exclude,
                constraints->must_exclude_count);
    stk_write_close(writer, number, mark);
}

/* ---- how much that is when it is decoded */

#define ROUNDING 16 /* what an arena may take more for each thing */
#define OF_TEXT (sizeof(char *) + 1 + ROUNDING)

static size_t size_of_texts(const char *const *texts, size_t count)
{
    size_t size = ROUNDING;

    for (size_t i = 0; i < count; i++)
        size += OF_TEXT + strlen(texts[i]);
    return size;
}

size_t stk_constraints_decoded_size(const struct stk_constraints *constraints)
{
    const size_t of_range = sizeof(void *) + sizeof(Stirkeep__V1__Order__NumberRange) + ROUNDING +
                            sizeof(struct stk_number_range);
    const size_t of_permitted = sizeof(void *) + sizeof(Stirkeep__V1__Order__PermittedValues) +
                                ROUNDING + sizeof(struct stk_permitted) + OF_TEXT;
    size_t size = 0;

    if (constraints == NULL)
        return 0;
    size = sizeof(Stirkeep__V1__Order__Constraints) + sizeof(*constraints) + 8 * ROUNDING +
           constraints->range_count * of_range + constraints->permitted_count * of_permitted +
           size_of_texts(constraints->must_include, constraints->must_include_count) +
           size_of_texts(constraints->must_exclude, constraints->must_exclude_count);
    for (size_t i = 0; i < constraints->permitted_count; i++)
        size += strlen(constraints->permitted[i].claim) +
                size_of_texts(constraints->permitted[i].values, constraints->permitted[i].count);
    return size;
}

/* ---- in */

static enum stirkeep_status too_many(const char *field, size_t max, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_TOO_LARGE, "constraints.%s: more than %zu", field, max);
}

static enum stirkeep_status too_much(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_TOO_LARGE, "constraints: take too much memory");
}

static enum stirkeep_status take_text(const char *text, const char *field, bool is_name,
                                      struct stk_error *error)
{
    if (is_name && text[0] == '\0')
        return stk_error_set(error, STIRKEEP_INVALID, "constraints.%s: a claim without a name",
                             field);
    if (strnlen(text, STK_CONSTRAINT_TEXT_MAX + 1) > STK_CONSTRAINT_TEXT_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "constraints.%s: longer than %d bytes",
                             field, STK_CONSTRAINT_TEXT_MAX);
    return STIRKEEP_OK;
}

/* Names of claims. The list stays the message's. */
static enum stirkeep_status take_names(char *const *texts, size_t count, const char *field,
                                       const char *const **ret_names, size_t *ret_count,
                                       struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (count > STK_CONSTRAINT_CLAIMS_MAX)
        return too_many(field, STK_CONSTRAINT_CLAIMS_MAX, error);
    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++)
        status = take_text(texts[i], field, true, error);
    *ret_names = (const char *const *)texts;
    *ret_count = count;
    return status;
}

static enum stirkeep_status take_permitted(const Stirkeep__V1__Order__PermittedValues *message,
                                           struct stk_permitted *permitted, struct stk_error *error)
{
    enum stirkeep_status status = take_text(message->claim, "permitted.claim", true, error);

    if (message->n_values == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "constraints.permitted: no value");
    if (message->n_values > STK_CONSTRAINT_VALUES_MAX)
        return too_many("permitted.values", STK_CONSTRAINT_VALUES_MAX, error);
    for (size_t i = 0; i < message->n_values && status == STIRKEEP_OK; i++)
        status = take_text(message->values[i], "permitted.values", false, error);
    permitted->claim = message->claim;
    permitted->values = (const char *const *)message->values;
    permitted->count = message->n_values;
    return status;
}

static enum stirkeep_status take_all_permitted(const Stirkeep__V1__Order__Constraints *message,
                                               struct stk_arena *arena,
                                               struct stk_constraints *constraints,
                                               struct stk_error *error)
{
    size_t count = message->n_permitted;
    struct stk_permitted *permitted = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (count > STK_CONSTRAINT_CLAIMS_MAX)
        return too_many("permitted", STK_CONSTRAINT_CLAIMS_MAX, error);
    permitted = stk_arena_take(arena, count * sizeof(*permitted));
    if (permitted == NULL)
        return too_much(error);
    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++)
        status = take_permitted(message->permitted[i], &permitted[i], error);
    constraints->permitted = permitted;
    constraints->permitted_count = count;
    return status;
}

#define LENGTH_SHIFT 60 /* model/number.h: of a key, the length is above 15 nibbles */

/* The largest of the nibbles; UINT_MAX when it is no key of a number. */
static unsigned largest_nibble(uint64_t key)
{
    unsigned length = (unsigned)(key >> LENGTH_SHIFT);
    uint64_t rest = key & (((uint64_t)1 << LENGTH_SHIFT) - 1);
    unsigned largest = 0;

    for (unsigned i = 0; i < length; i++, rest >>= 4)
        if ((rest & 15) > largest)
            largest = (unsigned)(rest & 15);
    return length == 0 || rest != 0 || largest > 11 ? UINT32_MAX : largest;
}

/* A single number, or a run of numbers that are digits alone. */
static bool is_range(const struct stk_number_range *range)
{
    if (range->first == range->last)
        return largest_nibble(range->first) <= 11;
    return range->first < range->last &&
           range->first >> LENGTH_SHIFT == range->last >> LENGTH_SHIFT &&
           largest_nibble(range->first) <= 9 && largest_nibble(range->last) <= 9;
}

static enum stirkeep_status take_ranges(const Stirkeep__V1__Order__Constraints *message,
                                        struct stk_arena *arena,
                                        struct stk_constraints *constraints,
                                        struct stk_error *error)
{
    size_t count = message->n_numbers;
    struct stk_number_range *ranges = NULL;

    if (count > STK_CONSTRAINT_RANGES_MAX)
        return too_many("numbers", STK_CONSTRAINT_RANGES_MAX, error);
    ranges = stk_arena_take(arena, count * sizeof(*ranges));
    if (ranges == NULL)
        return too_much(error);
    for (size_t i = 0; i < count; i++) {
        ranges[i].first = message->numbers[i]->first;
        ranges[i].last = message->numbers[i]->last;
        if (!is_range(&ranges[i]))
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "constraints.numbers[%zu]: is no range of numbers", i);
    }
    /* Coverage is looked up by bisection: out of order, a number could be missed. */
    constraints->range_count = stk_number_ranges_normalise(ranges, count);
    constraints->ranges = ranges;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_constraints_take(const Stirkeep__V1__Order__Constraints *message,
                                          struct stk_arena *arena,
                                          const struct stk_constraints **ret_constraints,
                                          struct stk_error *error)
{
    struct stk_constraints *constraints = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (message == NULL) {
        *ret_constraints = NULL;
        return STIRKEEP_OK;
    }
    constraints = stk_arena_take(arena, sizeof(*constraints));
    if (constraints == NULL)
        return too_much(error);
    *constraints = (struct stk_constraints){.numbers_only = message->numbers_only != 0};
    status = take_ranges(message, arena, constraints, error);
    if (status == STIRKEEP_OK)
        status = take_names(message->must_include, message->n_must_include, "must_include",
                            &constraints->must_include, &constraints->must_include_count, error);
    if (status == STIRKEEP_OK)
        status = take_all_permitted(message, arena, constraints, error);
    if (status == STIRKEEP_OK)
        status = take_names(message->must_exclude, message->n_must_exclude, "must_exclude",
                            &constraints->must_exclude, &constraints->must_exclude_count, error);
    if (status == STIRKEEP_OK)
        *ret_constraints = constraints;
    return status;
}
