/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS 10 /* the last one is NULL */

struct line {
    const char *words[WORDS];
    const char *named; /* what the error line has to name */
};

static void wrong_lines_exit_with_two_and_name_what_is_wrong(void **state)
{
    static const struct line lines[] = {
        {{NULL}, "stirkeep --help"},
        {{"nonsense"}, "nonsense"},
        {{"--nonsense"}, "--nonsense"},
        {{""}, "no such command"},
        {{"audit"}, "audit"},
        {{"audit", "nonsense", "x"}, "audit"},
        {{"auditverify", "x"}, "auditverify"},
        {{"audit verify", "x"}, "audit verify"},
        {{"audit", "verify"}, "FILE"},
        {{"lint", "a", "b"}, "b"},
        {{"import"}, "NAME"},
        {{"import", "Alpha"}, "--cert"},
        {{"import", "Alpha", "--cert", "x"}, "--key"},
        {{"import", "Alpha", "--key", "x"}, "--cert"},
        {{"import", "Alpha", "--cert"}, "--cert"},
        {{"import", "Alpha", "--cert", "x", "--cert", "y"}, "given twice: --cert"},
        {{"import", "Alpha", "Beta", "--cert", "x", "--key", "y"}, "Beta"},
        {{"import", "Alpha", "--passphrase", "secret"}, "--passphrase"},
        {{"import", "Alpha", "--pin", "x"}, "--pin"},
        {{"destroy", "Alpha", "--y"}, "--y"},
        {{"doctor", "--rebuild"}, "--rebuild"},
        {{"list", "Alpha"}, "Alpha"},
        {{"list", "-x"}, "-x"},
        {{"list", "--json=yes"}, "--json=yes"},
        {{"show"}, "NAME"},
        {{"show", "a", "b"}, "b"},
        {{"retire"}, "NAME"},
        {{"sign"}, "NAME"},
        {{"sign", "Alpha"}, "--orig"},
        {{"sign", "Alpha", "--orig", "1", "--dest", "2"}, "--attest"},
        {{"sign", "Alpha", "--orig", "1", "--attest", "A"}, "--dest"},
        {{"sign", "Alpha", "--orig", "1", "--dest", ",", "--attest", "A"}, "--dest"},
        {{"sign", "Alpha", "--orig", "1", "--orig-uri", "sip:a@b", "--dest", "2"}, "--orig"},
        {{"sign", "Alpha", "--ppt", "div", "--orig", "1", "--dest", "2"}, "--div"},
        {{"sign", "Alpha", "--ppt=base", "--attest=A", "--orig=1", "--dest=2"}, "--attest"},
        {{"sign", "Alpha", "--iat", "soon"}, "--iat"},
        {{"sign", "Alpha", "--iat", "0"}, "--iat"},
        {{"sign", "Alpha", "--iat", "99999999999999999999"}, "--iat"},
        {{"sign", "Alpha", "--admin-socket", "x"}, "--admin-socket"},
        {{"verify", "a", "b"}, "b"},
        {{"verify", "--ca", "x", "a"}, "--cert"},
        {{"verify", "--max-age", "-1", "a"}, "--max-age"},
        {{"verify", "--sign-socket", "x"}, "--sign-socket"},
        {{"verify", "--orig", "1", "a"}, "--dest"},
        {{"policy"}, "policy"},
        {{"policy", "nonsense"}, "policy"},
        {{"policy", "check", "x"}, "x"},
        {{"policy", "check", "--conf", "x"}, "--conf"},
        {{"policy", "explain"}, "--user"},
        {{"reload", "x"}, "x"},
        {{"status", "x"}, "x"},
        {{"bench"}, "NAME"},
        {{"bench", "Alpha", "--window", "0"}, "--window"},
        {{"bench", "Alpha", "--window", "1025"}, "--window"},
        {{"bench", "Alpha", "--connections", "1025"}, "--connections"},
        {{"bench", "Alpha", "--seconds", "1s"}, "--seconds"},
        {{"bench", "Alpha", "--seconds", ""}, "--seconds"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const struct ran *ran = program_run(NULL, lines[i].words);

        failed(ran, 2, lines[i].named);
        assert_string_equal(ran->out, "");
    }
}

static void hostile_words_stay_on_one_line_and_steer_no_terminal(void **state)
{
    const struct ran *ran = program(NULL, "a\nb\033[31m\xc2\x9b\x7f\x9bm\xe2\x80\xae", "x");
    (void)state;

    failed(ran, 2, "a?b?[31m");
    for (const char *at = ran->err; at[1] != '\0'; at++)
        assert_true((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f);
    /* What is text in another language stays. */
    failed(program(NULL, "Z\xc3\xbcrich \xf0\x9f\x94\x91"), 2, "Z\xc3\xbcrich \xf0\x9f\x94\x91");
}

static void options_without_end_are_refused(void **state)
{
    const char *words[40] = {"sign", "Alpha", "--orig", "1", "--attest", "A", "--dest"};
    static char many[600];
    (void)state;

    for (size_t i = 0; i < 130; i++)
        (void)snprintf(many + 2 * i, sizeof(many) - 2 * i, "%zu,", i % 10);
    words[7] = many;
    failed(program_run(NULL, words), 2, "given too often: --dest");
}

static void help_is_there_for_everything_and_exits_with_zero(void **state)
{
    static const struct line lines[] = {
        {{"--help"}, "audit verify"},
        {{"-h"}, "exit status"},
        {{"help"}, "import"},
        {{"import", "--help"}, "--passphrase-file FILE"},
        {{"import", "Alpha", "-h"}, "--keep-source"},
        {{"list", "-h"}, "--mine"},
        {{"show", "-h"}, "--pem"},
        {{"retire", "-h"}, "--admin-socket"},
        {{"sign", "-h"}, "--attest A|B|C"},
        {{"verify", "-h"}, "--max-age"},
        {{"status", "-h"}, "--json"},
        {{"bench", "-h"}, "--window"},
        {{"audit", "verify", "-h"}, "FILE"},
        {{"policy", "check", "-h"}, "--config FILE"},
        {{"policy", "explain", "-h"}, "--executable PATH"},
        {{"reload", "-h"}, "--admin-socket"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const struct ran *ran = program_run(NULL, lines[i].words);

        program_done(ran);
        assert_memory_equal(ran->out, "usage: stirkeep ", 16);
        if (strstr(ran->out, lines[i].named) == NULL)
            fail_msg("\"%s\" is not in the help of %s", lines[i].named, lines[i].words[0]);
    }
    program_done(program(NULL, "--version"));
}

static void without_a_service_each_verb_says_so_with_the_socket(void **state)
{
    const char *sign_socket = place("sign.sock");
    const char *admin_socket = place("admin.sock");
    (void)state;

    failed(program(NULL, "list"), 1, admin_socket, "No such file");
    failed(program(NULL, "show", "Alpha"), 1, admin_socket);
    failed(program(NULL, "retire", "Alpha"), 1, admin_socket);
    failed(program(NULL, "reload"), 1, admin_socket);
    failed(program(NULL, "status"), 1, sign_socket, "not ready");
    failed(program(NULL, "list", "--mine"), 1, sign_socket);
    failed(program(NULL, "bench", "Alpha"), 1, sign_socket);
    failed(program(NULL, "sign", "Alpha", "--orig", "1", "--dest", "2", "--attest", "A"), 1,
           sign_socket);
    failed(program("{\"attest\":\"A\"}", "sign", "Alpha", "--batch", "-"), 1, sign_socket,
           "line 1");
    /* A file where a socket should be, given by option. */
    place_text("file", "");
    failed(program(NULL, "list", "--admin-socket", place("file")), 1, "/file", "refused");
    failed(program(NULL, "list", "--mine", "--sign-socket", place("file")), 1, "/file", "refused");
}

static void a_socket_path_that_no_socket_can_have_is_refused(void **state)
{
    char path[300] = "/";
    (void)state;

    memset(path + 1, 'a', sizeof(path) - 2);
    failed(program(NULL, "list", "--admin-socket", path), 1, "socket path");
    failed(program(NULL, "list", "--mine", "--sign-socket", path), 1, "socket path");
    failed(program(NULL, "bench", "Alpha", "--sign-socket", path), 1, "socket path");
    failed(program(NULL, "list", "--admin-socket", ""), 1, "socket path");
}

static void bad_names_are_refused_before_anybody_is_asked(void **state)
{
    (void)state;
    failed(program(NULL, "show", "../etc"), 1, "../etc");
    failed(program(NULL, "retire", ""), 1, "name");
    failed(program(NULL, "import", "-", "--cert", "x", "--key", "y"), 1, "-");
}

static void output_that_cannot_be_written_is_no_success(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    (void)state;

    assert_true(full >= 0);
    program_output(full);
    failed(program(NULL, "--help"), 1, "standard output", "No space left");
    (void)close(full);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_exit_with_two_and_name_what_is_wrong),
        cmocka_unit_test(hostile_words_stay_on_one_line_and_steer_no_terminal),
        cmocka_unit_test(options_without_end_are_refused),
        cmocka_unit_test(help_is_there_for_everything_and_exits_with_zero),
        cmocka_unit_test(without_a_service_each_verb_says_so_with_the_socket),
        cmocka_unit_test(a_socket_path_that_no_socket_can_have_is_refused),
        cmocka_unit_test(bad_names_are_refused_before_anybody_is_asked),
        cmocka_unit_test(output_that_cannot_be_written_is_no_success),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli usage", tests, place_set_up, place_tear_down);
}
