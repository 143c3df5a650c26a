/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"
#include "cli/import_report.h"
#include "cli/input.h"
#include "cli/output.h"
#include "model/uri.h"
#include "upload/material.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The removal is to be in the trail: for so long, the service may be away. */
#define REPORT_TRIES 20
#define REPORT_PAUSE_NS 250000000

struct options {
    struct stk_material_paths paths;
    const char *x5u;
    const char *activate_at;
};

static const struct stk_option table[] = {
    {"cert", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.cert),
     "certificate, PEM or DER; a chain may follow it", 0, 0},
    {"key", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.key),
     "its private key; removed once the token has proven that it signs", 0, 0},
    {"bundle", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.bundle),
     "instead of both: a PEM file with key and chain, or PKCS#12; removed as a key is", 0, 0},
    {"sealed", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.sealed),
     "instead of --key: the key as stirkeep seal made it elsewhere", 0, 0},
    {"chain", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.chain),
     "more certificates of the chain", 0, 0},
    {"x5u", "URL", STK_OPTION_TEXT, offsetof(struct options, x5u),
     "where the chain is published (default: the configuration's template)", 0, 0},
    {"activate-at", "TIME", STK_OPTION_TEXT, offsetof(struct options, activate_at),
     "stage it until then: 2026-12-31T00:00:00Z, +7d, +2h, +30m or @seconds (default: at once)", 0,
     0},
    {"passphrase-file", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.passphrase),
     "passphrase of the key (default: asked on the terminal when needed)", 0, 0},
    {"keep-source", NULL, STK_OPTION_SWITCH, offsetof(struct options, paths.keep_source),
     "leave the key file where it is", 0, 0},
    {0},
};

/* One import under way. */
struct import {
    const struct stk_cli *cli;
    const struct options *options;
    struct stk_material_paths paths;
    struct stk_name name;
    struct stk_material material;
    struct stk_admin *admin;
    int64_t activate_at;   /* 0: at once */
    char source[PATH_MAX]; /* the whole path of the key's or the sealed file */
    uint32_t generation;
    struct stk_key_id key_id;
    json_t *report; /* what is printed in the end */
};

static const char *key_path(const struct import *import)
{
    if (import->paths.sealed != NULL)
        return import->paths.sealed;
    return import->paths.bundle != NULL ? import->paths.bundle : import->paths.key;
}

static enum stirkeep_status check_arguments(struct import *import, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(import->cli->positional, &import->name, error);

    if (status == STIRKEEP_OK && import->options->x5u != NULL)
        status = stk_x5u_check(import->options->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_activation_parse(import->options->activate_at, &import->activate_at, error);
    return status;
}

/* The token's wrapping key: what the key is sealed to, or has to be sealed to already. */
static enum stirkeep_status ask_wrapping_key(struct import *import, struct stk_bytes *ret_spki,
                                             struct stk_error *error)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_WRAPPING_KEY};
    struct stk_admin_response response = {0};
    enum stirkeep_status status =
        stk_admin_connect(import->cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &import->admin, error);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(import->admin, &request, &response, error);
    if (status != STIRKEEP_OK)
        return status;
    import->report = json_pack("{s:s, s:o, s:o}", "name", import->name.text, "token",
                               stk_json_text(response.token_label), "token_serial",
                               stk_json_text(response.token_serial));
    *ret_spki = response.spki;
    return STIRKEEP_OK;
}

/* Sealed to the token's wrapping key; from here on the plaintext is gone. */
static enum stirkeep_status seal(struct import *import, struct stk_error *error)
{
    struct stk_bytes spki = {0};
    enum stirkeep_status status = ask_wrapping_key(import, &spki, error);

    return status == STIRKEEP_OK ? stk_material_seal(&import->paths, spki, &import->material, error)
                                 : status;
}

static void report_imported(struct import *import, const struct stk_admin_response *response)
{
    import->generation = response->generation;
    import->key_id = response->key_id;
    stk_import_report(import->report, response);
    (void)json_object_set_new(import->report, "source", stk_json_text(import->source));
}

