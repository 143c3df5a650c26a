/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PEER_OF_H
#define STK_CLI_PEER_OF_H

#include "base/error.h"
#include "cli/verb.h"
#include <sys/types.h>

/* A user as a peer of sign.sock would be. */
struct stk_peer_of {
    uid_t uid;
    gid_t *groups; /* owned: those of the system's database, and then the others */
    size_t group_count;
};

/*
 * By name or number. A number that the system does not know is a user without groups. CONFIG when a
 * name is not known. Follow with stk_peer_of_free in any case.
 */
enum stirkeep_status stk_peer_of(const char *user, const struct stk_texts *groups,
                                 struct stk_peer_of *ret_peer, struct stk_error *error);
void stk_peer_of_free(struct stk_peer_of *peer);

#endif
