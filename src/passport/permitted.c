/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/permitted.h"

#include "passport/payload.h"
#include <string.h>

/* A certificate's texts are its CA's: so much of one is shown. */
#define SHOWN 64

static enum stirkeep_status check_number(const struct stk_constraints *constraints,
                                         const struct stk_claims *claims, struct stk_error *error)
{
    const char *tn = stk_claims_authority_tn(claims);
    const char *who = claims->div_tn != NULL || claims->div_uri != NULL ? "div" : "orig";

    if (!constraints->numbers_only)
        return STIRKEEP_OK;
    if (tn == NULL)
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                             "certificate: its TNAuthList has numbers alone, and %s is a URI", who);
    if (!stk_number_ranges_cover(constraints->ranges, constraints->range_count, stk_number_key(tn)))
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                             "certificate: its TNAuthList does not cover %s %s", who, tn);
    return STIRKEEP_OK;
}

/* Claims that the signer makes when they are not given. */
static bool is_made_later(const struct stk_claims *claims, const char *name)
{
    if (strcmp(name, "origid") == 0)
        return claims->ppt == STK_PPT_SHAKEN && claims->origid[0] == '\0';
    return strcmp(name, "iat") == 0 && claims->iat == 0;
}

static bool includes(const struct stk_claims *claims, const char *name)
{
    struct stk_canonical counted = stk_canonical_begin(NULL);

    return stk_payload_write_claim(claims, name, &counted) || is_made_later(claims, name);
}

/* The claim's value as canonical JSON; NULL when there is no room. */
static const char *value_of(const struct stk_claims *claims, const char *name,
                            struct stk_arena *arena)
{
    const size_t left = arena->capacity - arena->used;
    /* It writes where the arena is free, and never grows. */
    struct stk_buffer room = {.data = arena->data + arena->used, .capacity = left, .ceiling = left};
    struct stk_canonical json = stk_canonical_begin(&room);

    if (left == 0)
        return NULL;
    (void)stk_payload_write_claim(claims, name, &json);
    if (stk_canonical_end(&json) != STIRKEEP_OK || stk_buffer_add(&room, "", 1) != STIRKEEP_OK)
        return NULL;
    return stk_arena_take(arena, room.length);
}

/* A value in the certificate, as canonical JSON like `like`: a text is a string when that is one,
 * else it is JSON already. NULL when it is not, and when there is no room. */
static const char *permitted_json(const char *text, const char *like, struct stk_arena *arena)
{
    const struct stk_json string = {.kind = STK_JSON_STRING, .text = text, .length = strlen(text)};
    const struct stk_json *json = &string;

    if (like[0] != '"' && stk_json_read(text, strlen(text), "", arena, &json, NULL) != STIRKEEP_OK)
        return NULL;
    return stk_json_text_of(json, arena);
}

static bool is_permitted(const struct stk_permitted *permitted, const char *value,
                         struct stk_arena *arena)
{
    const size_t mark = arena->used;
    bool same = false;

    for (size_t i = 0; !same && i < permitted->count; i++) {
        const char *json = permitted_json(permitted->values[i], value, arena);

        same = json != NULL && strcmp(json, value) == 0;
        arena->used = mark;
    }
    return same;
}

static enum stirkeep_status check_values(const struct stk_permitted *permitted,
                                         const struct stk_claims *claims, struct stk_arena *arena,
                                         struct stk_error *error)
{
    const size_t mark = arena->used;
    const char *value = NULL;
    bool good = false;

    if (!includes(claims, permitted->claim))
        return STIRKEEP_OK;
    if (is_made_later(claims, permitted->claim))
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                             "certificate: it has permitted values for %.*s, which is not given",
                             SHOWN, permitted->claim);
    value = value_of(claims, permitted->claim, arena);
    if (value == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "claims: take too much memory");
    good = is_permitted(permitted, value, arena);
    arena->used = mark;
    if (good)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                         "certificate: %.*s has none of the values that it permits", SHOWN,
                         permitted->claim);
}

enum stirkeep_status stk_passport_permitted(const struct stk_constraints *constraints,
                                            const struct stk_claims *claims,
                                            struct stk_arena *arena, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_constraints_any(constraints))
        return STIRKEEP_OK;
    status = check_number(constraints, claims, error);
    for (size_t i = 0; status == STIRKEEP_OK && i < constraints->must_include_count; i++)
        if (!includes(claims, constraints->must_include[i]))
            status = stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                                   "certificate: %.*s has to be there (mustInclude)", SHOWN,
                                   constraints->must_include[i]);
    for (size_t i = 0; status == STIRKEEP_OK && i < constraints->must_exclude_count; i++)
        if (includes(claims, constraints->must_exclude[i]))
            status = stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                                   "certificate: %.*s may not be there (mustExclude)", SHOWN,
                                   constraints->must_exclude[i]);
    for (size_t i = 0; status == STIRKEEP_OK && i < constraints->permitted_count; i++)
        status = check_values(&constraints->permitted[i], claims, arena, error);
    return status;
}
