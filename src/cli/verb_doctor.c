/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"
#include "cli/output.h"
#include "cli/outside.h"
#include "cli/policy_file.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMINE_TIMEOUT_MS 180000   /* longer than the service takes for its parts together */
#define REBUILD_TIMEOUT_MS 14400000 /* a catalog of the most names that there may be */
#define ARENA_MAX ((size_t)64 * 1024)

struct options {
    bool rebuild;
    const char *config;
};

static const struct stk_option table[] = {
    {"rebuild-catalog", NULL, STK_OPTION_SWITCH, offsetof(struct options, rebuild),
     "instead: take into the catalog what the token holds and it does not know; nothing is taken "
     "out",
     0, 0},
    {"config", "FILE", STK_OPTION_TEXT, offsetof(struct options, config),
     "the configuration: who may write to it, and what is in it when the service cannot be asked "
     "(else " STK_DEFAULT_CONFIG ")",
     0, 0},
    {0},
};

/* ---- what was found */

struct findings {
    const struct stk_fact *facts;
    size_t fact_count;
    const struct stk_trouble *troubles;
    size_t trouble_count;
};

static size_t errors_in(const struct findings *found)
{
    size_t count = 0;

    for (size_t i = 0; i < found->trouble_count; i++)
        count += strcmp(found->troubles[i].severity, STK_SEVERE) == 0 ? 1 : 0;
    return count;
}

static bool append(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

static bool print_json(const struct findings *found, bool asked)
{
    json_t *facts = json_array();
    json_t *troubles = json_array();
    bool done = facts != NULL && troubles != NULL;

    for (size_t i = 0; done && i < found->fact_count; i++)
        done = append(facts, json_pack("{s:o, s:o}", "name", stk_json_text(found->facts[i].name),
                                       "value", stk_json_text(found->facts[i].value)));
    for (size_t i = 0; done && i < found->trouble_count; i++)
        done = append(troubles, json_pack("{s:o, s:o, s:o}", "severity",
                                          stk_json_text(found->troubles[i].severity), "what",
                                          stk_json_text(found->troubles[i].what), "cure",
                                          stk_json_text(found->troubles[i].cure)));
    if (!done) {
        json_decref(facts);
        json_decref(troubles);
        return stk_json_print(NULL);
    }
    return stk_json_print(json_pack("{s:b, s:s, s:o, s:o}", "healthy", errors_in(found) == 0,
                                    "view", asked ? "full" : "outside", "facts", facts, "troubles",
                                    troubles));
}

static void print_text(const struct findings *found)
{
    size_t errors = errors_in(found);
    size_t width = 0;

    for (size_t i = 0; i < found->fact_count; i++)
        if (strlen(found->facts[i].name) > width)
            width = strlen(found->facts[i].name);
    for (size_t i = 0; i < found->fact_count; i++) {
        stk_print_safe(found->facts[i].name);
        (void)printf("%*s", (int)(width - strlen(found->facts[i].name)) + 2, "");
        stk_print_safe(found->facts[i].value);
        (void)putchar('\n');
    }
    for (size_t i = 0; i < found->trouble_count; i++) {
        (void)printf("\n%s: ", found->troubles[i].severity);
        stk_print_safe(found->troubles[i].what);
        (void)printf("\n    mend: ");
        stk_print_safe(found->troubles[i].cure);
        (void)putchar('\n');
    }
    if (found->trouble_count == 0)
        (void)printf("\nnothing is wrong\n");
    else
        (void)printf("\n%zu errors, %zu warnings\n", errors, found->trouble_count - errors);
}

static enum stk_exit print(const struct stk_cli *cli, const struct findings *found, bool asked)
{
    bool printed = true;

    if (cli->json)
        printed = print_json(found, asked);
    else
        print_text(found);
    return printed && errors_in(found) == 0 ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

/* ---- asking */

static enum stk_exit look_from_outside(const struct stk_cli *cli, const char *config,
                                       const struct stk_error *why)
{
    struct stk_arena arena = {0};
    struct stk_diagnosis diagnosis = {.arena = &arena};
    enum stk_exit result = STK_EXIT_FAILED;

    stk_complain(cli->verb->name, "%s", why->message);
    if (stk_arena_new(&arena, ARENA_MAX) != STIRKEEP_OK)
        return STK_EXIT_FAILED;
    stk_outside_look(cli->admin_socket, config, why, &diagnosis);
    result = print(cli,
                   &(struct findings){diagnosis.facts, diagnosis.fact_count, diagnosis.troubles,
                                      diagnosis.trouble_count},
                   false);
    stk_arena_free(&arena);
    return result;
}

/* The service does not open its configuration again before a reload: it is looked at from here. */
static enum stk_exit print_answer(const struct stk_cli *cli, const char *config,
                                  const struct stk_admin_response *response)
{
    struct stk_trouble *troubles = calloc(response->trouble_count + 1, sizeof(*troubles));
    size_t count = response->trouble_count;
    struct stk_error trust = {0};
    enum stk_exit result = STK_EXIT_FAILED;

    if (troubles == NULL) {
        stk_complain(cli->verb->name, "out of memory");
        return STK_EXIT_FAILED;
    }
    if (count > 0)
        memcpy(troubles, response->troubles, count * sizeof(*troubles));
    if (stk_outside_trust(cli->admin_socket, config, &trust) != STIRKEEP_OK)
        troubles[count++] = (struct stk_trouble){STK_SEVERE, trust.message, STK_OUTSIDE_TRUST_CURE};
    result = print(cli, &(struct findings){response->facts, response->fact_count, troubles, count},
                   true);
    free(troubles);
    return result;
}

static enum stk_exit examine(const struct stk_cli *cli, const char *config)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_DOCTOR};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    enum stk_exit result = STK_EXIT_FAILED;
    enum stirkeep_status status =
        stk_admin_connect(cli->admin_socket, EXAMINE_TIMEOUT_MS, &admin, &error);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(admin, &request, &response, &error);
    if (status == STIRKEEP_OK)
        result = print_answer(cli, config, &response);
    else
        result = look_from_outside(cli, config, &error);
    stk_admin_close(admin);
    return result;
}

