/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_COUNTER_H
#define STK_POLICY_COUNTER_H

#include "policy/usage.h"

/* What one grant or certificate has used up: a token bucket and the count of a day. One thread. */
#define STK_COUNTER_NONE UINT32_MAX
struct stk_counter {
    char name[STK_GRANT_NAME_MAX + 1];
    uint8_t kind; /* enum stk_usage_kind */
    bool in_use;
    bool is_filled; /* the bucket has begun */
    bool has_quota; /* then its count is reported */
    bool is_changed;
    uint32_t next;         /* with the same place in the table, or free */
    uint32_t next_changed; /* in the queue of those to report */
    uint32_t births;       /* how many have had this number */
    uint32_t epoch;        /* certificates: of which policy `rate` is */
    uint32_t grant;        /* which grant of the policy has it, or STK_COUNTER_NONE */
    struct stk_rate rate;
    int64_t day;
    uint64_t count;  /* on that day */
    uint64_t tokens; /* millionths */
    uint64_t filled_us;
};

#define STK_TOKEN 1000000u /* a rate of one a second is then one part in a microsecond */

/* Days since 1970. */
int64_t stk_day_of(int64_t real_s);

/* A full bucket, in millionths. */
uint64_t stk_counter_capacity(const struct stk_rate *rate);
void stk_counter_refill(struct stk_counter *counter, uint64_t mono_us);

/* To the present time: the bucket refilled, the day begun that it is. */
void stk_counter_bring_up(struct stk_counter *counter, uint64_t mono_us, int64_t today);

enum stk_shortage { STK_ENOUGH, STK_TOO_FAST, STK_TOO_MANY_AT_ONCE, STK_USED_UP };

/* When a bucket in which there is less than one has it again, if nobody takes or gives. */
uint64_t stk_counter_ready_us(const struct stk_counter *counter);

/* Are there `count` left? */
enum stk_shortage stk_counter_look(const struct stk_counter *counter, uint32_t count);

/* RATE_LIMITED, and why. */
enum stirkeep_status stk_counter_refuse(const struct stk_counter *counter,
                                        enum stk_shortage shortage, uint32_t count,
                                        struct stk_error *error);

#endif
