/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/room.h"

#include "room/beside.h"
#include "room/gone.h"
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A message on its way is the structure up to the end of its text; the descriptors go beside it. */
#define TEXT_AT offsetof(struct stk_control_message, text)
#define WHOLE offsetof(struct stk_control_message, fds)

#define BESIDE CMSG_SPACE(sizeof(int) * STK_CONTROL_FDS_MAX) /* what may come */
_Static_assert(STK_CONTROL_FDS_MAX <= STK_BESIDE_MAX, "a message has no room for its descriptors");

const char *stk_room_name(enum stk_room room)
{
    static const char *const names[STK_ROOM_COUNT] = {
        [STK_ROOM_KEEPER] = "keeper", [STK_ROOM_INTAKE] = "intake", [STK_ROOM_FRONT] = "front"};

    return (unsigned)room < STK_ROOM_COUNT ? names[room] : "unknown";
}

static bool has_so_many(uint32_t kind, uint32_t fd_count)
{
    switch (kind) {
    case STK_CONTROL_CONFIG:
        return fd_count == 1 || fd_count == 2;
    default:
        return fd_count == 0;
    }
}

/* A room has no sendmsg, and no descriptors to give. */
static ssize_t send_once(int fd, const struct stk_control_message *message, size_t length)
{
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    union stk_beside beside = {0};
    struct iovec part = {.iov_base = (void *)message, .iov_len = length};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (message->fd_count == 0)
        return send(fd, message, length, flags);
    stk_beside_put(&header, &beside, message->fds, message->fd_count);
    return sendmsg(fd, &header, flags);
}

bool stk_control_send_message(int fd, const struct stk_control_message *message)
{
    const size_t length = TEXT_AT + strnlen(message->text, sizeof(message->text) - 1) + 1;
    ssize_t sent = 0;

    assert(has_so_many(message->kind, message->fd_count));
    assert(message->text[length - 1 - TEXT_AT] == '\0');
    do
        sent = send_once(fd, message, length);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length;
}

bool stk_control_send(int fd, enum stk_control_kind kind, enum stk_room room, const char *text)
{
    struct stk_control_message message = {.kind = kind, .room = room};

    (void)snprintf(message.text, sizeof(message.text), "%s", text == NULL ? "" : text);
    return stk_control_send_message(fd, &message);
}

void stk_control_drop(struct stk_control_message *message)
{
    for (size_t i = 0; i < STK_CONTROL_FDS_MAX; i++) {
        if (message->fds[i] >= 0)
            (void)close(message->fds[i]);
        message->fds[i] = -1;
    }
    message->fd_count = 0;
}

/* `got`: bytes; `fd_count`: descriptors that came. */
static bool is_whole(const struct stk_control_message *message, size_t got, uint32_t fd_count)
{
    return got > TEXT_AT && got <= WHOLE && message->kind >= STK_CONTROL_READY &&
           message->kind < STK_CONTROL_KIND_END && message->room < STK_ROOM_COUNT &&
           message->status < STIRKEEP_STATUS_COUNT && message->fd_count == fd_count &&
           has_so_many(message->kind, fd_count) &&
           memchr(message->text, '\0', got - TEXT_AT) == &message->text[got - TEXT_AT - 1];
}

enum stirkeep_status stk_control_receive(int fd, struct stk_control_message *ret_message)
{
    struct stk_control_message message = {0};
    union stk_beside beside = {0};
    struct iovec part = {.iov_base = &message, .iov_len = WHOLE};
    struct msghdr header = {0};
    uint32_t fd_count = 0;
    ssize_t got = 0;

    /* MSG_TRUNC makes recvmsg tell the length that was sent, not the length that fits. A peer that
     * left without reading all that it was sent is told by one ECONNRESET, before its last words. */
    do {
        header = (struct msghdr){
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &beside, .msg_controllen = BESIDE};
        got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? STIRKEEP_UNAVAILABLE
                                                       : STIRKEEP_NOT_CONNECTED;
    fd_count = (uint32_t)stk_beside_take(&header, message.fds, STK_CONTROL_FDS_MAX);
    if (got == 0 && fd_count == 0 && stk_socket_gone(fd))
        return STIRKEEP_NOT_CONNECTED;
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
        !is_whole(&message, (size_t)got, fd_count)) {
        stk_control_drop(&message);
        return STIRKEEP_MALFORMED;
    }
    *ret_message = message;
    return STIRKEEP_OK;
}
