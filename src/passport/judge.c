/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/judge.h"

#include "model/uri.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Judging header, payload and parameters. */

void stk_judge_find(struct stk_inquiry *inquiry, bool fatal, int sip_code, const char *code,
                    const char *format, ...)
{
    struct stk_finding *finding = &inquiry->findings[inquiry->count];
    va_list arguments;

    if (inquiry->count == STK_VERIFY_FINDINGS_MAX)
        return;
    inquiry->count++;
    finding->fatal = fatal;
    finding->sip_code = sip_code;
    (void)snprintf(finding->code, sizeof(finding->code), "%s", code);
    va_start(arguments, format);
    (void)vsnprintf(finding->message, sizeof(finding->message), format, arguments);
    va_end(arguments);
}

const char *stk_sip_reason(int sip_code)
{
    switch (sip_code) {
    case STK_SIP_STALE_DATE:
        return "Stale Date";
    case STK_SIP_USE_IDENTITY_HEADER:
        return "Use Identity Header";
    case STK_SIP_BAD_IDENTITY_INFO:
        return "Bad Identity Info";
    case STK_SIP_UNSUPPORTED_CREDENTIAL:
        return "Unsupported Credential";
    case STK_SIP_INVALID_IDENTITY_HEADER:
        return "Invalid Identity Header";
    default:
        return "";
    }
}

const char *stk_judge_text(const struct stk_json *object, const char *key)
{
    const char *text = stk_json_member_text(object, key);

    return text != NULL ? text : "";
}

/* ---- form */

static bool is_canonical(struct stk_inquiry *inquiry, const struct stk_json *value,
                         const struct stk_buffer *json)
{
    const size_t mark = inquiry->arena->used;
    const char *text = stk_json_text_of(value, inquiry->arena);
    bool same =
        text != NULL && strlen(text) == json->length && memcmp(text, json->data, json->length) == 0;

    inquiry->arena->used = mark;
    return same;
}

/* The object in `json`; NULL with a finding when it is none. */
static const struct stk_json *load(struct stk_inquiry *inquiry, const struct stk_buffer *json,
                                   const char *what, const char *code, bool *ret_canonical)
{
    const struct stk_json *value = NULL;
    struct stk_error error = {0};
    char not_canonical[32] = "";

    if (stk_json_read((const char *)json->data, json->length, what, inquiry->arena, &value,
                      &error) != STIRKEEP_OK) {
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, code, "%.150s",
                       error.message);
        return NULL;
    }
    if (value->kind != STK_JSON_OBJECT) {
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, code,
                       "%s: not a JSON object", what);
        return NULL;
    }
    *ret_canonical = is_canonical(inquiry, value, json);
    (void)snprintf(not_canonical, sizeof(not_canonical), "%s-NOT-CANONICAL", code);
    if (!*ret_canonical)
        stk_judge_find(
            inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, not_canonical,
            "%s: not canonical JSON (RFC 8225 section 9): white space, order of keys or escapes",
            what);
    return value;
}

/* ---- header and parameters */

static void judge_x5u(struct stk_inquiry *inquiry)
{
    const char *x5u = stk_judge_text(inquiry->header, "x5u");
    const char *info = inquiry->identity->info;
    struct stk_error error = {0};

    if (x5u[0] == '\0')
        stk_judge_find(inquiry, true, STK_SIP_BAD_IDENTITY_INFO, "HEADER-X5U", "header: no x5u");
    else if (info[0] != '\0' && strcmp(info, x5u) != 0)
        stk_judge_find(inquiry, true, STK_SIP_BAD_IDENTITY_INFO, "INFO-NOT-X5U",
                       "info and x5u are not the same (RFC 8224 section 4.1)");
    else if (stk_x5u_check(x5u, &error) != STIRKEEP_OK)
        /* Over http anybody on the way could give another certificate. */
        stk_judge_find(inquiry, strncasecmp(x5u, "https:", 6) != 0, STK_SIP_BAD_IDENTITY_INFO,
                       "X5U-FORM", "%.150s", error.message);
    if (info[0] == '\0')
        stk_judge_find(inquiry, true, STK_SIP_BAD_IDENTITY_INFO, "INFO-MISSING",
                       "the info parameter is missing or empty (RFC 8224 section 4)");
}

/* The first key of the header that is in the list, or (`in` false) in none; NULL: there is none. */
static const char *first_key(const struct stk_json *header, const char *const *list, size_t count,
                             bool in)
{
    for (const struct stk_json *one = header->first; one != NULL; one = one->next) {
        bool found = false;

        for (size_t i = 0; !found && i < count; i++)
            found = strcmp(one->key, list[i]) == 0;
        if (found == in)
            return one->key;
    }
    return NULL;
}

/* What else a header may have, and what becomes of it: RFC 7515 section 4.1, RFC 7797. Each told
 * once, so that however many there are, room is left for the rest. */
