/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/loader.h"
#include <stdlib.h>
#include <string.h>

void stk_config_free(struct stk_config *config)
{
    if (config == NULL)
        return;
    free(config->token.module);
    free(config->token.label);
    free(config->token.pin_file);
    free(config->token.directory);
    for (size_t i = 0; i < STK_TOKEN_ENVIRONMENT_MAX; i++)
        free(config->token.environment[i]);
    free(config->sockets.sign);
    free(config->sockets.admin);
    free(config->storage.catalog);
    free(config->storage.spool);
    free(config->audit.file);
    free(config->audit.witness);
    free(config->audit.witness_command);
    free(config->audit.number_key);
    free(config->signing.x5u_template);
    free(config->lock_down.module_paths);
    free(config->attestation.file);
    free(config->attestation.inline_);
    free(config->name);
    stk_policy_free(config->policy);
    free(config);
}

struct stk_config *stk_config_new(const char *name)
{
    struct stk_config *config = calloc(1, sizeof(*config));

    if (config == NULL)
        return NULL;
    config->token.module = strdup("/usr/lib/softhsm/libsofthsm2.so");
    config->token.label = strdup("");
    config->token.pin_file = strdup("/etc/stirkeep/pin");
    config->token.directory = strdup("");
    config->token.call_timeout_ms = 2000;
    config->token.open_timeout_ms = 60000;
    config->sockets.sign = strdup("/run/stirkeep/sign.sock");
    config->sockets.admin = strdup("/run/stirkeep/admin.sock");
    config->sockets.client_timeout_ms = 10000;
    config->storage.catalog = strdup("/var/lib/stirkeep/catalog.db");
    config->storage.spool = strdup("");
    config->audit.file = strdup("/var/log/stirkeep/audit.jsonl");
    config->audit.seal_records = 100000;
    config->audit.seal_seconds = 10;
    config->audit.witness = strdup("");
    config->audit.witness_command = strdup("");
    config->audit.rotate_size = (uint64_t)256 * 1024 * 1024;
    config->audit.compress = true;
    config->audit.number_key = strdup("");
    config->signing.x5u_template = strdup("");
    config->signing.deadline_ms = 500;
    config->signing.iat_window_s = 60;
    config->signing.tn_digits = STK_TN_MAX;
    config->lock_down.require = STK_REQUIRE_SECCOMP;
    config->lock_down.module_paths = strdup("");
    config->attestation.file = strdup("");
    config->name = strdup(name);
    if (config->token.module == NULL || config->token.label == NULL ||
        config->token.pin_file == NULL || config->token.directory == NULL ||
        config->sockets.sign == NULL || config->sockets.admin == NULL ||
        config->storage.catalog == NULL || config->storage.spool == NULL ||
        config->audit.file == NULL || config->audit.witness == NULL ||
        config->audit.witness_command == NULL || config->audit.number_key == NULL ||
        config->signing.x5u_template == NULL || config->attestation.file == NULL ||
        config->lock_down.module_paths == NULL || config->name == NULL ||
        stk_policy_new(&config->policy) != STIRKEEP_OK) {
        stk_config_free(config);
        return NULL;
    }
    return config;
}
