/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/pace.h"

#include "base/limits.h"

void stk_pace_init(struct stk_pace *pace, unsigned signers, bool always)
{
    *pace = (struct stk_pace){.signers = signers,
                              .held = always ? STK_PACE_HELD_ALWAYS : STK_PACE_HELD,
                              .spare = always ? STK_PACE_HELD_ALWAYS : STK_PACE_SPARE};
}

/* Towards the median, which a few that were kept from the processor do not move: an eighth of the
 * way up or down that it has gone so far. */
static uint32_t move(uint32_t known_us, uint32_t seen_us)
{
    uint32_t step = known_us / 8 + 1;

    if (known_us == 0)
        return seen_us;
    if (seen_us > known_us)
        return seen_us - known_us < step ? seen_us : known_us + step;
    return known_us - seen_us < step ? seen_us : known_us - step;
}

void stk_pace_answer(struct stk_pace *pace, uint32_t token_us)
{
    pace->answers++;
    if (token_us > 0)
        pace->token_us = move(pace->token_us, token_us);
}

/*
 * Half or twice as fast it becomes at once, but no more than that by one interval: one pause or one
 * burst may be all there was to it. With less than it takes it answers what there is: so fast it can
 * be at least.
 */
static void measure(struct stk_pace *pace, uint64_t passed_us)
{
    double seen = (double)pace->answers / (double)passed_us;

    if (!pace->filled && (pace->rate <= 0 || seen <= pace->rate))
        return;
    if (pace->rate <= 0)
        pace->rate = seen;
    else if (seen < pace->rate / 2)
        pace->rate /= 2;
    else if (seen > pace->rate * 2)
        pace->rate *= 2;
    else
        pace->rate = (pace->rate * 3 + seen) / 4;
}

static bool is_measured(const struct stk_pace *pace, uint64_t passed_us)
{
    return pace->answers >= STK_PACE_ANSWERS_MIN
               ? passed_us >= STK_PACE_INTERVAL_US
               : pace->answers > 0 && passed_us >= STK_PACE_LONG_US;
}

void stk_pace_turn(struct stk_pace *pace, size_t sent, uint64_t now_us)
{
    bool full = stk_pace_room(pace, sent) < stk_pace_message(pace);
    uint64_t passed_us = now_us - pace->since_us;

    if (!pace->full || pace->answers != pace->answers_seen)
        pace->answered_us = now_us;
    pace->answers_seen = pace->answers;
    pace->full = full;
    pace->filled = pace->filled && full;
    if (pace->since_us != 0) {
        if (!is_measured(pace, passed_us))
            return;
        measure(pace, passed_us);
    }
    pace->since_us = now_us;
    pace->filled = full;
    pace->answers = 0;
    pace->answers_seen = 0;
}

void stk_pace_break(struct stk_pace *pace)
{
    pace->since_us = 0;
    pace->full = false;
}

size_t stk_pace_message(const struct stk_pace *pace)
{
    uint32_t fit = pace->token_us > 0 ? STK_PACE_MESSAGE_US / pace->token_us : STK_BATCH_MAX;

    return fit < 1 ? 1 : fit < STK_BATCH_MAX ? fit : STK_BATCH_MAX;
}

/* A signer of a slow token has its next order long before the others are done. */
static size_t most(const struct stk_pace *pace)
{
    size_t message = stk_pace_message(pace);

    if (pace->token_us == 0)
        return STK_ORDERS_IN_FLIGHT_MAX;
    if (message == 1)
        return pace->signers + pace->signers / 2 + pace->spare;
    return (2 * (size_t)pace->signers + pace->held) * message;
}

size_t stk_pace_room(const struct stk_pace *pace, size_t sent)
{
    size_t all = most(pace);

    return sent < all ? all - sent : 0;
}

uint64_t stk_pace_wait_us(const struct stk_pace *pace, size_t ahead, uint64_t now_us)
{
    double rate = pace->rate;
    uint64_t still_us = pace->full ? now_us - pace->answered_us : 0;

    if (rate <= 0 && pace->token_us > 0)
        rate = (double)pace->signers / pace->token_us;
    if (still_us <= STK_PACE_STALL_US)
        still_us = 0; /* and else it may stand still as long again */
    return still_us + (rate > 0 ? (uint64_t)((double)ahead / rate) : 0);
}
