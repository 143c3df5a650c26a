/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIPE_INSIDE_H
#define STK_WIPE_INSIDE_H

#include "wipe/source.h"
#include <limits.h>
#include <sys/stat.h>

/* What the files of this folder share. */

struct stk_source {
    char *path;
    char name[NAME_MAX + 1]; /* its last part */
    int directory;
    int fd; /* for reading */
    bool keep;
    struct stat about; /* when it was read */
    uint8_t digest[STK_DIGEST_LENGTH];
    char note[STK_SOURCE_NOTE];
};

/* Is what `now` tells the file that was read, unchanged? NULL, or what is different. */
const char *stk_source_difference(const struct stk_source *source, const struct stat *now);

/* What overwriting can promise on the file system of an open file: its name and a clause. */
struct stk_filesystem {
    const char *name;
    const char *promise;
};
struct stk_filesystem stk_filesystem_of(int fd);

#endif
