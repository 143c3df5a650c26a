/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/field.h"

#include <stddef.h>
#include <string.h>

/* What kind of JSON a field is, and how it gets into an input. */
enum form {
    TEXT,  /* a string with something in it */
    NAME,  /* a string */
    TEXTS, /* an array of strings, at least one; the count is the next member of the input */
    JSON,  /* anything, as its canonical text */
    TIME,  /* a number that is at least 1 */
    KEYS,  /* an array of {alg, dig} */
    PAIRS  /* an object of strings */
};

struct stk_field {
    const char *claim; /* that it is in; "" for a claim that is a field itself */
    const char *key;
    enum form form;
    size_t offset;
};

static const struct stk_field fields[] = {
    {"", "attest", TEXT, offsetof(struct stk_claims_input, attest)},
    {"", "crn", TEXT, offsetof(struct stk_claims_input, crn)},
    {"", "iat", TIME, offsetof(struct stk_claims_input, iat)},
    {"", "mky", KEYS, offsetof(struct stk_claims_input, mky)},
    {"", "opt", TEXT, offsetof(struct stk_claims_input, opt)},
    {"", "origid", TEXT, offsetof(struct stk_claims_input, origid)},
    {"", "rcdi", PAIRS, offsetof(struct stk_claims_input, rcdi)},
    {"", "sph", TEXT, offsetof(struct stk_claims_input, sph)},
    {"dest", "tn", TEXTS, offsetof(struct stk_claims_input, dest_tn)},
    {"dest", "uri", TEXTS, offsetof(struct stk_claims_input, dest_uri)},
    {"div", "hi", TEXT, offsetof(struct stk_claims_input, div_hi)},
    {"div", "tn", TEXT, offsetof(struct stk_claims_input, div_tn)},
    {"div", "uri", TEXT, offsetof(struct stk_claims_input, div_uri)},
    {"orig", "tn", TEXT, offsetof(struct stk_claims_input, orig_tn)},
    {"orig", "uri", TEXT, offsetof(struct stk_claims_input, orig_uri)},
    {"rcd", "apn", TEXT, offsetof(struct stk_claims_input, rcd_apn)},
    {"rcd", "icn", TEXT, offsetof(struct stk_claims_input, rcd_icn)},
    {"rcd", "jcd", JSON, offsetof(struct stk_claims_input, rcd_jcd)},
    {"rcd", "jcl", TEXT, offsetof(struct stk_claims_input, rcd_jcl)},
    {"rcd", "nam", NAME, offsetof(struct stk_claims_input, rcd_nam)},
    {"rph", "auth", TEXTS, offsetof(struct stk_claims_input, rph_auth)},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(*fields))

