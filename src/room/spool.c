/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[STK_SPOOL_PLACE_COUNT] = {
    [STK_SPOOL_BASE] = "",
    [STK_SPOOL_INCOMING] = "/" STK_SPOOL_INCOMING_NAME,
    [STK_SPOOL_DONE] = "/" STK_SPOOL_DONE_NAME};

/* What is done there. */
static const int accesses[STK_SPOOL_PLACE_COUNT] = {[STK_SPOOL_BASE] = X_OK,
                                                    [STK_SPOOL_INCOMING] = R_OK | W_OK | X_OK,
                                                    [STK_SPOOL_DONE] = R_OK | W_OK | X_OK};

/* NULL: nothing is wrong with it. */
static const char *judge_mode(const struct stat *about, enum stk_spool_place place)
{
    bool sticky = (about->st_mode & S_ISVTX) != 0;
    bool everybody = (about->st_mode & S_IWOTH) != 0;
    bool ours = about->st_uid == 0 || about->st_uid == geteuid();

    if (place != STK_SPOOL_INCOMING && !ours)
        return "its owner is neither root nor the service's user, and could put other things there";
    if (place != STK_SPOOL_INCOMING && everybody)
        return "everybody may write to it";
    if (place == STK_SPOOL_INCOMING && everybody && !sticky)
        return "everybody may write to it, and without the sticky bit may move others' uploads";
    if (place == STK_SPOOL_INCOMING && sticky && about->st_uid != geteuid() && geteuid() != 0)
        return "it has the sticky bit, so only if the service's user owns it can uploads be "
               "removed";
    return NULL;
}

enum stirkeep_status stk_spool_check(const char *directory, enum stk_spool_place place,
                                     struct stk_error *error)
{
    char path[PATH_MAX] = "";
    struct stat about = {0};
    const char *reason = NULL;

    if (snprintf(path, sizeof(path), "%s%s", directory, names[place]) >= (int)sizeof(path))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: too long", directory);
    /* What the configuration names may be a link; what is in it may not. */
    if (fstatat(AT_FDCWD, path, &about, place == STK_SPOOL_BASE ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
        reason = strerror(errno);
    else if (!S_ISDIR(about.st_mode))
        reason = "not a directory";
    else if (faccessat(AT_FDCWD, path, accesses[place], AT_EACCESS) != 0)
        reason = errno != EACCES           ? strerror(errno)
                 : place == STK_SPOOL_BASE ? "the service's user may not enter it"
                                           : "the service's user may not write to it and read it";
    else
        reason = judge_mode(&about, place);
    if (reason == NULL)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_CONFIG, "spool: %s: %s", path, reason);
}
