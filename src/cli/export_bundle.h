/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_EXPORT_BUNDLE_H
#define STK_CLI_EXPORT_BUNDLE_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include <limits.h>
#include <stdbool.h>

/*
 * A directory that is there whole or not at all: its files are written into PATH.tmp-HEX beside it,
 * synced, and that is renamed to PATH when all is done. A kill leaves the .tmp- directory, which
 * nobody takes for a bundle. Mode 0700, files 0600: they name who called whom. One thread.
 */
enum stk_bundle_file {
    STK_BUNDLE_RECORDS,
    STK_BUNDLE_PROOFS,
    STK_BUNDLE_CHECKPOINTS,
    STK_BUNDLE_FILES
};

extern const char *const stk_bundle_names[STK_BUNDLE_FILES];

struct stk_bundle {
    const char *path;
    char temporary[PATH_MAX];
    int directory; /* of the temporary one; -1: none was made */
    struct {
        int fd;
        struct stk_buffer waiting; /* not written yet */
        uint64_t length;           /* with what is waiting */
    } files[STK_BUNDLE_FILES];
};

/* CONFLICT: there is something at the path. IO. `path` must live as long. Follow with
 * stk_bundle_end in any case. */
enum stirkeep_status stk_bundle_begin(struct stk_bundle *bundle, const char *path,
                                      struct stk_error *error);

/* Append to one of the large files. */
enum stirkeep_status stk_bundle_add(struct stk_bundle *bundle, enum stk_bundle_file which,
                                    const void *data, size_t length, struct stk_error *error);

/* Read back what was appended; `ret_data` is emptied first. */
enum stirkeep_status stk_bundle_read(struct stk_bundle *bundle, enum stk_bundle_file which,
                                     uint64_t offset, size_t length, struct stk_buffer *ret_data,
                                     struct stk_error *error);

/* One more file, whole. */
enum stirkeep_status stk_bundle_put(struct stk_bundle *bundle, const char *name,
                                    struct stk_bytes data, struct stk_error *error);

/* All is there: sync it, and give it its name, on the disk when this returns. CONFLICT: meanwhile
 * somebody has made something there. */
enum stirkeep_status stk_bundle_finish(struct stk_bundle *bundle, struct stk_error *error);

/* Close; remove what was not finished. */
void stk_bundle_end(struct stk_bundle *bundle);

#endif
