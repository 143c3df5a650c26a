/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/payload.h"

#include <string.h>

/* ---- values */

static void put_list(struct stk_canonical *json, const char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stk_canonical_raw(json, i == 0 ? "[" : ",");
        stk_canonical_text(json, texts[i]);
    }
    stk_canonical_raw(json, "]");
}

/* A tn or a uri, and the end of the object that it is the last member of. */
static void put_party(struct stk_canonical *json, bool first, const char *tn, const char *uri)
{
    static const char *const keys[2][2] = {{",\"tn\":", ",\"uri\":"}, {"{\"tn\":", "{\"uri\":"}};

    stk_canonical_raw(json, keys[first][tn == NULL]);
    stk_canonical_text(json, tn != NULL ? tn : uri);
    stk_canonical_raw(json, "}");
}

static void put_attest(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_string(json, &claims->attest, 1);
}

static void put_crn(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_text(json, claims->crn);
}

static void put_dest(const struct stk_claims *claims, struct stk_canonical *json)
{
    const bool has_tn = claims->dest_tn_count > 0;

    if (has_tn) {
        stk_canonical_raw(json, "{\"tn\":");
        put_list(json, claims->dest_tn, claims->dest_tn_count);
    }
    if (claims->dest_uri_count > 0) {
        stk_canonical_raw(json, has_tn ? ",\"uri\":" : "{\"uri\":");
        put_list(json, claims->dest_uri, claims->dest_uri_count);
    }
    stk_canonical_raw(json, "}");
}

static void put_div(const struct stk_claims *claims, struct stk_canonical *json)
{
    if (claims->div_hi != NULL) {
        stk_canonical_raw(json, "{\"hi\":");
        stk_canonical_text(json, claims->div_hi);
    }
    put_party(json, claims->div_hi == NULL, claims->div_tn, claims->div_uri);
}

static void put_iat(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_integer(json, claims->iat);
}

static void put_mky(const struct stk_claims *claims, struct stk_canonical *json)
{
    for (size_t i = 0; i < claims->mky_count; i++) {
        stk_canonical_raw(json, i == 0 ? "[{\"alg\":" : ",{\"alg\":");
        stk_canonical_text(json, claims->mky[i].name);
        stk_canonical_raw(json, ",\"dig\":");
        stk_canonical_text(json, claims->mky[i].value);
        stk_canonical_raw(json, "}");
    }
    stk_canonical_raw(json, "]");
}

static void put_opt(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_text(json, claims->opt);
}

static void put_orig(const struct stk_claims *claims, struct stk_canonical *json)
{
    put_party(json, true, claims->orig_tn, claims->orig_uri);
}

static void put_origid(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_text(json, claims->origid);
}

static void put_rcd(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_raw(json, "{");
    if (claims->rcd_apn != NULL) {
        stk_canonical_raw(json, "\"apn\":");
        stk_canonical_text(json, claims->rcd_apn);
        stk_canonical_raw(json, ",");
    }
    if (claims->rcd_icn != NULL) {
        stk_canonical_raw(json, "\"icn\":");
        stk_canonical_text(json, claims->rcd_icn);
        stk_canonical_raw(json, ",");
    }
    if (claims->rcd_jcd != NULL) {
        stk_canonical_raw(json, "\"jcd\":");
        stk_json_write(claims->rcd_jcd, json);
        stk_canonical_raw(json, ",");
    }
    if (claims->rcd_jcl != NULL) {
        stk_canonical_raw(json, "\"jcl\":");
        stk_canonical_text(json, claims->rcd_jcl);
        stk_canonical_raw(json, ",");
    }
    stk_canonical_raw(json, "\"nam\":");
    stk_canonical_text(json, claims->rcd_nam);
    stk_canonical_raw(json, "}");
}

static void put_rcdi(const struct stk_claims *claims, struct stk_canonical *json)
{
    for (size_t i = 0; i < claims->rcdi_count; i++) {
        stk_canonical_raw(json, i == 0 ? "{" : ",");
        stk_canonical_text(json, claims->rcdi[i].name);
        stk_canonical_raw(json, ":");
        stk_canonical_text(json, claims->rcdi[i].value);
    }
    stk_canonical_raw(json, "}");
}

