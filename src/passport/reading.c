/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/reading.h"

#include "passport/fields.h"
#include "passport/passport.h"
#include <string.h>

static enum stirkeep_status read_object(struct stk_bytes text, const char *field,
                                        struct stk_arena *arena, const struct stk_json **ret_json,
                                        struct stk_error *error)
{
    enum stirkeep_status status =
        stk_json_read((const char *)text.data, text.length, field, arena, ret_json, error);

    if (status == STIRKEEP_OK && (*ret_json)->kind != STK_JSON_OBJECT)
        status = stk_error_set(error, STIRKEEP_INVALID, "%s: has to be a JSON object", field);
    return status;
}

static enum stirkeep_status check_header(const struct stk_json *header, const char **ret_ppt,
                                         const char **ret_x5u, struct stk_error *error)
{
    static const char *const keys[] = {"alg", "ppt", "typ", "x5u"};
    const char *texts[4] = {0};
    size_t found = 0;

    for (size_t i = 0; i < 4; i++) {
        const struct stk_json *member = stk_json_member(header, keys[i]);

        if (member == NULL)
            continue;
        found++;
        texts[i] = member->kind == STK_JSON_STRING ? member->text : NULL;
        if (texts[i] == NULL || texts[i][0] == '\0')
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "header: %s has to be a string that is not empty", keys[i]);
    }
    if (found < header->count)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "header: only alg, ppt, typ and x5u are allowed");
    if (texts[0] == NULL || strcmp(texts[0], "ES256") != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "header: alg has to be ES256");
    if (texts[2] == NULL || strcmp(texts[2], "passport") != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "header: typ has to be passport");
    if (texts[3] == NULL || strlen(texts[3]) > STK_X5U_MAX)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "header: x5u is missing, or longer than %d characters", STK_X5U_MAX);
    *ret_ppt = texts[1];
    *ret_x5u = texts[3];
    return STIRKEEP_OK;
}

/* Is it the same as what was composed? INVALID with the place, from 1. */
static enum stirkeep_status compare(struct stk_bytes given, const struct stk_buffer *composed,
                                    const char *field, struct stk_error *error)
{
    size_t at = 0;

    while (at < given.length && at < composed->length && given.data[at] == composed->data[at])
        at++;
    if (at == given.length && at == composed->length)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_INVALID,
                         "%s: byte %zu is not as in the canonical form (RFC 8225 section 9)", field,
                         at + 1);
}

/* Compose again, into free room of the arena, and compare. */
static enum stirkeep_status compose_and_compare(struct stk_bytes header, struct stk_bytes payload,
                                                const struct stk_claims *claims, const char *x5u,
                                                struct stk_arena *arena, struct stk_error *error)
{
    const size_t left = arena->capacity - arena->used;
    /* It writes where the arena is free, and never grows. */
    struct stk_buffer out = {.data = arena->data + arena->used, .capacity = left, .ceiling = left};
    enum stirkeep_status status =
        left > 0 ? stk_passport_header(claims->ppt_text, x5u, &out) : STIRKEEP_TOO_LARGE;

    if (status == STIRKEEP_OK)
        status = compare(header, &out, "header", error);
    if (status == STIRKEEP_INVALID)
        return status;
    out.length = 0;
    if (status == STIRKEEP_OK)
        status = stk_passport_payload(claims, &out);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "payload: takes too much memory");
    return compare(payload, &out, "payload", error);
}

enum stirkeep_status stk_passport_read(struct stk_bytes header, struct stk_bytes payload,
                                       struct stk_arena *arena, struct stk_claims *ret_claims,
                                       const char **ret_x5u, struct stk_error *error)
{
    const struct stk_json *header_json = NULL;
    const struct stk_json *payload_json = NULL;
    struct stk_claims_input input = {0};
    struct stk_claims claims = {0};
    const char *ppt = NULL;
    const char *x5u = NULL;
    enum stirkeep_status status = read_object(header, "header", arena, &header_json, error);

    if (status == STIRKEEP_OK)
        status = check_header(header_json, &ppt, &x5u, error);
    if (status == STIRKEEP_OK)
        status = read_object(payload, "payload", arena, &payload_json, error);
    if (status == STIRKEEP_OK)
        status = stk_fields_of(payload_json, ppt, arena, &input, NULL, error);
    if (status == STIRKEEP_OK && input.iat == 0)
        status = stk_error_set(error, STIRKEEP_INVALID, "iat: missing");
    if (status == STIRKEEP_OK)
        status = stk_claims_make(&input, arena, &claims, error);
    if (status == STIRKEEP_OK && claims.ppt == STK_PPT_SHAKEN && claims.origid[0] == '\0')
        status = stk_error_set(error, STIRKEEP_INVALID, "origid: missing");
    if (status == STIRKEEP_OK)
        status = compose_and_compare(header, payload, &claims, x5u, arena, error);
    if (status != STIRKEEP_OK)
        return status;
    *ret_claims = claims;
    *ret_x5u = x5u;
    return STIRKEEP_OK;
}
