/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/number.h"

bool stk_number_parse(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (*text < '0' || *text > '9' || digit > maximum || number > (maximum - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number < minimum)
        return false;
    *ret_number = number;
    return true;
}
