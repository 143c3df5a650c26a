/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/batch_line.h"

#include "json/json.h"
#include <string.h>

struct reading {
    struct stk_arena *arena;
    struct stk_error *error;
    struct stirkeep_claims *claims;
    const char *name;
    const char *header;
    const char *payload;
    size_t claim_count; /* keys that are claims */
};

static enum stirkeep_status wrong(struct reading *reading, const char *key, const char *what)
{
    return stk_error_set(reading->error, STIRKEEP_INVALID, "%.60s: %s", key, what);
}

static enum stirkeep_status full(struct reading *reading)
{
    return stk_error_set(reading->error, STIRKEEP_TOO_LARGE, "takes too much memory");
}

static enum stirkeep_status take_text(struct reading *reading, const struct stk_json *value,
                                      const char **ret_text)
{
    if (value->kind != STK_JSON_STRING)
        return wrong(reading, value->key, "has to be a text");
    *ret_text = value->text;
    return STIRKEEP_OK;
}

/* A JSON value as text again, for a claim that is given as JSON. */
static enum stirkeep_status take_json(struct reading *reading, const struct stk_json *value,
                                      enum stk_json_kind kind, const char *what,
                                      const char **ret_text)
{
    if (value->kind != kind)
        return wrong(reading, value->key, what);
    *ret_text = stk_json_text_of(value, reading->arena);
    return *ret_text != NULL ? STIRKEEP_OK : full(reading);
}

/* Texts of an array; one by itself counts as an array of it. */
static enum stirkeep_status take_texts(struct reading *reading, const struct stk_json *value,
                                       const char *const **ret_texts, size_t *ret_count)
{
    size_t count = value->kind == STK_JSON_ARRAY ? value->count : 1;
    const struct stk_json *item = value->kind == STK_JSON_ARRAY ? value->first : value;
    const char **texts = stk_arena_take(reading->arena, (count + 1) * sizeof(*texts));

    if (texts == NULL)
        return full(reading);
    for (size_t i = 0; i < count; i++, item = item->next) {
        if (item->kind != STK_JSON_STRING)
            return wrong(reading, value->key, "has to be texts");
        texts[i] = item->text;
    }
    *ret_texts = texts;
    *ret_count = count;
    return STIRKEEP_OK;
}

/* ---- objects whose members are texts, lists or JSON */

struct member {
    const char *key;
    const char **text; /* one of these */
    const char *const **texts;
    size_t *count; /* of texts */
    bool is_json;  /* text gets an array as JSON */
};

static enum stirkeep_status take_member(struct reading *reading, const struct stk_json *value,
                                        const struct member *member)
{
    if (member->texts != NULL)
        return take_texts(reading, value, member->texts, member->count);
    if (member->is_json)
        return take_json(reading, value, STK_JSON_ARRAY, "has to be an array", member->text);
    return take_text(reading, value, member->text);
}

static enum stirkeep_status take_object(struct reading *reading, const struct stk_json *object,
                                        const struct member *members, size_t count)
{
    if (object->kind != STK_JSON_OBJECT)
        return wrong(reading, object->key, "has to be an object");
    for (const struct stk_json *value = object->first; value != NULL; value = value->next) {
        enum stirkeep_status status = STIRKEEP_OK;
        size_t i = 0;

        while (i < count && strcmp(members[i].key, value->key) != 0)
            i++;
        if (i == count)
            return stk_error_set(reading->error, STIRKEEP_INVALID, "%s.%.60s: is not known",
                                 object->key, value->key);
        status = take_member(reading, value, &members[i]);
        if (status != STIRKEEP_OK)
            return stk_error_prefix(reading->error, object->key);
    }
    return STIRKEEP_OK;
}
#define TAKE(reading, object, members)                                                             \
    take_object(reading, object, members, sizeof(members) / sizeof((members)[0]))

static enum stirkeep_status take_orig(struct reading *reading, const struct stk_json *value)
{
    const struct member members[] = {{.key = "tn", .text = &reading->claims->orig_tn},
                                     {.key = "uri", .text = &reading->claims->orig_uri}};

