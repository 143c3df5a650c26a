/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_PEOPLE_H
#define STK_CONFIG_PEOPLE_H

#include "base/error.h"
#include <sys/types.h>

/*
 * A user or group by name or by number, as the system's database has it. A number need not be in
 * the database; a user's group is then the same number. CONFIG with "no such user: kamailio".
 */
enum stirkeep_status stk_user_find(const char *text, uid_t *ret_uid, gid_t *ret_gid,
                                   struct stk_error *error);
enum stirkeep_status stk_group_find(const char *text, gid_t *ret_gid, struct stk_error *error);

#endif
