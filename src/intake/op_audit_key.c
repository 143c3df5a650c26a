/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/digest.h"

#define TOKEN_TIMEOUT_MS 5000

static void described(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_task *task = context;
    struct stk_admin_response *response = &task->response;
    struct stk_error reason = {0};

    if (status == STIRKEEP_OK && answer->has_token && answer->token.audit_spki.length == 0) {
        (void)stk_error_set(&reason, STIRKEEP_KEY_UNAVAILABLE,
                            "there is no audit key on the token (the keeper's log says why)");
        stk_task_refuse(task, &reason);
        return;
    }
    if (status != STIRKEEP_OK || !answer->has_token) {
        stk_task_refuse(task, error);
        return;
    }
    response->spki = answer->token.audit_spki;
    stk_sha256(response->spki.data, response->spki.length, response->key_id.bytes);
    response->attributes = answer->token.audit_attributes;
    response->token_label = answer->token.label;
    response->token_serial = answer->token.serial;
    stk_task_answer(task, STK_ADMIN_AUDIT_KEY);
}

/* The public key that the trail's seals are verified with. */
void stk_op_audit_key(struct stk_task *task)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};

    stk_call(task->intake, &order, TOKEN_TIMEOUT_MS, described, task);
}
