/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_admin.h"

#include "wire/examined.h"
#include "wire/pack.h"

#include "admin.pb-c.h"
#include <stdlib.h>

/* Responses, intake's side. */

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
    summary.key_id = stk_pack_id(&generation->key_id);
    summary.origin = stk_pack_text(generation->origin);
    summary.attributes = stk_pack_text(generation->attributes);
    summary.created = generation->created;
    summary.created_by = generation->created_by;
    summary.activate_at = generation->activate_at;
    summary.numbers = stk_pack_text(generation->numbers);
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

static enum stirkeep_status append_requested(const struct stk_requested_key *key,
                                             struct stk_buffer *out)
{
    enum { SHOWN_REQUESTED = 3 };
    Stirkeep__V1__RequestedKey message = STIRKEEP__V1__REQUESTED_KEY__INIT;
    size_t mark = out->length;
    enum stirkeep_status status = STIRKEEP_OK;

    message.key_id = stk_pack_id(&key->key_id);
    message.attributes = stk_pack_text(key->attributes);
    message.created = key->created;
    message.created_by = key->created_by;
    status = stk_pack_scrubbed(&message.base, out);
    return status == STIRKEEP_OK ? stk_pack_close(SHOWN_REQUESTED, mark, out) : status;
}

static enum stirkeep_status append_shown(const struct stk_admin_response *response,
                                         struct stk_buffer *out)
{
    enum { SHOWN_CHAIN = 2 };
    size_t mark = out->length;
    enum stirkeep_status status = append_generations(response, out);

    for (size_t i = 0; i < response->chain_count && status == STIRKEEP_OK; i++)
        status = stk_pack_bytes(SHOWN_CHAIN, response->chain[i], out);
    for (size_t i = 0; i < response->requested_count && status == STIRKEEP_OK; i++)
        status = append_requested(&response->requested[i], out);
    return status == STIRKEEP_OK
               ? stk_pack_close(STIRKEEP__V1__ADMIN_RESPONSE__BODY_SHOWN, mark, out)
               : status;
}

static enum stirkeep_status append_diagnosis(const struct stk_admin_response *response,
                                             struct stk_buffer *out)
{
    size_t mark = out->length;
    enum stirkeep_status status = stk_examined_append(
        response->facts, response->fact_count, response->troubles, response->trouble_count, out);

    return status == STIRKEEP_OK
               ? stk_pack_close(STIRKEEP__V1__ADMIN_RESPONSE__BODY_DIAGNOSIS, mark, out)
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
    body.warnings = (char **)service->warnings;
    body.n_warnings = service->warning_count;
    body.configuration = stk_pack_text(service->configuration);
    body.attestation = stk_pack_text(service->attestation);
    body.audit_key = stk_pack_text(service->audit_key);
    body.audit_sealed = service->audit_sealed;
    body.audit_unsealed = service->audit_unsealed;
    body.audit_unsealed_since = service->audit_unsealed_since;
    body.lock_down = (char **)service->lock_down;
    body.n_lock_down = service->lock_down_count;
    return body;
}

