/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/log.h"
#include <stdlib.h>
#include <string.h>

#define LABEL_PREFIX "stirkeep:"
#define LABEL_ROOM 128 /* a longer label is none of ours */
#define GROW_BY 256
#define CERTIFICATES_BYTES_MAX ((size_t)96 * 1024) /* of one key: they travel in one message */

static bool is_zero(const struct stk_key_id *key_id)
{
    static const struct stk_key_id zero;

    return memcmp(key_id, &zero, sizeof(zero)) == 0;
}

/* CKA_ID, when it has the form of ours. */
static bool read_id(struct stk_session *session, CK_OBJECT_HANDLE object,
                    struct stk_key_id *ret_key_id, bool *ret_empty)
{
    uint8_t id[STK_KEY_ID_LENGTH + 1] = {0};
    size_t length = 0;
    CK_RV rv = stk_session_read(session, object, CKA_ID, id, sizeof(id), &length);

    *ret_empty = rv == CKR_OK ? length == 0 : rv != CKR_BUFFER_TOO_SMALL;
    if (rv != CKR_OK || length != STK_KEY_ID_LENGTH)
        return false;
    memcpy(ret_key_id->bytes, id, STK_KEY_ID_LENGTH);
    return !is_zero(ret_key_id);
}

/* CKA_LABEL as a text; "" when there is none. */
static void read_label(struct stk_session *session, CK_OBJECT_HANDLE object,
                       char ret_label[LABEL_ROOM])
{
    size_t length = 0;

    if (stk_session_read(session, object, CKA_LABEL, ret_label, LABEL_ROOM - 1, &length) !=
            CKR_OK ||
        memchr(ret_label, '\0', length) != NULL)
        length = 0;
    ret_label[length] = '\0';
}

static bool is_ours(const char *label)
{
    return strncmp(label, LABEL_PREFIX, sizeof(LABEL_PREFIX) - 1) == 0;
}

static bool name_of(const char *label, struct stk_name *ret_name)
{
    return is_ours(label) &&
           stk_name_parse(label + sizeof(LABEL_PREFIX) - 1, ret_name, NULL) == STIRKEEP_OK;
}

static bool add(struct stk_inventory *inventory, const struct stk_key_id *key_id,
                CK_OBJECT_HANDLE handle, bool is_key)
{
    if (inventory->count % GROW_BY == 0) {
        struct stk_inventory_item *grown =
            reallocarray(inventory->items, inventory->count + GROW_BY, sizeof(*grown));

        if (grown == NULL)
            return false;
        inventory->items = grown;
    }
    inventory->items[inventory->count++] = (struct stk_inventory_item){*key_id, handle, is_key};
    return true;
}

/* What a private key is to us. */
static bool take_key(struct stk_session *session, struct stk_inventory *inventory,
                     CK_OBJECT_HANDLE object)
{
    char label[LABEL_ROOM] = "";
    struct stk_key_id key_id = {0};
    struct stk_name name = {0};
    bool empty = false;
    bool has_id = read_id(session, object, &key_id, &empty);

    read_label(session, object, label);
    if (strcmp(label, STK_WRAPPING_LABEL) == 0)
        return true;
    if (!is_ours(label)) {
        inventory->foreign += empty && label[0] == '\0' ? 0 : 1;
        inventory->nameless += empty && label[0] == '\0' ? 1 : 0;
        return true;
    }
    if (!has_id || !name_of(label, &name)) {
        inventory->torn++;
        return true;
    }
    if (inventory->keys == STK_NAMES_MAX)
        return false;
    inventory->keys++;
    return add(inventory, &key_id, object, true);
}

static bool take_certificate(struct stk_session *session, struct stk_inventory *inventory,
                             CK_OBJECT_HANDLE object)
{
    struct stk_key_id key_id = {0};
    bool empty = false;

    inventory->certificates++;
    return !read_id(session, object, &key_id, &empty) || add(inventory, &key_id, object, false);
}

