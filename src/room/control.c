/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/room.h"

#include "room/gone.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

const char *stk_room_name(enum stk_room room)
{
    static const char *const names[STK_ROOM_COUNT] = {
        [STK_ROOM_KEEPER] = "keeper", [STK_ROOM_INTAKE] = "intake", [STK_ROOM_FRONT] = "front"};

    return (unsigned)room < STK_ROOM_COUNT ? names[room] : "unknown";
}

bool stk_control_send(int fd, enum stk_control_kind kind, enum stk_room room, const char *text)
{
    struct stk_control_message message = {.kind = kind, .room = room};
    ssize_t sent = 0;

    (void)snprintf(message.text, sizeof(message.text), "%s", text == NULL ? "" : text);
    do
        sent = send(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof(message);
}

static bool is_whole(const struct stk_control_message *message)
{
    return message->kind >= STK_CONTROL_READY && message->kind <= STK_CONTROL_ROOM_DOWN &&
           message->room < STK_ROOM_COUNT &&
           memchr(message->text, '\0', sizeof(message->text)) != NULL;
}

enum stirkeep_status stk_control_receive(int fd, struct stk_control_message *ret_message)
{
    struct stk_control_message message = {0};
    ssize_t got = 0;

    /* MSG_TRUNC makes recv tell the length that was sent, not the length that fits. A peer that
     * left without reading all that it was sent is told by one ECONNRESET, before its last words. */
    do
        got = recv(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);
    while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? STIRKEEP_UNAVAILABLE
                                                       : STIRKEEP_NOT_CONNECTED;
    if (got == 0 && stk_socket_gone(fd))
        return STIRKEEP_NOT_CONNECTED;
    if (got != (ssize_t)sizeof(message) || !is_whole(&message))
        return STIRKEEP_MALFORMED;
    *ret_message = message;
    return STIRKEEP_OK;
}
