/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PUBLISH_FILE_H
#define STK_CLI_PUBLISH_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include <stdbool.h>

/*
 * The path of an x5u below the directory that its host serves: "Alpha/1f2e.pem" of
 * "https://certs.example.com/Alpha/1f2e.pem". INVALID when it has none, or one that could lead out
 * of the directory or hide in it.
 */
enum stirkeep_status stk_publish_path(const char *x5u, char *ret_path, size_t size,
                                      struct stk_error *error);

/*
 * Put `text` at `path` below `directory`, for everybody to read: whoever opens it sees the old file
 * or the new one, whole, whatever happens. Directories on the way are made. A file that holds it
 * already is left alone: `*ret_written` is false. IO.
 */
enum stirkeep_status stk_publish_file(const char *directory, const char *path,
                                      const struct stk_buffer *text, bool *ret_written,
                                      struct stk_error *error);

#endif
