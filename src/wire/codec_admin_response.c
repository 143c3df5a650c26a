/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_admin.h"

#include "wire/frame.h"
#include "wire/pack.h"
#include "wire/unpack.h"

#include "admin.pb-c.h"
#include <string.h>

#define WARNINGS_MAX 64

/* ---- intake's side */

static Stirkeep__V1__GenerationSummary summary_of(const struct stk_generation *generation)
{
    Stirkeep__V1__GenerationSummary summary = STIRKEEP__V1__GENERATION_SUMMARY__INIT;

    summary.name = stk_pack_text(generation->name);
    summary.generation = generation->generation;
    summary.state = stk_pack_text(generation->state);
    summary.spc = stk_pack_text(generation->spc);
    summary.subject = stk_pack_text(generation->subject);
    summary.issuer = stk_pack_text(generation->issuer);
    summary.serial = stk_pack_text(generation->serial);
    summary.fingerprint = stk_pack_text(generation->fingerprint);
    summary.x5u = stk_pack_text(generation->x5u);
    summary.not_before = generation->not_before;
    summary.not_after = generation->not_after;
    summary.key_id = stk_pack_view((struct stk_bytes){generation->key_id.bytes, STK_KEY_ID_LENGTH});
    summary.origin = stk_pack_text(generation->origin);
    summary.attributes = stk_pack_text(generation->attributes);
    summary.created = generation->created;
    summary.created_by = generation->created_by;
    return summary;
}

/* Generations one by one as field 1 of the body, which is what both bodies have them as. */
static enum stirkeep_status append_generations(const struct stk_admin_response *response,
                                               struct stk_buffer *out)
{
    enum { GENERATIONS = 1 };
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < response->generation_count && status == STIRKEEP_OK; i++) {
        Stirkeep__V1__GenerationSummary summary = summary_of(&response->generations[i]);
        size_t mark = out->length;

        status = stk_pack_scrubbed(&summary.base, out);
        if (status == STIRKEEP_OK)
            status = stk_pack_close(GENERATIONS, mark, out);
    }
    return status;
}

static enum stirkeep_status append_listed(const struct stk_admin_response *response,
                                          struct stk_buffer *out)
{
    Stirkeep__V1__NamesListed rest = STIRKEEP__V1__NAMES_LISTED__INIT;
    size_t mark = out->length;
    enum stirkeep_status status = append_generations(response, out);

    rest.more = response->more;
    if (status == STIRKEEP_OK)
        status = stk_pack(&rest.base, out);
    return status == STIRKEEP_OK
               ? stk_pack_close(STIRKEEP__V1__ADMIN_RESPONSE__BODY_NAMES_LISTED, mark, out)
               : status;
}

static enum stirkeep_status append_shown(const struct stk_admin_response *response,
                                         struct stk_buffer *out)
{
    enum { SHOWN_CHAIN = 2 };
    size_t mark = out->length;
    enum stirkeep_status status = append_generations(response, out);

    for (size_t i = 0; i < response->chain_count && status == STIRKEEP_OK; i++)
        status = stk_pack_bytes(SHOWN_CHAIN, response->chain[i], out);
    return status == STIRKEEP_OK
               ? stk_pack_close(STIRKEEP__V1__ADMIN_RESPONSE__BODY_SHOWN, mark, out)
               : status;
}

static Stirkeep__V1__ServiceStatus service_of(const struct stk_service_status *service)
{
    Stirkeep__V1__ServiceStatus body = STIRKEEP__V1__SERVICE_STATUS__INIT;

    body.ready = service->ready;
    body.version = stk_pack_text(service->version);
    body.detail = stk_pack_text(service->detail);
    body.front = stk_pack_text(service->front);
    body.keeper = stk_pack_text(service->keeper);
    body.token_label = stk_pack_text(service->token_label);
    body.token_serial = stk_pack_text(service->token_serial);
    body.token_model = stk_pack_text(service->token_model);
    body.seal_way = stk_pack_text(service->seal_way);
    body.sign_way = stk_pack_text(service->sign_way);
    body.signers = service->signers;
    body.names = service->names;
    body.signatures = service->signatures;
    body.refusals = service->refusals;
    body.connections = service->connections;
    body.audit_sequence = service->audit_sequence;
    body.hardware = service->hardware;
    return body;
}

