/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/softhsm.h"

#include "base/file.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OBJECT_FILE_MAX (1024 * 1024)
#define LOCK_SUFFIX "lock" /* beside each .object file, for SoftHSM's own locking */

/* One that cannot be read is left alone: what it is cannot be told. */
static bool is_torn(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stk_buffer content = {0};
    bool torn = false;

    if (fd < 0)
        return false;
    if (stk_file_read_fd(fd, name, OBJECT_FILE_MAX, &content, NULL) == STIRKEEP_OK) {
        struct stk_bytes file = {content.data, content.length};
        torn = !stk_softhsm_object_whole(file) || stk_softhsm_object_empty(file);
    }
    stk_buffer_free(&content);
    (void)close(fd);
    return torn;
}

/* The name of the lock file beside an object file. */
static void lock_name(const char *name, char ret_lock[NAME_MAX + 1])
{
    (void)snprintf(ret_lock, NAME_MAX + 1, "%.*s" LOCK_SUFFIX,
                   (int)(strlen(name) - strlen("object")), name);
}

/* One that a power cut lost: without it SoftHSM removes the object, and says that it could not. */
static void restore_lock(int directory, const char *name)
{
    char lock[NAME_MAX + 1] = "";
    int fd = -1;

    lock_name(name, lock);
    fd = openat(directory, lock, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static bool remove_object(int directory, const char *name)
{
    char lock[NAME_MAX + 1] = "";

    if (unlinkat(directory, name, 0) != 0) {
        stk_log(STK_LOG_WARNING, "token file %s is torn, and cannot be removed: %s", name,
                strerror(errno));
        return false;
    }
    (void)snprintf(lock, sizeof(lock), "%.*s" LOCK_SUFFIX, (int)(strlen(name) - strlen("object")),
                   name);
    (void)unlinkat(directory, lock, 0);
    return true;
}

/* True when it was torn and is gone. */
static bool mend(int directory, const char *name)
{
    if (is_torn(directory, name))
        return remove_object(directory, name);
    restore_lock(directory, name);
    return false;
}

void stk_softhsm_mend(const struct stk_softhsm *softhsm)
{
    DIR *stream = softhsm->token[0] == '\0' ? NULL : opendir(softhsm->token);
    const struct dirent *entry = NULL;
    size_t removed = 0;

    if (stream == NULL)
        return;
    while ((entry = readdir(stream)) != NULL)
        if (stk_softhsm_is_object_file(entry->d_name))
            removed += mend(dirfd(stream), entry->d_name) ? 1 : 0;
    if (removed > 0) {
        (void)fsync(dirfd(stream));
        stk_log(STK_LOG_INFO,
                "token: removed %zu object files that a kill or a power cut left torn", removed);
    }
    (void)closedir(stream);
}
