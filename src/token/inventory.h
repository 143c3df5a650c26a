/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_INVENTORY_H
#define STK_TOKEN_INVENTORY_H

#include "model/key_id.h"
#include "model/name.h"
#include "token/session.h"

#define STK_LABEL_ROOM 128 /* a longer label is none of ours */

/*
 * What the token holds of ours, listed at one time, so that walking through it searches the token
 * once: all private keys with the project's label and a key id, all certificates with one, and how
 * many others there are. One thread.
 */
struct stk_inventory_item {
    struct stk_key_id key_id;
    CK_OBJECT_HANDLE handle;
    bool is_key; /* private; else a certificate */
};

struct stk_inventory {
    CK_SESSION_HANDLE session; /* whose handles these are; CK_INVALID_HANDLE: nothing is listed */
    struct stk_inventory_item *items; /* by key id, private keys before certificates */
    size_t count;
    size_t keys;         /* of `items` */
    size_t certificates; /* on the token, without a key id too */
    size_t torn;         /* private keys with our label and no key id or name */
    size_t nameless;     /* private keys with neither a label nor a CKA_ID */
    size_t foreign;      /* other private keys: somebody else's */
};

/* What tells whose an object is. */
struct stk_marks {
    struct stk_key_id key_id;
    bool has_key_id;            /* CKA_ID has the form of ours */
    bool empty;                 /* there is none */
    char label[STK_LABEL_ROOM]; /* "": none, or one that is no text */
};

CK_RV stk_marks_read(struct stk_session *session, CK_OBJECT_HANDLE object, bool label,
                     struct stk_marks *ret_marks);

/* The certificate name in a label of ours. */
bool stk_label_name(const char *label, struct stk_name *ret_name);

/* CKR_HOST_MEMORY also past STK_INDEX_KEYS_MAX keys. */
CK_RV stk_inventory_take(struct stk_session *session, struct stk_inventory *ret_inventory);

/* {0} is allowed. */
void stk_inventory_free(struct stk_inventory *inventory);

/* The private key whose id comes next after this one (zero: the first); NULL: none. */
const struct stk_inventory_item *stk_inventory_next(const struct stk_inventory *inventory,
                                                    const struct stk_key_id *after);

/* The private key behind `item`, which may have the same id; NULL: none. */
const struct stk_inventory_item *stk_inventory_behind(const struct stk_inventory *inventory,
                                                      const struct stk_inventory_item *item);

#endif
