/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/likeness.h"

#include "base/digest.h"
#include "base/encode.h"
#include <string.h>

const char *const stk_likeness_parts[STK_LIKE_COUNT] = {[STK_LIKE_SIGNATURE] = "signature",
                                                        [STK_LIKE_PPT] = "ppt",
                                                        [STK_LIKE_ORIG] = "orig",
                                                        [STK_LIKE_DEST] = "dest",
                                                        [STK_LIKE_ATTEST] = "attest",
                                                        [STK_LIKE_ORIGID] = "origid",
                                                        [STK_LIKE_IAT] = "iat"};

const char *const stk_likeness_names[] = {[STK_SAME] = "same",
                                          [STK_DIFFERENT] = "different",
                                          [STK_HIDDEN] = "hidden",
                                          [STK_UNTOLD] = "untold"};

/* What comparing goes by; `text` is for working. */
struct comparison {
    const struct stk_number_key *key;
    struct stk_buffer text;
    enum stirkeep_status status;
};

/* As stk_number_hash writes one. */
static bool is_hash(const char *text)
{
    return strlen(text) == STK_NUMBER_HASH_TEXT - 1 && strncmp(text, "h:", 2) == 0 &&
           strspn(text + 2, "0123456789abcdef") == STK_NUMBER_HASH_TEXT - 3;
}

static enum stk_likeness likeness_of(bool is_same)
{
    return is_same ? STK_SAME : STK_DIFFERENT;
}

/* A text of the record and one of the PASSporT ("": none). */
static enum stk_likeness compare_text(struct comparison *comparison, struct stk_bytes raw,
                                      const char *claim)
{
    comparison->text.length = 0;
    if (comparison->status == STIRKEEP_OK)
        comparison->status = stk_fields_text(raw, &comparison->text);
    if (comparison->status == STIRKEEP_OK)
        comparison->status = stk_buffer_add(&comparison->text, "", 1);
    return likeness_of(comparison->status == STIRKEEP_OK &&
                       strcmp((const char *)comparison->text.data, claim) == 0);
}

static enum stk_likeness compare_party(struct comparison *comparison, struct stk_bytes raw,
                                       const char *claim)
{
    enum stk_likeness likeness = compare_text(comparison, raw, claim);
    char hash[STK_NUMBER_HASH_TEXT] = "";

    if (likeness == STK_SAME || comparison->status != STIRKEEP_OK ||
        !is_hash((const char *)comparison->text.data))
        return likeness;
    if (comparison->key == NULL)
        return STK_HIDDEN;
    stk_number_hash(comparison->key, claim, hash);
    return likeness_of(stk_fields_equal(raw, hash));
}

/* Numbers, then URIs: as records have them. */
static enum stk_likeness compare_dest(struct comparison *comparison, struct stk_bytes list,
                                      const struct stk_claims *claims)
{
    const size_t count = claims->dest_tn_count + claims->dest_uri_count;
    enum stk_likeness all = STK_SAME;
    struct stk_bytes raw = {0};

    for (size_t i = 0; i < count; i++) {
        const char *claim = i < claims->dest_tn_count ? claims->dest_tn[i]
                                                      : claims->dest_uri[i - claims->dest_tn_count];
        enum stk_likeness one = stk_fields_next_dest(&list, &raw)
                                    ? compare_party(comparison, raw, claim)
                                    : STK_DIFFERENT;

        if (one == STK_DIFFERENT || all == STK_SAME)
            all = one;
        if (one == STK_DIFFERENT)
            break;
    }
    return all != STK_DIFFERENT && stk_fields_next_dest(&list, &raw) ? STK_DIFFERENT : all;
}

static void compare_claims(struct comparison *comparison, const struct stk_fields *fields,
                           const struct stk_claims *claims, enum stk_likeness *likeness)
{
    const char attest[2] = {claims->attest, '\0'};
    const char *ppt = claims->ppt == STK_PPT_BASE ? stk_ppt_name(STK_PPT_BASE) : claims->ppt_text;
    const char *orig = claims->orig_tn != NULL ? claims->orig_tn : claims->orig_uri;

    likeness[STK_LIKE_PPT] = compare_text(comparison, fields->ppt, ppt);
    likeness[STK_LIKE_ORIG] = compare_party(comparison, fields->orig, orig);
    likeness[STK_LIKE_DEST] = compare_dest(comparison, fields->dest, claims);
    likeness[STK_LIKE_ATTEST] = compare_text(comparison, fields->attest, attest);
    likeness[STK_LIKE_ORIGID] = compare_text(comparison, fields->origid, claims->origid);
    likeness[STK_LIKE_IAT] = likeness_of(fields->iat == claims->iat);
}

enum stirkeep_status stk_likeness_find(const struct stk_fields *fields,
                                       const struct stk_identity *identity,
                                       const struct stk_number_key *key,
                                       enum stk_likeness ret_likeness[STK_LIKE_COUNT],
                                       struct stk_error *error)
{
    struct comparison comparison = {.key = key};
    struct stk_claims claims = {0};
    struct stk_arena arena = {0};
    uint8_t digest[STK_DIGEST_LENGTH];
    char sig[2 * STK_DIGEST_LENGTH + 1];
    enum stirkeep_status status = STIRKEEP_OK;

    stk_sha256(identity->signature, sizeof(identity->signature), digest);
    stk_hex_encode(digest, sizeof(digest), sig);
    for (size_t i = 0; i < STK_LIKE_COUNT; i++)
        ret_likeness[i] = STK_UNTOLD;
    ret_likeness[STK_LIKE_SIGNATURE] = likeness_of(stk_fields_equal(fields->sig, sig));
    if (identity->compact)
        return STIRKEEP_OK;
    status = stk_arena_new(&arena, STK_IDENTITY_ARENA);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "out of memory");
    status = stk_identity_claims(identity, &arena, &claims, error);
    if (status == STIRKEEP_OK) {
        compare_claims(&comparison, fields, &claims, ret_likeness);
        status = comparison.status;
        if (status != STIRKEEP_OK)
            (void)stk_error_set(error, status, "out of memory");
    }
    stk_buffer_free(&comparison.text);
    stk_arena_free(&arena);
    return status;
}
