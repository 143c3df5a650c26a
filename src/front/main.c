/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/process.h"
#include "lockdown/lockdown.h"
#include "room/beside.h"
#include "room/room.h"

int main(int argc, char **argv)
{
    struct stk_config *config = stk_room_begin(STK_ROOM_FRONT);
    struct stk_front *front = NULL;
    static const struct stk_access nothing[1];
    struct stk_lockdown lock = {0};
    struct stk_error error = {0};
    int exit_status = 1;

    stk_room_await_go(STK_ROOM_FRONT, argc, argv);
    stk_beside_hurry(STK_FD_FRONT_LISTEN);
    if (stk_lockdown_files(&lock, STK_ROOM_FRONT, config, nothing, 0, &error) != STIRKEEP_OK ||
        stk_front_new(config, &front, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_FRONT, &error);
    /* Of this thread alone: the one that reads configurations has begun. */
    stk_process_slice(STK_SLICE_SHORT_US);
    if (stk_lockdown_calls(&lock, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_FRONT, &error);
    stk_lockdown_word(&lock, front->lockdown);
    exit_status = stk_front_run(front);
    stk_front_free(front);
    return exit_status;
}
