/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/fields.h"

#include "passport/field.h"
#include <string.h>

struct payload_reading {
    struct stk_field_reading fields;
    enum stk_ppt ppt;
    struct stk_fields_unknown *unknown; /* NULL: it is refused */
    bool others;                        /* there are claims without a field */
};

/* A key within a claim that has no field: parties have no further ones, others may come to. */
static enum stirkeep_status pass_over(struct payload_reading *reading, const char *claim,
                                      const struct stk_json *member)
{
    if (reading->unknown == NULL || strcmp(claim, "orig") == 0 || strcmp(claim, "dest") == 0)
        return stk_error_set(reading->fields.error, STIRKEEP_INVALID,
                             "%s: \"%.32s\" is no key of it", claim, member->key);
    reading->unknown->within = true;
    return STIRKEEP_OK;
}

/* A claim that is an object of fields. */
static enum stirkeep_status read_claim(struct payload_reading *reading, const char *claim,
                                       const struct stk_json *json)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (json->kind != STK_JSON_OBJECT || json->count == 0)
        return stk_error_set(reading->fields.error, STIRKEEP_INVALID,
                             "%s: has to be an object that is not empty", claim);
    for (const struct stk_json *member = json->first; member != NULL; member = member->next) {
        reading->fields.field = stk_field_find(claim, member);
        if (reading->fields.field == NULL)
            status = pass_over(reading, claim, member);
        else
            status = stk_field_read(&reading->fields, member);
        if (status != STIRKEEP_OK)
            break;
    }
    return status;
}

static enum stirkeep_status read_member(struct payload_reading *reading,
                                        const struct stk_json *member)
{
    const char *claim = stk_field_claim(member);

    if (claim != NULL)
        return read_claim(reading, claim, member);
    reading->fields.field = stk_field_find("", member);
    if (reading->fields.field != NULL)
        return stk_field_read(&reading->fields, member);
    if (reading->ppt != STK_PPT_OTHER && reading->unknown == NULL)
        return stk_error_set(reading->fields.error, STIRKEEP_INVALID,
                             "payload: \"%.32s\" is no claim of a PASSporT of type %s", member->key,
                             stk_ppt_name(reading->ppt));
    reading->others = true;
    return STIRKEEP_OK;
}

/* An object of the claims without a field. NULL: no room. */
static const struct stk_json *others_of(const struct stk_json *payload, struct stk_arena *arena)
{
    struct stk_json *object = stk_arena_take(arena, sizeof(*object));
    struct stk_json *last = NULL;

    if (object == NULL)
        return NULL;
    *object = (struct stk_json){.kind = STK_JSON_OBJECT};
    for (const struct stk_json *member = payload->first; member != NULL; member = member->next) {
        struct stk_json *copy = NULL;

        if (stk_field_find("", member) != NULL || stk_field_claim(member) != NULL)
            continue;
        copy = stk_arena_take(arena, sizeof(*copy));
        if (copy == NULL)
            return NULL;
        *copy = *member;
        copy->next = NULL;
        if (last != NULL)
            last->next = copy;
        else
            object->first = copy;
        last = copy;
        object->count++;
    }
    return object;
}

static enum stirkeep_status keep_others(struct payload_reading *reading,
                                        const struct stk_json *payload)
{
    const struct stk_json *others = others_of(payload, reading->fields.arena);

    if (others == NULL)
        return stk_field_no_room(&reading->fields);
    if (reading->ppt != STK_PPT_OTHER) {
        reading->unknown->claims = others;
        return STIRKEEP_OK;
    }
    reading->fields.input->other = stk_json_text_of(others, reading->fields.arena);
    return reading->fields.input->other != NULL ? STIRKEEP_OK : stk_field_no_room(&reading->fields);
}

enum stirkeep_status stk_fields_of(const struct stk_json *payload, const char *ppt,
                                   struct stk_arena *arena, struct stk_claims_input *ret_input,
                                   struct stk_fields_unknown *ret_unknown, struct stk_error *error)
{
    struct stk_claims_input input = {.ppt = ppt};
    struct payload_reading reading = {.fields = {.arena = arena, .input = &input, .error = error},
                                      .ppt = STK_PPT_OTHER,
                                      .unknown = ret_unknown};
    enum stirkeep_status status = STIRKEEP_OK;

    if (payload->kind != STK_JSON_OBJECT)
        return stk_error_set(error, STIRKEEP_INVALID, "payload: has to be a JSON object");
    if (ret_unknown != NULL)
        *ret_unknown = (struct stk_fields_unknown){0};
    (void)stk_ppt_parse(ppt, &reading.ppt); /* a bad one is for stk_claims_make to refuse */
    for (const struct stk_json *member = payload->first; member != NULL; member = member->next) {
        status = read_member(&reading, member);
        if (status != STIRKEEP_OK)
            return status;
    }
    if (reading.others)
        status = keep_others(&reading, payload);
    if (status == STIRKEEP_OK)
        *ret_input = input;
    return status;
}
