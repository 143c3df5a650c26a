/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "keeper/keeper.h"
#include "room/room.h"
#include <time.h>
#include <unistd.h>

static bool open_token(struct stk_keeper *keeper)
{
    struct stk_error error = {0};
    enum stirkeep_status status = stk_keeper_open_token(keeper, &error);

    (void)pthread_mutex_lock(&keeper->lock);
    keeper->opened = true;
    keeper->open_status = status;
    keeper->open_error = error;
    (void)pthread_cond_broadcast(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->lock);
    return status == STIRKEEP_OK;
}

#define LOOK_MS 5000 /* between two looks whether the audit key is gone */

static bool receive(struct stk_custody_thread *self, size_t *ret_length)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    enum stirkeep_status status =
        stk_link_receive(STK_FD_KEEPER_INTAKE, LOOK_MS, self->message, ret_length, NULL);

    if (status == STIRKEEP_IO || status == STIRKEEP_NOT_CONNECTED)
        (void)nanosleep(&pause, NULL);
    return status == STIRKEEP_OK;
}

void *stk_custody_thread_run(void *argument)
{
    struct stk_custody_thread *self = argument;

    if (!open_token(self->keeper))
        return NULL;
    for (;;) {
        size_t length = 0;
        bool received = receive(self, &length);
        if (!received && atomic_load(&self->keeper->has_audit_key))
            continue;
        if (!stk_shift_begin(self->keeper, &self->shift))
            break;
        atomic_store(&self->busy_since, stk_clock_mono_us());
        if (received)
            stk_custody_message(self, (struct stk_bytes){self->message, length});
        stk_keeper_find_audit_key(self->keeper);
        atomic_store(&self->busy_since, 0);
        stk_shift_end(&self->shift);
    }
    for (;;)
        (void)pause(); /* main ends the process; libp11's state is this thread's until then */
}
