/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>

static const struct stk_option table[] = {{0}};

static bool print(const struct stk_cli *cli, const struct stk_admin_response *response)
{
    if (cli->json)
        return stk_json_print(json_pack(
            "{s:o, s:o, s:I, s:I}", "configuration", stk_json_text(response->configuration),
            "attestation", stk_json_text(response->attestation), "grants",
            (json_int_t)response->grants, "attest_rules", (json_int_t)response->attest_rules));
    stk_print_field("configuration", response->configuration);
    stk_print_field("attestation",
                    response->attestation[0] != '\0' ? response->attestation : "no file");
    (void)printf("%-14s %" PRIu32 "\n", "grants", response->grants);
    (void)printf("%-14s %" PRIu64 "\n", "attest rules", response->attest_rules);
    return true;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_RELOAD};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done = stk_admin_ask(cli, &request, NULL, &admin, &response);

    (void)given;
    done = done && print(cli, &response);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_reload = {
    .name = "reload",
    .synopsis = "",
    .summary = "Have the service take over the grants, limits and attestation rules that its "
               "files have now",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .run = run,
};
