/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"
#include <string.h>

static bool is_given(const struct stk_key_id *key_id)
{
    static const struct stk_key_id none;

    return memcmp(key_id, &none, sizeof(none)) != 0;
}

/* An act of intake's, for the trail: on disk before OK is answered, for intake forgets it then. */
enum stirkeep_status stk_op_record(struct stk_custody_thread *self,
                                   const struct stk_custody_order *order,
                                   struct stk_custody_answer *answer, struct stk_error *error)
{
    const struct stk_record record = {.act = order->act,
                                      .outcome = order->outcome,
                                      .detail = order->detail,
                                      .name = order->name.text,
                                      .generation = order->generation,
                                      .key_id = is_given(&order->key_id) ? &order->key_id : NULL,
                                      /* without a process it is an act of the service itself */
                                      .peer = order->peer.pid != 0 ? &order->peer : NULL,
                                      .request_id = order->request_id};
    enum stirkeep_status status = stk_recorder_append(&self->keeper->recorder, &record, 1, error);

    (void)answer;
    return status == STIRKEEP_OK ? stk_recorder_sync(&self->keeper->recorder, error) : status;
}
