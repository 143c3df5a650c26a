/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLIENT_ADMIN_H
#define STK_CLIENT_ADMIN_H

#include "wire/codec_admin.h"

/* A blocking conversation over admin.sock, for the commands. Not part of libstirkeep. One thread. */
struct stk_admin;

/* NOT_CONNECTED with path and reason. `timeout_ms` holds for each call. */
enum stirkeep_status stk_admin_connect(const char *path, unsigned timeout_ms,
                                       struct stk_admin **ret_admin, struct stk_error *error);
void stk_admin_close(struct stk_admin *admin);

/*
 * Send a request (its id is chosen here) and wait for the answer. OK: `ret_response` is the
 * service's answer, an error answer included becomes the returned status and message. Texts live
 * until the next call. TIMEOUT, NOT_CONNECTED, MALFORMED.
 */
enum stirkeep_status stk_admin_call(struct stk_admin *admin, struct stk_admin_request *request,
                                    struct stk_admin_response *ret_response,
                                    struct stk_error *error);

#endif
