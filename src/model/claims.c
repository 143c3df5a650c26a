/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims.h"

#include "model/tn.h"
#include "model/uri.h"
#include <stdio.h>
#include <string.h>

#define FIELD_TEXT 32 /* "dest.uri[31]" */

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *stk_ppt_name(enum stk_ppt ppt)
{
    switch (ppt) {
    case STK_PPT_BASE:
        return "base";
    case STK_PPT_SHAKEN:
        return "shaken";
    }
    return "unknown";
}

bool stk_ppt_parse(const char *text, enum stk_ppt *ret_ppt)
{
    if (!is_given(text))
        *ret_ppt = STK_PPT_BASE;
    else if (strcmp(text, "shaken") == 0)
        *ret_ppt = STK_PPT_SHAKEN;
    else
        return false;
    return true;
}

static enum stirkeep_status out_of_memory(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_TOO_LARGE, "claims: take too much memory");
}

/* Strings in byte order, each once. Lists are short (STK_DEST_MAX) and mostly sorted already. */
static size_t sort_and_merge(const char **texts, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i];
        size_t at = kept;

        while (at > 0 && strcmp(texts[at - 1], text) > 0)
            at--;
        if (at > 0 && strcmp(texts[at - 1], text) == 0)
            continue;
        memmove(texts + at + 1, texts + at, (kept - at) * sizeof(*texts));
        texts[at] = text;
        kept++;
    }
    return kept;
}

static enum stirkeep_status make_tn(const char *text, const char *field, struct stk_arena *arena,
                                    const char **ret_tn, struct stk_error *error)
{
    struct stk_tn tn = {0};
    enum stirkeep_status status = stk_tn_parse(text, field, &tn, error);

    if (status != STIRKEEP_OK)
        return status;
    *ret_tn = stk_arena_copy(arena, tn.text, strlen(tn.text));
    return *ret_tn != NULL ? STIRKEEP_OK : out_of_memory(error);
}

static enum stirkeep_status make_uri(const char *text, const char *field, struct stk_arena *arena,
                                     const char **ret_uri, struct stk_error *error)
{
    enum stirkeep_status status = stk_uri_check(text, field, error);

    if (status != STIRKEEP_OK)
        return status;
    *ret_uri = stk_arena_copy(arena, text, strlen(text));
    return *ret_uri != NULL ? STIRKEEP_OK : out_of_memory(error);
}

static enum stirkeep_status make_orig(const struct stk_claims_input *input, struct stk_arena *arena,
                                      struct stk_claims *claims, struct stk_error *error)
{
    bool has_tn = is_given(input->orig_tn);
    bool has_uri = is_given(input->orig_uri);

    if (has_tn && has_uri)
        return stk_error_set(error, STIRKEEP_INVALID, "orig: tn and uri given, one is allowed");
    if (has_tn)
        return make_tn(input->orig_tn, "orig.tn", arena, &claims->orig_tn, error);
    if (has_uri)
        return make_uri(input->orig_uri, "orig.uri", arena, &claims->orig_uri, error);
    return stk_error_set(error, STIRKEEP_INVALID, "orig: missing, a tn or a uri is needed");
}

typedef enum stirkeep_status make_one(const char *text, const char *field, struct stk_arena *arena,
                                      const char **ret_text, struct stk_error *error);

/* One list of destinations. The field's name with its index is only made when it is needed. */
static enum stirkeep_status make_list(const char *const *texts, size_t count, const char *field,
                                      make_one *make, struct stk_arena *arena,
                                      const char ***ret_texts, size_t *ret_count,
                                      struct stk_error *error)
{
    const char **list = NULL;
    char indexed[FIELD_TEXT] = "";

