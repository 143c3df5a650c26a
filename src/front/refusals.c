/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/refusals.h"

#include "wire/codec_order.h"

static void forget(struct stk_refusals *refusals, struct stk_refusal_user *user)
{
    if (refusals->forgotten <= UINT32_MAX - user->suppressed)
        refusals->forgotten += user->suppressed;
    *user = (struct stk_refusal_user){0};
}

/* The user's row; for a new one that of whoever was quiet longest, rather one with nothing left to
 * tell. */
static struct stk_refusal_user *row_of(struct stk_refusals *refusals, const struct stk_peer *peer)
{
    struct stk_refusal_user *quietest = &refusals->users[0];

    for (size_t i = 0; i < STK_REFUSAL_USERS; i++) {
        struct stk_refusal_user *user = &refusals->users[i];
        bool quieter = user->paid_until_us < quietest->paid_until_us;

        if (user->used && user->peer.uid == peer->uid)
            return user;
        if (!user->used)
            quieter = quietest->used;
        else if (!quietest->used)
            quieter = false;
        else if ((user->suppressed == 0) != (quietest->suppressed == 0))
            quieter = user->suppressed == 0;
        if (quieter)
            quietest = user;
    }
    if (quietest->used)
        forget(refusals, quietest);
    quietest->used = true;
    quietest->peer = *peer;
    return quietest;
}

static bool may_pay(const struct stk_refusal_user *user, uint64_t now_us)
{
    return user->paid_until_us <=
           now_us + (uint64_t)(STK_REFUSAL_BURST - 1) * STK_REFUSAL_INTERVAL_US;
}

/* Into the message, with all that was suppressed before it. */
static bool record(struct stk_refusals *refusals, struct stk_refusal_user *user,
                   const struct stk_refusal *refusal, uint64_t now_us)
{
    struct stk_refusal full = *refusal;

    if (refusals->message_count == STK_BATCH_MAX)
        return false;
    full.suppressed = user->suppressed;
    if (full.suppressed <= UINT32_MAX - refusals->forgotten)
        full.suppressed += refusals->forgotten;
    if (stk_refusal_append(&full, &refusals->message) != STIRKEEP_OK)
        return false;
    refusals->message_count++;
    refusals->forgotten = 0;
    user->suppressed = 0;
    if (user->paid_until_us < now_us)
        user->paid_until_us = now_us;
    user->paid_until_us += STK_REFUSAL_INTERVAL_US;
    return true;
}

void stk_refusals_note(struct stk_refusals *refusals, const struct stk_refusal *refusal,
                       uint64_t now_us)
{
    struct stk_refusal_user *user = row_of(refusals, &refusal->peer);

    refusals->total++;
    refusals->by_status[refusal->status]++;
    refusals->message.ceiling = STK_LINK_MESSAGE_MAX;
    if (may_pay(user, now_us) && record(refusals, user, refusal, now_us))
        return;
    if (user->suppressed < UINT32_MAX)
        user->suppressed++;
    user->peer = refusal->peer;
    user->status = refusal->status;
    if (refusals->summary_due_us == 0)
        refusals->summary_due_us = now_us + STK_REFUSAL_SUMMARY_US;
}

void stk_refusals_summarise(struct stk_refusals *refusals, uint64_t now_us, bool all)
{
    bool left = false;

    for (size_t i = 0; i < STK_REFUSAL_USERS; i++) {
        struct stk_refusal_user *user = &refusals->users[i];
        struct stk_refusal summary = {.status = user->status,
                                      .reason = "more like it, not recorded one by one",
                                      .name = "",
                                      .ppt = "",
                                      .orig = "",
                                      .dest = "",
                                      .attest = "",
                                      .origid = "",
                                      .peer = user->peer};

        if (user->suppressed == 0)
            continue;
        if ((!all && !may_pay(user, now_us)) || !record(refusals, user, &summary, now_us))
            left = true;
    }
    refusals->summary_due_us = left ? now_us + STK_REFUSAL_SUMMARY_US : 0;
}

void stk_refusals_sent(struct stk_refusals *refusals)
{
    refusals->message.length = 0;
    refusals->message_count = 0;
}

void stk_refusals_clear(struct stk_refusals *refusals)
{
    stk_buffer_free(&refusals->message);
    refusals->message_count = 0;
}
