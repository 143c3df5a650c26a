/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include <stdio.h>
#include <stdlib.h>

/* The grants of each connection by another policy: all of them are there before anything of the
 * old one is given up. */
struct next_grants {
    struct stk_grants *of[STK_CONNECTIONS_MAX];
};

static void drop_grants(struct next_grants *next)
{
    if (next == NULL)
        return;
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++)
        free(next->of[i]);
    free(next);
}

/* NULL: out of memory. */
static struct next_grants *find_grants(const struct stk_front *front,
                                       const struct stk_policy *policy)
{
    struct next_grants *next = calloc(1, sizeof(*next));

    for (size_t i = 0; next != NULL && i < STK_CONNECTIONS_MAX; i++) {
        const struct stk_connection *connection = front->connections[i];

        if (connection == NULL)
            continue;
        next->of[i] =
            stk_peer_grants(connection->fd, policy, connection->executable, connection->unit);
        if (next->of[i] == NULL) {
            drop_grants(next);
            return NULL;
        }
    }
    return next;
}

/* Nothing in it can fail. What it leaves in `reading` is the old policy. */
static void swap(struct stk_front *front, struct stk_reading *reading, struct next_grants *next)
{
    struct stk_config *config = front->config;
    struct stk_image rules = front->rules;

    front->config = reading->config;
    front->rules = reading->rules;
    reading->config = config;
    reading->rules = rules;
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++) {
        if (front->connections[i] == NULL)
            continue;
        stk_connection_grant(front->connections[i], next->of[i]);
        next->of[i] = NULL;
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

static enum stirkeep_status take_over(struct stk_front *front, struct stk_error *error)
{
    struct stk_reading *reading = &front->reading;
    struct next_grants *next = find_grants(front, reading->config->policy);

    if (next == NULL || stk_usage_adopt(front->usage, reading->config->policy) != STIRKEEP_OK) {
        drop_grants(next);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "front: out of memory");
    }
    swap(front, reading, next);
    drop_grants(next);
    ask_for_programs(front);
    return STIRKEEP_OK;
}

/* To the porter; an older word that the channel had no room for is no longer of interest. */
static void tell(struct stk_front *front, uint64_t number, const struct stk_error *error)
{
    front->taken = (struct stk_control_message){.kind = STK_CONTROL_TAKEN,
                                                .room = STK_ROOM_FRONT,
                                                .status = (uint32_t)error->status,
                                                .number = number};
    (void)snprintf(front->taken.text, sizeof(front->taken.text), "%s", error->message);
    front->taken_waits = !stk_control_say(front, &front->taken);
}

static void start(struct stk_front *front, struct stk_control_message *message)
{
    stk_reading_start(&front->reading, message->number, message->fds[0], message->fds[1]);
    message->fds[0] = -1;
    message->fds[1] = -1;
}

static void is_read(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    struct stk_reading *reading = &front->reading;
    (void)fd;
    (void)what;

    stk_reading_join(reading);
    if (reading->error.status == STIRKEEP_OK)
        reading->error.status = take_over(front, &reading->error);
    tell(front, reading->number, &reading->error);
    stk_reading_drop(reading);
    if (front->has_config_waiting)
        start(front, &front->config_waiting);
    front->has_config_waiting = false;
}

void stk_reload(struct stk_front *front, struct stk_control_message *message)
{
    struct stk_error error = {0};

    if (!front->reading.is_running) {
        start(front, message);
        return;
    }
    if (front->has_config_waiting) {
        (void)stk_error_set(&error, STIRKEEP_CONFLICT, "front: another one came after it");
        tell(front, front->config_waiting.number, &error);
        stk_control_drop(&front->config_waiting);
    }
    front->config_waiting = *message;
    front->has_config_waiting = true;
    message->fds[0] = -1;
    message->fds[1] = -1;
}

bool stk_reload_start(struct stk_front *front)
{
    return event_assign(&front->config_read, front->base, front->reading.done, EV_READ | EV_PERSIST,
                        is_read, front) == 0 &&
           event_add(&front->config_read, NULL) == 0;
}

void stk_reload_stop(struct stk_front *front)
{
    stk_reading_free(&front->reading);
    if (front->has_config_waiting)
        stk_control_drop(&front->config_waiting);
}
