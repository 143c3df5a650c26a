/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "base/digest.h"
#include "room/room.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_RESERVED 32 /* all that are no clients' */

/* How many clients the process has descriptors for. */
static size_t connection_limit(void)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return STK_CONNECTIONS_MAX / 4;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur <= DESCRIPTORS_RESERVED)
        return 1;
    return limit.rlim_cur - DESCRIPTORS_RESERVED < STK_CONNECTIONS_MAX
               ? (size_t)limit.rlim_cur - DESCRIPTORS_RESERVED
               : STK_CONNECTIONS_MAX;
}

/* Descriptors whose state is shared with the porter's cannot be left to an edge-triggered loop. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static bool allocate(struct stk_front *front)
{
    uint64_t seed = 0;

    stk_random(&seed, sizeof(seed));
    front->usage = stk_usage_new();
    front->message = malloc(STK_LINK_MESSAGE_MAX);
    front->page = calloc(STK_LIST_PAGE, sizeof(*front->page));
    front->names = stk_names_new();
    front->orders = stk_orders_new(seed);
    front->late = calloc(1, sizeof(*front->late));
    front->base = new_base();
    front->outgoing.ceiling = STK_LINK_MESSAGE_MAX;
    return front->message != NULL && front->page != NULL && front->names != NULL &&
           front->orders != NULL && front->late != NULL && front->base != NULL &&
           front->usage != NULL &&
           stk_buffer_reserve(&front->outgoing, STK_LINK_MESSAGE_MAX) == STIRKEEP_OK &&
           stk_arena_new(&front->arena, STK_DECODE_ARENA_MAX) == STIRKEEP_OK &&
           stk_arena_new(&front->work, STK_WORK_ARENA_MAX) == STIRKEEP_OK;
}

/* The rules that the room was born with. */
static enum stirkeep_status take_rules(struct stk_front *front, struct stk_error *error)
{
    bool given = fcntl(STK_FD_FRONT_RULES, F_GETFD) >= 0;
    enum stirkeep_status status =
        stk_image_open(given ? STK_FD_FRONT_RULES : -1, &front->rules, error);

    if (given)
        (void)close(STK_FD_FRONT_RULES);
    if (status == STIRKEEP_OK)
        stk_reading_bind(front->config, &front->rules);
    return status;
}

static enum stirkeep_status out_of_memory(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_NO_MEMORY, "cannot be set up: out of memory");
}

enum stirkeep_status stk_front_new(struct stk_config *config, struct stk_front **ret_front,
                                   struct stk_error *error)
{
    struct stk_front *front = calloc(1, sizeof(*front));
    enum stirkeep_status status = STIRKEEP_OK;

    if (front == NULL)
        return out_of_memory(error);
    front->config = config;
    front->connection_limit = connection_limit();
    stk_awake_init(&front->awake, 1);
    stk_pace_init(&front->pace, stk_config_signers(config), config->audit.sync == STK_SYNC_ALWAYS);
    front->timer_at_us = UINT64_MAX;
    stk_tally_start(&front->tally, stk_clock_mono_us());
    TAILQ_INIT(&front->dirty);
    TAILQ_INIT(&front->hungry);
    TAILQ_INIT(&front->waiting);
    TAILQ_INIT(&front->lingering);
    TAILQ_INIT(&front->taking);
    TAILQ_INIT(&front->program_wanted);
    TAILQ_INIT(&front->program_asked);
    if (stk_reading_init(&front->reading) == STIRKEEP_OK)
        status = take_rules(front, error);
    else
        status = out_of_memory(error);
    if (status == STIRKEEP_OK &&
        (!allocate(front) || !stk_reload_start(front) ||
         stk_usage_adopt(front->usage, config->policy) != STIRKEEP_OK ||
         !stk_control_start(front) || !stk_link_keeper_start(front) ||
         !stk_link_intake_start(front) || !stk_timer_start(front) || !stk_listener_start(front)))
        status = out_of_memory(error);
    if (status != STIRKEEP_OK) {
        stk_front_free(front);
        return status;
    }
    *ret_front = front;
    return STIRKEEP_OK;
}

static void settle_all(struct stk_front *front)
{
    struct stk_connection *connection = NULL;

    while ((connection = TAILQ_FIRST(&front->dirty)) != NULL) {
        TAILQ_REMOVE(&front->dirty, connection, dirty_entry);
        connection->dirty = false;
        stk_connection_settle(connection);
    }
}

/* What the events of a turn left behind: answers, orders, acknowledgements, deadlines. */
static void end_turn(struct stk_front *front)
{
    uint64_t now_us = 0;

    stk_hunger_feed(front);
    settle_all(front);
    stk_link_keeper_flush(front);
    stk_link_intake_flush(front);
    stk_control_flush(front);
    settle_all(front);
    now_us = stk_clock_mono_us();
    stk_pace_turn(&front->pace, front->orders->count - stk_orders_unsent(front->orders), now_us);
    stk_tally_sent(&front->tally, now_us);
    stk_drain_check(front, now_us);
    stk_timer_set(front);
    if (TAILQ_EMPTY(&front->hungry) || now_us - front->looked_since_us >= STK_LOOK_AGAIN_US) {
        front->looked_since_us = now_us;
        front->looked_at = 0;
    }
}

/* Has the loop to look again, instead of waiting until something happens? */
static bool has_to_look(struct stk_front *front)
{
    bool alone = front->orders->count == 1; /* with more, others may want this processor */

    if (!TAILQ_EMPTY(&front->hungry))
        return true;
    if (!alone && front->awake.since_us == 0)
        return false;
    return stk_awake_stays(&front->awake, alone, stk_clock_mono_us());
}

int stk_front_run(struct stk_front *front)
{
    end_turn(front);
    while (!front->done) {
        int how = has_to_look(front) ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE;

        if (event_base_loop(front->base, how) < 0)
            return 1;
        end_turn(front);
    }
    return front->exit_status;
}

void stk_front_free(struct stk_front *front)
{
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++)
        if (front->connections[i] != NULL)
            stk_connection_free(front->connections[i]);
    stk_reload_stop(front);
    if (front->orders != NULL)
        stk_answer_nobody(front);
    stk_orders_free(front->orders);
    free(front->late);
    stk_names_free(front->names);
    stk_refusals_clear(&front->refusals);
    stk_tally_clear(&front->tally);
    stk_buffer_free(&front->outgoing);
    stk_arena_free(&front->arena);
    stk_arena_free(&front->work);
    free(front->message);
    free(front->page);
    if (front->base != NULL)
        event_base_free(front->base);
    stk_usage_free(front->usage);
    stk_config_free(front->config);
    stk_image_close(&front->rules);
    free(front);
}
