/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS 100 /* after a trail that could not be written */

static enum stirkeep_status write_down(struct stk_keeper *keeper,
                                       const struct stk_happening *happening, uint32_t lost)
{
    static const struct stk_key_id none;
    char text[STK_ERROR_MAX + 64] = "";
    bool good = happening->outcome == STIRKEEP_OK;
    const struct stk_record record = {
        .act = happening->act,
        .outcome = stirkeep_status_name(happening->outcome),
        .reason = good ? NULL : text,
        .detail = good ? text : NULL,
        .key_id = memcmp(&happening->key_id, &none, sizeof(none)) == 0 ? NULL : &happening->key_id};

    (void)snprintf(text, sizeof(text), "%s", happening->text);
    if (lost > 0)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       "; %" PRIu32 " more such things were not recorded", lost);
    return stk_recorder_append(&keeper->recorder, &record, 1, NULL);
}

void *stk_clerk_thread_run(void *argument)
{
    const struct timespec pause_again = {.tv_nsec = AGAIN_MS * 1000000L};
    struct stk_clerk_thread *self = argument;
    struct stk_keeper *keeper = self->keeper;

    for (;;) {
        struct stk_happening happening = {0};
        enum stirkeep_status status = STIRKEEP_OK;
        uint32_t lost = 0;

        stk_clerk_next(&keeper->clerk, &happening, &lost);
        if (!stk_shift_begin(keeper, &self->shift))
            break;
        status = write_down(keeper, &happening, lost);
        stk_shift_end(&self->shift);
        if (status == STIRKEEP_OK)
            stk_clerk_done(&keeper->clerk, lost);
        else
            (void)nanosleep(&pause_again, NULL);
    }
    for (;;)
        (void)pause(); /* main ends the process */
}
