/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_sign.h"

#include "wire/codec_claims.h"
#include "wire/text.h"
#include "wire/unpack.h"
#include <string.h>

/* Requests, the service's side. */

enum { SIGN_CERTIFICATE = 1 }; /* proto/stirkeep/v1/sign.proto */

/* ---- what the trail gets of them when they are refused */

static const struct stk_request_sketch blank = {"", "", "", "", "", ""};

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

    *ret_sketch = blank;
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

/* The one that is asked for, or the first of a batch; NULL when nothing is to be signed. */
static const Stirkeep__V1__SignRequest *first_of(const Stirkeep__V1__Request *message)
{
    if (message->body_case == STIRKEEP__V1__REQUEST__BODY_SIGN)
        return message->sign;
    if (message->body_case == STIRKEEP__V1__REQUEST__BODY_BATCH && message->batch->n_sign > 0)
        return message->batch->sign[0];
    return NULL;
}

/* ---- what is asked for */

static enum stirkeep_status take_part(const char *text, const char *field,
                                      struct stk_bytes *ret_bytes, struct stk_error *error)
{
    if (text[0] == '\0')
        return stk_error_set(error, STIRKEEP_INVALID, "%s: is empty", field);
    *ret_bytes = (struct stk_bytes){(const uint8_t *)text, strlen(text)};
    return STIRKEEP_OK;
}

static enum stirkeep_status take_signing(const Stirkeep__V1__SignRequest *sign,
                                         struct stk_arena *arena, struct stk_signing *signing,
                                         struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(sign->certificate, &signing->name, error);

    if (status != STIRKEEP_OK)
        return status;
    if (sign->input == NULL)
        return stk_claims_take(sign->claims, arena, &signing->claims, error);
    if (sign->claims != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "input: beside claims, one is allowed");
    signing->is_input = true;
    status = take_part(sign->input->header, "input.header", &signing->header, error);
    return status == STIRKEEP_OK
               ? take_part(sign->input->payload, "input.payload", &signing->payload, error)
               : status;
}

/* Room for so many signings with nothing in them. */
static enum stirkeep_status make_room(size_t count, struct stk_arena *arena,
                                      struct stk_request *request, struct stk_error *error)
{
    request->signings = stk_arena_take(arena, count * sizeof(*request->signings));
    if (request->signings == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "request: takes too much memory");
    memset(request->signings, 0, count * sizeof(*request->signings));
    request->signing_count = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_sign(const Stirkeep__V1__SignRequest *sign,
                                      struct stk_arena *arena, struct stk_request *request,
                                      const struct stk_request_sketch *first,
                                      struct stk_error *error)
{
    enum stirkeep_status status = make_room(1, arena, request, error);

    if (status != STIRKEEP_OK)
        return status;
    request->kind = STK_REQUEST_SIGN;
    request->signings[0].reason = "";
    request->signings[0].sketch = *first;
    return take_signing(sign, arena, &request->signings[0], error);
}

/* One of a batch that is refused by itself. What was made of it since `used` is given back: the
 * others shall have it. */
static void refuse(struct stk_signing *signing, const struct stk_error *reason,
                   struct stk_arena *arena, size_t used)
{
    const char *words = NULL;

    arena->used = used;
    words = stk_arena_copy(arena, reason->message, strlen(reason->message));
    signing->status = reason->status;
    signing->reason = words != NULL ? words : stirkeep_status_text(reason->status);
}

static enum stirkeep_status take_batch(const Stirkeep__V1__BatchRequest *batch,
                                       struct stk_arena *arena, struct stk_request *request,
                                       struct stk_request_sketch *ret_refused,
                                       struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (batch->n_sign == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "batch: nothing to sign in it");
    if (batch->n_sign > STK_SIGNINGS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "batch: more than %d to sign",
                             STK_SIGNINGS_MAX);
    request->kind = STK_REQUEST_BATCH;
    request->whole = batch->whole != 0;
    status = make_room(batch->n_sign, arena, request, error);
    for (size_t i = 0; i < batch->n_sign && status == STIRKEEP_OK; i++) {
        struct stk_signing *signing = &request->signings[i];
        struct stk_error reason = {0};
        size_t used = 0;

        signing->reason = "";
        sketch(batch->sign[i], true, arena, &signing->sketch);
        used = arena->used;
        if (take_signing(batch->sign[i], arena, signing, &reason) == STIRKEEP_OK)
            continue;
        if (!request->whole) {
            refuse(signing, &reason, arena, used);
            continue;
        }
        *ret_refused = signing->sketch;
        status = stk_error_set(error, reason.status, "sign[%zu]: %s", i, reason.message);
    }
    return status;
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
                                      struct stk_request *request,
                                      struct stk_request_sketch *ret_sketch,
                                      struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__REQUEST__BODY_SIGN:
        return take_sign(message->sign, arena, request, ret_sketch, error);
    case STIRKEEP__V1__REQUEST__BODY_BATCH:
        return take_batch(message->batch, arena, request, ret_sketch, error);
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

struct stk_bytes stk_request_glimpse(struct stk_bytes message)
{
    return stk_scan_inside(stk_scan_inside(message, STIRKEEP__V1__REQUEST__BODY_SIGN),
                           SIGN_CERTIFICATE);
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

    *ret_sketch = blank;
    status = stk_scan_check(type, message, STK_UNKNOWN_REFUSED_IN_BODY, &reason);
    if (status != STIRKEEP_MALFORMED)
        unpacked = stk_unpack_checked(type, message, arena, status == STIRKEEP_OK ? &reason : NULL);
    if (unpacked == NULL) {
        ret_request->id = stk_scan_id(message);
        return stk_error_set(error, reason.status, "%s", reason.message);
    }
    ret_request->id = unpacked->id;
    /* The scan tells one finding: behind another one, texts may be bad, too. */
    if (first_of(unpacked) != NULL)
        sketch(first_of(unpacked), status == STIRKEEP_OK, arena, ret_sketch);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s", reason.message);
    request.id = unpacked->id;
    request.deadline_ms = unpacked->deadline_ms;
    status = take_body(unpacked, arena, &request, ret_sketch, error);
    if (status == STIRKEEP_OK)
        *ret_request = request;
    return status;
}
