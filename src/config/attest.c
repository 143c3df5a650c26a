/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"
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

enum stirkeep_status stk_attest_begin(struct stk_loader *loader, struct stk_error *error)
{
    loader->level = STK_LEVEL_NONE;
    return stk_config_fault(
        stk_number_pattern_read(loader->name, "number", &loader->numbers, error), error);
}

enum stirkeep_status stk_attest_end(struct stk_loader *loader, struct stk_error *error)
{
    const struct stk_config_attest attest = {loader->numbers, loader->level, loader->section_line};

    return stk_list_add(&loader->attest, &attest, sizeof(attest), STK_RULES_MAX, error);
}