static CK_RV take_class(struct stk_session *session, struct stk_inventory *inventory,
                        CK_OBJECT_CLASS class)
{
    struct stk_handles found = {0};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {{CKA_TOKEN, &yes, sizeof(yes)},
                                 {CKA_CLASS, &class, sizeof(class)}};
    CK_RV rv = stk_session_find(session, attributes, 2, &found);
    bool room = true;

    for (size_t i = 0; rv == CKR_OK && room && i < found.count; i++)
        room = class == CKO_PRIVATE_KEY ? take_key(session, inventory, found.items[i])
                                        : take_certificate(session, inventory, found.items[i]);
    stk_handles_free(&found);
    return room ? rv : CKR_HOST_MEMORY;
}

/* By key id; the keys of one before its certificates. */
static int compare(const void *a, const void *b)
{
    const struct stk_inventory_item *left = a;
    const struct stk_inventory_item *right = b;
    int order = memcmp(&left->key_id, &right->key_id, sizeof(left->key_id));

    return order != 0 ? order : (int)right->is_key - (int)left->is_key;
}

CK_RV stk_inventory_take(struct stk_session *session, struct stk_inventory *ret_inventory)
{
    struct stk_inventory inventory = {.session = session->handle};
    CK_RV rv = take_class(session, &inventory, CKO_PRIVATE_KEY);

    if (rv == CKR_OK)
        rv = take_class(session, &inventory, CKO_CERTIFICATE);
    if (rv == CKR_OK)
        rv = stk_session_check(session); /* a session that went would look like an empty token */
    if (rv != CKR_OK) {
        stk_inventory_free(&inventory);
        return rv;
    }
    if (inventory.count > 0)
        qsort(inventory.items, inventory.count, sizeof(*inventory.items), compare);
    *ret_inventory = inventory;
    return CKR_OK;
}

void stk_inventory_free(struct stk_inventory *inventory)
{
    free(inventory->items);
    *inventory = (struct stk_inventory){0};
}

static const struct stk_inventory_item *first_key(const struct stk_inventory *inventory, size_t at)
{
    while (at < inventory->count && !inventory->items[at].is_key)
        at++;
    return at < inventory->count ? &inventory->items[at] : NULL;
}

const struct stk_inventory_item *stk_inventory_next(const struct stk_inventory *inventory,
                                                    const struct stk_key_id *after)
{
    size_t low = 0;
    size_t high = inventory->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(&inventory->items[middle].key_id, after, sizeof(*after)) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return first_key(inventory, low);
}

const struct stk_inventory_item *stk_inventory_behind(const struct stk_inventory *inventory,
                                                      const struct stk_inventory_item *item)
{
    return first_key(inventory, (size_t)(item - inventory->items) + 1);
}

/* ---- one key, read out */

/* Where its certificates are collected. */
struct reading {
    struct stk_session *session;
    struct stk_arena *arena;
    struct stk_token_held *held;
    size_t bytes;
    size_t left_out;
};

static bool is_leaf(struct stk_bytes der, const struct stk_key_id *key_id)
{
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};

    return stk_certificate_spki(der, spki) && stk_spki_is_of(spki, key_id);
}

static const char *read_url(struct reading *reading, CK_OBJECT_HANDLE object)
{
    char url[STK_X5U_MAX + 1] = "";
    size_t length = 0;

    if (stk_session_read(reading->session, object, CKA_URL, url, STK_X5U_MAX, &length) != CKR_OK ||
        memchr(url, '\0', length) != NULL)
        length = 0;
    return stk_arena_copy(reading->arena, url, length);
}

static bool keep(struct reading *reading, CK_OBJECT_HANDLE object, struct stk_bytes der)
{
    struct stk_token_held *held = reading->held;
    const char *copy = NULL;
    const char *url = NULL;

    if (held->certificate_count == STK_TOKEN_HELD_MAX ||
        reading->bytes + der.length > CERTIFICATES_BYTES_MAX) {
        reading->left_out++;
        return true;
    }
    copy = stk_arena_copy(reading->arena, der.data, der.length);
    url = read_url(reading, object);
    if (copy == NULL || url == NULL)
        return false;
    held->certificates[held->certificate_count] =
        (struct stk_bytes){(const uint8_t *)copy, der.length};
    held->x5u[held->certificate_count++] = url;
    reading->bytes += der.length;
    return true;
}

