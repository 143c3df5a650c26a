/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_ROOM_BESIDE_H
#define STK_ROOM_BESIDE_H

#include <stddef.h>
#include <sys/socket.h>

/* Descriptors that go beside a message on a Unix socket (SCM_RIGHTS). Any thread. */

#define STK_BESIDE_MAX 4

union stk_beside {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int) * STK_BESIDE_MAX)];
};

/* Have `header` carry `count` descriptors, none or up to STK_BESIDE_MAX, which stay the caller's; in
 * `beside`, which has to live as long. */
void stk_beside_put(struct msghdr *header, union stk_beside *beside, const int *fds, size_t count);

/* Those that came with `header` into the `room` places at `ret_fds`, which are -1 where none came. More
 * than have a place are closed: the space for ancillary data is rounded up. Returns how many came. */
size_t stk_beside_take(struct msghdr *header, int *ret_fds, size_t room);

/*
 * Have the kernel refuse descriptors to whoever sends any to this socket, or to a connection that is
 * accepted from it later (SO_PASSRIGHTS, Linux 6.16). They would be closed by whoever reads, in his
 * time; and some take theirs: a TCP socket with SO_LINGER as long as its sender likes. Older kernels
 * do not know it: a room that reads what anybody may send has stk_beside_hurry for them.
 */
void stk_beside_refuse(int fd);

/*
 * For the life of the process: what waits in a close is interrupted after STK_BESIDE_HURRY_MS, if
 * this listening socket does not refuse descriptors. By SIGALRM, which does nothing else. Of a room,
 * before it is locked down.
 */
#define STK_BESIDE_HURRY_MS 20
void stk_beside_hurry(int listener);

#endif
