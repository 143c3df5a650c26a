/* SPDX-License-Identifier: BSD-2-Clause */
#include "../valgrind.h"
#include "base/clock.h"
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Another policy takes over between two requests, or nothing changes. */

/* The room's word on CONFIG `number`. */
static void expect_taken(struct bench *bench, uint64_t number, enum stirkeep_status status,
                         const char *text)
{
    const struct stk_control_message said = born_hear(&bench->born);

    assert_int_equal(said.kind, STK_CONTROL_TAKEN);
    assert_int_equal(said.room, STK_ROOM_FRONT);
    assert_true(said.number == number);
    if (said.status != status || strstr(said.text, text) == NULL)
        fail_msg("it says %u: %s", said.status, said.text);
}

/* The configuration as the bench's fields have it now. */
static void reload(struct bench *bench, uint64_t number, int rules)
{
    char config[BENCH_CONFIG_MAX] = "";

    bench_config(bench, config);
    born_reload(&bench->born, number, born_config(config), rules);
    expect_taken(bench, number, STIRKEEP_OK, "");
}

static void expect_signed(struct bench *bench, struct client *client, const char *attest)
{
    bench_forget(bench);
    sign_to(client, 1, "Alpha", attest, 0);
    bench_take(bench, 1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, client).status, STIRKEEP_OK);
}

static void expect_refused(struct bench *bench, struct client *client, const char *attest)
{
    sign_to(client, 1, "Alpha", attest, 0);
    hear_refusal(bench, client, 1, STIRKEEP_NOT_PERMITTED, "");
}

static void a_new_policy_decides_for_connections_that_are_there(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->sections = "";
    bench_start(bench);
    client = client_new(&bench->born);
    expect_signed(bench, &client, "B");
    expect_refused(bench, &client, "C");
    ping_to(&client, 9);
    assert_int_equal(hear(bench, &client).pong.certificates, 4);
    bench->stranger = true;
    reload(bench, 1, -1);
    expect_refused(bench, &client, "B"); /* it stays, and is refused */
    ping_to(&client, 2);
    assert_int_equal(hear(bench, &client).pong.certificates, 0);
    bench->stranger = false;
    bench->grant = "ppt = base\n";
    reload(bench, UINT64_MAX, -1);
    expect_refused(bench, &client, "B");
    ping_to(&client, 3);
    assert_int_equal(hear(bench, &client).pong.certificates, 4);
    bench->grant = NULL;
    reload(bench, 3, -1);
    expect_signed(bench, &client, "B");
    client_free(&client);
}

static void what_was_decided_before_goes_its_way(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of("12155550121", "A");
    const struct stk_signing_input signings[] = {{.name = "Alpha", .claims = &claims},
                                                 {.name = "Alpha", .claims = &claims}};
    struct client client = {0};

    bench->deadline_ms = 1000;
    bench->grant = "quota = 10\n";
    bench_start_alone(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    batch_to(&client, 2, signings, 2, true, 0);
    sign_to(&client, 3, "Alpha", "A", 100); /* given back when its grant is gone */
    ping_to(&client, 4);
    assert_int_equal(hear(bench, &client).id, 4);
    bench->stranger = true;
    reload(bench, 1, -1);
    hear_refusal(bench, &client, 3, STIRKEEP_UNAVAILABLE, "");
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    bench_take(bench, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(bench->taken[i].grant, "proxy");
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    }
    assert_int_equal(hear(bench, &client).id, 1);
    assert_int_equal(hear(bench, &client).kind, STK_RESPONSE_BATCH);
    expect_refused(bench, &client, "A");
    client_free(&client);
}

static void what_is_faulty_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    char config[BENCH_CONFIG_MAX] = "";
    char plain[64] = "a memfd that can still be written to";
    int unsealed = memfd_create("rules", MFD_CLOEXEC);

    bench->sections = "[attest 1*]\nlevel = B\n";
    bench->born.rules = bench_rules("1* B\n", STK_LEVEL_NONE);
    bench_start(bench);
    client = client_new(&bench->born);
    bench->stranger = true;
    bench_config(bench, config);
    born_reload(&bench->born, 1, born_sealed("rubbish", 7), -1);
    expect_taken(bench, 1, STIRKEEP_MALFORMED, "configuration");
    born_reload(&bench->born, 2, born_sealed(config, strlen(config)), -1);
    expect_taken(bench, 2, STIRKEEP_MALFORMED, "configuration");
    born_reload(&bench->born, 3, born_config(config),
                born_sealed("rubbish that is long enough", 27));
    expect_taken(bench, 3, STIRKEEP_MALFORMED, "");
    assert_int_equal(write(unsealed, plain, sizeof(plain)), sizeof(plain));
    born_reload(&bench->born, 4, born_config(config), unsealed);
    expect_taken(bench, 4, STIRKEEP_CONFIG, "sealed");
    born_reload(&bench->born, 5, born_config(config), born_sealed("", 0));
    expect_taken(bench, 5, STIRKEEP_CONFIG, "sealed");
    expect_signed(bench, &client, "B");
    expect_refused(bench, &client, "A");
    client_free(&client);
}

