/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#define TOKEN_TIMEOUT_MS 5000

static void described(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_task *task = context;

    if (status != STIRKEEP_OK || !answer->has_token) {
        stk_task_refuse(task, error);
        return;
    }
    task->response.spki = answer->token.wrapping_spki;
    task->response.token_label = answer->token.label;
    task->response.token_serial = answer->token.serial;
    stk_task_answer(task, STK_ADMIN_WRAPPING_KEY);
}

/* The public key to which private keys are sealed, fresh from the token. */
void stk_op_wrapping_key(struct stk_task *task)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};

    stk_call(task->intake, &order, TOKEN_TIMEOUT_MS, described, task);
}
