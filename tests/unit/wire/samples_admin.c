/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fills.h"
#include <string.h>

static const char *const lock_down[] = {"first of lock_down", "second of lock_down"};
static const char *const warnings[] = {"first of warnings", "second of warnings"};

/* ---- requests */

static void fill_admin(union decoded *value, enum stk_admin_kind kind)
{
    value->admin_request = (struct stk_admin_request){
        .id = SAMPLE_ID, .kind = kind, .x5u = "", .source = "", .how = "", .after = ""};
    if (kind != STK_ADMIN_WRAPPING_KEY && kind != STK_ADMIN_LIST && kind != STK_ADMIN_STATUS &&
        kind != STK_ADMIN_DOCTOR && kind != STK_ADMIN_REBUILD && kind != STK_ADMIN_RELOAD &&
        kind != STK_ADMIN_AUDIT_KEY)
        fill_name(&value->admin_request.name, "name");
}

void fill_admin_wrapping_key(union decoded *value)
{
    fill_admin(value, STK_ADMIN_WRAPPING_KEY);
}

void fill_admin_import(union decoded *value)
{
    fill_admin(value, STK_ADMIN_IMPORT);
    value->admin_request.chain[0] = BYTES(2);
    value->admin_request.chain[1] = BYTES(2);
    value->admin_request.chain_count = 2;
    value->admin_request.sealed = BYTES(3);
    value->admin_request.x5u = SAMPLE_X5U;
    value->admin_request.source = "source";
    value->admin_request.activate_at = 1006;
    value->admin_request.elsewhere = true;
}

void fill_admin_source_removed(union decoded *value)
{
    fill_admin(value, STK_ADMIN_SOURCE_REMOVED);
    value->admin_request.generation = 1002;
    fill_key_id(&value->admin_request.key_id, 3);
    value->admin_request.source = "source";
    value->admin_request.how = "how";
}

void fill_admin_list(union decoded *value)
{
    fill_admin(value, STK_ADMIN_LIST);
    value->admin_request.after = "after";
}

void fill_admin_show(union decoded *value)
{
    fill_admin(value, STK_ADMIN_SHOW);
    value->admin_request.generation = 1002;
}

void fill_admin_retire(union decoded *value)
{
    fill_admin(value, STK_ADMIN_RETIRE);
}

void fill_admin_rollback(union decoded *value)
{
    fill_admin(value, STK_ADMIN_ROLLBACK);
}

void fill_admin_status(union decoded *value)
{
    fill_admin(value, STK_ADMIN_STATUS);
}

void fill_admin_generate(union decoded *value)
{
    fill_admin(value, STK_ADMIN_GENERATE);
    value->admin_request.spc = SAMPLE_SPC;
    value->admin_request.subject = "subject";
}

void fill_admin_install(union decoded *value)
{
    fill_admin(value, STK_ADMIN_INSTALL);
    value->admin_request.chain[0] = BYTES(2);
    value->admin_request.chain[1] = BYTES(2);
    value->admin_request.chain_count = 2;
    value->admin_request.x5u = SAMPLE_X5U;
    value->admin_request.activate_at = 1004;
}

void fill_admin_destroy(union decoded *value)
{
    fill_admin(value, STK_ADMIN_DESTROY);
    fill_key_id(&value->admin_request.key_id, 2);
}

void fill_admin_doctor(union decoded *value)
{
    fill_admin(value, STK_ADMIN_DOCTOR);
}

void fill_admin_rebuild(union decoded *value)
{
    fill_admin(value, STK_ADMIN_REBUILD);
}

void fill_admin_reload(union decoded *value)
{
    fill_admin(value, STK_ADMIN_RELOAD);
}

void fill_admin_audit_key(union decoded *value)
{
    fill_admin(value, STK_ADMIN_AUDIT_KEY);
}

/* ---- answers */

static void fill_answered(union decoded *value, enum stk_admin_kind kind)
{
    value->admin_response = (struct stk_admin_response){.id = SAMPLE_ID, .kind = kind};
}

void fill_answered_wrapping_key(union decoded *value)
{
    fill_answered(value, STK_ADMIN_WRAPPING_KEY);
    value->admin_response.spki = BYTES(1);
    value->admin_response.token_label = "token_label";
    value->admin_response.token_serial = "token_serial";
}

static void fill_imported(union decoded *value, enum stk_admin_kind kind)
{
    fill_answered(value, kind);
    value->admin_response.generation = 1001;
    value->admin_response.x5u = "x5u";
    fill_key_id(&value->admin_response.key_id, 3);
    value->admin_response.already_held = true;
    value->admin_response.warnings = warnings;
    value->admin_response.warning_count = 2;
    value->admin_response.attributes = "attributes";
    value->admin_response.activate_at = 1007;
}

void fill_answered_import(union decoded *value)
{
    fill_imported(value, STK_ADMIN_IMPORT);
}

void fill_answered_install(union decoded *value)
{
    fill_imported(value, STK_ADMIN_INSTALL);
}

void fill_answered_generate(union decoded *value)
{
    fill_answered(value, STK_ADMIN_GENERATE);
    value->admin_response.csr = BYTES(1);
    fill_key_id(&value->admin_response.key_id, 2);
    value->admin_response.attributes = "attributes";
    value->admin_response.already_held = true;
}

void fill_answered_destroy(union decoded *value)
{
    fill_answered(value, STK_ADMIN_DESTROY);
    value->admin_response.keys = 1001;
    value->admin_response.affected = 1002;
    value->admin_response.stopped = true;
    value->admin_response.proof = "proof";
}

