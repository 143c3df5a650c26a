/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"
#include "wire/bounds.h"

_Static_assert(STK_TOKEN_HELD_MAX <= STK_INVENTORY_MAX, "an answer cannot carry what a key has");

/* The key on the token whose id comes next after this one. */
enum stirkeep_status stk_op_inventory(struct stk_custody_thread *self,
                                      const struct stk_custody_order *order,
                                      struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_token_held *held = stk_arena_take(&self->arena, sizeof(*held));
    enum stirkeep_status status = STIRKEEP_OK;

    if (held == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_token_inventory(self->keeper->token, &order->key_id, &self->arena, held, error);
    if (status != STIRKEEP_OK)
        return status;
    answer->has_inventory = true;
    answer->key_id = held->key_id;
    answer->name = held->name.text;
    answer->attributes = held->attributes;
    answer->certificates = held->certificates;
    answer->x5u = held->x5u;
    answer->certificate_count = held->certificate_count;
    return STIRKEEP_OK;
}
