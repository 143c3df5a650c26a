/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "base/encode.h"
#include "fake_admin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- signing */

/* Signs for names that begin with 'A', refuses others. */
static void play_signing(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        struct stk_buffer out = {0};
        const struct stk_response_pong pong = {.detail = "the keeper is starting"};

        if (request.kind == STK_REQUEST_SIGN && request.signings[0].name.text[0] == 'A')
            fake_sign(fd, &request);
        else if (request.kind == STK_REQUEST_SIGN)
            fake_refuse(fd, request.id, STIRKEEP_NOT_PERMITTED, "no grant\n\033[2Jfor you");
        else if (stk_response_encode_pong(request.id, &pong, &out) == STIRKEEP_OK)
            fake_write(fd, out.data, out.length);
        stk_buffer_free(&out);
    }
    fake_close(fake, fd);
}

static const struct ran *sign(const struct fake *fake, const char *name, const char *more)
{
    return program(NULL, "sign", name, "--sign-socket", fake->path, "--orig", "12155550121",
                   "--dest", "12155550131", "--attest", "A", more);
}

static void the_header_value_is_printed_on_a_line_of_its_own(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signing);
    ran = sign(&fake, "Alpha", NULL);
    fake_stop(&fake);
    program_done(ran);
    assert_string_equal(ran->out, "Alpha/12155550131\n");
}

static void json_has_the_passport_by_itself(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signing);
    ran = sign(&fake, "Alpha", "--json");
    fake_stop(&fake);
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"identity\": \"Alpha/12155550131\""));
    assert_non_null(strstr(ran->out, "\"passport\": \"Alpha\""));
    assert_non_null(strstr(ran->out, "\"generation\": 7"));
}

static void a_refusal_is_one_harmless_line(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signing);
    ran = sign(&fake, "Beta", NULL);
    fake_stop(&fake);
    failed(ran, 1, "Beta", "no grant?", "for you");
    assert_string_equal(ran->out, "");
    assert_null(strchr(ran->err, '\033'));
}

static void bench_counts_signatures_and_their_latency(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signing);
    ran = program(NULL, "bench", "Alpha", "--sign-socket", fake.path, "--seconds", "1", "--window",
                  "8", "--json");
    fake_stop(&fake);
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"failures\": 0"));
    assert_null(strstr(ran->out, "\"signatures\": 0,"));
    assert_null(strstr(ran->out, "\"max_us\": 0,"));
    assert_non_null(strstr(ran->out, "\"p99_us\""));
}

static void bench_fails_at_once_when_nothing_but_refusals_come(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signing);
    ran = program(NULL, "bench", "Beta", "--sign-socket", fake.path, "--seconds", "600", "--window",
                  "8");
    fake_stop(&fake);
    failed(ran, 1, "Beta", "no grant");
    assert_string_equal(ran->out, "");
}

/* ---- administration */

static const char answered_key_id[] =
    "0102030000000000000000000000000000000000000000000000000000000000";

static struct stk_generation generation(const char *name, uint32_t number)
{
    return (struct stk_generation){.name = name,
                                   .generation = number,
                                   .state = "active",
                                   .spc = "709J",
                                   .subject = "CN=\033]0;x\007",
                                   .issuer = "CN=CA",
                                   .serial = "12",
                                   .fingerprint = "00ff",
                                   .x5u = "https://certs.example.com/a.pem",
                                   .not_before = 1790000000,
                                   .not_after = 4102444800,
                                   .key_id = {{1, 2, 3}},
                                   .origin = "imported",
                                   .attributes = "SENSITIVE=1",
                                   .created = 1790000000,
                                   .created_by = 4711};
}

static void answer_list(int fd, const struct stk_admin_request *request)
{
    const struct stk_generation first[] = {generation("Alpha", 1), generation("Beta", 22)};
    const struct stk_generation second[] = {generation("Gamma-with-a-long-name", 3)};
    struct stk_admin_response answer = {.id = request->id, .kind = STK_ADMIN_LIST};

    answer.more = request->after[0] == '\0';
    answer.generations = answer.more ? first : second;
    answer.generation_count = answer.more ? 2 : 1;
    if (!answer.more && strcmp(request->after, "Beta") != 0)
        abort();
    fake_admin_answer(fd, &answer);
}

