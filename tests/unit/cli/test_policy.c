/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* policy check and policy explain: no service is asked. */

static const char common[] = "[token]\nmodule = /nowhere.so\nlabel = stirkeep\npin-file = /pin\n"
                             "[storage]\ncatalog = /nowhere/catalog.db\n"
                             "[audit]\nfile = /nowhere/audit.jsonl\n";

static const char grants[] =
    "[grant kamailio]\nuser = 12345\ncertificates = Alpha, Beta-*\nppt = shaken, div\n"
    "attest = A, B\norig = 1415555*\n"
    "[grant gateway]\ngroup = 23456\nexecutable = /usr/sbin/gateway\nunit = gateway.service\n"
    "certificates = *\nppt = shaken, rcd, base, div-o, rph, msgi\nattest = C\nsign-input = yes\n";

/* The configuration "NAME.conf" with these words behind the others; its path. */
static const char *configuration(const char *name, const char *more)
{
    char file[64] = "";
    char text[4096] = "";

    (void)snprintf(file, sizeof(file), "%s.conf", name);
    (void)snprintf(text, sizeof(text), "%s%s%s", common, grants, more);
    place_text(file, text);
    return place(file);
}

static void a_good_configuration_is_counted(void **state)
{
    char more[512] = "";
    const struct ran *ran = NULL;
    (void)state;

    place_text("attest.csv", "number,level\n14155550100,A\n1415556*,B\n");
    assert_int_equal(chmod(place("attest.csv"), 0644), 0);
    (void)snprintf(more, sizeof(more), "[attestation]\nfile = %s\n[attest 1202*]\nlevel = C\n",
                   place("attest.csv"));
    ran = program(NULL, "policy", "check", "--config", configuration("good", more));
    program_done(ran);
    assert_non_null(strstr(ran->out, "grants         2\n"));
    assert_non_null(strstr(ran->out, "attest rules   3\n"));
    ran = program(NULL, "policy", "check", "--json", "--config", place("good.conf"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"good\": true"));
    assert_non_null(strstr(ran->out, "\"attest_rules\": 3"));
}

static void what_would_be_refused_is_named_with_its_line(void **state)
{
    char more[512] = "";
    const struct ran *ran = NULL;
    (void)state;

    failed(
        program(NULL, "policy", "check", "--config", configuration("bad", "[grant x]\nfoo = 1\n")),
        1, "/bad.conf:24: [grant x] foo");
    place_text("attest.csv", "number,level\n14155550100,A\n14155550100,B\n");
    (void)snprintf(more, sizeof(more), "[attestation]\nfile = %s\n", place("attest.csv"));
    ran = program(NULL, "policy", "check", "--json", "--config", configuration("worse", more));
    failed(ran, 1, "/attest.csv:3", "2");
    assert_non_null(strstr(ran->out, "\"good\": false"));
    assert_non_null(strstr(ran->out, "attest.csv:3"));
    place_text("attest.csv", "number,level\n14155550100,D\n");
    failed(program(NULL, "policy", "check", "--config", place("worse.conf")), 1, "/attest.csv:2");
    failed(program(NULL, "policy", "check", "--config", place("none.conf")), 1, "/none.conf",
           "No such file");
    (void)snprintf(more, sizeof(more), "[attestation]\nfile = %s\n", place("none.csv"));
    failed(program(NULL, "policy", "check", "--config", configuration("third", more)), 1,
           "/none.csv");
}

static void a_configuration_that_others_may_write_to_is_told(void **state)
{
    const char *path = configuration("open", "");
    (void)state;

    assert_int_equal(chmod(path, 0664), 0);
    failed(program(NULL, "policy", "check", "--config", path), 1, "its group may write to it");
    assert_int_equal(chmod(path, 0602), 0);
    failed(program(NULL, "policy", "check", "--config", path), 1, "everybody may write to it");
    /* What one asks about is no policy that is in force. */
    program_done(program(NULL, "policy", "explain", "--config", path, "--user", "12345", "--name",
                         "Beta-1", "--orig", "14155550100", "--attest", "B"));
}

