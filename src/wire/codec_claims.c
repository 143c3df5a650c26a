/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_claims.h"

#include "wire/pack.h"
#include <string.h>

/* Field numbers, proto/stirkeep/v1/sign.proto: written by hand, a signature's way has this twice. */
enum {
    CLAIMS_PPT = 1,
    CLAIMS_ORIG,
    CLAIMS_DEST,
    CLAIMS_IAT,
    CLAIMS_ATTEST,
    CLAIMS_ORIGID,
    CLAIMS_DIV,
    CLAIMS_OPT,
    CLAIMS_RPH,
    CLAIMS_RCD,
    CLAIMS_MKY,
    CLAIMS_OTHER,
    CLAIMS_COMPACT
};
enum { IDENTITY_TN = 1, IDENTITY_URI }; /* and of Destinations and Diversion */
enum { DIVERSION_HI = IDENTITY_URI + 1 };
enum { PRIORITY_AUTH = 1, PRIORITY_SPH };
enum { RCD_NAM = 1, RCD_APN, RCD_ICN, RCD_JCD, RCD_JCL, RCD_CRN, RCD_RCDI };
enum { PAIR_NAME = 1, PAIR_VALUE }; /* of Integrity and MediaKey */

/* ---- out */

/* Claims of either kind: `jcd` and `other` stand in for the input's texts when they are there. */
struct source {
    const struct stk_claims_input *input;
    const struct stk_json *jcd;
    const struct stk_json *other;
};

static void put_list(struct stk_writer *writer, uint32_t number, const char *const *texts,
                     size_t count)
{
    for (size_t i = 0; i < count && writer->status == STIRKEEP_OK; i++)
        stk_write_text_element(writer, number, texts[i]);
}

static void put_json(struct stk_writer *writer, uint32_t number, const struct stk_json *value)
{
    size_t mark = writer->out->length;
    struct stk_canonical canonical = stk_canonical_begin(writer->out);

    if (writer->status != STIRKEEP_OK || value == NULL)
        return;
    stk_json_write(value, &canonical);
    writer->status = stk_canonical_end(&canonical);
    stk_write_close(writer, number, mark);
}

static void put_pairs(struct stk_writer *writer, uint32_t number, const struct stk_pair *pairs,
                      size_t count)
{
    for (size_t i = 0; i < count && writer->status == STIRKEEP_OK; i++) {
        size_t mark = writer->out->length;

        stk_write_text(writer, PAIR_NAME, pairs[i].name);
        stk_write_text(writer, PAIR_VALUE, pairs[i].value);
        stk_write_close(writer, number, mark);
    }
}

static void put_parties(struct stk_writer *writer, const struct stk_claims_input *input)
{
    size_t mark = writer->out->length;

    stk_write_text(writer, IDENTITY_TN, input->orig_tn);
    stk_write_text(writer, IDENTITY_URI, input->orig_uri);
    stk_write_close_given(writer, CLAIMS_ORIG, mark);
    mark = writer->out->length;
    put_list(writer, IDENTITY_TN, input->dest_tn, input->dest_tn_count);
    put_list(writer, IDENTITY_URI, input->dest_uri, input->dest_uri_count);
    stk_write_close_given(writer, CLAIMS_DEST, mark);
}

static void put_rcd(struct stk_writer *writer, const struct source *source)
{
    const struct stk_claims_input *input = source->input;
    size_t mark = writer->out->length;

    stk_write_text(writer, RCD_NAM, input->rcd_nam);
    stk_write_text(writer, RCD_APN, input->rcd_apn);
    stk_write_text(writer, RCD_ICN, input->rcd_icn);
    stk_write_text(writer, RCD_JCD, input->rcd_jcd);
    put_json(writer, RCD_JCD, source->jcd);
    stk_write_text(writer, RCD_JCL, input->rcd_jcl);
    stk_write_text(writer, RCD_CRN, input->crn);
    put_pairs(writer, RCD_RCDI, input->rcdi, input->rcdi_count);
    stk_write_close_given(writer, CLAIMS_RCD, mark);
}

/* What base and shaken PASSporTs do not have. */
static void put_extensions(struct stk_writer *writer, const struct stk_claims_input *input)
{
    size_t mark = writer->out->length;

    stk_write_text(writer, IDENTITY_TN, input->div_tn);
    stk_write_text(writer, IDENTITY_URI, input->div_uri);
    stk_write_text(writer, DIVERSION_HI, input->div_hi);
    stk_write_close_given(writer, CLAIMS_DIV, mark);
    stk_write_text(writer, CLAIMS_OPT, input->opt);
    mark = writer->out->length;
    put_list(writer, PRIORITY_AUTH, input->rph_auth, input->rph_auth_count);
    stk_write_text(writer, PRIORITY_SPH, input->sph);
    stk_write_close_given(writer, CLAIMS_RPH, mark);
}

static enum stirkeep_status append(uint32_t number, const struct source *source,
                                   struct stk_buffer *out)
{
    const struct stk_claims_input *input = source->input;
    struct stk_writer writer = {.out = out, .status = STIRKEEP_OK};
    size_t mark = out->length;

