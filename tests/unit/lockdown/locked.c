/* SPDX-License-Identifier: BSD-2-Clause */
#include "locked.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED 99

void locked_enter(const struct locked *as)
{
    static struct stk_config config;
    static char no_paths[1];
    struct stk_lockdown lock = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    config.lock_down.require = STK_REQUIRE_SECCOMP;
    config.lock_down.keeper = as->keeper;
    config.lock_down.module_paths = no_paths;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    status = stk_lockdown_files(&lock, as->room, &config, as->accesses, as->count, &error);
    if (status == STIRKEEP_OK && as->room == STK_ROOM_KEEPER && !as->files_only)
        status = stk_lockdown_before_module(&lock, &error);
    if (status == STIRKEEP_OK && !as->files_only)
        status = stk_lockdown_calls(&lock, &error);
    if (status != STIRKEEP_OK)
        _exit(FAILED);
}

static int fate_of(pid_t child)
{
    int status = 0;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return -WTERMSIG(status);
    assert_int_not_equal(WEXITSTATUS(status), FAILED);
    return WEXITSTATUS(status);
}

static _Noreturn void end_with(long (*attempt)(void))
{
    errno = 0;
    _exit(attempt() == -1 ? errno : 0);
}

/* cmocka catches what its own process would die of. */
static pid_t new_child(void)
{
    pid_t child = fork();

    if (child == 0)
        (void)signal(SIGSEGV, SIG_DFL);
    return child;
}

int locked_try(const struct locked *as, long (*attempt)(void))
{
    pid_t child = new_child();

    if (child == 0) {
        locked_enter(as);
        end_with(attempt);
    }
    return fate_of(child);
}

int locked_child(long (*attempt)(void))
{
    pid_t child = new_child();

    if (child == 0)
        end_with(attempt);
    return fate_of(child);
}
