/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

void stk_owed_count(struct stk_connection *connection)
{
    struct stk_user *user = connection->flow.user;

    user->owed -= connection->owed;
    connection->owed = stk_output_unsent(connection) + connection->promised;
    user->owed += connection->owed;
}

void stk_owed_promise(struct stk_connection *connection, size_t length)
{
    connection->promised += length;
    stk_owed_count(connection);
}

void stk_owed_fulfil(struct stk_connection *connection, size_t length)
{
    connection->promised -= length;
    stk_owed_count(connection);
}

void stk_owed_forget(struct stk_connection *connection)
{
    connection->flow.user->owed -= connection->owed;
    connection->owed = 0;
}

bool stk_owed_is_much(const struct stk_connection *connection)
{
    return connection->owed > STK_OWED_MAX ||
           (connection->owed > 0 && connection->flow.user->owed > STK_OWED_OF_USER_MAX);
}

bool stk_owed_is_little(const struct stk_connection *connection)
{
    return connection->owed <= STK_OWED_RESUME &&
           (connection->owed == 0 || connection->flow.user->owed <= STK_OWED_OF_USER_RESUME);
}
