/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_DISK_H
#define STK_BASE_DISK_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a file or directory is, and how much room there is for this process's user. */
struct stk_disk {
    char type[32]; /* "ext4"; "unknown" where the kernel does not say */
    uint64_t free; /* bytes */
    uint64_t size;
    uint64_t free_files; /* inodes; UINT64_MAX where the file system has no such number */
    bool read_only;
    mode_t mode; /* of the path itself, as the next two */
    uid_t uid;
    gid_t gid;
};

/* IO with the path and the reason. Any thread. */
enum stirkeep_status stk_disk_look(const char *path, struct stk_disk *ret_disk,
                                   struct stk_error *error);

/* "512 bytes", "3.4 MiB", "12 GiB": rounded down. */
#define STK_DISK_TEXT 32
void stk_disk_size_text(uint64_t bytes, char ret_text[STK_DISK_TEXT]);

#endif
