/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include <string.h>

/* mky (RFC 8225 section 5.2.2). */

#define DIGEST_MAX 64 /* bytes: SHA-512 */

/* Names of RFC 8122 section 5, which forbids the use of md2 and md5. */
static const struct {
    const char *name;
    size_t length;
} algorithms[] = {
    {"sha-1", 20}, {"sha-224", 28}, {"sha-256", 32}, {"sha-384", 48}, {"sha-512", DIGEST_MAX}};

static size_t digest_length(const char *alg)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
        if (strcmp(algorithms[i].name, alg) == 0)
            return algorithms[i].length;
    return 0;
}

/* Hex with or without colons between its bytes, into upper case without them. */
static bool read_dig(const char *text, size_t length, char ret_dig[2 * DIGEST_MAX + 1])
{
    size_t written = 0;

    for (; *text != '\0'; text++) {
        char c = *text >= 'a' && *text <= 'f' ? (char)(*text - 'a' + 'A') : *text;

        if (c == ':' && written > 0 && written % 2 == 0 && text[-1] != ':' && text[1] != '\0')
            continue;
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')) || written == 2 * length)
            return false;
        ret_dig[written++] = c;
    }
    ret_dig[written] = '\0';
    return written == 2 * length;
}

static int compare(const struct stk_pair *a, const struct stk_pair *b)
{
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : strcmp(a->value, b->value);
}

/* Into its place, unless it is there already. */
static void insert(struct stk_pair *pairs, size_t *count, struct stk_pair pair)
{
    size_t at = *count;

    while (at > 0 && compare(&pairs[at - 1], &pair) > 0)
        at--;
    if (at > 0 && compare(&pairs[at - 1], &pair) == 0)
        return;
    memmove(pairs + at + 1, pairs + at, (*count - at) * sizeof(*pairs));
    pairs[at] = pair;
    ++*count;
}

static enum stirkeep_status make_pair(struct stk_claims_making *making, size_t index,
                                      struct stk_pair *ret_pair)
{
    const struct stk_pair *given = &making->input->mky[index];
    char dig[2 * DIGEST_MAX + 1] = "";
    size_t length = given->name != NULL ? digest_length(given->name) : 0;

    if (length == 0)
        return stk_claims_refuse_item(making->error, "mky.alg", index,
                                      "is no hash function of RFC 8122 (sha-1 to sha-512)");
    if (given->value == NULL || !read_dig(given->value, length, dig))
        return stk_claims_refuse_item(making->error, "mky.dig", index,
                                      "is not hex of the length that its alg gives");
    ret_pair->name = stk_arena_copy(making->arena, given->name, strlen(given->name));
    ret_pair->value = stk_arena_copy(making->arena, dig, strlen(dig));
    return ret_pair->name != NULL && ret_pair->value != NULL ? STIRKEEP_OK
                                                             : stk_claims_no_room(making->error);
}

enum stirkeep_status stk_claim_make_mky(struct stk_claims_making *making)
{
    const size_t count = making->input->mky_count;
    struct stk_pair *pairs = NULL;
    size_t kept = 0;

    if (count > STK_MKY_MAX)
        return stk_error_set(making->error, STIRKEEP_INVALID, "mky: more than %d", STK_MKY_MAX);
    pairs = stk_arena_take(making->arena, count * sizeof(*pairs));
    if (pairs == NULL)
        return stk_claims_no_room(making->error);
    for (size_t i = 0; i < count; i++) {
        struct stk_pair pair = {0};
        enum stirkeep_status status = make_pair(making, i, &pair);

        if (status != STIRKEEP_OK)
            return status;
        insert(pairs, &kept, pair);
    }
    making->claims->mky = pairs;
    making->claims->mky_count = kept;
    return STIRKEEP_OK;
}
