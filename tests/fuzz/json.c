/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/json.h"
#include "fuzz.h"
#include <jansson.h>
#include <string.h>

/*
 * JSON. What is written of it canonically is its own canonical form; and jansson, a reader by other
 * people, takes what this one takes and finds the same in both spellings.
 */
#define ARENA ((size_t)1024 * 1024)

static json_t *other_reader(const char *text, size_t length)
{
    return json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stk_json *json = NULL;
    const struct stk_json *again = NULL;
    struct stk_error error = {0};
    const char *first = NULL;
    const char *second = NULL;
    json_t *given = NULL;
    json_t *written = NULL;
    enum stirkeep_status status =
        stk_json_read((const char *)data, size, "text", fuzz_arena(0, ARENA), &json, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return 0;
    }
    first = stk_json_text_of(json, fuzz_arena(1, ARENA));
    FUZZ_CHECK(first != NULL);
    FUZZ_OK(stk_json_read(first, strlen(first), "text", fuzz_arena(2, ARENA), &again, &error),
            &error);
    second = stk_json_text_of(again, fuzz_arena(3, ARENA));
    FUZZ_CHECK(second != NULL && strcmp(first, second) == 0);
    given = other_reader((const char *)data, size);
    written = other_reader(first, strlen(first));
    FUZZ_CHECK(given != NULL && written != NULL && json_equal(given, written));
    json_decref(given);
    json_decref(written);
    return 0;
}
