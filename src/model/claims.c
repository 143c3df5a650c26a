/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include <stdio.h>
#include <string.h>

#define IAT_MAX ((int64_t)9007199254740991) /* 2^53 - 1: what JSON numbers may be (json/json.h) */

/* ---- orig and dest, which every type has */

static enum stirkeep_status make_orig(struct stk_claims_making *making)
{
    static const char *const fields[] = {"orig", "orig.tn", "orig.uri"};

    return stk_claims_make_party(making, making->input->orig_tn, making->input->orig_uri, fields,
                                 &making->claims->orig_tn, &making->claims->orig_uri);
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

typedef enum stirkeep_status make_one(struct stk_claims_making *making, const char *text,
                                      const char *field, const char **ret_text);

/* One list of destinations. The field's name with its index is only made when it is needed. */
static enum stirkeep_status make_list(struct stk_claims_making *making, const char *const *texts,
                                      size_t count, const char *field, make_one *make,
                                      const char ***ret_texts, size_t *ret_count)
{
    const char **list = NULL;
    char indexed[STK_FIELD_TEXT] = "";
    struct stk_claims_making silent = *making;

    if (count == 0)
        return STIRKEEP_OK;
    silent.error = NULL;
    list = stk_arena_take(making->arena, count * sizeof(*list));
    if (list == NULL)
        return stk_claims_no_room(making->error);
    for (size_t i = 0; i < count; i++) {
        enum stirkeep_status status = make(&silent, texts[i], field, &list[i]);

        if (status == STIRKEEP_OK)
            continue;
        if (status != STIRKEEP_INVALID)
            return stk_claims_no_room(making->error);
        (void)snprintf(indexed, sizeof(indexed), "%s[%zu]", field, i);
        return make(making, texts[i], indexed, &list[i]);
    }
    *ret_texts = list;
    *ret_count = sort_and_merge(list, count);
    return STIRKEEP_OK;
}

static enum stirkeep_status make_dest(struct stk_claims_making *making)
{
    const struct stk_claims_input *input = making->input;
    struct stk_claims *claims = making->claims;
    enum stirkeep_status status = STIRKEEP_OK;

    if (input->dest_tn_count == 0 && input->dest_uri_count == 0)
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "dest: missing, a tn or a uri is needed");
    if (input->dest_tn_count > STK_DEST_MAX ||
        input->dest_uri_count > STK_DEST_MAX - input->dest_tn_count)
        return stk_error_set(making->error, STIRKEEP_INVALID, "dest: more than %d in all",
                             STK_DEST_MAX);
    status = make_list(making, input->dest_tn, input->dest_tn_count, "dest.tn", stk_claims_make_tn,
                       &claims->dest_tn, &claims->dest_tn_count);
    if (status != STIRKEEP_OK)
        return status;
    return make_list(making, input->dest_uri, input->dest_uri_count, "dest.uri",
                     stk_claims_make_uri, &claims->dest_uri, &claims->dest_uri_count);
}

/* ---- attest and origid, which the signing path has nearly always: RFC 8588 section 4 */

static enum stirkeep_status make_attest(struct stk_claims_making *making)
{
    const char *attest = making->input->attest;

    if (attest[0] < 'A' || attest[0] > 'C' || attest[1] != '\0')
        return stk_error_set(making->error, STIRKEEP_INVALID, "attest: must be A, B or C");
    making->claims->attest = attest[0];
    return STIRKEEP_OK;
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

/* All digits the same, 0 or f: the Nil and the Max UUID, which identify nothing (RFC 9562 sections
 * 5.9 and 5.10), where an origination is to be found by it (RFC 8588 section 5). */
static bool is_nobodys(const char *uuid)
{
    return uuid[strspn(uuid, "0-")] == '\0' || uuid[strspn(uuid, "f-")] == '\0';
}

static enum stirkeep_status make_origid(struct stk_claims_making *making)
{
    if (!read_uuid(making->input->origid, making->claims->origid))
        return stk_error_set(making->error, STIRKEEP_INVALID, "origid: is not a UUID");
    if (is_nobodys(making->claims->origid))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "origid: is the Nil or the Max UUID, which identifies nothing");
    return STIRKEEP_OK;
}

/* RFC 8225 section 7; RFC 8588, 8946, 8443 and 9795 want the full form. */
static enum stirkeep_status make_compact(struct stk_claims_making *making)
{
    making->claims->compact = true;
    return STIRKEEP_OK;
}

/* ---- which claims a type has */

enum claim {
    ATTEST = 1 << 0,
    ORIGID = 1 << 1,
    DIV = 1 << 2,
    OPT = 1 << 3,
    RPH = 1 << 4,
    SPH = 1 << 5,
    RCD = 1 << 6,
    CRN = 1 << 7,
    RCDI = 1 << 8,
    MKY = 1 << 9,
    OTHER = 1 << 10,
    COMPACT = 1 << 11
};

