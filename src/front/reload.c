/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "room/room.h"
#include <stdio.h>
#include <stdlib.h>

/* Another policy, complete before anything of the old one is given up. */
struct next {
    struct stk_config *config;
    struct stk_image rules;
    struct stk_grants *grants[STK_CONNECTIONS_MAX]; /* of each connection */
};

static void drop(struct next *next)
{
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++)
        free(next->grants[i]);
    if (next->config != NULL)
        stk_config_free(next->config);
    stk_image_close(&next->rules);
    free(next);
}

static bool find_grants(const struct stk_front *front, struct next *next)
{
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++) {
        const struct stk_connection *connection = front->connections[i];

        if (connection == NULL)
            continue;
        next->grants[i] = stk_peer_grants(connection->fd, next->config->policy,
                                          connection->executable, connection->unit);
        if (next->grants[i] == NULL)
            return false;
    }
    return true;
}

static enum stirkeep_status prepare(struct stk_front *front,
                                    const struct stk_control_message *message, struct next *next,
                                    struct stk_error *error)
{
    int rules = message->fd_count > 1 ? message->fds[1] : -1;
    enum stirkeep_status status = stk_room_read_config(message->fds[0], &next->config, error);

    if (status == STIRKEEP_OK)
        status = stk_image_open(rules, &next->rules, error);
    if (status != STIRKEEP_OK)
        return status;
    stk_front_bind_rules(next->config, &next->rules);
    if (!find_grants(front, next) ||
        stk_usage_adopt(front->usage, next->config->policy) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "front: out of memory");
    return STIRKEEP_OK;
}

/* Nothing in it can fail. What it leaves in `next` is the old policy. */
static void swap(struct stk_front *front, struct next *next)
{
    struct stk_config *config = front->config;
    struct stk_image rules = front->rules;

    front->config = next->config;
    front->rules = next->rules;
    next->config = config;
    next->rules = rules;
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++) {
        if (front->connections[i] == NULL)
            continue;
        stk_connection_grant(front->connections[i], next->grants[i]);
        next->grants[i] = NULL;
    }
}

static void ask_for_programs(struct stk_front *front)
{
    if (!stk_policy_needs_program(front->config->policy))
        return;
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++)
        if (front->connections[i] != NULL)
            stk_program_ask(front->connections[i]);
}

void stk_reload(struct stk_front *front, const struct stk_control_message *message)
{
    struct next *next = calloc(1, sizeof(*next));
    struct stk_control_message *taken = &front->taken;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_NO_MEMORY;

    if (next != NULL)
        status = prepare(front, message, next, &error);
    else
        (void)stk_error_set(&error, status, "front: out of memory");
    if (status == STIRKEEP_OK) {
        swap(front, next);
        ask_for_programs(front);
    }
    if (next != NULL)
        drop(next);
    *taken = (struct stk_control_message){.kind = STK_CONTROL_TAKEN,
                                          .room = STK_ROOM_FRONT,
                                          .status = (uint32_t)status,
                                          .number = message->number};
    (void)snprintf(taken->text, sizeof(taken->text), "%s", error.message);
    front->taken_waits = true;
}
