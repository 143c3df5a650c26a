/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/histogram.h"

#define STEPS STK_HISTOGRAM_STEPS
#define STEP_BITS 4

_Static_assert(STEPS == 1 << STEP_BITS, "steps are a power of two");

static uint64_t read_one(const uint64_t *number)
{
    return __atomic_load_n(number, __ATOMIC_RELAXED);
}

/* Not one operation, as only one thread writes: others see what was or what is. */
static void raise_by(uint64_t *number, uint64_t by)
{
    __atomic_store_n(number, read_one(number) + by, __ATOMIC_RELAXED);
}

unsigned stk_histogram_class(uint64_t us)
{
    unsigned power = 0;
    unsigned place = 0;

    if (us < STEPS)
        return (unsigned)us;
    power = 63 - (unsigned)__builtin_clzll(us) - STEP_BITS;
    place = (power << STEP_BITS) + (unsigned)(us >> power);
    return place < STK_HISTOGRAM_CLASSES ? place : STK_HISTOGRAM_CLASSES - 1;
}

uint64_t stk_histogram_class_end(unsigned place)
{
    unsigned power = place >> STEP_BITS;

    if (power == 0)
        return place;
    return (((uint64_t)STEPS + place % STEPS + 1) << (power - 1)) - 1;
}

void stk_histogram_add(struct stk_histogram *histogram, uint64_t us, uint64_t times)
{
    raise_by(&histogram->classes[stk_histogram_class(us)], times);
    raise_by(&histogram->sum, us * times);
    if (us > histogram->longest && times > 0)
        __atomic_store_n(&histogram->longest, us, __ATOMIC_RELAXED);
}

void stk_histogram_merge(struct stk_histogram *total, const struct stk_histogram *one)
{
    uint64_t longest = read_one(&one->longest);

    total->sum += read_one(&one->sum);
    if (longest > total->longest)
        total->longest = longest;
    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++)
        total->classes[i] += read_one(&one->classes[i]);
}

void stk_histogram_since(const struct stk_histogram *now, const struct stk_histogram *before,
                         struct stk_histogram *ret_since)
{
    *ret_since = *now;
    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++)
        if (now->classes[i] < before->classes[i])
            return;
    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++)
        ret_since->classes[i] -= before->classes[i];
    ret_since->sum -= before->sum < now->sum ? before->sum : now->sum;
}

uint64_t stk_histogram_count(const struct stk_histogram *histogram)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++)
        count += histogram->classes[i];
    return count;
}

uint64_t stk_histogram_at(const struct stk_histogram *histogram, uint64_t thousandths)
{
    uint64_t total = stk_histogram_count(histogram);
    uint64_t seen = 0;

    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++) {
        uint64_t end = stk_histogram_class_end(i);

        seen += histogram->classes[i];
        if (seen > 0 && seen * 1000 >= total * thousandths)
            return end < histogram->longest ? end : histogram->longest;
    }
    return 0;
}
