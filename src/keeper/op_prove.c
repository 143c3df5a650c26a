/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

/* Sign a challenge with a key, to prove that it can sign. */
enum stirkeep_status stk_op_prove(struct stk_custody_thread *self,
                                  const struct stk_custody_order *order,
                                  struct stk_custody_answer *answer, struct stk_error *error)
{
    return stk_custody_prove(self, order, answer, error);
}
