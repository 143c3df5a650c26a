/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "base/digest.h"
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <unistd.h>

/* Where systemd takes users of services from that have none of their own. */
#define UID_FIRST 61184
#define UID_COUNT 4335
#define TRIES 20

void stk_lab_user_choose(struct stk_lab *lab)
{
    lab->uid = geteuid();
    for (int i = 0; i < TRIES && (lab->uid == 0 || (geteuid() == 0 && getpwuid(lab->uid) != NULL));
         i++) {
        uint32_t number = 0;

        stk_random(&number, sizeof(number));
        lab->uid = UID_FIRST + number % UID_COUNT;
    }
}

bool stk_lab_user_become(const struct stk_lab *lab)
{
    gid_t gid = (gid_t)lab->uid;

    if (lab->uid == geteuid())
        return true;
    return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
           setresuid(lab->uid, lab->uid, lab->uid) == 0;
}
