/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_POLICY_FILE_H
#define STK_CLI_POLICY_FILE_H

#include "config/config.h"

#define STK_DEFAULT_CONFIG "/etc/stirkeep/stirkeep.conf"

/* A configuration and its attestation rules, ready to decide by: what a service would take over. */
struct stk_policy_file {
    struct stk_config *config;
    struct stk_buffer image;
    struct stk_rules *rules; /* NULL: there are none */
    size_t rule_count;
    char configuration[2 * STK_DIGEST_LENGTH + 1]; /* SHA-256 of the file, hex */
    char attestation[2 * STK_DIGEST_LENGTH + 1];   /* the same of the rules' file; "": none */
};

/* Read both. `judged`: a configuration that a service would not take because others may write to it
 * (config/file.h) is refused, too. CONFIG with file, line and reason, IO. Follow with stk_policy_file_close in any case. */
enum stirkeep_status stk_policy_file_open(const char *path, bool judged,
                                          struct stk_policy_file *file, struct stk_error *error);
/* The configuration alone, whoever may write to it. */
enum stirkeep_status stk_policy_file_parse(const char *path, struct stk_policy_file *file,
                                           struct stk_error *error);
void stk_policy_file_close(struct stk_policy_file *file);

#endif
