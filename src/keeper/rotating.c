/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/keeper.h"

#define AGAIN_US 1000000
#define FAILED_AGAIN_US 10000000

/* How often the file has been due since it was begun: 0 is not yet. */
static uint64_t times_due(const struct stk_config *config, struct stk_trail *trail)
{
    uint64_t bytes = 0;
    int64_t begun = 0;
    int64_t age_s = 0;
    uint64_t by_size = 0;
    uint64_t by_age = 0;

    stk_trail_extent(trail, &bytes, &begun);
    if (begun == 0)
        return 0;
    age_s = (stk_clock_real_us() - begun) / 1000000;
    if (config->audit.rotate_size > 0)
        by_size = bytes / config->audit.rotate_size;
    if (config->audit.rotate_age_s > 0 && age_s > 0)
        by_age = (uint64_t)age_s / config->audit.rotate_age_s;
    return by_size > by_age ? by_size : by_age;
}

static void rotate(struct stk_sealer *self, struct stk_trail *trail)
{
    struct stk_error error = {0};
    char name[PATH_MAX] = "";

    if (stk_trail_rotate(trail, stk_clock_real_us(), name, &error) == STIRKEEP_OK) {
        stk_log(STK_LOG_INFO, "audit trail: rotated: %s", name);
        self->told_unrotated = false;
        stk_compressor_want(&self->keeper->compressor);
        return;
    }
    if (!self->told_unrotated)
        stk_log(STK_LOG_ERROR, "audit trail: %s: the file grows on", error.message);
    self->told_unrotated = true;
    self->rotate_again = stk_clock_mono_us() + FAILED_AGAIN_US;
}

void stk_rotating_if_due(struct stk_sealer *self, struct stk_trail *trail)
{
    uint64_t now = stk_clock_mono_us();
    uint64_t due = 0;

    if (now < self->rotate_again)
        return;
    due = times_due(self->keeper->config, trail);
    if (due == 0)
        return;
    /* What cannot be sealed now can be as long as it is in the file; but not for ever. */
    if (stk_sealing_do(self, trail) || due > 1)
        rotate(self, trail);
    else
        self->rotate_again = now + AGAIN_US;
}
