/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/compress.h"

#include "base/file.h"
#include "keeper/zstd_file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DIGITS_MIN 12
#define DIGITS_MAX 20
#define DONE ".zst"
#define IN_THE_MAKING ".zst.tmp"

/* One file under way. */
struct work {
    int directory;
    const char *base; /* of the trail's path */
    char name[NAME_MAX + 1];
    char done[NAME_MAX + 1];
    char making[NAME_MAX + 1];
    int plain;
    struct stat about;
    uint8_t digest[STK_DIGEST_LENGTH];
};

static enum stirkeep_status fail(const struct work *work, enum stirkeep_status status,
                                 const char *what, struct stk_error *error)
{
    return stk_error_set(error, status, "%s: %s: %s", work->name, what, strerror(errno));
}

/* The digits behind the trail's name; NULL: it is no rotated file's. */
static const char *digits_of(const char *name, const char *base)
{
    size_t length = strlen(base);
    const char *digits = name + length + 1;
    size_t count = 0;

    if (strncmp(name, base, length) != 0 || name[length] != '.')
        return NULL;
    count = strspn(digits, "0123456789");
    return digits[count] == '\0' && count >= DIGITS_MIN && count <= DIGITS_MAX ? digits : NULL;
}

/* In the order of their numbers. */
static int compare_digits(const char *a, const char *b)
{
    size_t left = strlen(a);
    size_t right = strlen(b);

    return left != right ? (left < right ? -1 : 1) : strcmp(a, b);
}

/* The one that comes next after `work->name` ("": the first). */
static bool find_next(struct work *work)
{
    const char *after = work->name[0] == '\0' ? NULL : digits_of(work->name, work->base);
    char best[NAME_MAX + 1] = "";
    int listed = openat(work->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = listed < 0 ? NULL : fdopendir(listed);
    const struct dirent *entry = NULL;

    if (stream == NULL) {
        if (listed >= 0)
            (void)close(listed);
        return false;
    }
    while ((entry = readdir(stream)) != NULL) {
        const char *digits = digits_of(entry->d_name, work->base);

        if (digits == NULL || (after != NULL && compare_digits(digits, after) <= 0) ||
            (best[0] != '\0' && compare_digits(digits, digits_of(best, work->base)) >= 0))
            continue;
        (void)snprintf(best, sizeof(best), "%s", entry->d_name);
    }
    (void)closedir(stream);
    memcpy(work->name, best, sizeof(best));
    return best[0] != '\0';
}

static bool name_others(struct work *work)
{
    return snprintf(work->done, sizeof(work->done), "%s" DONE, work->name) <
               (int)sizeof(work->done) &&
           snprintf(work->making, sizeof(work->making), "%s" IN_THE_MAKING, work->name) <
               (int)sizeof(work->making);
}

/* False: it is not the keeper's to compress, or not yet. */
static bool open_plain(struct work *work)
{
    work->plain = openat(work->directory, work->name,
                         O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return work->plain >= 0 && fstat(work->plain, &work->about) == 0 &&
           S_ISREG(work->about.st_mode) && work->about.st_uid == geteuid() &&
           work->about.st_nlink == 1 && work->about.st_size > 0;
}

static bool has_room(const struct work *work)
{
    struct statvfs disk = {0};

    return fstatvfs(work->directory, &disk) != 0 ||
           (uint64_t)disk.f_bavail * disk.f_frsize >= (uint64_t)work->about.st_size;
}

/* Is this what the plain one holds? */
static bool is_copy(const struct work *work, const char *name)
{
    int fd = openat(work->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint64_t size = 0;
    bool is = fd >= 0 && stk_zstd_read(fd, digest, &size) &&
              size == (uint64_t)work->about.st_size &&
              memcmp(digest, work->digest, sizeof(digest)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return is;
}

static enum stirkeep_status make(struct work *work, struct stk_error *error)
{
    const struct timespec times[2] = {work->about.st_atim, work->about.st_mtim};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    if (!has_room(work)) {
        errno = ENOSPC;
        return fail(work, STIRKEEP_STORAGE, "not compressed", error);
    }
    fd = openat(work->directory, work->making, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                0600);
    if (fd < 0)
        return fail(work, STIRKEEP_STORAGE, work->making, error);
    if (!stk_zstd_write(work->plain, fd, (uint64_t)work->about.st_size, work->digest) ||
        futimens(fd, times) != 0 || fsync(fd) != 0)
        status = fail(work, STIRKEEP_STORAGE, "not compressed", error);
    (void)close(fd);
    if (status == STIRKEEP_OK && !is_copy(work, work->making)) {
        errno = EBADMSG;
        status =
            fail(work, STIRKEEP_STORAGE, "its compressed copy is not read back as it is", error);
    }
    if (status == STIRKEEP_OK &&
        renameat(work->directory, work->making, work->directory, work->done) != 0)
        status = fail(work, STIRKEEP_STORAGE, work->done, error);
    return status;
}

/* With the copy on disk under its name; and nobody put another file in the plain one's place. */
static enum stirkeep_status remove_plain(const struct work *work, struct stk_error *error)
{
    struct stat now = {0};

    if (fsync(work->directory) != 0)
        return fail(work, STIRKEEP_STORAGE, "its directory cannot be synced", error);
    if (fstatat(work->directory, work->name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
        now.st_dev != work->about.st_dev || now.st_ino != work->about.st_ino ||
        now.st_size != work->about.st_size) {
        errno = ESTALE;
        return fail(work, STIRKEEP_STORAGE, "changed while it was compressed", error);
    }
    if (unlinkat(work->directory, work->name, 0) != 0)
        return fail(work, STIRKEEP_STORAGE, "compressed, and cannot be removed", error);
    (void)fsync(work->directory);
    return STIRKEEP_OK;
}

/* By one who was cut off before the plain one was gone. */
static bool is_made(struct work *work)
{
    struct stat about = {0};
    uint64_t size = 0;

    return fstatat(work->directory, work->done, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           stk_plain_digest(work->plain, work->digest, &size) &&
           size == (uint64_t)work->about.st_size && is_copy(work, work->done);
}

static enum stirkeep_status compress_one(struct work *work, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    (void)unlinkat(work->directory, work->making, 0); /* of one who was cut off */
    if (!is_made(work))
        status = make(work, error);
    if (status == STIRKEEP_OK)
        status = remove_plain(work, error);
    if (status != STIRKEEP_OK)
        (void)unlinkat(work->directory, work->making, 0);
    return status;
}

enum stirkeep_status stk_compress_rotated(const char *path, size_t *ret_count,
                                          struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    struct work work = {.directory = -1};
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_count = 0;
    if (stk_file_directory_of(path, directory, sizeof(directory)))
        work.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (work.directory < 0)
        return stk_error_set(error, STIRKEEP_STORAGE, "%s: %s", directory, strerror(errno));
    work.base = strrchr(path, '/') + 1;
    while (find_next(&work)) {
        enum stirkeep_status one = STIRKEEP_OK;

        work.plain = -1;
        if (name_others(&work) && open_plain(&work)) {
            one = compress_one(&work, error);
            *ret_count += one == STIRKEEP_OK ? 1 : 0;
        }
        if (work.plain >= 0)
            (void)close(work.plain);
        if (one != STIRKEEP_OK)
            status = one;
    }
    (void)close(work.directory);
    return status;
}
