/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include <string.h>

/* Claims that this version does not know, for types that a grant has by name. */

/* They have fields of their own, with checks; none of them comes in by this door. */
static const char *const typed[] = {"attest", "crn",    "dest", "div",  "iat", "mky", "opt",
                                    "orig",   "origid", "rcd",  "rcdi", "rph", "sph"};

static bool is_typed(const struct stk_json *member)
{
    for (size_t i = 0; i < sizeof(typed) / sizeof(*typed); i++)
        if (member->key_length == strlen(typed[i]) && strcmp(member->key, typed[i]) == 0)
            return true;
    return false;
}

/* RFC 8225 section 5: names of claims are ASCII. */
static bool is_ascii(const struct stk_json *member)
{
    for (size_t i = 0; i < member->key_length; i++)
        if (member->key[i] <= ' ' || member->key[i] > '~')
            return false;
    return member->key_length > 0;
}

static enum stirkeep_status check_names(const struct stk_json *other, struct stk_error *error)
{
    for (const struct stk_json *member = other->first; member != NULL; member = member->next) {
        if (!is_ascii(member))
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "other: the name of a claim has to be of ASCII, without spaces");
        if (is_typed(member))
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "other: \"%s\" is a claim with a field of its own", member->key);
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_claim_make_other(struct stk_claims_making *making)
{
    const char *text = making->input->other;
    const struct stk_json *other = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (strnlen(text, STK_OTHER_MAX + 1) > STK_OTHER_MAX)
        return stk_error_set(making->error, STIRKEEP_TOO_LARGE, "other: longer than %d bytes",
                             STK_OTHER_MAX);
    status = stk_json_read(text, strlen(text), "other", making->arena, &other, making->error);
    if (status != STIRKEEP_OK)
        return status;
    if (other->kind != STK_JSON_OBJECT)
        return stk_error_set(making->error, STIRKEEP_INVALID, "other: has to be a JSON object");
    status = check_names(other, making->error);
    if (status != STIRKEEP_OK)
        return status;
    if (other->count > 0)
        making->claims->other = other;
    return STIRKEEP_OK;
}
