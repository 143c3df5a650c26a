/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_HISTOGRAM_H
#define STK_BASE_HISTOGRAM_H

#include <stdint.h>

/*
 * How long things took, in microseconds: counted in classes of 1/16 of a power of two, exact to
 * about 6 %. One thread at a time adds, without a lock and without waiting for anybody; any others
 * may read meanwhile, and see each number as it was before or after.
 */
#define STK_HISTOGRAM_STEPS 16 /* classes to a power of two */
#define STK_HISTOGRAM_CLASSES 512

struct stk_histogram {
    uint64_t sum;
    uint64_t longest;
    uint64_t classes[STK_HISTOGRAM_CLASSES];
};

/* So many `times` the same. */
void stk_histogram_add(struct stk_histogram *histogram, uint64_t us, uint64_t times);

/* Add what another one has, which may be added to meanwhile. */
void stk_histogram_merge(struct stk_histogram *total, const struct stk_histogram *one);

/* What was added to `before`, a copy of it as it was, since then; the longest one is of the whole
 * time. One that was begun anew in between counts from its beginning. */
void stk_histogram_since(const struct stk_histogram *now, const struct stk_histogram *before,
                         struct stk_histogram *ret_since);

uint64_t stk_histogram_count(const struct stk_histogram *histogram);

/* The time that so many thousandths of all have at most; 0 when there are none. */
uint64_t stk_histogram_at(const struct stk_histogram *histogram, uint64_t thousandths);

/* The class of a time, and the longest time of a class. */
unsigned stk_histogram_class(uint64_t us);
uint64_t stk_histogram_class_end(unsigned place);

#endif
