/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>

static const struct stk_option table[] = {{0}};

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_ROLLBACK};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done = stk_admin_ask(cli, &request, cli->positional, &admin, &response);

    (void)given;
    if (done && cli->json)
        done = stk_json_print(json_pack("{s:s, s:I, s:s}", "name", cli->positional, "generation",
                                        (json_int_t)response.generation, "state", "active"));
    else if (done)
        (void)printf("%s signs with generation %" PRIu32 " again\n", cli->positional,
                     response.generation);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
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
