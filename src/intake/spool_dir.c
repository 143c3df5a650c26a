/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_dir.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 64

const char *const stk_spool_files[STK_SPOOL_FILE_COUNT] = {
    [STK_SPOOL_CERT] = "cert.pem",
    [STK_SPOOL_CHAIN] = "chain.pem",
    [STK_SPOOL_KEY] = "key.pem",
    [STK_SPOOL_SEALED] = "key.sealed",
    [STK_SPOOL_BUNDLE] = "bundle.pem",
    [STK_SPOOL_PKCS12] = "bundle.p12",
    [STK_SPOOL_PASSPHRASE] = "passphrase",
    [STK_SPOOL_X5U] = "x5u",
    [STK_SPOOL_ACTIVATE_AT] = "activate-at",
    [STK_SPOOL_READY] = "ready",
    [STK_SPOOL_ERROR] = "error.txt",
};

/* ---- listing */

static enum stk_spool_file file_called(const char *name)
{
    unsigned file = 0;

    while (file < STK_SPOOL_FILE_COUNT && strcmp(stk_spool_files[file], name) != 0)
        file++;
    return (enum stk_spool_file)file;
}

/* What tells that a file is another, or was written to. Order of listing plays no part. */
static void add_to_state(struct stk_spool_dir *dir, const char *name, const struct stat *about)
{
    struct {
        char name[NAME_MAX + 1];
        uint64_t numbers[9];
    } all;
    uint8_t digest[STK_DIGEST_LENGTH];

    memset(&all, 0, sizeof(all));
    (void)snprintf(all.name, sizeof(all.name), "%s", name);
    all.numbers[0] = about->st_ino;
    all.numbers[1] = about->st_mode;
    all.numbers[2] = about->st_uid;
    all.numbers[3] = about->st_gid;
    all.numbers[4] = (uint64_t)about->st_size;
    all.numbers[5] = (uint64_t)about->st_mtim.tv_sec;
    all.numbers[6] = (uint64_t)about->st_mtim.tv_nsec;
    all.numbers[7] = (uint64_t)about->st_ctim.tv_sec;
    all.numbers[8] = (uint64_t)about->st_ctim.tv_nsec;
    stk_sha256(&all, sizeof(all), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        dir->state[i] ^= digest[i];
}

static struct stk_spool_seen seen_of(const struct stat *about)
{
    return (struct stk_spool_seen){.ino = about->st_ino,
                                   .size = about->st_size,
                                   .written = about->st_mtim,
                                   .changed = about->st_ctim};
}

static bool is_own(const char *name)
{
    return strncmp(name, STK_SPOOL_OWN_PREFIX, strlen(STK_SPOOL_OWN_PREFIX)) == 0;
}

static void take_entry(struct stk_spool_dir *dir, const char *name)
{
    enum stk_spool_file file = file_called(name);
    struct stat about = {0};

    if (is_own(name) || fstatat(dir->fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return; /* or it has just gone */
    if (file < STK_SPOOL_FILE_COUNT) {
        dir->has[file] = true;
        dir->seen[file] = seen_of(&about);
    }
    if (file == STK_SPOOL_ERROR)
        return;
    add_to_state(dir, name, &about);
    if (file == STK_SPOOL_READY)
        dir->ready = S_ISREG(about.st_mode) && about.st_size == 0;
    if (dir->bad.status != STIRKEEP_OK)
        return;
    if (file == STK_SPOOL_FILE_COUNT)
        (void)stk_error_set(&dir->bad, STIRKEEP_INVALID,
                            "%s: not a file of an upload (docs/SPOOL.md has their names)", name);
    else if (!S_ISREG(about.st_mode))
        (void)stk_error_set(&dir->bad, STIRKEEP_SOURCE_UNSAFE, "%s: not a regular file", name);
    else if (file != STK_SPOOL_READY && faccessat(dir->fd, name, R_OK, AT_EACCESS) != 0)
        (void)stk_error_set(&dir->bad, STIRKEEP_NOT_PERMITTED,
                            "%s: the service may not read it: %s (owner %u, group %u, mode %04o)",
                            name, strerror(errno), (unsigned)about.st_uid, (unsigned)about.st_gid,
                            (unsigned)(about.st_mode & 07777));
}

/* Visit what is in a directory, at most so many; how many there were, or -1 with errno. */
static int each_entry(int fd, int most, void (*visit)(void *context, const char *name),
                      void *context)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry = NULL;
    int count = 0;

    if (stream == NULL) {
        int saved = errno;

        if (copy >= 0)
            (void)close(copy);
        errno = saved;
        return -1;
    }
    while (count <= most && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count < most)
            visit(context, entry->d_name);
        count++;
    }
    (void)closedir(stream);
    return count;
}

static void list_entry(void *context, const char *name)
{
    take_entry(context, name);
}

static bool list(struct stk_spool_dir *dir)
{
    int count = each_entry(dir->fd, ENTRIES_MAX, list_entry, dir);

    if (count > ENTRIES_MAX) {
        (void)stk_error_set(&dir->bad, STIRKEEP_TOO_LARGE, "more than %d files in it", ENTRIES_MAX);
        if (!dir->has[STK_SPOOL_READY])
            take_entry(dir, stk_spool_files[STK_SPOOL_READY]);
    }
    return count >= 0;
}

static bool is_same(const struct stk_spool_seen *one, const struct stk_spool_seen *other)
{
    return one->ino == other->ino && one->size == other->size &&
           memcmp(&one->written, &other->written, sizeof(one->written)) == 0 &&
           memcmp(&one->changed, &other->changed, sizeof(one->changed)) == 0;
}

static void clear_entry(void *context, const char *name)
{
    const struct stk_spool_dir *dir = context;
    enum stk_spool_file file = file_called(name);
    struct stk_spool_seen now = {0};
    struct stat about = {0};

    if (file < STK_SPOOL_FILE_COUNT && fstatat(dir->fd, name, &about, AT_SYMLINK_NOFOLLOW) == 0)
        now = seen_of(&about);
    if (is_own(name) || (file < STK_SPOOL_FILE_COUNT && is_same(&now, &dir->seen[file])))
        (void)unlinkat(dir->fd, name, 0);
}

bool stk_spool_dir_clear(const struct stk_spool_dir *dir)
{
    struct stk_spool_dir copy = *dir;

    return each_entry(dir->fd, ENTRIES_MAX, clear_entry, &copy) >= 0;
}

static int64_t born_ns(int fd)
{
    struct statx about = {0};

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &about) != 0 ||
        (about.stx_mask & STATX_BTIME) == 0)
        return 0;
    return about.stx_btime.tv_sec * 1000000000 + about.stx_btime.tv_nsec;
}

