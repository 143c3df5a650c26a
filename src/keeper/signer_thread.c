/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/process.h"
#include "keeper/keeper.h"
#include "room/room.h"
#include <time.h>
#include <unistd.h>

#define STEADILY 16 /* messages without a wait */

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

static enum stirkeep_status receive(struct stk_signer_thread *self, int timeout_ms,
                                    size_t *ret_length)
{
    return stk_link_receive(STK_FD_KEEPER_FRONT, timeout_ms, self->message, ret_length, NULL);
}

/* UNAVAILABLE: it did not come while it was worth looking for. */
static enum stirkeep_status stay_awake(struct stk_signer_thread *self, size_t *ret_length)
{
    enum stirkeep_status status = STIRKEEP_UNAVAILABLE;

    if (atomic_flag_test_and_set_explicit(&self->keeper->awake, memory_order_relaxed))
        return STIRKEEP_UNAVAILABLE;
    self->awake.worth = atomic_load_explicit(&self->keeper->messages_soon, memory_order_relaxed);
    while (status == STIRKEEP_UNAVAILABLE &&
           stk_awake_stays(&self->awake, true, stk_clock_mono_us()))
        status = receive(self, 0, ret_length);
    atomic_flag_clear_explicit(&self->keeper->awake, memory_order_relaxed);
    return status;
}

/* Those who sleep are woken in turns: what came to this one says little of when the next will. */
static void note_message(struct stk_keeper *keeper, uint64_t now_us)
{
    const uint64_t last_us =
        atomic_exchange_explicit(&keeper->message_us, now_us, memory_order_relaxed);

    atomic_store_explicit(&keeper->messages_soon, now_us - last_us < STK_AWAKE_US,
                          memory_order_relaxed);
}

/*
 * Where there is always more to sign, front and the others come first, and for that this one has the
 * processor for longer when it is its turn. Not while it stays awake: who yields the processor
 * yields all of its slice.
 */
static void set_slice(struct stk_signer_thread *self, bool waited)
{
    if (waited && self->in_a_row >= STEADILY)
        stk_process_slice(0);
    self->in_a_row = waited ? 0 : self->in_a_row + 1;
    if (self->in_a_row == STEADILY)
        stk_process_slice(STK_SLICE_LONG_US);
}

/* The next message. While there is none, nobody waits for what this thread may yet have to record. */
static enum stirkeep_status next_message(struct stk_signer_thread *self, size_t *ret_length)
{
    struct stk_outbox *outbox = &self->keeper->outbox;
    enum stirkeep_status status = receive(self, 0, ret_length);
    uint64_t now_us = 0;

    set_slice(self, status != STIRKEEP_OK);
    if (status == STIRKEEP_OK) {
        note_message(self->keeper, stk_clock_mono_us());
        stk_outbox_leave(outbox);
        return STIRKEEP_OK;
    }
    stk_outbox_rest(outbox);
    status = stay_awake(self, ret_length);
    if (status == STIRKEEP_UNAVAILABLE)
        status = receive(self, -1, ret_length);
    now_us = stk_clock_mono_us();
    (void)stk_awake_stays(&self->awake, false, now_us);
    note_message(self->keeper, now_us);
    return status;
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
