/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/judge.h"

#include "passport/fields.h"
#include "passport/payload.h"
#include <string.h>
#include <strings.h>

/* Judging claims: are they what model/claims.h takes, in the form in which it would make them? */

/* The claims of a payload, lenient where a verification service has to be: with claims that are not
 * known, an empty display name, and an origid in either case. */
static enum stirkeep_status make_claims(const struct stk_json *payload, const char *ppt,
                                        struct stk_arena *arena, struct stk_claims_input *input,
                                        struct stk_fields_unknown *unknown,
                                        struct stk_claims *claims, struct stk_error *error)
{
    const struct stk_json *nam = stk_json_member(stk_json_member(payload, "rcd"), "nam");
    const bool nameless = nam != NULL && nam->kind == STK_JSON_STRING && nam->length == 0;
    enum stirkeep_status status = stk_fields_of(payload, ppt, arena, input, unknown, error);

    if (status != STIRKEEP_OK)
        return status;
    if (nameless)
        input->rcd_nam = "-";
    status = stk_claims_make(input, arena, claims, error);
    if (status != STIRKEEP_OK)
        return status;
    if (nameless)
        claims->rcd_nam = "";
    if (input->origid != NULL && strcasecmp(input->origid, claims->origid) == 0)
        memcpy(claims->origid, input->origid, sizeof(claims->origid));
    if (unknown->claims != NULL)
        claims->other = unknown->claims;
    return STIRKEEP_OK;
}

static bool same_texts(const char *const *given, const char **made, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(given[i], made[i]) != 0)
            return false;
    return true;
}

static bool is_composed_alike(struct stk_inquiry *inquiry, const struct stk_claims *claims)
{
    struct stk_buffer out = {0};
    struct stk_canonical json = stk_canonical_begin(&out);
    bool same = false;

    stk_payload_write(claims, &json);
    same = stk_canonical_end(&json) == STIRKEEP_OK &&
           out.length == inquiry->identity->payload.length &&
           memcmp(out.data, inquiry->identity->payload.data, out.length) == 0;
    stk_buffer_free(&out);
    return same;
}

static void judge_form(struct stk_inquiry *inquiry, const struct stk_claims_input *given,
                       const struct stk_claims *made, const struct stk_fields_unknown *unknown)
{
    const bool orig = made->orig_tn == NULL || strcmp(made->orig_tn, given->orig_tn) == 0;
    const bool dest = given->dest_tn_count == made->dest_tn_count &&
                      given->dest_uri_count == made->dest_uri_count &&
                      same_texts(given->dest_tn, made->dest_tn, made->dest_tn_count) &&
                      same_texts(given->dest_uri, made->dest_uri, made->dest_uri_count);

    if (!orig)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "ORIG-NOT-CANONICAL",
                       "orig: \"%.40s\" is not canonical (RFC 8224 section 8.3)", given->orig_tn);
    if (!dest)
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "DEST-NOT-CANONICAL",
                       "dest: not canonical, or not in order (RFC 8225 section 9)");
    if (unknown->claims != NULL || unknown->within)
        stk_judge_find(
            inquiry, false, STK_SIP_INVALID_IDENTITY_HEADER, "CLAIMS-UNKNOWN",
            "payload: it has claims, or keys in them, that are not known and not checked");
    if (orig && dest && inquiry->payload_canonical && !unknown->within &&
        !is_composed_alike(inquiry, made))
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "CLAIMS-NOT-CANONICAL",
                       "payload: a number, a digest or an order within claims is not canonical");
}

/* The finding's code by the field that a message begins with. */
static const char *code_for(const char *message)
{
    static const struct {
        const char *field;
        const char *code;
    } codes[] = {{"orig.", "ORIG"}, {"orig:", "ORIG"}, {"dest.", "DEST"}, {"dest:", "DEST"}};

    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (strncmp(message, codes[i].field, strlen(codes[i].field)) == 0)
            return codes[i].code;
    return "CLAIMS";
}

void stk_judge_claims(struct stk_inquiry *inquiry)
{
    const char *ppt = stk_judge_text(inquiry->header, "ppt");
    struct stk_claims_input given = {0};
    struct stk_claims made = {0};
    struct stk_fields_unknown unknown = {0};
    struct stk_error error = {0};
    enum stk_ppt known = STK_PPT_OTHER;

    if (!stk_ppt_parse(ppt, &known) || known == STK_PPT_OTHER) {
        stk_judge_find(inquiry, false, STK_SIP_INVALID_IDENTITY_HEADER, "PPT-UNKNOWN",
                       "header: ppt \"%.20s\" is not known: claims unchecked", ppt);
        return;
    }
    if (known == STK_PPT_SHAKEN && stk_judge_text(inquiry->payload, "origid")[0] == '\0')
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, "ORIGID",
                       "origid: missing (RFC 8588 section 5)");
    if (make_claims(inquiry->payload, ppt, inquiry->arena, &given, &unknown, &made, &error) ==
        STIRKEEP_OK)
        judge_form(inquiry, &given, &made, &unknown);
    else if (strncmp(error.message, "iat:", 4) != 0) /* which is judged by itself */
        stk_judge_find(inquiry, true, STK_SIP_INVALID_IDENTITY_HEADER, code_for(error.message),
                       "%.150s", error.message);
}

enum stirkeep_status stk_identity_claims(const struct stk_identity *identity,
                                         struct stk_arena *arena, struct stk_claims *ret_claims,
                                         struct stk_error *error)
{
    const struct stk_json *header = NULL;
    const struct stk_json *payload = NULL;
    struct stk_claims_input input = {0};
    struct stk_fields_unknown unknown = {0};
    enum stirkeep_status status =
        stk_json_read((const char *)identity->header.data, identity->header.length, "header", arena,
                      &header, error);

    if (status == STIRKEEP_OK)
        status = stk_json_read((const char *)identity->payload.data, identity->payload.length,
                               "payload", arena, &payload, error);
    if (status == STIRKEEP_OK)
        status = make_claims(payload, stk_judge_text(header, "ppt"), arena, &input, &unknown,
                             ret_claims, error);
    return status;
}
