/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/again.h"

#include "base/clock.h"
#include "client/exchange.h"

void stk_again_lost(struct stirkeep_client *client)
{
    client->again.lost_us = stk_clock_mono_us();
}

bool stk_again_is_awaited(const struct stirkeep_client *client, uint64_t now_us)
{
    return client->again.lost_us != 0 && now_us - client->again.lost_us < client->again.patience_us;
}

bool stk_again_keep(struct stirkeep_client *client, struct stk_slot *slot, uint64_t now_us)
{
    uint64_t pause_us = slot->again_pause_us == 0 ? STK_AGAIN_FIRST_US : slot->again_pause_us * 2;

    if (pause_us > STK_AGAIN_LAST_US)
        pause_us = STK_AGAIN_LAST_US;
    if (slot->kind == STK_REQUEST_PING || now_us + pause_us >= slot->deadline_us)
        return false;
    slot->again_pause_us = pause_us;
    slot->again_us = now_us + pause_us;
    if (slot->again_us < client->again.due_us)
        client->again.due_us = slot->again_us;
    return true;
}

void stk_again_sent_all(struct stirkeep_client *client)
{
    for (struct stk_slot *slot = stk_pending_first(&client->pending);
         slot != NULL && client->again.due_us != UINT64_MAX;
         slot = stk_pending_next(&client->pending, slot))
        slot->again_us = 0;
    client->again.due_us = UINT64_MAX;
}

void stk_again_send_due(struct stirkeep_client *client, uint64_t now_us)
{
    if (now_us < client->again.due_us || client->connection.fd < 0)
        return;
    client->again.due_us = UINT64_MAX;
    for (struct stk_slot *slot = stk_pending_first(&client->pending); slot != NULL;
         slot = stk_pending_next(&client->pending, slot)) {
        /* Without memory it is tried again with the others. */
        if (slot->again_us != 0 && slot->again_us <= now_us &&
            stk_buffer_add(&client->connection.out, slot->frame.data, slot->frame.length) ==
                STIRKEEP_OK)
            slot->again_us = 0;
        if (slot->again_us != 0 && slot->again_us < client->again.due_us)
            client->again.due_us = slot->again_us;
    }
}
