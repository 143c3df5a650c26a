/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/batch_line.h"
#include "fuzz.h"

/* A line of what `stirkeep sign --batch` is given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stirkeep_request request = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_batch_line(
        (struct stk_bytes){data, size}, NULL, fuzz_arena(0, (size_t)512 * 1024), &request, &error);

    if (status != STIRKEEP_OK)
        fuzz_refusal(status, &error);
    else
        FUZZ_CHECK(request.name != NULL);
    return 0;
}