static void a_program_behind_a_symbolic_link_is_told(void **state)
{
    char more[1024] = "";
    char target[PATH_MAX] = "";
    const struct ran *ran = NULL;
    (void)state;

    place_text("program", "");
    assert_non_null(realpath(place("program"), target));
    assert_int_equal(symlink("program", place("link")), 0);
    (void)snprintf(more, sizeof(more),
                   "[grant g]\nexecutable = %s, %s\ncertificates = a\nattest = A\n", target,
                   place("link"));
    ran = program(NULL, "policy", "check", "--config", configuration("linked", more));
    program_done(ran);
    assert_non_null(strstr(ran->out, "warning        [grant g] executable: no process runs "));
    assert_non_null(strstr(ran->out, "/link, which leads to "));
    assert_null(strstr(ran->out, "/program, which leads to "));
    ran = program(NULL, "policy", "check", "--json", "--config", place("linked.conf"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "/program: name that\""));
    /* As the service will know the program that was started by its link. */
    (void)snprintf(more, sizeof(more), "[grant g]\nexecutable = %s\ncertificates = a\nattest = A\n",
                   place("link"));
    failed(program(NULL, "policy", "explain", "--config", configuration("lost", more), "--user",
                   "1", "--executable", place("link"), "--name", "a", "--orig", "1", "--attest",
                   "A"),
           1, "not permitted");
    program_done(program(NULL, "policy", "explain", "--config", place("linked.conf"), "--user", "1",
                         "--executable", place("link"), "--name", "a", "--orig", "1", "--attest",
                         "A"));
}

static void what_only_a_restart_takes_is_told_against_the_one_in_force(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    (void)configuration("now", "");
    program_done(program(NULL, "policy", "check", "--config",
                         configuration("more", "[grant x]\nuser = 1\ncertificates = a\n"
                                               "attest = A\n"),
                         "--against", place("now.conf")));
    ran = program(NULL, "policy", "check", "--json", "--config",
                  configuration("other", "[signing]\ndeadline-ms = 77\n"), "--against",
                  place("now.conf"));
    failed(ran, 1, "other.conf: [signing] deadline-ms: only a restart takes a change of it");
    assert_non_null(strstr(ran->out, "\"good\": false"));
    program_done(program(NULL, "policy", "check", "--config", place("other.conf")));
    failed(program(NULL, "policy", "check", "--config", place("now.conf"), "--against",
                   place("none.conf")),
           1, "/none.conf", "No such file");
}

static const struct ran *explain(const char *const *words)
{
    const char *line[32] = {"policy", "explain", "--config", place("explain.conf")};
    size_t count = 4;

    for (; *words != NULL; words++)
        line[count++] = *words;
    return program_run(NULL, line);
}
#define explained(...) explain((const char *const[]){__VA_ARGS__, NULL})

#define WHO "--user", "12345"
#define NUMBER "--orig", "+1 415-555-0100"

static void who_decides_and_why_is_said(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    (void)configuration("explain",
                        "[attest 14155550100]\nlevel = B\n[attestation]\nexceed = lower\n");
    ran = explained(WHO, "--name", "Beta-1", NUMBER, "--attest", "B");
    program_done(ran);
    assert_non_null(strstr(ran->out, "grant kamailio: applies"));
    assert_non_null(strstr(ran->out, "grant gateway: does not apply"));
    assert_non_null(strstr(ran->out, "allowed by grant kamailio"));
    ran = explained(WHO, "--name", "Beta-1", NUMBER, "--attest", "A");
    program_done(ran);
    assert_non_null(strstr(ran->out, "attest B (A was asked for)"));
    ran = explained(WHO, "--json", "--name", "Beta-1", NUMBER, "--attest", "C");
    failed(ran, 1, "not permitted");
    assert_non_null(strstr(ran->out, "\"allowed\": false"));
    assert_non_null(strstr(ran->out, "attest"));
    failed(explained(WHO, "--name", "Gamma", NUMBER, "--attest", "B"), 1, "not permitted");
    failed(explained(WHO, "--name", "Beta-1", "--orig", "12025550100", "--attest", "B"), 1,
           "not permitted");
    failed(explained("--user", "12346", "--name", "Beta-1", NUMBER, "--attest", "B"), 1,
           "not permitted");
}

