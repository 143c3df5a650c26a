/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "fake_admin.h"
#include "lab.h"
#include "passport/passport.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the options of `sign` become on the wire: the service says back what it was asked. */

#define TEXT_MAX 4096

/* "NAME PAYLOAD", and " compact"; or "NAME HEADER PAYLOAD". */
static void say(const struct stk_signing *signing, char ret_text[TEXT_MAX])
{
    struct stk_claims claims = signing->claims;
    struct stk_buffer payload = {0};
    char origid[] = "00000000-0000-4000-8000-000000000000";

    if (signing->is_input) {
        (void)snprintf(ret_text, TEXT_MAX, "%s %.*s %.*s", signing->name.text,
                       (int)signing->header.length, (const char *)signing->header.data,
                       (int)signing->payload.length, (const char *)signing->payload.data);
        return;
    }
    if (claims.iat == 0)
        claims.iat = 1;
    if (claims.ppt == STK_PPT_SHAKEN && claims.origid[0] == '\0')
        memcpy(claims.origid, origid, sizeof(origid));
    if (stk_passport_payload(&claims, &payload) != STIRKEEP_OK)
        abort();
    (void)snprintf(ret_text, TEXT_MAX, "%s %.*s%s", signing->name.text, (int)payload.length,
                   (const char *)payload.data, claims.compact ? " compact" : "");
    for (char *at = ret_text; *at != '\0'; at++)
        if ((unsigned char)*at > '~') /* a client takes no such identity */
            *at = '?';
    stk_buffer_free(&payload);
}

static struct stk_response_signed signed_of(const char *text)
{
    return (struct stk_response_signed){.identity = {(const uint8_t *)text, strlen(text)},
                                        .passport_length = 1,
                                        .generation = 7,
                                        .iat = 1471375418,
                                        .origid = "made",
                                        .attest = "B"};
}

/* Names that begin with 'X' are refused, and more than ten that begin with 'L'. */
static enum stirkeep_status verdict_on(const struct stk_signing *signing)
{
    return signing->name.text[0] == 'X' ? STIRKEEP_NOT_PERMITTED : signing->status;
}

