/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* The type of a mount, from a line of mountinfo (proc(5)) that begins with its number: the first
 * field behind the one that is only a '-'. */
static bool type_of_line(const char *line, uint64_t mount, char *ret_type, size_t size)
{
    char *end = NULL;
    const char *mark = NULL;

    if (strtoull(line, &end, 10) != mount || *end != ' ')
        return false;
    mark = strstr(end, " - ");
    if (mark == NULL)
        return false;
    mark += 3;
    (void)snprintf(ret_type, size, "%.*s", (int)strcspn(mark, " \n"), mark);
    return true;
}

static void find_type(uint64_t mount, char *ret_type, size_t size)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;

    if (file == NULL)
        return;
    while (getline(&line, &room, file) > 0 && !type_of_line(line, mount, ret_type, size))
        continue;
    free(line);
    (void)fclose(file);
}

enum stirkeep_status stk_disk_look(const char *path, struct stk_disk *ret_disk,
                                   struct stk_error *error)
{
    struct stk_disk disk = {.type = "unknown"};
    struct statx about = {0};
    struct statvfs room = {0};

    if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_MNT_ID, &about) != 0 ||
        statvfs(path, &room) != 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    if ((about.stx_mask & STATX_MNT_ID) != 0)
        find_type(about.stx_mnt_id, disk.type, sizeof(disk.type));
    disk.free = (uint64_t)room.f_bavail * room.f_frsize;
    disk.size = (uint64_t)room.f_blocks * room.f_frsize;
    disk.free_files = room.f_files == 0 ? UINT64_MAX : room.f_favail;
    disk.read_only = (room.f_flag & ST_RDONLY) != 0;
    disk.mode = about.stx_mode;
    disk.uid = about.stx_uid;
    disk.gid = about.stx_gid;
    *ret_disk = disk;
    return STIRKEEP_OK;
}

void stk_disk_size_text(uint64_t bytes, char ret_text[STK_DISK_TEXT])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t whole = bytes;
    uint64_t rest = 0;
    size_t unit = 0;

    for (; whole >= 1024; unit++) {
        rest = whole % 1024;
        whole /= 1024;
    }
    if (unit == 0 || whole >= 10)
        (void)snprintf(ret_text, STK_DISK_TEXT, "%" PRIu64 " %s", whole, units[unit]);
    else
        (void)snprintf(ret_text, STK_DISK_TEXT, "%" PRIu64 ".%" PRIu64 " %s", whole,
                       rest * 10 / 1024, units[unit]);
}
