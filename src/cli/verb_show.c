/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/encode.h"
#include "cert/cert.h"
#include "cert/pem.h"
#include "cli/admin_call.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
    bool pem;
    bool wrapping_key;
};

static const struct stk_option table[] = {
    {"pem", NULL, STK_OPTION_SWITCH, offsetof(struct options, pem),
     "print only the chain as PEM, leaf first: what is to be published at the x5u", 0, 0},
    {"wrapping-key", NULL, STK_OPTION_SWITCH, offsetof(struct options, wrapping_key),
     "instead of a name: the token's public wrapping key as PEM, for stirkeep seal", 0, 0},
    {0},
};

static void print_generation(const struct stk_generation *one, int64_t now)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";
    char at[STK_SECONDS_TEXT] = "";
    char from[STK_SECONDS_TEXT] = "";
    char until[STK_SECONDS_TEXT] = "";
    char created[STK_SECONDS_TEXT] = "";

    stk_hex_encode(one->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    stk_seconds_text(one->not_before, from);
    stk_seconds_text(one->not_after, until);
    stk_seconds_text(one->created, created);
    stk_print_field("name", one->name);
    (void)printf("%-14s %" PRIu32 ", ", "generation", one->generation);
    stk_print_safe(one->state);
    if (one->activate_at != 0) {
        stk_seconds_text(one->activate_at, at);
        (void)printf(", to become active at %s", at);
    }
    (void)putchar('\n');
    if (one->spc[0] != '\0' || one->numbers[0] == '\0')
        stk_print_field("SPC", one->spc);
    if (one->numbers[0] != '\0')
        stk_print_field("numbers", one->numbers);
    stk_print_field("subject", one->subject);
    stk_print_field("issuer", one->issuer);
    stk_print_field("serial", one->serial);
    (void)printf("%-14s %s to %s, ", "valid", from, until);
    if (one->not_after < now)
        (void)puts("EXPIRED");
    else
        (void)printf("%" PRId64 " days left\n", stk_days_left(one->not_after, now));
    stk_print_field("x5u", one->x5u);
    stk_print_field("fingerprint", one->fingerprint);
    stk_print_field("key id", key_id);
    stk_print_field("key", one->attributes);
    (void)printf("%-14s ", "origin");
    stk_print_safe(one->origin);
    (void)printf(" %s by uid %" PRIu32 "\n", created, one->created_by);
}

static void print_requested(const struct stk_requested_key *key, const char *name)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";
    char created[STK_SECONDS_TEXT] = "";

    stk_hex_encode(key->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    stk_seconds_text(key->created, created);
    stk_print_field("name", name);
    stk_print_field("generation", "none yet: the key waits for its certificate");
    stk_print_field("key id", key_id);
    stk_print_field("key", key->attributes);
    (void)printf("%-14s generated %s by uid %" PRIu32 "\n", "origin", created, key->created_by);
}

static json_t *requested_json(const struct stk_requested_key *key)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";

    stk_hex_encode(key->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    return json_pack("{s:s, s:o, s:o, s:I}", "key_id", key_id, "attributes",
                     stk_json_text(key->attributes), "created", stk_json_seconds(key->created),
                     "created_by", (json_int_t)key->created_by);
}

static bool chain_pem(const struct stk_admin_response *response, struct stk_buffer *pem,
                      struct stk_error *error)
{
    struct stk_chain *chain = NULL;
    bool done =
        response->chain_count == 0 ||
        stk_chain_from_der(response->chain, response->chain_count, &chain, error) == STIRKEEP_OK;

    if (done && ((chain != NULL && stk_chain_pem(chain, pem) != STIRKEEP_OK) ||
                 stk_buffer_add(pem, "", 1) != STIRKEEP_OK))
        done = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory") == STIRKEEP_OK;
    stk_chain_free(chain);
    return done;
}

static bool print_json(const struct stk_admin_response *response, const char *pem, int64_t now)
{
    json_t *generations = json_array();
    json_t *requested = json_array();
    bool whole = true;

    for (size_t i = 0; i < response->generation_count; i++)
        whole = whole && json_array_append_new(
                             generations, stk_generation_json(&response->generations[i], now)) == 0;
    for (size_t i = 0; i < response->requested_count; i++)
        whole =
            whole && json_array_append_new(requested, requested_json(&response->requested[i])) == 0;
    if (!whole) {
        json_decref(generations);
        generations = NULL;
    }
    return stk_json_print(json_pack("{s:o, s:o, s:s}", "generations", generations, "requested",
                                    requested, "chain", pem));
}

static void print_text(const struct stk_admin_response *response, const char *name)
{
    int64_t now = stk_clock_seconds();

    for (size_t i = 0; i < response->requested_count; i++) {
        if (i > 0)
            (void)putchar('\n');
        print_requested(&response->requested[i], name);
    }
    for (size_t i = 0; i < response->generation_count; i++) {
        if (i + response->requested_count > 0)
            (void)putchar('\n');
        print_generation(&response->generations[i], now);
    }
}

static bool print(const struct stk_cli *cli, const struct options *options,
                  const struct stk_admin_response *response)
{
    struct stk_buffer pem = {0};
    struct stk_error error = {0};
    int64_t now = stk_clock_seconds();
    bool done = true;

    if (options->pem || cli->json)
        done = chain_pem(response, &pem, &error);
    if (!done)
        stk_complain(cli->positional, "%s", error.message);
    else if (cli->json)
        done = print_json(response, (const char *)pem.data, now);
    else if (options->pem)
        (void)fputs((const char *)pem.data, stdout);
    else
        print_text(response, cli->positional);
    stk_buffer_free(&pem);
    return done;
}

static enum stk_exit show_wrapping_key(struct stk_cli *cli)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_WRAPPING_KEY};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_buffer pem = {0};
    bool done = stk_admin_ask(cli, &request, NULL, &admin, &response);

    if (done && stk_pem_add(&pem, "PUBLIC KEY", "", response.spki) != STIRKEEP_OK) {
        stk_complain(cli->verb->name, "out of memory");
        done = false;
    }
    if (done)
        (void)fwrite(pem.data, 1, pem.length, stdout);
    stk_buffer_free(&pem);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_admin_request request = {.kind = STK_ADMIN_SHOW};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done = false;

    if (options->wrapping_key == (cli->positional != NULL)) {
        stk_complain(cli->verb->name, "a NAME or --wrapping-key is needed, and not both");
        return STK_EXIT_USAGE;
    }
    if (options->wrapping_key)
        return show_wrapping_key(cli);
    done = stk_admin_ask(cli, &request, cli->positional, &admin, &response) &&
           print(cli, options, &response);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_show = {
    .name = "show",
    .positional = "[NAME]",
    .synopsis = "[--pem] [--wrapping-key]",
    .summary = "Show all that is held under a name, newest generation first",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
