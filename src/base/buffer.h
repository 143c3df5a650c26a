/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_BUFFER_H
#define STK_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <stirkeep/status.h>

/*
 * A growable run of bytes with a ceiling. `{0}` is an empty one without a ceiling. What it held is
 * wiped whenever memory is given back. One thread.
 */
struct stk_buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
    size_t ceiling; /* largest length allowed; 0: none */
};

/* Make room for `more` bytes after the length, without changing it. TOO_LARGE, NO_MEMORY. */
enum stirkeep_status stk_buffer_reserve(struct stk_buffer *buffer, size_t more);

/* Append. On failure (TOO_LARGE, NO_MEMORY) the buffer is as it was. */
enum stirkeep_status stk_buffer_add(struct stk_buffer *buffer, const void *data, size_t length);
enum stirkeep_status stk_buffer_add_text(struct stk_buffer *buffer, const char *text);

/* Drop `length` (at most the buffer's) bytes from the front. */
void stk_buffer_drop(struct stk_buffer *buffer, size_t length);

/* Wipe and release; the ceiling stays. */
void stk_buffer_free(struct stk_buffer *buffer);

#endif
