/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include "model/tn.h"
#include "model/uri.h"
#include "model/uri_number.h"
#include "json/utf8.h"
#include <stdio.h>
#include <string.h>

/* What the making of several claims has in common. */

enum stirkeep_status stk_claims_no_room(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_TOO_LARGE, "claims: take too much memory");
}

enum stirkeep_status stk_claims_refuse_item(struct stk_error *error, const char *field,
                                            size_t index, const char *why)
{
    return stk_error_set(error, STIRKEEP_INVALID, "%s[%zu]: %s", field, index, why);
}

enum stirkeep_status stk_claims_copy(struct stk_claims_making *making, const char *text,
                                     const char *field, size_t max, const char **ret_text)
{
    size_t length = strnlen(text, max + 1);

    if (length > max)
        return stk_error_set(making->error, STIRKEEP_TOO_LARGE, "%s: longer than %zu bytes", field,
                             max);
    *ret_text = stk_arena_copy(making->arena, text, length);
    return *ret_text != NULL ? STIRKEEP_OK : stk_claims_no_room(making->error);
}

/* C0, DEL and C1. */
static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

enum stirkeep_status stk_claims_copy_readable(struct stk_claims_making *making, const char *text,
                                              const char *field, size_t max, const char **ret_text)
{
    size_t length = strnlen(text, max + 1);
    enum stirkeep_status status = stk_claims_copy(making, text, field, max, ret_text);

    for (size_t at = 0; status == STIRKEEP_OK && at < length;) {
        uint32_t character = 0;
        size_t taken = stk_utf8_read(text + at, length - at, &character);

        if (taken == 0)
            return stk_error_set(making->error, STIRKEEP_INVALID, "%s: byte %zu is not UTF-8",
                                 field, at + 1);
        if (is_control(character))
            return stk_error_set(making->error, STIRKEEP_INVALID,
                                 "%s: byte %zu is a control character", field, at + 1);
        at += taken;
    }
    return status;
}

enum stirkeep_status stk_claims_make_tn(struct stk_claims_making *making, const char *text,
                                        const char *field, const char **ret_tn)
{
    struct stk_tn tn = {0};
    enum stirkeep_status status = stk_tn_parse(text, field, &tn, making->error);

    if (status != STIRKEEP_OK)
        return status;
    *ret_tn = stk_arena_copy(making->arena, tn.text, strlen(tn.text));
    return *ret_tn != NULL ? STIRKEEP_OK : stk_claims_no_room(making->error);
}

enum stirkeep_status stk_claims_make_uri(struct stk_claims_making *making, const char *text,
                                         const char *field, const char **ret_uri)
{
    enum stirkeep_status status = stk_uri_check(text, field, making->error);

    if (status != STIRKEEP_OK)
        return status;
    /* RFC 8225 section 5.2.1 has it so; and what is granted and attested by number holds for it. */
    if (stk_uri_number(text, NULL) == STK_URI_NUMBER_STATED)
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "%s: is a telephone number, give it as tn (RFC 8225 section 5.2.1)",
                             field);
    *ret_uri = stk_arena_copy(making->arena, text, strlen(text));
    return *ret_uri != NULL ? STIRKEEP_OK : stk_claims_no_room(making->error);
}

enum stirkeep_status stk_claims_make_party(struct stk_claims_making *making, const char *tn,
                                           const char *uri, const char *const fields[3],
                                           const char **ret_tn, const char **ret_uri)
{
    if (stk_is_given(tn) && stk_is_given(uri))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "%s: tn and uri given, one is allowed", fields[0]);
    if (stk_is_given(tn))
        return stk_claims_make_tn(making, tn, fields[1], ret_tn);
    if (stk_is_given(uri))
        return stk_claims_make_uri(making, uri, fields[2], ret_uri);
    return stk_error_set(making->error, STIRKEEP_INVALID, "%s: missing, a tn or a uri is needed",
                         fields[0]);
}