    stk_write_text(&writer, CLAIMS_PPT, input->ppt);
    put_parties(&writer, input);
    stk_write_number(&writer, CLAIMS_IAT, (uint64_t)input->iat);
    stk_write_text(&writer, CLAIMS_ATTEST, input->attest);
    stk_write_text(&writer, CLAIMS_ORIGID, input->origid);
    put_extensions(&writer, input);
    put_rcd(&writer, source);
    put_pairs(&writer, CLAIMS_MKY, input->mky, input->mky_count);
    stk_write_text(&writer, CLAIMS_OTHER, input->other);
    put_json(&writer, CLAIMS_OTHER, source->other);
    stk_write_number(&writer, CLAIMS_COMPACT, input->compact);
    stk_write_close(&writer, number, mark);
    return writer.status;
}

enum stirkeep_status stk_claims_append_input(uint32_t number, const struct stk_claims_input *input,
                                             struct stk_buffer *out)
{
    const struct source source = {.input = input};

    return append(number, &source, out);
}

/* Not by stk_claims_input_of: JSON is written into the message itself. */
enum stirkeep_status stk_claims_append(uint32_t number, const struct stk_claims *claims,
                                       struct stk_buffer *out)
{
    const char attest[2] = {claims->attest, '\0'};
    const struct stk_claims_input input = {.ppt = claims->ppt_text,
                                           .orig_tn = claims->orig_tn,
                                           .orig_uri = claims->orig_uri,
                                           .dest_tn = claims->dest_tn,
                                           .dest_tn_count = claims->dest_tn_count,
                                           .dest_uri = claims->dest_uri,
                                           .dest_uri_count = claims->dest_uri_count,
                                           .iat = claims->iat,
                                           .attest = attest,
                                           .origid = claims->origid,
                                           .div_tn = claims->div_tn,
                                           .div_uri = claims->div_uri,
                                           .div_hi = claims->div_hi,
                                           .opt = claims->opt,
                                           .rph_auth = claims->rph_auth,
                                           .rph_auth_count = claims->rph_auth_count,
                                           .sph = claims->sph,
                                           .rcd_nam = claims->rcd_nam,
                                           .rcd_apn = claims->rcd_apn,
                                           .rcd_icn = claims->rcd_icn,
                                           .rcd_jcl = claims->rcd_jcl,
                                           .crn = claims->crn,
                                           .rcdi = claims->rcdi,
                                           .rcdi_count = claims->rcdi_count,
                                           .mky = claims->mky,
                                           .mky_count = claims->mky_count,
                                           .compact = claims->compact};
    const struct source source = {.input = &input, .jcd = claims->rcd_jcd, .other = claims->other};

    return append(number, &source, out);
}

/* ---- in */

/* The two texts of Integrity are where those of MediaKey are. */
static bool take_rcdi(const Stirkeep__V1__RichCallData *rcd, struct stk_arena *arena,
                      struct stk_claims_input *input)
{
    struct stk_pair *pairs = stk_arena_take(arena, rcd->n_rcdi * sizeof(*pairs));

    if (pairs == NULL)
        return false;
    for (size_t i = 0; i < rcd->n_rcdi; i++)
        pairs[i] = (struct stk_pair){rcd->rcdi[i]->pointer, rcd->rcdi[i]->digest};
    input->rcdi = pairs;
    input->rcdi_count = rcd->n_rcdi;
    return true;
}

static bool take_mky(const Stirkeep__V1__Claims *message, struct stk_arena *arena,
                     struct stk_claims_input *input)
{
    struct stk_pair *pairs = stk_arena_take(arena, message->n_mky * sizeof(*pairs));

    if (pairs == NULL)
        return false;
    for (size_t i = 0; i < message->n_mky; i++)
        pairs[i] = (struct stk_pair){message->mky[i]->alg, message->mky[i]->dig};
    input->mky = pairs;
    input->mky_count = message->n_mky;
    return true;
}

static void take_extensions(const Stirkeep__V1__Claims *message, struct stk_claims_input *input)
{
    if (message->div != NULL) {
        input->div_tn = message->div->tn;
        input->div_uri = message->div->uri;
        input->div_hi = message->div->hi;
    }
    if (message->rph != NULL) {
        input->rph_auth = (const char *const *)message->rph->auth;
        input->rph_auth_count = message->rph->n_auth;
        input->sph = message->rph->sph;
    }
    if (message->rcd != NULL) {
        input->rcd_nam = message->rcd->nam;
        input->rcd_apn = message->rcd->apn;
        input->rcd_icn = message->rcd->icn;
        input->rcd_jcd = message->rcd->jcd;
        input->rcd_jcl = message->rcd->jcl;
        input->crn = message->rcd->crn;
    }
}

enum stirkeep_status stk_claims_take(const Stirkeep__V1__Claims *message, struct stk_arena *arena,
                                     struct stk_claims *ret_claims, struct stk_error *error)
{
    struct stk_claims_input input = {0};

    if (message == NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "claims: missing");
    input.ppt = message->ppt;
    input.iat = message->iat;
    input.attest = message->attest;
    input.origid = message->origid;
    input.opt = message->opt;
    input.other = message->other;
    input.compact = message->compact != 0;
    if (message->orig != NULL) {
        input.orig_tn = message->orig->tn;
        input.orig_uri = message->orig->uri;
    }
    if (message->dest != NULL) {
        input.dest_tn = (const char *const *)message->dest->tn;
        input.dest_tn_count = message->dest->n_tn;
        input.dest_uri = (const char *const *)message->dest->uri;
        input.dest_uri_count = message->dest->n_uri;
    }
    take_extensions(message, &input);
    if ((message->rcd != NULL && !take_rcdi(message->rcd, arena, &input)) ||
        (message->n_mky > 0 && !take_mky(message, arena, &input)))
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "claims: take too much memory");
    return stk_claims_make(&input, arena, ret_claims, error);
}
