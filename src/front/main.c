/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "room/room.h"

int main(int argc, char **argv)
{
    struct stk_config *config = stk_room_begin(STK_ROOM_FRONT);
    struct stk_front *front = NULL;
    struct stk_error error = {0};
    int exit_status = 1;

    stk_room_await_go(STK_ROOM_FRONT, argc, argv);
    if (stk_front_new(config, &front, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_FRONT, &error);
    exit_status = stk_front_run(front);
    stk_front_free(front);
    return exit_status;
}