static void attestation_rules_come_and_go(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    expect_signed(bench, &client, "A");
    bench->sections = "[attest 1*]\nlevel = B\n";
    reload(bench, 1, bench_rules("1* B\n", STK_LEVEL_NONE));
    expect_refused(bench, &client, "A");
    expect_signed(bench, &client, "B");
    bench->sections = "[attestation]\nexceed = lower\n[attest 2*]\nlevel = B\n";
    reload(bench, 2, bench_rules("2* B\n", STK_LEVEL_C));
    expect_signed(bench, &client, "A");
    assert_int_equal(bench->taken[0].attest, 'C');
    bench->sections = NULL;
    reload(bench, 3, -1);
    expect_signed(bench, &client, "A");
    assert_int_equal(bench->taken[0].attest, 'A');
    client_free(&client);
}

static void what_is_used_up_stays_used_up(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->grant = "rate = 1\nburst = 2\n";
    bench_start(bench);
    client = client_new(&bench->born);
    expect_signed(bench, &client, "A");
    expect_signed(bench, &client, "A");
    bench->grant = "rate = 1\nburst = 2\nppt = shaken, base\n";
    reload(bench, 1, -1);
    sign_to(&client, 1, "Alpha", "A", 0);
    hear_refusal(bench, &client, 1, STIRKEEP_RATE_LIMITED, "rate");
    client_free(&client);
}

/* Two policies in turns, each of which allows what is asked, by a grant of another name: all is
 * signed, each by one of them, and nothing is lost. */
static void a_reload_under_load_fails_nobody(void **state)
{
    enum { REQUESTS = 4000, RELOADS = 60, WINDOW = 200 };
    struct bench *bench = *state;
    char other[512] = "";
    char config[2][BENCH_CONFIG_MAX];
    struct client client = {0};
    uint64_t sent = 0;
    uint64_t heard = 0;
    size_t answered = 0;
    size_t seen[2] = {0};
    uint64_t reloads = 0;
    uint64_t taken = 0;

    bench_config(bench, config[0]);
    (void)snprintf(other, sizeof(other), "%s", strstr(config[0], "[grant proxy]"));
    (void)snprintf(config[1], sizeof(config[1]), "%.*s[grant other]%s",
                   (int)(strstr(config[0], "[grant proxy]") - config[0]), config[0],
                   other + strlen("[grant proxy]"));
    bench_start(bench);
    client = client_new(&bench->born);
    while (heard < REQUESTS) {
        while (sent < REQUESTS && sent - heard < WINDOW)
            sign_to(&client, ++sent, "Alpha", "A", 0);
        if (reloads > taken && born_readable(bench->born.control, 0))
            expect_taken(bench, ++taken, STIRKEEP_OK, "");
        if (reloads < RELOADS && reloads == taken && heard >= reloads * (REQUESTS / RELOADS)) {
            reloads++;
            born_reload(&bench->born, reloads, born_config(config[reloads % 2]), -1);
        }
        if (answered < sent)
            bench_take_some(bench);
        for (; answered < bench->taken_count; answered++) {
            seen[strcmp(bench->taken[answered].grant, "other") == 0 ? 1 : 0]++;
            bench_answer(bench, bench->taken[answered].id, STIRKEEP_OK);
        }
        while (heard < answered) {
            assert_int_equal(hear(bench, &client).status, STIRKEEP_OK);
            heard++;
        }
    }
    while (taken < reloads)
        expect_taken(bench, ++taken, STIRKEEP_OK, "");
    assert_in_range(reloads, 3, RELOADS);
    assert_int_equal(seen[0] + seen[1], REQUESTS);
    assert_true(seen[0] > 0 && seen[1] > 0);
    client_free(&client);
}

/* As many as one can be read at once; so that the porter, which offers what is in force again when
 * front takes too long, has the last word. */
