/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/durable.h"

#include "base/file.h"
#include "token/softhsm.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 3 /* a directory of tokens, a token, its objects */
#define OBJECT_FILE_MAX (1024 * 1024)
#define OBJECT_FILE_USUAL 4096

/* A file as it was when it was synced. */
struct stk_durable_file {
    ino_t inode;
    dev_t device;
    off_t size;
    struct timespec changed;
    bool settled; /* false: it may have changed again within the clock's grain */
};

struct walk {
    struct stk_durable *durable;
    struct stk_durable_file *files;
    size_t count;
    size_t capacity;
    struct timespec now;
    bool discard; /* remove torn objects that are new */
    struct stk_error *error;
};

static enum stirkeep_status storage_error(const struct walk *walk, const char *name)
{
    return stk_error_set(walk->error, STIRKEEP_STORAGE, "token file %s in %s: %s", name,
                         walk->durable->root, strerror(errno));
}

static int compare_files(const void *a, const void *b)
{
    const struct stk_durable_file *left = a;
    const struct stk_durable_file *right = b;

    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    if (left->inode != right->inode)
        return left->inode < right->inode ? -1 : 1;
    return 0;
}

static const struct stk_durable_file *known(const struct stk_durable *durable,
                                            const struct stk_durable_file *file)
{
    if (durable->seen_count == 0)
        return NULL;
    return bsearch(file, durable->seen, durable->seen_count, sizeof(*file), compare_files);
}

/* Known, and not changed since. */
static const struct stk_durable_file *seen_before(const struct stk_durable *durable,
                                                  const struct stk_durable_file *file)
{
    const struct stk_durable_file *seen = known(durable, file);

    if (seen == NULL || seen->size != file->size || seen->changed.tv_sec != file->changed.tv_sec ||
        seen->changed.tv_nsec != file->changed.tv_nsec)
        return NULL;
    return seen;
}

static enum stirkeep_status remember(struct walk *walk, const struct stk_durable_file *file)
{
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity == 0 ? 256 : walk->capacity * 2;
        struct stk_durable_file *grown = reallocarray(walk->files, capacity, sizeof(*grown));

        if (grown == NULL)
            return stk_error_set(walk->error, STIRKEEP_NO_MEMORY, "%s: out of memory",
                                 walk->durable->root);
        walk->files = grown;
        walk->capacity = capacity;
    }
    walk->files[walk->count++] = *file;
    return STIRKEEP_OK;
}

static struct stk_durable_file describe(const struct walk *walk, const struct stat *about)
{
    return (struct stk_durable_file){.inode = about->st_ino,
                                     .device = about->st_dev,
                                     .size = about->st_size,
                                     .changed = about->st_ctim,
                                     .settled = about->st_ctim.tv_sec + 1 < walk->now.tv_sec};
}

/* SoftHSM ignores a write that fails: its objects look well in memory and are torn on the disk. */
static enum stirkeep_status check_object(const struct walk *walk, int fd, const char *name)
{
    static const char suffix[] = ".object";
    size_t length = strlen(name);
    struct stk_buffer content = {0};
    bool whole = false;

    if (!walk->durable->softhsm || length < sizeof(suffix) ||
        strcmp(name + length - (sizeof(suffix) - 1), suffix) != 0)
        return STIRKEEP_OK;
    if (stk_file_read_fd(fd, name, OBJECT_FILE_MAX, &content, walk->error) != STIRKEEP_OK)
        return walk->error == NULL ? STIRKEEP_STORAGE
                                   : stk_error_set(walk->error, STIRKEEP_STORAGE, "token file %s",
                                                   walk->error->message);
    whole = stk_softhsm_object_whole((struct stk_bytes){content.data, content.length});
    stk_buffer_free(&content);
    if (!whole)
        return stk_error_set(walk->error, STIRKEEP_STORAGE,
                             "token file %s in %s: not written completely (is the disk full?)",
                             name, walk->durable->root);
    return STIRKEEP_OK;
}

/* What a write that failed left behind: in no object that the token knows, and in the way of each
 * later walk. Never one that was there before. */
static bool discard(const struct walk *walk, int directory, const char *name,
                    const struct stk_durable_file *file)
{
    return walk->discard && known(walk->durable, file) == NULL && unlinkat(directory, name, 0) == 0;
}

