/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_SIGN_CLIENT_H
#define STK_CLI_SIGN_CLIENT_H

#include "cli/verb.h"
#include <stirkeep/client.h>

/* A client for the socket for signing; false, and complained about, when there can be none. Nothing
 * is opened yet. The caller frees it. */
bool stk_sign_client(const struct stk_cli *cli, struct stirkeep_client **ret_client);

#endif
