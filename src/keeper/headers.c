/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/headers.h"

#include "base/encode.h"
#include "base/fetch.h"
#include "model/uri.h"
#include "passport/passport.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED 256 /* octets that x5u and header take, mostly */

struct entry {
    struct stk_key_id key_id;
    char ppt[STK_PPT_MAX + 1];
    char *x5u; /* and behind its '\0' the header's text, in one piece; NULL: an empty place */
    const char *text;
    size_t text_length;
};

struct stk_headers {
    struct stk_buffer json; /* the header being composed */
    uint32_t places;        /* a power of two */
    struct entry entries[];
};

enum stirkeep_status stk_headers_new(size_t signers, struct stk_headers **ret_headers)
{
    struct stk_headers *headers = NULL;
    uint32_t places = STK_HEADERS_MAX;

    while (places > STK_HEADERS_MIN && places * signers > STK_HEADERS_OF_ALL_MAX)
        places /= 2;
    headers = calloc(1, sizeof(*headers) + places * sizeof(headers->entries[0]));
    if (headers == NULL)
        return STIRKEEP_NO_MEMORY;
    headers->places = places;
    *ret_headers = headers;
    return STIRKEEP_OK;
}

/* A key id is a digest already: its first bytes are as good as any hash of it. The types of one key
 * have places of their own. */
static uint32_t place_of(const struct stk_headers *headers, const struct stk_key_id *key_id,
                         const char *ppt)
{
    uint32_t bits = 0;

    memcpy(&bits, key_id->bytes, sizeof(bits));
    for (const char *at = ppt; *at != '\0'; at++)
        bits = bits * 31 + (uint8_t)*at;
    return bits & (headers->places - 1);
}

static bool holds(const struct entry *entry, const struct stk_key_id *key_id, const char *ppt,
                  const char *x5u)
{
    return entry->x5u != NULL && memcmp(&entry->key_id, key_id, sizeof(*key_id)) == 0 &&
           strcmp(entry->ppt, ppt) == 0 && strcmp(entry->x5u, x5u) == 0;
}

static enum stirkeep_status fill(struct entry *entry, const struct stk_buffer *json,
                                 const struct stk_key_id *key_id, const char *ppt, const char *x5u)
{
    size_t x5u_size = strlen(x5u) + 1;
    char *piece = malloc(x5u_size + STK_BASE64URL_LENGTH(json->length));

    assert(strlen(ppt) < sizeof(entry->ppt));
    if (piece == NULL)
        return STIRKEEP_NO_MEMORY;
    memcpy(piece, x5u, x5u_size);
    free(entry->x5u);
    *entry = (struct entry){.key_id = *key_id,
                            .x5u = piece,
                            .text = piece + x5u_size,
                            .text_length =
                                stk_base64url_encode(json->data, json->length, piece + x5u_size)};
    memcpy(entry->ppt, ppt, strlen(ppt) + 1);
    return STIRKEEP_OK;
}

void stk_headers_expect_place(const struct stk_headers *headers, const struct stk_key_id *key_id,
                              const char *ppt)
{
    stk_fetch(&headers->entries[place_of(headers, key_id, ppt)], sizeof(headers->entries[0]));
}

void stk_headers_expect_text(const struct stk_headers *headers, const struct stk_key_id *key_id,
                             const char *ppt)
{
    const struct entry *entry = &headers->entries[place_of(headers, key_id, ppt)];

    if (entry->x5u != NULL)
        stk_fetch(entry->x5u, EXPECTED);
}

static enum stirkeep_status compose(struct stk_headers *headers, struct entry *entry,
                                    const struct stk_key_id *key_id, const char *ppt,
                                    const char *x5u, struct stk_error *error)
{
    enum stirkeep_status status = stk_x5u_check(x5u, error);

    if (status != STIRKEEP_OK)
        return status;
    headers->json.length = 0;
    status = stk_passport_header(ppt, x5u, &headers->json);
    if (status == STIRKEEP_OK)
        status = fill(entry, &headers->json, key_id, ppt, x5u);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "PASSporT header: %s", stirkeep_status_text(status));
    return STIRKEEP_OK;
}

enum stirkeep_status stk_headers_get(struct stk_headers *headers, const struct stk_key_id *key_id,
                                     const char *ppt, const char *x5u, const char **ret_text,
                                     size_t *ret_length, struct stk_error *error)
{
    struct entry *entry = &headers->entries[place_of(headers, key_id, ppt)];

    if (!holds(entry, key_id, ppt, x5u)) {
        enum stirkeep_status status = compose(headers, entry, key_id, ppt, x5u, error);

        if (status != STIRKEEP_OK)
            return status;
    }
    *ret_text = entry->text;
    *ret_length = entry->text_length;
    return STIRKEEP_OK;
}