static enum stirkeep_status append_imported(Stirkeep__V1__AdminResponse *message,
                                            const struct stk_admin_response *response,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__Imported body = STIRKEEP__V1__IMPORTED__INIT;

    body.generation = response->generation;
    body.x5u = stk_pack_text(response->x5u);
    body.key_id = stk_pack_id(&response->key_id);
    body.already_held = response->already_held;
    body.warnings = (char **)response->warnings;
    body.n_warnings = response->warning_count;
    body.attributes = stk_pack_text(response->attributes);
    body.activate_at = response->activate_at;
    if (response->kind == STK_ADMIN_IMPORT) {
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_IMPORTED;
        message->imported = &body;
    } else {
        message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_INSTALLED;
        message->installed = &body;
    }
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_generated(Stirkeep__V1__AdminResponse *message,
                                             const struct stk_admin_response *response,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__Generated body = STIRKEEP__V1__GENERATED__INIT;

    body.csr = stk_pack_view(response->csr);
    body.key_id = stk_pack_id(&response->key_id);
    body.attributes = stk_pack_text(response->attributes);
    body.already_held = response->already_held;
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_GENERATED;
    message->generated = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_destroyed(Stirkeep__V1__AdminResponse *message,
                                             const struct stk_admin_response *response,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__Destroyed body = STIRKEEP__V1__DESTROYED__INIT;

    body.keys = response->keys;
    body.generations = response->affected;
    body.stopped = response->stopped;
    body.proof = stk_pack_text(response->proof);
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_DESTROYED;
    message->destroyed = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_rebuilt(Stirkeep__V1__AdminResponse *message,
                                           const struct stk_admin_response *response,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__Rebuilt body = STIRKEEP__V1__REBUILT__INIT;

    body.names = response->names;
    body.generations = response->affected;
    body.known = response->keys;
    body.problems = (char **)response->problems;
    body.n_problems = response->problem_count;
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_REBUILT;
    message->rebuilt = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_reloaded(Stirkeep__V1__AdminResponse *message,
                                            const struct stk_admin_response *response,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__Reloaded body = STIRKEEP__V1__RELOADED__INIT;

    body.configuration = stk_pack_text(response->configuration);
    body.attestation = stk_pack_text(response->attestation);
    body.grants = response->grants;
    body.attest_rules = response->attest_rules;
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_RELOADED;
    message->reloaded = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_audit_key(Stirkeep__V1__AdminResponse *message,
                                             const struct stk_admin_response *response,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__AuditKey body = STIRKEEP__V1__AUDIT_KEY__INIT;

    body.spki = stk_pack_view(response->spki);
    body.key_id = stk_pack_id(&response->key_id);
    body.attributes = stk_pack_text(response->attributes);
    body.token_label = stk_pack_text(response->token_label);
    body.token_serial = stk_pack_text(response->token_serial);
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_AUDIT_KEY;
    message->audit_key = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status append_service(Stirkeep__V1__AdminResponse *message,
                                           const struct stk_service_status *service,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__ServiceStatus body = service_of(service);
    Stirkeep__V1__RoomUse intake = STIRKEEP__V1__ROOM_USE__INIT;
    enum stirkeep_status status = STIRKEEP_NO_MEMORY;

    if (service->front_counters != NULL)
        body.front_counters = stk_front_counters_message(service->front_counters);
    if (service->keeper_counters != NULL)
        body.keeper_counters = stk_keeper_counters_message(service->keeper_counters);
    intake.cpu_us = service->intake_use.cpu_us;
    intake.up_us = service->intake_use.up_us;
    body.intake_use = &intake;
    message->body_case = STIRKEEP__V1__ADMIN_RESPONSE__BODY_SERVICE_STATUS;
    message->service_status = &body;
    if ((service->front_counters == NULL) == (body.front_counters == NULL) &&
        (service->keeper_counters == NULL) == (body.keeper_counters == NULL))
        status = stk_pack_scrubbed(&message->base, out);
    free(body.front_counters);
    free(body.keeper_counters);
    return status;
}

static enum stirkeep_status append_small(Stirkeep__V1__AdminResponse *message,
                                         const struct stk_admin_response *response,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__WrappingKey wrapping_key = STIRKEEP__V1__WRAPPING_KEY__INIT;
    Stirkeep__V1__SourceRemoved source_removed = STIRKEEP__V1__SOURCE_REMOVED__INIT;
    Stirkeep__V1__Retired retired = STIRKEEP__V1__RETIRED__INIT;
    Stirkeep__V1__RolledBack rolled_back = STIRKEEP__V1__ROLLED_BACK__INIT;

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
        return append_service(message, &response->service, out);
    default: /* an error: no body */
        break;
    }
    return stk_pack_scrubbed(&message->base, out);
}

/* Bodies that are written piece by piece. */
static enum stirkeep_status append_long(const struct stk_admin_response *response,
                                        struct stk_buffer *out)
{
    if (response->kind == STK_ADMIN_LIST)
        return append_listed(response, out);
    return response->kind == STK_ADMIN_SHOW ? append_shown(response, out)
                                            : append_diagnosis(response, out);
}

static enum stirkeep_status append_response(const struct stk_admin_response *response,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__AdminResponse message = STIRKEEP__V1__ADMIN_RESPONSE__INIT;
    enum stirkeep_status status = STIRKEEP_OK;

    message.id = response->id;
    message.status = (uint32_t)response->status;
    message.message = stk_pack_text(response->message);
    switch (response->kind) {
    case STK_ADMIN_IMPORT:
    case STK_ADMIN_INSTALL:
        return append_imported(&message, response, out);
    case STK_ADMIN_GENERATE:
        return append_generated(&message, response, out);
    case STK_ADMIN_DESTROY:
        return append_destroyed(&message, response, out);
    case STK_ADMIN_REBUILD:
        return append_rebuilt(&message, response, out);
    case STK_ADMIN_RELOAD:
        return append_reloaded(&message, response, out);
    case STK_ADMIN_AUDIT_KEY:
        return append_audit_key(&message, response, out);
    case STK_ADMIN_LIST:
    case STK_ADMIN_SHOW:
    case STK_ADMIN_DOCTOR: /* behind what goes before any body */
        status = stk_pack_scrubbed(&message.base, out);
        return status == STIRKEEP_OK ? append_long(response, out) : status;
    default:
        return append_small(&message, response, out);
    }
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
