/* SPDX-License-Identifier: BSD-2-Clause */
/* All that claims may have, and inputs: what the service gets of what the caller gave. */
#include "common.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char digest[] = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
static const char dig[] = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
static const char opt[] =
    "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30."
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* A play that looks at each request and signs it; what is looked for is by the certificate's name. */
static bool is(const char *text, const char *expected)
{
    return text != NULL && strcmp(text, expected) == 0;
}

static bool is_as_sent(const struct stk_signing *signing)
{
    const struct stk_claims *claims = &signing->claims;
    const char *name = signing->name.text;

    if (is(name, "base"))
        return claims->ppt == STK_PPT_BASE && claims->compact && claims->mky_count == 1 &&
               is(claims->mky[0].name, "sha-256") && is(claims->mky[0].value, dig) &&
               is(claims->orig_uri, "sip:a@b.example") &&
               is(claims->dest_uri[0], "sip:c@d.example");
    if (is(name, "div"))
        return claims->ppt == STK_PPT_DIV && is(claims->div_tn, "12155550199") &&
               is(claims->div_hi, "1.2");
    if (is(name, "div-o"))
        return claims->ppt == STK_PPT_DIV_O && is(claims->div_uri, "sip:d@e.example") &&
               is(claims->opt, opt);
    if (is(name, "rph"))
        return claims->ppt == STK_PPT_RPH && claims->rph_auth_count == 2 &&
               is(claims->rph_auth[0], "esnet.1") && is(claims->rph_auth[1], "ets.0") &&
               is(claims->sph, "psap-callback");
    if (is(name, "rcd"))
        return claims->ppt == STK_PPT_RCD && is(claims->rcd_nam, "Q Branch") &&
               is(claims->rcd_apn, "12155550100") && is(claims->rcd_icn, "https://a.example/i") &&
               is(claims->rcd_jcl, "https://a.example/j") && is(claims->crn, "reason") &&
               claims->rcdi_count == 2 && is(claims->rcdi[0].name, "/icn") &&
               is(claims->rcdi[1].name, "/jcl") && is(claims->rcdi[1].value, digest);
    if (is(name, "jcd"))
        return claims->ppt == STK_PPT_SHAKEN && claims->rcd_jcd != NULL &&
               claims->rcd_jcd->kind == STK_JSON_ARRAY;
    if (is(name, "other"))
        return claims->ppt == STK_PPT_OTHER && is(claims->ppt_text, "new") &&
               claims->other != NULL && is(claims->other->first->key, "a");
    return signing->is_input && signing->header.length == 15 &&
           memcmp(signing->header.data, "{\"alg\":\"ES256\"}", 15) == 0 &&
           signing->payload.length == 9 && memcmp(signing->payload.data, "{\"iat\":1}", 9) == 0;
}

static void play_looker(struct fake *fake)
{
    static const char *none[] = {"none"};
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        if (is_as_sent(&request.signings[0])) {
            fake->seen++;
            if (request.signings[0].claims.dest_tn_count == 0 && !request.signings[0].is_input)
                request.signings[0].claims.dest_tn = none;
            fake_sign(fd, &request);
        } else {
            fake_refuse(fd, request.id, STIRKEEP_INTERNAL, request.signings[0].name.text);
        }
    }
    fake_close(fake, fd);
}