/* Does what it is asked; "Nobody" is not held. */
static void play_administration(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request)) {
        struct stk_admin_response answer = {.id = request.id, .kind = request.kind};
        const struct stk_generation one = generation("Alpha", 2);

        answer.generation = 2;
        answer.generations = &one;
        answer.generation_count = request.kind == STK_ADMIN_SHOW;
        if (request.kind == STK_ADMIN_LIST)
            answer_list(fd, &request);
        else if (strcmp(request.name.text, "Nobody") == 0)
            fake_admin_refuse(fd, request.id, STIRKEEP_UNKNOWN_NAME, "Nobody: not held");
        else
            fake_admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static void a_list_goes_on_over_pages_and_its_columns_stand_below_one_another(void **state)
{
    const char *beta = NULL;
    const char *gamma = NULL;
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_administration);
    ran = program(NULL, "list", "--admin-socket", fake.path);
    fake_stop(&fake);
    program_done(ran);
    beta = strstr(ran->out, "\nBeta ");
    gamma = strstr(ran->out, "\nGamma-with-a-long-name ");
    assert_non_null(beta);
    assert_non_null(gamma);
    assert_int_equal(strstr(beta, "active") - beta, strstr(gamma, "active") - gamma);
}

static void a_list_as_json_is_an_array(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_administration);
    ran = program(NULL, "list", "--json", "--admin-socket", fake.path);
    fake_stop(&fake);
    program_done(ran);
    assert_int_equal(ran->out[0], '[');
    assert_non_null(strstr(ran->out, "\"name\": \"Gamma-with-a-long-name\""));
    assert_non_null(strstr(ran->out, answered_key_id));
}

/* The same page for ever. */
static void play_endless_pages(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request)) {
        const struct stk_generation one = generation("Alpha", 1);
        const struct stk_admin_response answer = {.id = request.id,
                                                  .kind = STK_ADMIN_LIST,
                                                  .generations = &one,
                                                  .generation_count = 1,
                                                  .more = true};

        fake_admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static void pages_that_do_not_go_on_end_the_list(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_endless_pages);
    ran = program(NULL, "list", "--admin-socket", fake.path);
    fake_stop(&fake);
    failed(ran, 1, "list");
    assert_string_equal(ran->out, "");
}

static void a_generation_is_shown_with_nothing_that_steers_a_terminal(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_administration);
    ran = program(NULL, "show", "Alpha", "--admin-socket", fake.path);
    fake_stop(&fake);
    /* The played service gives no chain: text has none. */
    program_done(ran);
    assert_non_null(strstr(ran->out, "CN=?]0;x?"));
    assert_non_null(strstr(ran->out, answered_key_id));
    assert_non_null(strstr(ran->out, "by uid 4711"));
}

static void a_name_that_is_not_held_is_said(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_administration);
    ran = program(NULL, "retire", "Nobody", "--admin-socket", fake.path);
    fake_stop(&fake);
    failed(ran, 1, "Nobody: not held");
    fake_start(&fake, play_administration);
    ran = program(NULL, "retire", "Alpha", "--admin-socket", fake.path);
    fake_stop(&fake);
    program_done(ran);
    assert_non_null(strstr(ran->out, "generation 2 signs no more"));
}

static void play_not_ready(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request)) {
        const struct stk_admin_response answer = {
            .id = request.id,
            .kind = STK_ADMIN_STATUS,
            .service = {.detail = "the token refused the PIN", .keeper = "locked", .signers = 2}};

        fake_admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static void a_service_that_is_not_ready_makes_status_fail_with_the_reason(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_not_ready);
    ran = program(NULL, "status", "--admin-socket", fake.path);
    fake_stop(&fake);
    failed(ran, 1, "status", "not ready", "refused the PIN");
    assert_non_null(strstr(ran->out, "keeper         locked"));
}

static void play_not_permitted(struct fake *fake)
{
    int fd = fake_accept(fake);

    fake_admin_refuse(fd, 0, STIRKEEP_NOT_PERMITTED, "admin.sock: not for this user");
    fake_close(fake, fd);
}

