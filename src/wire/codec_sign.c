/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_sign.h"

#include "wire/pack.h"
#include "wire/text.h"
#include "wire/unpack.h"

#include "sign.pb-c.h"
#include <string.h>

/* ---- requests, the service's side */

/* At most `max` characters of a text, valid in any case; the text itself when it is that already. */
static const char *sketch_text(const char *text, size_t max, bool texts_valid,
                               struct stk_arena *arena)
{
    size_t length = strnlen(text, max + 1);
    char *copy = NULL;

    if (length <= max && texts_valid)
        return text;
    length = length > max ? max : length;
    copy = stk_arena_copy(arena, text, length);
    if (copy == NULL)
        return "";
    stk_text_scrub((uint8_t *)copy, length);
    return copy;
}

static const char *first_text(char *const *texts, size_t count)
{
    return count > 0 ? texts[0] : "";
}

static void sketch(const Stirkeep__V1__SignRequest *sign, bool texts_valid, struct stk_arena *arena,
                   struct stk_request_sketch *ret_sketch)
{
    const Stirkeep__V1__Claims *claims = sign->claims;
    const char *orig = "";
    const char *dest = "";

    ret_sketch->name = sketch_text(sign->certificate, STK_NAME_MAX, texts_valid, arena);
    if (claims == NULL)
        return;
    if (claims->orig != NULL)
        orig = claims->orig->tn[0] != '\0' ? claims->orig->tn : claims->orig->uri;
    if (claims->dest != NULL)
        dest = claims->dest->n_tn > 0 ? claims->dest->tn[0]
                                      : first_text(claims->dest->uri, claims->dest->n_uri);
    ret_sketch->ppt = sketch_text(claims->ppt, STK_PPT_MAX, texts_valid, arena);
    ret_sketch->orig = sketch_text(orig, STK_URI_MAX, texts_valid, arena);
    ret_sketch->dest = sketch_text(dest, STK_URI_MAX, texts_valid, arena);
    ret_sketch->attest = sketch_text(claims->attest, STK_PPT_MAX, texts_valid, arena);
    ret_sketch->origid = sketch_text(claims->origid, STK_ORIGID_LENGTH, texts_valid, arena);
}

static enum stirkeep_status take_sign(const Stirkeep__V1__SignRequest *sign,
                                      struct stk_arena *arena, struct stk_request *request,
                                      struct stk_error *error)
{
    const Stirkeep__V1__Claims *claims = sign->claims;
    struct stk_claims_input input = {0};
    enum stirkeep_status status = stk_name_parse(sign->certificate, &request->name, error);

    if (status != STIRKEEP_OK)
        return status;
    if (claims == NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "claims: missing");
    input = (struct stk_claims_input){
        .ppt = claims->ppt, .iat = claims->iat, .attest = claims->attest, .origid = claims->origid};
    if (claims->orig != NULL) {
        input.orig_tn = claims->orig->tn;
        input.orig_uri = claims->orig->uri;
    }
    if (claims->dest != NULL) {
        input.dest_tn = (const char *const *)claims->dest->tn;
        input.dest_tn_count = claims->dest->n_tn;
        input.dest_uri = (const char *const *)claims->dest->uri;
        input.dest_uri_count = claims->dest->n_uri;
    }
    request->kind = STK_REQUEST_SIGN;
    return stk_claims_make(&input, arena, &request->claims, error);
}

static enum stirkeep_status take_list(const Stirkeep__V1__ListRequest *list,
                                      struct stk_request *request, struct stk_error *error)
{
    struct stk_name after = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (list->after[0] != '\0')
        status = stk_name_parse(list->after, &after, error);
    if (status != STIRKEEP_OK)
        return status;
    memcpy(request->after, after.text, sizeof(request->after));
    request->kind = STK_REQUEST_LIST;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_body(const Stirkeep__V1__Request *message, struct stk_arena *arena,
                                      struct stk_request *request, struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__REQUEST__BODY_SIGN:
        return take_sign(message->sign, arena, request, error);
    case STIRKEEP__V1__REQUEST__BODY_LIST:
        return take_list(message->list, request, error);
    case STIRKEEP__V1__REQUEST__BODY_PING:
        request->kind = STK_REQUEST_PING;
        return STIRKEEP_OK;
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "request: has no body that this version knows");
    }
}

