/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "base/encode.h"
#include "token/footprint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POINT_UNCOMPRESSED 0x04
const char *stk_key_id_text(const struct stk_key_id *key_id, char text[STK_KEY_ID_TEXT])
{
    stk_hex_encode(key_id->bytes, (STK_KEY_ID_TEXT - 1) / 2, text);
    return text;
}

static bool certificate_spki(struct stk_session *session, CK_OBJECT_HANDLE object,
                             uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    uint8_t *der = malloc(STK_CERT_DER_MAX);
    size_t length = 0;
    bool found =
        der != NULL &&
        stk_session_read(session, object, CKA_VALUE, der, STK_CERT_DER_MAX, &length) == CKR_OK &&
        stk_certificate_spki((struct stk_bytes){der, length}, ret_spki);

    free(der);
    return found;
}

/* As it was read before. */
static bool known_spki(struct stk_session *session, const struct stk_key_id *key_id,
                       uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    uint8_t point[STK_P256_POINT_LENGTH] = {POINT_UNCOMPRESSED};

    return stk_index_point(session->token->index, key_id, point + 1) &&
           stk_spki_from_point(point, ret_spki) && stk_spki_is_of(ret_spki, key_id);
}

static const uint8_t *point_of(const uint8_t spki[STK_P256_SPKI_LENGTH])
{
    return spki + STK_P256_SPKI_LENGTH - STK_INDEX_POINT;
}

static bool read_spki(struct stk_session *session, const struct stk_key_id *key_id,
                      const struct stk_indexed_list *objects,
                      uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};
    bool found = known_spki(session, key_id, ret_spki);

    for (size_t i = 0; !found && i < objects->count; i++) {
        const struct stk_indexed *object = &objects->items[i];

        if ((object->class == CKO_CERTIFICATE && certificate_spki(session, object->handle, spki)) ||
            (object->class == CKO_PUBLIC_KEY && stk_public_key_spki(session, object->handle, spki)))
            found = stk_spki_is_of(spki, key_id);
        if (!found)
            continue;
        memcpy(ret_spki, spki, sizeof(spki));
        stk_index_keep_point(session->token->index, key_id, point_of(spki));
    }
    return found;
}

void stk_key_release(struct stk_session *session, const struct stk_key_id *key_id,
                     const struct stk_proven *key, bool retire)
{
    CK_OBJECT_HANDLE doomed = key->own ? key->handle : CK_INVALID_HANDLE;

    if (key->shared != NULL)
        doomed = stk_index_copy_release(session->token->index, key_id, key->shared, retire);
    stk_session_drop_copy(session, doomed, key_id);
}

static bool says_gone(CK_RV rv)
{
    return rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID;
}

/* The copy that others use already, which has to prove itself to each. Not CKR_OK: the session's
 * trouble. CKR_OK without proof: there is none, or none that is of use. */
static CK_RV try_shared(struct stk_session *session, const struct stk_key_id *key_id,
                        struct stk_proven *ret_key, bool *ret_proven)
{
    struct stk_index_copy *copy = stk_index_copy_take(session->token->index, key_id);
    struct stk_proven tried = {.shared = copy};
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};
    CK_RV rv = CKR_OK;

    if (copy == NULL)
        return CKR_OK;
    tried.handle = copy->handle;
    if (known_spki(session, key_id, spki))
        rv = stk_key_prove(session, tried.handle, spki, ret_proven);
    if (rv == CKR_OK && *ret_proven) {
        memcpy(tried.point, point_of(spki), sizeof(tried.point));
        *ret_key = tried;
        return CKR_OK;
    }
    stk_key_release(session, key_id, &tried, stk_ckr_blames_key(rv) || says_gone(rv));
    return stk_ckr_blames_key(rv) || says_gone(rv) ? CKR_OK : rv;
}

/* In the form asked for, where that can be had. */
static struct stk_proven in_form(struct stk_session *session, CK_OBJECT_HANDLE key,
                                 enum stk_key_form form, struct stk_footprint *ret_footprint)
{
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
    CK_RV rv = CKR_FUNCTION_NOT_SUPPORTED;

    if (form == STK_KEY_COPY_FOR_ALL) {
        stk_footprint_begin();
        rv = stk_session_copy_for_all(session, key, &copy);
        stk_footprint_end(ret_footprint);
    } else if (form == STK_KEY_COPY_OF_OWN) {
        rv = stk_session_copy(session, key, &copy);
    }
    return rv == CKR_OK ? (struct stk_proven){.handle = copy, .own = true}
                        : (struct stk_proven){.handle = key};
}

