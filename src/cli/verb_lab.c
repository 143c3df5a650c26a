/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"
#include "cli/output.h"
#include "cli/verb.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define X5U_DEFAULT "https://lab.invalid/{name}/{fingerprint}.pem"

struct options {
    struct stk_texts names;
    const char *x5u_template;
    const char *directory;
    const char *module;
    const char *libexec;
};

static const struct options defaults = {.x5u_template = X5U_DEFAULT};

static const struct stk_option table[] = {
    {"name", "NAME", STK_OPTION_TEXTS, offsetof(struct options, names),
     "a certificate (default: lab); NAME=SPC or NAME=TN says for whom (default: 709J)", 0, 0},
    {"x5u-template", "URL", STK_OPTION_TEXT, offsetof(struct options, x5u_template),
     "where the certificates are published (default: " X5U_DEFAULT ")", 0, 0},
    {"directory", "DIR", STK_OPTION_TEXT, offsetof(struct options, directory),
     "where its own directory is made (default: TMPDIR, else /tmp)", 0, 0},
    {"module", "FILE", STK_OPTION_TEXT, offsetof(struct options, module),
     "SoftHSM's PKCS#11 module (default: where distributions have it)", 0, 0},
    {"libexec", "DIR", STK_OPTION_TEXT, offsetof(struct options, libexec),
     "where the rooms' programs are (default: beside this program)", 0, 0},
    {0},
};

static bool fill_in(struct stk_lab *lab, const struct stk_cli *cli, const struct options *options,
                    enum stk_exit *ret_failure)
{
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_lab_names(lab, options->names.items, options->names.count, &error);

    *ret_failure = status == STIRKEEP_OK ? STK_EXIT_FAILED : STK_EXIT_USAGE;
    lab->x5u_template = options->x5u_template;
    lab->directory = options->directory;
    lab->command = cli->command;
    lab->json = cli->json;
    if (status == STIRKEEP_OK)
        status = stk_lab_find_programs(lab, options->libexec, &error);
    if (status == STIRKEEP_OK)
        status = stk_lab_find_module(lab, options->module, &error);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    return status == STIRKEEP_OK;
}

/*
 * Signals wait from here on: none may come between the guardian's beginning and who watches it. What
 * nohup(1) or a shell's background has made ignored stays so: a blocked signal would come all the same.
 */
static void hold_signals(struct stk_lab *lab)
{
    static const int held[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};

    (void)signal(SIGCHLD, SIG_DFL); /* who ignores it has no children to wait for */
    (void)sigemptyset(&lab->watched);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        struct sigaction before;

        if (sigaction(held[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaddset(&lab->watched, held[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &lab->watched, &lab->mask);
}

static int start(struct stk_lab *lab)
{
    int line[2] = {-1, -1};
    pid_t guardian = -1;

    hold_signals(lab);
    lab->group = getpgrp();
    stk_lab_user_choose(lab);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) == 0)
        guardian = fork();
    if (guardian < 0) {
        stk_complain("lab", "no guardian: %s", strerror(errno));
        return STK_EXIT_FAILED;
    }
    if (guardian == 0) {
        (void)close(line[0]);
        exit(stk_lab_guard(lab, line[1]));
    }
    (void)close(line[1]);
    return stk_lab_wait(lab, guardian, line[0]);
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct stk_lab *lab = calloc(1, sizeof(*lab));
    enum stk_exit failure = STK_EXIT_FAILED;
    int result = STK_EXIT_FAILED;

    if (lab == NULL) {
        stk_complain(cli->verb->name, "out of memory");
        return STK_EXIT_FAILED;
    }
    result = fill_in(lab, cli, given, &failure) ? start(lab) : (int)failure;
    free(lab);
    return (enum stk_exit)result; /* COMMAND's own, whatever it is */
}

const struct stk_verb stk_verb_lab = {
    .name = "lab",
    .synopsis = "[--name NAME[=SPC|TN]]... [-- COMMAND ...]",
    .summary = "Start a throw-away service for COMMAND, or until Ctrl-C",
    .flags = STK_VERB_JSON | STK_VERB_COMMAND,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
