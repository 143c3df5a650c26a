/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/gone.h"

#include <poll.h>

bool stk_socket_gone(int fd)
{
    struct pollfd watch = {.fd = fd, .events = POLLRDHUP};

    return poll(&watch, 1, 0) == 1 && (watch.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
