/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_PORTER_H
#define STK_STIRKEEPD_PORTER_H

#include "stirkeepd/options.h"

/* Run the service until it is told to stop or fails; the exit status. */
int stk_porter_run(const struct stk_options *options);

#endif
