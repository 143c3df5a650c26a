/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rules_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

struct stk_rules_draft *stk_rules_draft_new(void)
{
    return calloc(1, sizeof(struct stk_rules_draft));
}

void stk_rules_draft_free(struct stk_rules_draft *draft)
{
    if (draft == NULL)
        return;
    free(draft->ones);
    free(draft->ranges.spans);
    free(draft->prefixes.spans);
    free(draft);
}

size_t stk_rules_draft_count(const struct stk_rules_draft *draft)
{
    return draft->one_count + draft->ranges.count + draft->prefixes.count;
}

void stk_rules_draft_default(struct stk_rules_draft *draft, enum stk_level level)
{
    draft->otherwise = level;
}

/* Room for one more; NULL leaves the list as it was. */
static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    size_t more = *room > 0 ? *room * 2 : FIRST_ROOM;

    if (count < *room)
        return list;
    list = reallocarray(list, more, size);
    if (list != NULL)
        *room = more;
    return list;
}

static enum stirkeep_status add_one(struct stk_rules_draft *draft, uint64_t key, uint32_t value)
{
    struct stk_rule_one *ones =
        grown(draft->ones, draft->one_count, &draft->one_room, sizeof(*ones));

    if (ones == NULL)
        return STIRKEEP_NO_MEMORY;
    draft->ones = ones;
    ones[draft->one_count++] = (struct stk_rule_one){.key = key, .value = value};
    return STIRKEEP_OK;
}

static enum stirkeep_status add_span(struct stk_rule_spans *to, uint64_t first, uint64_t last,
                                     uint32_t value)
{
    struct stk_rule_span *spans = grown(to->spans, to->count, &to->room, sizeof(*spans));

    if (spans == NULL)
        return STIRKEEP_NO_MEMORY;
    to->spans = spans;
    spans[to->count++] = (struct stk_rule_span){.first = first, .last = last, .value = value};
    return STIRKEEP_OK;
}

static enum stirkeep_status add_prefix(struct stk_rules_draft *draft, const char *prefix,
                                       uint32_t value)
{
    size_t length = strlen(prefix);
    uint64_t first = length > 0 ? stk_rules_left(stk_number_key(prefix)) : 0;

    return add_span(&draft->prefixes, first,
                    first | ((UINT64_C(1) << 4 * (STK_TN_MAX - length)) - 1), value);
}

enum stirkeep_status stk_rules_draft_add(struct stk_rules_draft *draft,
                                         const struct stk_number_pattern *pattern,
                                         enum stk_level level, unsigned source, uint32_t line)
{
    uint32_t value = 0;
    uint64_t first = pattern->range.first;
    uint64_t last = pattern->range.last;

    assert(source <= 1 && level <= STK_LEVEL_A);
    if (stk_rules_draft_count(draft) >= STK_RULES_MAX || line > STK_RULES_LINE_MAX)
        return STIRKEEP_TOO_LARGE;
    value = stk_rule_pack(level, source, line);
    if (pattern->kind == STK_NUMBER_PREFIX) {
        size_t length = strnlen(pattern->prefix, STK_TN_MAX + 1);

        if (length > STK_TN_MAX)
            return STIRKEEP_INVALID;
        /* Nothing is longer, so it is that one number. */
        if (length == STK_TN_MAX)
            return add_one(draft, stk_number_key(pattern->prefix), value);
        return add_prefix(draft, pattern->prefix, value);
    }
    if (first > last || first >> 60 != last >> 60)
        return STIRKEEP_INVALID;
    if (first == last)
        return add_one(draft, first, value);
    return add_span(&draft->ranges, first, last, value);
}
