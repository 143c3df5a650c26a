/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "base/file.h"
#include "cli/output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_MAX (1024 * 1024)
#define LOG_SHOWN 4096
#define VARIABLE_MAX (2 * PATH_MAX)

/* What is where, by its variable and the path in the lab's directory. */
static const struct {
    const char *variable;
    const char *key; /* in JSON */
    const char *path;
} things[] = {
    {"STIRKEEP_SIGN_SOCKET", "sign_socket", "service/sign.sock"},
    {"STIRKEEP_ADMIN_SOCKET", "admin_socket", "service/admin.sock"},
    {"STIRKEEP_LAB_CA", "ca", "ca/root.pem"},
    {"STIRKEEP_LAB_INTERMEDIATE", "intermediate", "ca/intermediate.pem"},
    {"STIRKEEP_LAB_CERTIFICATES", "certificates", "certificates"},
    {"STIRKEEP_LAB_LOG", "log", "service.log"},
};
#define THINGS (sizeof(things) / sizeof(things[0]))

static bool path_of_first(const struct stk_lab *lab, const struct stk_lab_place *place,
                          char ret_path[PATH_MAX])
{
    char name[PATH_MAX] = "";

    (void)snprintf(name, sizeof(name), "certificates/%s.pem", lab->certificates[0].name.text);
    return stk_lab_path(place, name, ret_path);
}

static bool set_names(const struct stk_lab *lab)
{
    char names[STK_LAB_NAMES_MAX * (STK_NAME_MAX + 1)] = "";
    size_t length = 0;

    for (size_t i = 0; i < lab->count; i++)
        length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i > 0 ? " " : "",
                                   lab->certificates[i].name.text);
    return setenv("STIRKEEP_LAB_NAMES", names, 1) == 0;
}

/* `stirkeep` is the one that started the lab, unless the caller has another one. */
static bool extend_path(const struct stk_lab *lab)
{
    const char *before = getenv("PATH");
    char path[VARIABLE_MAX] = "";
    int length = before == NULL || before[0] == '\0'
                     ? snprintf(path, sizeof(path), "/usr/bin:/bin:%s", lab->own)
                     : snprintf(path, sizeof(path), "%s:%s", before, lab->own);

    /* A path that is too long for us is the caller's as it is. */
    return length >= (int)sizeof(path) || lab->own[0] == '\0' || setenv("PATH", path, 1) == 0;
}

bool stk_lab_environment(const struct stk_lab *lab, const struct stk_lab_place *place)
{
    char path[PATH_MAX] = "";
    bool done = true;

    for (size_t i = 0; i < THINGS && done; i++)
        done =
            stk_lab_path(place, things[i].path, path) && setenv(things[i].variable, path, 1) == 0;
    return done && path_of_first(lab, place, path) &&
           setenv("STIRKEEP_LAB_CERTIFICATE", path, 1) == 0 &&
           setenv("STIRKEEP_LAB", place->path, 1) == 0 && set_names(lab) && extend_path(lab);
}

static json_t *report(const struct stk_lab *lab, const struct stk_lab_place *place)
{
    json_t *names = json_array();
    json_t *all = json_pack("{s:o, s:o}", "directory", stk_json_text(place->path), "names", names);
    char path[PATH_MAX] = "";

    for (size_t i = 0; i < lab->count; i++)
        (void)json_array_append_new(names, stk_json_text(lab->certificates[i].name.text));
    for (size_t i = 0; i < THINGS; i++)
        if (stk_lab_path(place, things[i].path, path))
            (void)json_object_set_new(all, things[i].key, stk_json_text(path));
    if (path_of_first(lab, place, path))
        (void)json_object_set_new(all, "certificate", stk_json_text(path));
    return all;
}

static void print_use(const struct stk_lab *lab, const struct stk_lab_place *place)
{
    const char *name = lab->certificates[0].name.text;
    char path[PATH_MAX] = "";

    (void)printf("A throw-away stirkeep service is ready. In another terminal:\n\n");
    for (size_t i = 0; i < THINGS; i++)
        if (stk_lab_path(place, things[i].path, path))
            (void)printf("  export %s=%s\n", things[i].variable, path);
    if (path_of_first(lab, place, path))
        (void)printf("  export STIRKEEP_LAB_CERTIFICATE=%s\n\n", path);
    (void)printf("  stirkeep sign %s --orig 12155551212 --dest 12155551213 --attest A |\n"
                 "    stirkeep verify --cert \"$STIRKEEP_LAB_CERTIFICATE\" --ca "
                 "\"$STIRKEEP_LAB_CA\" -\n\n"
                 "Certificates:",
                 name);
    for (size_t i = 0; i < lab->count; i++)
        (void)printf(" %s", lab->certificates[i].name.text);
    (void)printf("\nCtrl-C ends it, and nothing is left.\n");
}

bool stk_lab_show(const struct stk_lab *lab, const struct stk_lab_place *place)
{
    json_t *all = NULL;
    bool done = true;

    if (lab->json) {
        /* On one line: who reads it knows when it has all. */
        all = report(lab, place);
        done = all != NULL && json_dumpf(all, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
        json_decref(all);
    } else {
        print_use(lab, place);
    }
    return fflush(stdout) == 0 && done;
}

void stk_lab_show_log(const struct stk_lab_place *place)
{
    struct stk_buffer log = {0};
    char path[PATH_MAX] = "";
    size_t from = 0;

    if (!stk_lab_path(place, "service.log", path) ||
        stk_file_read(path, LOG_MAX, &log, NULL) != STIRKEEP_OK)
        return;
    if (log.length > LOG_SHOWN)
        from = log.length - LOG_SHOWN;
    (void)stk_file_write_all(STDERR_FILENO, log.data + from, log.length - from);
    stk_buffer_free(&log);
}
