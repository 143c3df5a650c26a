/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the headers of the oldest system that this is built on do not have yet, from
 * Documentation/userspace-api/landlock.rst. */
#define FS_REFER (1ULL << 13)    /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#define NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define FS_IOCTL_DEV (1ULL << 15)       /* ABI 5 */
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)
#define FS_FIRST ((1ULL << 13) - 1) /* all of ABI 1 */

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
     FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV)
/* What can be given for something that is no directory. */
#define FILE_RIGHTS                                                                                \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* struct landlock_ruleset_attr as of ABI 6; an older kernel takes it while what it does not know
 * is 0. */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

unsigned stk_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi > 0 ? (unsigned)abi : 0;
}

static struct ruleset ruleset_of(unsigned abi, bool files, bool isolated)
{
    struct ruleset rules = {.files = files ? FS_FIRST : 0};

    if (abi >= 2 && files)
        rules.files |= FS_REFER;
    if (abi >= 3 && files)
        rules.files |= FS_TRUNCATE;
    if (abi >= 4)
        rules.network = isolated ? NET_BIND_TCP | NET_CONNECT_TCP : NET_BIND_TCP;
    if (abi >= 5 && files)
        rules.files |= FS_IOCTL_DEV;
    if (abi >= 6)
        rules.scoped = isolated ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : SCOPE_SIGNAL;
    return rules;
}

/* How much of the structure the kernel of that ABI knows. */
static size_t size_of(unsigned abi)
{
    if (abi >= 6)
        return sizeof(struct ruleset);
    return abi >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, network);
}

static int open_nearest(const struct stk_access *access)
{
    char path[PATH_MAX] = "";
    int fd = open(access->path, O_PATH | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT || !access->later || strlen(access->path) >= sizeof(path))
        return fd;
    (void)strcpy(path, access->path);
    while (fd < 0 && errno == ENOENT && strrchr(path, '/') != NULL) {
        *strrchr(path, '/') = '\0';
        fd = open(path[0] == '\0' ? "/" : path, O_PATH | O_CLOEXEC);
    }
    return fd;
}

static bool allow(int rules, const struct stk_access *access, uint64_t handled)
{
    struct landlock_path_beneath_attr rule = {.parent_fd = open_nearest(access)};
    struct stat about = {0};
    bool done = false;

    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    rule.allowed_access = access->write ? READ_RIGHTS | WRITE_RIGHTS : READ_RIGHTS;
    rule.allowed_access &= handled;
    done = fstat(rule.parent_fd, &about) == 0;
    if (done && !S_ISDIR(about.st_mode))
        rule.allowed_access &= FILE_RIGHTS;
    done = done && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    (void)close(rule.parent_fd);
    return done;
}

enum stirkeep_status stk_landlock_enter(const struct stk_access *accesses, size_t count,
                                        bool isolated, unsigned *ret_abi, struct stk_error *error)
{
    const unsigned abi = stk_landlock_abi();
    const struct ruleset rules = ruleset_of(abi, accesses != NULL, isolated);
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    if (abi == 0)
        return stk_error_set(error, STIRKEEP_UNAVAILABLE, "Landlock: this system does not have it");
    if (accesses == NULL && abi < 4)
        return stk_error_set(error, STIRKEEP_UNAVAILABLE,
                             "Landlock: there is nothing that it could forbid here");
    fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size_of(abi), 0);
    if (fd < 0)
        return stk_error_set(error, STIRKEEP_UNAVAILABLE, "Landlock: %s", strerror(errno));
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        if (!allow(fd, &accesses[i], rules.files))
            status = stk_error_set(error, STIRKEEP_UNAVAILABLE, "Landlock: %s: %s",
                                   accesses[i].path, strerror(errno));
    if (status == STIRKEEP_OK && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                                  syscall(SYS_landlock_restrict_self, fd, 0) != 0))
        status = stk_error_set(error, STIRKEEP_UNAVAILABLE, "Landlock: %s", strerror(errno));
    (void)close(fd);
    if (status == STIRKEEP_OK)
        *ret_abi = abi;
    return status;
}
