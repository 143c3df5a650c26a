/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* rcdi (RFC 9795 section 6): JSON pointers into rcd, and digests of what is there or behind it. */

/* ---- digests: W3C Subresource Integrity's forms */

static const struct {
    const char *prefix;
    size_t length; /* characters of its base64 without padding */
    size_t padding;
} digests[] = {{"sha256-", 43, 1}, {"sha384-", 64, 0}, {"sha512-", 86, 2}};

/* With padding or without: RFC 4648 has it, the examples of RFC 9795 do not. */
static bool is_base64(const char *text, size_t length, size_t padding)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *last = NULL;

    if (strspn(text, alphabet) != length)
        return false;
    if (text[length] != '\0' &&
        (strspn(text + length, "=") != padding || text[length + padding] != '\0'))
        return false;
    /* Bits that belong to no byte are 0. */
    last = strchr(alphabet, text[length - 1]);
    return (last - alphabet) % (1 << 2 * padding) == 0;
}

static bool is_digest(const char *text)
{
    for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
        size_t length = strlen(digests[i].prefix);

        if (strncmp(text, digests[i].prefix, length) == 0)
            return is_base64(text + length, digests[i].length, digests[i].padding);
    }
    return false;
}

/* ---- pointers, RFC 6901 */

/* Does the token of `length` characters name the key? "~0" is '~', "~1" is '/'. */
static bool token_is(const char *token, size_t length, const char *key, size_t key_length)
{
    size_t at = 0;

    for (size_t i = 0; i < length; i++, at++) {
        char c = token[i];

        if (c == '~')
            c = token[++i] == '0' ? '~' : '/';
        if (at == key_length || key[at] != c)
            return false;
    }
    return at == key_length;
}

/* An array's index: no leading zeros. SIZE_MAX: it is none. */
static size_t index_of(const char *token, size_t length)
{
    size_t index = 0;

    if (length == 0 || length > 6 || (token[0] == '0' && length > 1))
        return SIZE_MAX;
    for (size_t i = 0; i < length; i++) {
        if (token[i] < '0' || token[i] > '9')
            return SIZE_MAX;
        index = index * 10 + (size_t)(token[i] - '0');
    }
    return index;
}

static const struct stk_json *step(const struct stk_json *json, const char *token, size_t length)
{
    const struct stk_json *item = json->first;
    size_t index = 0;

    if (json->kind == STK_JSON_OBJECT) {
        while (item != NULL && !token_is(token, length, item->key, item->key_length))
            item = item->next;
        return item;
    }
    if (json->kind != STK_JSON_ARRAY)
        return NULL;
    index = index_of(token, length);
    for (; item != NULL && index > 0; index--)
        item = item->next;
    return item;
}

/* Is every '~' followed by '0' or '1'? */
static bool escapes_are_good(const char *pointer)
{
    for (const char *at = strchr(pointer, '~'); at != NULL; at = strchr(at + 1, '~'))
        if (at[1] != '0' && at[1] != '1')
            return false;
    return true;
}

static bool resolves(const struct stk_json *json, const char *pointer)
{
    while (json != NULL && *pointer == '/') {
        size_t length = strcspn(pointer + 1, "/");

        json = step(json, pointer + 1, length);
        pointer += 1 + length;
    }
    return json != NULL && *pointer == '\0';
}

/* Does it point at something that the rcd has? */
static bool points_into(const struct stk_claims *claims, const char *pointer)
{
    const struct {
        const char *key;
        bool is_there;
    } members[] = {{"/apn", claims->rcd_apn != NULL},
                   {"/icn", claims->rcd_icn != NULL},
                   {"/jcd", claims->rcd_jcd != NULL},
                   {"/jcl", claims->rcd_jcl != NULL},
                   {"/nam", claims->rcd_nam != NULL}};

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        const char *rest = pointer + strlen(members[i].key);

        if (!members[i].is_there || strncmp(pointer, members[i].key, strlen(members[i].key)) != 0)
            continue;
        if (*rest == '\0')
            return true;
        if (claims->rcd_jcd != NULL && strcmp(members[i].key, "/jcd") == 0)
            return resolves(claims->rcd_jcd, rest);
        /* Into the jCard that is behind the URL, which is not seen here. */
        return strcmp(members[i].key, "/jcl") == 0 && *rest == '/';
    }
    return false;
}

static enum stirkeep_status make_pair(struct stk_claims_making *making, size_t index,
                                      struct stk_pair *ret_pair)
{
    const struct stk_pair *given = &making->input->rcdi[index];
    enum stirkeep_status status = STIRKEEP_OK;

