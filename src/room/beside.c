/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/beside.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS                                                                              \
    83 /* alpha, mips, parisc and sparc, which have other numbers, have the name */
#endif

void stk_beside_refuse(int fd)
{
    const int off = 0;

    (void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
}

static bool refuses(int fd)
{
    int passes = 1;
    socklen_t size = sizeof(passes);

    return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &passes, &size) == 0 && passes == 0;
}

static void be_interrupted(int signal)
{
    (void)signal;
}

void stk_beside_hurry(int listener)
{
    const struct sigaction action = {.sa_handler = be_interrupted, .sa_flags = SA_RESTART};
    const struct timeval pause = {.tv_usec = STK_BESIDE_HURRY_MS * 1000};
    const struct itimerval timer = {.it_interval = pause, .it_value = pause};

    if (!refuses(listener) && sigaction(SIGALRM, &action, NULL) == 0)
        (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void stk_beside_put(struct msghdr *header, union stk_beside *beside, const int *fds, size_t count)
{
    const size_t size = sizeof(int) * count;

    assert(count <= STK_BESIDE_MAX);
    if (count == 0)
        return;
    header->msg_control = beside;
    header->msg_controllen = CMSG_SPACE(size);
    beside->header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
    memcpy(CMSG_DATA(&beside->header), fds, size);
}

size_t stk_beside_take(struct msghdr *header, int *ret_fds, size_t room)
{
    size_t count = 0;

    memset(ret_fds, 0xff, sizeof(int) * room); /* -1 each */
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (at->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd = -1;

            memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
            if (count < room)
                ret_fds[count] = fd;
            else
                (void)close(fd);
            count++;
        }
    }
    return count;
}
