/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/peer_of.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMS_ARENA_MAX ((size_t)256 * 1024)

struct options {
    const char *config;
    const char *user;
    struct stk_texts groups;
    const char *executable;
    const char *unit;
    const char *name;
    const char *ppt;
    const char *orig;
    const char *orig_uri;
    struct stk_texts dest;
    const char *div;
    const char *attest;
    bool rcd;
    bool input;
};

static const struct options defaults = {.config = STK_DEFAULT_CONFIG, .ppt = "shaken"};

static const struct stk_option table[] = {
    {"user", "USER", STK_OPTION_TEXT, offsetof(struct options, user),
     "who asks: a name or a number; with the groups that the system knows", 0, 0},
    {"group", "GROUP", STK_OPTION_TEXTS, offsetof(struct options, groups),
     "a group of the process beside these; may be repeated, or several with commas", 0, 0},
    {"executable", "PATH", STK_OPTION_TEXT, offsetof(struct options, executable),
     "its program, or a symbolic link to it; not known when absent", 0, 0},
    {"unit", "UNIT", STK_OPTION_TEXT, offsetof(struct options, unit),
     "its systemd unit; not known when absent", 0, 0},
    {"name", "NAME", STK_OPTION_TEXT, offsetof(struct options, name), "the certificate", 0, 0},
    {"ppt", "TYPE", STK_OPTION_TEXT, offsetof(struct options, ppt),
     "kind of PASSporT (default: shaken)", 0, 0},
    {"orig", "TN", STK_OPTION_TEXT, offsetof(struct options, orig), "calling number", 0, 0},
    {"orig-uri", "URI", STK_OPTION_TEXT, offsetof(struct options, orig_uri),
     "calling party by URI instead", 0, 0},
    {"dest", "TN", STK_OPTION_TEXTS, offsetof(struct options, dest),
     "called number; the policy does not ask for it", 0, 0},
    {"div", "TN|URI", STK_OPTION_TEXT, offsetof(struct options, div),
     "div, div-o: who the call was retargeted from", 0, 0},
    {"attest", "A|B|C", STK_OPTION_TEXT, offsetof(struct options, attest),
     "attestation that is asked for; shaken needs it", 0, 0},
    {"rcd", NULL, STK_OPTION_SWITCH, offsetof(struct options, rcd), "shaken: with rich call data",
     0, 0},
    {"sign-input", NULL, STK_OPTION_SWITCH, offsetof(struct options, input),
     "the header and payload come finished", 0, 0},
    {"config", "FILE", STK_OPTION_TEXT, offsetof(struct options, config),
     "the configuration (else " STK_DEFAULT_CONFIG ")", 0, 0},
    {0},
};

/* NULL: the options make sense together. */
static const char *contradiction(const struct options *options)
{
    bool shaken = strcmp(options->ppt, "shaken") == 0;
    bool div = strcmp(options->ppt, "div") == 0 || strcmp(options->ppt, "div-o") == 0;

    if (options->user == NULL)
        return "--user is needed: who asks";
    if (options->name == NULL)
        return "--name is needed: of the certificate";
    if ((options->orig != NULL) == (options->orig_uri != NULL))
        return "one of --orig and --orig-uri is needed";
    if (shaken != (options->attest != NULL))
        return shaken ? "--attest A, B or C is needed: a shaken PASSporT has no default attestation"
                      : "--attest is for --ppt shaken";
    if (div != (options->div != NULL))
        return div ? "--div is needed: who the call was retargeted from"
                   : "--div is for --ppt div and div-o";
    return NULL;
}

/* What a policy does not ask for, so that there are claims: the type's own parts, by type alone. */
static void fill_in(const struct options *options, struct stk_claims_input *input)
{
    static const char *const authorised[] = {"ets.0"};
    static const char inner[] = "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30."
                                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    enum stk_ppt ppt = STK_PPT_BASE;

    if (!stk_ppt_parse(input->ppt, &ppt))
        return; /* stk_claims_make says so */
    if (ppt == STK_PPT_DIV_O)
        input->opt = inner;
    if (ppt == STK_PPT_RPH) {
        input->rph_auth = authorised;
        input->rph_auth_count = 1;
    }
    if (ppt == STK_PPT_RCD || options->rcd)
        input->rcd_nam = "name";
    if (ppt == STK_PPT_OTHER)
        input->other = "{\"x\":1}";
}

