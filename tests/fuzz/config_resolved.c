/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"
#include "fuzz.h"

/* A configuration as a room is given it: users and groups that were found, then the file. Nobody is
 * asked about them, whatever it says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_config_parse_resolved((const char *)data, size, "stirkeep.conf", &config, &error);

    if (status == STIRKEEP_OK)
        stk_config_free(config);
    else
        fuzz_refusal(status, &error);
    return 0;
}
