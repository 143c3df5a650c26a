/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include "base/encode.h"
#include <string.h>

/* div and opt (RFC 8946). */

/* hi-index of the History-Info header (RFC 7044 section 5): numbers with dots between them. */
static bool is_index(const char *text)
{
    for (;;) {
        size_t digits = strspn(text, "0123456789");

        if (digits == 0)
            return false;
        text += digits;
        if (*text == '\0')
            return true;
        if (*text++ != '.')
            return false;
    }
}

enum stirkeep_status stk_claim_make_div(struct stk_claims_making *making)
{
    static const char *const fields[] = {"div", "div.tn", "div.uri"};
    const struct stk_claims_input *input = making->input;
    enum stirkeep_status status =
        stk_claims_make_party(making, input->div_tn, input->div_uri, fields,
                              &making->claims->div_tn, &making->claims->div_uri);

    if (status != STIRKEEP_OK || !stk_is_given(input->div_hi))
        return status;
    if (!is_index(input->div_hi))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "div.hi: has to be numbers with dots between them (RFC 7044)");
    return stk_claims_copy(making, input->div_hi, "div.hi", STK_RPH_TEXT_MAX,
                           &making->claims->div_hi);
}

/* Decode a part into the arena's free room, which stays free. NULL: not base64url, or no room. */
static const uint8_t *peek_part(struct stk_arena *arena, const char *part, size_t length,
                                size_t *ret_length)
{
    uint8_t *room = arena->data + arena->used;

    return stk_base64url_decode(part, length, room, arena->capacity - arena->used, ret_length)
               ? room
               : NULL;
}

/* The protected header (RFC 8225 section 4) in base64url. */
static enum stirkeep_status check_header(struct stk_claims_making *making, const char *part,
                                         size_t length)
{
    const size_t mark = making->arena->used;
    const struct stk_json *header = NULL;
    const uint8_t *room = NULL;
    const char *text = NULL;
    const char *typ = NULL;
    size_t decoded = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    room = peek_part(making->arena, part, length, &decoded);
    if (room == NULL || decoded == 0)
        return stk_error_set(making->error, STIRKEEP_INVALID, "opt: the header is not base64url");
    text = stk_arena_take(making->arena, decoded);
    status = stk_json_read(text, decoded, "opt: header", making->arena, &header, making->error);
    typ = stk_json_member_text(header, "typ");
    if (status == STIRKEEP_OK && (typ == NULL || strcmp(typ, "passport") != 0))
        status = stk_error_set(making->error, STIRKEEP_INVALID,
                               "opt: the header's typ is not \"passport\"");
    making->arena->used = mark;
    return status;
}

enum stirkeep_status stk_claim_make_opt(struct stk_claims_making *making)
{
    const char *opt = making->input->opt;
    const char *payload = strchr(opt, '.');
    const char *signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
    size_t length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (strnlen(opt, STK_OPT_MAX + 1) > STK_OPT_MAX)
        return stk_error_set(making->error, STIRKEEP_TOO_LARGE, "opt: longer than %d characters",
                             STK_OPT_MAX);
    if (signature == NULL || strchr(signature + 1, '.') != NULL)
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "opt: is no PASSporT, which has three parts");
    if (payload == opt || signature == payload + 1)
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "opt: is not the full form, which has a header and a payload");
    status = check_header(making, opt, (size_t)(payload - opt));
    if (status != STIRKEEP_OK)
        return status;
    if (peek_part(making->arena, payload + 1, (size_t)(signature - payload - 1), &length) == NULL)
        return stk_error_set(making->error, STIRKEEP_INVALID, "opt: the payload is not base64url");
    if (peek_part(making->arena, signature + 1, strlen(signature + 1), &length) == NULL ||
        length != STK_SIGNATURE_LENGTH)
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "opt: the signature is not %d bytes in base64url",
                             STK_SIGNATURE_LENGTH);
    return stk_claims_copy(making, opt, "opt", STK_OPT_MAX, &making->claims->opt);
}
