/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_SIGN_BATCH_H
#define STK_CLI_SIGN_BATCH_H

#include "cli/verb.h"
#include <jansson.h>
#include <stirkeep/client.h>

/*
 * Have each line of a file ("-": standard input) signed, in groups as large as the service takes
 * (`whole`: one group, all of it or nothing), and print a line for each in its order. DONE when all
 * were signed. The lines: cli/batch_line.h; one without a name is for the command's NAME.
 */
enum stk_exit stk_sign_batch(const struct stk_cli *cli, struct stirkeep_client *client,
                             const char *path, bool whole);

/* What `sign` prints of a signature; NULL when memory ran out. */
json_t *stk_signature_json(const char *name, const struct stirkeep_signature *signature);

#endif
