/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_GIVEN 3 /* SD_LISTEN_FDS_START */
#define GIVEN_MAX 16

/* A decimal number from the environment, -1 when there is none. */
static long number_of(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    long value = 0;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    value = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' ? value : -1;
}

static bool option_is(int fd, int option, int wanted)
{
    socklen_t size = sizeof(int);
    int value = 0;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

/* Where it listens, into `ret_address`; false when it is no listening Unix stream socket. */
static bool listens_at(int fd, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address) - 1; /* an end for the longest path */

    if (!option_is(fd, SO_DOMAIN, AF_UNIX) || !option_is(fd, SO_TYPE, SOCK_STREAM) ||
        !option_is(fd, SO_ACCEPTCONN, 1) ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return false;
    *ret_address = address;
    return true;
}

static enum stirkeep_status place(int fd, const char *const *paths, size_t count, int *fds,
                                  struct stk_error *error)
{
    struct sockaddr_un address = {0};

    if (!listens_at(fd, &address))
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "socket activation: descriptor %d is no listening Unix stream socket",
                             fd);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(address.sun_path, paths[i]) != 0 || fds[i] >= 0)
            continue;
        /* Out of the way of the numbers that rooms are given. */
        fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 32);
        (void)close(fd);
        if (fds[i] < 0 || fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK) != 0)
            return stk_error_set(error, STIRKEEP_CONFIG, "socket activation: %s: %s", paths[i],
                                 strerror(errno));
        return STIRKEEP_OK;
    }
    return stk_error_set(error, STIRKEEP_CONFIG,
                         "socket activation: %s: not a socket of the configuration",
                         address.sun_path);
}

/* They are taken, or the start fails: nothing started later is to take them for its own. */
static void forget(void)
{
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

enum stirkeep_status stk_activation_take(const char *const *paths, size_t count, int *ret_fds,
                                         struct stk_error *error)
{
    const long given = number_of("LISTEN_FDS");
    const bool is_ours = number_of("LISTEN_PID") == (long)getpid();
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < count; i++)
        ret_fds[i] = -1;
    forget();
    if (!is_ours || given <= 0)
        return STIRKEEP_OK;
    if (given > GIVEN_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "socket activation: %ld sockets", given);
    for (int fd = FIRST_GIVEN; status == STIRKEEP_OK && fd < FIRST_GIVEN + (int)given; fd++)
        status = place(fd, paths, count, ret_fds, error);
    return status;
}