    return TAKE(reading, value, members);
}

static enum stirkeep_status take_dest(struct reading *reading, const struct stk_json *value)
{
    struct stirkeep_claims *claims = reading->claims;
    const struct member members[] = {
        {.key = "tn", .texts = &claims->dest_tn, .count = &claims->dest_tn_count},
        {.key = "uri", .texts = &claims->dest_uri, .count = &claims->dest_uri_count}};

    return TAKE(reading, value, members);
}

static enum stirkeep_status take_div(struct reading *reading, const struct stk_json *value)
{
    const struct member members[] = {{.key = "tn", .text = &reading->claims->div_tn},
                                     {.key = "uri", .text = &reading->claims->div_uri},
                                     {.key = "hi", .text = &reading->claims->div_hi}};

    return TAKE(reading, value, members);
}

static enum stirkeep_status take_rph(struct reading *reading, const struct stk_json *value)
{
    const struct member members[] = {{.key = "auth",
                                      .texts = &reading->claims->rph_auth,
                                      .count = &reading->claims->rph_auth_count}};

    return TAKE(reading, value, members);
}

static enum stirkeep_status take_rcd(struct reading *reading, const struct stk_json *value)
{
    struct stirkeep_claims *claims = reading->claims;
    const struct member members[] = {{.key = "nam", .text = &claims->rcd_nam},
                                     {.key = "apn", .text = &claims->rcd_apn},
                                     {.key = "icn", .text = &claims->rcd_icn},
                                     {.key = "jcd", .text = &claims->rcd_jcd, .is_json = true},
                                     {.key = "jcl", .text = &claims->rcd_jcl}};

    return TAKE(reading, value, members);
}

static enum stirkeep_status take_rcdi(struct reading *reading, const struct stk_json *value)
{
    struct stirkeep_pair *pairs = NULL;
    size_t count = 0;

    if (value->kind != STK_JSON_OBJECT)
        return wrong(reading, value->key, "has to be an object of pointers and digests");
    pairs = stk_arena_take(reading->arena, (value->count + 1) * sizeof(*pairs));
    if (pairs == NULL)
        return full(reading);
    for (const struct stk_json *one = value->first; one != NULL; one = one->next) {
        if (one->kind != STK_JSON_STRING)
            return wrong(reading, value->key, "a digest has to be a text");
        pairs[count++] = (struct stirkeep_pair){.name = one->key, .value = one->text};
    }
    reading->claims->rcdi = pairs;
    reading->claims->rcdi_count = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_mky(struct reading *reading, const struct stk_json *value)
{
    struct stirkeep_pair *pairs = NULL;
    size_t count = 0;

    if (value->kind != STK_JSON_ARRAY)
        return wrong(reading, value->key, "has to be an array of objects with alg and dig");
    pairs = stk_arena_take(reading->arena, (value->count + 1) * sizeof(*pairs));
    if (pairs == NULL)
        return full(reading);
    for (const struct stk_json *one = value->first; one != NULL; one = one->next) {
        const char *alg = stk_json_member_text(one, "alg");
        const char *dig = stk_json_member_text(one, "dig");

        if (alg == NULL || dig == NULL || one->count != 2)
            return wrong(reading, value->key, "has to be an array of objects with alg and dig");
        pairs[count++] = (struct stirkeep_pair){.name = alg, .value = dig};
    }
    reading->claims->mky = pairs;
    reading->claims->mky_count = count;
    return STIRKEEP_OK;
}

/* ---- the keys of a line */

static enum stirkeep_status take_name(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->name);
}

static enum stirkeep_status take_header(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->header);
}

static enum stirkeep_status take_payload(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->payload);
}

static enum stirkeep_status take_ppt(struct reading *reading, const struct stk_json *value)
{
    enum stirkeep_status status = take_text(reading, value, &reading->claims->ppt);

    if (status == STIRKEEP_OK && strcmp(reading->claims->ppt, "base") == 0)
        reading->claims->ppt = "";
    return status;
}

