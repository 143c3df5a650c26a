/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_LIST_H
#define STK_CONFIG_LIST_H

#include "base/error.h"
#include <stddef.h>

#define STK_LIST_MAX 4096 /* items of one key */

/* Items of one type that grow in number. `{0}` is empty. */
struct stk_list {
    void *items;
    size_t count;
    size_t room;
};

/* Copy an item of `size` bytes to the end. CONFIG past `max`, NO_MEMORY. */
enum stirkeep_status stk_list_add(struct stk_list *list, const void *item, size_t size, size_t max,
                                  struct stk_error *error);
void stk_list_free(struct stk_list *list);

/* The same for texts, which are copied and belong to the list; at most STK_LIST_MAX. */
enum stirkeep_status stk_list_add_text(struct stk_list *list, const char *text,
                                       struct stk_error *error);
void stk_list_free_texts(struct stk_list *list);

#endif
