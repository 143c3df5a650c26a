/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_PEOPLE_H
#define STK_CONFIG_PEOPLE_H

#include "base/error.h"
#include "config/notes.h"
#include <sys/types.h>

/* Whom names mean. Each is asked for once: "user NAME" and "group NAME" are noted with what was
 * found. `{0}` asks the system's database. */
struct stk_people {
    struct stk_notes found; /* user: uid and gid; group: gid */
    bool told;              /* all there is to know is noted: nobody is asked */
};

/*
 * A user or group by name or by number, as the system's database has it. A number need not be in
 * the database; a user's group is then the same number. CONFIG with "no such user: kamailio";
 * MALFORMED when nobody may be asked and it is not noted.
 */
enum stirkeep_status stk_people_user(struct stk_people *people, const char *text, uid_t *ret_uid,
                                     gid_t *ret_gid, struct stk_error *error);
enum stirkeep_status stk_people_group(struct stk_people *people, const char *text, gid_t *ret_gid,
                                      struct stk_error *error);

void stk_people_free(struct stk_people *people);

#endif
