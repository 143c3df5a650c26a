/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "base/encode.h"
#include <stdlib.h>
#include <string.h>

#define EC_POINT_DER_LENGTH (STK_P256_POINT_LENGTH + 2) /* in an OCTET STRING */

/* What is on the token under one CKA_ID. */
struct candidates {
    struct stk_handles keys; /* private */
    uint8_t spki[STK_P256_SPKI_LENGTH];
    bool has_spki;
};

const char *stk_key_id_text(const struct stk_key_id *key_id, char text[STK_KEY_ID_TEXT])
{
    stk_hex_encode(key_id->bytes, (STK_KEY_ID_TEXT - 1) / 2, text);
    return text;
}

CK_RV stk_key_objects(struct stk_session *session, const struct stk_key_id *key_id,
                      CK_OBJECT_CLASS class, struct stk_handles *ret_handles)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_TOKEN, &yes, sizeof(yes)}, /* copies have the same CKA_ID */
        {CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)},
        {CKA_CLASS, &class, sizeof(class)},
    };

    return stk_session_find(session, attributes, class == CK_UNAVAILABLE_INFORMATION ? 2 : 3,
                            ret_handles);
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

static bool public_key_spki(struct stk_session *session, CK_OBJECT_HANDLE object,
                            uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    uint8_t point[EC_POINT_DER_LENGTH] = {0};
    size_t length = 0;

    if (stk_session_read(session, object, CKA_EC_POINT, point, sizeof(point), &length) != CKR_OK ||
        length != sizeof(point) || point[0] != 0x04 || point[1] != STK_P256_POINT_LENGTH)
        return false;
    return stk_spki_from_point(point + 2, ret_spki);
}

/* Only one whose SubjectPublicKeyInfo hashes to the key id counts: others may be anybody's. */
static bool spki_of(struct stk_session *session, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS class,
                    const struct stk_key_id *key_id, uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};
    uint8_t hash[STK_DIGEST_LENGTH] = {0};
    bool found = false;

    if (class == CKO_CERTIFICATE)
        found = certificate_spki(session, object, spki);
    else if (class == CKO_PUBLIC_KEY)
        found = public_key_spki(session, object, spki);
    if (!found)
        return false;
    stk_sha256(spki, sizeof(spki), hash);
    if (memcmp(hash, key_id->bytes, sizeof(hash)) != 0)
        return false;
    memcpy(ret_spki, spki, sizeof(spki));
    return true;
}

/* One search for all, since a search looks at every object on the token. */
static CK_RV gather(struct stk_session *session, const struct stk_key_id *key_id,
                    struct candidates *ret_candidates)
{
    struct stk_handles all = {0};
    struct candidates found = {0};
    CK_RV rv = stk_key_objects(session, key_id, CK_UNAVAILABLE_INFORMATION, &all);

    for (size_t i = 0; rv == CKR_OK && i < all.count; i++) {
        CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
        size_t length = 0;
        CK_RV read =
            stk_session_read(session, all.items[i], CKA_CLASS, &class, sizeof(class), &length);

        /* A torn or vanished object is passed over; a session that went is no missing key. */
        if (stk_ckr_is_stale(read) && read != CKR_OBJECT_HANDLE_INVALID)
            rv = read;
        if (read != CKR_OK || length != sizeof(class))
            continue;
        if (class == CKO_PRIVATE_KEY)
            all.items[found.keys.count++] = all.items[i];
        else if (!found.has_spki)
            found.has_spki = spki_of(session, all.items[i], class, key_id, found.spki);
    }
    if (rv != CKR_OK) {
        stk_handles_free(&all);
        return rv;
    }
    found.keys.items = all.items;
    *ret_candidates = found;
    return CKR_OK;
}

/* Prove one private key, by its copy where it can be had. CKR_OK without proof: not this key. */
static CK_RV try_candidate(struct stk_session *session, CK_OBJECT_HANDLE key, bool copy,
                           const uint8_t spki[STK_P256_SPKI_LENGTH], struct stk_proven *ret_key,
                           bool *ret_proven)
{
    struct stk_proven tried = {key, false};
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    CK_RV rv = CKR_OK;

    if (copy && session->token->info.copies && stk_session_copy(session, key, &handle) == CKR_OK)
        tried = (struct stk_proven){handle, true};
    rv = stk_key_prove(session, tried.handle, spki, ret_proven);
    if (rv == CKR_OK && *ret_proven)
        *ret_key = tried;
    else if (tried.copy)
        (void)stk_session_destroy(session, tried.handle);
    return rv;
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

enum stirkeep_status stk_key_find(struct stk_session *session, const struct stk_key_id *key_id,
                                  bool copy, struct stk_proven *ret_key, CK_RV *ret_rv,
                                  struct stk_error *error)
{
    struct candidates found = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    char id[STK_KEY_ID_TEXT] = "";
    bool proven = false;
    CK_RV rv = gather(session, key_id, &found);

    if (rv != CKR_OK) {
        status = stk_ckr_error(error, "C_FindObjects", rv);
        goto out;
    }
    if (found.keys.count == 0) {
        status = stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE, "key %s is not on the token",
                               stk_key_id_text(key_id, id));
        goto out;
    }
    if (!found.has_spki) {
        status = stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                               "key %s has no certificate of its own on the token",
                               stk_key_id_text(key_id, id));
        goto out;
    }
    for (size_t i = 0; i < found.keys.count && !proven && stk_ckr_blames_key(rv); i++)
        rv = try_candidate(session, found.keys.items[i], copy, found.spki, ret_key, &proven);
    if (!proven)
        status = stk_ckr_blames_key(rv) ? no_proof(key_id, rv, error)
                                        : stk_ckr_error(error, "C_Sign", rv);
out:
    stk_handles_free(&found.keys);
    *ret_rv = rv;
    return status;
}
