/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/room.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "lockdown/lockdown.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void stk_room_fail(enum stk_room room, const struct stk_error *error)
{
    if (!stk_control_send(STK_FD_CONTROL, STK_CONTROL_FAILED, room, error->message))
        stk_log(STK_LOG_ERROR, "%s", error->message);
    _exit(1);
}

static _Noreturn void fail_with(enum stk_room room, const char *what)
{
    struct stk_error error = {0};

    (void)stk_error_set(&error, STIRKEEP_INTERNAL, "%s: %s", what, strerror(errno));
    stk_room_fail(room, &error);
}

static int last_fd(enum stk_room room)
{
    switch (room) {
    case STK_ROOM_FRONT:
        return STK_FD_FRONT_RULES;
    case STK_ROOM_KEEPER:
        return STK_FD_KEEPER_NUMBERS;
    default:
        return STK_FD_INTAKE_FRONT;
    }
}

/* For kernels before 5.9 and containers whose filter does not know close_range. */
static bool close_listed(int last)
{
    DIR *listing = opendir("/proc/self/fd");
    const struct dirent *entry = NULL;

    if (listing == NULL)
        return false;
    while ((entry = readdir(listing)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > last && fd != dirfd(listing))
            (void)close(fd);
    }
    return closedir(listing) == 0;
}

static bool keep_own_descriptors_only(int last)
{
    if (close_range((unsigned)last + 1, ~0U, 0) != 0 && !close_listed(last))
        return false;
    for (int fd = STK_FD_CONTROL; fd <= last; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return true;
}

static bool started_by_porter(void)
{
    struct stat control = {0};
    struct stat config = {0};

    return fstat(STK_FD_CONTROL, &control) == 0 && S_ISSOCK(control.st_mode) &&
           fstat(STK_FD_CONFIG, &config) == 0 && S_ISREG(config.st_mode);
}

/* Terminals and service managers signal every process of a service at once; a room ends when the
 * porter says so, after what is in flight was answered. */
static void leave_signals_to_porter(void)
{
    static const int signals[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        (void)sigaction(signals[i], &ignore, NULL);
}

static bool take_rights_away(void)
{
    const struct rlimit none = {0, 0};

    (void)umask(077);
    return stk_lockdown_no_capabilities() && setrlimit(RLIMIT_CORE, &none) == 0 &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

enum stirkeep_status stk_room_read_config(int fd, struct stk_config **ret_config,
                                          struct stk_error *error)
{
    struct stk_buffer text = {0};
    enum stirkeep_status status =
        stk_file_read_fd(fd, "configuration", STK_CONFIG_RESOLVED_MAX, &text, error);

    if (status == STIRKEEP_OK)
        status = stk_config_parse_resolved((const char *)text.data, text.length, "configuration",
                                           ret_config, error);
    stk_buffer_free(&text);
    return status;
}

struct stk_config *stk_room_begin(enum stk_room room)
{
    static const char *const programs[STK_ROOM_COUNT] = {[STK_ROOM_KEEPER] = "stirkeep-keeper",
                                                         [STK_ROOM_INTAKE] = "stirkeep-intake",
                                                         [STK_ROOM_FRONT] = "stirkeep-front"};
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_log_open(programs[room]);
    if (!started_by_porter()) {
        stk_log(STK_LOG_ERROR, "is started by stirkeepd, not by hand");
        _exit(1);
    }
    leave_signals_to_porter();
    if (!keep_own_descriptors_only(last_fd(room)))
        fail_with(room, "closing other descriptors");
    if (!take_rights_away())
        fail_with(room, "taking rights away");
    status = stk_room_read_config(STK_FD_CONFIG, &config, &error);
    (void)close(STK_FD_CONFIG);
    if (status != STIRKEEP_OK)
        stk_room_fail(room, &error);
    return config;
}
