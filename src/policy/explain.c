/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include "policy/pattern.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 1024

/* One line more; control characters become '?', so that it stays one. */
static __attribute__((format(printf, 3, 4))) void
say(struct stk_buffer *out, enum stirkeep_status *status, const char *format, ...)
{
    char line[LINE_MAX + 1] = "";
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, LINE_MAX, format, arguments);
    va_end(arguments);
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    line[strlen(line)] = '\n';
    if (*status == STIRKEEP_OK)
        *status = stk_buffer_add(out, line, strlen(line));
}

/* ---- one grant by itself, each condition in the plainest way */

static bool names(const struct stk_grant *grant, const char *certificate)
{
    for (size_t i = 0; i < grant->certificate_count; i++)
        if (stk_pattern_matches(grant->certificates[i], certificate))
            return true;
    return false;
}

static bool has_ppt(const struct stk_grant *grant, const struct stk_claims *claims)
{
    if (claims->ppt != STK_PPT_OTHER)
        return (grant->ppts & (unsigned)claims->ppt) != 0;
    for (size_t i = 0; i < grant->other_ppt_count; i++)
        if (claims->ppt_text != NULL && strcmp(grant->other_ppts[i], claims->ppt_text) == 0)
            return true;
    return false;
}

static bool has_authority(const struct stk_grant *grant, const struct stk_claims *claims)
{
    const char *tn = stk_claims_authority_tn(claims);
    const char *uri = stk_claims_authority_uri(claims);

    if (grant->number_count == 0 && grant->uri_count == 0)
        return true;
    for (size_t i = 0; tn != NULL && i < grant->number_count; i++)
        if (stk_number_pattern_matches(&grant->numbers[i], tn))
            return true;
    for (size_t i = 0; tn == NULL && uri != NULL && i < grant->uri_count; i++)
        if (stk_pattern_matches(grant->uris[i], uri))
            return true;
    return false;
}

enum stk_step stk_grant_reach(const struct stk_grant *grant, const struct stk_question *question)
{
    const struct stk_claims *claims = question->claims;
    bool shaken = claims->ppt == STK_PPT_SHAKEN;

    if (!names(grant, question->name))
        return STK_STEP_CERTIFICATE;
    if (!has_ppt(grant, claims))
        return STK_STEP_PPT;
    if (shaken && stk_claims_have_rcd(claims) && (grant->ppts & STK_PPT_RCD) == 0)
        return STK_STEP_RCD;
    if (question->is_input && !grant->sign_input)
        return STK_STEP_SIGN_INPUT;
    if (!has_authority(grant, claims))
        return STK_STEP_AUTHORITY;
    if (shaken && (claims->attest < 'A' || claims->attest > 'C' ||
                   (grant->attests >> (claims->attest - 'A') & 1) == 0))
        return STK_STEP_ATTEST;
    return STK_STEP_ALLOWED;
}

/* ---- the lines */

#define RATE_TEXT 96
static void rate_text(const struct stk_rate *rate, char ret_text[RATE_TEXT])
{
    char second[48] = "";
    char day[32] = "";

    if (rate->rate > 0)
        (void)snprintf(second, sizeof(second), "%u a second (%u at once)", rate->rate,
                       rate->burst > 0 ? rate->burst : rate->rate);
    if (rate->quota > 0)
        (void)snprintf(day, sizeof(day), "%llu a day", (unsigned long long)rate->quota);
    (void)snprintf(ret_text, RATE_TEXT, "%s%s%s%s",
                   rate->rate > 0 || rate->quota > 0 ? "at most " : "no limit", second,
                   rate->rate > 0 && rate->quota > 0 ? ", " : "", day);
}

static void explain_grant(const struct stk_grant *grant, const struct stk_who *who,
                          const struct stk_question *question, struct stk_buffer *out,
                          enum stirkeep_status *status)
{
    char text[STK_WHY_MAX > STK_REFUSAL_MAX ? STK_WHY_MAX : STK_REFUSAL_MAX] = "";
    enum stk_step step = stk_grant_reach(grant, question);

