/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/loader.h"
#include <string.h>

static bool is_same_room(const struct stk_config *now, const struct stk_config *next, size_t room)
{
    return now->rooms.given[room] == next->rooms.given[room] &&
           now->rooms.uid[room] == next->rooms.uid[room] &&
           now->rooms.gid[room] == next->rooms.gid[room];
}

static bool is_same(const struct stk_config *now, const struct stk_config *next,
                    const struct stk_key *key)
{
    const char *left = (const char *)now + key->offset;
    const char *right = (const char *)next + key->offset;

    switch (key->field) {
    case STK_FIELD_TEXT:
        return strcmp(*(char *const *)left, *(char *const *)right) == 0;
    case STK_FIELD_NUMBER:
        return memcmp(left, right, sizeof(unsigned)) == 0;
    case STK_FIELD_AMOUNT:
        return memcmp(left, right, sizeof(uint64_t)) == 0;
    case STK_FIELD_SWITCH:
        return *(const bool *)left == *(const bool *)right;
    case STK_FIELD_ROOM:
        return is_same_room(now, next, key->minimum);
    case STK_FIELD_NONE:
        break;
    }
    return true;
}

/* The first variable of `environment` that `other` has not, or not so; NULL: none. */
static const char *differing(char *const *environment, char *const *other)
{
    for (size_t i = 0; environment[i] != NULL; i++) {
        size_t j = 0;

        while (other[j] != NULL && strcmp(environment[i], other[j]) != 0)
            j++;
        if (other[j] == NULL)
            return environment[i];
    }
    return NULL;
}

static enum stirkeep_status refuse(const char *section, const char *key, size_t length,
                                   struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_CONFIG, "[%s] %.*s: only a restart takes a change of it",
                         section, (int)length, key);
}

enum stirkeep_status stk_config_replaces(const struct stk_config *now,
                                         const struct stk_config *next, struct stk_error *error)
{
    for (size_t i = 0; i < stk_section_count(); i++) {
        const struct stk_section *section = stk_section_at(i);
        const char *variable = NULL;

        for (size_t j = 0; !section->reload && j < section->key_count; j++)
            if (!is_same(now, next, &section->keys[j]))
                return refuse(section->name, section->keys[j].name, strlen(section->keys[j].name),
                              error);
        if (section->kind != STK_SECTION_FREE)
            continue;
        variable = differing(now->token.environment, next->token.environment);
        if (variable == NULL)
            variable = differing(next->token.environment, now->token.environment);
        if (variable != NULL)
            return refuse(section->name, variable, strcspn(variable, "="), error);
    }
    return STIRKEEP_OK;
}
