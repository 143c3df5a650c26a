/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "policy/rules.h"
#include <stdlib.h>
#include <string.h>

/* An image of attestation rules with anything in it: a search stays within it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const numbers[] = {"1", "12155550100", "999999999999999", "*#", "0", "1415"};
    uint8_t *image = fuzz_copy((struct stk_bytes){data, size});
    struct stk_rules *rules = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = stk_rules_open((struct stk_bytes){image, size}, &rules, &error);

    if (status == STIRKEEP_OK)
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
            (void)stk_rules_find(rules, numbers[i]);
    else
        fuzz_refusal(status, &error);
    if (status == STIRKEEP_OK)
        stk_rules_close(rules);
    free(image);
    return 0;
}
