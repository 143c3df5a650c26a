/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/encode.h"
#include "cli/admin_call.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
    bool yes;
    const char *key_id;
};

static const struct stk_option table[] = {
    {"yes", NULL, STK_OPTION_SWITCH, offsetof(struct options, yes),
     "I mean it: nothing brings a destroyed key back", 0, 0},
    {"key-id", "HEX", STK_OPTION_TEXT, offsetof(struct options, key_id),
     "only this key of the name (stirkeep show tells its id), not all of them", 0, 0},
    {0},
};

/* Zeros stand for all keys where it is sent, and are nobody's id. */
static bool read_key_id(const char *text, struct stk_key_id *ret_key_id)
{
    static const struct stk_key_id all = {0};

    return stk_hex_decode(text, ret_key_id->bytes, STK_KEY_ID_LENGTH) &&
           memcmp(ret_key_id, &all, sizeof(all)) != 0;
}

static bool print(const struct stk_cli *cli, const struct stk_admin_response *response)
{
    if (cli->json)
        return stk_json_print(
            json_pack("{s:s, s:I, s:I, s:b, s:o}", "name", cli->positional, "keys",
                      (json_int_t)response->keys, "generations", (json_int_t)response->affected,
                      "stopped", response->stopped, "proof", stk_json_text(response->proof)));
    stk_print_field("name", cli->positional);
    (void)printf("%-14s %" PRIu32 " of %" PRIu32 " generations; what is recorded of them stays\n",
                 "keys destroyed", response->keys, response->affected);
    stk_print_field("signing", response->stopped ? "stopped with this" : "not stopped by this");
    stk_print_field("proof", response->proof);
    return true;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_admin_request request = {.kind = STK_ADMIN_DESTROY};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done = false;

    if (options->key_id != NULL && !read_key_id(options->key_id, &request.key_id)) {
        stk_complain("--key-id", "not the %d hex digits of a key id", 2 * STK_KEY_ID_LENGTH);
        return STK_EXIT_USAGE;
    }
    if (!options->yes) {
        stk_complain(cli->positional,
                     "this destroys %s on the token for good: say --yes when it is meant "
                     "(stirkeep show %s tells what there is; retire stops signing and keeps the "
                     "key)",
                     options->key_id != NULL ? "this key" : "every key of the name",
                     cli->positional);
        return STK_EXIT_USAGE;
    }
    done =
        stk_admin_ask(cli, &request, cli->positional, &admin, &response) && print(cli, &response);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_destroy = {
    .name = "destroy",
    .positional = "NAME",
    .synopsis = "--yes [--key-id HEX]",
    .summary = "Destroy a name's keys on the token for good; the record of them stays",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
