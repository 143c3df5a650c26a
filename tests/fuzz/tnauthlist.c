/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/tnauthlist.h"
#include "fuzz.h"
#include "model/number.h"
#include <string.h>

/* The value of a TNAuthList: each entry is what its kind may be, and a range can be counted. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_tnauthlist list = {0};
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_tnauthlist_parse((struct stk_bytes){data, size}, &list, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        FUZZ_CHECK(list.entries == NULL);
        return 0;
    }
    FUZZ_CHECK(list.count > 0 && list.count <= STK_TNAUTH_MAX);
    for (size_t i = 0; i < list.count; i++) {
        const struct stk_tnauth_entry *entry = &list.entries[i];
        struct stk_number_range range = {0};

        FUZZ_CHECK(memchr(entry->text, '\0', sizeof(entry->text)) != NULL);
        FUZZ_CHECK(entry->text[0] != '\0');
        if (entry->kind == STK_TNAUTH_RANGE)
            FUZZ_CHECK(entry->count >= 2 &&
                       strspn(entry->text, "0123456789*#") == strlen(entry->text));
        if (entry->kind == STK_TNAUTH_RANGE &&
            stk_number_run(entry->text, entry->count, "range", &range, &error) == STIRKEEP_OK)
            FUZZ_CHECK(range.first < range.last);
    }
    stk_tnauthlist_free(&list);
    return 0;
}
