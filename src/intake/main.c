/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "room/room.h"
#include <signal.h>

int main(int argc, char **argv)
{
    struct stk_config *config = stk_room_begin(STK_ROOM_INTAKE);
    struct stk_intake *intake = NULL;
    struct stk_error error = {0};
    int exit_status = 1;

    /* A catalog at the file size limit is a failed write, not the end of intake. */
    (void)signal(SIGXFSZ, SIG_IGN);
    stk_room_await_go(STK_ROOM_INTAKE, argc, argv);
    if (stk_intake_new(config, &intake, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_INTAKE, &error);
    exit_status = stk_intake_run(intake);
    stk_intake_free(intake);
    return exit_status;
}
