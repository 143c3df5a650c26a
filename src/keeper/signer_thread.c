/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"
#include "room/room.h"
#include <time.h>
#include <unistd.h>

/* Nothing more for this thread to do: main ends the process. */
static _Noreturn void rest(void)
{
    for (;;)
        (void)pause();
}

static void breathe(void)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    (void)nanosleep(&pause, NULL);
}

void *stk_signer_thread_run(void *argument)
{
    struct stk_signer_thread *self = argument;

    for (;;) {
        size_t length = 0;
        enum stirkeep_status status =
            stk_link_receive(STK_FD_KEEPER_FRONT, -1, self->message, &length, NULL);

        if (status == STIRKEEP_NOT_CONNECTED)
            rest(); /* the porter held the other end: it is gone, as main is about to see */
        if (status == STIRKEEP_IO)
            breathe();
        if (status != STIRKEEP_OK)
            continue;
        if (!stk_shift_begin(self->keeper, &self->shift))
            rest();
        stk_sign_batch(self, (struct stk_bytes){self->message, length});
        stk_shift_end(&self->shift);
    }
    return NULL;
}
