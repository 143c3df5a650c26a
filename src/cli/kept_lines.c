/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/kept_lines.h"

#include <assert.h>
#include <stdlib.h>

struct stk_kept_lines {
    struct stk_buffer *lines; /* a ring, whose memory is used again */
    size_t most;
    size_t count;
    size_t oldest;
    size_t bytes; /* of memory in all of them */
};

struct stk_kept_lines *stk_kept_lines_new(size_t count)
{
    struct stk_kept_lines *kept = calloc(1, sizeof(*kept));

    assert(count > 0 && count <= STK_KEPT_LINES_MAX);
    if (kept == NULL)
        return NULL;
    kept->most = count;
    kept->lines = calloc(count, sizeof(*kept->lines));
    if (kept->lines == NULL) {
        free(kept);
        return NULL;
    }
    return kept;
}

void stk_kept_lines_free(struct stk_kept_lines *kept)
{
    if (kept == NULL)
        return;
    for (size_t i = 0; i < kept->most; i++)
        stk_buffer_free(&kept->lines[i]);
    free(kept->lines);
    free(kept);
}

enum stirkeep_status stk_kept_lines_add(struct stk_kept_lines *kept, struct stk_bytes line)
{
    struct stk_buffer *place = &kept->lines[(kept->oldest + kept->count) % kept->most];
    enum stirkeep_status status = STIRKEEP_OK;

    kept->bytes -= place->capacity;
    place->length = 0;
    status = stk_buffer_add(place, line.data, line.length);
    kept->bytes += place->capacity;
    if (status != STIRKEEP_OK)
        return status;
    if (kept->count < kept->most)
        kept->count++;
    else
        kept->oldest = (kept->oldest + 1) % kept->most;
    return kept->bytes <= STK_KEPT_BYTES_MAX ? STIRKEEP_OK : STIRKEEP_TOO_LARGE;
}

size_t stk_kept_lines_count(const struct stk_kept_lines *kept)
{
    return kept->count;
}

struct stk_bytes stk_kept_lines_at(const struct stk_kept_lines *kept, size_t index)
{
    const struct stk_buffer *line = &kept->lines[(kept->oldest + index) % kept->most];

    assert(index < kept->count);
    return (struct stk_bytes){line->data, line->length};
}
