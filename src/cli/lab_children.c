/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "base/clock.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 2000000
#define KILL_MS 5000

/* The parent of a process; 0: it is gone. Its name may have spaces and brackets in it. */
static pid_t parent_of(const char *pid)
{
    char path[64] = "";
    char line[512] = "";
    const char *after = NULL;
    FILE *file = NULL;
    int parent = 0;

    (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof(line), file) != NULL)
        after = strrchr(line, ')');
    if (after == NULL || sscanf(after + 1, " %*c %d", &parent) != 1)
        parent = 0;
    (void)fclose(file);
    return (pid_t)parent;
}

static void signal_children(int number)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry = NULL;

    while (processes != NULL && (entry = readdir(processes)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid())
            (void)kill((pid_t)strtol(entry->d_name, NULL, 10), number);
    if (processes != NULL)
        (void)closedir(processes);
}

/* True when there is no child left. */
static bool reap(void)
{
    pid_t pid = 0;

    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0 || (pid < 0 && errno == EINTR));
    return pid < 0;
}

static bool reap_until(uint64_t until_us, int number)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};

    while (!reap()) {
        if (stk_clock_mono_us() >= until_us)
            return false;
        /* Children of children become ours when their parent ends: there may be new ones. */
        if (number == SIGKILL)
            signal_children(number);
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

bool stk_lab_end_children(unsigned grace_ms)
{
    if (reap())
        return true;
    if (grace_ms > 0) {
        signal_children(SIGTERM);
        signal_children(SIGCONT);
        if (reap_until(stk_clock_mono_us() + (uint64_t)grace_ms * 1000, SIGTERM))
            return true;
    }
    return reap_until(stk_clock_mono_us() + (uint64_t)KILL_MS * 1000, SIGKILL);
}
