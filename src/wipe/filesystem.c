/* SPDX-License-Identifier: BSD-2-Clause */
#include "wipe/inside.h"

#include <sys/vfs.h>

#define IN_PLACE                                                                                   \
    "written in place: its old blocks hold it no more; an SSD or a snapshot below may keep copies"
#define ELSEWHERE "writes go to new blocks: the old ones hold it until they are used again"
#define REMOTE "another system stores it, which may keep copies"

/* statfs(2), linux/magic.h, and the kernel's sources for those that are not there. */
static const struct {
    unsigned long type;
    struct stk_filesystem about;
} known[] = {
    {0xef53, {"ext2/ext3/ext4", IN_PLACE}},
    {0x58465342, {"xfs", IN_PLACE}},
    {0x3153464a, {"jfs", IN_PLACE}},
    {0x4d44, {"vfat", IN_PLACE}},
    {0x01021994, {"tmpfs", "it was in memory only, unless that was swapped out"}},
    {0x858458f6, {"ramfs", "it was in memory only"}},
    {0x9123683e, {"btrfs", ELSEWHERE}},
    {0x2fc12fc1, {"zfs", ELSEWHERE}},
    {0xca451a4e, {"bcachefs", ELSEWHERE}},
    {0xf2f52010, {"f2fs", ELSEWHERE}},
    {0x3434, {"nilfs2", ELSEWHERE}},
    {0x794c7630, {"overlayfs", "a lower layer keeps its copy, if it came from there"}},
    {0x6969, {"nfs", REMOTE}},
    {0xff534d42, {"cifs", REMOTE}},
    {0xfe534d42, {"smb2", REMOTE}},
    {0x65735546, {"fuse", "what it does with old blocks is not known"}},
    {0x01021997, {"9p", REMOTE}},
};

struct stk_filesystem stk_filesystem_of(int fd)
{
    struct statfs about = {0};

    if (fstatfs(fd, &about) == 0)
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if ((unsigned long)about.f_type == known[i].type)
                return known[i].about;
    return (struct stk_filesystem){"an unknown file system",
                                   "what it does with old blocks is not known"};
}
