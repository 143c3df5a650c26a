/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * without CALL... -- PROGRAM [ARGUMENT...]: run it where these system calls are not there (EPERM for
 * seccomp, as containers refuse it; ENOSYS for others). SO_PASSRIGHTS: without that socket option.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PASSRIGHTS 83

static int refuse_option(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp option = SCMP_A2(SCMP_CMP_EQ, PASSRIGHTS);

    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOPROTOOPT), SCMP_SYS(setsockopt), 1, option) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOPROTOOPT), SCMP_SYS(getsockopt), 1, option);
}

static int refuse(scmp_filter_ctx filter, const char *name)
{
    const unsigned reason = strcmp(name, "seccomp") == 0 ? EPERM : ENOSYS;

    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(reason), seccomp_syscall_resolve_name(name), 0);
}

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int i = 1;

    if (filter == NULL)
        return 99;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        if ((strcmp(argv[i], "SO_PASSRIGHTS") == 0 ? refuse_option(filter)
                                                   : refuse(filter, argv[i])) != 0)
            return 99;
    if (i + 1 >= argc || seccomp_load(filter) != 0)
        return 99;
    (void)execv(argv[i + 1], argv + i + 1);
    perror(argv[i + 1]);
    return 99;
}
