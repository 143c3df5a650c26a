/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/cert.h"
#include "cli/admin_call.h"
#include "cli/output.h"
#include "cli/publish_file.h"
#include <stdio.h>
#include <string.h>

#define PUBLISHED_MAX 64 /* generations of one name: as many as are shown */

struct options {
    const char *dir;
};

static const struct stk_option table[] = {
    {"dir", "DIR", STK_OPTION_TEXT, offsetof(struct options, dir),
     "the directory that the x5u's host serves; it must exist", 0, 0},
    {0},
};

/* Names are listed on one connection and looked at on another: an answer lives until the next. */
struct publication {
    const struct stk_cli *cli;
    const char *directory;
    struct stk_admin *lister;
    struct stk_admin *shower;
    size_t written;
    size_t unchanged;
    struct stk_error error;
};

static enum stirkeep_status publish_chain(struct publication *publication,
                                          const struct stk_admin_response *shown, const char *x5u)
{
    char path[STK_X5U_MAX + 1] = "";
    struct stk_chain *chain = NULL;
    struct stk_buffer pem = {0};
    bool written = false;
    enum stirkeep_status status = stk_publish_path(x5u, path, sizeof(path), &publication->error);

    if (status == STIRKEEP_OK)
        status = stk_chain_from_der(shown->chain, shown->chain_count, &chain, &publication->error);
    if (status == STIRKEEP_OK && stk_chain_pem(chain, &pem) != STIRKEEP_OK)
        status = stk_error_set(&publication->error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status =
            stk_publish_file(publication->directory, path, &pem, &written, &publication->error);
    if (status == STIRKEEP_OK)
        *(written ? &publication->written : &publication->unchanged) += 1;
    stk_buffer_free(&pem);
    stk_chain_free(chain);
    return status;
}

/* What verifiers ask for, or will once it is active. */
static bool is_published(const struct stk_generation *generation)
{
    return strcmp(generation->state, "active") == 0 || strcmp(generation->state, "staged") == 0;
}

static enum stirkeep_status publish_generation(struct publication *publication,
                                               struct stk_admin_request *request,
                                               uint32_t generation)
{
    struct stk_admin_response shown = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    request->generation = generation;
    status = stk_admin_call(publication->shower, request, &shown, &publication->error);
    for (size_t i = 0; status == STIRKEEP_OK && i < shown.generation_count; i++)
        if (shown.generations[i].generation == generation)
            return publish_chain(publication, &shown, shown.generations[i].x5u);
    return status;
}

/* The active and the staged generations of a name; one that is retired has nothing to publish. */
static enum stirkeep_status publish_name(struct publication *publication, const char *name)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_SHOW};
    struct stk_admin_response shown = {0};
    uint32_t numbers[PUBLISHED_MAX] = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_name_parse(name, &request.name, &publication->error);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(publication->shower, &request, &shown, &publication->error);
    for (size_t i = 0; status == STIRKEEP_OK && i < shown.generation_count; i++)
        if (is_published(&shown.generations[i]) && count < PUBLISHED_MAX)
            numbers[count++] = shown.generations[i].generation;
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        status = publish_generation(publication, &request, numbers[i]);
    return status;
}

static enum stirkeep_status publish_listed(void *context, const struct stk_generation *generation,
                                           struct stk_error *error)
{
    (void)error; /* it is the publication's own */
    return publish_name(context, generation->name);
}

static enum stirkeep_status publish(struct publication *publication)
{
    const struct stk_cli *cli = publication->cli;
    enum stirkeep_status status = stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS,
                                                    &publication->shower, &publication->error);

    if (status == STIRKEEP_OK && cli->positional != NULL)
        return publish_name(publication, cli->positional);
    if (status == STIRKEEP_OK)
        status = stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &publication->lister,
                                   &publication->error);
    return status == STIRKEEP_OK ? stk_admin_each(publication->lister, publish_listed, publication,
                                                  &publication->error)
                                 : status;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct publication publication = {.cli = cli, .directory = options->dir};
    bool done = false;

    if (options->dir == NULL) {
        stk_complain(cli->verb->name, "--dir is needed");
        return STK_EXIT_USAGE;
    }
    done = publish(&publication) == STIRKEEP_OK;
    if (done && cli->json)
        done = stk_json_print(json_pack("{s:I, s:I}", "written", (json_int_t)publication.written,
                                        "unchanged", (json_int_t)publication.unchanged));
    else if (done)
        (void)printf("%zu written, %zu unchanged\n", publication.written, publication.unchanged);
    else
        stk_complain(cli->positional != NULL ? cli->positional : cli->verb->name, "%s",
                     publication.error.message);
    stk_admin_close(publication.lister);
    stk_admin_close(publication.shower);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_publish = {
    .name = "publish",
    .positional = "[NAME]",
    .synopsis = "--dir DIR",
    .summary = "Write the chains of active and staged certificates where their x5u is served from",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
