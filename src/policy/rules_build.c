/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rules_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* By where they begin; of those that begin together the longer one first, as it holds the other. */
static int by_first(const void *a, const void *b)
{
    const struct stk_rule_span *left = a;
    const struct stk_rule_span *right = b;

    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->last > right->last ? -1 : left->last < right->last;
}

/* ---- conflicts */

/* The text of a span: a range, or a prefix by its place in the order from the left. */
static void span_text(const struct stk_rule_span *span, bool is_prefix,
                      char ret_text[STK_NUMBER_PATTERN_TEXT])
{
    static const char characters[] = "0123456789*#";
    size_t length = 0;

    if (!is_prefix) {
        struct stk_number_pattern pattern = {.kind = span->first == span->last ? STK_NUMBER_ONE
                                                                               : STK_NUMBER_RANGE,
                                             .range = {.first = span->first, .last = span->last}};

        stk_number_pattern_text(&pattern, ret_text);
        return;
    }
    while (length < STK_TN_MAX) {
        size_t nibble = span->first >> 4 * (STK_TN_MAX - 1 - length) & 15;

        if (nibble == 0 || nibble >= sizeof(characters))
            break;
        ret_text[length++] = characters[nibble - 1];
    }
    ret_text[length++] = '*';
    ret_text[length] = '\0';
}

/* Where both stand, and first the later one: it is likelier the one that was just added. */
enum stirkeep_status stk_rules_conflict(const struct stk_rules_draft *draft, bool are_prefixes,
                                        const struct stk_rule_span *a,
                                        const struct stk_rule_span *b, struct stk_error *error)
{
    bool same = a->first == b->first && a->last == b->last;
    /* Source and line are what a value has below the level. */
    bool a_first = a->value << 2 < b->value << 2;
    const struct stk_rule_span *earlier = a_first ? a : b;
    const struct stk_rule_span *later = a_first ? b : a;
    struct stk_rule_found there = stk_rule_unpack(earlier->value);
    struct stk_rule_found here = stk_rule_unpack(later->value);
    char place[STK_RULE_PLACE] = "";
    char texts[2][STK_NUMBER_PATTERN_TEXT] = {"", ""};

    stk_rule_place(here.source, here.line, draft->file, place);
    span_text(later, are_prefixes, texts[0]);
    span_text(earlier, are_prefixes, texts[1]);
    return stk_error_set(error, STIRKEEP_CONFIG, "%s: %s %s%s %s line %u%s", place, texts[0],
                         same ? "has a rule already" : "overlaps ", same ? "" : texts[1],
                         there.source == here.source ? "in" : "in the configuration,", there.line,
                         same ? "" : ", and neither lies within the other");
}

/* ---- from rules within each other to runs beside each other */

struct runs {
    uint64_t *keys;
    uint32_t *values;
    size_t count;
};

static void emit(struct runs *runs, uint64_t key, uint32_t value)
{
    if (runs->count == 0 || runs->keys[runs->count - 1] != key)
        runs->count++;
    runs->keys[runs->count - 1] = key;
    runs->values[runs->count - 1] = value;
}

/* Spans that are open at one place, the innermost on top: each lies within the one below it. */
struct open_spans {
    const struct stk_rule_span **spans;
    size_t count;
};

/* The innermost ends: what is around it decides again. */
static void close_one(struct open_spans *open, struct runs *runs)
{
    uint64_t last = open->spans[--open->count]->last;

    if (last < UINT64_MAX)
        emit(runs, last + 1, open->count > 0 ? open->spans[open->count - 1]->value : STK_RULE_NONE);
}

