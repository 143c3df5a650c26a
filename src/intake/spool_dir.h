/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_DIR_H
#define STK_INTAKE_SPOOL_DIR_H

#include "base/limits.h"
#include "upload/material.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * An upload's directory, held open and listed. Its owner may be hostile and change it at any time:
 * everything here and later goes by the descriptor, never by a path, and follows no link.
 */

enum stk_spool_file {
    STK_SPOOL_CERT,
    STK_SPOOL_CHAIN,
    STK_SPOOL_KEY,
    STK_SPOOL_SEALED,
    STK_SPOOL_BUNDLE,
    STK_SPOOL_PKCS12,
    STK_SPOOL_PASSPHRASE,
    STK_SPOOL_X5U,
    STK_SPOOL_ACTIVATE_AT,
    STK_SPOOL_READY,
    STK_SPOOL_ERROR,
    STK_SPOOL_FILE_COUNT
};

/* "cert.pem", ... */
extern const char *const stk_spool_files[STK_SPOOL_FILE_COUNT];

/* What this service makes in it for a moment, and its removals leave when they are cut off. */
#define STK_SPOOL_OWN_PREFIX ".stirkeep-"

/* What tells whether a file is still the one that was listed. */
struct stk_spool_seen {
    ino_t ino;
    off_t size;
    struct timespec written;
    struct timespec changed;
};

struct stk_spool_dir {
    int fd; /* -1: not open */
    struct stat about;
    int64_t born_ns;                /* since 1970; 0 where the file system does not say */
    bool has[STK_SPOOL_FILE_COUNT]; /* whatever it is */
    struct stk_spool_seen seen[STK_SPOOL_FILE_COUNT];
    bool ready;                       /* `ready` is there, a regular file and empty */
    uint8_t state[STK_DIGEST_LENGTH]; /* of all in it but error.txt: another when it changes */
    struct stk_error bad;             /* its status is OK, or why it is no upload */
};

/*
 * Open and list the directory `name` of `incoming`. False with errno when it cannot be opened; that
 * it is no directory but a file or a link, is ENOTDIR or ELOOP, another file system's EXDEV.
 */
bool stk_spool_dir_open(int incoming, const char *name, struct stk_spool_dir *ret_dir);
void stk_spool_dir_close(struct stk_spool_dir *dir);

/* Is the name in `incoming` still this directory? */
bool stk_spool_dir_is(const struct stk_spool_dir *dir, int incoming, const char *name);

/*
 * Which files are the material of this upload? INVALID, TOO_LARGE, SOURCE_UNSAFE or NOT_PERMITTED with what is too much,
 * missing, not readable or could not be removed; else the paths are names in it.
 */
enum stirkeep_status stk_spool_dir_paths(const struct stk_spool_dir *dir,
                                         struct stk_material_paths *ret_paths,
                                         struct stk_error *error);

/* Unlink what was listed and is still the same; what is new stays. False, with errno: it could not be
 * looked through. */
bool stk_spool_dir_clear(const struct stk_spool_dir *dir);

/* Put an empty `ready` into it, so that it stays complete whatever happens; false with errno. */
bool stk_spool_dir_mark(int fd);

/* Write a file of it (or of another directory) in one step: whoever opens it sees the old or the new
 * one, whole, and it is on disk when this returns. False with errno; then it is as it was. */
bool stk_spool_write(int directory, const char *name, mode_t mode, const void *data, size_t length);

#endif