static enum stirkeep_status send_import(struct import *import, struct stk_error *error)
{
    struct stk_admin_request request = {
        .kind = STK_ADMIN_IMPORT,
        .name = import->name,
        .chain_count = stk_chain_count(import->material.chain),
        .sealed = {import->material.sealed.sealed.data, import->material.sealed.sealed.length},
        .x5u = import->options->x5u != NULL ? import->options->x5u : "",
        .activate_at = import->activate_at,
        .elsewhere = import->paths.sealed != NULL,
        .source = import->source,
    };
    struct stk_admin_response response = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < request.chain_count && i < STK_CHAIN_MAX; i++)
        request.chain[i] = stk_chain_der(import->material.chain, i);
    status = stk_admin_call(import->admin, &request, &response, error);
    if (status == STIRKEEP_OK)
        report_imported(import, &response);
    else if (status == STIRKEEP_TIMEOUT || status == STIRKEEP_NOT_CONNECTED)
        status = stk_error_set(error, status,
                               "%s: whether the key was imported is not known; the same command "
                               "finishes it, and %s is untouched",
                               error->message, key_path(import));
    return status;
}

/* There is no key to import, but a former import may have brought it in: is it active? */
static bool ask_held(struct import *import, struct stk_error *error)
{
    const char *fingerprint = stk_material_remains_of(&import->material);
    struct stk_bytes spki = {0};
    struct stk_admin_response response = {0};

    if (fingerprint == NULL) {
        (void)stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                            "of which certificate it was cannot be told");
        return false;
    }
    if (ask_wrapping_key(import, &spki, error) != STIRKEEP_OK ||
        stk_admin_held(import->admin, &import->name, fingerprint, &response, error) != STIRKEEP_OK)
        return false;
    report_imported(import, &response);
    return true;
}

static bool is_gone(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
}

/* `error` says why there is no key in the file: say what became of it. */
static enum stirkeep_status look_for_former(struct import *import, struct stk_error *error)
{
    struct stk_error why = {0};

    if (ask_held(import, &why)) {
        if (import->material.remains)
            return STIRKEEP_OK;
        return stk_error_set(error, error->status,
                             "%s; a former import has brought in its key: it is generation %u of "
                             "%s, active or staged",
                             error->message, (unsigned)import->generation, import->name.text);
    }
    return import->material.remains
               ? stk_error_set(error, error->status, "%s; %s", error->message, why.message)
               : error->status;
}

static enum stirkeep_status import_material(struct import *import, struct stk_error *error)
{
    enum stirkeep_status status = stk_material_read(&import->paths, &import->material, error);

    if (status == STIRKEEP_OK)
        status = seal(import, error);
    else if (import->material.remains ||
             (import->material.chain != NULL && import->paths.sealed == NULL &&
              is_gone(key_path(import))))
        return look_for_former(import, error);
    return status == STIRKEEP_OK ? send_import(import, error) : status;
}

/* Tell the service, on new connections as long as a part of it is being started anew. */
static enum stirkeep_status report_removal(struct import *import, const char *how,
                                           struct stk_error *error)
{
    const struct timespec pause = {.tv_nsec = REPORT_PAUSE_NS};
    struct stk_admin_request request = {.kind = STK_ADMIN_SOURCE_REMOVED,
                                        .name = import->name,
                                        .generation = import->generation,
                                        .key_id = import->key_id,
                                        .source = import->source,
                                        .how = how};
    struct stk_admin_response response = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    for (int tries = 0; tries < REPORT_TRIES; tries++) {
        if (tries > 0)
            (void)nanosleep(&pause, NULL);
        status = import->admin != NULL
                     ? STIRKEEP_OK
                     : stk_admin_connect(import->cli->admin_socket, STK_ADMIN_TIMEOUT_MS,
                                         &import->admin, error);
        if (status == STIRKEEP_OK)
            status = stk_admin_call(import->admin, &request, &response, error);
        if (status != STIRKEEP_NOT_CONNECTED && status != STIRKEEP_UNAVAILABLE)
            break;
        stk_admin_close(import->admin);
        import->admin = NULL;
    }
    return status;
}

/* The key is on the token for good. What fails from here on must say so. */
static enum stirkeep_status remove_source(struct import *import, struct stk_error *error)
{
    const char *path = key_path(import);
    char how[STK_SOURCE_HOW] = "";
    enum stirkeep_status status = stk_source_remove(import->material.source, how, error);

