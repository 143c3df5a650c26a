/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keeper that records nothing, so that audit_cost.py can tell what recording costs: the keeper's
 * own objects, with this in the place of those that write the trail. It is not installed, and no
 * program of the product can become it.
 */
#include "base/log.h"
#include "keeper/keeper.h"

void stk_recorder_begin(struct stk_recorder *recorder, const char *path, enum stk_trail_sync sync,
                        const char *start_detail)
{
    recorder->path = path;
    recorder->sync = sync;
    recorder->start_detail = start_detail;
    stk_log(STK_LOG_ERROR, "NOTHING IS RECORDED: this keeper is for measuring alone");
}

void stk_recorder_try(struct stk_recorder *recorder)
{
    (void)recorder;
}

enum stirkeep_status stk_recorder_append(struct stk_recorder *recorder,
                                         const struct stk_record *records, size_t count,
                                         struct stk_error *error)
{
    (void)recorder;
    (void)records;
    (void)count;
    (void)error;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_recorder_append_composed(struct stk_recorder *recorder,
                                                  const struct stk_buffer *const *bodies,
                                                  size_t count, struct stk_error *error)
{
    (void)recorder;
    (void)bodies;
    (void)count;
    (void)error;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_recorder_sync(struct stk_recorder *recorder, struct stk_error *error)
{
    (void)recorder;
    (void)error;
    return STIRKEEP_OK;
}

void stk_recorder_watch(struct stk_recorder *recorder)
{
    (void)recorder;
}

struct stk_trail *stk_recorder_trail(struct stk_recorder *recorder)
{
    (void)recorder;
    return NULL;
}

uint64_t stk_recorder_sequence(struct stk_recorder *recorder)
{
    (void)recorder;
    return 0;
}

bool stk_recorder_writable(struct stk_recorder *recorder)
{
    (void)recorder;
    return true;
}

void stk_recorder_stop(struct stk_recorder *recorder, const char *detail)
{
    (void)recorder;
    (void)detail;
}

void stk_recorder_close(struct stk_recorder *recorder)
{
    (void)recorder;
}

bool stk_sign_record(struct stk_signer_thread *self, const struct stk_front_orders *orders,
                     struct stk_buffer *bodies)
{
    (void)self;
    (void)orders;
    (void)bodies;
    return true;
}