static void answer_one(int fd, const struct stk_request *request)
{
    struct stk_buffer out = {0};
    char text[TEXT_MAX] = "";
    struct stk_response_signed body = {0};

    say(&request->signings[0], text);
    body = signed_of(text);
    if (stk_response_encode_signed(request->id, &body, &out) != STIRKEEP_OK)
        abort();
    fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

static void answer_batch(int fd, const struct stk_request *request)
{
    static char texts[STK_SIGNINGS_MAX][TEXT_MAX];
    struct stk_response_result results[STK_SIGNINGS_MAX] = {{0}};
    struct stk_buffer out = {0};
    char refused[64] = "";

    for (size_t i = 0; i < request->signing_count; i++) {
        const struct stk_signing *signing = &request->signings[i];

        results[i].status = verdict_on(signing);
        results[i].message = signing->status != STIRKEEP_OK ? signing->reason : "no grant\nfor you";
        if (results[i].status != STIRKEEP_OK) {
            (void)snprintf(refused, sizeof(refused), "sign[%zu]: no grant", i);
            continue;
        }
        say(signing, texts[i]);
        results[i].signed_ = signed_of(texts[i]);
    }
    if (request->whole && refused[0] != '\0') {
        fake_refuse(fd, request->id, STIRKEEP_NOT_PERMITTED, refused);
        return;
    }
    if ((request->signings[0].name.text[0] == 'L' && request->signing_count > 10) ||
        stk_response_encode_batch(request->id, results, request->signing_count, &out) !=
            STIRKEEP_OK)
        fake_refuse(fd, request->id, STIRKEEP_TOO_LARGE, "more than one answer holds");
    else
        fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

static void play(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        atomic_fetch_add(&fake->seen, 1);
        if (request.kind == STK_REQUEST_SIGN)
            answer_one(fd, &request);
        else
            answer_batch(fd, &request);
    }
    fake_close(fake, fd);
}

/* One run against it; `requests` were asked for. */
static const struct ran *sign(const char *input, const char *const *words, int requests)
{
    const char *line[40] = {"sign", "--sign-socket"};
    const struct ran *ran = NULL;
    struct fake fake;
    size_t count = 3;

    fake_start(&fake, play);
    line[2] = fake.path;
    for (; *words != NULL; words++)
        line[count++] = *words;
    ran = program_run(input, line);
    assert_int_equal(fake.seen, requests);
    fake_stop(&fake);
    return ran;
}
#define signed_by(requests, input, ...)                                                            \
    sign(input, (const char *const[]){__VA_ARGS__, NULL}, requests)
#define PARTIES "--orig", "+1 (215) 555-0121", "--dest", "12155550131"

static void says(const struct ran *ran, const char *text)
{
    program_done(ran);
    if (strstr(ran->out, text) == NULL)
        fail_msg("no %s in %s", text, ran->out);
}

static void every_type_is_asked_for_as_its_options_say(void **state)
{
    EVP_PKEY *key = lab_key("P-256");
    char *inner = lab_identity(key, 5);
    char expected[TEXT_MAX] = "";
    (void)state;

    says(signed_by(1, NULL, "Alpha", PARTIES, "--attest", "A", "--iat", "1471375418"),
         "Alpha {\"attest\":\"A\",\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1471375418,"
         "\"orig\":{\"tn\":\"12155550121\"},\"origid\":");
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "base", "--dest-uri", "sip:a,b@example.com",
                   "--mky",
                   "sha-256:02a1b2c3d4e5f60718293a4b5c6d7e8f02a1b2c3d4e5f60718293a4b5c6d7e8f"),
         "\"uri\":[\"sip:a,b@example.com\"]},\"iat\":1,\"mky\":[{\"alg\":\"sha-256\",\"dig\":"
         "\"02A1");
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "base", "--compact"), "} compact\n");
    says(
        signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "div", "--div", "12155550199", "--hi", "1.1"),
        "\"div\":{\"hi\":\"1.1\",\"tn\":\"12155550199\"}");
    *strchr(inner, ';') = '\0';
    place_text("inner", inner);
    (void)snprintf(expected, sizeof(expected), "\"opt\":\"%s\"", inner);
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "div-o", "--div", "sip:a@example.com",
                   "--opt", place("inner")),
         "\"div\":{\"uri\":\"sip:a@example.com\"}");
    (void)snprintf(expected, sizeof(expected), "%s\r\n", inner);
    says(signed_by(1, expected, "Alpha", PARTIES, "--ppt", "div-o", "--div", "sip:a@example.com",
                   "--opt", "-"),
         inner);
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "rph", "--rph", "esnet.1", "--sph",
                   "psap-callback"),
         "\"rph\":{\"auth\":[\"esnet.1\"]},\"sph\":\"psap-callback\"");
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "rph", "--rph", "ets.0,wps.1"),
         "\"rph\":{\"auth\":[\"ets.0\",\"wps.1\"]}");
    says(signed_by(1, NULL, "Alpha", PARTIES, "--attest", "B", "--nam", "Z\xc3\xbcrich \"Bank\"",
                   "--icn", "https://example.com/a.png", "--crn", "Your card"),
         "\"crn\":\"Your card\",");
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "rcd", "--nam", "Alice", "--jcl",
                   "https://example.com/a.json", "--rcdi",
                   "/jcl=sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
         "\"rcdi\":{\"/jcl\":\"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\"}");
    place_text("jcard", "[\"vcard\", [[\"version\", {}, \"text\", \"4.0\"]]]\n");
    says(signed_by(1, NULL, "Alpha", PARTIES, "--ppt", "rcd", "--nam", "Alice", "--jcd",
                   place("jcard")),
         "\"jcd\":[\"vcard\",[[\"version\",{},\"text\",\"4.0\"]]]");
    says(signed_by(1, "{\"msgi\": \"x\"}\n", "Alpha", PARTIES, "--ppt", "msgi", "--claims", "-"),
         "\"msgi\":\"x\"");
    free(inner);
    EVP_PKEY_free(key);
}

static void a_finished_header_and_payload_are_sent_as_they_are(void **state)
{
    static const char header[] = "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://x/y\"}";
    (void)state;

    place_text("header", header);
    says(signed_by(1, "{\"iat\": 1}\n", "Alpha", "--header", place("header"), "--payload", "-"),
         "Alpha {\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://x/y\"} {\"iat\": 1}\n");
}

static void json_tells_the_attestation_that_was_given(void **state)
{
    const struct ran *ran = signed_by(1, NULL, "Alpha", PARTIES, "--attest", "A", "--json");
    (void)state;

    says(ran, "\"attest\": \"B\"");
}

