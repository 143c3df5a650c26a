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

/* A part in base64url, decoded into the arena's free room, which stays free. */
static enum stirkeep_status peek_part(struct stk_claims_making *making, const char *part,
                                      size_t length, const char *name, size_t *ret_length)
{
    struct stk_arena *arena = making->arena;
    const size_t left = arena->capacity - arena->used;

    if (left < length)
        return stk_claims_no_room(making->error);
    if (!stk_base64url_decode(part, length, arena->data + arena->used, left, ret_length))
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "opt: the %s is not base64url without padding", name);
    return STIRKEEP_OK;
}

/* The protected header, RFC 8225 section 4. */
static enum stirkeep_status check_header(struct stk_claims_making *making, const char *part,
                                         size_t length)
{
    const size_t mark = making->arena->used;
    const struct stk_json *header = NULL;
    const char *text = NULL;
    const char *typ = NULL;
    size_t decoded = 0;
    enum stirkeep_status status = peek_part(making, part, length, "header", &decoded);

    if (status != STIRKEEP_OK)
        return status;
    text = stk_arena_take(making->arena, decoded);
    status = stk_json_read(text, decoded, "opt: header", making->arena, &header, making->error);
    typ = stk_json_member_text(header, "typ");
    if (status == STIRKEEP_OK && (typ == NULL || strcmp(typ, "passport") != 0))
        status = stk_error_set(making->error, STIRKEEP_INVALID,
                               "opt: the header's typ is not \"passport\"");
    making->arena->used = mark;
    return status;
}

static enum stirkeep_status check_rest(struct stk_claims_making *making, const char *payload,
                                       const char *signature)
{
    size_t length = 0;
    enum stirkeep_status status =
        peek_part(making, payload + 1, (size_t)(signature - payload - 1), "payload", &length);

    if (status == STIRKEEP_OK)
        status = peek_part(making, signature + 1, strlen(signature + 1), "signature", &length);
    if (status == STIRKEEP_OK && length != STK_SIGNATURE_LENGTH)
        status = stk_error_set(making->error, STIRKEEP_INVALID,
                               "opt: the signature has %zu bytes, ES256 has %d", length,
                               STK_SIGNATURE_LENGTH);
    return status;
}

enum stirkeep_status stk_claim_make_opt(struct stk_claims_making *making)
{
    const char *opt = making->input->opt;
    const char *payload = strchr(opt, '.');
    const char *signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
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
    if (status == STIRKEEP_OK)
        status = check_rest(making, payload, signature);
    if (status == STIRKEEP_OK)
        status = stk_claims_copy(making, opt, "opt", STK_OPT_MAX, &making->claims->opt);
    return status;
}
