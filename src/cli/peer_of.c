/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/peer_of.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DATABASE_TRIES 4 /* of getgrouplist, whose answer may grow meanwhile */

/* All of it digits, and an id. */
static bool read_id(const char *text, unsigned *ret_id)
{
    char *end = NULL;
    unsigned long number = 0;

    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    number = strtoul(text, &end, 10);
    if (errno != 0 || number >= UINT32_MAX)
        return false;
    *ret_id = (unsigned)number;
    return true;
}

/* The groups of a user, with room for `more`. */
static enum stirkeep_status read_groups(const struct passwd *user, size_t more,
                                        struct stk_peer_of *peer, struct stk_error *error)
{
    int count = 32;

    for (int i = 0; i < DATABASE_TRIES; i++) {
        gid_t *groups = reallocarray(peer->groups, (size_t)count + more, sizeof(*groups));

        if (groups == NULL)
            break;
        peer->groups = groups;
        if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) >= 0) {
            peer->group_count = (size_t)count;
            return STIRKEEP_OK;
        }
    }
    return stk_error_set(error, STIRKEEP_NO_MEMORY, "the groups of %s cannot be read",
                         user->pw_name);
}

static enum stirkeep_status add_group(const char *text, struct stk_peer_of *peer,
                                      struct stk_error *error)
{
    const struct group *group = NULL;
    unsigned id = 0;

    if (!read_id(text, &id)) {
        group = getgrnam(text);
        if (group == NULL)
            return stk_error_set(error, STIRKEEP_CONFIG, "group %.64s: not known", text);
        id = group->gr_gid;
    }
    peer->groups[peer->group_count++] = id;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_peer_of(const char *user, const struct stk_texts *groups,
                                 struct stk_peer_of *ret_peer, struct stk_error *error)
{
    unsigned id = 0;
    bool number = read_id(user, &id);
    const struct passwd *known = number ? getpwuid(id) : getpwnam(user);
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_peer = (struct stk_peer_of){.uid = id};
    if (known == NULL && !number)
        return stk_error_set(error, STIRKEEP_CONFIG, "user %.64s: not known", user);
    if (known != NULL) {
        ret_peer->uid = known->pw_uid;
        status = read_groups(known, groups->count, ret_peer, error);
    } else {
        ret_peer->groups = calloc(groups->count + 1, sizeof(*ret_peer->groups));
        if (ret_peer->groups == NULL)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    for (size_t i = 0; status == STIRKEEP_OK && i < groups->count; i++)
        status = add_group(groups->items[i], ret_peer, error);
    return status;
}

void stk_peer_of_free(struct stk_peer_of *peer)
{
    free(peer->groups);
}