static void options_that_do_not_go_together_are_wrong_usage(void **state)
{
    static const struct {
        const char *words[16];
        const char *named;
    } lines[] = {
        {{PARTIES, "--attest", "A"}, "NAME"},
        {{"Alpha", "--header", "x"}, "--payload"},
        {{"Alpha", "--payload", "x"}, "--header"},
        {{"Alpha", "--header", "-", "--payload", "-"}, "standard input"},
        {{"Alpha", "--header", "x", "--payload", "y", "--attest", "A"}, "--header"},
        {{"Alpha", "--header", "x", "--payload", "y", "--ppt", "shaken"}, "--header"},
        {{"--batch", "x", "--attest", "A"}, "--batch"},
        {{"--batch", "x", "--header", "y", "--payload", "z"}, "--batch"},
        {{"Alpha", "--whole", PARTIES, "--attest", "A"}, "--whole"},
        {{"Alpha", PARTIES, "--ppt", "div"}, "--div"},
        {{"Alpha", PARTIES, "--ppt", "div-o", "--div", "1"}, "--opt"},
        {{"Alpha", PARTIES, "--ppt", "rph"}, "--rph"},
        {{"Alpha", PARTIES, "--ppt", "rcd"}, "--nam"},
        {{"Alpha", PARTIES, "--ppt", "div", "--div", "1", "--origid", "x"}, "--origid"},
        {{"Alpha", PARTIES, "--ppt", "div-o", "--div", "1", "--opt", "-", "--claims", "-"},
         "standard input"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *words[20] = {"sign"};

        memcpy(words + 1, lines[i].words, sizeof(lines[i].words));
        failed(program_run(NULL, words), 2, lines[i].named);
    }
}

static void files_that_cannot_be_used_are_named(void **state)
{
    static char large[20 * 1024];
    (void)state;

    memset(large, 'a', sizeof(large) - 1);
    place_text("large", large);
    place_write("nul", "a\0b", 3);
#define INNER(file)                                                                                \
    program(NULL, "sign", "Alpha", PARTIES, "--ppt", "div-o", "--div", "1", "--opt", file)
    failed(INNER(place("none")), 1, "/none", "No such file");
    failed(INNER(place("large")), 1, "/large");
    failed(INNER(place("nul")), 1, "/nul", "NUL");
    failed(program(NULL, "sign", "Alpha", PARTIES, "--ppt", "rcd", "--nam", "A", "--rcdi", "jcl"),
           1, "--rcdi", "'='");
    failed(program(NULL, "sign", "Alpha", PARTIES, "--ppt", "base", "--mky", "sha-256"), 1, "--mky",
           "':'");
    failed(program(NULL, "sign", "--batch", place("none")), 1, "/none", "No such file");
    place_text("empty", "\n\r\n");
    failed(program(NULL, "sign", "--batch", place("empty")), 1, "/empty", "no claims");
}

/* ---- batches */

#define LINE(name, tn)                                                                             \
    "{\"name\":\"" name "\",\"attest\":\"A\",\"orig\":{\"tn\":\"" tn                               \
    "\"},\"dest\":{\"tn\":[\"12155550131\"]},\"iat\":1}\n"

static void each_line_of_a_batch_has_its_result_in_its_place(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    place_text("batch", LINE("Alpha", "1") "\n" LINE("Xeta", "2") "no json\n" LINE("Alpha", "4"));
    ran = signed_by(2, NULL, "--batch", place("batch"));
    failed(ran, 1, "2 of 4 were not signed");
    assert_memory_equal(ran->out, "Alpha {", 7);
    assert_non_null(strstr(ran->out, "\"orig\":{\"tn\":\"1\"}"));
    assert_non_null(strstr(ran->out, "}\n! line 3: not-permitted: no grant?for you\n! line 4: "
                                     "invalid: claims: byte "));
    assert_non_null(strstr(ran->out, "\"orig\":{\"tn\":\"4\"}"));
    ran = signed_by(2, NULL, "--json", "--batch", place("batch"));
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "\"line\":1,\"status\":\"ok\""));
    assert_non_null(strstr(ran->out, "{\"line\":3,\"status\":\"not-permitted\",\"message\":\"no "
                                     "grant"));
    assert_non_null(strstr(ran->out, "{\"line\":4,\"status\":\"invalid\""));
    assert_non_null(strstr(ran->out, "\"line\":5,\"status\":\"ok\""));
}

