/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"

void stk_hunger_note(struct stk_connection *connection)
{
    struct stk_user *user = connection->flow.user;

    if (connection->hungry)
        return;
    connection->hungry = true;
    if (TAILQ_EMPTY(&user->hungry))
        TAILQ_INSERT_TAIL(&connection->front->hungry, user, hungry_entry);
    TAILQ_INSERT_TAIL(&user->hungry, connection, hungry_entry);
}

void stk_hunger_forget(struct stk_connection *connection)
{
    struct stk_user *user = connection->flow.user;

    if (!connection->hungry)
        return;
    connection->hungry = false;
    TAILQ_REMOVE(&user->hungry, connection, hungry_entry);
    if (TAILQ_EMPTY(&user->hungry))
        TAILQ_REMOVE(&connection->front->hungry, user, hungry_entry);
}

/* The next one leaves the line; its user's others wait for the next round. */
static struct stk_connection *next(struct stk_front *front)
{
    struct stk_user *user = TAILQ_FIRST(&front->hungry);
    struct stk_connection *connection = NULL;

    if (user == NULL)
        return NULL;
    connection = TAILQ_FIRST(&user->hungry);
    stk_hunger_forget(connection);
    if (!TAILQ_EMPTY(&user->hungry)) {
        TAILQ_REMOVE(&front->hungry, user, hungry_entry);
        TAILQ_INSERT_TAIL(&front->hungry, user, hungry_entry);
    }
    return connection;
}

void stk_hunger_feed(struct stk_front *front)
{
    uint64_t until_us = TAILQ_EMPTY(&front->hungry) ? 0 : stk_clock_mono_us() + STK_TURN_US;
    struct stk_connection *connection = NULL;

    while ((connection = next(front)) != NULL) {
        stk_input_bite(connection);
        if (stk_clock_mono_us() >= until_us)
            return;
    }
}
