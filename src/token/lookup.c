/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

/*
 * Reading what each object is may take ten times as long as listing them all: on SoftHSM it is
 * about as long. On a network HSM each is a round trip, and a search for one key is quick.
 */
#define WALK_FACTOR 10
#define WALK_MIN_US 100000
#define WALK_TOLD_US 500000 /* one that takes longer is worth telling */
/* A walk is made again after so many handles that meant something else, and no more often than
 * takes a tenth of the time. */
#define STALE_MAX 8
#define REST_FACTOR 9

/* ---- one key */

/* Not by class: the index wants all. Copies have the same CKA_ID, so CKA_TOKEN is asked for. */
static CK_RV search(struct stk_session *session, const struct stk_key_id *key_id,
                    struct stk_indexed_list *ret_list)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {{CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)},
                                 {CKA_TOKEN, &yes, sizeof(yes)}};
    struct stk_handles found = {0};
    struct stk_indexed_list list = {0};
    CK_RV rv = stk_session_find(session, attributes, 2, &found);

    if (rv != CKR_OK)
        return rv;
    list.items = calloc(found.count + 1, sizeof(*list.items));
    if (list.items == NULL)
        rv = CKR_HOST_MEMORY;
    for (size_t i = 0; rv == CKR_OK && i < found.count; i++) {
        struct stk_described about = {0};
        CK_RV read = stk_session_describe(session, found.items[i], &about);

        /* A torn or vanished object is passed over; a session that went is no missing key. */
        if (stk_ckr_is_stale(read) && read != CKR_OBJECT_HANDLE_INVALID)
            rv = read;
        if (read == CKR_OK)
            list.items[list.count++] = (struct stk_indexed){found.items[i], about.class};
    }
    stk_handles_free(&found);
    if (rv == CKR_OK)
        *ret_list = list;
    else
        stk_indexed_free(&list);
    return rv;
}

static size_t known_objects(struct stk_index *index, const struct stk_key_id *key_id)
{
    struct stk_indexed_list known = {0};
    uint64_t noted = 0;
    size_t count = 0;

    (void)stk_index_look(index, key_id, &known, &noted);
    count = known.count;
    stk_indexed_free(&known);
    return count;
}

CK_RV stk_lookup_search(struct stk_session *session, const struct stk_key_id *key_id,
                        struct stk_indexed_list *ret_list)
{
    struct stk_index *index = session->token->index;
    struct stk_indexed_list list = {0};
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;
    size_t known = known_objects(index, key_id);
    uint64_t begun = stk_index_search_begins(index, key_id);
    CK_RV rv = search(session, key_id, &list);

    if (rv != CKR_OK)
        return rv;
    /* Nobody of this process destroyed them. */
    if (list.count < known || (list.count == 0 && stk_sight_in_doubt(session->token)))
        (void)stk_sight_is_whole(session);
    doomed = stk_index_search_ended(index, key_id, begun, &list);
    stk_session_drop_copy(session, doomed, key_id);
    *ret_list = list;
    return CKR_OK;
}

/* Do the handles still mean what they did? After a recovery they may name other objects. */
static CK_RV confirm(struct stk_session *session, const struct stk_key_id *key_id,
                     const struct stk_indexed_list *list, bool *ret_confirmed)
{
    *ret_confirmed = false;
    for (size_t i = 0; i < list->count; i++) {
        struct stk_described about = {0};
        CK_RV rv = stk_session_describe(session, list->items[i].handle, &about);

        if (stk_ckr_is_stale(rv) && rv != CKR_OBJECT_HANDLE_INVALID)
            return rv;
        if (rv != CKR_OK || !about.on_token || !about.has_key_id ||
            about.class != list->items[i].class ||
            memcmp(&about.key_id, key_id, sizeof(*key_id)) != 0)
            return CKR_OK;
    }
    *ret_confirmed = true;
    return CKR_OK;
}

/* ---- all keys */

