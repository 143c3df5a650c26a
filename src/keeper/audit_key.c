/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/keeper.h"

#define AGAIN_US 10000000

static void complain(struct stk_keeper *keeper, const struct stk_error *why)
{
    if (!keeper->told_no_audit_key)
        stk_log(STK_LOG_ERROR, "no audit key: %s: the audit trail goes on and is not sealed",
                why->message);
    keeper->told_no_audit_key = true;
}

void stk_keeper_find_audit_key(struct stk_keeper *keeper)
{
    struct stk_token_audit_key key = {0};
    struct stk_error error = {0};
    uint64_t now = stk_clock_mono_us();

    if (keeper->token == NULL || atomic_load(&keeper->has_audit_key) ||
        now < keeper->audit_key_again)
        return;
    keeper->audit_key_again = now + AGAIN_US;
    if (stk_token_audit_key(keeper->token, &key, &error) != STIRKEEP_OK) {
        complain(keeper, &error);
        return;
    }
    if (key.made)
        stk_clerk_note(&keeper->clerk, "audit-key", STIRKEEP_OK, &key.key_id, "%s", key.attributes);
    if (keeper->told_no_audit_key)
        stk_log(STK_LOG_INFO, "there is an audit key: the audit trail is sealed again");
    keeper->told_no_audit_key = false;
    keeper->audit_key = key;
    atomic_store(&keeper->has_audit_key, true);
}
