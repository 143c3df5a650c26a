/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compose.h"
#include "passport/passport.h"
#include "passport/reading.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What stands in every payload here: between the claims before "orig" and those behind it. */
#define DEST "\"dest\":{\"tn\":[\"2\"]}"
#define REST DEST ",\"iat\":1,\"orig\":{\"tn\":\"1\"}"
#define UUID "123e4567-e89b-12d3-a456-426655440000"
#define SHAKEN "{\"attest\":\"A\"," REST ",\"origid\":\"" UUID "\"}"
#define X5U "\"x5u\":\"https://www.example.com/cert.cer\""

/* A '~' in it stands before the byte that the message has to name. */
static void assert_fault_at(struct stk_arena *arena, const char *ppt, const char *marked_header,
                            const char *marked_payload)
{
    char header[256] = "";
    char payload[512] = "";
    char begin[64] = "";
    const char *mark = strchr(marked_header != NULL ? marked_header : marked_payload, '~');
    const bool in_header = marked_header != NULL;
    const char *marked = in_header ? marked_header : marked_payload;
    char *plain = in_header ? header : payload;

    assert_non_null(mark);
    (void)snprintf(plain, in_header ? sizeof(header) : sizeof(payload), "%.*s%s",
                   (int)(mark - marked), marked, mark + 1);
    (void)snprintf(begin, sizeof(begin), "%s: byte %zu", in_header ? "header" : "payload",
                   (size_t)(mark - marked) + 1);
    assert_not_read(arena, ppt, in_header ? header : NULL, in_header ? marked_payload : payload,
                    begin);
}

