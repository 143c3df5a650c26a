/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/prune_keys.h"

#include "base/encode.h"
#include <string.h>

#define US_IN_SECOND 1000000
#define NO_FILE UINT32_MAX

void stk_prune_keys_init(struct stk_prune_keys *keys)
{
    *keys = (struct stk_prune_keys){.index.most = STK_PRUNE_KEYS_MAX};
}

void stk_prune_keys_free(struct stk_prune_keys *keys)
{
    stk_tally_free(&keys->index);
    stk_buffer_free(&keys->keys);
    stk_buffer_free(&keys->places);
}

size_t stk_prune_keys_count(const struct stk_prune_keys *keys)
{
    return keys->keys.length / sizeof(struct stk_prune_key);
}

struct stk_prune_key *stk_prune_keys_at(const struct stk_prune_keys *keys, size_t index)
{
    return &((struct stk_prune_key *)keys->keys.data)[index];
}

static bool is_one_of(struct stk_bytes raw, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        if (stk_fields_equal(raw, *texts))
            return true;
    return false;
}

/* What only a key that is on the token does, or has done with it. */
static bool shows_life(const struct stk_fields *fields)
{
    static const char *const acts[] = {"sign",
                                       "import",
                                       "install",
                                       "generate",
                                       "token-import",
                                       "token-generate",
                                       "token-request",
                                       "rebuild",
                                       "rollback",
                                       "activate",
                                       NULL};

    return stk_fields_equal(fields->outcome, "ok") && is_one_of(fields->act, acts);
}

static bool shows_end(const struct stk_fields *fields)
{
    static const char *const acts[] = {"destroy", "token-destroy", "import-undone",
                                       "generate-undone", NULL};

    return stk_fields_equal(fields->outcome, "ok") && is_one_of(fields->act, acts);
}

/* Whether it came about or not, nobody knows of a key that something was begun with. */
static bool may_be_held(const struct stk_fields *fields)
{
    return stk_fields_equal(fields->outcome, "begun") || stk_fields_equal(fields->act, "sign");
}

static enum stirkeep_status find(struct stk_prune_keys *keys, struct stk_bytes id,
                                 struct stk_prune_key **ret_key, uint32_t *ret_number,
                                 struct stk_error *error)
{
    const struct stk_tally_row *row = stk_tally_find(&keys->index, id);
    struct stk_prune_key key = {.last_file = NO_FILE};
    size_t number = stk_prune_keys_count(keys);

    if (row != NULL) {
        number = (size_t)row->counts[0] - 1;
    } else {
        if (number == STK_PRUNE_KEYS_MAX || id.length >= sizeof(key.id))
            return stk_error_set(error, STIRKEEP_TOO_LARGE,
                                 "the trail has records of more keys than can be looked at");
        memcpy(key.id, id.data, id.length);
        if (!stk_tally_add(&keys->index, id, 0, number + 1, 0) ||
            stk_buffer_add(&keys->keys, &key, sizeof(key)) != STIRKEEP_OK)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    *ret_number = (uint32_t)number;
    *ret_key = stk_prune_keys_at(keys, number);
    return STIRKEEP_OK;
}

static void follow(struct stk_prune_key *key, const struct stk_fields *fields)
{
    if (shows_end(fields)) {
        key->destroyed_us = fields->real_us;
    } else if (shows_life(fields)) {
        key->held = true;
        key->destroyed_us = 0;
    } else if (may_be_held(fields) && key->destroyed_us == 0) {
        key->held = true;
    }
    if (fields->real_us > key->last_us)
        key->last_us = fields->real_us;
    if (fields->name.length > 0 && fields->name.length < sizeof(key->name)) {
        memcpy(key->name, fields->name.data, fields->name.length);
        key->name[fields->name.length] = '\0';
    }
}

enum stirkeep_status stk_prune_keys_note(struct stk_prune_keys *keys,
                                         const struct stk_fields *fields, uint32_t file,
                                         struct stk_error *error)
{
    struct stk_prune_place place = {.file = file};
    struct stk_prune_key *key = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (fields->key_id.length == 0 || stk_fields_equal(fields->act, "seal") ||
        stk_fields_equal(fields->act, "audit-key"))
        return STIRKEEP_OK;
    status = find(keys, fields->key_id, &key, &place.key, error);
    if (status != STIRKEEP_OK)
        return status;
    follow(key, fields);
    if (key->last_file == file)
        return STIRKEEP_OK;
    key->last_file = file;
    return stk_buffer_add(&keys->places, &place, sizeof(place)) == STIRKEEP_OK
               ? STIRKEEP_OK
               : stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
}

void stk_prune_keys_expire(struct stk_prune_keys *keys, const struct stk_key_id *key_id,
                           int64_t not_after_s)
{
    char id[2 * STK_KEY_ID_LENGTH + 1] = "";
    const struct stk_tally_row *row = NULL;
    struct stk_prune_key *key = NULL;

    stk_hex_encode(key_id->bytes, STK_KEY_ID_LENGTH, id);
    row = stk_tally_find(&keys->index, (struct stk_bytes){(const uint8_t *)id, sizeof(id) - 1});
    if (row == NULL)
        return;
    key = stk_prune_keys_at(keys, (size_t)row->counts[0] - 1);
    if (not_after_s > key->not_after_s)
        key->not_after_s = not_after_s;
}

bool stk_prune_key_end(const struct stk_prune_key *key, int64_t *ret_end_s)
{
    if (key->destroyed_us != 0)
        *ret_end_s = key->destroyed_us / US_IN_SECOND;
    else if (!key->held)
        *ret_end_s = key->last_us / US_IN_SECOND;
    else if (key->not_after_s != 0)
        *ret_end_s = key->not_after_s;
    else
        return false;
    return true;
}
