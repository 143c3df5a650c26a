/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/list.h"

#include "base/hash.h"
#include <stdbool.h>
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

enum stirkeep_status stk_list_twice(const char *value, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_CONFIG, "twice in the list: %s", value);
}

/* What is compared of the item at a place: itself, or (`size` 0) the text that it points to. */
static const void *content_of(const struct stk_list *list, size_t place, size_t size,
                              size_t *ret_length)
{
    char *const *texts = list->items;

    *ret_length = size > 0 ? size : strlen(texts[place]);
    return size > 0 ? (const char *)list->items + place * size : texts[place];
}

/* Where an item is among the places, or would be. Who writes a configuration has no reason to find
 * colliding items. */
static uint32_t *find(struct stk_list *list, const void *item, size_t length, size_t size)
{
    size_t at = stk_hash(item, length, 0) & (list->place_count - 1);

    for (; list->places[at] != 0; at = (at + 1) & (list->place_count - 1)) {
        size_t other_length = 0;
        const void *other = content_of(list, list->places[at] - 1, size, &other_length);

        if (other_length == length && memcmp(other, item, length) == 0)
            break;
    }
    return &list->places[at];
}

/* Never more than half of them in use. */
static bool make_places(struct stk_list *list, size_t size)
{
    size_t count = list->place_count > 0 ? list->place_count * 2 : 16;
    uint32_t *places = NULL;

    if (list->count < list->place_count / 2)
        return true;
    places = calloc(count, sizeof(*places));
    if (places == NULL)
        return false;
    free(list->places);
    list->places = places;
    list->place_count = count;
    for (size_t i = 0; i < list->count; i++) {
        size_t length = 0;
        const void *item = content_of(list, i, size, &length);

        *find(list, item, length, size) = (uint32_t)i + 1;
    }
    return true;
}

enum stirkeep_status stk_list_add_once(struct stk_list *list, const void *item, size_t size,
                                       size_t max, const char *value, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    uint32_t *place = NULL;

    if (!make_places(list, size))
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    place = find(list, item, size, size);
    if (*place != 0)
        return stk_list_twice(value, error);
    status = stk_list_add(list, item, size, max, error);
    if (status == STIRKEEP_OK)
        *place = (uint32_t)list->count;
    return status;
}

void stk_list_free(struct stk_list *list)
{
    free(list->items);
    free(list->places);
    *list = (struct stk_list){0};
}

enum stirkeep_status stk_list_add_text(struct stk_list *list, const char *text,
                                       struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    uint32_t *place = NULL;
    char *copy = strdup(text);

    if (copy == NULL || !make_places(list, 0)) {
        free(copy);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    place = find(list, text, strlen(text), 0);
    status = *place != 0 ? stk_list_twice(text, error)
                         : stk_list_add(list, &copy, sizeof(copy), STK_LIST_MAX, error);
    if (status == STIRKEEP_OK)
        *place = (uint32_t)list->count;
    else
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
