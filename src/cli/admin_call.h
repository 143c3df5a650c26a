/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_ADMIN_CALL_H
#define STK_CLI_ADMIN_CALL_H

#include "cli/verb.h"
#include "client/admin.h"
#include "model/generation.h"
#include <jansson.h>

/* Long enough for a token that takes its time and a keeper that is started anew meanwhile. */
#define STK_ADMIN_TIMEOUT_MS 30000

/*
 * For commands that ask one thing of admin.sock: connect, ask about `name` (NULL: none), complain
 * when it fails. On true the caller closes `ret_admin` when done with the response.
 */
bool stk_admin_ask(const struct stk_cli *cli, struct stk_admin_request *request, const char *name,
                   struct stk_admin **ret_admin, struct stk_admin_response *ret_response);

/*
 * Ask whether a certificate and its key are what is active or staged under `name`: the answer is told as that
 * of an import of what is held already, its texts valid until the next call. NOT_ACTIVE otherwise.
 */
enum stirkeep_status stk_admin_held(struct stk_admin *admin, const struct stk_name *name,
                                    const char *fingerprint,
                                    struct stk_admin_response *ret_response,
                                    struct stk_error *error);

/*
 * For commands that change the state of a name, and are told which generation's: ask, and print
 * "NAME BEFORE generation-number AFTER", or JSON with the state.
 */
enum stk_exit stk_admin_change(const struct stk_cli *cli, enum stk_admin_kind kind,
                               const char *state, const char *before, const char *after);

/* What is done with a name's active (or newest) generation; its texts live until the next page. */
typedef enum stirkeep_status stk_admin_visit(void *context, const struct stk_generation *generation,
                                             struct stk_error *error);

/* Visit all names in their order, asking page by page; the first failure ends it. */
enum stirkeep_status stk_admin_each(struct stk_admin *admin, stk_admin_visit *visit, void *context,
                                    struct stk_error *error);

/* A generation as JSON; NULL when memory ran out. */
json_t *stk_generation_json(const struct stk_generation *generation, int64_t now);

#endif
