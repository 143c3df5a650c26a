/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "base/process.h"
#include "stirkeepd/check.h"
#include "stirkeepd/options.h"
#include "stirkeepd/porter.h"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FILES 8192 /* front has a descriptor for each connection; rooms inherit the limit */
#define OPEN_FILES_LEAST 80 /* with fewer no room can be born */

/* Whatever is opened later must not become somebody's standard output. */
static bool fill_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    return fd > STDERR_FILENO && close(fd) == 0;
}

static void harden(void)
{
    const struct rlimit no_core = {0, 0};
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit files = {0};

    (void)umask(077);
    stk_process_go_first(true); /* for front, while it may; rooms that compute for long do not */
    /* For the keeper, which locks its memory where it may. */
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < OPEN_FILES) {
        files.rlim_cur = files.rlim_max < OPEN_FILES ? files.rlim_max : OPEN_FILES;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static bool may_open_enough(void)
{
    struct rlimit files = {0};

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= OPEN_FILES_LEAST)
        return true;
    stk_log(STK_LOG_ERROR,
            "no more than %llu descriptors may be open (RLIMIT_NOFILE: ulimit -n, LimitNOFILE=), "
            "and %d are needed at least, %d for many connections",
            (unsigned long long)files.rlim_cur, OPEN_FILES_LEAST, OPEN_FILES);
    return false;
}

int main(int argc, char **argv)
{
    struct stk_options options = {0};

    stk_log_open("stirkeepd");
    if (!fill_standard_descriptors())
        return 1;
    switch (stk_options_read(argc, argv, &options)) {
    case STK_OPTIONS_DONE:
        return 0;
    case STK_OPTIONS_WRONG:
        return 2;
    default:
        break;
    }
    harden();
    if (options.check)
        return stk_check_run(&options);
    return may_open_enough() ? stk_porter_run(&options) : 1;
}
