/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"

static const struct stk_option table[] = {{0}};

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    (void)given;
    return stk_admin_change(cli, STK_ADMIN_RETIRE, "retired", "generation",
                            "signs no more; its key stays on the token");
}

const struct stk_verb stk_verb_retire = {
    .name = "retire",
    .positional = "NAME",
    .synopsis = "",
    .summary = "Stop signing with a name; its key stays on the token",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .run = run,
};
