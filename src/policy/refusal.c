/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include "policy/pattern.h"
#include <stdio.h>
#include <string.h>

/* A list "a, b, c" in a text that may be too short for it: then it ends with "...". */
struct listing {
    char text[160];
    size_t length;
    bool full;
};

static void list(struct listing *listing, const char *item)
{
    const char *comma = listing->length > 0 ? ", " : "";
    size_t room = sizeof(listing->text) - listing->length - sizeof(", ...");
    size_t needed = strlen(comma) + strlen(item);

    if (listing->full)
        return;
    if (needed > room) {
        item = "...";
        listing->full = true;
    }
    listing->length +=
        (size_t)snprintf(listing->text + listing->length, sizeof(listing->text) - listing->length,
                         "%s%s", comma, item);
}

static void list_ppts(const struct stk_grant *grant, struct listing *listing)
{
    for (unsigned ppt = STK_PPT_BASE; ppt < STK_PPT_OTHER; ppt <<= 1)
        if ((grant->ppts & ppt) != 0)
            list(listing, stk_ppt_name((enum stk_ppt)ppt));
    for (size_t i = 0; i < grant->other_ppt_count; i++)
        list(listing, grant->other_ppts[i]);
}

static void list_attests(const struct stk_grant *grant, struct listing *listing)
{
    static const char *const names[] = {"A", "B", "C"};

    for (unsigned i = 0; i < 3; i++)
        if ((grant->attests >> i & 1) != 0)
            list(listing, names[i]);
    if (listing->length == 0)
        list(listing, "none");
}

static const char *ppt_of(const struct stk_claims *claims)
{
    return claims->ppt == STK_PPT_OTHER && claims->ppt_text != NULL ? claims->ppt_text
                                                                    : stk_ppt_name(claims->ppt);
}

const char *stk_authority_text(const struct stk_claims *claims)
{
    const char *tn = stk_claims_authority_tn(claims);
    const char *uri = stk_claims_authority_uri(claims);

    return tn != NULL ? tn : uri != NULL ? uri : "nobody";
}

void stk_refusal_text(const struct stk_grant *grant, enum stk_step step,
                      const struct stk_question *question, char ret_text[STK_REFUSAL_MAX])
{
    const struct stk_claims *claims = question->claims;
    bool diverted = claims->ppt == STK_PPT_DIV || claims->ppt == STK_PPT_DIV_O;
    struct listing listing = {0};

    ret_text[0] = '\0';
    switch (step) {
    case STK_STEP_CERTIFICATE:
        for (size_t i = 0; i < grant->certificate_count; i++)
            list(&listing, grant->certificates[i]);
        (void)snprintf(ret_text, STK_REFUSAL_MAX, "certificate %.64s is not in it (%s)",
                       question->name, listing.text);
        break;
    case STK_STEP_PPT:
        list_ppts(grant, &listing);
        (void)snprintf(ret_text, STK_REFUSAL_MAX, "ppt %.40s is not allowed (%s)", ppt_of(claims),
                       listing.text);
        break;
    case STK_STEP_RCD:
        list_ppts(grant, &listing);
        (void)snprintf(ret_text, STK_REFUSAL_MAX,
                       "ppt rcd, for rcd claims with shaken, is not allowed (%s)", listing.text);
        break;
    case STK_STEP_SIGN_INPUT:
        (void)snprintf(ret_text, STK_REFUSAL_MAX, "sign-input is not allowed");
        break;
    case STK_STEP_AUTHORITY:
        (void)snprintf(ret_text, STK_REFUSAL_MAX, "%s %.256s is not allowed",
                       diverted ? "div" : "orig", stk_authority_text(claims));
        break;
    case STK_STEP_ATTEST:
        list_attests(grant, &listing);
        (void)snprintf(ret_text, STK_REFUSAL_MAX, "attest %c is not allowed (%s)",
                       stk_attest_shown(claims), listing.text);
        break;
    case STK_STEP_ALLOWED:
        break;
    }
}

void stk_rule_text(const struct stk_policy *policy, struct stk_rule_found rule,
                   char ret_text[STK_RULE_TEXT])
{
    char place[STK_RULE_PLACE] = "no rule, the default";

    if (rule.found)
        stk_rule_place(rule.source, rule.line, policy->file, place);
    (void)snprintf(ret_text, STK_RULE_TEXT, "%s allows %s", place, stk_level_name(rule.level));
}
