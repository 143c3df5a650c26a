/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_REPORT_CONFIG_H
#define STK_CLI_REPORT_CONFIG_H

#include "cli/verb.h"
#include "config/config.h"
#include <jansson.h>

/* Configurations whose text was given, each known by its SHA-256 as `policy` records name it. */
struct stk_report_config {
    const char *path;
    char digest[2 * STK_DIGEST_LENGTH + 1];
    struct stk_config *config; /* NULL: it cannot be read here ... */
    struct stk_error why;      /* ... and why; a user that is not known on this host, say */
};

struct stk_report_configs {
    struct stk_report_config items[STK_TEXTS_MAX];
    size_t count;
};

/* IO: a file cannot be read at all. Follow with stk_report_configs_free in any case. */
enum stirkeep_status stk_report_configs_read(const struct stk_texts *paths,
                                             struct stk_report_configs *configs,
                                             struct stk_error *error);
void stk_report_configs_free(struct stk_report_configs *configs);

/* NULL: the text of that one was not given. */
const struct stk_report_config *stk_report_configs_find(const struct stk_report_configs *configs,
                                                        const char *digest);

/* All grants of a configuration, and the names of those that allow a certificate; NULL without
 * memory. */
json_t *stk_report_config_grants(const struct stk_config *config);
json_t *stk_report_config_allowing(const struct stk_config *config, const char *certificate);

#endif
