/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_USER_H
#define STK_STIRKEEPD_USER_H

#include "base/error.h"
#include "config/config.h"
#include <stdbool.h>
#include <sys/types.h>

/* Whom a room runs as. `change` is false for an ordinary user's service: all run as that user. */
struct stk_user {
    bool change;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* owned; what the system's database says, `gid` among them */
    size_t group_count;
};

/*
 * Each room's user, by [rooms] when this process is root's; one that is root's or another room's
 * is refused. CONFIG, `name` (the configuration's) and the key. Free with stk_users_free.
 */
enum stirkeep_status stk_users_find(const struct stk_config *config, const char *name,
                                    struct stk_user ret_users[STK_ROOM_COUNT],
                                    struct stk_error *error);
void stk_users_free(struct stk_user users[STK_ROOM_COUNT]);

/* Become that user for good, and verify it; false with errno. In a child only. */
bool stk_user_become(const struct stk_user *user);

#endif
