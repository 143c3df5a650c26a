/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fills.h"
#include <string.h>

/* ---- orders */

static void fill_custody(union decoded *value, enum stk_custody_kind kind)
{
    value->custody_order = (struct stk_custody_order){
        .id = SAMPLE_ID, .kind = kind, .act = "", .outcome = "", .detail = ""};
}

void fill_custody_token(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_TOKEN);
}

void fill_custody_import(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_IMPORT);
    fill_name(&value->custody_order.name, "name");
    fill_key_id(&value->custody_order.key_id, 2);
    value->custody_order.chain[0] = BYTES(3);
    value->custody_order.chain[1] = BYTES(3);
    value->custody_order.chain_count = 2;
    value->custody_order.sealed = BYTES(4);
    memset(value->custody_order.challenge, 5, STK_CHALLENGE_LENGTH);
    value->custody_order.x5u = SAMPLE_X5U;
}

/* The key has to be there. */
void fill_custody_install(union decoded *value)
{
    fill_custody_import(value);
    value->custody_order.sealed = (struct stk_bytes){0};
}

void fill_custody_generate(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_GENERATE);
    fill_name(&value->custody_order.name, "name");
    fill_key_id(&value->custody_order.ticket, 2);
}

void fill_custody_request(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_REQUEST);
    fill_name(&value->custody_order.name, "name");
    fill_key_id(&value->custody_order.ticket, 2);
    fill_key_id(&value->custody_order.key_id, 3);
    value->custody_order.spc = SAMPLE_SPC;
    value->custody_order.subject = "subject";
    memset(value->custody_order.challenge, 6, STK_CHALLENGE_LENGTH);
}

void fill_custody_examine(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_EXAMINE);
}

void fill_custody_inventory(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_INVENTORY);
    fill_key_id(&value->custody_order.key_id, 1);
}

void fill_custody_prove(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_PROVE);
    fill_key_id(&value->custody_order.key_id, 1);
    memset(value->custody_order.challenge, 2, STK_CHALLENGE_LENGTH);
}

void fill_custody_destroy(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_DESTROY);
    fill_key_id(&value->custody_order.key_id, 1);
}

void fill_custody_record(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_RECORD);
    value->custody_order.act = "act";
    value->custody_order.outcome = "outcome";
    fill_name(&value->custody_order.name, "name");
    value->custody_order.generation = 1004;
    fill_key_id(&value->custody_order.key_id, 5);
    value->custody_order.detail = "detail";
    value->custody_order.peer = (struct stk_peer){.uid = 1007, .gid = 1008, .pid = 1009};
    value->custody_order.request_id = 1010;
}

/* ---- answers */

static void fill_custody_answer(union decoded *value, enum stirkeep_status status)
{
    value->custody_answer = (struct stk_custody_answer){
        .id = SAMPLE_ID, .status = status, .message = status != STIRKEEP_OK ? "message" : ""};
}

void fill_token_answer(union decoded *value)
{
    static uint8_t spki[STK_SPKI_LENGTH];

    memset(spki, 12, sizeof(spki));
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_token = true;
    value->custody_answer.token = (struct stk_token_report){.label = "label",
                                                            .serial = "serial",
                                                            .model = "model",
                                                            .hardware = true,
                                                            .seal_way = "seal_way",
                                                            .sign_way = "sign_way",
                                                            .signers = 1007,
                                                            .wrapping_spki = BYTES(8),
                                                            .signatures = 1009,
                                                            .audit_sequence = 1010,
                                                            .audit_writable = true,
                                                            .audit_spki = {spki, sizeof(spki)},
                                                            .audit_attributes = "audit_attributes",
                                                            .audit_sealed = 1014,
                                                            .audit_unsealed = 1015,
                                                            .audit_unsealed_since = 1016,
                                                            .counters = sample_keeper_counters()};
}

void fill_proof_answer(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_proof = true;
    memset(value->custody_answer.signature, 1, STK_SIGNATURE_LENGTH);
    value->custody_answer.attributes = "attributes";
}

void fill_generate_answer(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_spki = true;
    value->custody_answer.spki = BYTES(1);
}

void fill_request_answer(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_request = true;
    value->custody_answer.has_proof = true;
    value->custody_answer.csr = BYTES(1);
    memset(value->custody_answer.signature, 2, STK_SIGNATURE_LENGTH);
    value->custody_answer.attributes = "attributes";
}

void fill_destroy_answer(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_destroyed = true;
    value->custody_answer.objects = 1001;
    value->custody_answer.proof = "proof";
}

void fill_examine_answer(union decoded *value)
{
    struct stk_custody_answer *answer = &value->custody_answer;

    fill_custody_answer(value, STIRKEEP_OK);
    answer->has_examined = true;
    fill_diagnosis(&answer->facts, &answer->fact_count, &answer->troubles, &answer->trouble_count);
}

void fill_inventory_answer(union decoded *value)
{
    static const char *const x5u[] = {SAMPLE_X5U, SAMPLE_X5U};
    static struct stk_bytes certificates[2];
    struct stk_custody_answer *answer = &value->custody_answer;

    certificates[0] = BYTES(4);
    certificates[1] = BYTES(4);
    fill_custody_answer(value, STIRKEEP_OK);
    answer->has_inventory = true;
    fill_key_id(&answer->key_id, 1);
    answer->name = "name";
    answer->attributes = "attributes";
    answer->certificates = certificates;
    answer->x5u = x5u;
    answer->certificate_count = 2;
}

void fill_custody_error(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_TOKEN_ERROR);
}