/* Its own certificates, or the others. */
static bool read_certificates(struct reading *reading, const struct stk_inventory *inventory,
                              const struct stk_inventory_item *item, bool leaves)
{
    const struct stk_inventory_item *end = inventory->items + inventory->count;
    const struct stk_key_id *key_id = &item->key_id;
    uint8_t *der = malloc(STK_CERT_DER_MAX);
    bool room = der != NULL;

    for (; room && item < end && memcmp(&item->key_id, key_id, sizeof(*key_id)) == 0; item++) {
        struct stk_bytes read = {der, 0};

        /* One that is gone, or too large, is none. */
        if (item->is_key ||
            stk_session_read(reading->session, item->handle, CKA_VALUE, der, STK_CERT_DER_MAX,
                             &read.length) != CKR_OK ||
            read.length == 0 || is_leaf(read, key_id) != leaves)
            continue;
        room = keep(reading, item->handle, read);
    }
    free(der);
    return room;
}

/* Is the object still what it was? Handles may come to mean others. */
static bool read_key(struct stk_session *session, const struct stk_inventory_item *item,
                     struct stk_token_held *held)
{
    char label[LABEL_ROOM] = "";
    struct stk_key_id key_id = {0};
    bool empty = false;

    if (!read_id(session, item->handle, &key_id, &empty) ||
        memcmp(&key_id, &item->key_id, sizeof(key_id)) != 0)
        return false;
    read_label(session, item->handle, label);
    if (!name_of(label, &held->name))
        return false;
    held->key_id = key_id;
    stk_attributes_read(session, item->handle, held->attributes);
    return true;
}

static bool read_out(struct stk_token *token, const struct stk_inventory_item *item,
                     struct stk_arena *arena, struct stk_token_held *held)
{
    struct reading reading = {.session = &token->custody, .arena = arena, .held = held};
    char id[STK_KEY_ID_TEXT] = "";
    bool room = read_certificates(&reading, &token->inventory, item, true) &&
                read_certificates(&reading, &token->inventory, item, false);

    if (reading.left_out > 0)
        stk_log(STK_LOG_WARNING,
                "key %s: %zu of its certificates on the token are left out of its "
                "inventory: no more than %d and %zu bytes are told",
                stk_key_id_text(&item->key_id, id), reading.left_out, STK_TOKEN_HELD_MAX,
                CERTIFICATES_BYTES_MAX);
    return room;
}

/* The list is that of the session that is open now, and new when an inventory begins. */
static enum stirkeep_status have_list(struct stk_token *token, const struct stk_key_id *after,
                                      struct stk_error *error)
{
    enum stirkeep_status status = stk_custody_ready(token, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    if (!is_zero(after) && token->inventory.session == token->custody.handle)
        return STIRKEEP_OK;
    stk_inventory_free(&token->inventory);
    rv = stk_inventory_take(&token->custody, &token->inventory);
    if (rv == CKR_OK)
        return STIRKEEP_OK;
    token->custody_stale = true;
    return stk_ckr_error(error, "listing what the token holds", rv);
}

enum stirkeep_status stk_token_inventory(struct stk_token *token, const struct stk_key_id *after,
                                         struct stk_arena *arena, struct stk_token_held *ret_held,
                                         struct stk_error *error)
{
    const struct stk_inventory_item *item = NULL;
    struct stk_token_held held = {0};
    enum stirkeep_status status = have_list(token, after, error);

    if (status != STIRKEEP_OK)
        return status;
    item = stk_inventory_next(&token->inventory, after);
    while (item != NULL && !read_key(&token->custody, item, &held)) {
        held = (struct stk_token_held){0};
        item = stk_inventory_behind(&token->inventory, item);
    }
    if (item == NULL)
        stk_inventory_free(&token->inventory);
    else if (!read_out(token, item, arena, &held))
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "inventory: out of memory");
    *ret_held = held;
    return STIRKEEP_OK;
}
