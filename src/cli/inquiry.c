/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/inquiry.h"

#include "base/digest.h"
#include "cert/constraints.h"
#include "passport/permitted.h"
#include "upload/material.h"
#include <stdio.h>
#include <string.h>

/* Claims, a certificate's texts and its constraints. */
#define INQUIRY_ARENA (STK_IDENTITY_ARENA + (size_t)1024 * 1024)

static void add(struct stk_inquiry *inquiry, bool fatal, int sip_code, const char *name,
                const char *message)
{
    struct stk_finding *finding = &inquiry->findings[inquiry->finding_count];

    if (inquiry->finding_count == STK_INQUIRY_FINDINGS_MAX)
        return;
    inquiry->finding_count++;
    finding->fatal = fatal;
    finding->sip_code = sip_code;
    (void)snprintf(finding->code, sizeof(finding->code), "%s", name);
    (void)snprintf(finding->message, sizeof(finding->message), "%.*s",
                   (int)sizeof(finding->message) - 1, message);
}

static void find(struct stk_inquiry *inquiry, int sip_code, const char *name, const char *message)
{
    add(inquiry, true, sip_code, name, message);
}

static bool has_fatal(const struct stk_inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->finding_count; i++)
        if (inquiry->findings[i].fatal)
            return true;
    return false;
}

static void read_claims(struct stk_inquiry *inquiry)
{
    struct stk_error error = {0};

    inquiry->readable = stk_identity_claims(&inquiry->identity, &inquiry->arena, &inquiry->claims,
                                            &error) == STIRKEEP_OK;
    if (inquiry->readable)
        inquiry->iat = inquiry->claims.iat;
    else if (!has_fatal(inquiry)) /* what cannot be read cannot be held against the certificate */
        find(inquiry, STK_SIP_INVALID_IDENTITY_HEADER, "CLAIMS", error.message);
}

/* Whoever asks knows the type, although its claims cannot be checked here. */
static void accept_ppt(const char *ppt, struct stk_inquiry *inquiry)
{
    if (ppt == NULL || !inquiry->readable || strcmp(inquiry->claims.ppt_text, ppt) != 0)
        return;
    for (size_t i = 0; i < inquiry->finding_count; i++)
        if (strcmp(inquiry->findings[i].code, "PPT-UNKNOWN") == 0)
            inquiry->findings[i].fatal = false;
}

/* ---- with a certificate */

static void check_signature(const struct stk_chain *chain, struct stk_inquiry *inquiry)
{
    const struct stk_identity *identity = &inquiry->identity;
    uint8_t digest[STK_DIGEST_LENGTH] = {0};

    stk_sha256(identity->signing_input.data, identity->signing_input.length, digest);
    inquiry->signature =
        stk_chain_verifies(chain, digest, identity->signature) ? STK_GOOD : STK_BAD;
    if (inquiry->signature == STK_BAD)
        find(inquiry, STK_SIP_INVALID_IDENTITY_HEADER, "SIGNATURE",
             "the signature is not this certificate's");
}

static void check_chain(const struct stk_chain *chain, const struct stk_chain *roots, int64_t now,
                        struct stk_inquiry *inquiry)
{
    struct stk_error error = {0};

    if (roots == NULL)
        return;
    if (!stk_chain_has_authority(roots))
        add(inquiry, false, STK_SIP_UNSUPPORTED_CREDENTIAL, "CA-IS-NONE",
            "--ca: no certificate in it is a CA's; it is trusted as it is, whoever issued it");
    inquiry->chain =
        stk_chain_trusted(chain, roots, now, &error) == STIRKEEP_OK ? STK_GOOD : STK_BAD;
    if (inquiry->chain == STK_BAD)
        find(inquiry, STK_SIP_UNSUPPORTED_CREDENTIAL, "CHAIN", error.message);
}

/* What the certificate says itself that it may sign: its numbers, and its claims. */
static void check_constraints(const struct stk_chain *chain, struct stk_inquiry *inquiry)
{
    struct stk_constraints all = {0};
    struct stk_constraints numbers = {0};
    struct stk_error error = {0};

    if (stk_chain_constraints(chain, &inquiry->arena, &all, &error) != STIRKEEP_OK) {
        find(inquiry, STK_SIP_UNSUPPORTED_CREDENTIAL, "CERT-CONSTRAINTS", error.message);
        return;
    }
    if (!inquiry->readable)
        return;
    numbers = (struct stk_constraints){
        .numbers_only = all.numbers_only, .ranges = all.ranges, .range_count = all.range_count};
    all.numbers_only = false;
    if (stk_passport_permitted(&numbers, &inquiry->claims, &inquiry->arena, &error) != STIRKEEP_OK)
        find(inquiry, STK_SIP_UNSUPPORTED_CREDENTIAL, "CERT-NUMBERS", error.message);
    if (stk_passport_permitted(&all, &inquiry->claims, &inquiry->arena, &error) != STIRKEEP_OK)
        find(inquiry, STK_SIP_INVALID_IDENTITY_HEADER, "CERT-CLAIMS", error.message);
}

