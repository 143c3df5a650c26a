/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_INDEX_H
#define STK_TOKEN_INDEX_H

#include "model/key_id.h"
#include "token/footprint.h"
#include "token/pkcs11.h"
#include <stddef.h>
#include <stdint.h>
#include <stirkeep/status.h>

/*
 * Which objects lie on the token under which key id, so that nobody has to search for them: SoftHSM
 * looks at every object that it has, whatever it is asked for. Filled by one walk over all objects
 * when the token is opened, kept by the calls that make, rename and destroy objects. It is a help
 * and no authority: whoever takes a handle from it reads its CKA_ID back before using it.
 *
 * Beside them, of each key: the public key, once it was read; and a session object that all signers
 * share. One lock, held for the time of a look-up, never during a call to the token. Any thread.
 * Handles are PKCS#11's; nothing here is secret.
 */
struct stk_index;

#define STK_INDEX_KEYS_MAX (4 * STK_NAMES_MAX)     /* former generations keep their keys */
#define STK_INDEX_OBJECTS_MAX (16 * STK_NAMES_MAX) /* certificates included */
#define STK_INDEX_POINT 64                         /* a P-256 point's coordinates */

/* An object of a key. */
struct stk_indexed {
    CK_OBJECT_HANDLE handle;
    CK_OBJECT_CLASS class;
};

/* On the heap. {0} is none. */
struct stk_indexed_list {
    struct stk_indexed *items;
    size_t count;
};

/* An object as a walk over all found it. */
struct stk_index_walked {
    struct stk_key_id key_id;
    struct stk_indexed object;
};

/* A copy of a key that signers share: a session object. It lasts as long as somebody holds it. */
struct stk_index_copy {
    CK_OBJECT_HANDLE handle;
    struct stk_footprint footprint;
    uint32_t holders; /* these are the index's own */
    bool retired;
};

enum stirkeep_status stk_index_new(struct stk_index **ret_index);
void stk_index_free(struct stk_index *index);

void stk_indexed_free(struct stk_indexed_list *list);

/* ---- what is on the token */

enum stk_index_answer {
    STK_INDEX_KNOWN, /* these are all of them, if nobody else changed the token */
    STK_INDEX_NONE,  /* there are none, with the same reservation */
    STK_INDEX_ASK,   /* it has to be searched for */
};

/* `*ret_noted` is another when something of the key was noted since an earlier look. */
enum stk_index_answer stk_index_look(struct stk_index *index, const struct stk_key_id *key_id,
                                     struct stk_indexed_list *ret_list, uint64_t *ret_noted);

/*
 * A search for the objects of one key. What it found is kept unless something of the key was noted
 * meanwhile. Gives a session object to be destroyed, or CK_INVALID_HANDLE.
 */
uint64_t stk_index_search_begins(struct stk_index *index, const struct stk_key_id *key_id);
CK_OBJECT_HANDLE stk_index_search_ended(struct stk_index *index, const struct stk_key_id *key_id,
                                        uint64_t begun, const struct stk_indexed_list *found);

/* A walk over all objects, the same way. Afterwards what is not in the index is not on the token.
 * One that is not ended has changed nothing. */
uint64_t stk_index_walk_begins(struct stk_index *index);
void stk_index_walk_ended(struct stk_index *index, uint64_t begun,
                          const struct stk_index_walked *items, size_t count);

/* Has a walk been done, and has there been room for all of it and for what came since? */
bool stk_index_is_complete(struct stk_index *index);

/* ---- notes: under the token's lock on objects, so that they come in the order of the calls */

void stk_index_made(struct stk_index *index, const struct stk_key_id *key_id,
                    struct stk_indexed object);

/* Its CKA_ID became this. */
void stk_index_renamed(struct stk_index *index, CK_OBJECT_HANDLE handle,
                       const struct stk_key_id *key_id);

/* It is about to be destroyed. False: none of the index's. `*ret_doomed`: a session object to be
 * destroyed too; untouched when there is none. */
bool stk_index_gone(struct stk_index *index, CK_OBJECT_HANDLE handle, struct stk_key_id *ret_key_id,
                    CK_OBJECT_HANDLE *ret_doomed);

/* What lies there is not known any more: a call failed, or was made past the index. */
void stk_index_doubt(struct stk_index *index, const struct stk_key_id *key_id);

/* The same of this key and of the one that has the object. */
void stk_index_doubt_object(struct stk_index *index, CK_OBJECT_HANDLE handle,
                            const struct stk_key_id *key_id);

/* ---- public keys; forgotten when an object of the key goes */

bool stk_index_point(struct stk_index *index, const struct stk_key_id *key_id,
                     uint8_t ret_point[STK_INDEX_POINT]);
void stk_index_keep_point(struct stk_index *index, const struct stk_key_id *key_id,
                          const uint8_t point[STK_INDEX_POINT]);

/* ---- shared copies */

/* Hold the copy of a key; NULL: there is none. It has to prove itself to each holder. */
struct stk_index_copy *stk_index_copy_take(struct stk_index *index,
                                           const struct stk_key_id *key_id);

/* Share a copy just made, and hold it. NULL: there is one already, or no room: it is the caller's.
 */
struct stk_index_copy *stk_index_copy_share(struct stk_index *index,
                                            const struct stk_key_id *key_id,
                                            CK_OBJECT_HANDLE handle,
                                            const struct stk_footprint *footprint);

/* Let go of it; with `retire`, nobody else takes it from now on. The handle to be destroyed, or
 * CK_INVALID_HANDLE. */
CK_OBJECT_HANDLE stk_index_copy_release(struct stk_index *index, const struct stk_key_id *key_id,
                                        struct stk_index_copy *copy, bool retire);

#endif
