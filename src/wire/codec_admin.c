/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_admin.h"

#include "wire/pack.h"

#include "admin.pb-c.h"

/* Requests, the command's side. */

static bool view_chain(const struct stk_admin_request *request,
                       ProtobufCBinaryData ret_chain[STK_CHAIN_MAX])
{
    if (request->chain_count > STK_CHAIN_MAX)
        return false;
    for (size_t i = 0; i < request->chain_count; i++)
        ret_chain[i] = stk_pack_view(request->chain[i]);
    return true;
}

static enum stirkeep_status encode_import(Stirkeep__V1__AdminRequest *message,
                                          const struct stk_admin_request *request,
                                          struct stk_buffer *out)
{
    Stirkeep__V1__ImportRequest body = STIRKEEP__V1__IMPORT_REQUEST__INIT;
    ProtobufCBinaryData chain[STK_CHAIN_MAX];

    if (!view_chain(request, chain))
        return STIRKEEP_INVALID;
    body.name = stk_pack_text(request->name.text);
    body.chain = chain;
    body.n_chain = request->chain_count;
    body.sealed = stk_pack_view(request->sealed);
    body.x5u = stk_pack_text(request->x5u);
    body.source = stk_pack_text(request->source);
    body.activate_at = request->activate_at;
    body.elsewhere = request->elsewhere;
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
    body.key_id = stk_pack_id(&request->key_id);
    body.source = stk_pack_text(request->source);
    body.how = stk_pack_text(request->how);
    message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_SOURCE_REMOVED;
    message->source_removed = &body;
    return stk_pack_framed_scrubbed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

/* Not scrubbed, this and the next: a subject or x5u that is not text is to be refused, not mended. */
static enum stirkeep_status encode_generate(Stirkeep__V1__AdminRequest *message,
                                            const struct stk_admin_request *request,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__GenerateRequest body = STIRKEEP__V1__GENERATE_REQUEST__INIT;

    body.name = stk_pack_text(request->name.text);
    body.spc = stk_pack_text(request->spc);
    body.subject = stk_pack_text(request->subject);
    message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_GENERATE;
    message->generate = &body;
    return stk_pack_framed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

static enum stirkeep_status encode_install(Stirkeep__V1__AdminRequest *message,
                                           const struct stk_admin_request *request,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__InstallRequest body = STIRKEEP__V1__INSTALL_REQUEST__INIT;
    ProtobufCBinaryData chain[STK_CHAIN_MAX];

    if (!view_chain(request, chain))
        return STIRKEEP_INVALID;
    body.name = stk_pack_text(request->name.text);
    body.chain = chain;
    body.n_chain = request->chain_count;
    body.x5u = stk_pack_text(request->x5u);
    body.activate_at = request->activate_at;
    message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_INSTALL;
    message->install = &body;
    return stk_pack_framed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

static enum stirkeep_status encode_destroy(Stirkeep__V1__AdminRequest *message,
                                           const struct stk_admin_request *request,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__DestroyRequest body = STIRKEEP__V1__DESTROY_REQUEST__INIT;

    body.name = stk_pack_text(request->name.text);
    body.key_id = stk_pack_id_or_none(&request->key_id);
    message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_DESTROY;
    message->destroy = &body;
    return stk_pack_framed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

/* Requests of a name alone, or of nothing. */
static enum stirkeep_status encode_small(Stirkeep__V1__AdminRequest *message,
                                         const struct stk_admin_request *request,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__WrappingKeyRequest wrapping_key = STIRKEEP__V1__WRAPPING_KEY_REQUEST__INIT;
    Stirkeep__V1__ListNamesRequest list = STIRKEEP__V1__LIST_NAMES_REQUEST__INIT;
    Stirkeep__V1__ShowRequest show = STIRKEEP__V1__SHOW_REQUEST__INIT;
    Stirkeep__V1__RetireRequest retire = STIRKEEP__V1__RETIRE_REQUEST__INIT;
    Stirkeep__V1__RollbackRequest rollback = STIRKEEP__V1__ROLLBACK_REQUEST__INIT;
    Stirkeep__V1__StatusRequest status = STIRKEEP__V1__STATUS_REQUEST__INIT;
    Stirkeep__V1__DoctorRequest doctor = STIRKEEP__V1__DOCTOR_REQUEST__INIT;
    Stirkeep__V1__RebuildRequest rebuild = STIRKEEP__V1__REBUILD_REQUEST__INIT;
    Stirkeep__V1__ReloadRequest reload = STIRKEEP__V1__RELOAD_REQUEST__INIT;
    Stirkeep__V1__AuditKeyRequest audit_key = STIRKEEP__V1__AUDIT_KEY_REQUEST__INIT;

    switch (request->kind) {
    case STK_ADMIN_WRAPPING_KEY:
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_WRAPPING_KEY;
        message->wrapping_key = &wrapping_key;
        break;
    case STK_ADMIN_LIST:
        list.after = stk_pack_text(request->after);
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_LIST_NAMES;
        message->list_names = &list;
        break;
    case STK_ADMIN_SHOW:
        show.name = stk_pack_text(request->name.text);
        show.generation = request->generation;
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_SHOW;
        message->show = &show;
        break;
    case STK_ADMIN_RETIRE:
        retire.name = stk_pack_text(request->name.text);
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_RETIRE;
        message->retire = &retire;
        break;
    case STK_ADMIN_ROLLBACK:
        rollback.name = stk_pack_text(request->name.text);
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_ROLLBACK;
        message->rollback = &rollback;
        break;
    case STK_ADMIN_STATUS:
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_STATUS;
        message->status = &status;
        break;
    case STK_ADMIN_DOCTOR:
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_DOCTOR;
        message->doctor = &doctor;
        break;
    case STK_ADMIN_REBUILD:
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_REBUILD;
        message->rebuild = &rebuild;
        break;
    case STK_ADMIN_RELOAD:
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_RELOAD;
        message->reload = &reload;
        break;
    case STK_ADMIN_AUDIT_KEY:
        message->body_case = STIRKEEP__V1__ADMIN_REQUEST__BODY_AUDIT_KEY;
        message->audit_key = &audit_key;
        break;
    default:
        return STIRKEEP_INVALID;
    }
    return stk_pack_framed(&message->base, STK_ADMIN_MESSAGE_MAX, out);
}

enum stirkeep_status stk_admin_request_encode(const struct stk_admin_request *request,
                                              struct stk_buffer *out)
{
    Stirkeep__V1__AdminRequest message = STIRKEEP__V1__ADMIN_REQUEST__INIT;

    message.id = request->id;
    switch (request->kind) {
    case STK_ADMIN_IMPORT:
        return encode_import(&message, request, out);
    case STK_ADMIN_SOURCE_REMOVED:
        return encode_source_removed(&message, request, out);
    case STK_ADMIN_GENERATE:
        return encode_generate(&message, request, out);
    case STK_ADMIN_INSTALL:
        return encode_install(&message, request, out);
    case STK_ADMIN_DESTROY:
        return encode_destroy(&message, request, out);
    default:
        return encode_small(&message, request, out);
    }
}
