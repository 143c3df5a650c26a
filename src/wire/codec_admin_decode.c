/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_admin.h"

#include "wire/unpack.h"

#include "admin.pb-c.h"

#define HOW_MAX 256 /* what was done to a source, in words */

/* Requests, intake's side. */

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
    if (status == STIRKEEP_OK)
        status = stk_take_x5u(body->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->source, "source", STK_SOURCE_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = stk_take_activate_at(body->activate_at, error);
    request->x5u = body->x5u;
    request->source = body->source;
    request->activate_at = body->activate_at;
    request->elsewhere = body->elsewhere != 0;
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

static enum stirkeep_status take_generate(const Stirkeep__V1__GenerateRequest *body,
                                          struct stk_admin_request *request,
                                          struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &request->name, error);

    request->kind = STK_ADMIN_GENERATE;
    if (status == STIRKEEP_OK)
        status = stk_take_spc(body->spc, error);
    if (status == STIRKEEP_OK)
        status = stk_take_subject(body->subject, error);
    request->spc = body->spc;
    request->subject = body->subject;
    return status;
}

static enum stirkeep_status take_install(const Stirkeep__V1__InstallRequest *body,
                                         struct stk_admin_request *request, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &request->name, error);

    request->kind = STK_ADMIN_INSTALL;
    if (status == STIRKEEP_OK)
        status = stk_take_chain(body->chain, body->n_chain, request->chain, &request->chain_count,
                                error);
    if (status == STIRKEEP_OK)
        status = stk_take_x5u(body->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_take_activate_at(body->activate_at, error);
    request->x5u = body->x5u;
    request->activate_at = body->activate_at;
    return status;
}

static enum stirkeep_status take_destroy(const Stirkeep__V1__DestroyRequest *body,
                                         struct stk_admin_request *request, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &request->name, error);

    request->kind = STK_ADMIN_DESTROY;
    if (status == STIRKEEP_OK)
        status = stk_take_id_or_none(&body->key_id, "key_id", &request->key_id, error);
    return status;
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
        request->generation = message->show->generation;
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
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_GENERATE:
        return take_generate(message->generate, request, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_INSTALL:
        return take_install(message->install, request, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_DESTROY:
        return take_destroy(message->destroy, request, error);
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_DOCTOR:
        request->kind = STK_ADMIN_DOCTOR;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_REBUILD:
        request->kind = STK_ADMIN_REBUILD;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_RELOAD:
        request->kind = STK_ADMIN_RELOAD;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_REQUEST__BODY_AUDIT_KEY:
        request->kind = STK_ADMIN_AUDIT_KEY;
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
    struct stk_admin_request request = {
        .x5u = "", .source = "", .how = "", .after = "", .spc = "", .subject = ""};
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
