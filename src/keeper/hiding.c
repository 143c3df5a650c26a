/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/hiding.h"

#include <string.h>

static void hide_detail(const struct stk_number_key *key, struct stk_hidden *hidden,
                        struct stk_record *record)
{
    const size_t length = sizeof(STK_DIVERTING) - 1;

    if (record->detail == NULL || strncmp(record->detail, STK_DIVERTING, length) != 0)
        return;
    memcpy(hidden->detail, STK_DIVERTING, length);
    stk_number_hash(key, record->detail + length, hidden->detail + length);
    record->detail = hidden->detail;
}

void stk_record_hide(const struct stk_number_key *key, struct stk_hidden *hidden,
                     struct stk_record *record)
{
    stk_number_hash(key, record->orig, hidden->orig);
    record->orig = hidden->orig;
    if (record->dest_count > STK_DEST_MAX)
        record->dest_count = STK_DEST_MAX;
    for (size_t i = 0; i < record->dest_count; i++) {
        stk_number_hash(key, record->dest[i], hidden->dest[i]);
        hidden->dest_list[i] = hidden->dest[i];
    }
    record->dest = hidden->dest_list;
    hide_detail(key, hidden, record);
    if (record->reason == NULL)
        return;
    /* It was made of what was asked for. */
    stk_number_hide(record->reason, hidden->reason, sizeof(hidden->reason));
    record->reason = hidden->reason;
}
