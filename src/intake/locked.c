/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/locked.h"

#include <stdio.h>
#include <string.h>

void stk_locked_take(struct stk_locked *locked, const struct stk_control_message *message)
{
    char *rest = locked->text;

    (void)snprintf(locked->text, sizeof(locked->text), "%s", message->text);
    locked->count = 0;
    while (rest != NULL && rest[0] != '\0' && locked->count < STK_PROCESSES_MAX) {
        locked->open[locked->count] = (message->number >> locked->count & 1) != 0;
        locked->lines[locked->count++] = strsep(&rest, "\n");
    }
}
