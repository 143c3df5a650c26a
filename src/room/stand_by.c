/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/room.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

bool stk_room_stands_by(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], STK_ROOM_STAND_BY) == 0;
}

/* Nothing of it is anybody's yet: there is nothing to finish. */
static void wait_for_go(void)
{
    struct pollfd watch = {.fd = STK_FD_CONTROL, .events = POLLIN};
    struct stk_control_message message = {0};
    enum stirkeep_status status = STIRKEEP_UNAVAILABLE;

    while (status == STIRKEEP_UNAVAILABLE) {
        if (poll(&watch, 1, -1) < 0 && errno != EINTR && errno != EAGAIN)
            _exit(1);
        status = stk_control_receive(STK_FD_CONTROL, &message);
    }
    if (status != STIRKEEP_OK)
        _exit(1);
    if (message.kind != STK_CONTROL_GO)
        _exit(0);
}

void stk_room_await_go(enum stk_room room, int argc, char **argv)
{
    if (!stk_room_stands_by(argc, argv))
        return;
    if (!stk_control_send(STK_FD_CONTROL, STK_CONTROL_STANDING_BY, room, NULL))
        _exit(1);
    wait_for_go();
}
