/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "keeper/keeper.h"
#include <inttypes.h>
#include <limits.h>

#define BUDGET_US 4000000ULL /* for proving, measuring and looking at files */

/* No more than the time of two calls: the watchdog ends an order that takes twenty. */
static uint64_t budget_us(const struct stk_keeper *keeper)
{
    uint64_t two_calls = (uint64_t)keeper->config->token.call_timeout_ms * 2000;

    return two_calls < BUDGET_US ? two_calls : BUDGET_US;
}

static void describe_seals(struct stk_keeper *keeper, struct stk_diagnosis *diagnosis)
{
    struct stk_trail *trail = stk_recorder_trail(&keeper->recorder);
    uint64_t sealed = atomic_load(&keeper->sealer.sealed);
    int64_t since_us = 0;
    uint64_t unsealed = trail == NULL ? 0 : stk_trail_unsealed(trail, &since_us);

    if (sealed > 0)
        stk_diagnosis_fact(diagnosis, "audit seals",
                           "through record %" PRIu64 "; %" PRIu64 " records are not sealed yet",
                           sealed, unsealed);
    else
        stk_diagnosis_fact(diagnosis, "audit seals",
                           "none since the keeper started; %" PRIu64 " records are not sealed",
                           unsealed);
    if (!atomic_load(&keeper->has_audit_key))
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "see what the keeper's log says of it; it is tried again by itself",
                              "there is no audit key: the audit trail is not sealed");
}

static void describe_trail(struct stk_keeper *keeper, struct stk_diagnosis *diagnosis)
{
    const char *path = keeper->config->audit.file;
    char directory[PATH_MAX] = "";

    stk_recorder_try(&keeper->recorder); /* whoever looks is told how it is now */
    stk_diagnosis_fact(diagnosis, "audit trail", "%s, record %" PRIu64, path,
                       stk_recorder_sequence(&keeper->recorder));
    if (!stk_recorder_writable(&keeper->recorder))
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "see what the keeper's log says of it; the keeper's user has to be "
                              "able to write the file, or to make it in its directory",
                              "the audit trail %s cannot be written: nothing is signed", path);
    describe_seals(keeper, diagnosis);
    if (stk_file_directory_of(path, directory, sizeof(directory)))
        stk_diagnosis_disk(diagnosis, "audit trail in", directory);
}

/* What can the token do, and what is wrong with it? */
enum stirkeep_status stk_op_examine(struct stk_custody_thread *self,
                                    const struct stk_custody_order *order,
                                    struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    struct stk_diagnosis *diagnosis = stk_arena_take(&self->arena, sizeof(*diagnosis));
    enum stirkeep_status status = STIRKEEP_OK;

    (void)order;
    if (diagnosis == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    *diagnosis = (struct stk_diagnosis){.arena = &self->arena};
    stk_diagnosis_fact(diagnosis, "module", "%s", keeper->config->token.module);
    status = stk_token_examine(keeper->token, budget_us(keeper), diagnosis, error);
    if (status != STIRKEEP_OK)
        return status;
    stk_diagnosis_fact(diagnosis, "hardware required", "%s",
                       keeper->config->token.require_hardware ? "yes" : "no");
    stk_diagnosis_fact(diagnosis, "signers", "%zu", keeper->signer_count);
    describe_trail(keeper, diagnosis);
    answer->has_examined = true;
    answer->facts = diagnosis->facts;
    answer->fact_count = diagnosis->fact_count;
    answer->troubles = diagnosis->troubles;
    answer->trouble_count = diagnosis->trouble_count;
    return STIRKEEP_OK;
}
