/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/fields.h"
#include "audit/line.h"
#include "audit/scan.h"
#include "audit/seal.h"
#include "audit/trail.h"
#include "fuzz.h"
#include <string.h>

/* One line of a trail, as those who read trails take it apart. */

static void take_texts(const struct stk_fields *fields)
{
    const struct stk_bytes texts[] = {fields->act,  fields->outcome,    fields->reason,
                                      fields->name, fields->detail,     fields->orig,
                                      fields->ppt,  fields->executable, fields->grant};
    struct stk_bytes dest = fields->dest;
    struct stk_bytes one = {0};
    struct stk_buffer out = {0};
    size_t count = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t before = out.length;

        FUZZ_CHECK(stk_fields_text(texts[i], &out) == STIRKEEP_OK);
        FUZZ_CHECK(out.length - before <= 3 * texts[i].length);
    }
    FUZZ_CHECK(out.length == 0 || memchr(out.data, '\0', out.length) == NULL);
    while (stk_fields_next_dest(&dest, &one)) {
        FUZZ_CHECK(one.data >= fields->dest.data &&
                   one.data + one.length <= fields->dest.data + fields->dest.length);
        FUZZ_CHECK(++count <= fields->dest.length);
    }
    stk_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes bytes = {data, size};
    struct stk_line line = {0};
    struct stk_line_start start = {0};
    struct stk_seal seal = {0};
    struct stk_fields fields = {0};
    const char *fault = stk_line_read(data, size, &line);
    bool begins = stk_line_begins(data, size, &start);

    if (fault == NULL) {
        FUZZ_CHECK(begins && start.sequence == line.sequence && start.seals == line.seals);
        if (stk_seal_read(data, size, &seal))
            FUZZ_CHECK(line.seals && seal.from <= seal.through);
    } else {
        FUZZ_CHECK(fault[0] != '\0');
    }
    if (stk_fields_read(bytes, &fields)) {
        FUZZ_CHECK(stk_fields_are_safe(bytes));
        take_texts(&fields);
    }
    return 0;
}
