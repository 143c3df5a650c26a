/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fills.h"
#include <string.h>

static const char *tns[] = {"112", "12155551212"};
static const char *uris[] = {"sip:uri@a.example", "sip:uri@b.example"};

/* JSON of the samples, read once: tests fill in a sample thousands of times. */
static const struct stk_json *json_of(const char *text, const struct stk_json **kept)
{
    static struct stk_arena arena;

    if (arena.data == NULL)
        assert_int_equal(stk_arena_new(&arena, 8192), STIRKEEP_OK);
    if (*kept == NULL)
        assert_int_equal(stk_json_read(text, strlen(text), "sample", &arena, kept, NULL),
                         STIRKEEP_OK);
    return *kept;
}

static void fill_parties(struct stk_claims *claims, enum stk_ppt ppt, const char *ppt_text)
{
    *claims = (struct stk_claims){.ppt = ppt,
                                  .ppt_text = ppt_text,
                                  .orig_tn = tns[1],
                                  .dest_tn = tns,
                                  .dest_tn_count = 2,
                                  .iat = 1004};
}

void fill_claims_shaken(struct stk_claims *claims)
{
    fill_parties(claims, STK_PPT_SHAKEN, "shaken");
    claims->dest_uri = uris;
    claims->dest_uri_count = 2;
    claims->attest = 'A';
    memcpy(claims->origid, SAMPLE_ORIGID, sizeof(claims->origid));
}

void fill_claims_base(struct stk_claims *claims)
{
    static struct stk_pair mky[] = {{"sha-256", SAMPLE_DIG}, {"sha-256", SAMPLE_OTHER_DIG}};

    fill_parties(claims, STK_PPT_BASE, "");
    claims->orig_tn = NULL;
    claims->orig_uri = uris[0];
    claims->mky = mky;
    claims->mky_count = 2;
    claims->compact = true;
}

void fill_claims_div(struct stk_claims *claims)
{
    fill_parties(claims, STK_PPT_DIV, "div");
    claims->div_tn = SAMPLE_DIV_TN;
    claims->div_hi = SAMPLE_HI;
}

void fill_claims_div_o(struct stk_claims *claims)
{
    fill_parties(claims, STK_PPT_DIV_O, "div-o");
    claims->div_uri = uris[1];
    claims->opt = SAMPLE_OPT;
}

void fill_claims_rph(struct stk_claims *claims)
{
    static const char *auth[] = {"esnet.0", "auth.1"};

    fill_parties(claims, STK_PPT_RPH, "rph");
    claims->rph_auth = auth;
    claims->rph_auth_count = 2;
    claims->sph = "psap-callback";
}

void fill_claims_rcd(struct stk_claims *claims)
{
    static struct stk_pair rcdi[] = {{"/icn", SAMPLE_DIGEST}, {"/jcd", SAMPLE_DIGEST}};
    static const struct stk_json *jcd;

    fill_parties(claims, STK_PPT_RCD, "rcd");
    claims->rcd_nam = "nam";
    claims->rcd_apn = SAMPLE_APN;
    claims->rcd_icn = "https://icn.example/a.png";
    claims->rcd_jcd = json_of("[\"vcard\",[[\"fn\",{},\"text\",\"jcd\"]]]", &jcd);
    claims->crn = "crn";
    claims->rcdi = rcdi;
    claims->rcdi_count = 2;
}

void fill_claims_shaken_rcd(struct stk_claims *claims)
{
    static struct stk_pair rcdi[] = {{"/jcl", SAMPLE_DIGEST}};

    fill_claims_shaken(claims);
    claims->rcd_nam = "nam";
    claims->rcd_jcl = "https://jcl.example/a.json";
    claims->rcdi = rcdi;
    claims->rcdi_count = 1;
}

void fill_claims_other(struct stk_claims *claims)
{
    static const struct stk_json *other;

    fill_parties(claims, STK_PPT_OTHER, "ppt-any");
    claims->other = json_of("{\"other\":[1,true,null,{\"a\":\"b\"}]}", &other);
}
