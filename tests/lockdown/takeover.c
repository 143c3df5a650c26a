/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A front that was taken over: the real one's parts, locked down as the real one is, with somebody
 * else's code in it. It runs under the real stirkeepd in the place of stirkeep-front, does its work,
 * and once it does, tries one thing that no front may do, tells the log how that ended, and goes on.
 * Each life tries the next one in the list. Built for test_takeover.py alone.
 *
 * Before it is locked down it reads "plan" beside itself, "NUMBER PIN-FILE", and counts the number up.
 */
#include "attacks.h"

#include "base/log.h"
#include "front/front.h"
#include "lockdown/lockdown.h"
#include "room/room.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 50

struct takeover {
    struct stk_front *front;
    struct event timer;
    struct prey prey;
    unsigned number;
};

static void read_plan(struct takeover *takeover)
{
    char path[PATH_MAX] = "";
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 16);
    char *slash = length > 0 ? strrchr(path, '/') : NULL;
    char plan[PATH_MAX] = "";
    int fd = -1;

    if (slash == NULL)
        abort();
    (void)strcpy(slash, "/plan");
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || read(fd, plan, sizeof(plan) - 1) <= 0 ||
        sscanf(plan, "%u %4095s", &takeover->number, takeover->prey.pin) != 2)
        abort();
    (void)snprintf(plan, sizeof(plan), "%04u", takeover->number + 1);
    if (pwrite(fd, plan, 4, 0) != 4)
        abort();
    (void)close(fd);
}

/* The keeper is the other child of stirkeepd that has its name. */
static pid_t find_keeper(void)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry = NULL;
    pid_t found = 0;

    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        char path[64] = "";
        char line[256] = "";
        int parent = 0;
        FILE *file = NULL;

        (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
        file = fopen(path, "re");
        if (file != NULL && fgets(line, sizeof(line), file) != NULL &&
            sscanf(line, "%*d (stirkeep-keepe%*[^)]) %*c %d", &parent) == 1 && parent == getppid())
            found = (pid_t)strtol(entry->d_name, NULL, 10);
        if (file != NULL)
            (void)fclose(file);
    }
    if (processes != NULL)
        (void)closedir(processes);
    return found;
}

static void attack(evutil_socket_t fd, short what, void *context)
{
    const struct timeval again = {.tv_usec = LOOK_MS * 1000};
    struct takeover *takeover = context;
    const struct attack *next = attack_at(takeover->number);
    (void)fd;
    (void)what;

    if (!takeover->front->ready || !takeover->front->keeper_up) {
        (void)event_add(&takeover->timer, &again);
        return;
    }
    if (next == NULL) {
        stk_log(STK_LOG_INFO, "takeover: end");
        return;
    }
    stk_log(STK_LOG_INFO, "takeover: tries %s", next->name);
    next->run(&takeover->prey);
    stk_log(STK_LOG_INFO, "takeover: survives %s", next->name);
    takeover->number++;
    (void)event_add(&takeover->timer, &again);
}

int main(void)
{
    static const struct stk_access nothing[1];
    static struct takeover takeover;
    const struct timeval soon = {.tv_usec = LOOK_MS * 1000};
    struct stk_config *config = NULL;
    struct stk_lockdown lock = {0};
    struct stk_error error = {0};

    read_plan(&takeover);
    takeover.prey.keeper = find_keeper();
    /* From here on as src/front/main.c. */
    config = stk_room_begin(STK_ROOM_FRONT);
    if (stk_lockdown_files(&lock, STK_ROOM_FRONT, config, nothing, 0, &error) != STIRKEEP_OK ||
        stk_front_new(config, &takeover.front, &error) != STIRKEEP_OK ||
        stk_lockdown_calls(&lock, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_FRONT, &error);
    stk_lockdown_word(&lock, takeover.front->lockdown);
    takeover.prey.front = takeover.front;
    if (event_assign(&takeover.timer, takeover.front->base, -1, 0, attack, &takeover) != 0 ||
        event_add(&takeover.timer, &soon) != 0)
        abort();
    return stk_front_run(takeover.front);
}
