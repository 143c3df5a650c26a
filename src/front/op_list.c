/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include <stdio.h>

static void tell(const struct stk_held *held, struct stk_certificate *certificate)
{
    certificate->key_id = held->key_id;
    certificate->generation = held->generation;
    certificate->not_before = held->not_before;
    certificate->not_after = held->not_after;
    certificate->active = held->active;
    (void)snprintf(certificate->name.text, sizeof(certificate->name.text), "%s", held->name);
    (void)snprintf(certificate->x5u, sizeof(certificate->x5u), "%s", held->x5u);
}

/* The names that the peer's grants name, a page at a time. */
void stk_op_list(const struct stk_ask *ask)
{
    struct stk_front *front = ask->connection->front;
    const struct stk_certificate *page[STK_LIST_PAGE];
    const struct stk_held *held = NULL;
    size_t place = stk_names_after(front->names, ask->request->after);
    size_t count = 0;
    bool more = false;

    if (!stk_names_complete(front->names)) {
        stk_refuse(ask, STIRKEEP_UNAVAILABLE,
                   "the service is starting: its certificates are not known yet");
        return;
    }
    if (front->looked_at > STK_LOOK_AT_MAX) {
        stk_refuse(ask, STIRKEEP_OVERLOADED, "too many requests for lists");
        return;
    }
    while (ask->connection->grants->count > 0 &&
           (held = stk_names_at(front->names, place++)) != NULL) {
        front->looked_at++;
        if (!stk_policy_may_see(ask->connection->grants, held->name))
            continue;
        more = count == STK_LIST_PAGE;
        if (more)
            break;
        tell(held, &front->page[count]);
        page[count] = &front->page[count];
        count++;
    }
    stk_output_done(ask->connection, stk_response_encode_list(ask->request->id, page, count, more,
                                                              &ask->connection->out));
}