static void a_whole_batch_is_signed_or_refused_as_one(void **state)
{
    const struct ran *ran =
        signed_by(1, LINE("Alpha", "1") LINE("Alpha", "2"), "--whole", "--batch", "-");
    char many[80 * 128] = "";
    size_t length = 0;
    (void)state;

    says(ran, "\"orig\":{\"tn\":\"2\"}");
    ran = signed_by(1, LINE("Alpha", "1") "\n" LINE("Xeta", "2"), "--whole", "--batch", "-");
    failed(ran, 1, "standard input", "line 3: no grant");
    assert_string_equal(ran->out, "");
    failed(program(LINE("Alpha", "1") "{\n", "sign", "--whole", "--batch", "-"), 1,
           "line 2: claims: byte ");
    for (int i = 0; i < 65; i++)
        length += (size_t)snprintf(many + length, sizeof(many) - length, "%s", LINE("Alpha", "1"));
    failed(program(many, "sign", "--whole", "--batch", "-"), 1, "more than 64 lines");
}

static void many_lines_go_in_groups_of_64(void **state)
{
    static char many[200 * 128];
    const struct ran *ran = NULL;
    const char *at = NULL;
    size_t length = 0;
    int lines = 0;
    (void)state;

    for (int i = 0; i < 150; i++)
        length += (size_t)snprintf(many + length, sizeof(many) - length,
                                   "{\"attest\":\"A\",\"orig\":{\"tn\":\"%d\"},\"dest\":{\"tn\":"
                                   "\"1\"}}\n",
                                   i);
    ran = signed_by(3, many, "Alpha", "--batch", "-");
    program_done(ran);
    at = ran->out;
    for (; lines < 150; lines++) {
        char expected[40] = "";

        (void)snprintf(expected, sizeof(expected), "\"orig\":{\"tn\":\"%d\"}", lines);
        assert_memory_equal(at, "Alpha {", 7);
        assert_non_null(strstr(at, expected));
        assert_true(strstr(at, expected) < strchr(at, '\n'));
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(*at, '\0');
}

static void a_group_that_is_too_much_for_one_request_is_parted(void **state)
{
    enum { LINES = 64 };
    static char many[LINES * 2300];
    static char name[2000];
    const struct ran *ran = NULL;
    size_t length = 0;
    int lines = 0;
    (void)state;

    memset(name, 'n', 480);
    for (int i = 0; i < LINES; i++)
        length +=
            (size_t)snprintf(many + length, sizeof(many) - length,
                             "{\"ppt\":\"rcd\",\"rcd\":{\"nam\":\"%s\",\"apn\":\"%d\",\"icn\":"
                             "\"https://e.x/%.200s\"},"
                             "\"crn\":\"%s\",\"orig\":{\"tn\":\"%d\"},\"dest\":{\"tn\":\"1\"}}\n",
                             name, i, name, name, i);
    ran = signed_by(2, many, "Alpha", "--batch", "-"); /* the client sees it itself */
    program_done(ran);
    for (const char *at = ran->out; *at != '\0'; at = strchr(at, '\n') + 1)
        lines++;
    assert_int_equal(lines, LINES);
}

static void a_group_that_is_too_much_for_one_answer_is_parted(void **state)
{
    static char many[25 * 128];
    const struct ran *ran = NULL;
    size_t length = 0;
    int lines = 0;
    (void)state;

    for (int i = 0; i < 25; i++)
        length += (size_t)snprintf(many + length, sizeof(many) - length, "%s", LINE("Large", "1"));
    ran = signed_by(1 + 2 + 4, many, "--batch", "-"); /* 25; 12, 13; 6, 6, 6, 7 */
    program_done(ran);
    for (const char *at = ran->out; *at != '\0'; at = strchr(at, '\n') + 1)
        lines++;
    assert_int_equal(lines, 25);
}

static void every_key_of_a_line_is_known_or_named(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {
        {"[]", "not a JSON object"},
        {"{}", "name: missing"},
        {"{\"name\":1}", "name: has to be a text"},
        {"{\"name\":\"Alpha\",\"atest\":\"A\"}", "atest: is not known"},
        {"{\"name\":\"Alpha\",\"orig\":\"1\"}", "orig: has to be an object"},
        {"{\"name\":\"Alpha\",\"orig\":{\"tm\":\"1\"}}", "orig.tm: is not known"},
        {"{\"name\":\"Alpha\",\"orig\":{\"tn\":1}}", "orig: tn: has to be a text"},
        {"{\"name\":\"Alpha\",\"dest\":{\"tn\":[1]}}", "dest: tn: has to be texts"},
        {"{\"name\":\"Alpha\",\"iat\":\"1\"}", "iat: has to be a number"},
        {"{\"name\":\"Alpha\",\"iat\":0}", "iat: has to be a number"},
        {"{\"name\":\"Alpha\",\"compact\":1}", "compact: has to be true or false"},
        {"{\"name\":\"Alpha\",\"rcd\":{\"jcd\":{}}}", "rcd: jcd: has to be an array"},
        {"{\"name\":\"Alpha\",\"rcdi\":[]}", "rcdi: has to be an object"},
        {"{\"name\":\"Alpha\",\"mky\":[{\"alg\":\"a\"}]}", "mky: has to be an array of objects"},
        {"{\"name\":\"Alpha\",\"claims\":[]}", "claims: has to be an object"},
        {"{\"name\":\"Alpha\",\"header\":\"{}\"}", "header: it and payload go together"},
        {"{\"name\":\"Alpha\",\"header\":\"{}\",\"payload\":\"{}\",\"attest\":\"A\"}",
         "header: there are no claims"},
        {"{\"name\":\"Alpha\",\"name\":\"Alpha\"}", "twice"},
        {"{\"name\":\"Alpha\",\"iat\":1.5}", "claims: byte "},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ran *ran = program(cases[i].line, "sign", "--batch", "-");

        failed(ran, 1, "1 of 1 were not signed");
        assert_memory_equal(ran->out, "! line 1: invalid: ", 19);
        if (strstr(ran->out, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].line, ran->out);
    }
}

static void every_claim_of_a_line_is_asked_for(void **state)
{
    const struct ran *ran = signed_by(
        1,
        "{\"ppt\":\"rph\",\"rph\":{\"auth\":[\"esnet.0\"]},\"sph\":\"psap-callback\",\"orig\":{"
        "\"uri\":\"sip:a@example.com\"},\"dest\":{\"uri\":[\"sip:b@example.com\"],\"tn\":\"1\"}}\n"
        "{\"ppt\":\"div\",\"div\":{\"tn\":\"3\",\"hi\":\"1\"},\"orig\":{\"tn\":\"1\"},\"dest\":{"
        "\"tn\":\"2\"},\"mky\":[{\"alg\":\"sha-256\",\"dig\":"
        "\"02a1b2c3d4e5f60718293a4b5c6d7e8f02a1b2c3d4e5f60718293a4b5c6d7e8f\"}]}\n"
        "{\"ppt\":\"base\",\"compact\":true,\"orig\":{\"tn\":\"1\"},\"dest\":{\"tn\":\"2\"}}\n"
        "{\"ppt\":\"msgi\",\"claims\":{\"msgi\":[1,{\"a\":null}]},\"orig\":{\"tn\":\"1\"},"
        "\"dest\":{\"tn\":\"2\"}}\n"
        "{\"ppt\":\"rcd\",\"rcd\":{\"nam\":\"A\",\"jcl\":\"https://e.x/j\"},\"crn\":\"why\","
        "\"rcdi\":{\"/jcl\":\"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\"},\"orig\":{"
        "\"tn\":\"1\"},\"dest\":{\"tn\":\"2\"}}\n"
        "{\"header\":\"{\\\"alg\\\":1}\",\"payload\":\"{\\\"iat\\\":2}\"}\n",
        "Alpha", "--batch", "-");
    (void)state;

    says(ran, "\"rph\":{\"auth\":[\"esnet.0\"]},\"sph\":\"psap-callback\"");
    says(ran, "\"div\":{\"hi\":\"1\",\"tn\":\"3\"}");
    says(ran, "\"dig\":\"02A1");
    says(ran, "} compact\n");
    says(ran, "\"msgi\":[1,{\"a\":null}]");
    says(ran, "\"crn\":\"why\"");
    says(ran, "\"rcdi\":{\"/jcl\":\"sha256-");
    says(ran, "Alpha {\"alg\":1} {\"iat\":2}\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_asked_for_as_its_options_say),
        cmocka_unit_test(a_finished_header_and_payload_are_sent_as_they_are),
        cmocka_unit_test(json_tells_the_attestation_that_was_given),
        cmocka_unit_test(options_that_do_not_go_together_are_wrong_usage),
        cmocka_unit_test(files_that_cannot_be_used_are_named),
        cmocka_unit_test(each_line_of_a_batch_has_its_result_in_its_place),
        cmocka_unit_test(a_whole_batch_is_signed_or_refused_as_one),
        cmocka_unit_test(many_lines_go_in_groups_of_64),
        cmocka_unit_test(a_group_that_is_too_much_for_one_request_is_parted),
        cmocka_unit_test(a_group_that_is_too_much_for_one_answer_is_parted),
        cmocka_unit_test(every_key_of_a_line_is_known_or_named),
        cmocka_unit_test(every_claim_of_a_line_is_asked_for),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli sign", tests, place_set_up, place_tear_down);
}
