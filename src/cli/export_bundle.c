/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_bundle.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAITING_MOST ((size_t)1024 * 1024)
#define SUFFIX_BYTES 8

const char *const stk_bundle_names[STK_BUNDLE_FILES] = {"records.jsonl", "proofs.jsonl",
                                                        "checkpoints.jsonl"};

static enum stirkeep_status failed(const struct stk_bundle *bundle, const char *name,
                                   struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_IO, "%s/%s: %s", bundle->temporary, name, strerror(errno));
}

static enum stirkeep_status make_directory(struct stk_bundle *bundle, struct stk_error *error)
{
    uint8_t random[SUFFIX_BYTES];
    char suffix[2 * SUFFIX_BYTES + 1];
    size_t length = strlen(bundle->path);

    while (length > 1 && bundle->path[length - 1] == '/')
        length--;
    stk_random(random, sizeof(random));
    stk_hex_encode(random, sizeof(random), suffix);
    if ((size_t)snprintf(bundle->temporary, sizeof(bundle->temporary), "%.*s.tmp-%s", (int)length,
                         bundle->path, suffix) >= sizeof(bundle->temporary))
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: the path is too long", bundle->path);
    if (mkdir(bundle->temporary, 0700) != 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", bundle->temporary, strerror(errno));
    bundle->directory = open(bundle->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (bundle->directory < 0) {
        (void)rmdir(bundle->temporary);
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", bundle->temporary, strerror(errno));
    }
    return STIRKEEP_OK;
}

static int make_file(const struct stk_bundle *bundle, const char *name)
{
    return openat(bundle->directory, name,
                  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
}

enum stirkeep_status stk_bundle_begin(struct stk_bundle *bundle, const char *path,
                                      struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    struct stat about = {0};

    *bundle = (struct stk_bundle){.path = path, .directory = -1};
    for (int i = 0; i < STK_BUNDLE_FILES; i++)
        bundle->files[i].fd = -1;
    if (lstat(path, &about) == 0)
        return stk_error_set(error, STIRKEEP_CONFLICT, "%s: it is there already", path);
    if (errno != ENOENT)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    status = make_directory(bundle, error);
    for (int i = 0; i < STK_BUNDLE_FILES && status == STIRKEEP_OK; i++) {
        bundle->files[i].fd = make_file(bundle, stk_bundle_names[i]);
        if (bundle->files[i].fd < 0)
            status = failed(bundle, stk_bundle_names[i], error);
    }
    return status;
}

static enum stirkeep_status write_waiting(struct stk_bundle *bundle, enum stk_bundle_file which,
                                          struct stk_error *error)
{
    struct stk_buffer *waiting = &bundle->files[which].waiting;

    if (!stk_file_write_all(bundle->files[which].fd, waiting->data, waiting->length))
        return failed(bundle, stk_bundle_names[which], error);
    waiting->length = 0;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_bundle_add(struct stk_bundle *bundle, enum stk_bundle_file which,
                                    const void *data, size_t length, struct stk_error *error)
{
    struct stk_buffer *waiting = &bundle->files[which].waiting;

    if (stk_buffer_add(waiting, data, length) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    bundle->files[which].length += length;
    return waiting->length < WAITING_MOST ? STIRKEEP_OK : write_waiting(bundle, which, error);
}

enum stirkeep_status stk_bundle_read(struct stk_bundle *bundle, enum stk_bundle_file which,
                                     uint64_t offset, size_t length, struct stk_buffer *ret_data,
                                     struct stk_error *error)
{
    enum stirkeep_status status = write_waiting(bundle, which, error);

    ret_data->length = 0;
    if (status == STIRKEEP_OK && stk_buffer_reserve(ret_data, length) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    while (status == STIRKEEP_OK && ret_data->length < length) {
        ssize_t got = pread(bundle->files[which].fd, ret_data->data + ret_data->length,
                            length - ret_data->length, (off_t)(offset + ret_data->length));

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* somebody cut it meanwhile */
        if (got <= 0)
            status = failed(bundle, stk_bundle_names[which], error);
        else
            ret_data->length += (size_t)got;
    }
    return status;
}

enum stirkeep_status stk_bundle_put(struct stk_bundle *bundle, const char *name,
                                    struct stk_bytes data, struct stk_error *error)
{
    int fd = make_file(bundle, name);
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd < 0 || !stk_file_write_all(fd, data.data, data.length) || fsync(fd) != 0)
        status = failed(bundle, name, error);
    if (fd >= 0)
        (void)close(fd);
    return status;
}

/* Never into, nor instead of, what somebody else has there. */
static bool give_name(const struct stk_bundle *bundle)
{
    struct stat about = {0};

    if (renameat2(AT_FDCWD, bundle->temporary, AT_FDCWD, bundle->path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    /* A file system that cannot promise it: what rename could take the place of is an empty
     * directory made in this very moment. */
    if (lstat(bundle->path, &about) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(bundle->temporary, bundle->path) == 0;
}

enum stirkeep_status stk_bundle_finish(struct stk_bundle *bundle, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    char parent[PATH_MAX] = "";

    for (int i = 0; i < STK_BUNDLE_FILES && status == STIRKEEP_OK; i++) {
        status = write_waiting(bundle, i, error);
        if (status == STIRKEEP_OK && fsync(bundle->files[i].fd) != 0)
            status = failed(bundle, stk_bundle_names[i], error);
    }
    if (status != STIRKEEP_OK)
        return status;
    if (fsync(bundle->directory) != 0)
        return failed(bundle, "", error);
    if (!give_name(bundle))
        return stk_error_set(error, errno == EEXIST ? STIRKEEP_CONFLICT : STIRKEEP_IO, "%s: %s",
                             bundle->path, strerror(errno));
    (void)close(bundle->directory);
    bundle->directory = -1;
    /* Of the temporary name: beside the other one, without the slashes that may end that. */
    if (!stk_file_directory_of(bundle->temporary, parent, sizeof(parent)) ||
        !stk_file_sync_directory(parent))
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", parent, strerror(errno));
    return STIRKEEP_OK;
}

/* All that is in it was made here. */
static void remove_all(const struct stk_bundle *bundle)
{
    int fd = dup(bundle->directory);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;

    if (list == NULL && fd >= 0)
        (void)close(fd);
    while (list != NULL && (entry = readdir(list)) != NULL)
        (void)unlinkat(bundle->directory, entry->d_name, 0);
    if (list != NULL)
        (void)closedir(list);
    (void)rmdir(bundle->temporary);
}

void stk_bundle_end(struct stk_bundle *bundle)
{
    for (int i = 0; i < STK_BUNDLE_FILES; i++) {
        if (bundle->files[i].fd >= 0)
            (void)close(bundle->files[i].fd);
        stk_buffer_free(&bundle->files[i].waiting);
    }
    if (bundle->directory < 0)
        return;
    remove_all(bundle);
    (void)close(bundle->directory);
    bundle->directory = -1;
}
