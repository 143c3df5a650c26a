/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/check_audit.h"

#include "base/log.h"
#include "stirkeepd/witness.h"
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int tell(const char *path, const char *why)
{
    stk_log(STK_LOG_ERROR, "%s: %s", path, why);
    return 1;
}

/* Does it begin like a trail, or like what a power cut leaves of one? */
static bool may_be_a_trail(const char *path)
{
    static const char begin[] = "{\"seq\":";
    char start[sizeof(begin) - 1] = "";
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got = fd >= 0 ? read(fd, start, sizeof(start)) : 0;

    if (fd >= 0)
        (void)close(fd);
    return got <= 0 || start[0] == '\0' || memcmp(start, begin, (size_t)got) == 0;
}

int stk_check_trail(const char *path, uid_t keeper_uid)
{
    struct stat about = {0};

    if (lstat(path, &about) != 0)
        return 0;
    if (S_ISLNK(about.st_mode))
        return tell(path, "is a symbolic link");
    if (!S_ISREG(about.st_mode))
        return tell(path, "not a regular file");
    if (about.st_uid != keeper_uid) {
        stk_log(STK_LOG_ERROR, "%s: owned by uid %u, not by the keeper", path,
                (unsigned)about.st_uid);
        return 1;
    }
    if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        stk_log(STK_LOG_ERROR, "%s: may be written by others (mode %04o)", path,
                (unsigned)about.st_mode & 07777);
        return 1;
    }
    return may_be_a_trail(path) ? 0 : tell(path, "not an audit trail");
}

int stk_check_witness_file(const char *path)
{
    struct stat about = {0};
    int fault = 0;

    if (path[0] == '\0' || lstat(path, &about) != 0)
        return 0;
    fault = stk_witness_judge(&about);
    return fault == 0 ? 0 : tell(path, stk_witness_fault(fault));
}

int stk_check_witness_command(const char *command)
{
    char program[PATH_MAX] = "";
    size_t length = strcspn(command, " \t");
    struct stat about = {0};

    if (length == 0 || length >= sizeof(program))
        return 0;
    memcpy(program, command, length);
    if (stat(program, &about) != 0 || S_ISREG(about.st_mode))
        return 0;
    return tell(program, "not a program");
}