    if (given->name == NULL || !escapes_are_good(given->name) ||
        !points_into(making->claims, given->name))
        return stk_claims_refuse_item(making->error, "rcdi.pointer", index,
                                      "points at nothing in rcd (RFC 6901)");
    if (given->value == NULL || !is_digest(given->value))
        return stk_claims_refuse_item(
            making->error, "rcdi.digest", index,
            "has to be sha256-, sha384- or sha512- and the digest in base64");
    status = stk_claims_copy_readable(making, given->name, "rcdi.pointer", STK_RCDI_POINTER_MAX,
                                      &ret_pair->name);
    if (status == STIRKEEP_OK)
        status = stk_claims_copy(making, given->value, "rcdi.digest", STK_RCD_TEXT_MAX,
                                 &ret_pair->value);
    return status;
}

/* ---- what has to have a digest */

static bool has_digest(const struct stk_claims *claims, const char *pointer)
{
    for (size_t i = 0; i < claims->rcdi_count; i++)
        if (strcmp(claims->rcdi[i].name, pointer) == 0)
            return true;
    return false;
}

static bool is_elsewhere(const char *uri)
{
    return strncasecmp(uri, "https:", strlen("https:")) == 0 ||
           strncasecmp(uri, "http:", strlen("http:")) == 0;
}

/* Every URI in the jCard that points elsewhere. */
static enum stirkeep_status check_jcard(const struct stk_claims *claims, struct stk_error *error)
{
    const struct stk_json *property = claims->rcd_jcd->first->next->first;

    for (size_t i = 0; property != NULL; property = property->next, i++) {
        const struct stk_json *value = property->first->next->next;

        if (strcmp(value->text, "uri") != 0)
            continue;
        value = value->next;
        for (size_t k = 3; value != NULL; value = value->next, k++) {
            char pointer[64] = "";

            (void)snprintf(pointer, sizeof(pointer), "/jcd/1/%zu/%zu", i, k);
            if (value->kind == STK_JSON_STRING && is_elsewhere(value->text) &&
                !has_digest(claims, pointer))
                return stk_error_set(error, STIRKEEP_INVALID,
                                     "rcdi: %s is missing, the jCard has a URL there", pointer);
        }
    }
    return STIRKEEP_OK;
}

/* RFC 9795 sections 4 and 6.1: of what is behind a URL there has to be a digest. That its section
 * 8.3 has an icn without any rcdi is taken as it is there. */
enum stirkeep_status stk_claims_check_rcdi(struct stk_claims_making *making)
{
    const struct stk_claims *claims = making->claims;

    if (claims->rcd_jcl != NULL && !has_digest(claims, "/jcl"))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "rcdi: /jcl is missing, rcd.jcl needs a digest");
    if (claims->rcd_icn != NULL && claims->rcdi_count > 0 && is_elsewhere(claims->rcd_icn) &&
        !has_digest(claims, "/icn"))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "rcdi: /icn is missing, rcd.icn needs a digest, too");
    return claims->rcd_jcd != NULL ? check_jcard(claims, making->error) : STIRKEEP_OK;
}

/* ---- the claim */

enum stirkeep_status stk_claim_make_rcdi(struct stk_claims_making *making)
{
    const size_t count = making->input->rcdi_count;
    struct stk_pair *pairs = NULL;

    if (making->claims->rcd_nam == NULL)
        return stk_error_set(making->error, STIRKEEP_INVALID, "rcdi: not allowed without rcd");
    if (count > STK_RCDI_MAX)
        return stk_error_set(making->error, STIRKEEP_INVALID, "rcdi: more than %d", STK_RCDI_MAX);
    pairs = stk_arena_take(making->arena, count * sizeof(*pairs));
    if (pairs == NULL)
        return stk_claims_no_room(making->error);
    for (size_t i = 0; i < count; i++) {
        struct stk_pair pair = {0};
        size_t at = i;
        enum stirkeep_status status = make_pair(making, i, &pair);

        if (status != STIRKEEP_OK)
            return status;
        while (at > 0 && strcmp(pairs[at - 1].name, pair.name) > 0)
            at--;
        if (at > 0 && strcmp(pairs[at - 1].name, pair.name) == 0)
            return stk_claims_refuse_item(making->error, "rcdi.pointer", i, "is given twice");
        memmove(pairs + at + 1, pairs + at, (i - at) * sizeof(*pairs));
        pairs[at] = pair;
    }
    making->claims->rcdi = pairs;
    making->claims->rcdi_count = count;
    return STIRKEEP_OK;
}
