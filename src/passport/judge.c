/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/verify.h"

#include "base/arena.h"
#include "model/claims.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Judging header, payload and parameters (RFC 8225, RFC 8224, RFC 8588). */

#define CLAIMS_ARENA ((size_t)16 * 1024)

struct inquiry {
    const struct stk_identity *identity;
    const json_t *header;
    const json_t *payload;
    struct stk_finding *findings;
    size_t count;
};

static void find(struct inquiry *inquiry, bool fatal, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void find(struct inquiry *inquiry, bool fatal, const char *code, const char *format, ...)
{
    struct stk_finding *finding = &inquiry->findings[inquiry->count];
    va_list arguments;

    if (inquiry->count == STK_VERIFY_FINDINGS_MAX)
        return;
    inquiry->count++;
    finding->fatal = fatal;
    (void)snprintf(finding->code, sizeof(finding->code), "%s", code);
    va_start(arguments, format);
    (void)vsnprintf(finding->message, sizeof(finding->message), format, arguments);
    va_end(arguments);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* ---- form */

static bool is_canonical(const json_t *value, const struct stk_buffer *json)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    bool same =
        text != NULL && strlen(text) == json->length && memcmp(text, json->data, json->length) == 0;

    free(text);
    return same;
}

/* The object in `json`; NULL with a finding when it is none. Owned by the caller. */
static json_t *load(struct inquiry *inquiry, const struct stk_buffer *json, const char *what,
                    const char *code)
{
    json_error_t where = {0};
    json_t *value =
        json_loadb((const char *)json->data, json->length, JSON_REJECT_DUPLICATES, &where);
    char not_canonical[32] = "";

    if (!json_is_object(value)) {
        find(inquiry, true, code, "%s: not a JSON object%s%.60s", what, value == NULL ? ": " : "",
             value == NULL ? where.text : "");
        json_decref(value);
        return NULL;
    }
    (void)snprintf(not_canonical, sizeof(not_canonical), "%s-NOT-CANONICAL", code);
    if (!is_canonical(value, json))
        find(inquiry, true, not_canonical,
             "%s: not canonical JSON (RFC 8225 section 9): white space, order of keys or escapes",
             what);
    return value;
}

/* ---- header and parameters */

static void judge_header(struct inquiry *inquiry)
{
    const struct stk_identity *identity = inquiry->identity;
    const char *alg = text_of(inquiry->header, "alg");
    const char *typ = text_of(inquiry->header, "typ");
    const char *x5u = text_of(inquiry->header, "x5u");
    const char *ppt = text_of(inquiry->header, "ppt");

    if (strcmp(alg, "ES256") != 0)
        find(inquiry, true, "HEADER-ALG", "header: alg \"%.20s\"; ES256 is the only one", alg);
    if (strcmp(typ, "passport") != 0)
        find(inquiry, true, "HEADER-TYP", "header: typ \"%.20s\"; it has to be \"passport\"", typ);
    if (x5u[0] == '\0')
        find(inquiry, true, "HEADER-X5U", "header: no x5u");
    if (identity->info[0] != '\0' && strcmp(identity->info, x5u) != 0)
        find(inquiry, true, "INFO-NOT-X5U", "info and x5u are not the same (RFC 8224 section 4.1)");
    if (strcmp(identity->ppt, ppt) != 0 && (identity->ppt[0] != '\0' || ppt[0] != '\0'))
        find(inquiry, ppt[0] != '\0' && identity->ppt[0] != '\0', "PPT-PARAMETER",
             "parameter ppt \"%.20s\" and header ppt \"%.20s\" differ", identity->ppt, ppt);
    if (identity->alg[0] != '\0' && strcmp(identity->alg, "ES256") != 0)
        find(inquiry, true, "ALG-PARAMETER", "parameter alg \"%.20s\"; it has to be ES256",
             identity->alg);
}

/* ---- claims: what model/claims.h takes, in the form in which it would have made it */

#define TEXTS_MAX (STK_DEST_MAX + 1)

/* The strings of an array; false when it is there and is anything else. */
static bool take_texts(const json_t *array, const char *texts[TEXTS_MAX], size_t *ret_count)
{
    size_t count = json_array_size(array);

    if (array != NULL && (!json_is_array(array) || count == 0 || count > STK_DEST_MAX))
        return false;
    for (size_t i = 0; i < count; i++) {
        texts[i] = json_string_value(json_array_get(array, i));
        if (texts[i] == NULL)
            return false;
    }
    *ret_count = count;
    return true;
}

static bool same_texts(const char *const *given, const char **made, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(given[i], made[i]) != 0)
            return false;
    return true;
}