/* ---- rebuilding */

static bool print_rebuilt_json(const struct stk_admin_response *response)
{
    json_t *problems = json_array();
    bool done = problems != NULL;

    for (size_t i = 0; done && i < response->problem_count; i++)
        done = append(problems, stk_json_text(response->problems[i]));
    if (!done) {
        json_decref(problems);
        return stk_json_print(NULL);
    }
    return stk_json_print(json_pack("{s:I, s:I, s:I, s:o}", "names", (json_int_t)response->names,
                                    "generations", (json_int_t)response->affected, "known",
                                    (json_int_t)response->keys, "problems", problems));
}

static void print_rebuilt(const struct stk_admin_response *response)
{
    (void)printf("%" PRIu32 " names and %" PRIu32 " generations were taken in; %" PRIu32
                 " keys of the token were known\n",
                 response->names, response->affected, response->keys);
    if (response->affected > 0)
        (void)printf(
            "what was retired or staged before may sign now, since the token does not know of it: "
            "stirkeep list, then stirkeep retire NAME\n");
    for (size_t i = 0; i < response->problem_count; i++) {
        (void)printf("problem: ");
        stk_print_safe(response->problems[i]);
        (void)putchar('\n');
    }
}

static enum stk_exit rebuild(const struct stk_cli *cli)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_REBUILD};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    bool printed = true;
    enum stirkeep_status status =
        stk_admin_connect(cli->admin_socket, REBUILD_TIMEOUT_MS, &admin, &error);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(admin, &request, &response, &error);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    else if (cli->json)
        printed = print_rebuilt_json(&response);
    else
        print_rebuilt(&response);
    stk_admin_close(admin);
    return status == STIRKEEP_OK && printed && response.problem_count == 0 ? STK_EXIT_DONE
                                                                           : STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;

    if (options->rebuild)
        return rebuild(cli);
    return examine(cli, options->config != NULL ? options->config : STK_DEFAULT_CONFIG);
}

const struct stk_verb stk_verb_doctor = {
    .name = "doctor",
    .synopsis = "[--rebuild-catalog]",
    .summary = "Examine the service and its token: what it can do, what is wrong, how to mend it",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