/* `open` has room for all of the spans, `runs` for two of each. */
static enum stirkeep_status flatten(const struct stk_rules_draft *draft, enum stk_rules_part part,
                                    const struct stk_rule_spans *from, struct open_spans *open,
                                    struct runs *runs, struct stk_error *error)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct stk_rule_span *span = &from->spans[i];
        const struct stk_rule_span *around = NULL;

        while (open->count > 0 && open->spans[open->count - 1]->last < span->first)
            close_one(open, runs);
        if (open->count > 0)
            around = open->spans[open->count - 1];
        if (around != NULL && (span->last > around->last ||
                               (span->first == around->first && span->last == around->last)))
            return stk_rules_conflict(draft, part == STK_RULES_PREFIXES, around, span, error);
        open->spans[open->count++] = span;
        emit(runs, span->first, span->value);
    }
    while (open->count > 0)
        close_one(open, runs);
    return STIRKEEP_OK;
}

static void runs_free(struct runs *runs)
{
    free(runs->keys);
    free(runs->values);
}

static enum stirkeep_status spans_to_runs(const struct stk_rules_draft *draft,
                                          enum stk_rules_part part, struct stk_rule_spans *from,
                                          struct runs *runs, struct stk_error *error)
{
    struct open_spans open = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (from->count == 0)
        return STIRKEEP_OK;
    open.spans = reallocarray(NULL, from->count, sizeof(const struct stk_rule_span *));
    runs->keys = reallocarray(NULL, 2 * from->count, sizeof(*runs->keys));
    runs->values = reallocarray(NULL, 2 * from->count, sizeof(*runs->values));
    if (open.spans == NULL || runs->keys == NULL || runs->values == NULL) {
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    } else {
        qsort(from->spans, from->count, sizeof(*from->spans), by_first);
        status = flatten(draft, part, from, &open, runs, error);
    }
    free(open.spans);
    return status;
}

/* ---- the image */

static void write_runs(const struct runs *runs, void *table)
{
    for (size_t i = 0; i < runs->count; i++)
        stk_table_put(table, i, runs->keys[i], runs->values[i]);
    stk_table_finish(table, runs->count);
}

static enum stirkeep_status write_image(const struct stk_rules_draft *draft,
                                        const struct runs runs[STK_RULES_PARTS],
                                        struct stk_buffer *out, struct stk_error *error)
{
    struct stk_rules_head head = {.magic = STK_RULES_MAGIC,
                                  .version = STK_RULES_VERSION,
                                  .otherwise = (uint32_t)draft->otherwise,
                                  .rules = stk_rules_draft_count(draft),
                                  .cell_bits = stk_rules_cell_bits(draft->one_count),
                                  .ones = draft->one_count,
                                  .counts = {runs[0].count, runs[1].count}};
    struct stk_rules_layout layout = stk_rules_lay(&head);
    enum stirkeep_status status = stk_buffer_reserve(out, layout.size);
    uint8_t *image = NULL;

    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "no room for the image of attestation rules");
    image = out->data + out->length;
    memset(image, 0, layout.tables[0]);
    head.size = layout.size;
    status =
        stk_rules_place_ones(draft, &head, (uint32_t *)(void *)(image + layout.cells),
                             (struct stk_rules_entry *)(void *)(image + layout.entries), error);
    if (status != STIRKEEP_OK)
        return status;
    memcpy(image, &head, sizeof(head));
    for (unsigned part = 0; part < STK_RULES_PARTS; part++)
        write_runs(&runs[part], image + layout.tables[part]);
    out->length += layout.size;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_rules_build(struct stk_rules_draft *draft, struct stk_buffer *out,
                                     struct stk_error *error)
{
    struct runs runs[STK_RULES_PARTS] = {0};
    enum stirkeep_status status =
        spans_to_runs(draft, STK_RULES_RANGES, &draft->ranges, &runs[STK_RULES_RANGES], error);

    assert(out->length % _Alignof(uint64_t) == 0);
    if (status == STIRKEEP_OK)
        status = spans_to_runs(draft, STK_RULES_PREFIXES, &draft->prefixes,
                               &runs[STK_RULES_PREFIXES], error);
    if (status == STIRKEEP_OK)
        status = write_image(draft, runs, out, error);
    for (unsigned part = 0; part < STK_RULES_PARTS; part++)
        runs_free(&runs[part]);
    return status;
}