static void judge_form(struct inquiry *inquiry, const struct stk_claims_input *given,
                       const struct stk_claims *made)
{
    if (made->orig_tn != NULL && strcmp(made->orig_tn, given->orig_tn) != 0)
        find(inquiry, true, "ORIG-NOT-CANONICAL",
             "orig: \"%.40s\" is not canonical (RFC 8224 section 8.3)", given->orig_tn);
    if (!same_texts(given->dest_tn, made->dest_tn, made->dest_tn_count) ||
        !same_texts(given->dest_uri, made->dest_uri, made->dest_uri_count))
        find(inquiry, true, "DEST-NOT-CANONICAL",
             "dest: not canonical, or not in order (RFC 8225 section 9)");
}

static void judge_values(struct inquiry *inquiry, const struct stk_claims_input *given)
{
    struct stk_arena arena = {0};
    struct stk_claims made = {0};
    struct stk_error error = {0};

    if (stk_arena_new(&arena, CLAIMS_ARENA) != STIRKEEP_OK) {
        find(inquiry, true, "CLAIMS", "out of memory");
        return;
    }
    if (stk_claims_make(given, &arena, &made, &error) == STIRKEEP_OK)
        judge_form(inquiry, given, &made);
    else
        find(inquiry, true, "CLAIMS", "%.150s", error.message);
    stk_arena_free(&arena);
}

static void judge_claims(struct inquiry *inquiry)
{
    const json_t *orig = json_object_get(inquiry->payload, "orig");
    const json_t *dest = json_object_get(inquiry->payload, "dest");
    const char *ppt = text_of(inquiry->header, "ppt");
    const char *tns[TEXTS_MAX] = {0};
    const char *uris[TEXTS_MAX] = {0};
    enum stk_ppt known = STK_PPT_BASE;
    struct stk_claims_input given = {.ppt = ppt,
                                     .orig_tn = text_of(orig, "tn"),
                                     .orig_uri = text_of(orig, "uri"),
                                     .dest_tn = tns,
                                     .dest_uri = uris,
                                     .attest = text_of(inquiry->payload, "attest"),
                                     .origid = text_of(inquiry->payload, "origid")};

    if (!stk_ppt_parse(ppt, &known)) {
        find(inquiry, false, "PPT-UNKNOWN", "header: ppt \"%.20s\" is not known: claims unchecked",
             ppt);
        return;
    }
    if (!json_is_object(orig) || json_object_size(orig) != 1)
        find(inquiry, true, "ORIG", "orig: has to be an object with exactly one of tn and uri");
    if (!json_is_object(dest) ||
        !take_texts(json_object_get(dest, "tn"), tns, &given.dest_tn_count) ||
        !take_texts(json_object_get(dest, "uri"), uris, &given.dest_uri_count)) {
        find(inquiry, true, "DEST",
             "dest: has to be an object with arrays of 1 to %d strings named tn and uri",
             STK_DEST_MAX);
        return;
    }
    if (known == STK_PPT_SHAKEN && given.origid[0] == '\0')
        find(inquiry, true, "ORIGID", "origid: missing (RFC 8588 section 5)");
    judge_values(inquiry, &given);
}

static void judge_iat(struct inquiry *inquiry, int64_t now, int64_t max_age_s)
{
    const json_t *iat = json_object_get(inquiry->payload, "iat");
    int64_t at = json_integer_value(iat);

    if (!json_is_integer(iat) || at <= 0) {
        find(inquiry, true, "IAT", "iat: has to be a number of seconds (RFC 8225 section 5.1.1)");
        return;
    }
    if (max_age_s > 0 && (at < now - max_age_s || at > now + max_age_s))
        find(inquiry, true, "IAT-AGE", "iat: more than %" PRId64 " s from now", max_age_s);
}

size_t stk_identity_judge(const struct stk_identity *identity, int64_t now, int64_t max_age_s,
                          struct stk_finding ret_findings[STK_VERIFY_FINDINGS_MAX])
{
    struct inquiry inquiry = {.identity = identity, .findings = ret_findings};
    json_t *header = load(&inquiry, &identity->header, "header", "HEADER");
    json_t *payload = load(&inquiry, &identity->payload, "payload", "PAYLOAD");

    inquiry.header = header;
    inquiry.payload = payload;
    if (header != NULL)
        judge_header(&inquiry);
    if (payload != NULL)
        judge_iat(&inquiry, now, max_age_s);
    if (header != NULL && payload != NULL)
        judge_claims(&inquiry);
    json_decref(header);
    json_decref(payload);
    return inquiry.count;
}
