/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/connection.h"
#include "front/orders.h"

#include <assert.h>
#include <stdlib.h>

void stk_queue_init(struct stk_queue *queue)
{
    *queue = (struct stk_queue){0};
    TAILQ_INIT(&queue->users);
    TAILQ_INIT(&queue->turns);
}

void stk_queue_clear(struct stk_queue *queue)
{
    struct stk_user *user = NULL;

    while ((user = TAILQ_FIRST(&queue->users)) != NULL) {
        TAILQ_REMOVE(&queue->users, user, entry);
        free(user);
    }
}

/* ---- users and flows */

static void free_unused(struct stk_queue *queue, struct stk_user *user)
{
    if (user->flow_count > 0 || user->in_flight > 0)
        return;
    TAILQ_REMOVE(&queue->users, user, entry);
    free(user);
}

static struct stk_user *find_or_add(struct stk_queue *queue, uid_t uid)
{
    struct stk_user *user = NULL;

    TAILQ_FOREACH(user, &queue->users, entry)
    if (user->uid == uid)
        return user;
    user = calloc(1, sizeof(*user));
    if (user == NULL)
        return NULL;
    user->uid = uid;
    TAILQ_INIT(&user->turns);
    TAILQ_INIT(&user->hungry);
    TAILQ_INSERT_TAIL(&queue->users, user, entry);
    return user;
}

bool stk_flow_open(struct stk_queue *queue, uid_t uid, struct stk_flow *flow)
{
    struct stk_user *user = find_or_add(queue, uid);

    if (user == NULL)
        return false;
    user->flow_count++;
    *flow = (struct stk_flow){.user = user};
    TAILQ_INIT(&flow->waiting);
    return true;
}

void stk_flow_close(struct stk_queue *queue, struct stk_flow *flow)
{
    assert(flow->count == 0);
    flow->user->flow_count--;
    free_unused(queue, flow->user);
    flow->user = NULL;
}

void stk_user_begin(struct stk_user *user)
{
    user->in_flight++;
}

void stk_user_end(struct stk_queue *queue, struct stk_user *user)
{
    user->in_flight--;
    free_unused(queue, user);
}

/* ---- turns */

static void leave_turns(struct stk_queue *queue, struct stk_flow *flow)
{
    struct stk_user *user = flow->user;

    TAILQ_REMOVE(&user->turns, flow, turn);
    if (--user->turn_count > 0)
        return;
    TAILQ_REMOVE(&queue->turns, user, turn);
    queue->turn_count--;
}

void stk_queue_put(struct stk_queue *queue, struct stk_flow *flow, struct stk_slot *slot)
{
    struct stk_user *user = flow->user;

    TAILQ_INSERT_TAIL(&flow->waiting, slot, entry);
    queue->count++;
    if (flow->count++ > 0)
        return;
    TAILQ_INSERT_TAIL(&user->turns, flow, turn);
    if (user->turn_count++ > 0)
        return;
    TAILQ_INSERT_TAIL(&queue->turns, user, turn);
    queue->turn_count++;
}

void stk_queue_remove(struct stk_queue *queue, struct stk_flow *flow, struct stk_slot *slot)
{
    TAILQ_REMOVE(&flow->waiting, slot, entry);
    queue->count--;
    if (--flow->count == 0)
        leave_turns(queue, flow);
}

struct stk_slot *stk_queue_next(const struct stk_queue *queue)
{
    const struct stk_user *user = TAILQ_FIRST(&queue->turns);

    return user != NULL ? TAILQ_FIRST(&TAILQ_FIRST(&user->turns)->waiting) : NULL;
}

void stk_queue_take(struct stk_queue *queue, struct stk_slot *slot)
{
    struct stk_flow *flow = slot->flow;
    struct stk_user *user = flow->user;

    stk_queue_remove(queue, flow, slot);
    if (flow->count > 0) {
        TAILQ_REMOVE(&user->turns, flow, turn);
        TAILQ_INSERT_TAIL(&user->turns, flow, turn);
    }
    if (user->turn_count > 0) {
        TAILQ_REMOVE(&queue->turns, user, turn);
        TAILQ_INSERT_TAIL(&queue->turns, user, turn);
    }
}

size_t stk_queue_ahead(const struct stk_queue *queue, const struct stk_flow *flow)
{
    const struct stk_user *user = flow->user;
    /* It has its turn once in a round of its user's flows, who has one in a round of users. */
    size_t flows = user->turn_count + (flow->count == 0 ? 1U : 0U);
    size_t users = queue->turn_count + (user->turn_count == 0 ? 1U : 0U);

    return ((size_t)flow->count + 1) * flows * users - 1;
}