static bool walk_one(struct stk_session *session, CK_OBJECT_HANDLE object,
                     struct stk_index_walked *ret_walked, CK_RV *ret_rv)
{
    struct stk_described about = {0};
    CK_RV rv = stk_session_describe(session, object, &about);

    if (stk_ckr_is_stale(rv) && rv != CKR_OBJECT_HANDLE_INVALID)
        *ret_rv = rv;
    if (rv != CKR_OK || !about.on_token || !about.has_key_id)
        return false;
    *ret_walked = (struct stk_index_walked){about.key_id, {object, about.class}};
    return true;
}

static CK_RV walk(struct stk_session *session, const struct stk_handles *all, uint64_t until,
                  struct stk_index_walked *items, size_t *ret_count)
{
    size_t count = 0;
    CK_RV rv = CKR_OK;

    for (size_t i = 0; rv == CKR_OK && i < all->count; i++) {
        if (walk_one(session, all->items[i], &items[count], &rv))
            count++;
        if (stk_clock_mono_us() > until)
            return CKR_FUNCTION_CANCELED;
    }
    *ret_count = count;
    return rv;
}

static void tell(const struct stk_token *token, size_t count, uint64_t took, CK_RV rv)
{
    if (rv == CKR_FUNCTION_CANCELED)
        stk_log(STK_LOG_INFO,
                "token \"%s\": reading its %zu objects would take too long: each key is searched "
                "for when it is first used",
                token->label, count);
    else if (took > WALK_TOLD_US)
        stk_log(STK_LOG_INFO, "token \"%s\": its %zu objects were read in %u ms", token->label,
                count, (unsigned)(took / 1000));
}

CK_RV stk_lookup_walk(struct stk_session *session)
{
    struct stk_token *token = session->token;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attribute = {CKA_TOKEN, &yes, sizeof(yes)};
    struct stk_handles all = {0};
    struct stk_index_walked *items = NULL;
    size_t count = 0;
    uint64_t before = stk_clock_mono_us();
    uint64_t begun = stk_index_walk_begins(token->index);
    CK_RV rv = stk_session_find(session, &attribute, 1, &all);
    uint64_t now = stk_clock_mono_us();
    uint64_t patience = (now - before) * WALK_FACTOR;

    if (rv != CKR_OK)
        return rv;
    atomic_store_explicit(&token->object_count, all.count, memory_order_relaxed);
    items = calloc(all.count + 1, sizeof(*items));
    if (items == NULL)
        rv = CKR_HOST_MEMORY;
    else
        rv = walk(session, &all, now + (patience > WALK_MIN_US ? patience : WALK_MIN_US), items,
                  &count);
    if (rv == CKR_OK)
        stk_index_walk_ended(token->index, begun, items, count);
    tell(token, all.count, stk_clock_mono_us() - before, rv);
    free(items);
    stk_handles_free(&all);
    return rv;
}

/* ---- with both: one at a time, so that what many wait for is looked for once */

static uint64_t rest_after(uint64_t before)
{
    uint64_t now = stk_clock_mono_us();

    return now + REST_FACTOR * (now - before);
}

/* A key that is not in a complete index is most likely not there. Who signs does not wait for
 * another's search, and such searches take a tenth of the time in all: others want to sign. */
static CK_RV search_in_vain(struct stk_session *session, const struct stk_key_id *key_id,
                            struct stk_indexed_list *ret_list)
{
    struct stk_token *token = session->token;
    uint64_t before = 0;
    CK_RV rv = CKR_OK;

    if (pthread_mutex_trylock(&token->lookups.lock) != 0)
        return CKR_OK;
    before = stk_clock_mono_us();
    if (before >= token->lookups.search_again) {
        rv = stk_lookup_search(session, key_id, ret_list);
        token->lookups.search_again = rest_after(before);
    }
    (void)pthread_mutex_unlock(&token->lookups.lock);
    return rv;
}

