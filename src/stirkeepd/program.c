/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUP_MAX ((size_t)32 * 1024) /* a path of up to 4 KiB for each of the old hierarchies */

/* A file of /proc, which says nothing of its size, as text; false when it is not all of it. */
static bool read_text(int directory, const char *name, char *ret_text, size_t size)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = -1;

    if (fd < 0)
        return false;
    do {
        got = read(fd, ret_text + length, size - length);
        if (got > 0)
            length += (size_t)got;
    } while ((got > 0 && length < size) || (got < 0 && errno == EINTR));
    (void)close(fd);
    if (got != 0 || length >= size)
        return false;
    ret_text[length] = '\0';
    return strlen(ret_text) == length;
}

/* Without asking a file server: nobody's program is to hold up the porter. */
static bool is_same_file(int process, const char *path)
{
    const int flags = AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    struct statx theirs = {0};
    struct statx ours = {0};

    return statx(process, "exe", flags, STATX_INO, &theirs) == 0 &&
           statx(AT_FDCWD, path, flags | AT_SYMLINK_NOFOLLOW, STATX_INO, &ours) == 0 &&
           theirs.stx_ino == ours.stx_ino && theirs.stx_dev_major == ours.stx_dev_major &&
           theirs.stx_dev_minor == ours.stx_dev_minor;
}

static void find_executable(int process, char ret_path[STK_EXECUTABLE_MAX + 1])
{
    char path[STK_EXECUTABLE_MAX + 2] = "";
    ssize_t length = readlinkat(process, "exe", path, sizeof(path) - 1);

    /* A newline would end it where front takes it apart. */
    if (length <= 0 || length > STK_EXECUTABLE_MAX || path[0] != '/' || strchr(path, '\n') != NULL)
        return;
    if (is_same_file(process, path))
        memcpy(ret_path, path, (size_t)length + 1);
}

/* ---- unit */

static bool ends_in(const char *text, size_t length, const char *end)
{
    size_t end_length = strlen(end);

    return length > end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* The path of a line "ID:CONTROLLERS:PATH", if its middle is `controllers`; NULL otherwise. */
static const char *path_in(const char *line, const char *controllers)
{
    const char *middle = strchr(line, ':');
    size_t length = strlen(controllers);

    return middle != NULL && strncmp(middle + 1, controllers, length) == 0 &&
                   middle[1 + length] == ':'
               ? middle + length + 2
               : NULL;
}

/* Where systemd keeps its units: its own hierarchy of old, or the only one. */
static const char *path_of_systemd(const char *text)
{
    const char *unified = NULL;

    for (const char *line = text; *line != '\0'; line += *line != '\0') {
        const char *named = path_in(line, "name=systemd");

        if (named != NULL)
            return named;
        if (strncmp(line, "0::", 3) == 0)
            unified = line + 3;
        line += strcspn(line, "\n");
    }
    return unified;
}

/* systemd puts '_' before a name that the kernel or it itself would take for something else. */
static void take_unit(const char *name, size_t length, char ret_unit[STK_UNIT_MAX + 1])
{
    if (length > 0 && name[0] == '_') {
        name++;
        length--;
    }
    if (length > STK_UNIT_MAX ||
        !(ends_in(name, length, ".service") || ends_in(name, length, ".scope")))
        return;
    memcpy(ret_unit, name, length);
    ret_unit[length] = '\0';
}

void stk_program_unit(const char *text, char ret_unit[STK_UNIT_MAX + 1])
{
    const char *at = path_of_systemd(text);
    size_t length = 0;

    ret_unit[0] = '\0';
    for (; at != NULL && *at == '/'; at += length) {
        at++;
        length = strcspn(at, "/\n");
        if (!ends_in(at, length, ".slice")) {
            take_unit(at, length, ret_unit);
            return;
        }
    }
}

static void find_unit(int process, char ret_unit[STK_UNIT_MAX + 1])
{
    char text[CGROUP_MAX] = "";

    if (read_text(process, "cgroup", text, sizeof(text)))
        stk_program_unit(text, ret_unit);
}

void stk_program_find(pid_t pid, struct stk_program *ret_program)
{
    struct stk_program program = {0};
    char path[64] = "";
    int process = -1;

    *ret_program = program;
    (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return;
    find_executable(process, program.executable);
    find_unit(process, program.unit);
    (void)close(process);
    *ret_program = program;
}
