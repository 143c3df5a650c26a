/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cli/admin_call.h"
#include "cli/counters.h"
#include "cli/output.h"
#include "cli/sign_client.h"
#include <inttypes.h>
#include <stdio.h>
#include <stirkeep/client.h>

static const struct stk_option table[] = {{0}};

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, stk_json_text(texts[i]));
    return array;
}

/* Null: nothing is unsealed. */
static json_t *since_json(int64_t since)
{
    char text[STK_SECONDS_TEXT] = "";

    if (since == 0)
        return json_null();
    stk_seconds_text(since, text);
    return json_string(text);
}

static bool print_json(const struct stk_service_status *service)
{
    return stk_json_print(json_pack(
        "{s:b, s:s, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:b, s:o, s:o, s:I}, s:I, s:I, s:I, s:I, "
        "s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o}",
        "ready", service->ready, "view", "full", "version", stk_json_text(service->version),
        "detail", stk_json_text(service->detail), "front", stk_json_text(service->front), "keeper",
        stk_json_text(service->keeper), "token", "label", stk_json_text(service->token_label),
        "serial", stk_json_text(service->token_serial), "model",
        stk_json_text(service->token_model), "hardware", service->hardware, "seal_way",
        stk_json_text(service->seal_way), "sign_way", stk_json_text(service->sign_way), "signers",
        (json_int_t)service->signers, "names", (json_int_t)service->names, "signatures",
        (json_int_t)service->signatures, "refusals", (json_int_t)service->refusals, "connections",
        (json_int_t)service->connections, "audit_sequence", (json_int_t)service->audit_sequence,
        "warnings", texts_json(service->warnings, service->warning_count), "configuration",
        stk_json_text(service->configuration), "attestation", stk_json_text(service->attestation),
        "audit_key", stk_json_text(service->audit_key), "audit_sealed",
        (json_int_t)service->audit_sealed, "audit_unsealed", (json_int_t)service->audit_unsealed,
        "audit_unsealed_since", since_json(service->audit_unsealed_since), "counters",
        stk_counters_json(service), "lock_down",
        texts_json(service->lock_down, service->lock_down_count)));
}

static void print_number(const char *label, uint64_t number)
{
    (void)printf("%-14s %" PRIu64 "\n", label, number);
}

static void print_seals(const struct stk_service_status *service)
{
    char since[STK_SECONDS_TEXT] = "";

    stk_print_field("audit key", service->audit_key[0] != '\0' ? service->audit_key : "none");
    if (service->audit_sealed > 0)
        print_number("sealed through", service->audit_sealed);
    else
        stk_print_field("sealed through", "nothing since the keeper started");
    if (service->audit_unsealed == 0)
        return;
    stk_seconds_text(service->audit_unsealed_since, since);
    (void)printf("%-14s %" PRIu64 " records, since %s\n", "unsealed", service->audit_unsealed,
                 since);
}

static void print_text(const struct stk_service_status *service)
{
    stk_print_field("ready", service->ready ? "yes" : "no");
    if (!service->ready)
        stk_print_field("why not", service->detail);
    stk_print_field("version", service->version);
    stk_print_field("front", service->front);
    stk_print_field("keeper", service->keeper);
    stk_print_field("token", service->token_label);
    stk_print_field("token serial", service->token_serial);
    stk_print_field("token model", service->token_model);
    stk_print_field("hardware", service->hardware ? "yes, as the token says" : "no");
    stk_print_field("sealed keys", service->seal_way);
    stk_print_field("signing with", service->sign_way);
    print_number("signers", service->signers);
    print_number("names", service->names);
    print_number("signatures", service->signatures);
    print_number("refusals", service->refusals);
    print_number("connections", service->connections);
    print_number("audit record", service->audit_sequence);
    print_seals(service);
    stk_counters_print(service);
    stk_print_field("configuration", service->configuration);
    stk_print_field("attestation",
                    service->attestation[0] != '\0' ? service->attestation : "no file");
    for (size_t i = 0; i < service->lock_down_count; i++)
        stk_print_field(i == 0 ? "locked down" : "", service->lock_down[i]);
    for (size_t i = 0; i < service->warning_count; i++)
        stk_print_field("warning", service->warnings[i]);
}

/* What somebody who is no administrator may know: whether signatures can be had. */
static enum stk_exit limited_view(const struct stk_cli *cli, const char *reason)
{
    struct stirkeep_client *client = NULL;
    bool printed = true;
    bool ready = false;
    const char *detail = NULL;

    if (!stk_sign_client(cli, &client))
        return STK_EXIT_FAILED;
    ready = stirkeep_ping(client) == STIRKEEP_OK;
    detail = ready ? "" : stirkeep_client_error(client);
    if (cli->json) {
        printed = stk_json_print(json_pack("{s:b, s:s, s:o, s:o}", "ready", ready, "view",
                                           "limited", "detail", stk_json_text(detail), "limited_by",
                                           stk_json_text(reason)));
    } else {
        stk_print_field("ready", ready ? "yes" : "no");
        stk_print_field("why not", ready ? NULL : detail);
        stk_print_field("limited view", reason);
    }
    if (!ready)
        stk_complain(cli->verb->name, "not ready: %s", detail);
    stirkeep_client_free(client);
    return ready && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

static enum stk_exit full_view(const struct stk_cli *cli, const struct stk_service_status *service)
{
    bool printed = true;

    if (cli->json)
        printed = print_json(service);
    else
        print_text(service);
    if (!service->ready)
        stk_complain(cli->verb->name, "not ready: %s", service->detail);
    return service->ready && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &admin, &error);
    enum stk_exit result = STK_EXIT_FAILED;

    (void)given;
    if (status == STIRKEEP_OK)
        status = stk_admin_call(admin, &request, &response, &error);
    if (status == STIRKEEP_OK)
        result = full_view(cli, &response.service);
    else if (status == STIRKEEP_NOT_CONNECTED || status == STIRKEEP_NOT_PERMITTED)
        result = limited_view(cli, error.message);
    else
        stk_complain(cli->verb->name, "%s", error.message);
    stk_admin_close(admin);
    return result;
}

const struct stk_verb stk_verb_status = {
    .name = "status",
    .synopsis = "",
    .summary = "Say whether the service is ready and what it stands on; exit status 0 only when "
               "it is",
    .flags = STK_VERB_JSON | STK_VERB_SIGN_SOCKET | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .run = run,
};