    if (!stk_grant_belongs(grant, who)) {
        stk_grant_excludes(grant, who, text);
        say(out, status, "grant %s: does not apply: %s", grant->name, text);
        return;
    }
    if (step != STK_STEP_ALLOWED) {
        stk_refusal_text(grant, step, question, text);
        say(out, status, "grant %s: applies, refuses: %s", grant->name, text);
        return;
    }
    rate_text(&grant->rate, text);
    say(out, status, "grant %s: applies, allows (%s)", grant->name, text);
}

static void explain_rule(const struct stk_policy *policy, const struct stk_question *question,
                         struct stk_buffer *out, enum stirkeep_status *status)
{
    struct stk_asked asked = stk_asked_of(question);
    struct stk_decision decision = {0};
    char text[STK_RULE_TEXT] = "";
    const char *authority = stk_authority_text(question->claims);

    if (question->claims->ppt != STK_PPT_SHAKEN) {
        say(out, status, "attestation: %s has none",
            question->claims->ppt == STK_PPT_OTHER ? "this type"
                                                   : stk_ppt_name(question->claims->ppt));
        return;
    }
    if (policy->rules == NULL) {
        say(out, status, "attestation: there are no rules for numbers, what a grant lists decides");
        return;
    }
    stk_rule_text(policy, stk_policy_rule(policy, &asked), text);
    if (stk_policy_attest(policy, &asked, &decision, NULL) != STIRKEEP_OK)
        say(out, status, "attestation of %s: %s: %c is refused", authority, text,
            stk_attest_shown(question->claims));
    else if (decision.lowered)
        say(out, status, "attestation of %s: %s: %c is lowered to %c", authority, text,
            stk_attest_shown(question->claims), decision.attest);
    else
        say(out, status, "attestation of %s: %s: %c may be given", authority, text,
            stk_attest_shown(question->claims));
}

static void explain_limit(const struct stk_policy *policy, const char *name, struct stk_buffer *out,
                          enum stirkeep_status *status)
{
    char text[RATE_TEXT] = "";

    for (size_t i = 0; i < policy->limit_count; i++) {
        const struct stk_certificate_limit *limit = &policy->limits[i];

        if (!stk_pattern_matches(limit->pattern, name))
            continue;
        rate_text(&limit->rate, text);
        say(out, status, "certificate %s: %s, by [certificate %s]", name, text, limit->pattern);
        return;
    }
    say(out, status, "certificate %s: no limit of its own", name);
}

enum stirkeep_status stk_policy_explain(const struct stk_policy *policy, const struct stk_who *who,
                                        const struct stk_question *question, struct stk_buffer *out)
{
    struct stk_grants *grants = stk_policy_grants_for(policy, who);
    struct stk_decision decision = {0};
    struct stk_error error = {0};
    enum stirkeep_status verdict = STIRKEEP_OK;
    enum stirkeep_status status = STIRKEEP_OK;

    if (grants == NULL)
        return STIRKEEP_NO_MEMORY;
    verdict = stk_policy_decide(policy, grants, question, &decision, &error);
    for (size_t i = 0; i < policy->count; i++)
        explain_grant(&policy->grants[i]->grant, who, question, out, &status);
    explain_rule(policy, question, out, &status);
    explain_limit(policy, question->name, out, &status);
    if (verdict != STIRKEEP_OK)
        say(out, &status, "refused: %s", error.message);
    else if (decision.lowered)
        say(out, &status, "allowed by grant %s, with attest %c (%c was asked for)",
            decision.grant->name, decision.attest, question->claims->attest);
    else if (decision.attest != 0)
        say(out, &status, "allowed by grant %s, with attest %c", decision.grant->name,
            decision.attest);
    else
        say(out, &status, "allowed by grant %s", decision.grant->name);
    free(grants);
    return status != STIRKEEP_OK ? status : verdict;
}
