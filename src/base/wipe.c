/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/wipe.h"

#include <string.h>

void stk_wipe(void *data, size_t length)
{
    if (data != NULL && length > 0)
        explicit_bzero(data, length);
}
