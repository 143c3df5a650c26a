/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/spent.h"

#include <stdlib.h>
#include <string.h>

bool stk_spent_init(struct stk_spent *ret_spent, size_t count)
{
    struct stk_spent spent = {.words = (count + 63) / 64, .leaves = 1, .day = INT64_MIN};

    while (spent.leaves < count)
        spent.leaves *= 2;
    spent.bits = calloc(spent.words + 1, sizeof(*spent.bits));
    spent.until = reallocarray(NULL, 2 * spent.leaves, sizeof(*spent.until));
    if (spent.bits == NULL || spent.until == NULL) {
        stk_spent_free(&spent);
        return false;
    }
    memset(spent.until, 0xff, 2 * spent.leaves * sizeof(*spent.until)); /* STK_SPENT_TODAY */
    *ret_spent = spent;
    return true;
}

void stk_spent_free(struct stk_spent *spent)
{
    free(spent->bits);
    free(spent->until);
    *spent = (struct stk_spent){0};
}

static void set_until(struct stk_spent *spent, size_t index, uint64_t until_us)
{
    uint64_t *until = spent->until;
    size_t node = spent->leaves + index;

    until[node] = until_us;
    while (node > 1) {
        uint64_t least = until[node] < until[node ^ 1] ? until[node] : until[node ^ 1];

        node /= 2;
        if (until[node] == least)
            break;
        until[node] = least;
    }
}

void stk_spent_begin(struct stk_spent *spent, size_t index, uint64_t until_us)
{
    spent->bits[index / 64] |= UINT64_C(1) << index % 64;
    set_until(spent, index, until_us);
}

void stk_spent_end(struct stk_spent *spent, size_t index)
{
    spent->bits[index / 64] &= ~(UINT64_C(1) << index % 64);
    set_until(spent, index, STK_SPENT_TODAY);
}

/* Whose time is the least. */
static size_t first_to_end(const struct stk_spent *spent)
{
    size_t node = 1;

    while (node < spent->leaves)
        node = 2 * node + (spent->until[2 * node] != spent->until[node]);
    return node - spent->leaves;
}

void stk_spent_pass(struct stk_spent *spent, uint64_t mono_us, int64_t today)
{
    if (spent->day != today) {
        spent->day = today;
        memset(spent->bits, 0, spent->words * sizeof(*spent->bits));
        memset(spent->until, 0xff, 2 * spent->leaves * sizeof(*spent->until));
    }
    while (spent->until[1] <= mono_us && spent->until[1] != STK_SPENT_TODAY)
        stk_spent_end(spent, first_to_end(spent));
}
