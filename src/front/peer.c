/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

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

struct stk_grants *stk_peer_grants(int fd, const struct stk_policy *policy, const char *executable,
                                   const char *unit)
{
    struct stk_who who = {.executable = executable, .unit = unit};
    struct stk_peer peer = {0};
    struct stk_grants *grants = NULL;
    gid_t *groups = NULL;

    if (!stk_peer_of(fd, &peer, &groups, &who.group_count))
        return NULL;
    who.uid = peer.uid;
    who.groups = groups;
    grants = stk_policy_grants_for(policy, &who);
    free(groups);
    return grants;
}

bool stk_peer_lives(int fd)
{
    struct pollfd watch = {.fd = -1, .events = POLLIN};
    socklen_t length = sizeof(watch.fd);
    bool ended = false;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &watch.fd, &length) != 0)
        return false;
    /* A pidfd can be read once its process has ended, a zombie included. */
    ended = poll(&watch, 1, 0) != 0;
    (void)close(watch.fd);
    errno = ESRCH;
    return !ended;
}
