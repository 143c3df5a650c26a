/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_SECRET_FILE_H
#define STK_STIRKEEPD_SECRET_FILE_H

#include "base/error.h"
#include <sys/stat.h>
#include <sys/types.h>

/*
 * A secret of the keeper's in a file: opened here, since the keeper may not have the right to, and
 * never read here.
 */
struct stk_secret_file {
    const char *path;       /* "": $CREDENTIALS_DIRECTORY/`credential` (systemd.exec(5)) */
    const char *credential; /* "pin" */
    const char *key;        /* "[token] pin-file" */
    const char *what;       /* "the PIN" */
};

/*
 * It must be a regular file, no symbolic link, not empty, without rights for group and others,
 * owned by root, by this process's user or by `keeper_uid`. CONFIG with path and reason.
 */
enum stirkeep_status stk_secret_file_open(const struct stk_secret_file *file, uid_t keeper_uid,
                                          int *ret_fd, struct stat *ret_about,
                                          struct stk_error *error);

/* The key for numbers ([audit] number-key). */
enum stirkeep_status stk_number_key_open(const char *path, uid_t keeper_uid, int *ret_fd,
                                         struct stk_error *error);

#endif
