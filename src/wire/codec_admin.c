/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_admin.h"

#include "model/uri.h"
#include "wire/pack.h"
#include "wire/unpack.h"

#include "admin.pb-c.h"
#include <string.h>

#define HOW_MAX 256 /* what was done to a source, in words */

/* ---- requests, the command's side */

static enum stirkeep_status encode_import(Stirkeep__V1__AdminRequest *message,
                                          const struct stk_admin_request *request,
                                          struct stk_buffer *out)
{
    Stirkeep__V1__ImportRequest body = STIRKEEP__V1__IMPORT_REQUEST__INIT;
    ProtobufCBinaryData chain[STK_CHAIN_MAX];

    if (request->chain_count > STK_CHAIN_MAX)
        return STIRKEEP_INVALID;
    for (size_t i = 0; i < request->chain_count; i++)
        chain[i] = stk_pack_view(request->chain[i]);
    body.name = stk_pack_text(request->name.text);
    body.chain = chain;
    body.n_chain = request->chain_count;
    body.sealed = stk_pack_view(request->sealed);
    body.x5u = stk_pack_text(request->x5u);
    body.source = stk_pack_text(request->source);
    message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_IMPORT;
    message->import = &body;
    return stk_pack_framed_scrubbed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

static enum stirkeep_status encode_source_removed(Stirkeep__V1__AdminRequest *message,
                                                  const struct stk_admin_request *request,
                                                  struct stk_buffer *out)
{
    Stirkeep__V1__SourceRemovedRequest body = STIRKEEP__V1__SOURCE_REMOVED_REQUEST__INIT;

    body.name = stk_pack_text(request->name.text);
    body.generation = request->generation;
    body.key_id = stk_pack_view((struct stk_bytes){request->key_id.bytes, STK_KEY_ID_LENGTH});
    body.source = stk_pack_text(request->source);
    body.how = stk_pack_text(request->how);
    message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_SOURCE_REMOVED;
    message->source_removed = &body;
    return stk_pack_framed_scrubbed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

enum stirkeep_status stk_admin_request_encode(const struct stk_admin_request *request,
                                              struct stk_buffer *out)
{
    Stirkeep__V1__AdminRequest message = STIRKEEP__V1__ADMIN_REQUEST__INIT;
    Stirkeep__V1__WrappingKeyRequest wrapping_key = STIRKEEP__V1__WRAPPING_KEY_REQUEST__INIT;
    Stirkeep__V1__ListNamesRequest list = STIRKEEP__V1__LIST_NAMES_REQUEST__INIT;
    Stirkeep__V1__ShowRequest show = STIRKEEP__V1__SHOW_REQUEST__INIT;
    Stirkeep__V1__RetireRequest retire = STIRKEEP__V1__RETIRE_REQUEST__INIT;
    Stirkeep__V1__RollbackRequest rollback = STIRKEEP__V1__ROLLBACK_REQUEST__INIT;
    Stirkeep__V1__StatusRequest status = STIRKEEP__V1__STATUS_REQUEST__INIT;

    message.id = request->id;
    switch (request->kind) {
    case STK_ADMIN_WRAPPING_KEY:
        message.body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_WRAPPING_KEY;
        message.wrapping_key = &wrapping_key;
        break;
    case STK_ADMIN_IMPORT:
        return encode_import(&message, request, out);
    case STK_ADMIN_SOURCE_REMOVED:
        return encode_source_removed(&message, request, out);
    case STK_ADMIN_LIST:
        list.after = stk_pack_text(request->after);
        message.body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_LIST_NAMES;
        message.list_names = &list;
        break;
    case STK_ADMIN_SHOW:
        show.name = stk_pack_text(request->name.text);
        message.body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_SHOW;
        message.show = &show;
        break;
    case STK_ADMIN_RETIRE:
        retire.name = stk_pack_text(request->name.text);
        message.body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_RETIRE;
        message.retire = &retire;
        break;
    case STK_ADMIN_ROLLBACK:
        rollback.name = stk_pack_text(request->name.text);
        message.body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_ROLLBACK;
        message.rollback = &rollback;
        break;
    case STK_ADMIN_STATUS:
        message.body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_STATUS;
        message.status = &status;
        break;
    default:
        return STIRKEEP_INVALID;
    }
    return stk_pack_framed(&message.base, STK_ADMIN_MESSAGE_MAX, out);
}

/* ---- requests, intake's side */

static enum stirkeep_status take_import(const Stirkeep__V1__ImportRequest *body,
                                        struct stk_admin_request *request, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &request->name, error);

