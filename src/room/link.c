/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/room.h"

#include "base/clock.h"
#include "room/gone.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static bool would_wait(int reason)
{
    return reason == EAGAIN || reason == EWOULDBLOCK;
}

static enum stirkeep_status link_failed(int reason, struct stk_error *error)
{
    if (reason == EPIPE || reason == ECONNRESET || reason == ENOTCONN)
        return stk_error_set(error, STIRKEEP_NOT_CONNECTED, "link between rooms: closed");
    if (reason == EMSGSIZE)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "link between rooms: message too long");
    return stk_error_set(error, STIRKEEP_IO, "link between rooms: %s", strerror(reason));
}

/* Wait until the link may be ready or `deadline_us` is there; false then. */
static bool wait_ready(int fd, short events, uint64_t deadline_us)
{
    struct pollfd watch = {.fd = fd, .events = events};
    uint64_t now = stk_clock_mono_us();

    if (now >= deadline_us)
        return false;
    /* Rounded up, so that the last millisecond does not spin. Errors show in the call after it. */
    (void)poll(&watch, 1, (int)((deadline_us - now + 999) / 1000));
    return true;
}

static uint64_t deadline_after(int wait_ms)
{
    return wait_ms > 0 ? stk_clock_mono_us() + (uint64_t)wait_ms * 1000 : 0;
}

enum stirkeep_status stk_link_send(int fd, const void *data, size_t length, int wait_ms,
                                   struct stk_error *error)
{
    const int flags = MSG_NOSIGNAL | (wait_ms < 0 ? 0 : MSG_DONTWAIT);
    const uint64_t deadline_us = deadline_after(wait_ms);

    if (length > STK_LINK_MESSAGE_MAX)
        return link_failed(EMSGSIZE, error);
    for (;;) {
        ssize_t sent = send(fd, data, length, flags);
        if (sent == (ssize_t)length)
            return STIRKEEP_OK;
        if (sent >= 0)
            return link_failed(EIO, error);
        if (errno == EINTR)
            continue;
        if (!would_wait(errno))
            return link_failed(errno, error);
        if (wait_ms >= 0 && !wait_ready(fd, POLLOUT, deadline_us))
            return stk_error_set(error, STIRKEEP_UNAVAILABLE, "link between rooms: full");
    }
}

enum stirkeep_status stk_link_receive(int fd, int wait_ms, uint8_t *data, size_t *ret_length,
                                      struct stk_error *error)
{
    const int flags = wait_ms < 0 ? 0 : MSG_DONTWAIT;
    const uint64_t deadline_us = deadline_after(wait_ms);

    for (;;) {
        struct iovec into = {.iov_base = data, .iov_len = STK_LINK_MESSAGE_MAX};
        /* No room for ancillary data: descriptors that a peer passes are closed by the kernel. */
        struct msghdr header = {.msg_iov = &into, .msg_iovlen = 1};
        ssize_t got = recvmsg(fd, &header, flags);
        if (got >= 0 && (header.msg_flags & MSG_TRUNC) != 0)
            return link_failed(EMSGSIZE, error);
        if (got > 0 || (got == 0 && !stk_socket_gone(fd))) {
            *ret_length = (size_t)got;
            return STIRKEEP_OK;
        }
        if (got == 0)
            return link_failed(EPIPE, error);
        if (errno == EINTR)
            continue;
        if (!would_wait(errno))
            return link_failed(errno, error);
        if (wait_ms >= 0 && !wait_ready(fd, POLLIN, deadline_us))
            return stk_error_set(error, STIRKEEP_UNAVAILABLE, "link between rooms: no message");
    }
}
