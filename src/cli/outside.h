/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_OUTSIDE_H
#define STK_CLI_OUTSIDE_H

#include "base/error.h"
#include "model/diagnosis.h"

/*
 * What can be told of a service that gives no answer at its socket for administration, or refuses
 * this user: the socket file, stirkeepd's lock beside it, who asks, and what the configuration says
 * of all that where it can be read. `why` is what asking came to.
 */
void stk_outside_look(const char *admin_socket, const char *config_path,
                      const struct stk_error *why, struct stk_diagnosis *diagnosis);

#endif
