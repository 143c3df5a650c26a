/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sign_client.h"

#include "cli/output.h"
#include <sys/un.h>

bool stk_sign_client(const struct stk_cli *cli, struct stirkeep_client **ret_client)
{
    enum stirkeep_status status = stirkeep_client_new(cli->sign_socket, 0, ret_client);

    if (status == STIRKEEP_INVALID)
        stk_complain(cli->verb->name,
                     "socket path: a Unix socket's has 1 to %zu characters: %.40s...",
                     sizeof((struct sockaddr_un){0}.sun_path) - 1, cli->sign_socket);
    else if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", stirkeep_status_text(status));
    return status == STIRKEEP_OK;
}
