/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/people.h"

#include "config/number.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX ((size_t)1 << 20) /* a database entry: a group of very many members */

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* (uid_t)-1 means "no change" to the system calls that take one. */
static enum stirkeep_status number(const char *text, const char *what, uint32_t *ret_number,
                                   struct stk_error *error)
{
    if (!stk_number_parse(text, 0, UINT32_MAX - 1, ret_number))
        return stk_error_set(error, STIRKEEP_CONFIG, "not a %s number: %s", what, text);
    return STIRKEEP_OK;
}

/* One look-up with a buffer of `size`: 0, ERANGE for a larger one, or why not. */
static int look_up_user(const char *name, uint32_t uid, char *buffer, size_t size,
                        struct passwd *entry, struct passwd **ret_found)
{
    if (name != NULL)
        return getpwnam_r(name, entry, buffer, size, ret_found);
    return getpwuid_r(uid, entry, buffer, size, ret_found);
}

enum stirkeep_status stk_user_find(const char *text, uid_t *ret_uid, gid_t *ret_gid,
                                   struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    bool by_number = is_number(text);
    struct passwd entry = {0};
    struct passwd *found = NULL;
    char *buffer = NULL;
    uint32_t uid = 0;
    int code = ERANGE;

    if (by_number) {
        status = number(text, "user", &uid, error);
        if (status != STIRKEEP_OK)
            return status;
    }
    for (size_t size = 4096; code == ERANGE && size <= ENTRY_MAX; size *= 4) {
        free(buffer);
        buffer = malloc(size);
        if (buffer == NULL)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
        code = look_up_user(by_number ? NULL : text, uid, buffer, size, &entry, &found);
    }
    if (found != NULL) {
        *ret_uid = entry.pw_uid;
        *ret_gid = entry.pw_gid;
    } else if (by_number) {
        *ret_uid = uid;
        *ret_gid = uid;
    } else {
        status = stk_error_set(error, STIRKEEP_CONFIG, "no such user: %s", text);
    }
    free(buffer);
    return status;
}

enum stirkeep_status stk_group_find(const char *text, gid_t *ret_gid, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    struct group entry = {0};
    struct group *found = NULL;
    char *buffer = NULL;
    uint32_t gid = 0;
    int code = ERANGE;

    if (is_number(text)) {
        status = number(text, "group", &gid, error);
        if (status == STIRKEEP_OK)
            *ret_gid = gid;
        return status;
    }
    for (size_t size = 4096; code == ERANGE && size <= ENTRY_MAX; size *= 4) {
        free(buffer);
        buffer = malloc(size);
        if (buffer == NULL)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
        code = getgrnam_r(text, &entry, buffer, size, &found);
    }
    if (found != NULL)
        *ret_gid = entry.gr_gid;
    else
        status = stk_error_set(error, STIRKEEP_CONFIG, "no such group: %s", text);
    free(buffer);
    return status;
}