static void a_header_has_alg_typ_x5u_and_perhaps_ppt_and_nothing_else(void **state)
{
    static const struct {
        const char *header;
        const char *begin;
    } bad[] = {
        {"[]", "header: has to be a JSON object"},
        {"{}", "header: alg has to be ES256"},
        {"{\"alg\":\"none\",\"typ\":\"passport\"," X5U "}", "header: alg "},
        {"{\"alg\":\"HS256\",\"typ\":\"passport\"," X5U "}", "header: alg "},
        {"{\"alg\":\"es256\",\"typ\":\"passport\"," X5U "}", "header: alg "},
        {"{\"alg\":[\"ES256\"],\"typ\":\"passport\"," X5U "}", "header: alg "},
        {"{\"typ\":\"passport\"," X5U "}", "header: alg "},
        {"{\"alg\":\"ES256\"," X5U "}", "header: typ "},
        {"{\"alg\":\"ES256\",\"typ\":\"JWT\"," X5U "}", "header: typ "},
        {"{\"alg\":\"ES256\",\"typ\":\"PASSporT\"," X5U "}", "header: typ "},
        {"{\"alg\":\"ES256\",\"typ\":\"passport\"}", "header: x5u "},
        {"{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"\"}", "header: x5u "},
        {"{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":1}", "header: x5u "},
        {"{\"alg\":\"ES256\",\"ppt\":\"\",\"typ\":\"passport\"," X5U "}", "header: ppt "},
        {"{\"alg\":\"ES256\",\"ppt\":null,\"typ\":\"passport\"," X5U "}", "header: ppt "},
        {"{\"alg\":\"ES256\",\"kid\":\"1\",\"typ\":\"passport\"," X5U "}", "header: only "},
        {"{\"alg\":\"ES256\",\"crit\":[],\"typ\":\"passport\"," X5U "}", "header: only "},
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_not_read(*state, "", bad[i].header, "{" REST "}", bad[i].begin);
}

static void a_header_is_written_as_it_would_be_composed(void **state)
{
    static const char *const bad[] = {
        "~",
        "{\"alg\":\"ES256\",~\"alg\":\"ES256\",\"typ\":\"passport\"," X5U "}",
        "{\"~typ\":\"passport\",\"alg\":\"ES256\"," X5U "}",
        "{~ \"alg\":\"ES256\",\"typ\":\"passport\"," X5U "}",
        "{\"alg\":\"ES256\",\"typ\":\"passport\"," X5U "}~\n",
        "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https:~\\/\\/www.example.com\\/"
        "cert.cer\"}",
        "{\"~\\u0061lg\":\"ES256\",\"typ\":\"passport\"," X5U "}",
        "{\"alg\":\"ES256\",\"typ\":\"passport\"," X5U "}~{}",
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fault_at(*state, "", bad[i], "{" REST "}");
}

static void an_x5u_is_no_longer_than_its_limit(void **state)
{
    char x5u[STK_X5U_MAX + 2] = "";
    struct stk_claims claims = {0};
    const char *read = NULL;

    memset(x5u, 'x', STK_X5U_MAX);
    assert_int_equal(stk_passport_read(bytes_of(header_of(*state, "", x5u)), bytes_of("{" REST "}"),
                                       *state, &claims, &read, NULL),
                     STIRKEEP_OK);
    assert_string_equal(read, x5u);
    x5u[STK_X5U_MAX] = 'x';
    assert_not_read(*state, "", header_of(*state, "", x5u), "{" REST "}", "header: x5u ");
}

static void a_ppt_in_the_header_decides_what_the_payload_may_have(void **state)
{
    assert_not_read(*state, "shaken", NULL, "{" REST "}", "attest: missing");
    assert_not_read(*state, "", NULL, SHAKEN, "attest: not allowed in a PASSporT of type base");
    assert_not_read(*state, "div", NULL, SHAKEN, "attest: not allowed in a PASSporT of type div");
    assert_not_read(*state, "SHAKEN", NULL, SHAKEN, "ppt: ");
    assert_not_read(*state, "other", NULL, "{" REST "}", "ppt: ");
    assert_not_read(*state, "base", NULL, "{" REST "}", "ppt: ");
    assert_not_read(*state, "much-too-long-a-name", NULL, "{" REST "}", "ppt: ");
    assert_not_read(*state, "msec", NULL, SHAKEN, "attest: not allowed in a PASSporT of type msec");
    assert_not_read(*state, "shaken", NULL,
                    "{\"attest\":\"A\"," DEST ",\"iat\":1,\"iss\":\"x\",\"orig\":{\"tn\":\"1\"},"
                    "\"origid\":\"" UUID "\"}",
                    "payload: \"iss\" is no claim of a PASSporT of type shaken");
}

static void iat_and_origid_have_to_be_there(void **state)
{
    assert_not_read(*state, "", NULL, "{" DEST ",\"orig\":{\"tn\":\"1\"}}", "iat: missing");
    assert_not_read(*state, "shaken", NULL, "{\"attest\":\"A\"," REST "}", "origid: missing");
}

static void each_claim_has_its_type_and_the_message_its_name(void **state)
{
    static const struct {
        const char *ppt;
        const char *payload;
        const char *begin;
    } bad[] = {
        {"", "[]", "payload: has to be a JSON object"},
        {"", "{" DEST ",\"iat\":\"1\",\"orig\":{\"tn\":\"1\"}}", "iat: has to be a number"},
        {"", "{" DEST ",\"iat\":null,\"orig\":{\"tn\":\"1\"}}", "iat: has to be a number"},
        {"", "{" DEST ",\"iat\":true,\"orig\":{\"tn\":\"1\"}}", "iat: has to be a number"},
        {"", "{" DEST ",\"iat\":0,\"orig\":{\"tn\":\"1\"}}", "iat: has to be a number that is"},
        {"", "{" DEST ",\"iat\":-1,\"orig\":{\"tn\":\"1\"}}", "iat: has to be a number that is"},
        {"", "{" DEST ",\"iat\":1,\"orig\":\"1\"}", "orig: has to be an object"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{}}", "orig: has to be an object"},
        {"", "{" DEST ",\"iat\":1,\"orig\":[{\"tn\":\"1\"}]}", "orig: has to be an object"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"tn\":1}}", "orig.tn: has to be a string"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"tn\":[\"1\"]}}", "orig.tn: has to be a string"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"tn\":\"\"}}", "orig.tn: has to be a string"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"tn\":\"1\",\"uri\":\"sip:a\"}}", "orig: tn and uri"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"tn\":\"1\",\"zone\":\"x\"}}", "orig: \"zone\" is no"},
        {"", "{" DEST ",\"iat\":1}", "orig: missing"},
        {"", "{\"iat\":1,\"orig\":{\"tn\":\"1\"}}", "dest: missing"},
        {"", "{\"dest\":{\"tn\":\"2\"},\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
         "dest.tn: has to be an"},
        {"", "{\"dest\":{\"tn\":[]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}", "dest.tn: has to be an"},
        {"", "{\"dest\":{\"tn\":[2]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}", "dest.tn: has to be an"},
        {"", "{\"dest\":{\"tn\":[\"\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
         "dest.tn: has to be an"},
        {"", "{\"dest\":[\"2\"],\"iat\":1,\"orig\":{\"tn\":\"1\"}}", "dest: has to be an object"},
        {"", "{\"dest\":{\"fax\":[\"2\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
         "dest: \"fax\" is no"},
        {"", "{" DEST ",\"iat\":1,\"mky\":{},\"orig\":{\"tn\":\"1\"}}", "mky: has to be an array"},
        {"", "{" DEST ",\"iat\":1,\"mky\":[],\"orig\":{\"tn\":\"1\"}}", "mky: has to be an array"},
        {"", "{" DEST ",\"iat\":1,\"mky\":[{\"alg\":\"sha-1\"}],\"orig\":{\"tn\":\"1\"}}",
         "mky: has to be an array of objects, each"},
        {"", "{" DEST ",\"iat\":1,\"mky\":[[\"sha-1\",\"AA\"]],\"orig\":{\"tn\":\"1\"}}",
         "mky: has to"},
        {"",
         "{" DEST
         ",\"iat\":1,\"mky\":[{\"alg\":\"sha-1\",\"dig\":\"AA\",\"x\":1}],\"orig\":{\"tn\":"
         "\"1\"}}",
         "mky: has to be an array of objects, each"},
        {"shaken", "{\"attest\":[\"A\"]," REST ",\"origid\":\"" UUID "\"}",
         "attest: has to be a st"},
        {"shaken", "{\"attest\":\"\"," REST ",\"origid\":\"" UUID "\"}",
         "attest: has to be a string"},
        {"shaken", "{\"attest\":\"D\"," REST ",\"origid\":\"" UUID "\"}",
         "attest: must be A, B or C"},
        {"shaken", "{\"attest\":\"A\"," REST ",\"origid\":7}", "origid: has to be a string"},
        {"div", "{" DEST ",\"div\":\"3\",\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
         "div: has to be an obj"},
        {"div", "{" DEST ",\"div\":{\"hi\":1,\"tn\":\"3\"},\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
         "div.hi: has to be a string"},
        {"div",
         "{" DEST ",\"div\":{\"reason\":\"x\",\"tn\":\"3\"},\"iat\":1,\"orig\":{\"tn\":\"1\"}}",
         "div: \"reason\" is no key of it"},
        {"div-o", "{" DEST ",\"div\":{\"tn\":\"3\"},\"iat\":1,\"opt\":{},\"orig\":{\"tn\":\"1\"}}",
         "opt: has to be a string"},
        {"rph", "{" REST ",\"rph\":[\"ets.0\"]}", "rph: has to be an object"},
        {"rph", "{" REST ",\"rph\":{\"auth\":\"ets.0\"}}",
         "rph.auth: has to be an array of strings"},
        {"rph", "{" REST ",\"rph\":{\"auth\":[null]}}", "rph.auth: has to be an array of strings"},
        {"rph", "{" REST ",\"rph\":{\"auth\":[\"esnet.0\"]},\"sph\":[]}",
         "sph: has to be a string"},
        {"rcd", "{" REST ",\"rcd\":[{\"nam\":\"Q\"}]}", "rcd: has to be an object"},
        {"rcd", "{" REST ",\"rcd\":{\"nam\":\"\"}}", "rcd: missing"},
        {"rcd", "{" REST ",\"rcd\":{\"apn\":\"4\",\"nam\":\"\"}}", "rcd.nam: missing"},
        {"rcd", "{" REST ",\"rcd\":{\"nam\":null}}", "rcd.nam: has to be a string"},
        {"rcd", "{" REST ",\"rcd\":{\"jcd\":\"[]\",\"nam\":\"Q\"}}", "rcd.jcd: is no jCard"},
        {"rcd", "{" REST ",\"rcd\":{\"nam\":\"Q\"},\"rcdi\":[]}",
         "rcdi: has to be an object of str"},
        {"rcd", "{" REST ",\"rcd\":{\"nam\":\"Q\"},\"rcdi\":{}}",
         "rcdi: has to be an object of str"},
        {"rcd", "{" REST ",\"rcd\":{\"nam\":\"Q\"},\"rcdi\":{\"/nam\":1}}",
         "rcdi: has to be an obj"},
        {"rcd", "{\"crn\":{}," REST "}", "crn: has to be a string"},
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_not_read(*state, bad[i].ppt, NULL, bad[i].payload, bad[i].begin);
}

static void what_would_be_composed_otherwise_is_refused_with_the_byte(void **state)
{
    static const struct {
        const char *ppt;
        const char *payload;
    } bad[] = {
        {"", "~"},
        {"", "~ {" REST "}"},
        {"", "{" REST "}~\n"},
        {"", "{" REST "~ }"},
        {"", "{" DEST ",\"iat\":~1.0,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{" DEST ",\"iat\":~1e3,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{" DEST ",\"iat\":~9007199254740992,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"tn\":\"~+1\"}}"},
        {"", "{\"~iat\":1," DEST ",\"orig\":{\"tn\":\"1\"}}"},
        {"", "{\"dest\":{\"tn\":[\"~3\",\"2\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{\"dest\":{\"tn\":[\"2\"~,\"2\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{\"dest\":{\"~uri\":[\"sip:a\"],\"tn\":[\"2\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{\"dest\":{\"uri\":[\"sip:a~\\/b\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{\"dest\":{\"tn\":[\"~\\u0032\"]},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"", "{" DEST ",\"iat\":1,\"orig\":{\"~\\u0074n\":\"1\"}}"},
        {"", "{" DEST ",\"iat\":1,\"mky\":[{\"alg\":\"sha-1\",\"dig\":"
             "\"~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}],\"orig\":{\"tn\":\"1\"}}"},
        {"", "{" DEST ",\"iat\":1,\"mky\":[{\"~dig\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
             "\"alg\":\"sha-1\"}],\"orig\":{\"tn\":\"1\"}}"},
        {"shaken",
         "{\"attest\":\"A\"," REST ",\"origid\":\"123~E4567-e89b-12d3-a456-426655440000\"}"},
        {"div",
         "{" DEST ",\"div\":{\"~tn\":\"3\",\"hi\":\"1\"},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"rcd", "{" REST ",\"rcd\":{\"nam\":\"~\\u00e9\"}}"},
        {"rcd", "{" REST ",\"rcd\":{\"~nam\":\"Q\",\"apn\":\"1\"}}"},
        {"rcd",
         "{" REST ",\"rcd\":{\"jcd\":[\"vcard\",[[\"fn\",{},~ \"text\",\"Q\"]]],\"nam\":\"Q\"}}"},
        {"msec", "{\"a\":[1,~ 2]," REST "}"},
        {"msec", "{\"a\":~-0," REST "}"},
        {"msec", "{\"~dest\":{\"tn\":[\"2\"]},\"a\":1,\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fault_at(*state, bad[i].ppt, NULL, bad[i].payload);
}

static void no_claim_is_there_twice(void **state)
{
    assert_fault_at(*state, "", NULL,
                    "{" DEST ",\"iat\":1,\"orig\":{\"tn\":\"1\"},~\"orig\":{\"tn\":\"3\"}}");
    assert_fault_at(*state, "", NULL,
                    "{" DEST ",\"iat\":1,\"orig\":{\"tn\":\"1\",~\"\\u0074n\":\"3\"}}");
    assert_fault_at(*state, "rcd", NULL,
                    "{" REST ",\"rcd\":{\"nam\":\"Q\"},\"rcdi\":{\"/nam\":\"a\",~\"/nam\":\"b\"}}");
    assert_not_read(*state, "", NULL, "{" REST ",\"orig\":{\"tn\":\"1\"}}",
                    "payload: byte 48: a key is given twice");
}

static void claims_of_a_type_that_is_not_known_come_back_whole(void **state)
{
    static const char payload[] =
        "{\"a\":[1,{\"b\":\"\xc3\xa9\",\"c\":null}]," DEST ",\"div2\":true,\"iat\":1,"
        "\"orig\":{\"tn\":\"1\"},\"zeta\":\"\\u0001\\n\"}";
    struct stk_claims claims = claims_of(*state, "msec", payload);

    assert_int_equal(claims.ppt, STK_PPT_OTHER);
    assert_string_equal(claims.ppt_text, "msec");
    assert_int_equal(claims.other->count, 3);
    assert_string_equal(payload_of(*state, &claims), payload);
}

static void a_small_arena_is_told_as_too_large(void **state)
{
    const char *header = header_of(*state, "shaken", COMPOSE_X5U);
    enum stirkeep_status status = STIRKEEP_TOO_LARGE;

    for (size_t capacity = 1; status != STIRKEEP_OK; capacity += 16) {
        struct stk_arena small = {0};
        struct stk_claims claims = {.iat = 42};
        const char *x5u = NULL;

        assert_true(capacity < 16384);
        assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
        status = stk_passport_read(bytes_of(header), bytes_of(SHAKEN), &small, &claims, &x5u, NULL);
        assert_true(status == STIRKEEP_OK || status == STIRKEEP_TOO_LARGE);
        assert_int_equal(claims.iat == 42, status != STIRKEEP_OK);
        stk_arena_free(&small);
    }
}

/* Whatever is taken is what would have been composed, and says the same when it is read again. */
static void what_is_taken_of_noise_is_composed_the_same(void **state)
{
    static const struct {
        const char *ppt;
        const char *payload;
    } seeds[] = {
        {"shaken", SHAKEN},
        {"", "{\"dest\":{\"tn\":[\"2\",\"3\"],\"uri\":[\"sip:a\"]},\"iat\":1,\"orig\":{\"uri\":"
             "\"sip:b\"}}"},
        {"div",
         "{" DEST ",\"div\":{\"hi\":\"1.1\",\"tn\":\"3\"},\"iat\":1,\"orig\":{\"tn\":\"1\"}}"},
        {"rph", "{" REST ",\"rph\":{\"auth\":[\"esnet.0\",\"wps.0\"]},\"sph\":\"psap-callback\"}"},
        {"rcd", "{\"crn\":\"x\"," REST
                ",\"rcd\":{\"apn\":\"4\",\"jcd\":[\"vcard\",[[\"fn\",{},\"text\",\"Q\"]]],\"nam\":"
                "\"Q\"}}"},
        {"msec", "{\"a\":[1,{\"b\":\"c\"}]," REST ",\"zeta\":\"x\"}"}};
    static const char pieces[] = "{}[]\",:\\u0019ABCadeinostrt-.+ \n\xc3\xa9\x01";
    struct stk_arena *arena = *state;
    unsigned seed = 20261126;
    size_t taken = 0;

    for (int round = 0; round < 60000; round++) {
        const size_t s = (size_t)round % COUNT(seeds);
        char payload[512] = "";
        struct stk_claims claims = {0};
        const char *x5u = NULL;
        const char *header = NULL;

        stk_arena_reset(arena);
        header = header_of(arena, seeds[s].ppt, COMPOSE_X5U);
        (void)strcpy(payload, seeds[s].payload);
        for (int i = 0; i < round % 3; i++)
            payload[(size_t)rand_r(&seed) % strlen(payload)] =
                pieces[(size_t)rand_r(&seed) % (sizeof(pieces) - 1)];
        if (stk_passport_read(bytes_of(header), bytes_of(payload), arena, &claims, &x5u, NULL) !=
            STIRKEEP_OK)
            continue;
        taken++;
        assert_string_equal(payload_of(arena, &claims), payload);
        assert_string_equal(header_of(arena, claims.ppt_text, x5u), header);
    }
    assert_true(taken > 21000); /* a third is unchanged, and not all changes are faults */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_alg_typ_x5u_and_perhaps_ppt_and_nothing_else),
        cmocka_unit_test(a_header_is_written_as_it_would_be_composed),
        cmocka_unit_test(an_x5u_is_no_longer_than_its_limit),
        cmocka_unit_test(a_ppt_in_the_header_decides_what_the_payload_may_have),
        cmocka_unit_test(iat_and_origid_have_to_be_there),
        cmocka_unit_test(each_claim_has_its_type_and_the_message_its_name),
        cmocka_unit_test(what_would_be_composed_otherwise_is_refused_with_the_byte),
        cmocka_unit_test(no_claim_is_there_twice),
        cmocka_unit_test(claims_of_a_type_that_is_not_known_come_back_whole),
        cmocka_unit_test(a_small_arena_is_told_as_too_large),
        cmocka_unit_test(what_is_taken_of_noise_is_composed_the_same),
    };

    return cmocka_run_group_tests_name("reading", tests, compose_begin, compose_end);
}
