/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/unsealed.h"

#include "audit/trail.h"

bool stk_unsealed_make(struct stk_unsealed *ret_unsealed)
{
    struct stk_unsealed unsealed = {0};

    if (!stk_window_make(STK_SEAL_RECORDS_MAX, &unsealed.window))
        return false;
    *ret_unsealed = unsealed;
    return true;
}

void stk_unsealed_free(struct stk_unsealed *unsealed)
{
    stk_window_free(&unsealed->window);
}

static uint64_t last_of(const struct stk_unsealed *unsealed)
{
    return unsealed->window.first + unsealed->window.count - 1;
}

/* The first act in the tree; NULL when there is none. Few seals stand before it. */
static const struct stk_window_entry *first_act(const struct stk_unsealed *unsealed,
                                                uint64_t *ret_sequence)
{
    const struct stk_window_entry *entry = NULL;
    uint64_t sequence = unsealed->window.first;

    for (; (entry = stk_window_at(&unsealed->window, sequence)) != NULL; sequence++)
        if (entry->real_us != 0)
            break;
    *ret_sequence = sequence;
    return entry;
}

static uint64_t acts_in(const struct stk_unsealed *unsealed, uint64_t from, uint64_t through)
{
    uint64_t acts = 0;

    for (uint64_t at = from; at <= through; at++) {
        const struct stk_window_entry *entry = stk_window_at(&unsealed->window, at);

        acts += entry != NULL && entry->real_us != 0;
    }
    return acts;
}

static void leave_through(struct stk_unsealed *unsealed, uint64_t through)
{
    uint64_t sequence = 0;
    const struct stk_window_entry *act = first_act(unsealed, &sequence);
    uint64_t acts = acts_in(unsealed, unsealed->window.first, through);

    if (acts > 0 && unsealed->left == 0)
        unsealed->left_since_us = act->real_us;
    unsealed->left += acts;
    unsealed->acts -= acts;
    stk_window_drop_through(&unsealed->window, through);
}

void stk_unsealed_leave(struct stk_unsealed *unsealed)
{
    if (unsealed->window.count > 0)
        leave_through(unsealed, last_of(unsealed));
}

void stk_unsealed_add(struct stk_unsealed *unsealed, uint64_t sequence,
                      const uint8_t digest[STK_DIGEST_LENGTH], bool seal, int64_t real_us)
{
    struct stk_window *window = &unsealed->window;
    int64_t since_us = seal ? 0 : real_us != 0 ? real_us : 1;

    if (window->count == window->most)
        leave_through(unsealed, stk_window_first_block_end(window));
    if (stk_window_add(window, sequence, digest, since_us)) {
        unsealed->acts += !seal;
        return;
    }
    stk_unsealed_leave(unsealed);
    if (!seal && unsealed->left++ == 0)
        unsealed->left_since_us = since_us;
}

void stk_unsealed_take_back(struct stk_unsealed *unsealed, uint64_t last)
{
    const struct stk_window *window = &unsealed->window;
    uint64_t from = last + 1 > window->first ? last + 1 : window->first;

    if (window->count == 0 || from > last_of(unsealed))
        return;
    unsealed->acts -= acts_in(unsealed, from, last_of(unsealed));
    stk_window_drop_behind(&unsealed->window, last);
}

/* Those that stay are counted, since they are few. */
void stk_unsealed_sealed(struct stk_unsealed *unsealed, uint64_t through)
{
    stk_window_drop_through(&unsealed->window, through);
    unsealed->acts = unsealed->window.count > 0
                         ? acts_in(unsealed, unsealed->window.first, last_of(unsealed))
                         : 0;
    unsealed->left = 0;
    unsealed->sealed = through;
}

uint64_t stk_unsealed_count(const struct stk_unsealed *unsealed, int64_t *ret_since_us)
{
    uint64_t sequence = 0;
    const struct stk_window_entry *act = first_act(unsealed, &sequence);

    *ret_since_us = unsealed->left > 0 ? unsealed->left_since_us : act != NULL ? act->real_us : 0;
    return unsealed->left + unsealed->acts;
}

bool stk_unsealed_is_due(const struct stk_unsealed *unsealed, uint64_t last)
{
    uint64_t sequence = 0;

    if (unsealed->window.count == 0 || unsealed->window.first > last)
        return false;
    return unsealed->left > 0 || (first_act(unsealed, &sequence) != NULL && sequence <= last);
}
