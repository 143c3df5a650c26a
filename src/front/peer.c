/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

bool stk_peer_of(int fd, struct stk_peer *ret_peer, gid_t **ret_groups, size_t *ret_group_count)
{
    struct ucred credentials = {0};
    socklen_t length = sizeof(credentials);
    socklen_t room = 64 * sizeof(gid_t);
    gid_t *groups = NULL;
    size_t count = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
        length != sizeof(credentials))
        return false;
    for (;;) {
        gid_t *grown = realloc(groups, room + sizeof(gid_t)); /* and one for the gid */

        if (grown == NULL) {
            free(groups);
            return false;
        }
        groups = grown;
        length = room;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) == 0) {
            count = length / sizeof(gid_t);
            break;
        }
        if (errno != ERANGE || length <= room || length > GROUPS_MAX * sizeof(gid_t))
            break; /* a kernel before 4.13: the gid alone */
        room = length;
    }
    groups[count++] = credentials.gid;
    *ret_peer = (struct stk_peer){credentials.uid, credentials.gid, credentials.pid};
    *ret_groups = groups;
    *ret_group_count = count;
    return true;
}
