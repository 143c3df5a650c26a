/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"
#include "fuzz.h"
#include <stdio.h>
#include <string.h>

/*
 * A configuration as a room is given it: users and groups that were found, then the file. Nobody is
 * asked about them, whatever it says. Behind the mark "text =" the file's length is filled in, which
 * no mutation would.
 */
#define MARK "\ntext =\n"

static void parse(struct stk_bytes text)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = stk_config_parse_resolved((const char *)text.data, text.length,
                                                            "stirkeep.conf", &config, &error);

    if (status == STIRKEEP_OK)
        stk_config_free(config);
    else
        fuzz_refusal(status, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *mark = size > 0 ? memmem(data, size, MARK, strlen(MARK)) : NULL;
    const size_t before = mark != NULL ? (size_t)(mark - data) : 0;
    struct stk_buffer filled = {0};
    char length[32] = "";

    if (mark == NULL) {
        parse((struct stk_bytes){data, size});
        return 0;
    }
    (void)snprintf(length, sizeof(length), "\ntext %zu\n", size - before - strlen(MARK));
    FUZZ_CHECK(stk_buffer_add(&filled, data, before) == STIRKEEP_OK);
    FUZZ_CHECK(stk_buffer_add_text(&filled, length) == STIRKEEP_OK);
    FUZZ_CHECK(stk_buffer_add(&filled, mark + strlen(MARK), size - before - strlen(MARK)) ==
               STIRKEEP_OK);
    parse((struct stk_bytes){filled.data, filled.length});
    stk_buffer_free(&filled);
    return 0;
}
