/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stk_batch *stk_batch_new(size_t count, bool whole)
{
    struct stk_batch *batch = NULL;

    assert(count > 0 && count <= STK_SIGNINGS_MAX);
    batch = calloc(1, sizeof(*batch) + count * sizeof(batch->results[0]));
    if (batch == NULL)
        return NULL;
    batch->count = (uint32_t)count;
    batch->whole = whole;
    return batch;
}

void stk_batch_free(struct stk_batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->count; i++)
        free(batch->texts[i]);
    free(batch);
}

/* The identity and, behind it, the origid; or the message. */
static char *copy_texts(const struct stk_response_result *result, size_t *ret_length)
{
    bool good = result->status == STIRKEEP_OK;
    const void *first = good ? (const void *)result->signed_.identity.data : result->message;
    size_t length = good ? result->signed_.identity.length : strlen(result->message);
    const char *second = good ? result->signed_.origid : "";
    size_t second_size = strlen(second) + 1;
    char *text = malloc(length + 1 + second_size);

    if (text == NULL)
        return NULL;
    memcpy(text, first, length);
    text[length] = '\0';
    memcpy(text + length + 1, second, second_size);
    *ret_length = length;
    return text;
}

void stk_batch_put(struct stk_batch *batch, size_t place, const struct stk_response_result *result)
{
    struct stk_response_result *kept = &batch->results[place];
    size_t length = 0;
    char *text = copy_texts(result, &length);

    assert(batch->texts[place] == NULL);
    batch->texts[place] = text;
    *kept = *result;
    if (text == NULL) {
        kept->status = STIRKEEP_NO_MEMORY;
        kept->message = stirkeep_status_text(STIRKEEP_NO_MEMORY);
    } else if (result->status != STIRKEEP_OK) {
        kept->message = text;
    } else {
        kept->signed_.identity = (struct stk_bytes){(const uint8_t *)text, length};
        kept->signed_.origid = text + length + 1;
    }
}

void stk_batch_reason(size_t place, const char *reason, char ret_text[STK_ERROR_MAX])
{
    (void)snprintf(ret_text, STK_ERROR_MAX, "sign[%zu]: %s", place, reason);
}

enum stirkeep_status stk_batch_encode(const struct stk_batch *batch, struct stk_buffer *out)
{
    char reason[STK_ERROR_MAX] = "";

    for (size_t i = 0; batch->whole && i < batch->count; i++) {
        const struct stk_response_result *result = &batch->results[i];

        if (result->status == STIRKEEP_OK)
            continue;
        stk_batch_reason(i, result->message, reason);
        return stk_response_encode_error(batch->request_id, result->status, reason, out);
    }
    return stk_response_encode_batch(batch->request_id, batch->results, batch->count, out);
}
