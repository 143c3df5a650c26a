/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include "model/uri.h"
#include <string.h>

/* rcd and crn (RFC 9795 sections 5 and 7). */

static bool is_text(const struct stk_json *json)
{
    return json != NULL && json->kind == STK_JSON_STRING;
}

static bool is_scalar(const struct stk_json *json)
{
    return json->kind != STK_JSON_ARRAY && json->kind != STK_JSON_OBJECT &&
           json->kind != STK_JSON_NULL;
}

static bool all(const struct stk_json *array, bool (*is_good)(const struct stk_json *json))
{
    for (const struct stk_json *item = array->first; item != NULL; item = item->next)
        if (!is_good(item))
            return false;
    return true;
}

static bool is_scalar_or_scalars(const struct stk_json *json)
{
    return json->kind == STK_JSON_ARRAY ? all(json, is_scalar) : is_scalar(json);
}

/* A property's value; structured ones are arrays whose parts may be several (RFC 7095 section
 * 3.3.1.3). */
static bool is_value(const struct stk_json *json)
{
    return json->kind == STK_JSON_ARRAY ? all(json, is_scalar_or_scalars) : is_scalar(json);
}

static bool is_parameter(const struct stk_json *json)
{
    return json->kind == STK_JSON_ARRAY ? all(json, is_text) : is_text(json);
}

/* [name, {parameters}, type, value, ...] */
static bool is_property(const struct stk_json *json)
{
    const struct stk_json *parameters =
        json->kind == STK_JSON_ARRAY && json->count >= 4 ? json->first->next : NULL;

    if (parameters == NULL || !is_text(json->first) || parameters->kind != STK_JSON_OBJECT ||
        !all(parameters, is_parameter) || !is_text(parameters->next))
        return false;
    for (const struct stk_json *item = parameters->next->next; item != NULL; item = item->next)
        if (!is_value(item))
            return false;
    return true;
}

/* ["vcard", [properties]], RFC 7095 section 3.3. What it is bounds how deep it is, too. */
static bool is_jcard(const struct stk_json *json)
{
    return json->kind == STK_JSON_ARRAY && json->count == 2 && is_text(json->first) &&
           strcmp(json->first->text, "vcard") == 0 && json->first->next->kind == STK_JSON_ARRAY &&
           json->first->next->count > 0 && all(json->first->next, is_property);
}

static enum stirkeep_status make_jcd(struct stk_claims_making *making)
{
    const char *text = making->input->rcd_jcd;
    const struct stk_json *jcard = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (strnlen(text, STK_RCD_JCD_MAX + 1) > STK_RCD_JCD_MAX)
        return stk_error_set(making->error, STIRKEEP_TOO_LARGE, "rcd.jcd: longer than %d bytes",
                             STK_RCD_JCD_MAX);
    status = stk_json_read(text, strlen(text), "rcd.jcd", making->arena, &jcard, making->error);
    if (status != STIRKEEP_OK)
        return status;
    if (!is_jcard(jcard))
        return stk_error_set(making->error, STIRKEEP_INVALID, "rcd.jcd: is no jCard (RFC 7095)");
    making->claims->rcd_jcd = jcard;
    return STIRKEEP_OK;
}

/* Of an image: behind an https URL, or in a data URI itself (RFC 9795 section 8.3). */
static enum stirkeep_status make_icn(struct stk_claims_making *making)
{
    const char *text = making->input->rcd_icn;
    enum stirkeep_status status = STIRKEEP_OK;

    if (strncmp(text, "data:image/", strlen("data:image/")) == 0)
        status = stk_uri_check_up_to(text, "rcd.icn", STK_RCD_TEXT_MAX, making->error);
    else
        status = stk_url_check(text, "rcd.icn", STK_RCD_TEXT_MAX, making->error);
    if (status == STIRKEEP_OK)
        status =
            stk_claims_copy(making, text, "rcd.icn", STK_RCD_TEXT_MAX, &making->claims->rcd_icn);
    return status;
}

static enum stirkeep_status make_jcl(struct stk_claims_making *making)
{
    const char *text = making->input->rcd_jcl;
    enum stirkeep_status status = stk_url_check(text, "rcd.jcl", STK_RCD_TEXT_MAX, making->error);

    if (status == STIRKEEP_OK)
        status =
            stk_claims_copy(making, text, "rcd.jcl", STK_RCD_TEXT_MAX, &making->claims->rcd_jcl);
    return status;
}

enum stirkeep_status stk_claim_make_rcd(struct stk_claims_making *making)
{
    const struct stk_claims_input *input = making->input;
    struct stk_claims *claims = making->claims;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_is_given(input->rcd_nam))
        return stk_error_set(making->error, STIRKEEP_INVALID, "rcd.nam: missing");
    if (stk_is_given(input->rcd_jcd) && stk_is_given(input->rcd_jcl))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "rcd: jcd and jcl given, one is allowed");
    status = stk_claims_copy_readable(making, input->rcd_nam, "rcd.nam", STK_RCD_TEXT_MAX,
                                      &claims->rcd_nam);
    if (status == STIRKEEP_OK && stk_is_given(input->rcd_apn))
        status = stk_claims_make_tn(making, input->rcd_apn, "rcd.apn", &claims->rcd_apn);
    if (status == STIRKEEP_OK && stk_is_given(input->rcd_icn))
        status = make_icn(making);
    if (status == STIRKEEP_OK && stk_is_given(input->rcd_jcd))
        status = make_jcd(making);
    if (status == STIRKEEP_OK && stk_is_given(input->rcd_jcl))
        status = make_jcl(making);
    return status;
}

enum stirkeep_status stk_claim_make_crn(struct stk_claims_making *making)
{
    return stk_claims_copy_readable(making, making->input->crn, "crn", STK_RCD_TEXT_MAX,
                                    &making->claims->crn);
}
