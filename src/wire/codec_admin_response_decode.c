/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_admin.h"

#include "wire/examined.h"
#include "wire/unpack.h"

#include "admin.pb-c.h"

/* Responses, the command's side. */

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
                                              .created_by = summary->created_by,
                                              .activate_at = summary->activate_at,
                                              .numbers = summary->numbers};
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
    if (body->n_warnings > STK_WARNINGS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "imported.warnings: more than %d",
                             STK_WARNINGS_MAX);
    response->generation = body->generation;
    response->x5u = body->x5u;
    response->already_held = body->already_held != 0;
    response->warnings = (const char *const *)body->warnings;
    response->warning_count = body->n_warnings;
    response->attributes = body->attributes;
    response->activate_at = body->activate_at;
    return stk_take_exact(&body->key_id, "imported.key_id", STK_KEY_ID_LENGTH,
                          response->key_id.bytes, error);
}

static enum stirkeep_status take_generated(const Stirkeep__V1__Generated *body,
                                           struct stk_admin_response *response,
                                           struct stk_error *error)
{
    enum stirkeep_status status =
        stk_take_bytes(&body->csr, "generated.csr", STK_CSR_MAX, &response->csr, error);

    response->kind = STK_ADMIN_GENERATE;
    response->attributes = body->attributes;
    response->already_held = body->already_held != 0;
    if (status == STIRKEEP_OK)
        status = stk_take_exact(&body->key_id, "generated.key_id", STK_KEY_ID_LENGTH,
                                response->key_id.bytes, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->attributes, "generated.attributes", STK_ATTRIBUTES_MAX, error);
    return status;
}

static enum stirkeep_status take_destroyed(const Stirkeep__V1__Destroyed *body,
                                           struct stk_admin_response *response,
                                           struct stk_error *error)
{
    response->kind = STK_ADMIN_DESTROY;
    response->keys = body->keys;
    response->affected = body->generations;
    response->stopped = body->stopped != 0;
    response->proof = body->proof;
    return stk_take_text(body->proof, "destroyed.proof", STK_DIAGNOSIS_TEXT_MAX, error);
}

static enum stirkeep_status take_rebuilt(const Stirkeep__V1__Rebuilt *body,
                                         struct stk_admin_response *response,
                                         struct stk_error *error)
{
    response->kind = STK_ADMIN_REBUILD;
    response->names = body->names;
    response->affected = body->generations;
    response->keys = body->known;
    response->problems = (const char *const *)body->problems;
    response->problem_count = body->n_problems;
    return stk_take_texts(body->problems, body->n_problems, "rebuilt.problems", STK_PROBLEMS_MAX,
                          error);
}

/* SHA-256 in hex, or none. */
static enum stirkeep_status take_digests(const char *configuration, const char *attestation,
                                         struct stk_error *error)
{
    enum stirkeep_status status =
        stk_take_text(configuration, "configuration", 2 * STK_DIGEST_LENGTH, error);

    return status == STIRKEEP_OK
               ? stk_take_text(attestation, "attestation", 2 * STK_DIGEST_LENGTH, error)
               : status;
}

static enum stirkeep_status take_reloaded(const Stirkeep__V1__Reloaded *body,
                                          struct stk_admin_response *response,
                                          struct stk_error *error)
{
    response->kind = STK_ADMIN_RELOAD;
    response->configuration = body->configuration;
    response->attestation = body->attestation;
    response->grants = body->grants;
    response->attest_rules = body->attest_rules;
    return take_digests(body->configuration, body->attestation, error);
}

static enum stirkeep_status take_audit_key(const Stirkeep__V1__AuditKey *body,
                                           struct stk_admin_response *response,
                                           struct stk_error *error)
{
    enum stirkeep_status status =
        stk_take_bytes(&body->spki, "audit_key.spki", STK_SPKI_LENGTH, &response->spki, error);

    response->kind = STK_ADMIN_AUDIT_KEY;
    response->attributes = body->attributes;
    response->token_label = body->token_label;
    response->token_serial = body->token_serial;
    if (status == STIRKEEP_OK && body->spki.len != STK_SPKI_LENGTH)
        status = stk_error_set(error, STIRKEEP_INVALID, "audit_key.spki: is not %d bytes long",
                               STK_SPKI_LENGTH);
    if (status == STIRKEEP_OK)
        status = stk_take_exact(&body->key_id, "audit_key.key_id", STK_KEY_ID_LENGTH,
                                response->key_id.bytes, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->attributes, "audit_key.attributes", STK_ATTRIBUTES_MAX, error);
    return status;
}

static enum stirkeep_status take_diagnosis(const Stirkeep__V1__Diagnosis *body,
                                           struct stk_arena *arena,
                                           struct stk_admin_response *response,
                                           struct stk_error *error)
{
    struct stk_examined examined = {0};
    enum stirkeep_status status =
        stk_examined_room(body->n_facts, body->n_troubles, arena, &examined, error);

    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < body->n_facts; i++)
        examined.facts[i] = (struct stk_fact){body->facts[i]->name, body->facts[i]->value};
    for (size_t i = 0; i < body->n_troubles; i++)
        examined.troubles[i] = (struct stk_trouble){
            body->troubles[i]->severity, body->troubles[i]->what, body->troubles[i]->cure};
    response->kind = STK_ADMIN_DOCTOR;
    response->facts = examined.facts;
    response->fact_count = examined.fact_count;
    response->troubles = examined.troubles;
    response->trouble_count = examined.trouble_count;
    return stk_examined_check(&examined, error);
}