/* A list's count is the member of the input behind it. */
#define COUNT_IS_BEHIND(list, count)                                                               \
    _Static_assert(offsetof(struct stk_claims_input, count) ==                                     \
                       offsetof(struct stk_claims_input, list) + sizeof(void *),                   \
                   #count " is not behind " #list)
COUNT_IS_BEHIND(dest_tn, dest_tn_count);
COUNT_IS_BEHIND(dest_uri, dest_uri_count);
COUNT_IS_BEHIND(mky, mky_count);
COUNT_IS_BEHIND(rcdi, rcdi_count);
COUNT_IS_BEHIND(rph_auth, rph_auth_count);

static void *place_of(const struct stk_field_reading *reading)
{
    return (char *)reading->input + reading->field->offset;
}

static size_t *count_of(const struct stk_field_reading *reading)
{
    return (size_t *)((char *)place_of(reading) + sizeof(void *));
}

/* "dest.tn: has to be ...". */
static enum stirkeep_status refuse(const struct stk_field_reading *reading, const char *what)
{
    const struct stk_field *field = reading->field;

    return stk_error_set(reading->error, STIRKEEP_INVALID, "%s%s%s: has to be %s", field->claim,
                         field->claim[0] != '\0' ? "." : "", field->key, what);
}

enum stirkeep_status stk_field_no_room(const struct stk_field_reading *reading)
{
    return stk_error_set(reading->error, STIRKEEP_TOO_LARGE, "payload: takes too much memory");
}

/* A text that may be a claim: without a NUL, which src/json does not take, and not empty, which in
 * an input means that it is not there. */
static const char *text_of(const struct stk_json *json)
{
    return json->kind == STK_JSON_STRING && json->length > 0 ? json->text : NULL;
}

static enum stirkeep_status read_text(struct stk_field_reading *reading,
                                      const struct stk_json *json)
{
    const char *text = text_of(json);

    if (text == NULL)
        return refuse(reading, "a string that is not empty");
    *(const char **)place_of(reading) = text;
    return STIRKEEP_OK;
}

/* RFC 9795 section 5.1.1: it may be empty, which stk_claims_make does not take. */
static enum stirkeep_status read_name(struct stk_field_reading *reading,
                                      const struct stk_json *json)
{
    if (json->kind != STK_JSON_STRING)
        return refuse(reading, "a string");
    *(const char **)place_of(reading) = json->text;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_texts(struct stk_field_reading *reading,
                                       const struct stk_json *json)
{
    const char **texts = NULL;
    size_t count = 0;

    if (json->kind != STK_JSON_ARRAY || json->count == 0)
        return refuse(reading, "an array of strings");
    texts = stk_arena_take(reading->arena, json->count * sizeof(*texts));
    if (texts == NULL)
        return stk_field_no_room(reading);
    for (const struct stk_json *item = json->first; item != NULL; item = item->next) {
        texts[count] = text_of(item);
        if (texts[count++] == NULL)
            return refuse(reading, "an array of strings");
    }
    *(const char *const **)place_of(reading) = texts;
    *count_of(reading) = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_json(struct stk_field_reading *reading,
                                      const struct stk_json *json)
{
    const char *text = stk_json_text_of(json, reading->arena);

    if (text == NULL)
        return stk_field_no_room(reading);
    *(const char **)place_of(reading) = text;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_time(struct stk_field_reading *reading,
                                      const struct stk_json *json)
{
    if (json->kind != STK_JSON_INTEGER)
        return refuse(reading, "a number");
    if (json->integer < 1)
        return refuse(reading, "a number that is at least 1");
    *(int64_t *)place_of(reading) = json->integer;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_keys(struct stk_field_reading *reading,
                                      const struct stk_json *json)
{
    struct stk_pair *pairs = NULL;
    size_t count = 0;

    if (json->kind != STK_JSON_ARRAY || json->count == 0)
        return refuse(reading, "an array of objects");
    pairs = stk_arena_take(reading->arena, json->count * sizeof(*pairs));
    if (pairs == NULL)
        return stk_field_no_room(reading);
    for (const struct stk_json *item = json->first; item != NULL; item = item->next) {
        struct stk_pair pair = {stk_json_member_text(item, "alg"),
                                stk_json_member_text(item, "dig")};

        if (pair.name == NULL || pair.value == NULL || item->count != 2)
            return refuse(reading, "an array of objects, each with alg and dig");
        pairs[count++] = pair;
    }
    *(const struct stk_pair **)place_of(reading) = pairs;
    *count_of(reading) = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_pairs(struct stk_field_reading *reading,
                                       const struct stk_json *json)
{
    struct stk_pair *pairs = NULL;
    size_t count = 0;

    if (json->kind != STK_JSON_OBJECT || json->count == 0)
        return refuse(reading, "an object of strings");
    pairs = stk_arena_take(reading->arena, json->count * sizeof(*pairs));
    if (pairs == NULL)
        return stk_field_no_room(reading);
    for (const struct stk_json *item = json->first; item != NULL; item = item->next) {
        pairs[count] = (struct stk_pair){item->key, text_of(item)};
        if (pairs[count++].value == NULL)
            return refuse(reading, "an object of strings");
    }
    *(const struct stk_pair **)place_of(reading) = pairs;
    *count_of(reading) = count;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_field_read(struct stk_field_reading *reading, const struct stk_json *json)
{
    switch (reading->field->form) {
    case TEXT:
        return read_text(reading, json);
    case NAME:
        return read_name(reading, json);
    case TEXTS:
        return read_texts(reading, json);
    case JSON:
        return read_json(reading, json);
    case TIME:
        return read_time(reading, json);
    case KEYS:
        return read_keys(reading, json);
    case PAIRS:
        break;
    }
    return read_pairs(reading, json);
}

const struct stk_field *stk_field_find(const char *claim, const struct stk_json *member)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].claim, claim) == 0 && strlen(fields[i].key) == member->key_length &&
            strcmp(fields[i].key, member->key) == 0)
            return &fields[i];
    return NULL;
}

const char *stk_field_claim(const struct stk_json *member)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (fields[i].claim[0] != '\0' && strcmp(fields[i].claim, member->key) == 0)
            return fields[i].claim;
    return NULL;
}
