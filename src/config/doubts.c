/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/doubts.h"

#include <stdlib.h>
#include <string.h>

static enum stirkeep_status doubt_executable(const struct stk_grant *grant, const char *path,
                                             struct stk_buffer *out)
{
    char *real = realpath(path, NULL);
    enum stirkeep_status status = STIRKEEP_OK;

    if (real != NULL && strcmp(real, path) != 0) {
        const char *const parts[] = {
            "[grant ", grant->name,    "] executable: no process runs ", path, ", which leads to ",
            real,      ": name that\n"};

        for (size_t i = 0; status == STIRKEEP_OK && i < sizeof(parts) / sizeof(*parts); i++)
            status = stk_buffer_add_text(out, parts[i]);
    }
    free(real);
    return status;
}

enum stirkeep_status stk_config_doubts(const struct stk_config *config, struct stk_buffer *out)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < stk_policy_grant_count(config->policy); i++) {
        const struct stk_grant *grant = stk_policy_grant(config->policy, i);

        for (size_t j = 0; status == STIRKEEP_OK && j < grant->executable_count; j++)
            status = doubt_executable(grant, grant->executables[j], out);
    }
    return status;
}