/* Prove one private key. CKR_OK without proof: not this key. */
static CK_RV try_candidate(struct stk_session *session, const struct stk_key_id *key_id,
                           CK_OBJECT_HANDLE key, enum stk_key_form form,
                           const uint8_t spki[STK_P256_SPKI_LENGTH], struct stk_proven *ret_key,
                           bool *ret_proven)
{
    struct stk_footprint footprint = {0};
    struct stk_proven tried = in_form(session, key, form, &footprint);
    CK_RV rv = stk_key_prove(session, tried.handle, spki, ret_proven);

    if (rv != CKR_OK || !*ret_proven) {
        stk_key_release(session, key_id, &tried, false);
        return rv;
    }
    if (form == STK_KEY_COPY_FOR_ALL && tried.own) {
        struct stk_index_copy *shared =
            stk_index_copy_share(session->token->index, key_id, tried.handle, &footprint);

        /* Another signer was quicker, or the key has gone: it lasts as long as this one has it. */
        if (shared != NULL)
            tried = (struct stk_proven){.handle = tried.handle, .shared = shared};
    }
    memcpy(tried.point, point_of(spki), sizeof(tried.point));
    *ret_key = tried;
    return CKR_OK;
}

static enum stirkeep_status no_proof(const struct stk_key_id *key_id, CK_RV rv,
                                     struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";
    char buffer[STK_CKR_TEXT] = "";

    if (rv == CKR_OK)
        return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                             "key %s: the object on the token signs as another key",
                             stk_key_id_text(key_id, id));
    return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                         "key %s: the object on the token does not sign: C_Sign: %s",
                         stk_key_id_text(key_id, id), stk_ckr_name(rv, buffer));
}

static CK_RV try_all(struct stk_session *session, const struct stk_key_id *key_id,
                     const struct stk_indexed_list *objects, enum stk_key_form form,
                     const uint8_t spki[STK_P256_SPKI_LENGTH], struct stk_proven *ret_key,
                     bool *ret_proven)
{
    CK_RV rv = CKR_OK;

    for (size_t i = 0; !*ret_proven && stk_ckr_blames_key(rv) && i < objects->count; i++)
        if (objects->items[i].class == CKO_PRIVATE_KEY)
            rv = try_candidate(session, key_id, objects->items[i].handle, form, spki, ret_key,
                               ret_proven);
    return rv;
}

static bool has_private(const struct stk_indexed_list *objects)
{
    for (size_t i = 0; i < objects->count; i++)
        if (objects->items[i].class == CKO_PRIVATE_KEY)
            return true;
    return false;
}

enum stirkeep_status stk_key_not_found(const struct stk_key_id *key_id, struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";
    int fd = open("/", O_PATH | O_CLOEXEC);

    if (fd < 0)
        return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE, "key %s is not found: %s",
                             stk_key_id_text(key_id, id), strerror(errno));
    (void)close(fd);
    return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE, "key %s is not on the token",
                         stk_key_id_text(key_id, id));
}

static enum stirkeep_status find(struct stk_session *session, const struct stk_key_id *key_id,
                                 enum stk_key_form form, struct stk_proven *ret_key, CK_RV *ret_rv,
                                 struct stk_error *error)
{
    struct stk_indexed_list objects = {0};
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    char id[STK_KEY_ID_TEXT] = "";
    bool proven = false;
    CK_RV rv = stk_lookup_key(session, key_id, &objects);

    if (rv != CKR_OK) {
        status = stk_ckr_error(error, "C_FindObjects", rv);
        goto out;
    }
    if (!has_private(&objects)) {
        status = stk_key_not_found(key_id, error);
        goto out;
    }
    if (!read_spki(session, key_id, &objects, spki)) {
        status = stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                               "key %s has no certificate of its own on the token",
                               stk_key_id_text(key_id, id));
        goto out;
    }
    rv = try_all(session, key_id, &objects, form, spki, ret_key, &proven);
    if (!proven)
        status = stk_ckr_blames_key(rv) ? no_proof(key_id, rv, error)
                                        : stk_ckr_error(error, "C_Sign", rv);
out:
    stk_indexed_free(&objects);
    *ret_rv = rv;
    return status;
}

enum stirkeep_status stk_key_find(struct stk_session *session, const struct stk_key_id *key_id,
                                  enum stk_key_form form, struct stk_proven *ret_key, CK_RV *ret_rv,
                                  struct stk_error *error)
{
    const struct stk_token *token = session->token;
    bool proven = false;
    CK_RV rv = CKR_OK;

    if (!token->info.copies)
        form = STK_KEY_ON_TOKEN;
    else if (form == STK_KEY_COPY_FOR_ALL && !token->copies_for_all)
        form = STK_KEY_COPY_OF_OWN;
    if (form == STK_KEY_COPY_FOR_ALL)
        rv = try_shared(session, key_id, ret_key, &proven);
    if (rv == CKR_OK && !proven)
        return find(session, key_id, form, ret_key, ret_rv, error);
    *ret_rv = rv;
    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, "C_Sign", rv);
}
