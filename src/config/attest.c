/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

STK_TAKER(stk_config_take_level)
{
    enum stk_level *level = stk_config_field(loader, key);

    if (!stk_level_read(value, level))
        return stk_error_set(error, STIRKEEP_CONFIG, "none of A, B, C, none: %s", value);
    return STIRKEEP_OK;
}

static void note_idle(struct stk_loader *loader, const struct stk_key *key)
{
    if (loader->idle != NULL)
        return;
    loader->idle = key;
    loader->idle_line = loader->section_line;
}

STK_TAKER(stk_config_take_default)
{
    note_idle(loader, key);
    return stk_config_take_level(loader, key, value, error);
}

STK_TAKER(stk_config_take_exceed)
{
    bool *lower = stk_config_field(loader, key);

    note_idle(loader, key);
    if (strcmp(value, "refuse") != 0 && strcmp(value, "lower") != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "neither refuse nor lower: %s", value);
    *lower = strcmp(value, "lower") == 0;
    return STIRKEEP_OK;
}

/* The same numbers have the same text, however they were written. */
static void text_of(const struct stk_number_pattern *numbers,
                    char ret_text[STK_NUMBER_PATTERN_TEXT])
{
    struct stk_number_pattern one = *numbers;

    if (one.kind == STK_NUMBER_RANGE && one.range.first == one.range.last)
        one.kind = STK_NUMBER_ONE;
    stk_number_pattern_text(&one, ret_text);
    /* Behind 15 digits there is nothing that a prefix could leave open. */
    if (one.kind == STK_NUMBER_PREFIX && strlen(one.prefix) == STK_TN_MAX)
        ret_text[STK_TN_MAX] = '\0';
}

enum stirkeep_status stk_attest_begin(struct stk_loader *loader, struct stk_error *error)
{
    char text[sizeof("numbers ") + STK_NUMBER_PATTERN_TEXT] = "numbers ";
    struct stk_note *note = NULL;
    enum stirkeep_status status = stk_config_fault(
        stk_number_pattern_read(loader->name, "number", &loader->numbers, error), error);

    loader->level = STK_LEVEL_NONE;
    if (status != STIRKEEP_OK)
        return status;
    text_of(&loader->numbers, text + strlen(text));
    note = stk_notes_find(&loader->named, text);
    if (note != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "these numbers have a rule already, in line %u",
                             (unsigned)note->first);
    note = stk_notes_add(&loader->named, text);
    if (note == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    note->first = loader->section_line;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_attest_end(struct stk_loader *loader, struct stk_error *error)
{
    const struct stk_config_attest attest = {loader->numbers, loader->level, loader->section_line};

    return stk_list_add(&loader->attest, &attest, sizeof(attest), STK_RULES_MAX, error);
}

/* ---- ranges that overlap */

/* By where they begin; of those that begin together the longer one first, as it holds the other. */
static int by_place(const void *a, const void *b)
{
    const struct stk_number_range *left =
        &(*(const struct stk_config_attest *const *)a)->numbers.range;
    const struct stk_number_range *right =
        &(*(const struct stk_config_attest *const *)b)->numbers.range;

    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->last > right->last ? -1 : left->last < right->last;
}

static enum stirkeep_status refuse_overlap(struct stk_loader *loader,
                                           const struct stk_config_attest *a,
                                           const struct stk_config_attest *b,
                                           struct stk_error *error)
{
    const struct stk_config_attest *later = a->line > b->line ? a : b;
    const struct stk_config_attest *earlier = later == a ? b : a;
    char text[STK_NUMBER_PATTERN_TEXT] = "";

    loader->fault_line = later->line;
    stk_number_pattern_text(&later->numbers, text);
    (void)snprintf(loader->where, sizeof(loader->where), "[attest %s]: ", text);
    stk_number_pattern_text(&earlier->numbers, text);
    return stk_error_set(error, STIRKEEP_CONFIG,
                         "overlaps %s in line %u, and neither lies within the other", text,
                         (unsigned)earlier->line);
}

/* `around` holds those that the next one may lie in, each within the one below it. */
static enum stirkeep_status check_order(struct stk_loader *loader,
                                        const struct stk_config_attest *const *ranges, size_t count,
                                        const struct stk_config_attest **around,
                                        struct stk_error *error)
{
    size_t depth = 0;

    for (size_t i = 0; i < count; i++) {
        const struct stk_number_range *range = &ranges[i]->numbers.range;

        while (depth > 0 && around[depth - 1]->numbers.range.last < range->first)
            depth--;
        if (depth > 0 && around[depth - 1]->numbers.range.last < range->last)
            return refuse_overlap(loader, ranges[i], around[depth - 1], error);
        around[depth++] = ranges[i];
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_attest_check(struct stk_loader *loader, struct stk_error *error)
{
    const struct stk_config_attest *attest = loader->attest.items;
    const struct stk_config_attest **ranges =
        calloc(2 * loader->attest.count + 1, sizeof(const struct stk_config_attest *));
    enum stirkeep_status status = STIRKEEP_OK;
    size_t count = 0;

    if (ranges == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < loader->attest.count; i++)
        if (attest[i].numbers.kind == STK_NUMBER_RANGE)
            ranges[count++] = &attest[i];
    qsort(ranges, count, sizeof(const struct stk_config_attest *), by_place);
    status = check_order(loader, ranges, count, ranges + count, error);
    free(ranges);
    return status;
}
