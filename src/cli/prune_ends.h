/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PRUNE_ENDS_H
#define STK_CLI_PRUNE_ENDS_H

#include "cli/prune_keys.h"

/*
 * When the certificates of keys expire that the trail does not say were destroyed: from certificate
 * files, and from the service, which is asked name by name. IO, CERT_INVALID: a file is none.
 */
enum stirkeep_status stk_prune_ends_of_files(struct stk_prune_keys *keys,
                                             const struct stk_texts *paths,
                                             struct stk_error *error);

/* True when there is nothing to ask or all was answered; otherwise `error` says why not, and the
 * keys that nobody knows of stay without an end. */
bool stk_prune_ends_of_service(struct stk_prune_keys *keys, const char *admin_socket,
                               struct stk_error *error);

#endif
