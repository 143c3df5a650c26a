/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/signing.h"

/* One PASSporT, of claims or of an input. */
void stk_op_sign(const struct stk_ask *ask)
{
    struct stk_signing *signing = &ask->request->signings[0];
    struct stk_permit permit = {0};
    struct stk_slot *slot = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = stk_signing_decide(ask, signing, &permit, &error);

    if (status == STIRKEEP_OK)
        status = stk_signing_charge(ask, signing, &permit, &error);
    if (status != STIRKEEP_OK) {
        stk_refuse_signing(ask, signing, status, error.message);
        return;
    }
    status = stk_signing_place(ask, signing, &permit, &slot, &error);
    if (status != STIRKEEP_OK) {
        stk_signing_refund(ask, signing, &permit);
        stk_refuse_signing(ask, signing, status, error.message);
        return;
    }
    ask->connection->unanswered++;
    stk_owed_promise(ask->connection, slot->promised);
}
