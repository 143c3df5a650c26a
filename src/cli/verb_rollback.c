/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"

static const struct stk_option table[] = {{0}};

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    (void)given;
    return stk_admin_change(cli, STK_ADMIN_ROLLBACK, "active", "signs with generation", "again");
}

const struct stk_verb stk_verb_rollback = {
    .name = "rollback",
    .positional = "NAME",
    .synopsis = "",
    .summary = "Sign with the generation before the active one again",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .run = run,
};