static enum stirkeep_status append_imported(Stirkeep__V1__AdminResponse *message,
                                            const struct stk_admin_response *response,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__Imported body = STIRKEEP__V1__IMPORTED__INIT;

    body.generation = response->generation;
    body.x5u = stk_pack_text(response->x5u);
    body.key_id = stk_pack_view((struct stk_bytes){response->key_id.bytes, STK_KEY_ID_LENGTH});
    body.already_held = response->already_held;
    body.warnings = (char **)response->warnings;
    body.n_warnings = response->warning_count;
    body.attributes = stk_pack_text(response->attributes);
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_IMPORTED;
    message->imported = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_small(Stirkeep__V1__AdminResponse *message,
                                         const struct stk_admin_response *response,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__WrappingKey wrapping_key = STIRKEEP__V1__WRAPPING_KEY__INIT;
    Stirkeep__V1__SourceRemoved source_removed = STIRKEEP__V1__SOURCE_REMOVED__INIT;
    Stirkeep__V1__Retired retired = STIRKEEP__V1__RETIRED__INIT;
    Stirkeep__V1__RolledBack rolled_back = STIRKEEP__V1__ROLLED_BACK__INIT;
    Stirkeep__V1__ServiceStatus service = STIRKEEP__V1__SERVICE_STATUS__INIT;

    switch (response->kind) {
    case STK_ADMIN_WRAPPING_KEY:
        wrapping_key.spki = stk_pack_view(response->spki);
        wrapping_key.token_label = stk_pack_text(response->token_label);
        wrapping_key.token_serial = stk_pack_text(response->token_serial);
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_WRAPPING_KEY;
        message->wrapping_key = &wrapping_key;
        break;
    case STK_ADMIN_SOURCE_REMOVED:
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_SOURCE_REMOVED;
        message->source_removed = &source_removed;
        break;
    case STK_ADMIN_RETIRE:
        retired.generation = response->generation;
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_RETIRED;
        message->retired = &retired;
        break;
    case STK_ADMIN_ROLLBACK:
        rolled_back.generation = response->generation;
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_ROLLED_BACK;
        message->rolled_back = &rolled_back;
        break;
    case STK_ADMIN_STATUS:
        service = service_of(&response->service);
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_SERVICE_STATUS;
        message->service_status = &service;
        break;
    default: /* an error: no body */
        break;
    }
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_response(const struct stk_admin_response *response,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__AdminResponse message = STIRKEEP__V1__ADMIN_RESPONSE__INIT;
    enum stirkeep_status status = STIRKEEP_OK;

    message.id = response->id;
    message.status = (uint32_t)response->status;
    message.message = stk_pack_text(response->message);
    if (response->kind == STK_ADMIN_IMPORT)
        return append_imported(&message, response, out);
    if (response->kind != STK_ADMIN_LIST && response->kind != STK_ADMIN_SHOW)
        return append_small(&message, response, out);
    status = stk_pack_scrubbed(&message.base, out);
    if (status != STIRKEEP_OK)
        return status;
    return response->kind == STK_ADMIN_LIST ? append_listed(response, out)
                                            : append_shown(response, out);
}

enum stirkeep_status stk_admin_response_encode(const struct stk_admin_response *response,
                                               struct stk_buffer *out)
{
    size_t before = out->length;
    size_t frame = 0;
    enum stirkeep_status status = stk_pack_frame_begin(out, &frame);

    if (status == STIRKEEP_OK)
        status = append_response(response, out);
    if (status == STIRKEEP_OK)
        status = stk_pack_frame_end(frame, STK_ADMIN_MESSAGE_MAX, out);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

/* ---- the command's side */

static enum stirkeep_status take_generations(Stirkeep__V1__GenerationSummary *const *summaries,
                                             size_t count, struct stk_arena *arena,
                                             struct stk_admin_response *response,
                                             struct stk_error *error)
{
    struct stk_generation *generations = stk_arena_take(arena, count * sizeof(*generations));

    if (generations == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "generations: take too much memory");
    for (size_t i = 0; i < count; i++) {
        const Stirkeep__V1__GenerationSummary *summary = summaries[i];
        struct stk_generation *generation = &generations[i];
        enum stirkeep_status status = STIRKEEP_OK;

        *generation = (struct stk_generation){.name = summary->name,
                                              .generation = summary->generation,
                                              .state = summary->state,
                                              .spc = summary->spc,
                                              .subject = summary->subject,
                                              .issuer = summary->issuer,
                                              .serial = summary->serial,
                                              .fingerprint = summary->fingerprint,
                                              .x5u = summary->x5u,
                                              .not_before = summary->not_before,
                                              .not_after = summary->not_after,
                                              .origin = summary->origin,
                                              .attributes = summary->attributes,
                                              .created = summary->created,
                                              .created_by = summary->created_by};
        status = stk_take_exact(&summary->key_id, "generation.key_id", STK_KEY_ID_LENGTH,
                                generation->key_id.bytes, error);
        if (status != STIRKEEP_OK)
            return status;
    }
    response->generations = generations;
    response->generation_count = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_imported(const Stirkeep__V1__Imported *body,
                                          struct stk_admin_response *response,
                                          struct stk_error *error)
{
    if (body->n_warnings > WARNINGS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "imported.warnings: more than %d",
                             WARNINGS_MAX);
    response->kind = STK_ADMIN_IMPORT;
    response->generation = body->generation;
    response->x5u = body->x5u;
    response->already_held = body->already_held != 0;
    response->warnings = (const char *const *)body->warnings;
    response->warning_count = body->n_warnings;
    response->attributes = body->attributes;
    return stk_take_exact(&body->key_id, "imported.key_id", STK_KEY_ID_LENGTH,
                          response->key_id.bytes, error);
}

static void take_service(const Stirkeep__V1__ServiceStatus *body,
                         struct stk_admin_response *response)
{
    response->kind = STK_ADMIN_STATUS;
    response->service = (struct stk_service_status){.ready = body->ready != 0,
                                                    .version = body->version,
                                                    .detail = body->detail,
                                                    .front = body->front,
                                                    .keeper = body->keeper,
                                                    .token_label = body->token_label,
                                                    .token_serial = body->token_serial,
                                                    .token_model = body->token_model,
                                                    .seal_way = body->seal_way,
                                                    .sign_way = body->sign_way,
                                                    .signers = body->signers,
                                                    .names = body->names,
                                                    .signatures = body->signatures,
                                                    .refusals = body->refusals,
                                                    .connections = body->connections,
                                                    .audit_sequence = body->audit_sequence,
                                                    .hardware = body->hardware != 0};
}

static enum stirkeep_status take_shown(const Stirkeep__V1__Shown *body, struct stk_arena *arena,
                                       struct stk_admin_response *response, struct stk_error *error)
{
    enum stirkeep_status status =
        take_generations(body->generations, body->n_generations, arena, response, error);

    response->kind = STK_ADMIN_SHOW;
    if (status == STIRKEEP_OK && body->n_chain > 0)
        status = stk_take_chain(body->chain, body->n_chain, response->chain, &response->chain_count,
                                error);
    return status;
}

static enum stirkeep_status take_body(const Stirkeep__V1__AdminResponse *message,
                                      struct stk_arena *arena, struct stk_admin_response *response,
                                      struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_WRAPPING_KEY:
        response->kind = STK_ADMIN_WRAPPING_KEY;
        response->token_label = message->wrapping_key->token_label;
        response->token_serial = message->wrapping_key->token_serial;
        return stk_take_bytes(&message->wrapping_key->spki, "wrapping_key.spki", STK_SEALED_MAX,
                              &response->spki, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_IMPORTED:
        return take_imported(message->imported, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_SOURCE_REMOVED:
        response->kind = STK_ADMIN_SOURCE_REMOVED;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_NAMES_LISTED:
        response->kind = STK_ADMIN_LIST;
        response->more = message->names_listed->more != 0;
        return take_generations(message->names_listed->names, message->names_listed->n_names, arena,
                                response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_SHOWN:
        return take_shown(message->shown, arena, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_RETIRED:
        response->kind = STK_ADMIN_RETIRE;
        response->generation = message->retired->generation;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_ROLLED_BACK:
        response->kind = STK_ADMIN_ROLLBACK;
        response->generation = message->rolled_back->generation;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_SERVICE_STATUS:
        take_service(message->service_status, response);
        return STIRKEEP_OK;
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "response: has no body that this version knows");
    }
}

enum stirkeep_status stk_admin_response_decode(struct stk_bytes message, struct stk_arena *arena,
                                               struct stk_admin_response *ret_response,
                                               struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_admin_response response = {.message = "", .x5u = "", .attributes = ""};
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__AdminResponse *unpacked = stk_unpack(
        &stirkeep__v1__admin_response__descriptor, message, STK_UNKNOWN_IGNORED, arena, &reason);

    if (unpacked == NULL) {
        ret_response->id = stk_scan_id(message);
        return stk_error_set(error, reason.status, "%s", reason.message);
    }
    ret_response->id = unpacked->id;
    response.id = unpacked->id;
    response.status = stk_take_status(unpacked->status);
    response.message = unpacked->message;
    if (response.status == STIRKEEP_OK)
        status = take_body(unpacked, arena, &response, error);
    if (status == STIRKEEP_OK)
        *ret_response = response;
    return status;
}
