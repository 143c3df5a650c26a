/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/late.h"

static struct stk_late_order *place_of(struct stk_late *late, uint64_t id)
{
    return &late->orders[stk_order_serial(id) % STK_LATE_MAX];
}

void stk_late_keep(struct stk_late *late, const struct stk_slot *slot)
{
    struct stk_late_order *order = place_of(late, slot->id);

    if (order->id == 0)
        late->count++;
    *order =
        (struct stk_late_order){.id = slot->id, .name = slot->name, .decision = slot->decision};
}

const struct stk_late_order *stk_late_take(struct stk_late *late, uint64_t id)
{
    struct stk_late_order *order = place_of(late, id);

    if (id == 0 || order->id != id)
        return NULL;
    order->id = 0;
    late->count--;
    return order;
}

void stk_late_forget(struct stk_late *late)
{
    for (size_t i = 0; late->count > 0 && i < STK_LATE_MAX; i++) {
        if (late->orders[i].id == 0)
            continue;
        late->orders[i].id = 0;
        late->count--;
    }
}
