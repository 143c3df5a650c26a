/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/handover.h"

#include "room/beside.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(STK_HANDOVER_GIVEN <= STK_BESIDE_MAX, "a word has no room for what is given");

bool stk_handover_say(int fd, const char *text, const int *fds, size_t fd_count)
{
    union stk_beside beside = {0};
    struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent = 0;

    assert(part.iov_len > 0 && part.iov_len <= STK_HANDOVER_TEXT_MAX);
    assert(fd_count <= STK_HANDOVER_GIVEN);
    stk_beside_put(&header, &beside, fds, fd_count);
    do
        sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)part.iov_len;
}

static bool is_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return length > 0;
}

enum stirkeep_status stk_handover_get(int fd, int wait_ms, char ret_text[STK_HANDOVER_TEXT_MAX + 1],
                                      int ret_fds[STK_HANDOVER_GIVEN])
{
    struct pollfd watch = {.fd = fd, .events = POLLIN};
    struct iovec part = {.iov_base = ret_text, .iov_len = STK_HANDOVER_TEXT_MAX};
    union stk_beside beside = {0};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &beside,
                            .msg_controllen = CMSG_SPACE(sizeof(int) * STK_HANDOVER_GIVEN)};
    ssize_t got = 0;

    memset(ret_fds, 0xff, sizeof(int) * STK_HANDOVER_GIVEN); /* -1 each */
    ret_text[0] = '\0';
    if (poll(&watch, 1, wait_ms) <= 0)
        return STIRKEEP_UNAVAILABLE;
    got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return STIRKEEP_UNAVAILABLE;
    if (got <= 0)
        return STIRKEEP_NOT_CONNECTED;
    (void)stk_beside_take(&header, ret_fds, STK_HANDOVER_GIVEN);
    ret_text[got] = '\0';
    return (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && is_text(ret_text, (size_t)got)
               ? STIRKEEP_OK
               : STIRKEEP_MALFORMED;
}
