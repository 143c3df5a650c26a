/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_OUTSIDE_H
#define STK_CLI_OUTSIDE_H

#include "base/error.h"
#include "model/diagnosis.h"

/*
 * Whether others may write to the configuration, if it is there to be looked at: CONFIG saying so.
 * It may be root's, and the user's who runs stirkeepd, to whom the lock beside the socket belongs.
 */
enum stirkeep_status stk_outside_trust(const char *admin_socket, const char *config_path,
                                       struct stk_error *error);
#define STK_OUTSIDE_TRUST_CURE                                                                     \
    "chown it to root, chmod go-w, and see who changed what: stirkeepd does not take it as it is"

/*
 * What can be told of a service that gives no answer at its socket for administration, or refuses
 * this user: the socket file, stirkeepd's lock beside it, who asks, and what the configuration says
 * of all that where it can be read. `why` is what asking came to.
 */
void stk_outside_look(const char *admin_socket, const char *config_path,
                      const struct stk_error *why, struct stk_diagnosis *diagnosis);

#endif