static void programs_units_and_groups_count(void **state)
{
    (void)state;
    (void)configuration("explain", "");
#define GATEWAY                                                                                    \
    "--user", "999999", "--group", "1,23456", "--executable", "/usr/sbin/gateway", "--unit",       \
        "gateway.service", "--name", "Gamma", "--orig", "1"
    program_done(explained(GATEWAY, "--attest", "C"));
    program_done(explained(GATEWAY, "--attest", "C", "--rcd", "--sign-input"));
    program_done(explained(GATEWAY, "--ppt", "base"));
    program_done(explained(GATEWAY, "--ppt", "rph"));
    program_done(explained(GATEWAY, "--ppt", "rcd"));
    program_done(explained(GATEWAY, "--ppt", "msgi"));
    program_done(explained(GATEWAY, "--ppt", "div-o", "--div", "sip:a@example.com"));
    failed(explained(GATEWAY, "--ppt", "div", "--div", "14155550100"), 1, "not permitted");
    failed(explained("--user", "999999", "--group", "23456", "--executable", "/usr/bin/other",
                     "--unit", "gateway.service", "--name", "Gamma", "--orig", "1", "--attest",
                     "C"),
           1, "not permitted");
    failed(explained("--user", "999999", "--group", "23456", "--name", "Gamma", "--orig", "1",
                     "--attest", "C"),
           1, "not permitted");
    /* A diverted call is a matter of who diverted it. */
    program_done(explained(WHO, "--name", "Alpha", "--ppt", "div", "--orig", "12025550100", "--div",
                           "14155550100"));
    failed(explained(WHO, "--name", "Alpha", "--ppt", "div", "--orig", "14155550100", "--div",
                     "12025550100"),
           1, "not permitted");
}

static void users_of_the_system_are_known_by_name(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    (void)configuration("explain",
                        "[grant root]\nuser = root\ncertificates = *\nattest = A\n"
                        "[grant its-group]\ngroup = root\ncertificates = *\nattest = B\n");
    ran = explained("--user", "root", "--name", "Alpha", NUMBER, "--attest", "B");
    program_done(ran);
    assert_non_null(strstr(ran->out, "allowed by grant its-group"));
    program_done(explained("--user", "999999", "--group", "root", "--name", "Alpha", NUMBER,
                           "--attest", "B"));
    failed(explained("--user", "no-such-user", "--name", "Alpha", NUMBER, "--attest", "B"), 1,
           "no-such-user", "not known");
    failed(explained("--user", "root", "--group", "no-such-group", "--name", "Alpha", NUMBER,
                     "--attest", "B"),
           1, "no-such-group", "not known");
}

static void what_is_no_question_is_refused(void **state)
{
    (void)state;
    (void)configuration("explain", "[signing]\ntn-digits = 10\n");
    failed(explained("--name", "Alpha", NUMBER, "--attest", "B"), 2, "--user");
    failed(explained(WHO, NUMBER, "--attest", "B"), 2, "--name");
    failed(explained(WHO, "--name", "Alpha", "--attest", "B"), 2, "--orig");
    failed(explained(WHO, "--name", "Alpha", NUMBER), 2, "--attest");
    failed(explained(WHO, "--name", "Alpha", NUMBER, "--ppt", "base", "--attest", "A"), 2,
           "--attest");
    failed(explained(WHO, "--name", "Alpha", NUMBER, "--ppt", "div"), 2, "--div");
    failed(explained(WHO, "--name", "Alpha", NUMBER, "--attest", "B", "--div", "1"), 2, "--div");
    failed(explained(WHO, "--name", "../x", NUMBER, "--attest", "B"), 1, "certificate name");
    failed(explained(WHO, "--name", "Alpha", "--orig", "abc", "--attest", "B"), 1, "orig.tn");
    failed(explained(WHO, "--name", "Alpha", "--orig", "1", "--attest", "D"), 1, "attest");
    failed(explained(WHO, "--name", "Alpha", "--orig", "1", "--ppt", "Shaken"), 1, "ppt");
    failed(explained(WHO, "--name", "Alpha", NUMBER, "--attest", "B"), 1, "orig.tn", "10");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_configuration_is_counted),
        cmocka_unit_test(what_would_be_refused_is_named_with_its_line),
        cmocka_unit_test(a_configuration_that_others_may_write_to_is_told),
        cmocka_unit_test(a_program_behind_a_symbolic_link_is_told),
        cmocka_unit_test(what_only_a_restart_takes_is_told_against_the_one_in_force),
        cmocka_unit_test(who_decides_and_why_is_said),
        cmocka_unit_test(programs_units_and_groups_count),
        cmocka_unit_test(users_of_the_system_are_known_by_name),
        cmocka_unit_test(what_is_no_question_is_refused),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli policy", tests, place_set_up, place_tear_down);
}