enum stirkeep_status stk_request_decode(struct stk_bytes message, struct stk_arena *arena,
                                        struct stk_request *ret_request,
                                        struct stk_request_sketch *ret_sketch,
                                        struct stk_error *error)
{
    const ProtobufCMessageDescriptor *type = &stirkeep__v1__request__descriptor;
    const Stirkeep__V1__Request *unpacked = NULL;
    struct stk_request request = {0};
    struct stk_error reason = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_sketch = (struct stk_request_sketch){"", "", "", "", "", ""};
    status = stk_scan_check(type, message, STK_UNKNOWN_REFUSED_IN_BODY, &reason);
    if (status != STIRKEEP_MALFORMED)
        unpacked = stk_unpack_checked(type, message, arena, status == STIRKEEP_OK ? &reason : NULL);
    if (unpacked == NULL) {
        ret_request->id = stk_scan_id(message);
        return stk_error_set(error, reason.status, "%s", reason.message);
    }
    ret_request->id = unpacked->id;
    /* The scan tells one finding: behind another one, texts may be bad, too. */
    if (unpacked->body_case == STIRKEEP__V1__REQUEST__BODY_SIGN)
        sketch(unpacked->sign, status == STIRKEEP_OK, arena, ret_sketch);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s", reason.message);
    request.id = unpacked->id;
    request.deadline_ms = unpacked->deadline_ms;
    status = take_body(unpacked, arena, &request, error);
    if (status == STIRKEEP_OK)
        *ret_request = request;
    return status;
}

/* ---- requests, the client's side */

enum stirkeep_status stk_request_encode_sign(uint64_t id, uint32_t deadline_ms, const char *name,
                                             const struct stk_claims_input *claims,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__Identity orig = STIRKEEP__V1__IDENTITY__INIT;
    Stirkeep__V1__Destinations dest = STIRKEEP__V1__DESTINATIONS__INIT;
    Stirkeep__V1__Claims message_claims = STIRKEEP__V1__CLAIMS__INIT;
    Stirkeep__V1__SignRequest sign = STIRKEEP__V1__SIGN_REQUEST__INIT;
    Stirkeep__V1__Request request = STIRKEEP__V1__REQUEST__INIT;

    orig.tn = stk_pack_text(claims->orig_tn);
    orig.uri = stk_pack_text(claims->orig_uri);
    dest.tn = (char **)claims->dest_tn;
    dest.n_tn = claims->dest_tn_count;
    dest.uri = (char **)claims->dest_uri;
    dest.n_uri = claims->dest_uri_count;
    message_claims.ppt = stk_pack_text(claims->ppt);
    message_claims.orig = &orig;
    message_claims.dest = &dest;
    message_claims.iat = claims->iat;
    message_claims.attest = stk_pack_text(claims->attest);
    message_claims.origid = stk_pack_text(claims->origid);
    sign.certificate = stk_pack_text(name);
    sign.claims = &message_claims;
    request.id = id;
    request.deadline_ms = deadline_ms;
    request.body_case = STIRKEEP__V1__REQUEST__BODY_SIGN;
    request.sign = &sign;
    return stk_pack_framed(&request.base, STK_SIGN_MESSAGE_MAX, out);
}

enum stirkeep_status stk_request_encode_list(uint64_t id, const char *after, struct stk_buffer *out)
{
    Stirkeep__V1__ListRequest list = STIRKEEP__V1__LIST_REQUEST__INIT;
    Stirkeep__V1__Request request = STIRKEEP__V1__REQUEST__INIT;

    list.after = stk_pack_text(after);
    request.id = id;
    request.body_case = STIRKEEP__V1__REQUEST__BODY_LIST;
    request.list = &list;
    return stk_pack_framed(&request.base, STK_SIGN_MESSAGE_MAX, out);
}

enum stirkeep_status stk_request_encode_ping(uint64_t id, struct stk_buffer *out)
{
    Stirkeep__V1__PingRequest ping = STIRKEEP__V1__PING_REQUEST__INIT;
    Stirkeep__V1__Request request = STIRKEEP__V1__REQUEST__INIT;

    request.id = id;
    request.body_case = STIRKEEP__V1__REQUEST__BODY_PING;
    request.ping = &ping;
    return stk_pack_framed(&request.base, STK_SIGN_MESSAGE_MAX, out);
}
