/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "stirkeepd/program.h"
#include <stdlib.h>
#include <string.h>

/* /proc/PID/cgroup of whoever connects: a unit is one name, of a service or a scope. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text((struct stk_bytes){data, size});
    char unit[STK_UNIT_MAX + 1] = "";
    size_t length = 0;

    stk_program_unit(text, unit);
    length = strnlen(unit, sizeof(unit));
    FUZZ_CHECK(length < sizeof(unit) && strpbrk(unit, "/\n") == NULL);
    if (length > 0)
        FUZZ_CHECK((length > 8 && strcmp(unit + length - 8, ".service") == 0) ||
                   (length > 6 && strcmp(unit + length - 6, ".scope") == 0));
    free(text);
    return 0;
}
