/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_FILE_H
#define STK_BASE_FILE_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>

/*
 * Read a whole regular file of at most `limit` bytes. INVALID when it is not a regular file,
 * TOO_LARGE, IO with the path and the reason. For public material; keys go through wipe/source.h.
 */
enum stirkeep_status stk_file_read(const char *path, size_t limit, struct stk_buffer *ret_data,
                                   struct stk_error *error);

/* All bytes of an open descriptor from its start, the same limits; the offset is not moved. */
enum stirkeep_status stk_file_read_fd(int fd, const char *name, size_t limit,
                                      struct stk_buffer *ret_data, struct stk_error *error);

/* fstat(2) as the system call of that name: some C libraries make another one of it, which could look
 * at any path and which a room without files may not make. False with errno. */
struct stat;
bool stk_fd_about(int fd, struct stat *ret_about);

/* Write all; false with errno. Starts over after EINTR. */
bool stk_file_write_all(int fd, const void *data, size_t length);

/*
 * Make a file that was not there before, mode 0644, and write all of it: on the disk when this
 * returns OK, not there otherwise, also when the process is killed in it (where the file system has
 * O_TMPFILE). IO with the path and the reason. For public material.
 */
enum stirkeep_status stk_file_write_new(const char *path, struct stk_bytes data,
                                        struct stk_error *error);

/* fsync a directory, so that names made or removed in it are durable; false with errno. */
bool stk_file_sync_directory(const char *path);

/* The directory part of a path into `ret_directory` (size bytes); false when it does not fit. */
bool stk_file_directory_of(const char *path, char *ret_directory, size_t size);

#endif
