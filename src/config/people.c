/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/people.h"

#include "config/number.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX ((size_t)1 << 20) /* a database entry: a group of very many members */
#define NUMBER_MAX (UINT32_MAX - 1) /* -1 means "no change" to the system calls that take one */

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static enum stirkeep_status number(const char *text, const char *what, uint32_t *ret_number,
                                   struct stk_error *error)
{
    uint64_t number = 0;

    if (!stk_number_parse(text, 0, NUMBER_MAX, &number))
        return stk_error_set(error, STIRKEEP_CONFIG, "not a %s number: %s", what, text);
    *ret_number = (uint32_t)number;
    return STIRKEEP_OK;
}

/* What a look-up answers for what is not there, getpwnam(3): the other codes are troubles. */
static bool means_none(int code)
{
    return code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM;
}

/* One look-up with a buffer of `size`: 0, ERANGE for a larger one, or why not. */
static int look_up_user(const char *name, uint32_t uid, char *buffer, size_t size,
                        struct passwd *entry, struct passwd **ret_found)
{
    if (name != NULL)
        return getpwnam_r(name, entry, buffer, size, ret_found);
    return getpwuid_r(uid, entry, buffer, size, ret_found);
}

static enum stirkeep_status ask_user(const char *text, uint32_t *ret_uid, uint32_t *ret_gid,
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
    if (found != NULL && (entry.pw_uid > NUMBER_MAX || entry.pw_gid > NUMBER_MAX)) {
        status = stk_error_set(error, STIRKEEP_CONFIG, "user %s has the number -1", text);
    } else if (found != NULL) {
        *ret_uid = entry.pw_uid;
        *ret_gid = entry.pw_gid;
    } else if (!means_none(code)) {
        status = stk_error_set(error, STIRKEEP_CONFIG, "user %s cannot be looked up: %s", text,
                               strerror(code));
    } else if (by_number) {
        *ret_uid = uid;
        *ret_gid = uid;
    } else {
        status = stk_error_set(error, STIRKEEP_CONFIG, "no such user: %s", text);
    }
    free(buffer);
    return status;
}

static enum stirkeep_status ask_group(const char *text, uint32_t *ret_gid, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    struct group entry = {0};
    struct group *found = NULL;
    char *buffer = NULL;
    int code = ERANGE;

    if (is_number(text))
        return number(text, "group", ret_gid, error);
    for (size_t size = 4096; code == ERANGE && size <= ENTRY_MAX; size *= 4) {
        free(buffer);
        buffer = malloc(size);
        if (buffer == NULL)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
        code = getgrnam_r(text, &entry, buffer, size, &found);
    }
    if (found != NULL && entry.gr_gid > NUMBER_MAX)
        status = stk_error_set(error, STIRKEEP_CONFIG, "group %s has the number -1", text);
    else if (found != NULL)
        *ret_gid = entry.gr_gid;
    else if (means_none(code))
        status = stk_error_set(error, STIRKEEP_CONFIG, "no such group: %s", text);
    else
        status = stk_error_set(error, STIRKEEP_CONFIG, "group %s cannot be looked up: %s", text,
                               strerror(code));
    free(buffer);
    return status;
}

/* Ask, and note it under `key`. */
static enum stirkeep_status ask(struct stk_people *people, bool is_user, const char *text,
                                const char *key, struct stk_note **ret_note,
                                struct stk_error *error)
{
    uint32_t first = 0;
    uint32_t second = 0;
    struct stk_note *note = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (people->told)
        return stk_error_set(error, STIRKEEP_MALFORMED, "%s is not among those that were found",
                             key);
    status = is_user ? ask_user(text, &first, &second, error) : ask_group(text, &first, error);
    if (status != STIRKEEP_OK)
        return status;
    note = stk_notes_add(&people->found, key);
    if (note == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    note->first = first;
    note->second = second;
    *ret_note = note;
    return STIRKEEP_OK;
}

/* The note of "user NAME" or "group NAME", which is made when there is none. */
static enum stirkeep_status find(struct stk_people *people, bool is_user, const char *text,
                                 struct stk_note **ret_note, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    char *key = NULL;

    if (asprintf(&key, "%s %s", is_user ? "user" : "group", text) < 0)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    *ret_note = stk_notes_find(&people->found, key);
    if (*ret_note == NULL)
        status = ask(people, is_user, text, key, ret_note, error);
    if (*ret_note != NULL)
        (*ret_note)->used = true;
    free(key);
    return status;
}

enum stirkeep_status stk_people_user(struct stk_people *people, const char *text, uid_t *ret_uid,
                                     gid_t *ret_gid, struct stk_error *error)
{
    struct stk_note *note = NULL;
    enum stirkeep_status status = find(people, true, text, &note, error);

    if (status == STIRKEEP_OK) {
        *ret_uid = note->first;
        *ret_gid = note->second;
    }
    return status;
}

enum stirkeep_status stk_people_group(struct stk_people *people, const char *text, gid_t *ret_gid,
                                      struct stk_error *error)
{
    struct stk_note *note = NULL;
    enum stirkeep_status status = find(people, false, text, &note, error);

    if (status == STIRKEEP_OK)
        *ret_gid = note->first;
    return status;
}

void stk_people_free(struct stk_people *people)
{
    stk_notes_free(&people->found);
}
