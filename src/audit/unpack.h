/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_UNPACK_H
#define STK_AUDIT_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is in a zstd file (RFC 8878), read piece by piece. One thread. */
struct stk_unpack;

/* The first bytes of a zstd file. */
#define STK_UNPACK_MAGIC "\x28\xb5\x2f\xfd"
#define STK_UNPACK_MAGIC_LENGTH 4

/* NULL without memory. */
struct stk_unpack *stk_unpack_new(void);
void stk_unpack_free(struct stk_unpack *unpack);

/* More of the file, when there is room for it: where to put it. 0: what was given before is to be
 * unpacked first. */
size_t stk_unpack_room(struct stk_unpack *unpack, uint8_t **ret_room);
void stk_unpack_given(struct stk_unpack *unpack, size_t length);

/* At most `length` bytes of what is inside; 0: more of the file is needed. -1: it is damaged, as
 * *ret_why says. */
ssize_t stk_unpack_next(struct stk_unpack *unpack, void *data, size_t length, const char **ret_why);

/* Does a file that ends here end where it may? */
bool stk_unpack_is_whole(const struct stk_unpack *unpack);

#endif
