/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include <string.h>

#define POINT_HEADER 2 /* of an OCTET STRING around the point */

bool stk_public_key_spki(struct stk_session *session, CK_OBJECT_HANDLE object,
                         uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    uint8_t point[POINT_HEADER + STK_P256_POINT_LENGTH] = {0};
    size_t length = 0;

    if (stk_session_read(session, object, CKA_EC_POINT, point, sizeof(point), &length) != CKR_OK)
        return false;
    if (length == STK_P256_POINT_LENGTH) /* some tokens leave the OCTET STRING out */
        return stk_spki_from_point(point, ret_spki);
    return length == sizeof(point) && point[0] == 0x04 && point[1] == STK_P256_POINT_LENGTH &&
           stk_spki_from_point(point + POINT_HEADER, ret_spki);
}

bool stk_spki_is_of(const uint8_t spki[STK_P256_SPKI_LENGTH], const struct stk_key_id *key_id)
{
    uint8_t hash[STK_DIGEST_LENGTH] = {0};

    stk_sha256(spki, STK_P256_SPKI_LENGTH, hash);
    return memcmp(hash, key_id->bytes, sizeof(hash)) == 0;
}

static CK_RV find_private(struct stk_session *session, const struct stk_handles *keys,
                          const uint8_t spki[STK_P256_SPKI_LENGTH], CK_OBJECT_HANDLE *ret_key)
{
    for (size_t i = 0; i < keys->count; i++) {
        bool proven = false;
        CK_RV rv = stk_key_prove(session, keys->items[i], spki, &proven);

        if (!stk_ckr_blames_key(rv))
            return rv;
        if (rv == CKR_OK && proven) {
            *ret_key = keys->items[i];
            return CKR_OK;
        }
    }
    return CKR_OK;
}

CK_RV stk_pair_find(struct stk_session *session, const struct stk_key_id *public_id,
                    const struct stk_key_id *private_id, const struct stk_key_id *key_id,
                    struct stk_pair *ret_pair)
{
    struct stk_handles publics = {0};
    struct stk_handles privates = {0};
    struct stk_pair pair = {0};
    CK_RV rv = stk_key_objects(session, private_id, CKO_PRIVATE_KEY, &privates);

    if (rv == CKR_OK && privates.count > 0)
        rv = stk_key_objects(session, public_id, CKO_PUBLIC_KEY, &publics);
    for (size_t i = 0; rv == CKR_OK && pair.private == CK_INVALID_HANDLE && i < publics.count;
         i++) {
        if (!stk_public_key_spki(session, publics.items[i], pair.spki) ||
            (key_id != NULL && !stk_spki_is_of(pair.spki, key_id)))
            continue;
        pair.public = publics.items[i];
        rv = find_private(session, &privates, pair.spki, &pair.private);
    }
    stk_handles_free(&publics);
    stk_handles_free(&privates);
    if (rv == CKR_OK && pair.private != CK_INVALID_HANDLE)
        *ret_pair = pair;
    return rv;
}

CK_RV stk_key_clear(struct stk_session *session, const struct stk_key_id *key_id,
                    size_t *ret_destroyed)
{
    struct stk_handles found = {0};
    size_t destroyed = 0;
    CK_RV rv = stk_key_objects(session, key_id, CK_UNAVAILABLE_INFORMATION, &found);

    while (rv == CKR_OK && destroyed < found.count)
        rv = stk_session_destroy(session, found.items[destroyed++]);
    stk_handles_free(&found);
    *ret_destroyed = destroyed;
    return rv;
}
