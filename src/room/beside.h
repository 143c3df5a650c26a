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

#endif