    request->kind = STK_ADMIN_IMPORT;
    if (status == STIRKEEP_OK)
        status = stk_take_chain(body->chain, body->n_chain, request->chain, &request->chain_count,
                                error);
    if (status == STIRKEEP_OK)
        status = stk_take_bytes(&body->sealed, "sealed", STK_SEALED_MAX, &request->sealed, error);
    if (status == STIRKEEP_OK && body->x5u[0] != '\0')
        status = stk_x5u_check(body->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->source, "source", STK_SOURCE_MAX - 1, error);
    request->x5u = body->x5u;
    request->source = body->source;
    return status;
}

static enum stirkeep_status take_source_removed(const Stirkeep__V1__SourceRemovedRequest *body,
                                                struct stk_admin_request *request,
                                                struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &request->name, error);

    request->kind = STK_ADMIN_SOURCE_REMOVED;
    if (status == STIRKEEP_OK)
        status = stk_take_exact(&body->key_id, "key_id", STK_KEY_ID_LENGTH, request->key_id.bytes,
                                error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->source, "source", STK_SOURCE_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->how, "how", HOW_MAX, error);
    request->source = body->source;
    request->how = body->how;
    request->generation = body->generation;
    return status;
}

static enum stirkeep_status take_list(const Stirkeep__V1__ListNamesRequest *body,
                                      struct stk_admin_request *request, struct stk_error *error)
{
    struct stk_name after = {0};

    request->kind = STK_ADMIN_LIST;
    request->after = body->after;
    return body->after[0] == '\0' ? STIRKEEP_OK : stk_name_parse(body->after, &after, error);
}

static enum stirkeep_status take_body(const Stirkeep__V1__AdminRequest *message,
                                      struct stk_admin_request *request, struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_WRAPPING_KEY:
        request->kind = STK_ADMIN_WRAPPING_KEY;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_IMPORT:
        return take_import(message->import, request, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_SOURCE_REMOVED:
        return take_source_removed(message->source_removed, request, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_LIST_NAMES:
        return take_list(message->list_names, request, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_SHOW:
        request->kind = STK_ADMIN_SHOW;
        return stk_name_parse(message->show->name, &request->name, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_RETIRE:
        request->kind = STK_ADMIN_RETIRE;
        return stk_name_parse(message->retire->name, &request->name, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_ROLLBACK:
        request->kind = STK_ADMIN_ROLLBACK;
        return stk_name_parse(message->rollback->name, &request->name, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_STATUS:
        request->kind = STK_ADMIN_STATUS;
        return STIRKEEP_OK;
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "request: has no body that this version knows");
    }
}

enum stirkeep_status stk_admin_request_decode(struct stk_bytes message, struct stk_arena *arena,
                                              struct stk_admin_request *ret_request,
                                              struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_admin_request request = {.x5u = "", .source = "", .how = "", .after = ""};
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__AdminRequest *unpacked =
        stk_unpack(&stirkeep__v1__admin_request__descriptor, message, STK_UNKNOWN_REFUSED_IN_BODY,
                   arena, &reason);

    if (unpacked == NULL) {
        ret_request->id = stk_scan_id(message);
        return stk_error_set(error, reason.status, "%s", reason.message);
    }
    ret_request->id = unpacked->id;
    request.id = unpacked->id;
    status = take_body(unpacked, &request, error);
    if (status == STIRKEEP_OK)
        *ret_request = request;
    return status;
}