static const struct rule {
    enum claim claim;
    const char *name;
    unsigned may;    /* types that may have it */
    unsigned must;   /* types that have to ... */
    unsigned unless; /* ... unless they have one of these claims */
    const char *missing;
    stk_claim_make *make;
} rules[] = {
    {ATTEST, "attest", STK_PPT_SHAKEN, STK_PPT_SHAKEN, 0, "must be A, B or C", make_attest},
    {ORIGID, "origid", STK_PPT_SHAKEN, 0, 0, "", make_origid},
    {DIV, "div", STK_PPT_DIV | STK_PPT_DIV_O, STK_PPT_DIV | STK_PPT_DIV_O, 0,
     "a tn or a uri is needed", stk_claim_make_div},
    {OPT, "opt", STK_PPT_DIV_O, STK_PPT_DIV_O, 0, "the inner PASSporT is needed",
     stk_claim_make_opt},
    {RPH, "rph", STK_PPT_RPH, STK_PPT_RPH, 0, "at least one auth is needed", stk_claim_make_rph},
    {SPH, "sph", STK_PPT_RPH, 0, 0, "", stk_claim_make_sph},
    {RCD, "rcd", STK_PPT_RCD | STK_PPT_SHAKEN, STK_PPT_RCD, CRN, "that or a crn is needed",
     stk_claim_make_rcd},
    {CRN, "crn", STK_PPT_RCD | STK_PPT_SHAKEN, 0, 0, "", stk_claim_make_crn},
    {RCDI, "rcdi", STK_PPT_RCD | STK_PPT_SHAKEN, 0, 0, "", stk_claim_make_rcdi},
    {MKY, "mky", (STK_PPTS_TYPED | STK_PPT_OTHER) & ~(unsigned)STK_PPT_SHAKEN, 0, 0, "",
     stk_claim_make_mky},
    {OTHER, "other", STK_PPT_OTHER, 0, 0, "", stk_claim_make_other},
    {COMPACT, "compact", STK_PPT_BASE, 0, 0, "", make_compact},
};

static unsigned bit_if(bool given, enum claim claim)
{
    return given ? (unsigned)claim : 0;
}

static unsigned claims_given(const struct stk_claims_input *input)
{
    return bit_if(stk_is_given(input->attest), ATTEST) |
           bit_if(stk_is_given(input->origid), ORIGID) |
           bit_if(stk_is_given(input->div_tn) || stk_is_given(input->div_uri) ||
                      stk_is_given(input->div_hi),
                  DIV) |
           bit_if(stk_is_given(input->opt), OPT) | bit_if(input->rph_auth_count > 0, RPH) |
           bit_if(stk_is_given(input->sph), SPH) |
           bit_if(stk_is_given(input->rcd_nam) || stk_is_given(input->rcd_apn) ||
                      stk_is_given(input->rcd_icn) || stk_is_given(input->rcd_jcd) ||
                      stk_is_given(input->rcd_jcl),
                  RCD) |
           bit_if(stk_is_given(input->crn), CRN) | bit_if(input->rcdi_count > 0, RCDI) |
           bit_if(input->mky_count > 0, MKY) | bit_if(stk_is_given(input->other), OTHER) |
           bit_if(input->compact, COMPACT);
}

static enum stirkeep_status make_by_rules(struct stk_claims_making *making)
{
    const unsigned given = claims_given(making->input);
    const unsigned ppt = making->claims->ppt;
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; status == STIRKEEP_OK && i < sizeof(rules) / sizeof(*rules); i++) {
        const struct rule *rule = &rules[i];

        if ((given & rule->claim) == 0) {
            if ((rule->must & ppt) != 0 && (rule->unless & given) == 0)
                return stk_error_set(making->error, STIRKEEP_INVALID, "%s: missing, %s", rule->name,
                                     rule->missing);
            continue;
        }
        if ((rule->may & ppt) == 0)
            return stk_error_set(making->error, STIRKEEP_INVALID,
                                 "%s: not allowed in a PASSporT of type %s", rule->name,
                                 ppt == STK_PPT_BASE ? "base" : making->claims->ppt_text);
        status = rule->make(making);
    }
    if (status == STIRKEEP_OK && (given & RCD) != 0)
        status = stk_claims_check_rcdi(making);
    return status;
}

/* ---- all */

static enum stirkeep_status make_ppt(struct stk_claims_making *making)
{
    const char *text = making->input->ppt;
    struct stk_claims *claims = making->claims;

    if (!stk_ppt_parse(text, &claims->ppt))
        return stk_error_set(making->error, STIRKEEP_UNSUPPORTED, "ppt: \"%.*s\" is not known",
                             STK_PPT_MAX, text);
    if (claims->ppt == STK_PPT_OTHER)
        return stk_claims_copy(making, text, "ppt", STK_PPT_MAX, &claims->ppt_text);
    claims->ppt_text = claims->ppt == STK_PPT_BASE ? "" : stk_ppt_name(claims->ppt);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_claims_make(const struct stk_claims_input *input, struct stk_arena *arena,
                                     struct stk_claims *ret_claims, struct stk_error *error)
{
    struct stk_claims claims = {.iat = input->iat};
    struct stk_claims_making making = {
        .input = input, .arena = arena, .claims = &claims, .error = error};
    enum stirkeep_status status = make_ppt(&making);

    if (status == STIRKEEP_OK && (input->iat < 0 || input->iat > IAT_MAX))
        status = stk_error_set(error, STIRKEEP_INVALID, "iat: is %s",
                               input->iat < 0 ? "negative" : "past 2^53 - 1");
    if (status == STIRKEEP_OK)
        status = make_by_rules(&making);
    if (status == STIRKEEP_OK)
        status = make_orig(&making);
    if (status == STIRKEEP_OK)
        status = make_dest(&making);
    if (status == STIRKEEP_OK)
        *ret_claims = claims;
    return status;
}
