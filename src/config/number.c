/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/number.h"

bool stk_number_parse(const char *text, uint32_t minimum, uint32_t maximum, uint32_t *ret_number)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > maximum)
            return false;
    }
    if (number < minimum)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}