static void who_is_no_administrator_gets_the_limited_view(void **state)
{
    const struct ran *ran = NULL;
    struct fake admin;
    struct fake front;
    (void)state;

    fake_start(&admin, play_not_permitted);
    fake_start(&front, play_signing);
    ran = program(NULL, "status", "--json", "--admin-socket", admin.path, "--sign-socket",
                  front.path);
    fake_stop(&admin);
    fake_stop(&front);
    failed(ran, 1, "the keeper is starting");
    assert_non_null(strstr(ran->out, "\"view\": \"limited\""));
    assert_non_null(strstr(ran->out, "\"ready\": false"));
    assert_non_null(strstr(ran->out, "not for this user"));
}

/* ---- the policy in force */

#define CONFIGURATION "61da214f1636a7a39a89e298c45f0f469591adb8c645240d48a1ae3dd19fd0ca"
#define ATTESTATION "e675ac83ac9ce7f5ac61e9c1500b8b7313fcc63ec9b3713f2590a8556b809fe7"

static void play_policy(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request)) {
        struct stk_admin_response answer = {.id = request.id,
                                            .kind = request.kind,
                                            .configuration = CONFIGURATION,
                                            .attestation = ATTESTATION,
                                            .grants = 200,
                                            .attest_rules = 1000000};

        answer.service.ready = true;
        answer.service.configuration = CONFIGURATION;
        answer.service.attestation = request.kind == STK_ADMIN_STATUS ? "" : ATTESTATION;
        fake_admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static void play_faulty_policy(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request))
        fake_admin_refuse(fd, request.id, STIRKEEP_CONFIG,
                          "/etc/stirkeep/stirkeep.conf:17: [grant x] foo: no such key");
    fake_close(fake, fd);
}

static const struct ran *ask(void (*play)(struct fake *fake), const char *verb, const char *more)
{
    const struct ran *ran = NULL;
    struct fake fake;

    fake_start(&fake, play);
    ran = program(NULL, verb, "--admin-socket", fake.path, more);
    fake_stop(&fake);
    return ran;
}

static void a_reload_tells_what_is_in_force_now(void **state)
{
    const struct ran *ran = ask(play_policy, "reload", NULL);
    (void)state;

    program_done(ran);
    assert_string_equal(ran->out, "configuration  " CONFIGURATION "\nattestation    " ATTESTATION
                                  "\ngrants         200\nattest rules   1000000\n");
    ran = ask(play_policy, "reload", "--json");
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"attestation\": \"" ATTESTATION "\""));
    assert_non_null(strstr(ran->out, "\"attest_rules\": 1000000"));
}

static void a_reload_that_is_refused_says_file_line_and_reason(void **state)
{
    const struct ran *ran = ask(play_faulty_policy, "reload", NULL);
    (void)state;

    failed(ran, 1, "/etc/stirkeep/stirkeep.conf:17: [grant x] foo");
    assert_string_equal(ran->out, "");
}

static void status_shows_the_policys_hashes(void **state)
{
    const struct ran *ran = ask(play_policy, "status", NULL);
    (void)state;

    program_done(ran);
    assert_non_null(strstr(ran->out, "configuration  " CONFIGURATION "\n"));
    assert_non_null(strstr(ran->out, "attestation    no file\n"));
    ran = ask(play_policy, "status", "--json");
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"configuration\": \"" CONFIGURATION "\""));
    assert_non_null(strstr(ran->out, "\"attestation\": \"\""));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_value_is_printed_on_a_line_of_its_own),
        cmocka_unit_test(json_has_the_passport_by_itself),
        cmocka_unit_test(a_refusal_is_one_harmless_line),
        cmocka_unit_test(bench_counts_signatures_and_their_latency),
        cmocka_unit_test(bench_fails_at_once_when_nothing_but_refusals_come),
        cmocka_unit_test(a_list_goes_on_over_pages_and_its_columns_stand_below_one_another),
        cmocka_unit_test(a_list_as_json_is_an_array),
        cmocka_unit_test(pages_that_do_not_go_on_end_the_list),
        cmocka_unit_test(a_generation_is_shown_with_nothing_that_steers_a_terminal),
        cmocka_unit_test(a_name_that_is_not_held_is_said),
        cmocka_unit_test(a_service_that_is_not_ready_makes_status_fail_with_the_reason),
        cmocka_unit_test(who_is_no_administrator_gets_the_limited_view),
        cmocka_unit_test(a_reload_tells_what_is_in_force_now),
        cmocka_unit_test(a_reload_that_is_refused_says_file_line_and_reason),
        cmocka_unit_test(status_shows_the_policys_hashes),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli service", tests, place_set_up, place_tear_down);
}
