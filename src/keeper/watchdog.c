/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/keeper.h"
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* A custody order is many calls, and files made durable between them. */
#define CUSTODY_CALLS 20
/* So long and so often may the token fail, with no signature in between. */
#define FAILING_US 3000000
#define DEVICE_FAILING_US 300000 /* likewise, when it says that its device does */
#define FAILURES_MIN 3
#define LAST_WORDS_MS 300 /* for the trail to hear of it */

#define TELL_AGAIN_US 10000000

/* Nothing of the module's is touched: whatever hangs in it may hold its locks. */
static _Noreturn void give_up(struct stk_keeper *keeper, const char *why)
{
    stk_clerk_note(&keeper->clerk, "token-lost", STIRKEEP_TOKEN_ERROR, NULL, "%s", why);
    (void)stk_clerk_settle(&keeper->clerk, LAST_WORDS_MS);
    _exit(1);
}

/* NULL: none. */
static const char *end_of(const struct stk_token *token)
{
    if (token == NULL)
        return NULL;
    if (stk_token_gone(token))
        return "token: the device has gone";
    if (stk_token_login_lost(token))
        return "token: the login is gone";
    return stk_token_is_blind(token) ? "token: it has to be opened anew" : NULL;
}

static void check_login(struct stk_keeper *keeper)
{
    const char *why = end_of(keeper->token);

    if (why == NULL)
        return;
    stk_log(STK_LOG_ERROR, "%s: a new keeper logs in again", why);
    give_up(keeper, why);
}

void stk_watchdog_hold_back(const struct stk_keeper *keeper, enum stirkeep_status status)
{
    if (status == STIRKEEP_TOKEN_ERROR && end_of(keeper->token) != NULL)
        for (;;)
            (void)pause(); /* main ends the process within a tick */
}

static void check_call(struct stk_keeper *keeper, uint64_t since, uint64_t limit_us,
                       const char *what, uint64_t now)
{
    char why[STK_ERROR_MAX] = "";

    if (since == 0 || now <= since || now - since <= limit_us)
        return;
    (void)snprintf(why, sizeof(why), "%s for %" PRIu64 " ms", what, (now - since) / 1000);
    stk_log(STK_LOG_ERROR, "%s: a new keeper takes over", why);
    give_up(keeper, why);
}

static void check_signer(struct stk_keeper *keeper, const struct stk_signer *signer,
                         uint64_t limit_us, const char *what, uint64_t now)
{
    if (signer != NULL)
        check_call(keeper, stk_signer_busy_since(signer), limit_us, what, now);
}

/* They reached nobody, but a token that does this is to be looked at. */
static void check_wrong(struct stk_keeper *keeper, uint64_t now)
{
    uint64_t wrong = keeper->token == NULL ? 0 : stk_token_wrong(keeper->token);

    if (wrong == keeper->told_wrong ||
        (keeper->told_wrong != 0 && now - keeper->told_wrong_us < TELL_AGAIN_US))
        return;
    stk_log(STK_LOG_ERROR,
            "token: what it gave for a signature was none, %" PRIu64
            " times since it was opened: thrown away, and signed again",
            wrong);
    if (keeper->told_wrong == 0)
        stk_clerk_note(&keeper->clerk, "token-wrong", STIRKEEP_TOKEN_ERROR, NULL,
                       "what it gave for a signature was none; it was not given out");
    keeper->told_wrong = wrong;
    keeper->told_wrong_us = now;
}

void stk_watchdog_check(struct stk_keeper *keeper)
{
    uint64_t limit_us = (uint64_t)keeper->config->token.call_timeout_ms * 1000;
    uint64_t now = stk_clock_mono_us();
    uint64_t failing = atomic_load(&keeper->failing_since);

    for (size_t i = 0; i < keeper->signer_count; i++)
        check_signer(keeper, keeper->signers[i].signer, limit_us,
                     "token: a call of a signer has hung", now);
    check_signer(keeper, atomic_load(&keeper->sealer.signer), limit_us,
                 "token: a call of the sealer has hung", now);
    if (keeper->token != NULL)
        check_call(keeper, stk_token_busy_since(keeper->token), limit_us,
                   "token: a call of a custody order has hung", now);
    check_login(keeper);
    check_wrong(keeper, now);
    check_call(keeper, atomic_load(&keeper->custody.busy_since), CUSTODY_CALLS * limit_us,
               "token: a custody order has hung", now);
    if (atomic_load(&keeper->failures) >= FAILURES_MIN)
        check_call(keeper, failing,
                   stk_token_device_error(keeper->token) ? DEVICE_FAILING_US : FAILING_US,
                   "token: no signature has succeeded", now);
}

/* Called for every signature: only reads, as long as all is well. */
void stk_watchdog_note(struct stk_keeper *keeper, enum stirkeep_status status,
                       const struct stk_error *error)
{
    uint64_t since = atomic_load_explicit(&keeper->failing_since, memory_order_relaxed);

    if (status == STIRKEEP_OK && since != 0 && atomic_exchange(&keeper->failing_since, 0) != 0) {
        atomic_store(&keeper->failures, 0);
        stk_token_well(keeper->token);
        stk_log(STK_LOG_INFO, "token: signs again");
        stk_clerk_note(&keeper->clerk, "token-found", STIRKEEP_OK, NULL, "it signs again");
    }
    if (status == STIRKEEP_TOKEN_LOCKED && !atomic_exchange(&keeper->told_locked, true))
        stk_log(STK_LOG_ERROR, "%s", error->message);
    if (status != STIRKEEP_TOKEN_ERROR && status != STIRKEEP_NO_MEMORY)
        return;
    atomic_fetch_add(&keeper->failures, 1);
    if (since == 0 &&
        atomic_compare_exchange_strong(&keeper->failing_since, &since, stk_clock_mono_us())) {
        stk_log(STK_LOG_ERROR, "signing failed: %s", error->message);
        stk_clerk_note(&keeper->clerk, "token-lost", status, NULL, "%s", error->message);
    }
}
