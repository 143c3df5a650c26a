/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_LIST_H
#define STK_CONFIG_LIST_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

#define STK_LIST_MAX 4096 /* items of one key */

/* Items of one type that grow in number. `{0}` is empty. */
struct stk_list {
    void *items;
    size_t count;
    size_t room;
    uint32_t *places; /* of items that are there once, by their hashes; 0: free, else from 1 */
    size_t place_count;
};

/* Copy an item of `size` bytes to the end. CONFIG past `max`, NO_MEMORY. */
enum stirkeep_status stk_list_add(struct stk_list *list, const void *item, size_t size, size_t max,
                                  struct stk_error *error);
void stk_list_free(struct stk_list *list);

/* The same for one that is not there yet, byte for byte; CONFIG when it is: who writes one twice
 * meant another. `value` is how it is written. */
enum stirkeep_status stk_list_add_once(struct stk_list *list, const void *item, size_t size,
                                       size_t max, const char *value, struct stk_error *error);
enum stirkeep_status stk_list_twice(const char *value, struct stk_error *error);

/* The same for texts, which are copied and belong to the list; at most STK_LIST_MAX. No text twice. */
enum stirkeep_status stk_list_add_text(struct stk_list *list, const char *text,
                                       struct stk_error *error);
void stk_list_free_texts(struct stk_list *list);

#endif
