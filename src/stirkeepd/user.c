/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/user.h"

#include "room/room.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A user known by number alone has no groups but its own. */
static enum stirkeep_status find_groups(struct stk_user *user, struct stk_error *error)
{
    const struct passwd *entry = getpwuid(user->uid);
    int count = entry != NULL ? NGROUPS_MAX : 1;
    gid_t *groups = calloc((size_t)count, sizeof(*groups));

    if (groups == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    groups[0] = user->gid;
    if (entry != NULL && getgrouplist(entry->pw_name, user->gid, groups, &count) < 0) {
        free(groups);
        return stk_error_set(error, STIRKEEP_CONFIG, "user %s: too many groups", entry->pw_name);
    }
    user->groups = groups;
    user->group_count = (size_t)count;
    return STIRKEEP_OK;
}

static enum stirkeep_status judge(const struct stk_config *config, const char *name, size_t room,
                                  struct stk_error *error)
{
    const char *who = stk_room_name((enum stk_room)room);

    if (!config->rooms.given[room])
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: [rooms] %s-user: missing: started by root, each room needs a "
                             "user of its own (front-user, intake-user, keeper-user)",
                             name, who);
    if (config->rooms.uid[room] == 0 || config->rooms.gid[room] == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: [rooms] %s-user: root's rights", name,
                             who);
    for (size_t other = 0; other < room; other++)
        if (config->rooms.uid[other] == config->rooms.uid[room])
            return stk_error_set(error, STIRKEEP_CONFIG, "%s: [rooms] %s-user: the same as %s-user",
                                 name, who, stk_room_name((enum stk_room)other));
    return STIRKEEP_OK;
}

enum stirkeep_status stk_users_find(const struct stk_config *config, const char *name,
                                    struct stk_user ret_users[STK_ROOM_COUNT],
                                    struct stk_error *error)
{
    struct stk_user users[STK_ROOM_COUNT] = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t room = 0; room < STK_ROOM_COUNT && status == STIRKEEP_OK; room++) {
        users[room].uid = geteuid();
        users[room].gid = getegid();
        if (geteuid() != 0)
            continue;
        status = judge(config, name, room, error);
        users[room].change = true;
        users[room].uid = config->rooms.uid[room];
        users[room].gid = config->rooms.gid[room];
        if (status == STIRKEEP_OK)
            status = find_groups(&users[room], error);
    }
    if (status != STIRKEEP_OK) {
        stk_users_free(users);
        return status;
    }
    memcpy(ret_users, users, sizeof(users));
    return STIRKEEP_OK;
}

void stk_users_free(struct stk_user users[STK_ROOM_COUNT])
{
    for (size_t room = 0; room < STK_ROOM_COUNT; room++) {
        free(users[room].groups);
        users[room] = (struct stk_user){0};
    }
}

static bool is_user(const struct stk_user *user)
{
    uid_t uids[3] = {0};
    gid_t gids[3] = {0};

    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (uids[i] != user->uid || gids[i] != user->gid)
            return false;
    return true;
}

bool stk_user_become(const struct stk_user *user)
{
    if (!user->change)
        return true;
    if (setgroups(user->group_count, user->groups) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0)
        return false;
    /* There must be no way back. */
    if (!is_user(user) || setuid(0) == 0 || setgid(0) == 0) {
        errno = EPERM;
        return false;
    }
    return true;
}
