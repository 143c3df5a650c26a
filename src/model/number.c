/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_SHIFT 60 /* 15 nibbles below it */
#define EACH_NIBBLE ((uint64_t)0x0111111111111111)

static const char characters[] = "0123456789*#";

static uint64_t key_of(const char *tn, size_t length)
{
    uint64_t key = 0;

    assert(length > 0 && length <= STK_TN_MAX);
    for (size_t i = 0; i < length; i++) {
        const char c = tn[i];

        assert((c >= '0' && c <= '9') || c == '*' || c == '#');
        key = key << 4 | (c == '*' ? 10U : c == '#' ? 11U : (unsigned)(c - '0'));
    }
    return (uint64_t)length << LENGTH_SHIFT | key;
}

uint64_t stk_number_key(const char *tn)
{
    return key_of(tn, strnlen(tn, STK_TN_MAX + 1));
}

void stk_number_text(uint64_t key, char ret_tn[STK_TN_MAX + 1])
{
    size_t length = (size_t)(key >> LENGTH_SHIFT);

    ret_tn[length] = '\0';
    for (size_t i = length; i > 0; i--, key >>= 4) {
        assert((key & 15) < sizeof(characters) - 1);
        ret_tn[i - 1] = characters[key & 15];
    }
}

/* Is there a '*' or '#' in it? Of the nibbles that there are, only 10 and 11 have both bits. */
static bool has_mark(uint64_t key)
{
    return ((key >> 3) & (key >> 1) & EACH_NIBBLE) != 0;
}

/* The next number of as many digits; 0, which is no key, behind the last one. */
static uint64_t successor(uint64_t key)
{
    for (unsigned shift = 0; shift < 4 * (key >> LENGTH_SHIFT); shift += 4) {
        if ((key >> shift & 15) != 9)
            return key + ((uint64_t)1 << shift);
        key &= ~((uint64_t)15 << shift);
    }
    return 0;
}

/* ---- runs */

static bool is_all_digits(const char *text, size_t *ret_length)
{
    *ret_length = strspn(text, "0123456789");
    return *ret_length > 0 && *ret_length <= STK_TN_MAX && text[*ret_length] == '\0';
}

enum stirkeep_status stk_number_run(const char *first, uint32_t count, const char *field,
                                    struct stk_number_range *ret_range, struct stk_error *error)
{
    char last[STK_TN_MAX + 1] = "";
    size_t length = 0;
    uint64_t carry = 0;

    if (!is_all_digits(first, &length))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: a run begins with 1 to %d digits", field,
                             STK_TN_MAX);
    if (count == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: a run of no numbers", field);
    carry = count - 1;
    for (size_t i = length; i > 0; i--) {
        carry += (uint64_t)(first[i - 1] - '0');
        last[i - 1] = (char)('0' + carry % 10);
        carry /= 10;
    }
    if (carry > 0)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: %u numbers from %s on go past the last one of %zu digits", field,
                             count, first, length);
    *ret_range =
        (struct stk_number_range){.first = key_of(first, length), .last = key_of(last, length)};
    return STIRKEEP_OK;
}

/* ---- sets: ranges of digits in the order of their keys, then single numbers with '*' or '#',
 * whose keys lie among those of digits, although they are in no run of them */

static bool comes_before(const struct stk_number_range *a, const struct stk_number_range *b)
{
    bool marked = has_mark(a->first);

    if (marked != has_mark(b->first))
        return !marked;
    return a->first < b->first;
}

static int compare(const void *a, const void *b)
{
    return comes_before(b, a) - comes_before(a, b);
}

static bool joins(const struct stk_number_range *range, const struct stk_number_range *next)
{
    if (has_mark(next->first))
        return next->first == range->first;
    return next->first <= range->last ||
           (!has_mark(range->last) && next->first == successor(range->last));
}

size_t stk_number_ranges_normalise(struct stk_number_range *ranges, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(ranges, count, sizeof(*ranges), compare);
    for (size_t i = 0; i < count; i++) {
        struct stk_number_range next = ranges[i];

        if (kept == 0 || !joins(&ranges[kept - 1], &next))
            ranges[kept++] = next;
        else if (next.last > ranges[kept - 1].last)
            ranges[kept - 1].last = next.last;
    }
    return kept;
}

bool stk_number_ranges_cover(const struct stk_number_range *ranges, size_t count, uint64_t key)
{
    const struct stk_number_range sought = {.first = key, .last = key};
    size_t low = 0;
    size_t high = count;

    /* The last range that does not begin behind the key. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (comes_before(&sought, &ranges[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return false;
    if (has_mark(key))
        return ranges[low - 1].first == key;
    return !has_mark(ranges[low - 1].first) && key <= ranges[low - 1].last;
}
