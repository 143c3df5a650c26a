/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/list.h"

#include <stdlib.h>
#include <string.h>

enum stirkeep_status stk_list_add(struct stk_list *list, const void *item, size_t size, size_t max,
                                  struct stk_error *error)
{
    if (list->count >= max)
        return stk_error_set(error, STIRKEEP_CONFIG, "more than %zu in the list", max);
    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 8;
        void *items = reallocarray(list->items, room, size);

        if (items == NULL)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
        list->items = items;
        list->room = room;
    }
    memcpy((char *)list->items + list->count * size, item, size);
    list->count++;
    return STIRKEEP_OK;
}

void stk_list_free(struct stk_list *list)
{
    free(list->items);
    *list = (struct stk_list){0};
}

enum stirkeep_status stk_list_add_text(struct stk_list *list, const char *text,
                                       struct stk_error *error)
{
    char *copy = strdup(text);
    enum stirkeep_status status = STIRKEEP_OK;

    if (copy == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_list_add(list, &copy, sizeof(copy), STK_LIST_MAX, error);
    if (status != STIRKEEP_OK)
        free(copy);
    return status;
}

void stk_list_free_texts(struct stk_list *list)
{
    char **texts = list->items;

    for (size_t i = 0; i < list->count; i++)
        free(texts[i]);
    stk_list_free(list);
}