static enum stirkeep_status take_iat(struct reading *reading, const struct stk_json *value)
{
    if (value->kind != STK_JSON_INTEGER || value->integer <= 0)
        return wrong(reading, value->key, "has to be a number of seconds since 1970");
    reading->claims->iat = value->integer;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_compact(struct reading *reading, const struct stk_json *value)
{
    if (value->kind != STK_JSON_TRUE && value->kind != STK_JSON_FALSE)
        return wrong(reading, value->key, "has to be true or false");
    reading->claims->compact = value->kind == STK_JSON_TRUE;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_claims(struct reading *reading, const struct stk_json *value)
{
    return take_json(reading, value, STK_JSON_OBJECT, "has to be an object",
                     &reading->claims->other);
}

static enum stirkeep_status take_attest(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->claims->attest);
}

static enum stirkeep_status take_origid(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->claims->origid);
}

static enum stirkeep_status take_opt(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->claims->opt);
}

static enum stirkeep_status take_sph(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->claims->sph);
}

static enum stirkeep_status take_crn(struct reading *reading, const struct stk_json *value)
{
    return take_text(reading, value, &reading->claims->crn);
}

static const struct {
    const char *key;
    enum stirkeep_status (*take)(struct reading *reading, const struct stk_json *value);
    bool is_claim;
} keys[] = {
    {"name", take_name, false},       {"header", take_header, false},
    {"payload", take_payload, false}, {"ppt", take_ppt, true},
    {"orig", take_orig, true},        {"dest", take_dest, true},
    {"iat", take_iat, true},          {"attest", take_attest, true},
    {"origid", take_origid, true},    {"div", take_div, true},
    {"opt", take_opt, true},          {"rph", take_rph, true},
    {"sph", take_sph, true},          {"rcd", take_rcd, true},
    {"crn", take_crn, true},          {"rcdi", take_rcdi, true},
    {"mky", take_mky, true},          {"claims", take_claims, true},
    {"compact", take_compact, true},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static enum stirkeep_status take_key(struct reading *reading, const struct stk_json *value)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].key, value->key) == 0) {
            reading->claim_count += keys[i].is_claim ? 1 : 0;
            return keys[i].take(reading, value);
        }
    return wrong(reading, value->key, "is not known (claims of another type stand in \"claims\")");
}

static enum stirkeep_status finish(struct reading *reading, struct stirkeep_request *ret_request)
{
    if (reading->name == NULL)
        return stk_error_set(reading->error, STIRKEEP_INVALID, "name: missing");
    if ((reading->header == NULL) != (reading->payload == NULL))
        return stk_error_set(reading->error, STIRKEEP_INVALID,
                             "header: it and payload go together");
    if (reading->header != NULL && reading->claim_count > 0)
        return stk_error_set(reading->error, STIRKEEP_INVALID,
                             "header: there are no claims beside it and payload");
    *ret_request = (struct stirkeep_request){
        .name = reading->name,
        .claims = reading->header == NULL ? reading->claims : NULL,
        .header = reading->header,
        .payload = reading->payload,
    };
    return STIRKEEP_OK;
}

enum stirkeep_status stk_batch_line(struct stk_bytes line, const char *name,
                                    struct stk_arena *arena, struct stirkeep_request *ret_request,
                                    struct stk_error *error)
{
    const struct stk_json *object = NULL;
    struct stirkeep_claims *claims = stk_arena_take(arena, sizeof(*claims));
    struct reading reading = {.arena = arena, .error = error, .claims = claims, .name = name};
    enum stirkeep_status status = STIRKEEP_OK;

    if (claims == NULL)
        return full(&reading);
    *claims = (struct stirkeep_claims){.ppt = "shaken"};
    status = stk_json_read((const char *)line.data, line.length, "claims", arena, &object, error);
    if (status != STIRKEEP_OK)
        return status;
    if (object->kind != STK_JSON_OBJECT)
        return stk_error_set(error, STIRKEEP_INVALID, "claims: not a JSON object");
    for (const struct stk_json *value = object->first; value != NULL; value = value->next) {
        status = take_key(&reading, value);
        if (status != STIRKEEP_OK)
            return status;
    }
    return finish(&reading, ret_request);
}