static enum stirkeep_status make_claims(const struct options *options, struct stk_arena *arena,
                                        struct stk_claims *ret_claims, struct stk_error *error)
{
    static const char *const somebody[] = {"1"};
    bool div_is_uri = options->div != NULL && strchr(options->div, ':') != NULL;
    struct stk_claims_input input = {
        .ppt = strcmp(options->ppt, "base") == 0 ? "" : options->ppt,
        .orig_tn = options->orig,
        .orig_uri = options->orig_uri,
        .dest_tn = options->dest.count > 0 ? options->dest.items : somebody,
        .dest_tn_count = options->dest.count > 0 ? options->dest.count : 1,
        .attest = options->attest,
        .div_tn = div_is_uri ? NULL : options->div,
        .div_uri = div_is_uri ? options->div : NULL,
    };

    fill_in(options, &input);
    return stk_claims_make(&input, arena, ret_claims, error);
}

static bool print_json(const struct stk_buffer *lines, bool allowed)
{
    json_t *array = json_array();
    const char *at = (const char *)lines->data;
    const char *end = at + lines->length;
    bool done = array != NULL;

    while (done && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);

        done = json_array_append_new(array, json_stringn(at, length)) == 0;
        at += length + 1;
    }
    if (!done) {
        json_decref(array);
        return stk_json_print(NULL);
    }
    return stk_json_print(json_pack("{s:b, s:o}", "allowed", allowed, "lines", array));
}

static enum stk_exit explain(const struct stk_cli *cli, const struct stk_policy_file *file,
                             const struct stk_who *who, const struct stk_question *question)
{
    struct stk_buffer lines = {0};
    enum stirkeep_status status = stk_policy_explain(file->config->policy, who, question, &lines);
    bool printed = true;

    if (cli->json && (status == STIRKEEP_OK || status == STIRKEEP_NOT_PERMITTED))
        printed = print_json(&lines, status == STIRKEEP_OK);
    else if (lines.length > 0)
        printed = fwrite(lines.data, 1, lines.length, stdout) == lines.length;
    if (status == STIRKEEP_NOT_PERMITTED)
        stk_complain(cli->verb->name, "it is not permitted");
    else if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", stirkeep_status_text(status));
    stk_buffer_free(&lines);
    return status == STIRKEEP_OK && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

/* The kernel tells a program by the file that a path leads to; one that is not here is taken as it
 * is. What is returned is `*ret_owned`, or `path`. */
static const char *program_of(const char *path, char **ret_owned)
{
    *ret_owned = path != NULL ? realpath(path, NULL) : NULL;
    return *ret_owned != NULL ? *ret_owned : path;
}

/* Reads the files alone; the service need not run. */
static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    const char *problem = contradiction(options);
    struct stk_policy_file file = {0};
    struct stk_peer_of peer = {0};
    struct stk_arena arena = {0};
    struct stk_claims claims = {0};
    struct stk_name name = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    enum stk_exit result = STK_EXIT_FAILED;
    char *program = NULL;

    if (problem != NULL) {
        stk_complain(cli->verb->name, "%s", problem);
        return STK_EXIT_USAGE;
    }
    status = stk_arena_new(&arena, CLAIMS_ARENA_MAX);
    if (status == STIRKEEP_OK)
        status = stk_name_parse(options->name, &name, &error);
    if (status == STIRKEEP_OK)
        status = make_claims(options, &arena, &claims, &error);
    if (status == STIRKEEP_OK)
        status = stk_peer_of(options->user, &options->groups, &peer, &error);
    if (status == STIRKEEP_OK)
        status = stk_policy_file_open(options->config, false, &file, &error);
    if (status == STIRKEEP_OK)
        status = stk_claims_check_digits(&claims, file.config->signing.tn_digits, &error);
    if (status == STIRKEEP_OK) {
        const struct stk_who who = {.uid = peer.uid,
                                    .groups = peer.groups,
                                    .group_count = peer.group_count,
                                    .executable = program_of(options->executable, &program),
                                    .unit = options->unit};
        const struct stk_question question = {
            .name = name.text, .claims = &claims, .is_input = options->input};

        result = explain(cli, &file, &who, &question);
    } else {
        stk_complain(cli->verb->name, "%s",
                     error.message[0] != '\0' ? error.message : stirkeep_status_text(status));
    }
    free(program);
    stk_peer_of_free(&peer);
    stk_policy_file_close(&file);
    stk_arena_free(&arena);
    return result;
}

const struct stk_verb stk_verb_policy_explain = {
    .name = "policy explain",
    .synopsis = "--user USER --name NAME --orig TN --attest A|B|C [...]",
    .summary = "Say which grant and which rule decide about a signature, and why",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
