/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX "stirkeep-lab-"
#define TEMPLATE PREFIX "XXXXXX"
#define LONGEST TEMPLATE "/service/admin.sock.lock" /* of what has to fit a Unix socket's name */
#define ROOM_NEEDED (8UL * 1024 * 1024)
#define DEPTH_MAX 64
#define TRIES 20
#define CANDIDATES_MAX 4

/* ---- removing */

static bool remove_inside(int directory, int depth);

static bool remove_one(int directory, const char *name, int depth)
{
    bool done = false;
    int fd = -1;

    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
        return true;
    if ((errno != EISDIR && errno != EPERM && errno != EACCES) || depth == DEPTH_MAX)
        return false;
    fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(directory, name, 0700, 0) == 0)
        fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    (void)fchmod(fd, 0700);
    done = remove_inside(fd, depth + 1);
    return unlinkat(directory, name, AT_REMOVEDIR) == 0 && done;
}

/* Takes `directory` over. Follows no link. */
static bool remove_inside(int directory, int depth)
{
    DIR *entries = fdopendir(directory);
    const struct dirent *entry = NULL;
    bool done = entries != NULL;

    if (entries == NULL)
        (void)close(directory);
    while (done && (entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            done = remove_one(directory, entry->d_name, depth);
    if (entries != NULL)
        (void)closedir(entries);
    return done;
}

static bool remove_tree(const char *path)
{
    return remove_one(AT_FDCWD, path, 0);
}

/* ---- candidates */

static size_t candidates(const struct stk_lab *lab, const char *ret_paths[CANDIDATES_MAX])
{
    const char *given = secure_getenv("TMPDIR");
    const char *run = secure_getenv("XDG_RUNTIME_DIR");
    size_t count = 0;

    if (lab->directory != NULL) {
        ret_paths[0] = lab->directory;
        return 1;
    }
    if (given != NULL && given[0] == '/')
        ret_paths[count++] = given;
    ret_paths[count++] = "/tmp";
    if (run != NULL && run[0] == '/' && geteuid() != 0)
        ret_paths[count++] = run;
    ret_paths[count++] = "/dev/shm";
    return count;
}

/* What the configuration's lines cannot hold, or a socket's name. NULL: it will do. */
static const char *objection(const char *directory)
{
    const struct sockaddr_un *address = NULL;
    struct statvfs about = {0};

    if (strlen(directory) + 1 + strlen(LONGEST) >= sizeof(address->sun_path))
        return "too long for the name of a Unix socket, take a shorter one";
    for (const char *at = directory; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == ';' || *at == '#' || *at == 0x7f)
            return "has a space, ';', '#' or control character in its name";
    if (statvfs(directory, &about) != 0)
        return strerror(errno);
    if ((unsigned long long)about.f_bavail * about.f_frsize < ROOM_NEEDED)
        return "less than 8 MiB of space are left";
    return NULL;
}

/* ---- making */

/*
 * Somebody who sweeps may have taken the directory for one of a dead lab before it was locked: then
 * it is gone, or about to be. Whoever locks first has it.
 */
static bool is_still_there(const char *path, int lock)
{
    struct stat named = {0};
    struct stat held = {0};

    return fstat(lock, &held) == 0 && lstat(path, &named) == 0 && named.st_ino == held.st_ino &&
           named.st_dev == held.st_dev;
}

static bool give_to_service(const struct stk_lab *lab, int directory)
{
    if (lab->uid == geteuid())
        return true;
    return fchown(directory, 0, (gid_t)lab->uid) == 0 && fchmod(directory, 0710) == 0;
}

/* 1: made; 0: another try; -1 with errno. */
static int make_once(const struct stk_lab *lab, const char *in, struct stk_lab_place *place)
{
    int lock = -1;

    if (snprintf(place->path, sizeof(place->path), "%s/" TEMPLATE, in) >=
        (int)sizeof(place->path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdtemp(place->path) == NULL)
        return -1;
    lock = open(place->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lock < 0)
        return errno == ENOENT ? 0 : -1;
    if (flock(lock, LOCK_EX | LOCK_NB) != 0 || !is_still_there(place->path, lock)) {
        (void)close(lock);
        return 0;
    }
    place->lock = lock;
    if (!give_to_service(lab, lock)) {
        int why = errno;

        (void)rmdir(place->path);
        (void)close(lock);
        place->lock = -1;
        errno = why;
        return -1;
    }
    return 1;
}

static const char *make_in(const struct stk_lab *lab, const char *in, struct stk_lab_place *place)
{
    char whole[PATH_MAX] = "";
    const char *problem = NULL;
    int made = 0;

    if (realpath(in, whole) == NULL)
        return strerror(errno);
    problem = objection(whole);
    for (int i = 0; problem == NULL && made == 0 && i < TRIES; i++)
        made = make_once(lab, whole, place);
    if (problem != NULL)
        return problem;
    return made > 0 ? NULL : strerror(made < 0 ? errno : EAGAIN);
}

enum stirkeep_status stk_lab_place_make(const struct stk_lab *lab, struct stk_lab_place *ret_place,
                                        struct stk_error *error)
{
    struct stk_lab_place place = {.lock = -1};
    const char *paths[CANDIDATES_MAX] = {0};
    char reasons[STK_ERROR_MAX] = "";
    size_t count = candidates(lab, paths);
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        const char *problem = make_in(lab, paths[i], &place);

        if (problem == NULL) {
            *ret_place = place;
            return STIRKEEP_OK;
        }
        if (length < sizeof(reasons))
            length += (size_t)snprintf(reasons + length, sizeof(reasons) - length, "%s%s: %s",
                                       length > 0 ? "; " : "", paths[i], problem);
    }
    return stk_error_set(error, STIRKEEP_IO, "no place for its directory: %s%s", reasons,
                         lab->directory == NULL ? " (--directory DIR says where)" : "");
}

bool stk_lab_place_remove(struct stk_lab_place *place)
{
    bool done = true;

    if (place->lock < 0)
        return true;
    done = remove_tree(place->path);
    (void)close(place->lock);
    place->lock = -1;
    return done;
}

/* ---- sweeping */

static void sweep_one(int directory, const char *name)
{
    int lock = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat about = {0};

    if (lock < 0)
        return;
    if (fstat(lock, &about) == 0 && about.st_uid == geteuid() &&
        flock(lock, LOCK_EX | LOCK_NB) == 0)
        (void)remove_one(directory, name, 0);
    (void)close(lock);
}

void stk_lab_sweep(const struct stk_lab *lab)
{
    const char *paths[CANDIDATES_MAX] = {0};
    size_t count = candidates(lab, paths);

    for (size_t i = 0; i < count; i++) {
        DIR *entries = opendir(paths[i]);
        const struct dirent *entry = NULL;

        while (entries != NULL && (entry = readdir(entries)) != NULL)
            if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
                sweep_one(dirfd(entries), entry->d_name);
        if (entries != NULL)
            (void)closedir(entries);
    }
}

/* ---- files in it */

bool stk_lab_path(const struct stk_lab_place *place, const char *name, char ret_path[PATH_MAX])
{
    return snprintf(ret_path, PATH_MAX, "%s/%s", place->path, name) < PATH_MAX;
}

enum stirkeep_status stk_lab_write(const struct stk_lab_place *place, const char *name,
                                   const char *text, size_t length, struct stk_error *error)
{
    char path[PATH_MAX] = "";
    int fd = -1;
    bool done = false;
    int why = 0;

    if (!stk_lab_path(place, name, path))
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: too long", name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    done = fd >= 0 && stk_file_write_all(fd, text, length);
    why = errno;
    if (fd >= 0 && close(fd) != 0 && done) {
        done = false;
        why = errno;
    }
    return done ? STIRKEEP_OK : stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(why));
}