/* SoftHSM's lock file of a new object: one that is not there makes C_DestroyObject fail. */
static bool sync_lock(const struct walk *walk, int directory, const char *name,
                      const struct stk_durable_file *file)
{
    static const char suffix[] = "object";
    char lock[NAME_MAX + 1] = "";
    size_t stem = strlen(name) - (sizeof(suffix) - 1);
    int fd = -1;
    bool done = false;

    if (!walk->durable->softhsm || strlen(name) < sizeof(suffix) ||
        strcmp(name + stem, suffix) != 0 || known(walk->durable, file) != NULL)
        return true;
    (void)snprintf(lock, sizeof(lock), "%.*slock", (int)stem, name);
    fd = openat(directory, lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == EACCES;
    done = fsync(fd) == 0;
    (void)close(fd);
    return done;
}

static enum stirkeep_status sync_file(struct walk *walk, int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    enum stirkeep_status status = STIRKEEP_OK;
    struct stat about = {0};
    struct stk_durable_file file = {0};

    /* One that this user may not read was not written by this process. */
    if (fd < 0)
        return errno == ENOENT || errno == EACCES || errno == ELOOP ? STIRKEEP_OK
                                                                    : storage_error(walk, name);
    if (fstat(fd, &about) != 0) {
        status = storage_error(walk, name);
        goto out;
    }
    file = describe(walk, &about);
    if (seen_before(walk->durable, &file) == NULL && walk->durable->primed)
        status = check_object(walk, fd, name);
    if (status == STIRKEEP_STORAGE && discard(walk, directory, name, &file)) {
        status = STIRKEEP_OK;
        goto out;
    }
    if (status == STIRKEEP_OK && (fsync(fd) != 0 || !sync_lock(walk, directory, name, &file)))
        status = storage_error(walk, name);
    if (status == STIRKEEP_OK)
        status = remember(walk, &file);
out:
    (void)close(fd);
    return status;
}

static enum stirkeep_status walk_directory(struct walk *walk, int fd, const char *name, int depth);

static enum stirkeep_status visit(struct walk *walk, int directory, const char *name, int depth)
{
    struct stat about = {0};
    struct stk_durable_file file = {0};
    const struct stk_durable_file *seen = NULL;

    if (fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? STIRKEEP_OK : storage_error(walk, name);
    if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX) {
        int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
            return errno == ENOENT || errno == EACCES ? STIRKEEP_OK : storage_error(walk, name);
        return walk_directory(walk, fd, name, depth + 1);
    }
    if (!S_ISREG(about.st_mode))
        return STIRKEEP_OK;
    file = describe(walk, &about);
    seen = seen_before(walk->durable, &file);
    if (seen != NULL && seen->settled)
        return remember(walk, seen);
    return sync_file(walk, directory, name);
}

/* Lock files of SoftHSM are empty, and never change: they are synced with their objects. */
static bool of_no_interest(const struct walk *walk, const char *name)
{
    size_t length = strlen(name);

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    return walk->durable->softhsm && length > 5 && strcmp(name + length - 5, ".lock") == 0;
}

static enum stirkeep_status sync_directory(struct walk *walk, int fd, const char *name)
{
    struct stat about = {0};
    struct stk_durable_file file = {0};
    const struct stk_durable_file *seen = NULL;

    if (fstat(fd, &about) != 0)
        return storage_error(walk, name);
    file = describe(walk, &about);
    seen = seen_before(walk->durable, &file);
    if (seen != NULL && seen->settled)
        return remember(walk, seen);
    if (fsync(fd) != 0)
        return storage_error(walk, name);
    return remember(walk, &file);
}

/* Takes `fd` over. */
static enum stirkeep_status walk_directory(struct walk *walk, int fd, const char *name, int depth)
{
    DIR *stream = fdopendir(fd);
    enum stirkeep_status status = STIRKEEP_OK;
    const struct dirent *entry = NULL;

    if (stream == NULL) {
        status = storage_error(walk, name);
        (void)close(fd);
        return status;
    }
    for (errno = 0; status == STIRKEEP_OK && (entry = readdir(stream)) != NULL; errno = 0)
        if (!of_no_interest(walk, entry->d_name))
            status = visit(walk, fd, entry->d_name, depth);
    if (status == STIRKEEP_OK && errno != 0)
        status = storage_error(walk, name);
    if (status == STIRKEEP_OK)
        status = sync_directory(walk, fd, name);
    (void)closedir(stream);
    return status;
}

static enum stirkeep_status walk_all(struct stk_durable *durable, bool discard_torn,
                                     struct stk_error *error)
{
    struct walk walk = {.durable = durable, .discard = discard_torn, .error = error};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    if (durable->root[0] == '\0')
        return STIRKEEP_OK;
    (void)clock_gettime(CLOCK_REALTIME, &walk.now);
    fd = open(durable->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return storage_error(&walk, ".");
    status = walk_directory(&walk, fd, ".", 0);
    if (status != STIRKEEP_OK) {
        free(walk.files);
        return status;
    }
    qsort(walk.files, walk.count, sizeof(*walk.files), compare_files);
    free(durable->seen);
    durable->seen = walk.files;
    durable->seen_count = walk.count;
    durable->primed = true;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_durable_sync(struct stk_durable *durable, struct stk_error *error)
{
    return walk_all(durable, false, error);
}

enum stirkeep_status stk_durable_undo(struct stk_durable *durable, struct stk_error *error)
{
    return walk_all(durable, true, error);
}

enum stirkeep_status stk_durable_try(const struct stk_durable *durable, struct stk_error *error)
{
    static const char filler[OBJECT_FILE_USUAL];
    int fd = durable->root[0] == '\0'
                 ? -1
                 : open(durable->root, O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool failed = false;
    int why = 0;

    if (fd < 0)
        failed = durable->root[0] != '\0' && errno != EOPNOTSUPP && errno != EISDIR;
    else
        failed = !stk_file_write_all(fd, filler, sizeof(filler)) || fsync(fd) != 0;
    why = errno;
    if (fd >= 0)
        (void)close(fd);
    return failed ? stk_error_set(error, STIRKEEP_STORAGE, "token files in %s: %s", durable->root,
                                  strerror(why))
                  : STIRKEEP_OK;
}

void stk_durable_free(struct stk_durable *durable)
{
    free(durable->seen);
    *durable = (struct stk_durable){0};
}