static void every_claim_reaches_the_service(void **state)
{
    static const char *const dest_uri[] = {"sip:c@d.example"};
    static const char *const auth[] = {"esnet.1", "ets.0"};
    static const struct stirkeep_pair rcdi[] = {{"/jcl", digest}, {"/icn", digest}};
    static const struct stirkeep_pair mky[] = {{"sha-256", dig}};
    const struct {
        const char *name;
        struct stirkeep_claims claims;
    } cases[] = {
        {"base",
         {.orig_uri = "sip:a@b.example",
          .dest_uri = dest_uri,
          .dest_uri_count = 1,
          .mky = mky,
          .mky_count = 1,
          .compact = true}},
        {"div", {.ppt = "div", .div_tn = "12155550199", .div_hi = "1.2"}},
        {"div-o", {.ppt = "div-o", .div_uri = "sip:d@e.example", .opt = opt}},
        {"rph", {.ppt = "rph", .rph_auth = auth, .rph_auth_count = 2, .sph = "psap-callback"}},
        {"rcd",
         {.ppt = "rcd",
          .rcd_nam = "Q Branch",
          .rcd_apn = "12155550100",
          .rcd_icn = "https://a.example/i",
          .rcd_jcl = "https://a.example/j",
          .crn = "reason",
          .rcdi = rcdi,
          .rcdi_count = 2}},
        {"jcd",
         {.ppt = "shaken",
          .attest = "A",
          .rcd_nam = "n",
          .rcd_jcd = "[\"vcard\",[[\"fn\",{},\"text\",\"n\"]]]"}},
        {"other", {.ppt = "new", .other = "{\"a\":1}"}}};
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_looker);
    client = client_of(&fake, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stirkeep_claims claims = cases[i].claims;

        if (claims.orig_uri == NULL) {
            claims.orig_tn = "12155550121";
            claims.dest_tn = one_dest;
            claims.dest_tn_count = 1;
        }
        if (stirkeep_sign(client, cases[i].name, &claims, &signature) != STIRKEEP_OK)
            fail_msg("%s: %s", cases[i].name, stirkeep_client_error(client));
    }
    /* Submitted ones, too. */
    {
        struct stirkeep_claims claims = cases[1].claims;
        struct stirkeep_answer answer = {0};

        claims.orig_tn = "12155550121";
        claims.dest_tn = one_dest;
        claims.dest_tn_count = 1;
        assert_int_equal(stirkeep_submit(client, "div", &claims, 0, 5), STIRKEEP_OK);
        assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_OK);
        assert_int_equal(answer.status, STIRKEEP_OK);
        assert_string_equal(answer.signature.attest, "B");
    }
    assert_int_equal(fake.seen, COUNT(cases) + 1);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void an_input_reaches_the_service_as_it_is(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_looker);
    client = client_of(&fake, 0);
    assert_int_equal(
        stirkeep_sign_input(client, "input", "{\"alg\":\"ES256\"}", "{\"iat\":1}", &signature),
        STIRKEEP_OK);
    assert_string_equal(signature.identity, "input/{\"iat\":1}");
    assert_int_equal(signature.generation, 7);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void what_could_not_be_sent_is_refused_and_says_what(void **state)
{
    static const char *const null_auth[] = {"ets.0", NULL};
    static const struct stirkeep_pair pairs[64];
    const struct {
        struct stirkeep_claims claims;
        const char *words;
    } cases[] = {{{.rph_auth_count = 17, .rph_auth = null_auth}, "rph_auth: more than 16"},
                 {{.rph_auth_count = 1}, "rph_auth: NULL"},
                 {{.rph_auth_count = 2, .rph_auth = null_auth}, "rph_auth: NULL"},
                 {{.rcdi_count = 17, .rcdi = pairs}, "rcdi: more than 16"},
                 {{.rcdi_count = 1}, "rcdi: NULL"},
                 {{.mky_count = 9, .mky = pairs}, "mky: more than 8"},
                 {{.mky_count = SIZE_MAX, .mky = pairs}, "mky: more than 8"},
                 {{.mky_count = 1}, "mky: NULL"},
                 {{.dest_tn_count = 20, .dest_uri_count = 13}, "dest"}};
    struct stirkeep_signature untouched = {.generation = 99};
    struct stirkeep_signature signature = untouched;
    struct stirkeep_client *client = NULL;
    (void)state;

    assert_int_equal(stirkeep_client_new("/nonexistent/sock", 0, &client), STIRKEEP_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(stirkeep_sign(client, "a", &cases[i].claims, &signature),
                         STIRKEEP_INVALID);
        if (strstr(stirkeep_client_error(client), cases[i].words) == NULL)
            fail_msg("\"%s\" has no \"%s\"", stirkeep_client_error(client), cases[i].words);
        assert_int_equal(stirkeep_submit(client, "a", &cases[i].claims, 0, 1), STIRKEEP_INVALID);
    }
    assert_int_equal(stirkeep_sign_input(client, "a", NULL, "{}", &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_input(client, "a", "{}", NULL, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_input(client, NULL, "{}", "{}", &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_input(NULL, "a", "{}", "{}", &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_input(client, "a", "{}", "{}", NULL), STIRKEEP_INVALID);
    assert_memory_equal(&signature, &untouched, sizeof(signature));
    stirkeep_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_claim_reaches_the_service),
        cmocka_unit_test(an_input_reaches_the_service_as_it_is),
        cmocka_unit_test(what_could_not_be_sent_is_refused_and_says_what),
    };
    return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
