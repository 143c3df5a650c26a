/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/verb.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stirkeep/client.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * A program may be started without standard descriptors; the next file opened, a key perhaps,
 * would then be taken for one of them. What stands in for them is open the wrong way round, so that
 * using it fails instead of losing what was printed.
 */
static bool standard_descriptors_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_NOCTTY) != fd)
            return false;
    return true;
}

/*
 * Private keys pass through this process: no core dumps, and nobody of the same user attaches. The
 * limit is inherited, and a lab's COMMAND may want to dump: there the first alone has to do.
 */
static bool keep_private(const struct stk_verb *verb)
{
    const struct rlimit none = {0, 0};

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
        ((verb->flags & STK_VERB_COMMAND) != 0 || setrlimit(RLIMIT_CORE, &none) == 0))
        return true;
    stk_complain("process", "core dumps cannot be turned off: %s", strerror(errno));
    return false;
}

static enum stk_exit run(int argc, char **argv)
{
    const struct stk_verb *verb = NULL;
    int words = 1;

    if (argc < 2) {
        stk_complain("usage", "stirkeep VERB [...] (see stirkeep --help)");
        return STK_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        stk_usage_print();
        return STK_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("stirkeep %s\n", stirkeep_version());
        return STK_EXIT_DONE;
    }
    verb = stk_verb_find(argc - 1, argv + 1, &words);
    if (verb == NULL) {
        stk_complain(argv[1], "no such command (see stirkeep --help)");
        return STK_EXIT_USAGE;
    }
    return keep_private(verb) ? stk_verb_main(verb, argc - words, argv + words) : STK_EXIT_FAILED;
}

/* Output that did not get where it should is no success. */
static bool output_arrived(void)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    if (fflush(stdout) == 0 && !failed)
        return true;
    if (errno != EPIPE)
        stk_complain("standard output", "%s", errno != 0 ? strerror(errno) : "writing failed");
    return false;
}

int main(int argc, char **argv)
{
    enum stk_exit result = STK_EXIT_FAILED;

    if (!standard_descriptors_open())
        return STK_EXIT_FAILED;
    /* A reader that goes away or a limit must not cut an import off between two steps. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    result = run(argc, argv);
    return output_arrived() || result != STK_EXIT_DONE ? (int)result : (int)STK_EXIT_FAILED;
}
