/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "model/uri.h"
#include "wire/examined.h"
#include "wire/pack.h"

#include "order.pb-c.h"
#include <stdlib.h>

/* Answers, the keeper's side. */

static enum stirkeep_status encode_token(Stirkeep__V1__Order__CustodyAnswer *message,
                                         const struct stk_token_report *report,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__Order__TokenAnswer body = STIRKEEP__V1__ORDER__TOKEN_ANSWER__INIT;
    enum stirkeep_status status = STIRKEEP_OK;

    body.label = stk_pack_text(report->label);
    body.serial = stk_pack_text(report->serial);
    body.model = stk_pack_text(report->model);
    body.hardware = report->hardware;
    body.seal_way = stk_pack_text(report->seal_way);
    body.sign_way = stk_pack_text(report->sign_way);
    body.signers = report->signers;
    body.wrapping_spki = stk_pack_view(report->wrapping_spki);
    body.signatures = report->signatures;
    body.audit_sequence = report->audit_sequence;
    body.audit_writable = report->audit_writable;
    body.audit_spki = stk_pack_view(report->audit_spki);
    body.audit_attributes = stk_pack_text(report->audit_attributes);
    body.audit_sealed = report->audit_sealed;
    body.audit_unsealed = report->audit_unsealed;
    body.audit_unsealed_since = report->audit_unsealed_since;
    if (report->counters != NULL) {
        body.counters = stk_keeper_counters_message(report->counters);
        if (body.counters == NULL)
            return STIRKEEP_NO_MEMORY;
    }
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_TOKEN;
    message->token = &body;
    status = stk_pack_scrubbed(&message->base, out);
    free(body.counters);
    return status;
}

static enum stirkeep_status encode_request(Stirkeep__V1__Order__CustodyAnswer *message,
                                           const struct stk_custody_answer *answer,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__Order__RequestAnswer body = STIRKEEP__V1__ORDER__REQUEST_ANSWER__INIT;

    body.csr = stk_pack_view(answer->csr);
    body.signature = stk_pack_view((struct stk_bytes){answer->signature, STK_SIGNATURE_LENGTH});
    body.attributes = stk_pack_text(answer->attributes);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_REQUEST;
    message->request = &body;
    return stk_pack_scrubbed(&message->base, out);
}

/* With the small ones: a proof, a public key, what was destroyed, or nothing. */
static enum stirkeep_status encode_small(Stirkeep__V1__Order__CustodyAnswer *message,
                                         const struct stk_custody_answer *answer,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__Order__ProofAnswer proof = STIRKEEP__V1__ORDER__PROOF_ANSWER__INIT;
    Stirkeep__V1__Order__GenerateAnswer generate = STIRKEEP__V1__ORDER__GENERATE_ANSWER__INIT;
    Stirkeep__V1__Order__DestroyAnswer destroy = STIRKEEP__V1__ORDER__DESTROY_ANSWER__INIT;

    if (answer->has_proof) {
        proof.signature =
            stk_pack_view((struct stk_bytes){answer->signature, STK_SIGNATURE_LENGTH});
        proof.attributes = stk_pack_text(answer->attributes);
        message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_PROOF;
        message->proof = &proof;
    } else if (answer->has_spki) {
        generate.spki = stk_pack_view(answer->spki);
        message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_GENERATE;
        message->generate = &generate;
    } else if (answer->has_destroyed) {
        destroy.objects = answer->objects;
        destroy.proof = stk_pack_text(answer->proof);
        message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_DESTROY;
        message->destroy = &destroy;
    }
    return stk_pack_scrubbed(&message->base, out);
}

/* Behind what goes before any body. */
static enum stirkeep_status encode_examined(const Stirkeep__V1__Order__CustodyAnswer *message,
                                            const struct stk_custody_answer *answer,
                                            struct stk_buffer *out)
{
    enum stirkeep_status status = stk_pack_scrubbed(&message->base, out);
    size_t mark = out->length;

    if (status == STIRKEEP_OK)
        status = stk_examined_append(answer->facts, answer->fact_count, answer->troubles,
                                     answer->trouble_count, out);
    return status == STIRKEEP_OK
               ? stk_pack_close(STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_EXAMINE, mark, out)
               : status;
}

/* What a token's labels and attributes say, or "" when that is not what it should be: one object
 * that somebody else wrote must not hide the others. */
static const char *name_or_none(const char *name)
{
    struct stk_name parsed = {0};

    return name != NULL && stk_name_parse(name, &parsed, NULL) == STIRKEEP_OK ? name : "";
}

static const char *x5u_or_none(const char *x5u)
{
    return x5u != NULL && stk_x5u_check(x5u, NULL) == STIRKEEP_OK ? x5u : "";
}

static enum stirkeep_status encode_inventory(Stirkeep__V1__Order__CustodyAnswer *message,
                                             const struct stk_custody_answer *answer,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__Order__InventoryAnswer body = STIRKEEP__V1__ORDER__INVENTORY_ANSWER__INIT;
    ProtobufCBinaryData certificates[STK_INVENTORY_MAX];
    char *x5u[STK_INVENTORY_MAX];

    if (answer->certificate_count > STK_INVENTORY_MAX)
        return STIRKEEP_TOO_LARGE;
    for (size_t i = 0; i < answer->certificate_count; i++) {
        certificates[i] = stk_pack_view(answer->certificates[i]);
        x5u[i] = stk_pack_text(x5u_or_none(answer->x5u[i]));
    }
    body.key_id = stk_pack_id_or_none(&answer->key_id);
    body.name = stk_pack_text(name_or_none(answer->name));
    body.attributes = stk_pack_text(answer->attributes);
    body.certificates = certificates;
    body.n_certificates = answer->certificate_count;
    body.x5u = x5u;
    body.n_x5u = answer->certificate_count;
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_INVENTORY;
    message->inventory = &body;
    return stk_pack_scrubbed(&message->base, out);
}

enum stirkeep_status stk_custody_answer_encode(const struct stk_custody_answer *answer,
                                               struct stk_buffer *out)
{
    Stirkeep__V1__Order__CustodyAnswer message = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__INIT;
    size_t before = out->length;
    enum stirkeep_status status = STIRKEEP_OK;

    message.id = answer->id;
    message.status = (uint32_t)answer->status;
    message.message = stk_pack_text(answer->message);
    if (answer->has_token)
        status = encode_token(&message, &answer->token, out);
    else if (answer->has_request)
        status = encode_request(&message, answer, out);
    else if (answer->has_examined)
        status = encode_examined(&message, answer, out);
    else if (answer->has_inventory)
        status = encode_inventory(&message, answer, out);
    else
        status = encode_small(&message, answer, out);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}