bool stk_spool_dir_open(int incoming, const char *name, struct stk_spool_dir *ret_dir)
{
    struct stk_spool_dir dir = {
        .fd = openat(incoming, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
    struct stat above = {0};
    struct stat rights = {0};
    int problem = 0;

    if (dir.fd < 0)
        return false;
    if (fstat(dir.fd, &dir.about) != 0 || fstat(incoming, &above) != 0)
        problem = errno;
    else if (dir.about.st_dev != above.st_dev)
        problem = EXDEV;
    dir.born_ns = born_ns(dir.fd);
    /* Of itself only what is not changed by our own error.txt. */
    rights.st_mode = dir.about.st_mode;
    rights.st_uid = dir.about.st_uid;
    rights.st_gid = dir.about.st_gid;
    add_to_state(&dir, "", &rights);
    if (problem == 0 && !list(&dir))
        problem = errno;
    if (problem != 0) {
        (void)close(dir.fd);
        errno = problem;
        return false;
    }
    *ret_dir = dir;
    return true;
}

void stk_spool_dir_close(struct stk_spool_dir *dir)
{
    if (dir->fd >= 0)
        (void)close(dir->fd);
    dir->fd = -1;
}

bool stk_spool_dir_is(const struct stk_spool_dir *dir, int incoming, const char *name)
{
    struct stat now = {0};

    return fstatat(incoming, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_dev == dir->about.st_dev && now.st_ino == dir->about.st_ino;
}

/* ---- what is in it */

/* All of it has to be removed in the end. */
static enum stirkeep_status check_removable(const struct stk_spool_dir *dir,
                                            struct stk_error *error)
{
    if (faccessat(dir->fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return stk_error_set(error, STIRKEEP_SOURCE_UNSAFE,
                             "the upload's directory may not be written to by the service, so "
                             "nothing in it could be removed (owner %u, group %u, mode %04o)",
                             (unsigned)dir->about.st_uid, (unsigned)dir->about.st_gid,
                             (unsigned)(dir->about.st_mode & 07777));
    if ((dir->about.st_mode & S_ISVTX) != 0 && geteuid() != 0 && dir->about.st_uid != geteuid())
        return stk_error_set(error, STIRKEEP_SOURCE_UNSAFE,
                             "the upload's directory has the sticky bit, so nothing in it could be "
                             "removed by the service");
    return STIRKEEP_OK;
}

/* In how many ways is there a key? */
static unsigned count_keys(const struct stk_spool_dir *dir)
{
    return (unsigned)dir->has[STK_SPOOL_KEY] + (unsigned)dir->has[STK_SPOOL_SEALED] +
           (unsigned)dir->has[STK_SPOOL_BUNDLE] + (unsigned)dir->has[STK_SPOOL_PKCS12];
}

static enum stirkeep_status check_parts(const struct stk_spool_dir *dir, struct stk_error *error)
{
    bool bundle = dir->has[STK_SPOOL_BUNDLE] || dir->has[STK_SPOOL_PKCS12];

    if (count_keys(dir) == 0)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "no key in it: key.pem, key.sealed, bundle.pem or bundle.p12");
    if (count_keys(dir) > 1)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "more than one of key.pem, key.sealed, bundle.pem and bundle.p12");
    if (!bundle && !dir->has[STK_SPOOL_CERT])
        return stk_error_set(error, STIRKEEP_INVALID, "no certificate in it: cert.pem");
    if (bundle && dir->has[STK_SPOOL_CERT])
        return stk_error_set(error, STIRKEEP_INVALID,
                             "cert.pem and a bundle, which has a certificate itself");
    if (dir->has[STK_SPOOL_SEALED] && dir->has[STK_SPOOL_PASSPHRASE])
        return stk_error_set(error, STIRKEEP_INVALID,
                             "a passphrase and key.sealed, which needs none");
    return STIRKEEP_OK;
}

static const char *name_of(const struct stk_spool_dir *dir, enum stk_spool_file file)
{
    return dir->has[file] ? stk_spool_files[file] : NULL;
}

enum stirkeep_status stk_spool_dir_paths(const struct stk_spool_dir *dir,
                                         struct stk_material_paths *ret_paths,
                                         struct stk_error *error)
{
    enum stirkeep_status status = dir->bad.status;

    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s", dir->bad.message);
    status = check_parts(dir, error);
    if (status == STIRKEEP_OK)
        status = check_removable(dir, error);
    if (status != STIRKEEP_OK)
        return status;
    *ret_paths = (struct stk_material_paths){
        .cert = name_of(dir, STK_SPOOL_CERT),
        .chain = name_of(dir, STK_SPOOL_CHAIN),
        .key = name_of(dir, STK_SPOOL_KEY),
        .sealed = name_of(dir, STK_SPOOL_SEALED),
        .bundle = name_of(dir, dir->has[STK_SPOOL_BUNDLE] ? STK_SPOOL_BUNDLE : STK_SPOOL_PKCS12),
        .passphrase = name_of(dir, STK_SPOOL_PASSPHRASE),
    };
    return STIRKEEP_OK;
}

/* ---- writing */

bool stk_spool_dir_mark(int fd)
{
    const char *ready = stk_spool_files[STK_SPOOL_READY];
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int mark = openat(fd, ready, flags, 0660);
    bool done = false;

    /* Renamed in once more, it is to be another than the one that was refused. */
    if (mark < 0 && errno == EEXIST && unlinkat(fd, ready, 0) == 0)
        mark = openat(fd, ready, flags, 0660);
    if (mark < 0)
        return false;
    /* Whoever may write to the directory by its group may touch it, too. */
    done = fchmod(mark, 0660) == 0 && fsync(mark) == 0 && fsync(fd) == 0;
    (void)close(mark);
    return done;
}

bool stk_spool_write(int directory, const char *name, mode_t mode, const void *data, size_t length)
{
    uint8_t random[8];
    char suffix[2 * sizeof(random) + 1] = "";
    char fresh[64] = "";
    bool done = false;
    int saved = 0;
    int fd = -1;

    stk_random(random, sizeof(random));
    stk_hex_encode(random, sizeof(random), suffix);
    (void)snprintf(fresh, sizeof(fresh), STK_SPOOL_OWN_PREFIX "new-%s", suffix);
    fd = openat(directory, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    done = fchmod(fd, mode) == 0 && stk_file_write_all(fd, data, length) && fsync(fd) == 0;
    saved = errno;
    if (close(fd) != 0 && done) {
        done = false;
        saved = errno;
    }
    if (done && renameat(directory, fresh, directory, name) != 0) {
        done = false;
        saved = errno;
    }
    if (!done)
        (void)unlinkat(directory, fresh, 0);
    else if (fsync(directory) != 0)
        return false;
    errno = saved;
    return done;
}
