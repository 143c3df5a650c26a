/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/completion.h"
#include "cli/output.h"
#include <string.h>

struct options {
    bool none;
};

static const struct stk_option table[] = {{0}};

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    (void)given;
    if (strcmp(cli->positional, "bash") == 0) {
        stk_completion_bash();
        return STK_EXIT_DONE;
    }
    if (strcmp(cli->positional, "zsh") == 0) {
        stk_completion_zsh();
        return STK_EXIT_DONE;
    }
    stk_complain(cli->verb->name, "%s: not a shell with completions; bash and zsh are",
                 cli->positional);
    return STK_EXIT_USAGE;
}

const struct stk_verb stk_verb_completion = {
    .name = "completion",
    .positional = "SHELL",
    .synopsis = "",
    .summary = "Print the completions for a shell: bash or zsh",
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
