/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"
#include "room/room.h"
#include <time.h>
#include <unistd.h>

/* Nothing more for this thread to do: main ends the process. */
static _Noreturn void rest(struct stk_signer_thread *self)
{
    stk_outbox_rest(&self->keeper->outbox);
    for (;;)
        (void)pause();
}

static void breathe(void)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    (void)nanosleep(&pause, NULL);
}

/* The next message. While there is none, nobody waits for what this thread may yet have to record. */
static enum stirkeep_status next_message(struct stk_signer_thread *self, size_t *ret_length)
{
    struct stk_outbox *outbox = &self->keeper->outbox;
    enum stirkeep_status status =
        stk_link_receive(STK_FD_KEEPER_FRONT, 0, self->message, ret_length, NULL);

    if (status == STIRKEEP_OK) {
        stk_outbox_leave(outbox);
        return STIRKEEP_OK;
    }
    stk_outbox_rest(outbox);
    return stk_link_receive(STK_FD_KEEPER_FRONT, -1, self->message, ret_length, NULL);
}

void *stk_signer_thread_run(void *argument)
{
    struct stk_signer_thread *self = argument;

    for (;;) {
        size_t length = 0;
        enum stirkeep_status status = next_message(self, &length);

        if (status == STIRKEEP_NOT_CONNECTED)
            rest(self); /* the porter held the other end: it is gone, as main is about to see */
        if (status == STIRKEEP_IO)
            breathe();
        if (status != STIRKEEP_OK)
            continue;
        if (!stk_shift_begin(self->keeper, &self->shift))
            rest(self);
        stk_sign_batch(self, (struct stk_bytes){self->message, length});
        stk_shift_end(&self->shift);
    }
    return NULL;
}
