/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_PREFIX "stirkeep:"
#define GROW_BY 256

static bool is_zero(const struct stk_key_id *key_id)
{
    static const struct stk_key_id zero;

    return memcmp(key_id, &zero, sizeof(zero)) == 0;
}

CK_RV stk_marks_read(struct stk_session *session, CK_OBJECT_HANDLE object, bool label,
                     struct stk_marks *ret_marks)
{
    uint8_t id[STK_KEY_ID_LENGTH] = {0};
    struct stk_marks marks = {0};
    CK_ATTRIBUTE attributes[] = {{CKA_ID, id, sizeof(id)},
                                 {CKA_LABEL, marks.label, STK_LABEL_ROOM - 1}};
    CK_RV rv = stk_session_read_all(session, object, attributes, label ? 2 : 1);
    CK_ULONG id_length = attributes[0].ulValueLen;
    CK_ULONG label_length = attributes[1].ulValueLen;

    if (rv != CKR_OK)
        return rv;
    marks.empty = id_length == 0 || id_length == CK_UNAVAILABLE_INFORMATION;
    if (id_length == sizeof(id)) {
        memcpy(marks.key_id.bytes, id, sizeof(id));
        marks.has_key_id = !is_zero(&marks.key_id);
    }
    if (!label || label_length >= STK_LABEL_ROOM || memchr(marks.label, '\0', label_length) != NULL)
        label_length = 0;
    marks.label[label_length] = '\0';
    *ret_marks = marks;
    return CKR_OK;
}

static bool is_ours(const char *label)
{
    return strncmp(label, LABEL_PREFIX, sizeof(LABEL_PREFIX) - 1) == 0;
}

bool stk_label_name(const char *label, struct stk_name *ret_name)
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

/* What a private key is to us. One that is torn may have nothing that can be read. */
static bool take_key(struct stk_session *session, struct stk_inventory *inventory,
                     CK_OBJECT_HANDLE object)
{
    struct stk_marks marks = {.empty = true};
    struct stk_name name = {0};
    bool nameless = false;

    (void)stk_marks_read(session, object, true, &marks);
    nameless = marks.empty && marks.label[0] == '\0';
    if (strcmp(marks.label, STK_WRAPPING_LABEL) == 0 || strcmp(marks.label, STK_AUDIT_LABEL) == 0)
        return true; /* the service's own */
    if (!is_ours(marks.label)) {
        inventory->foreign += nameless ? 0 : 1;
        inventory->nameless += nameless ? 1 : 0;
        return true;
    }
    if (!marks.has_key_id || !stk_label_name(marks.label, &name)) {
        inventory->torn++;
        return true;
    }
    if (inventory->keys == STK_INDEX_KEYS_MAX)
        return false;
    inventory->keys++;
    return add(inventory, &marks.key_id, object, true);
}

static bool take_certificate(struct stk_session *session, struct stk_inventory *inventory,
                             CK_OBJECT_HANDLE object)
{
    struct stk_marks marks = {0};

    inventory->certificates++;
    (void)stk_marks_read(session, object, false, &marks);
    return !marks.has_key_id || add(inventory, &marks.key_id, object, false);
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
