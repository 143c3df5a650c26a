/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"

#include "base/encode.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool stk_admin_ask(const struct stk_cli *cli, struct stk_admin_request *request, const char *name,
                   struct stk_admin **ret_admin, struct stk_admin_response *ret_response)
{
    const char *thing = name != NULL ? name : cli->verb->name;
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};

    if (name != NULL && stk_name_parse(name, &request->name, &error) != STIRKEEP_OK) {
        stk_complain(thing, "%s", error.message);
        return false;
    }
    if (stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &admin, &error) != STIRKEEP_OK ||
        stk_admin_call(admin, request, ret_response, &error) != STIRKEEP_OK) {
        stk_complain(thing, "%s", error.message);
        stk_admin_close(admin);
        return false;
    }
    *ret_admin = admin;
    return true;
}

enum stirkeep_status stk_admin_held(struct stk_admin *admin, const struct stk_name *name,
                                    const char *fingerprint,
                                    struct stk_admin_response *ret_response,
                                    struct stk_error *error)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_SHOW, .name = *name};
    struct stk_admin_response response = {0};
    enum stirkeep_status status = stk_admin_call(admin, &request, &response, error);

    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < response.generation_count; i++) {
        const struct stk_generation *one = &response.generations[i];

        if ((strcmp(one->state, "active") != 0 && strcmp(one->state, "staged") != 0) ||
            strcmp(one->fingerprint, fingerprint) != 0)
            continue;
        *ret_response = (struct stk_admin_response){.kind = STK_ADMIN_IMPORT,
                                                    .generation = one->generation,
                                                    .key_id = one->key_id,
                                                    .already_held = true,
                                                    .activate_at = one->activate_at,
                                                    .x5u = one->x5u,
                                                    .attributes = one->attributes};
        return STIRKEEP_OK;
    }
    return stk_error_set(error, STIRKEEP_NOT_ACTIVE, "%s: this certificate is not active there",
                         name->text);
}

enum stk_exit stk_admin_change(const struct stk_cli *cli, enum stk_admin_kind kind,
                               const char *state, const char *before, const char *after)
{
    struct stk_admin_request request = {.kind = kind};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done = stk_admin_ask(cli, &request, cli->positional, &admin, &response);

    if (done && cli->json)
        done = stk_json_print(json_pack("{s:s, s:I, s:s}", "name", cli->positional, "generation",
                                        (json_int_t)response.generation, "state", state));
    else if (done)
        (void)printf("%s %s %" PRIu32 " %s\n", cli->positional, before, response.generation, after);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

enum stirkeep_status stk_admin_each(struct stk_admin *admin, stk_admin_visit *visit, void *context,
                                    struct stk_error *error)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_LIST, .after = ""};
    struct stk_admin_response page = {.more = true};
    char after[STK_NAME_MAX + 1] = "";

    while (page.more) {
        const char *last = NULL;
        enum stirkeep_status status = stk_admin_call(admin, &request, &page, error);

        for (size_t i = 0; status == STIRKEEP_OK && i < page.generation_count; i++) {
            last = page.generations[i].name;
            status = visit(context, &page.generations[i], error);
        }
        if (status != STIRKEEP_OK)
            return status;
        if (page.more && (last == NULL || strcmp(last, after) <= 0))
            return stk_error_set(error, STIRKEEP_MALFORMED, "the service's pages do not go on");
        if (last != NULL)
            (void)snprintf(after, sizeof(after), "%s", last);
        request.after = after;
    }
    return STIRKEEP_OK;
}

json_t *stk_generation_json(const struct stk_generation *generation, int64_t now)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";
    json_t *activate_at =
        generation->activate_at != 0 ? stk_json_seconds(generation->activate_at) : json_null();

    stk_hex_encode(generation->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    return json_pack(
        "{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o, s:o, "
        "s:o, s:I}",
        "name", stk_json_text(generation->name), "generation", (json_int_t)generation->generation,
        "state", stk_json_text(generation->state), "activate_at", activate_at, "spc",
        stk_json_text(generation->spc), "numbers", stk_json_text(generation->numbers), "subject",
        stk_json_text(generation->subject), "issuer", stk_json_text(generation->issuer), "serial",
        stk_json_text(generation->serial), "fingerprint", stk_json_text(generation->fingerprint),
        "x5u", stk_json_text(generation->x5u), "not_before",
        stk_json_seconds(generation->not_before), "not_after",
        stk_json_seconds(generation->not_after), "days_left",
        (json_int_t)stk_days_left(generation->not_after, now), "key_id", key_id, "origin",
        stk_json_text(generation->origin), "attributes", stk_json_text(generation->attributes),
        "created", stk_json_seconds(generation->created), "created_by",
        (json_int_t)generation->created_by);
}