void fill_answered_doctor(union decoded *value)
{
    struct stk_admin_response *response = &value->admin_response;

    fill_answered(value, STK_ADMIN_DOCTOR);
    fill_diagnosis(&response->facts, &response->fact_count, &response->troubles,
                   &response->trouble_count);
}

void fill_answered_rebuild(union decoded *value)
{
    static const char *const problems[] = {"first of problems", "second of problems"};

    fill_answered(value, STK_ADMIN_REBUILD);
    value->admin_response.names = 1001;
    value->admin_response.affected = 1002;
    value->admin_response.keys = 1003;
    value->admin_response.problems = problems;
    value->admin_response.problem_count = 2;
}

void fill_answered_reload(union decoded *value)
{
    fill_answered(value, STK_ADMIN_RELOAD);
    value->admin_response.configuration = "configuration";
    value->admin_response.attestation = "attestation";
    value->admin_response.grants = 1003;
    value->admin_response.attest_rules = 1004;
}

void fill_answered_audit_key(union decoded *value)
{
    static uint8_t spki[STK_SPKI_LENGTH];

    memset(spki, 1, sizeof(spki));
    fill_answered(value, STK_ADMIN_AUDIT_KEY);
    value->admin_response.spki = (struct stk_bytes){spki, sizeof(spki)};
    fill_key_id(&value->admin_response.key_id, 2);
    value->admin_response.attributes = "attributes";
    value->admin_response.token_label = "token_label";
    value->admin_response.token_serial = "token_serial";
}

void fill_answered_source_removed(union decoded *value)
{
    fill_answered(value, STK_ADMIN_SOURCE_REMOVED);
}

static void fill_generations(union decoded *value)
{
    static struct stk_generation generations[2];

    generations[0] = (struct stk_generation){.name = "name",
                                             .generation = 1002,
                                             .state = "state",
                                             .spc = "spc",
                                             .subject = "subject",
                                             .issuer = "issuer",
                                             .serial = "serial",
                                             .fingerprint = "fingerprint",
                                             .x5u = "x5u",
                                             .not_before = 1010,
                                             .not_after = 1011,
                                             .origin = "origin",
                                             .attributes = "attributes",
                                             .created = 1015,
                                             .created_by = 1016,
                                             .activate_at = 1017,
                                             .numbers = "numbers"};
    fill_key_id(&generations[0].key_id, 12);
    generations[1] = generations[0];
    value->admin_response.generations = generations;
    value->admin_response.generation_count = 2;
}

void fill_answered_list(union decoded *value)
{
    fill_answered(value, STK_ADMIN_LIST);
    fill_generations(value);
    value->admin_response.more = true;
}

static void fill_requested(union decoded *value)
{
    static struct stk_requested_key requested[2];

    requested[0] =
        (struct stk_requested_key){.attributes = "attributes", .created = 1003, .created_by = 1004};
    fill_key_id(&requested[0].key_id, 1);
    requested[1] = requested[0];
    value->admin_response.requested = requested;
    value->admin_response.requested_count = 2;
}

/* A name that has nothing yet but keys that wait for their certificate. */
void fill_answered_requested(union decoded *value)
{
    fill_answered(value, STK_ADMIN_SHOW);
    fill_requested(value);
}

void fill_answered_show(union decoded *value)
{
    fill_answered(value, STK_ADMIN_SHOW);
    fill_generations(value);
    fill_requested(value);
    value->admin_response.chain[0] = BYTES(2);
    value->admin_response.chain[1] = BYTES(2);
    value->admin_response.chain_count = 2;
}

void fill_answered_retire(union decoded *value)
{
    fill_answered(value, STK_ADMIN_RETIRE);
    value->admin_response.generation = 1001;
}

void fill_answered_rollback(union decoded *value)
{
    fill_answered(value, STK_ADMIN_ROLLBACK);
    value->admin_response.generation = 1001;
}

void fill_answered_status(union decoded *value)
{
    fill_answered(value, STK_ADMIN_STATUS);
    value->admin_response.service =
        (struct stk_service_status){.ready = true,
                                    .version = "version",
                                    .detail = "detail",
                                    .front = "front",
                                    .keeper = "keeper",
                                    .token_label = "token_label",
                                    .token_serial = "token_serial",
                                    .token_model = "token_model",
                                    .seal_way = "seal_way",
                                    .sign_way = "sign_way",
                                    .signers = 1011,
                                    .names = 1012,
                                    .signatures = 1013,
                                    .refusals = 1014,
                                    .connections = 1015,
                                    .audit_sequence = 1016,
                                    .hardware = true,
                                    .warnings = warnings,
                                    .warning_count = 2,
                                    .configuration = "configuration",
                                    .attestation = "attestation",
                                    .audit_key = "audit_key",
                                    .audit_sealed = 1022,
                                    .audit_unsealed = 1023,
                                    .audit_unsealed_since = 1024,
                                    .front_counters = sample_front_counters(),
                                    .keeper_counters = sample_keeper_counters(),
                                    .intake_use = {1001, 1002},
                                    .lock_down = lock_down,
                                    .lock_down_count = 2};
}

void fill_answered_error(union decoded *value)
{
    fill_answered(value, STK_ADMIN_NONE);
    value->admin_response.status = STIRKEEP_CONFLICT;
    value->admin_response.message = "message";
}
