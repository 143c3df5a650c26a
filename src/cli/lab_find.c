/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPC_DEFAULT "709J"
#define UPPER_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define DIGITS "0123456789"

static const char *const module_places[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/*/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/lib/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
};
#define MODULE_PLACES (sizeof(module_places) / sizeof(module_places[0]))

static const char *const room_names[] = {"keeper", "intake", "front"};
#define ROOMS (sizeof(room_names) / sizeof(room_names[0]))

/* What the certificate is for: an SPC (at most 15 characters), or a telephone number. */
static bool take_authority(struct stk_lab_certificate *certificate, const char *text)
{
    bool plus = text[0] == '+';
    size_t length = strlen(text + plus);
    bool digits = strspn(text + plus, DIGITS) == length;

    if (length == 0 || length >= sizeof(certificate->spc))
        return false;
    if (digits && length >= STK_LAB_TN_DIGITS_MIN) {
        memcpy(certificate->tn, text + plus, length + 1);
        return true;
    }
    if (plus || strspn(text, UPPER_AND_DIGITS) != length)
        return false;
    memcpy(certificate->spc, text, length + 1);
    return true;
}

static enum stirkeep_status take_name(struct stk_lab *lab, const char *item,
                                      struct stk_error *error)
{
    struct stk_lab_certificate certificate = {0};
    const char *equals = strchr(item, '=');
    size_t length = equals != NULL ? (size_t)(equals - item) : strlen(item);
    char name[STK_NAME_MAX + 2] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    (void)snprintf(name, sizeof(name), "%.*s", length < sizeof(name) ? (int)length : -1, item);
    status = stk_name_parse(name, &certificate.name, error);
    if (status != STIRKEEP_OK)
        return status;
    if (!take_authority(&certificate, equals != NULL ? equals + 1 : SPC_DEFAULT))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: after '=' stands an SPC (1 to 15 of A-Z and 0-9) or a telephone "
                             "number (%d to 15 digits)",
                             item, STK_LAB_TN_DIGITS_MIN);
    for (size_t i = 0; i < lab->count; i++)
        if (strcmp(lab->certificates[i].name.text, name) == 0)
            return stk_error_set(error, STIRKEEP_INVALID, "%s: named twice", name);
    lab->certificates[lab->count++] = certificate;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_lab_names(struct stk_lab *lab, const char *const *items, size_t count,
                                   struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (count == 0)
        return take_name(lab, "lab", error);
    if (count > STK_LAB_NAMES_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "more than %d names", STK_LAB_NAMES_MAX);
    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++)
        status = take_name(lab, items[i], error);
    return status;
}

/* ---- the module */

static bool take_first(const char *pattern, char ret_path[PATH_MAX])
{
    glob_t found = {0};
    bool taken = glob(pattern, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 0 &&
                 snprintf(ret_path, PATH_MAX, "%s", found.gl_pathv[0]) < PATH_MAX;

    globfree(&found);
    return taken;
}

enum stirkeep_status stk_lab_find_module(struct stk_lab *lab, const char *given,
                                         struct stk_error *error)
{
    char sought[STK_ERROR_MAX] = "";
    size_t length = 0;

    if (given != NULL) {
        if (realpath(given, lab->module) != NULL)
            return STIRKEEP_OK;
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: %s", given, strerror(errno));
    }
    for (size_t i = 0; i < MODULE_PLACES; i++) {
        if (take_first(module_places[i], lab->module))
            return STIRKEEP_OK;
        length +=
            (size_t)snprintf(sought + length, sizeof(sought) - length, " %s", module_places[i]);
        if (length >= sizeof(sought))
            break;
    }
    return stk_error_set(error, STIRKEEP_CONFIG,
                         "SoftHSM is not installed (package softhsm2); sought at%s; --module FILE "
                         "says where it is",
                         sought);
}

/* ---- the programs */

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* The two patterns have one %s each, for the room; the porter's is its path. */
static bool all_there(struct stk_lab *lab, const char *porter, const char *directory, bool built)
{
    if (snprintf(lab->porter, PATH_MAX, "%s", porter) >= PATH_MAX || !is_program(lab->porter))
        return false;
    for (size_t i = 0; i < ROOMS; i++)
        if (snprintf(lab->rooms[i], PATH_MAX, "%s%s%s/stirkeep-%s", directory, built ? "/" : "",
                     built ? room_names[i] : "", room_names[i]) >= PATH_MAX ||
            !is_program(lab->rooms[i]))
            return false;
    return true;
}

static bool beside(struct stk_lab *lab, const char *porter, const char *directory, bool built)
{
    char whole[PATH_MAX] = "";
    char rooms[PATH_MAX] = "";

    return snprintf(whole, sizeof(whole), "%s/%s", lab->own, porter) < PATH_MAX &&
           snprintf(rooms, sizeof(rooms), "%s/%s", lab->own, directory) < PATH_MAX &&
           all_there(lab, whole, rooms, built);
}

static bool in_directory(struct stk_lab *lab, const char *directory)
{
    char porter[PATH_MAX] = "";
    char whole[PATH_MAX] = "";

    return realpath(directory, whole) != NULL &&
           snprintf(porter, sizeof(porter), "%s/stirkeepd", whole) < PATH_MAX &&
           (all_there(lab, porter, whole, false) ||
            all_there(lab, STIRKEEP_SBINDIR "/stirkeepd", whole, false));
}

static bool find_own(struct stk_lab *lab)
{
    ssize_t length = readlink("/proc/self/exe", lab->own, sizeof(lab->own) - 1);
    char *slash = NULL;

    if (length <= 0)
        return false;
    lab->own[length] = '\0';
    slash = strrchr(lab->own, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

enum stirkeep_status stk_lab_find_programs(struct stk_lab *lab, const char *given,
                                           struct stk_error *error)
{
    bool has_own = find_own(lab);

    if (given != NULL) {
        if (in_directory(lab, given))
            return STIRKEEP_OK;
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: stirkeepd and the rooms' programs are not all there", given);
    }
    if (has_own &&
        (beside(lab, "../" STIRKEEP_SBIN_NAME "/stirkeepd", "../" STIRKEEP_LIBEXEC_NAME "/stirkeep",
                false) ||
         beside(lab, "../stirkeepd/stirkeepd", "..", true) || beside(lab, "stirkeepd", ".", false)))
        return STIRKEEP_OK;
    if (all_there(lab, STIRKEEP_SBINDIR "/stirkeepd", STIRKEEP_LIBEXECDIR, false))
        return STIRKEEP_OK;
    return stk_error_set(
        error, STIRKEEP_CONFIG,
        "stirkeepd and the rooms' programs are neither beside %s nor in %s and %s; "
        "--libexec DIR says where they are",
        has_own ? lab->own : "this program", STIRKEEP_SBINDIR, STIRKEEP_LIBEXECDIR);
}
