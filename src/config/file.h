/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_FILE_H
#define STK_CONFIG_FILE_H

#include "config/config.h"
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Who may write to the configuration, or to the file of attestation rules, decides who may sign
 * what. Such a file is a regular one, root's or `uid`'s, and nobody else may write to it. CONFIG
 * with the path and what is not so.
 */
enum stirkeep_status stk_config_trust(const char *path, const struct stat *about, uid_t uid,
                                      struct stk_error *error);

/* Read a file that passes stk_config_trust for who runs us, and that does not change meanwhile:
 * half of the old one with half of the new one would be nobody's. CONFIG, IO. */
enum stirkeep_status stk_config_read_whole(int fd, const char *path, size_t limit,
                                           struct stk_buffer *ret_text, struct stk_error *error);

/* The same for the configuration at a path. Of a symbolic link its target is judged and read. */
enum stirkeep_status stk_config_read(const char *path, struct stk_buffer *ret_text,
                                     struct stk_error *error);

#endif