/* Handles mean something else: those of one key, or after a recovery those of all. */
static CK_RV look_again(struct stk_session *session, const struct stk_key_id *key_id,
                        uint64_t noted, struct stk_indexed_list *ret_list)
{
    struct stk_token *token = session->token;
    struct stk_indexed_list list = {0};
    uint64_t noted_now = 0;
    bool confirmed = false;
    bool walked = false;
    CK_RV rv = CKR_OK;

    (void)pthread_mutex_lock(&token->lookups.lock);
    if (++token->lookups.stale >= STALE_MAX && stk_index_is_complete(token->index)) {
        uint64_t before = stk_clock_mono_us();

        if (before >= token->lookups.walk_again) {
            walked = stk_lookup_walk(session) == CKR_OK;
            token->lookups.walk_again = rest_after(before);
            token->lookups.stale = 0;
        }
    }
    /* Somebody was quicker, or the walk has it. */
    if (stk_index_look(token->index, key_id, &list, &noted_now) == STK_INDEX_KNOWN &&
        (walked || noted_now != noted))
        rv = confirm(session, key_id, &list, &confirmed);
    if (rv == CKR_OK && !confirmed) {
        stk_indexed_free(&list);
        rv = stk_lookup_search(session, key_id, &list);
    }
    (void)pthread_mutex_unlock(&token->lookups.lock);
    if (rv == CKR_OK)
        *ret_list = list;
    else
        stk_indexed_free(&list);
    return rv;
}

CK_RV stk_lookup_key(struct stk_session *session, const struct stk_key_id *key_id,
                     struct stk_indexed_list *ret_list)
{
    struct stk_indexed_list list = {0};
    uint64_t noted = 0;
    bool confirmed = false;
    CK_RV rv = CKR_OK;

    switch (stk_index_look(session->token->index, key_id, &list, &noted)) {
    case STK_INDEX_KNOWN:
        rv = confirm(session, key_id, &list, &confirmed);
        if (rv == CKR_OK && confirmed) {
            *ret_list = list;
            return CKR_OK;
        }
        stk_indexed_free(&list);
        return rv == CKR_OK ? look_again(session, key_id, noted, ret_list) : rv;
    case STK_INDEX_NONE:
        /* Custody's word that a key is not there has to be true. */
        return session->writable ? stk_lookup_search(session, key_id, ret_list)
                                 : search_in_vain(session, key_id, ret_list);
    case STK_INDEX_ASK:
        break;
    }
    return stk_lookup_search(session, key_id, ret_list);
}

static CK_RV pick(const struct stk_indexed_list *list, CK_OBJECT_CLASS class,
                  struct stk_handles *ret_handles)
{
    struct stk_handles handles = {calloc(list->count + 1, sizeof(*handles.items)), 0};

    if (handles.items == NULL)
        return CKR_HOST_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        if (class == CK_UNAVAILABLE_INFORMATION || list->items[i].class == class)
            handles.items[handles.count++] = list->items[i].handle;
    *ret_handles = handles;
    return CKR_OK;
}

CK_RV stk_key_objects(struct stk_session *session, const struct stk_key_id *key_id,
                      CK_OBJECT_CLASS class, struct stk_handles *ret_handles)
{
    struct stk_indexed_list list = {0};
    uint64_t noted = 0;
    bool confirmed = false;
    enum stk_index_answer answer = STK_INDEX_ASK;
    CK_RV rv = CKR_OK;

    if (class != CK_UNAVAILABLE_INFORMATION)
        answer = stk_index_look(session->token->index, key_id, &list, &noted);
    if (answer == STK_INDEX_KNOWN)
        rv = confirm(session, key_id, &list, &confirmed);
    if (answer == STK_INDEX_ASK || (answer == STK_INDEX_KNOWN && !confirmed && rv == CKR_OK)) {
        stk_indexed_free(&list);
        rv = stk_lookup_search(session, key_id, &list);
    }
    if (rv == CKR_OK)
        rv = pick(&list, class, ret_handles);
    stk_indexed_free(&list);
    return rv;
}