    (void)json_object_set_new(import->report, "source_removed",
                              json_boolean(status == STIRKEEP_OK));
    if (status == STIRKEEP_SOURCE_UNSAFE && is_gone(path))
        return stk_error_set(error, status,
                             "the key is imported, but somebody else removed %s meanwhile", path);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status,
                             "the key IS imported, but its file is STILL THERE: %s; destroy %s "
                             "yourself, or run the same command again",
                             error->message, path);
    (void)json_object_set_new(import->report, "source_how", stk_json_text(how));
    status = report_removal(import, how, error);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status,
                             "the key is imported and %s removed, but the removal is not in the "
                             "audit trail: %s",
                             path, error->message);
    return STIRKEEP_OK;
}

static bool print(struct import *import)
{
    const char *kept = NULL;

    if (import->cli->json)
        return stk_json_print(json_incref(import->report));
    if (import->paths.sealed != NULL)
        kept = "sealed: only this token can open it";
    else if (import->paths.keep_source)
        kept = "kept, as was asked";
    stk_import_print(import->report, kept);
    return true;
}

/* The path for the record: whole, one line, UTF-8, no longer than the record takes. */
static void take_source_path(struct import *import)
{
    char whole[PATH_MAX] = "";
    const char *path = key_path(import);
    size_t length = 0;
    json_t *text = NULL;

    if (realpath(path, whole) == NULL)
        (void)snprintf(whole, sizeof(whole), "%s", path);
    length = strlen(whole);
    text = stk_json_text(whole + (length > STK_SOURCE_MAX - 1 ? length - (STK_SOURCE_MAX - 1) : 0));
    (void)snprintf(import->source, sizeof(import->source), "%s",
                   text != NULL ? json_string_value(text) : "");
    json_decref(text);
    for (char *at = import->source; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
}

static enum stk_exit import_all(struct import *import)
{
    struct stk_error error = {0};
    sigset_t all = {0};
    sigset_t before = {0};
    enum stirkeep_status status = check_arguments(import, &error);
    bool imported = false;
    bool printed = true;
    bool removes = import->paths.sealed == NULL && !import->paths.keep_source;

    take_source_path(import);
    if (status == STIRKEEP_OK)
        status = import_material(import, &error);
    imported = status == STIRKEEP_OK;
    if (imported && removes) {
        /* Not to be cut off between overwriting and unlinking. */
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_BLOCK, &all, &before);
        status = remove_source(import, &error);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
    } else if (imported) {
        (void)json_object_set_new(import->report, "source_removed", json_false());
    }
    if (imported)
        printed = print(import) && fflush(stdout) == 0;
    if (status != STIRKEEP_OK)
        stk_complain(import->cli->positional, "%s", error.message);
    else if (!printed)
        stk_complain(import->cli->positional, "all is done, but this could not be printed");
    return status == STIRKEEP_OK && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

/* Which files were given? A PKCS#12 file is a bundle, also where it is called the certificate. */
static bool take_paths(struct import *import)
{
    struct stk_material_paths *paths = &import->paths;

    *paths = import->options->paths;
    paths->ask = stk_passphrase_ask;
    if (paths->bundle != NULL)
        return paths->cert == NULL && paths->key == NULL && paths->sealed == NULL;
    if (paths->cert == NULL)
        return false;
    if (paths->key == NULL && paths->sealed == NULL && stk_is_pkcs12_file(paths->cert)) {
        paths->bundle = paths->cert;
        paths->cert = NULL;
        return true;
    }
    return (paths->key == NULL) != (paths->sealed == NULL);
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct import import = {.cli = cli, .options = given};
    enum stk_exit result = STK_EXIT_USAGE;

    if (!take_paths(&import)) {
        stk_complain(cli->verb->name,
                     "--cert and one of --key and --sealed are needed, or --bundle alone");
        return STK_EXIT_USAGE;
    }
    result = import_all(&import);
    stk_material_free(&import.material);
    stk_admin_close(import.admin);
    json_decref(import.report);
    return result;
}

const struct stk_verb stk_verb_import = {
    .name = "import",
    .positional = "NAME",
    .synopsis =
        "--cert FILE --key FILE|--sealed FILE|--bundle FILE [--chain FILE] [--x5u URL] [...]",
    .summary = "Put a certificate's private key into the token, and remove its file",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
