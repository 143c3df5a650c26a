/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "intake/intake.h"
#include <string.h>

/* An empty catalog beside a token that has keys: the file was lost, or another one is meant. */

#define LIST_TIMEOUT_MS 30000

static void listed(void *context, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    static const struct stk_key_id none;
    const struct stk_intake *intake = context;
    (void)error;

    if (status != STIRKEEP_OK || !answer->has_inventory ||
        memcmp(&answer->key_id, &none, sizeof(none)) == 0)
        return;
    stk_log(STK_LOG_ERROR,
            "the catalog %s is empty, and the token holds keys (%s is one of them): restore a "
            "backup of it, or run stirkeep doctor --rebuild-catalog",
            intake->config->storage.catalog, answer->name);
}

void stk_lost_look(struct stk_intake *intake)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_INVENTORY};
    struct stk_held_key key = {0};
    size_t count = 0;

    if (intake->lost_looked)
        return;
    intake->lost_looked = true;
    if (stk_catalog_held(intake->catalog, 0, &key, 1, &count, NULL) == STIRKEEP_OK && count == 0)
        stk_call(intake, &order, LIST_TIMEOUT_MS, listed, intake);
}