    if (count == 0)
        return STIRKEEP_OK;
    list = stk_arena_take(arena, count * sizeof(*list));
    if (list == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++) {
        enum stirkeep_status status = make(texts[i], field, arena, &list[i], NULL);

        if (status == STIRKEEP_OK)
            continue;
        if (status != STIRKEEP_INVALID)
            return out_of_memory(error);
        (void)snprintf(indexed, sizeof(indexed), "%s[%zu]", field, i);
        return make(texts[i], indexed, arena, &list[i], error);
    }
    *ret_texts = list;
    *ret_count = sort_and_merge(list, count);
    return STIRKEEP_OK;
}

static enum stirkeep_status make_dest(const struct stk_claims_input *input, struct stk_arena *arena,
                                      struct stk_claims *claims, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (input->dest_tn_count == 0 && input->dest_uri_count == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "dest: missing, a tn or a uri is needed");
    if (input->dest_tn_count > STK_DEST_MAX ||
        input->dest_uri_count > STK_DEST_MAX - input->dest_tn_count)
        return stk_error_set(error, STIRKEEP_INVALID, "dest: more than %d in all", STK_DEST_MAX);
    status = make_list(input->dest_tn, input->dest_tn_count, "dest.tn", make_tn, arena,
                       &claims->dest_tn, &claims->dest_tn_count, error);
    if (status != STIRKEEP_OK)
        return status;
    return make_list(input->dest_uri, input->dest_uri_count, "dest.uri", make_uri, arena,
                     &claims->dest_uri, &claims->dest_uri_count, error);
}

/* A UUID in text (RFC 9562 section 4), made lower case. */
static bool read_uuid(const char *text, char ret_uuid[STK_ORIGID_LENGTH + 1])
{
    if (strnlen(text, STK_ORIGID_LENGTH + 1) != STK_ORIGID_LENGTH)
        return false;
    for (size_t i = 0; i < STK_ORIGID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text[i];

        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        ret_uuid[i] = c;
    }
    ret_uuid[STK_ORIGID_LENGTH] = '\0';
    return true;
}

/* RFC 8588 section 4: both belong to shaken alone. attest is never defaulted. */
static enum stirkeep_status make_shaken(const struct stk_claims_input *input,
                                        struct stk_claims *claims, struct stk_error *error)
{
    const char *attest = is_given(input->attest) ? input->attest : "";

    if (claims->ppt != STK_PPT_SHAKEN) {
        if (is_given(input->attest))
            return stk_error_set(error, STIRKEEP_INVALID, "attest: only allowed with ppt shaken");
        if (is_given(input->origid))
            return stk_error_set(error, STIRKEEP_INVALID, "origid: only allowed with ppt shaken");
        return STIRKEEP_OK;
    }
    if (attest[0] == '\0')
        return stk_error_set(error, STIRKEEP_INVALID, "attest: missing, must be A, B or C");
    if (attest[0] < 'A' || attest[0] > 'C' || attest[1] != '\0')
        return stk_error_set(error, STIRKEEP_INVALID, "attest: must be A, B or C");
    claims->attest = attest[0];
    if (is_given(input->origid) && !read_uuid(input->origid, claims->origid))
        return stk_error_set(error, STIRKEEP_INVALID, "origid: is not a UUID");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_claims_make(const struct stk_claims_input *input, struct stk_arena *arena,
                                     struct stk_claims *ret_claims, struct stk_error *error)
{
    struct stk_claims claims = {.iat = input->iat};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_ppt_parse(input->ppt, &claims.ppt))
        return stk_error_set(error, STIRKEEP_UNSUPPORTED, "ppt: \"%.*s\" is not known", STK_PPT_MAX,
                             input->ppt);
    if (input->iat < 0)
        return stk_error_set(error, STIRKEEP_INVALID, "iat: is negative");
    status = make_shaken(input, &claims, error);
    if (status == STIRKEEP_OK)
        status = make_orig(input, arena, &claims, error);
    if (status == STIRKEEP_OK)
        status = make_dest(input, arena, &claims, error);
    if (status == STIRKEEP_OK)
        *ret_claims = claims;
    return status;
}
