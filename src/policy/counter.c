/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/counter.h"

#include <assert.h>

#define DAY_S 86400

uint64_t stk_counter_capacity(const struct stk_rate *rate)
{
    return (uint64_t)(rate->burst > 0 ? rate->burst : rate->rate) * STK_TOKEN;
}

void stk_counter_refill(struct stk_counter *counter, uint64_t mono_us)
{
    const struct stk_rate *rate = &counter->rate;
    uint64_t most = stk_counter_capacity(rate);
    uint64_t elapsed = mono_us > counter->filled_us ? mono_us - counter->filled_us : 0;
    uint64_t more = 0;

    if (rate->rate == 0) {
        counter->is_filled = false;
        return;
    }
    if (!counter->is_filled || counter->tokens >= most ||
        __builtin_mul_overflow(elapsed, rate->rate, &more) || more >= most - counter->tokens)
        counter->tokens = most;
    else
        counter->tokens += more;
    if (!counter->is_filled || elapsed > 0)
        counter->filled_us = mono_us;
    counter->is_filled = true;
}

int64_t stk_day_of(int64_t real_s)
{
    return real_s / DAY_S - (real_s % DAY_S < 0 ? 1 : 0);
}

/*
 * A day ends only when a later one begins: a clock set back over midnight hands out nothing twice.
 * A count of a day that is still far off is of a clock that was wrong; it becomes today's, or the
 * quota would stay used up until then.
 */
static void turn(struct stk_counter *counter, int64_t today)
{
    if (counter->day < today) {
        counter->day = today;
        counter->count = 0;
    } else if (counter->day > today + 1) {
        counter->day = today;
    }
}

void stk_counter_bring_up(struct stk_counter *counter, uint64_t mono_us, int64_t today)
{
    stk_counter_refill(counter, mono_us);
    turn(counter, today);
}

uint64_t stk_counter_ready_us(const struct stk_counter *counter)
{
    uint64_t rate = counter->rate.rate;
    uint64_t ready_us = 0;

    assert(counter->is_filled && rate > 0 && counter->tokens < STK_TOKEN);
    if (__builtin_add_overflow(counter->filled_us, (STK_TOKEN - counter->tokens + rate - 1) / rate,
                               &ready_us))
        return UINT64_MAX;
    return ready_us;
}

enum stk_shortage stk_counter_look(const struct stk_counter *counter, uint32_t count)
{
    const struct stk_rate *rate = &counter->rate;
    uint64_t cost = (uint64_t)count * STK_TOKEN;

    if (rate->quota > 0 && (counter->count >= rate->quota || count > rate->quota - counter->count))
        return STK_USED_UP;
    if (rate->rate == 0 || cost <= counter->tokens)
        return STK_ENOUGH;
    return cost > stk_counter_capacity(rate) ? STK_TOO_MANY_AT_ONCE : STK_TOO_FAST;
}

enum stirkeep_status stk_counter_refuse(const struct stk_counter *counter,
                                        enum stk_shortage shortage, uint32_t count,
                                        struct stk_error *error)
{
    const struct stk_rate *rate = &counter->rate;
    const char *kind = counter->kind == STK_USAGE_GRANT ? "grant" : "certificate";
    unsigned long long quota = rate->quota;

    if (shortage == STK_TOO_FAST)
        return stk_error_set(error, STIRKEEP_RATE_LIMITED, "%s %s: rate: %u a second are used up",
                             kind, counter->name, rate->rate);
    if (shortage == STK_TOO_MANY_AT_ONCE)
        return stk_error_set(error, STIRKEEP_RATE_LIMITED,
                             "%s %s: rate: %u at once are more than its burst of %u", kind,
                             counter->name, count, rate->burst > 0 ? rate->burst : rate->rate);
    if (counter->count < rate->quota)
        return stk_error_set(error, STIRKEEP_RATE_LIMITED,
                             "%s %s: quota: of %llu a day %llu are left, %u are asked for", kind,
                             counter->name, quota, quota - counter->count, count);
    return stk_error_set(error, STIRKEEP_RATE_LIMITED, "%s %s: quota: %llu a day are used up", kind,
                         counter->name, quota);
}
