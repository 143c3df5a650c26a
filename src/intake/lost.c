/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "intake/intake.h"
#include <string.h>

/* An empty catalog beside a token that has keys: the file was lost, or another one is meant. */

#define LOOK_AFTER_MS 2000 /* whoever has something to do is not to wait for this */
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

static void look(evutil_socket_t fd, short what, void *context)
{
    struct stk_intake *intake = context;
    struct stk_custody_order order = {.kind = STK_CUSTODY_INVENTORY};
    struct stk_held_key key = {0};
    size_t count = 0;
    (void)fd;
    (void)what;

    if (!intake->draining &&
        stk_catalog_held(intake->catalog, 0, &key, 1, &count, NULL) == STIRKEEP_OK && count == 0)
        stk_call(intake, &order, LIST_TIMEOUT_MS, listed, intake);
}

bool stk_lost_start(struct stk_intake *intake)
{
    if (evtimer_assign(&intake->lost_look, intake->base, look, intake) != 0)
        return false;
    stk_intake_timer(&intake->lost_look, LOOK_AFTER_MS);
    return true;
}