static enum stirkeep_status check_with_certificate(const struct stk_question_of *question,
                                                   struct stk_inquiry *inquiry,
                                                   struct stk_error *error)
{
    struct stk_chain *chain = NULL;
    struct stk_chain *roots = NULL;
    enum stirkeep_status status = stk_chain_file(question->cert, &chain, error);

    if (status == STIRKEEP_OK && question->ca != NULL)
        status = stk_chain_file(question->ca, &roots, error);
    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(chain, &inquiry->arena, &inquiry->leaf, error);
    if (status == STIRKEEP_OK) {
        check_signature(chain, inquiry);
        check_chain(chain, roots, question->now, inquiry);
        check_constraints(chain, inquiry);
        if (inquiry->iat > 0 &&
            (inquiry->iat < inquiry->leaf.not_before || inquiry->iat > inquiry->leaf.not_after))
            find(inquiry, STK_SIP_UNSUPPORTED_CREDENTIAL, "IAT-OUTSIDE-VALIDITY",
                 "iat: the certificate was not valid at that time");
    }
    stk_chain_free(roots);
    stk_chain_free(chain);
    return status;
}

/* ---- all of it */

static bool is_empty(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr(" \t\r\n", value[i]) == NULL)
            return false;
    return true;
}

/* The compact form gets what it has not in it; without that nothing of it can be judged. */
static enum stirkeep_status complete(const struct stk_question_of *question,
                                     struct stk_inquiry *inquiry, struct stk_error *error)
{
    if (inquiry->identity.compact && question->compact == NULL)
        find(inquiry, STK_SIP_INVALID_IDENTITY_HEADER, "COMPACT",
             "the compact form has no claims in it: --orig, --dest and --iat are needed");
    else if (inquiry->identity.compact)
        return stk_identity_complete(&inquiry->identity, question->compact, question->x5u, error);
    else if (question->compact != NULL)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "the claims are in the value: --orig and the like are for the "
                             "compact form");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_inquire(const struct stk_question_of *question, const char *value,
                                 size_t length, struct stk_inquiry *inquiry,
                                 struct stk_error *error)
{
    struct stk_error inner = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    *inquiry = (struct stk_inquiry){0};
    if (stk_arena_new(&inquiry->arena, INQUIRY_ARENA) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (is_empty(value, length)) {
        find(inquiry, STK_SIP_USE_IDENTITY_HEADER, "NO-IDENTITY",
             "there is no Identity header value");
        return STIRKEEP_OK;
    }
    status = stk_identity_parse(value, length, &inquiry->identity, &inner);
    if (status == STIRKEEP_MALFORMED || status == STIRKEEP_TOO_LARGE) {
        find(inquiry, STK_SIP_INVALID_IDENTITY_HEADER, "MALFORMED", inner.message);
        return STIRKEEP_OK;
    }
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s", inner.message);
    inquiry->parsed = true;
    status = complete(question, inquiry, error);
    if (status != STIRKEEP_OK || inquiry->finding_count > 0)
        return status;
    inquiry->finding_count = stk_identity_judge(&inquiry->identity, question->now,
                                                question->max_age_s, inquiry->findings);
    read_claims(inquiry);
    accept_ppt(question->ppt, inquiry);
    if (question->cert != NULL)
        return check_with_certificate(question, inquiry, error);
    find(inquiry, STK_SIP_BAD_IDENTITY_INFO, "NO-CERTIFICATE",
         "the signature is unchecked: --cert is missing");
    return STIRKEEP_OK;
}

void stk_inquire_too_large(const char *message, struct stk_inquiry *inquiry)
{
    *inquiry = (struct stk_inquiry){0};
    find(inquiry, STK_SIP_INVALID_IDENTITY_HEADER, "MALFORMED", message);
}

void stk_inquiry_free(struct stk_inquiry *inquiry)
{
    stk_identity_free(&inquiry->identity);
    stk_arena_free(&inquiry->arena);
}

/* What says most about a value comes first: it is none; it was changed; nobody answers for it; it
 * cannot be checked; it is old. */
static unsigned gravity(const struct stk_finding *finding)
{
    static const int codes[] = {STK_SIP_STALE_DATE, STK_SIP_BAD_IDENTITY_INFO,
                                STK_SIP_UNSUPPORTED_CREDENTIAL, STK_SIP_INVALID_IDENTITY_HEADER,
                                STK_SIP_USE_IDENTITY_HEADER};

    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i] == finding->sip_code)
            return i + 2;
    return 1;
}

const struct stk_finding *stk_inquiry_objection(const struct stk_inquiry *inquiry)
{
    const struct stk_finding *gravest = NULL;

    for (size_t i = 0; i < inquiry->finding_count; i++) {
        const struct stk_finding *one = &inquiry->findings[i];
        bool signature = strcmp(one->code, "SIGNATURE") == 0;

        if (one->fatal && (signature || gravest == NULL || gravity(one) > gravity(gravest)))
            gravest = one;
    }
    return gravest;
}
