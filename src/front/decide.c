/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/signing.h"

#include "passport/passport.h"
#include "passport/permitted.h"
#include "passport/reading.h"
#include <inttypes.h>
#include <string.h>

/* Messages up to this length cannot have claims that become an Identity header past its limit, even
 * when each of their bytes is one that JSON has to spell out (6 characters, in base64url 8). */
#define SHORT_MESSAGE 2048

_Static_assert(SHORT_MESSAGE * 8 + 4 * STK_X5U_MAX < STK_IDENTITY_MAX, "not short");

/* What was in an input, for the trail. */
static void sketch(struct stk_signing *signing)
{
    const struct stk_claims *claims = &signing->claims;
    struct stk_request_sketch *known = &signing->sketch;

    known->ppt = claims->ppt_text;
    known->orig = claims->orig_tn != NULL ? claims->orig_tn : claims->orig_uri;
    known->dest = claims->dest_tn_count > 0    ? claims->dest_tn[0]
                  : claims->dest_uri_count > 0 ? claims->dest_uri[0]
                                               : "";
    known->attest = stk_attest_text(claims->attest);
    known->origid = claims->origid;
}

/* The claims of either kind; the x5u that an input has, else NULL. */
static enum stirkeep_status read_claims(struct stk_front *front, struct stk_signing *signing,
                                        const char **ret_x5u, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_x5u = NULL;
    if (signing->is_input)
        status = stk_passport_read(signing->header, signing->payload, &front->work,
                                   &signing->claims, ret_x5u, error);
    if (status != STIRKEEP_OK)
        return status;
    if (signing->is_input)
        sketch(signing);
    return stk_claims_check_digits(&signing->claims, front->config->signing.tn_digits, error);
}

/* May the certificate sign now? (RFC 8225 section 4.3, RFC 5280 section 4.1.2.5) */
static enum stirkeep_status check_held(const struct stk_held *held, const char *name, int64_t now,
                                       struct stk_error *error)
{
    if (held == NULL)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "certificate %s: not held", name);
    if (!held->active)
        return stk_error_set(error, STIRKEEP_NOT_ACTIVE,
                             "certificate %s: not active: it is retired, staged or destroyed",
                             name);
    if (now < held->not_before)
        return stk_error_set(error, STIRKEEP_CERT_NOT_YET_VALID, "certificate %s: not yet valid",
                             name);
    if (now > held->not_after)
        return stk_error_set(error, STIRKEEP_CERT_EXPIRED, "certificate %s: expired", name);
    return STIRKEEP_OK;
}

/* What the certificate says itself that it may sign, of the claims as they will be. */
static enum stirkeep_status check_constraints(struct stk_front *front,
                                              const struct stk_signing *signing,
                                              const struct stk_permit *permit,
                                              struct stk_error *error)
{
    struct stk_claims given;

    if (permit->held->constraints == NULL)
        return STIRKEEP_OK;
    given = signing->claims;
    given.attest = permit->decision.attest;
    return stk_passport_permitted(permit->held->constraints, &given, &front->work, error);
}

/* The keeper checks it again, by the same clock and in the same words. */
static enum stirkeep_status check_time(const struct stk_front *front, int64_t iat, int64_t now,
                                       struct stk_error *error)
{
    int64_t window = front->config->signing.iat_window_s;

    if (iat != 0 && (iat < now - window || iat > now + window))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "iat: %" PRId64 " is more than %" PRId64 " s from now", iat, window);
    return STIRKEEP_OK;
}

/* What the keeper could not send back. */
static enum stirkeep_status check_length(const struct stk_ask *ask,
                                         const struct stk_signing *signing,
                                         const struct stk_held *held, struct stk_error *error)
{
    if (ask->length > SHORT_MESSAGE &&
        stk_passport_bound(&signing->claims, strlen(held->x5u)) > STK_IDENTITY_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE,
                             "claims: the Identity header could be longer than %d bytes",
                             STK_IDENTITY_MAX);
    return STIRKEEP_OK;
}

static enum stirkeep_status check_certificate(const struct stk_ask *ask,
                                              const struct stk_signing *signing, const char *x5u,
                                              const struct stk_permit *permit,
                                              struct stk_error *error)
{
    const struct stk_held *held = permit->held;
    enum stirkeep_status status = check_held(held, signing->name.text, ask->real_s, error);

    if (status != STIRKEEP_OK)
        return status;
    if (x5u != NULL && strcmp(x5u, held->x5u) != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "header.x5u: is not the certificate's (%s)",
                             held->x5u);
    status = check_constraints(ask->connection->front, signing, permit, error);
    if (status != STIRKEEP_OK)
        return status;
    return check_length(ask, signing, held, error);
}

enum stirkeep_status stk_signing_decide(const struct stk_ask *ask, struct stk_signing *signing,
                                        struct stk_permit *ret_permit, struct stk_error *error)
{
    struct stk_front *front = ask->connection->front;
    const struct stk_question question = {signing->name.text, &signing->claims, signing->is_input};
    struct stk_permit permit = {0};
    const char *x5u = NULL;
    enum stirkeep_status status = read_claims(front, signing, &x5u, error);

    if (status == STIRKEEP_OK)
        status = stk_usage_decide(front->usage, front->config->policy, ask->connection->grants,
                                  &question, ask->mono_us, ask->real_s, &permit.decision, error);
    if (status != STIRKEEP_OK)
        return status;
    if (!stk_names_complete(front->names))
        return stk_error_set(error, STIRKEEP_UNAVAILABLE,
                             "the service is starting: its certificates are not known yet");
    permit.held = stk_names_find(front->names, signing->name.text);
    status = check_certificate(ask, signing, x5u, &permit, error);
    if (status == STIRKEEP_OK)
        status = check_time(front, signing->claims.iat, ask->real_s, error);
    if (status == STIRKEEP_OK)
        *ret_permit = permit;
    return status;
}
