/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/links.h"

#include "room/beside.h"
#include "room/gone.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Asked for; the kernel's wmem_max may cap it. What waits for a room that is being replaced. */
#define LINK_BUFFER (1024 * 1024)

void stk_links_close(struct stk_links *links)
{
    for (size_t i = 0; i < STK_LINK_COUNT; i++)
        for (size_t end = 0; end < 2; end++)
            if (links->ends[i][end] >= 0)
                (void)close(links->ends[i][end]);
    memset(links, 0xff, sizeof(*links)); /* -1 each */
}

enum stirkeep_status stk_links_make(struct stk_links *ret_links, struct stk_error *error)
{
    const int size = LINK_BUFFER;
    struct stk_links links;

    memset(&links, 0xff, sizeof(links));
    for (size_t i = 0; i < STK_LINK_COUNT; i++) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, links.ends[i]) != 0) {
            enum stirkeep_status status =
                stk_error_set(error, STIRKEEP_IO, "link between rooms: %s", strerror(errno));
            stk_links_close(&links);
            return status;
        }
        for (size_t end = 0; end < 2; end++) {
            (void)setsockopt(links.ends[i][end], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
            stk_beside_refuse(links.ends[i][end]);
        }
    }
    *ret_links = links;
    return STIRKEEP_OK;
}

bool stk_links_are_cut(const struct stk_links *links)
{
    for (size_t i = 0; i < STK_LINK_COUNT; i++)
        if (stk_socket_gone(links->ends[i][0]) || stk_socket_gone(links->ends[i][1]))
            return true;
    return false;
}
