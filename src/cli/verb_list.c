/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cli/admin_call.h"
#include "cli/listing.h"
#include "cli/sign_client.h"
#include <inttypes.h>
#include <stdio.h>
#include <stirkeep/client.h>
#include <string.h>

struct options {
    bool mine;
    bool wide;
};

static const struct stk_option table[] = {
    {"mine", NULL, STK_OPTION_SWITCH, offsetof(struct options, mine),
     "only what I may sign with, asked of the socket for signing", 0, 0},
    {"wide", NULL, STK_OPTION_SWITCH, offsetof(struct options, wide),
     "fingerprints and token attributes too (--json has all)", 0, 0},
    {0},
};

static const char *const heads[] = {"NAME",  "GEN",  "STATE", "SPC",         "SERIAL",    "FROM",
                                    "UNTIL", "DAYS", "X5U",   "FINGERPRINT", "ATTRIBUTES"};
#define COLUMNS 9
#define COLUMNS_WIDE 11

static const char *const heads_mine[] = {"NAME", "GEN", "STATE", "FROM", "UNTIL", "DAYS", "X5U"};
#define COLUMNS_MINE 7

struct validity {
    char generation[16];
    char from[STK_SECONDS_TEXT];
    char until[STK_SECONDS_TEXT];
    char days[24];
};

static void validity_texts(uint32_t generation, int64_t from, int64_t until, int64_t now,
                           struct validity *ret_texts)
{
    (void)snprintf(ret_texts->generation, sizeof(ret_texts->generation), "%" PRIu32, generation);
    stk_seconds_text(from, ret_texts->from);
    stk_seconds_text(until, ret_texts->until);
    /* The day is enough for a table. */
    ret_texts->from[10] = '\0';
    ret_texts->until[10] = '\0';
    if (until < now)
        (void)snprintf(ret_texts->days, sizeof(ret_texts->days), "EXPIRED");
    else
        (void)snprintf(ret_texts->days, sizeof(ret_texts->days), "%" PRId64 "%s",
                       stk_days_left(until, now), stk_days_mark(until, now));
}

/* A listing under way. */
struct filling {
    struct stk_listing *listing;
    int64_t now;
};

static enum stirkeep_status add_generation(void *context, const struct stk_generation *one,
                                           struct stk_error *error)
{
    const struct filling *filling = context;
    struct stk_listing *listing = filling->listing;
    int64_t now = filling->now;
    struct validity texts = {0};

    (void)error;
    if (listing->json) {
        stk_listing_add_json(listing, stk_generation_json(one, now));
        return STIRKEEP_OK;
    }
    validity_texts(one->generation, one->not_before, one->not_after, now, &texts);
    stk_listing_add_row(
        listing, (const char *const[COLUMNS_WIDE]){one->name, texts.generation, one->state,
                                                   one->spc[0] != '\0' ? one->spc : one->numbers,
                                                   one->serial, texts.from, texts.until, texts.days,
                                                   one->x5u, one->fingerprint, one->attributes});
    return STIRKEEP_OK;
}

static bool fill_in(const struct stk_cli *cli, struct stk_listing *listing)
{
    struct filling filling = {listing, stk_clock_seconds()};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &admin, &error);

    if (status == STIRKEEP_OK)
        status = stk_admin_each(admin, add_generation, &filling, &error);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    stk_admin_close(admin);
    return status == STIRKEEP_OK;
}

static void add_mine(struct stk_listing *listing, const struct stirkeep_certificate *one,
                     int64_t now)
{
    struct validity texts = {0};

    if (listing->json) {
        stk_listing_add_json(listing,
                             json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:I}", "name", one->name,
                                       "generation", (json_int_t)one->generation, "state",
                                       one->active ? "active" : "not active", "x5u",
                                       stk_json_text(one->x5u), "not_before",
                                       stk_json_seconds(one->not_before), "not_after",
                                       stk_json_seconds(one->not_after), "days_left",
                                       (json_int_t)stk_days_left(one->not_after, now)));
        return;
    }
    validity_texts(one->generation, one->not_before, one->not_after, now, &texts);
    stk_listing_add_row(
        listing, (const char *const[COLUMNS_MINE]){one->name, texts.generation,
                                                   one->active ? "active" : "not active",
                                                   texts.from, texts.until, texts.days, one->x5u});
}

static bool fill_in_mine(const struct stk_cli *cli, struct stk_listing *listing)
{
    const struct stirkeep_certificate *list = NULL;
    struct stirkeep_client *client = NULL;
    int64_t now = stk_clock_seconds();
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_sign_client(cli, &client))
        return false;
    status = stirkeep_list(client, &list, &count);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", stirkeep_client_error(client));
    for (size_t i = 0; i < count; i++)
        add_mine(listing, &list[i], now);
    stirkeep_client_free(client);
    return status == STIRKEEP_OK;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_listing listing = {0};
    bool done = false;

    if (options->mine)
        stk_listing_start(&listing, cli->json, heads_mine, COLUMNS_MINE);
    else
        stk_listing_start(&listing, cli->json, heads, options->wide ? COLUMNS_WIDE : COLUMNS);
    done = options->mine ? fill_in_mine(cli, &listing) : fill_in(cli, &listing);
    if (done)
        done = stk_listing_print(&listing);
    else
        stk_listing_drop(&listing);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_list = {
    .name = "list",
    .synopsis = "[--mine] [--wide]",
    .summary = "List the certificates that are held, one line a name",
    .flags = STK_VERB_JSON | STK_VERB_SIGN_SOCKET | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
