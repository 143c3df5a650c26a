/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

/* How many names the peer's grants name: counted again only when the names have changed. */
static uint32_t visible(struct stk_connection *connection)
{
    struct stk_front *front = connection->front;
    const struct stk_names *names = front->names;
    const struct stk_held *held = NULL;

    /* Many connections may ask after a change: the last count does for those who come late. */
    if (connection->visible_version == stk_names_version(names) ||
        front->looked_at > STK_LOOK_AT_MAX || connection->grants->count == 0)
        return connection->visible;
    front->looked_at += stk_names_count(names);
    connection->visible = 0;
    for (size_t place = 0; (held = stk_names_at(names, place)) != NULL; place++)
        connection->visible += stk_policy_may_see(connection->grants, held->name) ? 1 : 0;
    connection->visible_version = stk_names_version(names);
    return connection->visible;
}

/* Can signatures be had, and if not, why not? Anybody may know that. */
void stk_op_ping(const struct stk_ask *ask)
{
    const struct stk_front *front = ask->connection->front;
    struct stk_response_pong pong = {.ready = true, .version = STIRKEEP_VERSION, .detail = ""};

    if (!stk_names_complete(front->names)) {
        pong.ready = false;
        pong.detail = "the certificates are not known yet";
    } else if (!front->keeper_up) {
        pong.ready = false;
        pong.detail = "the keeper is starting";
    }
    pong.certificates = visible(ask->connection);
    stk_output_done(ask->connection,
                    stk_response_encode_pong(ask->request->id, &pong, &ask->connection->out));
}
