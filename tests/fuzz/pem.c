/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/pem.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

/* PEM blocks in a text: what is decoded of one and written again decodes to the same. */

static void check_written(const struct stk_pem_block *block, struct stk_bytes body)
{
    struct stk_buffer out = {0};
    struct stk_pem_reader reader = {0};
    struct stk_pem_block again = {0};
    struct stk_error error = {0};
    char *label = fuzz_text(block->label);
    uint8_t *read = NULL;
    size_t length = 0;

    FUZZ_CHECK(stk_pem_add(&out, label, "", body) == STIRKEEP_OK);
    reader.rest = (struct stk_bytes){out.data, out.length};
    FUZZ_OK(stk_pem_next(&reader, &again, &error), &error);
    FUZZ_CHECK(again.headers.length == 0 && stk_pem_labelled(&again, label));
    read = malloc(stk_pem_body_room(&again) + 1);
    FUZZ_CHECK(read != NULL && stk_pem_decode(&again, read, &length));
    FUZZ_CHECK(length == body.length && memcmp(read, body.data, length) == 0);
    free(read);
    free(label);
    stk_buffer_free(&out);
}

static bool may_be_a_label(struct stk_bytes label)
{
    for (size_t i = 0; i < label.length; i++)
        if (label.data[i] < ' ' || label.data[i] > '~')
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_pem_reader reader = {.rest = {data, size}};
    struct stk_pem_block block = {0};
    struct stk_error error = {0};
    bool is = stk_pem_is(reader.rest);
    size_t blocks = 0;

    while (stk_pem_next(&reader, &block, &error) == STIRKEEP_OK && block.label.length > 0) {
        uint8_t *body = malloc(stk_pem_body_room(&block) + 1);
        size_t length = 0;
        struct stk_bytes value = stk_pem_header(&block, "DEK-Info");

        FUZZ_CHECK(body != NULL && reader.rest.length < size && block.line > 0);
        FUZZ_CHECK(value.length <= block.headers.length);
        if (stk_pem_decode(&block, body, &length)) {
            FUZZ_CHECK(length <= stk_pem_body_room(&block));
            if (may_be_a_label(block.label))
                check_written(&block, (struct stk_bytes){body, length});
        }
        free(body);
        blocks++;
    }
    FUZZ_CHECK(is || blocks == 0);
    return 0;
}
