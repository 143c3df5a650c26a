/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/rebuild.h"

#include <stdlib.h>
#include <string.h>

enum stirkeep_status stk_plan_add(struct stk_plan *plan, const struct stk_candidate *candidate)
{
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity == 0 ? 64 : plan->capacity * 2;
        struct stk_candidate *grown = reallocarray(plan->items, capacity, sizeof(*grown));

        if (grown == NULL)
            return STIRKEEP_NO_MEMORY;
        plan->items = grown;
        plan->capacity = capacity;
    }
    plan->items[plan->count++] = *candidate;
    return STIRKEEP_OK;
}

void stk_plan_free(struct stk_plan *plan)
{
    free(plan->items);
    *plan = (struct stk_plan){0};
}

/* The fingerprint makes it one order, however the token tells them. */
static int compare(const void *a, const void *b)
{
    const struct stk_candidate *left = a;
    const struct stk_candidate *right = b;
    int order = strcmp(left->name.text, right->name.text);

    if (order == 0 && left->not_before != right->not_before)
        order = left->not_before < right->not_before ? -1 : 1;
    return order != 0 ? order : strcmp(left->fingerprint, right->fingerprint);
}

static bool is_valid(const struct stk_candidate *candidate, int64_t now)
{
    return candidate->not_before <= now && now <= candidate->not_after;
}

/* A certificate that is on the token twice is one. */
static void drop_doubles(struct stk_plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (kept == 0 || compare(&plan->items[kept - 1], &plan->items[i]) != 0)
            plan->items[kept++] = plan->items[i];
    plan->count = kept;
}

void stk_plan_settle(struct stk_plan *plan, int64_t now)
{
    size_t next = 0;

    if (plan->count > 0)
        qsort(plan->items, plan->count, sizeof(*plan->items), compare);
    drop_doubles(plan);
    for (size_t first = 0; first < plan->count; first = next) {
        size_t best = first;

        for (next = first; next < plan->count &&
                           strcmp(plan->items[next].name.text, plan->items[first].name.text) == 0;
             next++)
            if (is_valid(&plan->items[next], now) || !is_valid(&plan->items[best], now))
                best = next;
        plan->items[best].active = true;
    }
}
