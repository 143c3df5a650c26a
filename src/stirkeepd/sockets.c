/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/sockets.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Connections that wait while front is being replaced; the kernel's somaxconn may cap it. */
#define BACKLOG 4096

/* For so long the rooms of a stirkeepd that was killed may take to end. */
#define ROOMS_END_MS 1000
#define ROOMS_TRIES 10
#define ROOMS_PAUSE_NS 50000000

static enum stirkeep_status fail(const char *path, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_CONFIG, "%s: %s", path, strerror(errno));
}

static bool make_address(const char *path, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return false;
    (void)strcpy(address.sun_path, path);
    *ret_address = address;
    return true;
}

static enum stirkeep_status judge_directory(const char *directory, const struct stat *about,
                                            struct stk_error *error)
{
    if (!S_ISDIR(about->st_mode))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: not a directory", directory);
    if (about->st_uid != 0 && about->st_uid != geteuid())
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: owned by uid %u, who could replace the socket", directory,
                             (unsigned)about->st_uid);
    if ((about->st_mode & S_IWOTH) != 0 && (about->st_mode & S_ISVTX) == 0)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: everybody may write to it and could replace the socket",
                             directory);
    return STIRKEEP_OK;
}

/* /run is empty after a boot: the last directory of the path is made when it is missing. */
static enum stirkeep_status prepare_directory(const char *path, bool make, struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    char parent[PATH_MAX] = "";
    struct stat about = {0};

    if (!stk_file_directory_of(path, directory, sizeof(directory)) ||
        !stk_file_directory_of(directory, parent, sizeof(parent)))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: too long", path);
    if (make) {
        mode_t before = umask(022);
        int made = mkdir(directory, 0755);
        int why = errno;

        (void)umask(before);
        errno = why;
        if (made != 0 && errno != EEXIST)
            return fail(directory, error);
    }
    if (stat(directory, &about) == 0)
        return judge_directory(directory, &about, error);
    if (make || errno != ENOENT || access(parent, W_OK | X_OK) != 0)
        return fail(directory, error);
    return STIRKEEP_OK;
}

static enum stirkeep_status take_lock(const char *path, int *ret_lock, struct stk_error *error)
{
    char name[PATH_MAX] = "";
    int lock = -1;

    if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: too long", path);
    lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    if (lock < 0)
        return fail(name, error);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        enum stirkeep_status status =
            errno == EWOULDBLOCK
                ? stk_error_set(error, STIRKEEP_BUSY, "%s: another stirkeepd has it", path)
                : fail(name, error);
        (void)close(lock);
        return status;
    }
    *ret_lock = lock;
    return STIRKEEP_OK;
}

/* A connection, or -1 with errno. */
static int knock(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int why = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return fd;
    why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

/*
 * Somebody without our lock may listen there: another program, whose socket is not ours to take. Or
 * the rooms of a stirkeepd that was killed, which end by themselves a moment later: then what is
 * connected to them ends, too.
 */
static bool is_abandoned(const struct sockaddr_un *address)
{
    const struct timespec pause = {.tv_nsec = ROOMS_PAUSE_NS};
    struct pollfd door = {.events = POLLIN};
    bool ended = true;

    for (int tries = 0; ended && tries < ROOMS_TRIES; tries++) {
        door.fd = knock(address);
        if (door.fd < 0)
            return errno == ECONNREFUSED;
        ended = poll(&door, 1, ROOMS_END_MS) > 0;
        (void)close(door.fd);
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static enum stirkeep_status remove_stale(const struct sockaddr_un *address, struct stk_error *error)
{
    const char *path = address->sun_path;
    struct stat about = {0};

    if (lstat(path, &about) != 0)
        return errno == ENOENT ? STIRKEEP_OK : fail(path, error);
    if (!S_ISSOCK(about.st_mode))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: exists and is no socket", path);
    if (!is_abandoned(address))
        return stk_error_set(error, STIRKEEP_BUSY, "%s: another program listens there", path);
    return unlink(path) == 0 ? STIRKEEP_OK : fail(path, error);
}

static enum stirkeep_status bind_and_listen(const struct sockaddr_un *address,
                                            struct stk_listener *listener, struct stk_error *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0111); /* mode 0666 from the first moment on */
    struct stat about = {0};
    bool done = fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    int why = errno;

    (void)umask(before);
    errno = why;
    if (!done || lstat(address->sun_path, &about) != 0 || listen(fd, BACKLOG) != 0) {
        enum stirkeep_status status = fail(address->sun_path, error);
        if (fd >= 0)
            (void)close(fd);
        if (done)
            (void)unlink(address->sun_path);
        return status;
    }
    listener->fd = fd;
    listener->device = about.st_dev;
    listener->inode = about.st_ino;
    listener->bound = true;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_listener_open(const char *path, int given, struct stk_listener *ret_listen,
                                       struct stk_error *error)
{
    struct stk_listener listener = {.path = path, .fd = given, .lock = -1};
    struct sockaddr_un address = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!make_address(path, &address))
        status = stk_error_set(error, STIRKEEP_CONFIG, "%s: too long for a Unix socket", path);
    if (status == STIRKEEP_OK)
        status = prepare_directory(path, true, error);
    if (status == STIRKEEP_OK)
        status = take_lock(path, &listener.lock, error);
    if (status == STIRKEEP_OK && given < 0)
        status = remove_stale(&address, error);
    if (status == STIRKEEP_OK && given < 0)
        status = bind_and_listen(&address, &listener, error);
    if (status != STIRKEEP_OK) {
        stk_listener_close(&listener);
        return status;
    }
    *ret_listen = listener;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_listener_check(const char *path, struct stk_error *error)
{
    struct sockaddr_un address = {0};
    struct stat about = {0};

    if (!make_address(path, &address))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: too long for a Unix socket", path);
    if (lstat(path, &about) == 0 && !S_ISSOCK(about.st_mode))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: exists and is no socket", path);
    return prepare_directory(path, false, error);
}

void stk_listener_unlink(struct stk_listener *listener)
{
    struct stat about = {0};

    if (listener->bound && lstat(listener->path, &about) == 0 && about.st_dev == listener->device &&
        about.st_ino == listener->inode)
        (void)unlink(listener->path);
    listener->bound = false;
}

void stk_listener_close(struct stk_listener *listener)
{
    if (listener->fd >= 0)
        (void)close(listener->fd);
    if (listener->lock >= 0)
        (void)close(listener->lock);
    listener->fd = -1;
    listener->lock = -1;
}