static enum stirkeep_status take_service(const Stirkeep__V1__ServiceStatus *body,
                                         struct stk_arena *arena,
                                         struct stk_admin_response *response,
                                         struct stk_error *error)
{
    enum stirkeep_status status = take_digests(body->configuration, body->attestation, error);

    response->kind = STK_ADMIN_STATUS;
    response->service =
        (struct stk_service_status){.ready = body->ready != 0,
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
                                    .hardware = body->hardware != 0,
                                    .warnings = (const char *const *)body->warnings,
                                    .warning_count = body->n_warnings,
                                    .configuration = body->configuration,
                                    .attestation = body->attestation,
                                    .audit_key = body->audit_key,
                                    .audit_sealed = body->audit_sealed,
                                    .audit_unsealed = body->audit_unsealed,
                                    .audit_unsealed_since = body->audit_unsealed_since,
                                    .lock_down = (const char *const *)body->lock_down,
                                    .lock_down_count = body->n_lock_down};
    if (body->intake_use != NULL)
        response->service.intake_use =
            (struct stk_room_use){body->intake_use->cpu_us, body->intake_use->up_us};
    if (status == STIRKEEP_OK)
        status = stk_front_counters_take(body->front_counters, arena,
                                         &response->service.front_counters, error);
    if (status == STIRKEEP_OK)
        status = stk_keeper_counters_take(body->keeper_counters, arena,
                                          &response->service.keeper_counters, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->audit_key, "service_status.audit_key", 2 * STK_KEY_ID_LENGTH,
                               error);
    if (status == STIRKEEP_OK)
        status = stk_take_texts(body->lock_down, body->n_lock_down, "service_status.lock_down",
                                STK_PROCESSES_MAX, error);
    return status == STIRKEEP_OK
               ? stk_take_texts(body->warnings, body->n_warnings, "service_status.warnings",
                                STK_WARNINGS_MAX, error)
               : status;
}

static enum stirkeep_status take_requested(const Stirkeep__V1__Shown *body, struct stk_arena *arena,
                                           struct stk_admin_response *response,
                                           struct stk_error *error)
{
    struct stk_requested_key *keys = NULL;

    if (body->n_requested > STK_REQUESTED_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "shown.requested: more than %d",
                             STK_REQUESTED_MAX);
    keys = stk_arena_take(arena, body->n_requested * sizeof(*keys));
    if (keys == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "shown.requested: takes too much memory");
    for (size_t i = 0; i < body->n_requested; i++) {
        const Stirkeep__V1__RequestedKey *message = body->requested[i];
        enum stirkeep_status status = stk_take_exact(
            &message->key_id, "requested.key_id", STK_KEY_ID_LENGTH, keys[i].key_id.bytes, error);

        if (status == STIRKEEP_OK)
            status = stk_take_text(message->attributes, "requested.attributes", STK_ATTRIBUTES_MAX,
                                   error);
        if (status != STIRKEEP_OK)
            return status;
        keys[i].attributes = message->attributes;
        keys[i].created = message->created;
        keys[i].created_by = message->created_by;
    }
    response->requested = keys;
    response->requested_count = body->n_requested;
    return STIRKEEP_OK;
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
    if (status == STIRKEEP_OK)
        status = take_requested(body, arena, response, error);
    return status;
}

/* What came with the whole life of a key, which is made, installed and destroyed, and later. */
static enum stirkeep_status take_life(const Stirkeep__V1__AdminResponse *message,
                                      struct stk_arena *arena, struct stk_admin_response *response,
                                      struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_GENERATED:
        return take_generated(message->generated, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_INSTALLED:
        response->kind = STK_ADMIN_INSTALL;
        return take_imported(message->installed, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_DESTROYED:
        return take_destroyed(message->destroyed, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_DIAGNOSIS:
        return take_diagnosis(message->diagnosis, arena, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_REBUILT:
        return take_rebuilt(message->rebuilt, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_RELOADED:
        return take_reloaded(message->reloaded, response, error);
    case STIRKEEP__V1__ADMIN_RESPONSE__BODY_AUDIT_KEY:
        return take_audit_key(message->audit_key, response, error);
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "response: has no body that this version knows");
    }
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
        response->kind = STK_ADMIN_IMPORT;
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
        return take_service(message->service_status, arena, response, error);
    default:
        return take_life(message, arena, response, error);
    }
}

enum stirkeep_status stk_admin_response_decode(struct stk_bytes message, struct stk_arena *arena,
                                               struct stk_admin_response *ret_response,
                                               struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_admin_response response = {.message = "",
                                          .x5u = "",
                                          .attributes = "",
                                          .proof = "",
                                          .configuration = "",
                                          .attestation = ""};
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