static void judge_keys(struct stk_inquiry *inquiry)
{
    static const char *const known[] = {"alg", "b64", "crit", "jku", "jwk",      "kid",
                                        "ppt", "typ", "x5c",  "x5t", "x5t#S256", "x5u"};
    static const char *const credentials[] = {"jku", "jwk", "kid", "x5c", "x5t", "x5t#S256"};
    const struct stk_json *header = inquiry->header;
    const char *key = NULL;

    if (stk_json_member(header, "crit") != NULL)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-CRIT",
                       "header: crit asks for what no PASSporT has (RFC 7515 section 4.1.11)");
    if (stk_json_member(header, "b64") != NULL)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-B64",
                       "header: b64 is for another form of signature (RFC 7797), no PASSporT's");
    key = first_key(header, credentials, sizeof(credentials) / sizeof(*credentials), true);
    if (key != NULL)
        stk_judge_find(inquiry, false, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-KEY",
                       "header: %s is about a key, and does not count: x5u alone does", key);
    key = first_key(header, known, sizeof(known) / sizeof(*known), false);
    if (key != NULL)
        stk_judge_find(inquiry, false, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-UNKNOWN",
                       "header: \"%.32s\" is not known and not looked at", key);
}

static void judge_header(struct stk_inquiry *inquiry)
{
    const struct stk_identity *identity = inquiry->identity;
    const char *alg = stk_judge_text(inquiry->header, "alg");
    const char *typ = stk_judge_text(inquiry->header, "typ");
    const char *ppt = stk_judge_text(inquiry->header, "ppt");

    if (strcmp(alg, "ES256") != 0)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-ALG",
                       "header: alg \"%.20s\"; ES256 is the only one", alg);
    if (strcmp(typ, "passport") != 0)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-TYP",
                       "header: typ \"%.20s\"; it has to be \"passport\"", typ);
    judge_keys(inquiry);
    judge_x5u(inquiry);
    if (stk_json_member(inquiry->header, "ppt") != NULL && ppt[0] == '\0')
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "HEADER-PPT",
                       "header: ppt is not a string with something in it");
    /* A type beside the PASSporT that is not its own would pass it off as another one. */
    if (strcmp(identity->ppt, ppt) != 0)
        stk_judge_find(inquiry, identity->ppt[0] != '\0', STK_SIP_INVALID_IDENTITY_HEADER,
                       "PPT-PARAMETER", "parameter ppt \"%.20s\" and header ppt \"%.20s\" differ",
                       identity->ppt, ppt);
    if (identity->alg[0] != '\0' && strcmp(identity->alg, "ES256") != 0)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "ALG-PARAMETER",
                       "parameter alg \"%.20s\"; it has to be ES256", identity->alg);
}

static void judge_iat(struct stk_inquiry *inquiry, int64_t now, int64_t max_age_s)
{
    const struct stk_json *iat = stk_json_member(inquiry->payload, "iat");

    if (iat == NULL || iat->kind != STK_JSON_INTEGER || iat->integer <= 0)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "IAT",
                       "iat: has to be a number of seconds (RFC 8225 section 5.1.1)");
    else if (max_age_s > 0 && (iat->integer < now - max_age_s || iat->integer > now + max_age_s))
        stk_judge_find(inquiry, true, STK_SIP_STALE_DATE, "IAT-AGE",
                       "iat: more than %" PRId64 " s from now", max_age_s);
}

static void judge(struct stk_inquiry *inquiry, int64_t now, int64_t max_age_s)
{
    const struct stk_identity *identity = inquiry->identity;
    bool header_canonical = false;

    inquiry->header = load(inquiry, &identity->header, "header", "HEADER", &header_canonical);
    inquiry->payload =
        load(inquiry, &identity->payload, "payload", "PAYLOAD", &inquiry->payload_canonical);
    if (inquiry->header != NULL)
        judge_header(inquiry);
    if (inquiry->payload != NULL)
        judge_iat(inquiry, now, max_age_s);
    if (inquiry->header != NULL && inquiry->payload != NULL)
        stk_judge_claims(inquiry);
}

size_t stk_identity_judge(const struct stk_identity *identity, int64_t now, int64_t max_age_s,
                          struct stk_finding ret_findings[STK_VERIFY_FINDINGS_MAX])
{
    struct stk_arena arena = {0};
    struct stk_inquiry inquiry = {.identity = identity, .arena = &arena, .findings = ret_findings};

    if (identity->header.length == 0)
        stk_judge_find(
            &inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "COMPACT",
            "PASSporT: the compact form (RFC 8225 section 7), which has no claims in it to check");
    else if (stk_arena_new(&arena, STK_IDENTITY_ARENA) != STIRKEEP_OK)
        stk_judge_find(&inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "CLAIMS", "out of memory");
    else
        judge(&inquiry, now, max_age_s);
    stk_arena_free(&arena);
    return inquiry.count;
}
