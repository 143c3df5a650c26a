/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"

#include "base/wipe.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum stirkeep_status stk_buffer_reserve(struct stk_buffer *buffer, size_t more)
{
    size_t needed = buffer->length + more;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : 256;
    uint8_t *data = NULL;

    if (needed < more || (buffer->ceiling > 0 && needed > buffer->ceiling))
        return STIRKEEP_TOO_LARGE;
    if (needed <= buffer->capacity)
        return STIRKEEP_OK;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    data = malloc(capacity);
    if (data == NULL)
        return STIRKEEP_NO_MEMORY;
    if (buffer->length > 0)
        memcpy(data, buffer->data, buffer->length);
    stk_wipe(buffer->data, buffer->length);
    free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_buffer_add(struct stk_buffer *buffer, const void *data, size_t length)
{
    enum stirkeep_status status = stk_buffer_reserve(buffer, length);

    if (status == STIRKEEP_OK && length > 0) {
        memcpy(buffer->data + buffer->length, data, length);
        buffer->length += length;
    }
    return status;
}

enum stirkeep_status stk_buffer_add_text(struct stk_buffer *buffer, const char *text)
{
    return stk_buffer_add(buffer, text, strlen(text));
}

void stk_buffer_drop(struct stk_buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    if (length == 0)
        return;
    memmove(buffer->data, buffer->data + length, buffer->length - length);
    buffer->length -= length;
}

void stk_buffer_free(struct stk_buffer *buffer)
{
    stk_wipe(buffer->data, buffer->capacity);
    free(buffer->data);
    *buffer = (struct stk_buffer){.ceiling = buffer->ceiling};
}
