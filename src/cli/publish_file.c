/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/publish_file.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX_BYTES 8

/* No empty part, and none that begins with a dot. */
static bool is_plain(const char *path)
{
    if (strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-/") !=
        strlen(path))
        return false;
    for (const char *part = path;; part++) {
        if (*part == '\0' || *part == '/' || *part == '.')
            return false;
        part = strchr(part, '/');
        if (part == NULL)
            return true;
    }
}

enum stirkeep_status stk_publish_path(const char *x5u, char *ret_path, size_t size,
                                      struct stk_error *error)
{
    static const char scheme[] = "https://";
    const char *host = x5u + strlen(scheme);
    const char *path = NULL;

    if (strncmp(x5u, scheme, strlen(scheme)) == 0)
        path = strchr(host, '/');
    if (path == NULL || !is_plain(path + 1))
        return stk_error_set(error, STIRKEEP_INVALID, "x5u %s: its path names no file to publish",
                             x5u);
    if ((size_t)snprintf(ret_path, size, "%s", path + 1) >= size)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "x5u %s: too long", x5u);
    return STIRKEEP_OK;
}

static enum stirkeep_status failed(const char *path, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
}

/* The directories of a path, each on disk before something is put into it. */
static enum stirkeep_status make_directories(const char *directory, char *whole,
                                             struct stk_error *error)
{
    for (char *slash = whole + strlen(directory) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        char parent[PATH_MAX] = "";
        bool made = false;

        *slash = '\0';
        made = mkdir(whole, 0755) == 0;
        if (!made && errno != EEXIST)
            return failed(whole, error);
        if (made && (!stk_file_directory_of(whole, parent, sizeof(parent)) ||
                     chmod(whole, 0755) != 0 || !stk_file_sync_directory(parent)))
            return failed(whole, error);
        *slash = '/';
    }
    return STIRKEEP_OK;
}

static bool holds_already(const char *whole, const struct stk_buffer *text)
{
    struct stk_buffer found = {0};
    bool same = false;

    if (stk_file_read(whole, text->length, &found, NULL) == STIRKEEP_OK)
        same = found.length == text->length && memcmp(found.data, text->data, found.length) == 0;
    stk_buffer_free(&found);
    return same;
}

/* Write aside, sync, rename over it, sync the directory. */
static enum stirkeep_status replace(const char *whole, const struct stk_buffer *text,
                                    struct stk_error *error)
{
    uint8_t random[SUFFIX_BYTES];
    char suffix[2 * SUFFIX_BYTES + 1] = "";
    char parent[PATH_MAX] = "";
    char aside[PATH_MAX] = "";
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    stk_random(random, sizeof(random));
    stk_hex_encode(random, sizeof(random), suffix);
    if (!stk_file_directory_of(whole, parent, sizeof(parent)) ||
        snprintf(aside, sizeof(aside), "%s/.%s", parent, suffix) >= (int)sizeof(aside)) {
        errno = ENAMETOOLONG;
        return failed(whole, error);
    }
    fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return failed(aside, error);
    if (!stk_file_write_all(fd, text->data, text->length) || fchmod(fd, 0644) != 0 ||
        fsync(fd) != 0 || rename(aside, whole) != 0) {
        status = failed(whole, error);
        (void)unlink(aside);
    }
    (void)close(fd);
    if (status == STIRKEEP_OK && !stk_file_sync_directory(parent))
        status = failed(parent, error);
    return status;
}

enum stirkeep_status stk_publish_file(const char *directory, const char *path,
                                      const struct stk_buffer *text, bool *ret_written,
                                      struct stk_error *error)
{
    char whole[PATH_MAX] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (snprintf(whole, sizeof(whole), "%s/%s", directory, path) >= (int)sizeof(whole)) {
        errno = ENAMETOOLONG;
        return failed(path, error);
    }
    *ret_written = !holds_already(whole, text);
    if (!*ret_written)
        return STIRKEEP_OK;
    status = make_directories(directory, whole, error);
    return status == STIRKEEP_OK ? replace(whole, text, error) : status;
}
