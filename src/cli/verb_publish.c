/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/cert.h"
#include "cli/admin_call.h"
#include "cli/output.h"
#include "cli/publish_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    json_t *taken; /* path: name, of all that was published in this run */
    size_t written;
    size_t unchanged;
    size_t put_off; /* staged, at the x5u of what is active until then */
    size_t refused;
    struct stk_error error;
};

/* A generation that verifiers ask for, or will once it is active. */
struct candidate {
    uint32_t generation;
    bool active;
    int64_t activate_at;
    char path[STK_X5U_MAX + 1];
};

/* What is staged in the order of its times, then what is active: it has the last word. */
static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;

    if (left->active != right->active)
        return left->active ? 1 : -1;
    return left->activate_at < right->activate_at ? -1 : left->activate_at > right->activate_at;
}

static enum stirkeep_status publish_chain(struct publication *publication,
                                          const struct stk_admin_response *shown, const char *path)
{
    struct stk_chain *chain = NULL;
    struct stk_buffer pem = {0};
    bool written = false;
    enum stirkeep_status status =
        stk_chain_from_der(shown->chain, shown->chain_count, &chain, &publication->error);

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

/* Two names at one x5u: verifiers would find the one's certificate for the other's calls. */
static enum stirkeep_status take_path(struct publication *publication, const char *path,
                                      const char *name)
{
    const char *other = json_string_value(json_object_get(publication->taken, path));

    if (other != NULL && strcmp(other, name) != 0)
        return stk_error_set(&publication->error, STIRKEEP_CONFLICT,
                             "its x5u is that of %s, which is published there: not written", other);
    if (json_object_set_new(publication->taken, path, json_string(name)) != 0)
        return stk_error_set(&publication->error, STIRKEEP_NO_MEMORY, "out of memory");
    return STIRKEEP_OK;
}

static enum stirkeep_status publish_generation(struct publication *publication,
                                               const struct stk_name *name,
                                               const struct candidate *candidate)
{
    struct stk_admin_request request = {
        .kind = STK_ADMIN_SHOW, .name = *name, .generation = candidate->generation};
    struct stk_admin_response shown = {0};
    enum stirkeep_status status = take_path(publication, candidate->path, name->text);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(publication->shower, &request, &shown, &publication->error);
    return status == STIRKEEP_OK ? publish_chain(publication, &shown, candidate->path) : status;
}

/* Those to be published, in the order of that. */
static enum stirkeep_status collect(struct publication *publication,
                                    const struct stk_admin_response *shown,
                                    struct candidate candidates[PUBLISHED_MAX], size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < shown->generation_count && count < PUBLISHED_MAX; i++) {
        const struct stk_generation *one = &shown->generations[i];
        struct candidate *candidate = &candidates[count];
        enum stirkeep_status status = STIRKEEP_OK;

        if (strcmp(one->state, "active") != 0 && strcmp(one->state, "staged") != 0)
            continue;
        *candidate = (struct candidate){.generation = one->generation,
                                        .active = strcmp(one->state, "active") == 0,
                                        .activate_at = one->activate_at};
        status = stk_publish_path(one->x5u, candidate->path, sizeof(candidate->path),
                                  &publication->error);
        if (status != STIRKEEP_OK)
            return status;
        count++;
    }
    qsort(candidates, count, sizeof(*candidates), compare_candidates);
    *ret_count = count;
    return STIRKEEP_OK;
}

/* Is the place taken until then, by what is active or becomes so before? */
static bool waits(const struct candidate *candidates, size_t count, size_t index)
{
    for (size_t i = 0; !candidates[index].active && i < count; i++)
        if (i != index && (i < index || candidates[i].active) &&
            strcmp(candidates[i].path, candidates[index].path) == 0)
            return true;
    return false;
}

static enum stirkeep_status publish_all_of(struct publication *publication, const char *text)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_SHOW};
    struct stk_admin_response shown = {0};
    struct candidate *candidates = calloc(PUBLISHED_MAX, sizeof(*candidates));
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (candidates == NULL)
        return stk_error_set(&publication->error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_name_parse(text, &request.name, &publication->error);
    if (status == STIRKEEP_OK)
        status = stk_admin_call(publication->shower, &request, &shown, &publication->error);
    if (status == STIRKEEP_OK)
        status = collect(publication, &shown, candidates, &count);
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++) {
        if (waits(candidates, count, i))
            publication->put_off++;
        else
            status = publish_generation(publication, &request.name, &candidates[i]);
    }
    free(candidates);
    return status;
}

/* What is wrong with one name's x5u does not keep the others from being published. */
static enum stirkeep_status publish_name(struct publication *publication, const char *name)
{
    enum stirkeep_status status = publish_all_of(publication, name);

    if (status == STIRKEEP_OK)
        return status;
    stk_complain(name, "%s", publication->error.message);
    publication->refused++;
    return status == STIRKEEP_INVALID || status == STIRKEEP_CONFLICT ||
                   status == STIRKEEP_UNKNOWN_NAME
               ? STIRKEEP_OK
               : status;
}

static enum stirkeep_status publish_listed(void *context, const struct stk_generation *generation,
                                           struct stk_error *error)
{
    (void)error; /* told already */
    return publish_name(context, generation->name);
}

static bool publish(struct publication *publication)
{
    const struct stk_cli *cli = publication->cli;
    enum stirkeep_status status = stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS,
                                                    &publication->shower, &publication->error);

    if (status == STIRKEEP_OK && cli->positional != NULL)
        return publish_name(publication, cli->positional) == STIRKEEP_OK;
    if (status == STIRKEEP_OK)
        status = stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &publication->lister,
                                   &publication->error);
    if (status == STIRKEEP_OK)
        status =
            stk_admin_each(publication->lister, publish_listed, publication, &publication->error);
    if (status != STIRKEEP_OK && publication->refused == 0)
        stk_complain(cli->positional != NULL ? cli->positional : cli->verb->name, "%s",
                     publication->error.message);
    return status == STIRKEEP_OK;
}

static bool print(const struct stk_cli *cli, const struct publication *publication)
{
    if (cli->json)
        return stk_json_print(json_pack(
            "{s:I, s:I, s:I, s:I}", "written", (json_int_t)publication->written, "unchanged",
            (json_int_t)publication->unchanged, "put_off", (json_int_t)publication->put_off,
            "refused", (json_int_t)publication->refused));
    (void)printf("%zu written, %zu unchanged", publication->written, publication->unchanged);
    if (publication->put_off > 0)
        (void)printf(", %zu staged at an x5u that is in use until then: publish again when active",
                     publication->put_off);
    (void)putchar('\n');
    return true;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct publication publication = {.cli = cli, .directory = options->dir};
    struct stat about = {0};
    bool done = false;

    if (options->dir == NULL) {
        stk_complain(cli->verb->name, "--dir is needed");
        return STK_EXIT_USAGE;
    }
    if (stat(options->dir, &about) != 0 || !S_ISDIR(about.st_mode)) {
        stk_complain(options->dir, "%s",
                     S_ISREG(about.st_mode) ? "not a directory" : strerror(errno));
        return STK_EXIT_FAILED;
    }
    publication.taken = json_object();
    done = publication.taken != NULL && publish(&publication);
    done = print(cli, &publication) && done && publication.refused == 0;
    json_decref(publication.taken);
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
