/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/log.h"
#include <stdlib.h>
#include <string.h>

#define CERTIFICATES_BYTES_MAX ((size_t)96 * 1024) /* of one key: they travel in one message */

/* Where its certificates are collected: its own from the front, the others from the back. */
struct reading {
    struct stk_session *session;
    struct stk_arena *arena;
    const struct stk_key_id *key_id;
    struct stk_bytes certificates[STK_TOKEN_HELD_MAX];
    const char *x5u[STK_TOKEN_HELD_MAX];
    size_t own;
    size_t others;
    size_t bytes;
    size_t left_out;
};

static bool is_own(struct stk_bytes der, const struct stk_key_id *key_id)
{
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};

    return stk_certificate_spki(der, spki) && stk_spki_is_of(spki, key_id);
}

/* Room for one of its own is made of one of the others. False: there is none. */
static bool make_room(struct reading *reading, size_t length, bool own)
{
    while (reading->own + reading->others == STK_TOKEN_HELD_MAX ||
           reading->bytes + length > CERTIFICATES_BYTES_MAX) {
        size_t last = STK_TOKEN_HELD_MAX - reading->others;

        reading->left_out++;
        if (!own || reading->others == 0)
            return false;
        reading->bytes -= reading->certificates[last].length;
        reading->others--;
    }
    return true;
}

static bool keep(struct reading *reading, struct stk_bytes der, const char *x5u)
{
    bool own = is_own(der, reading->key_id);
    const char *copy = NULL;
    const char *url = NULL;
    size_t at = 0;

    if (!make_room(reading, der.length, own))
        return true;
    copy = stk_arena_copy(reading->arena, der.data, der.length);
    url = stk_arena_copy(reading->arena, x5u, strlen(x5u));
    if (copy == NULL || url == NULL)
        return false;
    at = own ? reading->own++ : STK_TOKEN_HELD_MAX - ++reading->others;
    reading->certificates[at] = (struct stk_bytes){(const uint8_t *)copy, der.length};
    reading->x5u[at] = url;
    reading->bytes += der.length;
    return true;
}

/* One that is gone, or too large, is none. */
static bool read_certificate(struct reading *reading, CK_OBJECT_HANDLE object, uint8_t *room)
{
    char url[STK_X5U_MAX + 1] = "";
    CK_ATTRIBUTE attributes[] = {{CKA_VALUE, room, STK_CERT_DER_MAX}, {CKA_URL, url, STK_X5U_MAX}};
    CK_RV rv = stk_session_read_all(reading->session, object, attributes, 2);
    size_t length = attributes[0].ulValueLen;

    if (rv == CKR_OK && attributes[0].ulValueLen == CK_UNAVAILABLE_INFORMATION)
        /* A token that gives nothing when it lacks one of them. */
        rv = stk_session_read(reading->session, object, CKA_VALUE, room, STK_CERT_DER_MAX, &length);
    if (rv != CKR_OK || length == 0 || length > STK_CERT_DER_MAX)
        return true;
    if (attributes[1].ulValueLen > STK_X5U_MAX)
        url[0] = '\0';
    return keep(reading, (struct stk_bytes){room, length}, url);
}

static bool read_certificates(struct reading *reading, const struct stk_inventory *inventory,
                              const struct stk_inventory_item *item)
{
    const struct stk_inventory_item *end = inventory->items + inventory->count;
    uint8_t *room = malloc(STK_CERT_DER_MAX);
    bool done = room != NULL;

    for (; done && item < end && memcmp(&item->key_id, reading->key_id, sizeof(item->key_id)) == 0;
         item++)
        if (!item->is_key)
            done = read_certificate(reading, item->handle, room);
    free(room);
    return done;
}

/* Is the object still what it was? Handles may come to mean others. */
static bool read_key(struct stk_session *session, const struct stk_inventory_item *item,
                     struct stk_token_held *held)
{
    struct stk_marks marks = {0};

    if (stk_marks_read(session, item->handle, true, &marks) != CKR_OK ||
        memcmp(&marks.key_id, &item->key_id, sizeof(marks.key_id)) != 0 ||
        !stk_label_name(marks.label, &held->name))
        return false;
    held->key_id = marks.key_id;
    stk_attributes_read(session, item->handle, held->attributes);
    return true;
}

static bool read_out(struct stk_token *token, const struct stk_inventory_item *item,
                     struct stk_arena *arena, struct stk_token_held *held)
{
    struct reading reading = {.session = &token->custody, .arena = arena, .key_id = &item->key_id};
    char id[STK_KEY_ID_TEXT] = "";
    size_t count = 0;

    if (!read_certificates(&reading, &token->inventory, item))
        return false;
    for (size_t i = 0; i < STK_TOKEN_HELD_MAX; i++) {
        if (i >= reading.own && i < STK_TOKEN_HELD_MAX - reading.others)
            continue;
        held->certificates[count] = reading.certificates[i];
        held->x5u[count++] = reading.x5u[i];
    }
    held->certificate_count = count;
    if (reading.left_out > 0)
        stk_log(STK_LOG_WARNING,
                "key %s: %zu of its certificates on the token are left out of its inventory: no "
                "more than %d and %zu bytes are told",
                stk_key_id_text(&item->key_id, id), reading.left_out, STK_TOKEN_HELD_MAX,
                CERTIFICATES_BYTES_MAX);
    return true;
}

/* The list is that of the session that is open now, and new when an inventory begins. */
static enum stirkeep_status have_list(struct stk_token *token, const struct stk_key_id *after,
                                      struct stk_error *error)
{
    static const struct stk_key_id none;
    enum stirkeep_status status = stk_custody_ready(token, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    if (!memcmp(after, &none, sizeof(none)) == 0 &&
        token->inventory.session == token->custody.handle)
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