static void of_several_at_once_the_last_one_counts(void **state)
{
    enum { ROUNDS = 20, AT_ONCE = 5 };
    struct bench *bench = *state;
    char config[BENCH_CONFIG_MAX] = "";
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    for (int round = 0; round < ROUNDS; round++) {
        bool seen[AT_ONCE] = {false};

        for (uint64_t i = 0; i < AT_ONCE; i++) {
            bench->stranger = i != AT_ONCE - 1;
            bench_config(bench, config);
            born_reload(&bench->born, i + 1, born_config(config),
                        i % 2 == 0 ? bench_rules("1* B\n", STK_LEVEL_A) : -1);
        }
        for (int i = 0; i < AT_ONCE; i++) {
            const struct stk_control_message said = born_hear(&bench->born);

            assert_int_equal(said.kind, STK_CONTROL_TAKEN);
            assert_in_range(said.number, 1, AT_ONCE);
            assert_false(seen[said.number - 1]);
            seen[said.number - 1] = true;
            assert_true(said.status == STIRKEEP_OK ||
                        (said.status == STIRKEEP_CONFLICT && said.number < AT_ONCE));
        }
        expect_signed(bench, &client, "B");
        expect_refused(bench, &client, "A");
    }
    client_free(&client);
}

/* It is in the middle of reading a large one. */
static void leaving_amid_a_reload_is_clean(void **state)
{
    enum { GRANTS = 3000 };
    struct bench *bench = *state;
    char *sections = calloc(GRANTS, 128);
    char *config = calloc(GRANTS, 256);
    size_t length = 0;
    char plain[BENCH_CONFIG_MAX] = "";

    bench_start(bench);
    bench_config(bench, plain);
    for (int i = 0; i < GRANTS; i++)
        length += (size_t)sprintf(sections + length,
                                  "[grant g%d]\nuser = %u\ncertificates = A%d*, *b%d\nattest = A\n",
                                  i, (unsigned)getuid(), i, i);
    (void)sprintf(config, "%s%s", plain, sections);
    born_reload(&bench->born, 1, born_config(config), bench_rules("1* B\n", STK_LEVEL_A));
    born_reload(&bench->born, 2, born_config(config), -1);
    expect_served(bench);
    free(sections);
    free(config);
}

/* All requests wait for what happens in the loop: a large policy is read beside it. */
static void reading_a_large_policy_holds_nobody_up(void **state)
{
    enum { GRANTS = 4000 };
    struct bench *bench = *state;
    char *config = calloc(GRANTS, 256);
    size_t length = 0;
    struct client client = {0};
    uint64_t longest = 0;
    uint64_t began = 0;
    uint64_t took = 0;
    char plain[BENCH_CONFIG_MAX] = "";

    bench_start(bench);
    bench_config(bench, plain);
    length = (size_t)sprintf(config, "%s", plain);
    for (int i = 0; i < GRANTS; i++)
        length += (size_t)sprintf(config + length,
                                  "[grant g%d]\nuser = %u\ncertificates = A%d*, *b%d\nattest = A\n"
                                  "orig = 1%d555*, 1%d5560000-1%d5569999, 1%d55700*, 1%d55800*, "
                                  "1%d5590000-1%d5599999, 1%d5600000-1%d5600999\n",
                                  i, (unsigned)getuid(), i, i, 1000 + i, 1000 + i, 1000 + i,
                                  1000 + i, 1000 + i, 1000 + i, 1000 + i, 1000 + i, 1000 + i);
    client = client_new(&bench->born);
    born_reload(&bench->born, 1, born_config(config), -1);
    began = stk_clock_mono_us();
    while (!born_readable(bench->born.control, 0)) {
        uint64_t before = stk_clock_mono_us();

        expect_signed(bench, &client, "B");
        if (stk_clock_mono_us() - before > longest)
            longest = stk_clock_mono_us() - before;
    }
    took = stk_clock_mono_us() - began;
    print_message("# read in %u us, a request waited %u us at most\n", (unsigned)took,
                  (unsigned)longest);
    expect_taken(bench, 1, STIRKEEP_OK, "");
    if (!is_under_valgrind("one thread runs at a time"))
        assert_in_range(longest, 1, took / 2 + 20000);
    client_free(&client);
    free(config);
}

static void while_draining_a_reload_is_answered_too(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    reload(bench, 1, -1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_OK);
    assert_int_equal(born_wait(&bench->born), 0);
    client_free(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_policy_decides_for_connections_that_are_there),
        TEST(what_was_decided_before_goes_its_way),
        TEST(what_is_faulty_changes_nothing),
        TEST(attestation_rules_come_and_go),
        TEST(what_is_used_up_stays_used_up),
        TEST(a_reload_under_load_fails_nobody),
        TEST(of_several_at_once_the_last_one_counts),
        TEST(leaving_amid_a_reload_is_clean),
        TEST(reading_a_large_policy_holds_nobody_up),
        TEST(while_draining_a_reload_is_answered_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