static void put_rph(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_raw(json, "{\"auth\":");
    put_list(json, claims->rph_auth, claims->rph_auth_count);
    stk_canonical_raw(json, "}");
}

static void put_sph(const struct stk_claims *claims, struct stk_canonical *json)
{
    stk_canonical_text(json, claims->sph);
}

/* ---- claims, in code-point order of their names */

enum place { ATTEST, CRN, DEST, DIV, IAT, MKY, OPT, ORIG, ORIGID, RCD, RCDI, RPH, SPH, PLACES };

#define PLACE(name, put)                                                                           \
    {                                                                                              \
        name, ",\"" name "\":", put                                                                \
    }

static const struct {
    const char *name;
    const char *key; /* the name as it is written, needing no escape, behind a comma */
    void (*put)(const struct stk_claims *claims, struct stk_canonical *json);
} places[PLACES] = {[ATTEST] = PLACE("attest", put_attest), [CRN] = PLACE("crn", put_crn),
                    [DEST] = PLACE("dest", put_dest),       [DIV] = PLACE("div", put_div),
                    [IAT] = PLACE("iat", put_iat),          [MKY] = PLACE("mky", put_mky),
                    [OPT] = PLACE("opt", put_opt),          [ORIG] = PLACE("orig", put_orig),
                    [ORIGID] = PLACE("origid", put_origid), [RCD] = PLACE("rcd", put_rcd),
                    [RCDI] = PLACE("rcdi", put_rcdi),       [RPH] = PLACE("rph", put_rph),
                    [SPH] = PLACE("sph", put_sph)};

static unsigned bit_if(bool there, enum place place)
{
    return there ? 1U << place : 0;
}

/* The claims that are there, a bit for each place. */
static unsigned claims_there(const struct stk_claims *claims)
{
    return 1U << DEST | 1U << IAT | 1U << ORIG | bit_if(claims->attest != 0, ATTEST) |
           bit_if(claims->crn != NULL, CRN) |
           bit_if(claims->div_tn != NULL || claims->div_uri != NULL, DIV) |
           bit_if(claims->mky_count > 0, MKY) | bit_if(claims->opt != NULL, OPT) |
           bit_if(claims->origid[0] != '\0', ORIGID) | bit_if(claims->rcd_nam != NULL, RCD) |
           bit_if(claims->rcdi_count > 0, RCDI) | bit_if(claims->rph_auth_count > 0, RPH) |
           bit_if(claims->sph != NULL, SPH);
}

/* Other claims whose names come before `name`; all that are left for NULL. Returns the next. */
static const struct stk_json *put_others(struct stk_canonical *json, const struct stk_json *other,
                                         const char *name, bool *first)
{
    for (; other != NULL && (name == NULL || strcmp(other->key, name) < 0); other = other->next) {
        if (!*first)
            stk_canonical_raw(json, ",");
        *first = false;
        stk_canonical_string(json, other->key, other->key_length);
        stk_canonical_raw(json, ":");
        stk_json_write(other, json);
    }
    return other;
}

void stk_payload_write(const struct stk_claims *claims, struct stk_canonical *json)
{
    const struct stk_json *other = claims->other != NULL ? claims->other->first : NULL;
    const unsigned there = claims_there(claims);
    bool first = true;

    stk_canonical_raw(json, "{");
    for (unsigned i = 0; i < PLACES; i++) {
        if ((there & 1U << i) == 0)
            continue;
        if (other != NULL)
            other = put_others(json, other, places[i].name, &first);
        stk_canonical_raw(json, places[i].key + first);
        first = false;
        places[i].put(claims, json);
    }
    (void)put_others(json, other, NULL, &first);
    stk_canonical_raw(json, "}");
}

bool stk_payload_write_claim(const struct stk_claims *claims, const char *name,
                             struct stk_canonical *json)
{
    const struct stk_json *other = stk_json_member(claims->other, name);

    for (unsigned i = 0; i < PLACES; i++) {
        if (strcmp(places[i].name, name) != 0)
            continue;
        if ((claims_there(claims) & 1U << i) == 0)
            return false;
        places[i].put(claims, json);
        return true;
    }
    if (other == NULL)
        return false;
    stk_json_write(other, json);
    return true;
}
