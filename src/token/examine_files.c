/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/examine.h"

#include "base/clock.h"
#include "base/file.h"
#include "token/internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECT_FILE_MAX (1024 * 1024)
#define OTHERS (S_IRWXG | S_IRWXO)

struct look {
    size_t objects;
    size_t whole;
    size_t unread;
    size_t open;             /* others may read or write them */
    size_t alien;            /* of another owner */
    char torn[NAME_MAX + 1]; /* the first one */
    bool cut_short;
};

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name);
    size_t end_length = strlen(end);

    return length > end_length && strcmp(name + length - end_length, end) == 0;
}

static void look_inside(int fd, const char *name, struct look *look)
{
    struct stk_buffer content = {0};

    look->objects++;
    if (stk_file_read_fd(fd, name, OBJECT_FILE_MAX, &content, NULL) != STIRKEEP_OK) {
        look->unread++;
        return;
    }
    if (stk_softhsm_object_whole((struct stk_bytes){content.data, content.length}))
        look->whole++;
    else if (look->torn[0] == '\0')
        (void)snprintf(look->torn, sizeof(look->torn), "%s", name);
    stk_buffer_free(&content);
}

static void look_at(int directory, const char *name, struct look *look)
{
    struct stat about = {0};
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        look->unread += errno == ENOENT ? 0 : 1;
        return;
    }
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        look->open += (about.st_mode & OTHERS) != 0 ? 1 : 0;
        look->alien += about.st_uid != geteuid() ? 1 : 0;
        if (ends_with(name, ".object"))
            look_inside(fd, name, look);
    }
    (void)close(fd);
}

static void look_at_all(const char *path, uint64_t until_us, struct look *look)
{
    const struct dirent *entry = NULL;
    DIR *stream = opendir(path);

    if (stream == NULL)
        return;
    while (!look->cut_short && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.')
            look_at(dirfd(stream), entry->d_name, look);
        look->cut_short = stk_clock_mono_us() >= until_us;
    }
    (void)closedir(stream);
}

static void judge(const char *path, const struct look *look, struct stk_diagnosis *diagnosis)
{
    if (look->torn[0] != '\0')
        stk_diagnosis_trouble(
            diagnosis, STK_SLIGHT, "nothing signs with them; stop the service and remove the files",
            "%zu object files in %s are not whole, as SoftHSM leaves them when it "
            "is killed or the disk is full (%s)",
            look->objects - look->whole - look->unread, path, look->torn);
    if (look->open > 0)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                              "chmod -R go= that directory; see who has read it",
                              "%zu files in %s can be read or written by others", look->open, path);
    if (look->alien > 0)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, "chown -R the directory to the keeper's user",
                              "%zu files in %s belong to another user than the keeper's",
                              look->alien, path);
    if (look->unread > 0)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, "see whose they are and what their modes are",
                              "%zu files in %s cannot be read by the keeper", look->unread, path);
}

static void judge_directory(const char *path, struct stk_diagnosis *diagnosis)
{
    struct stat about = {0};

    if (stat(path, &about) != 0)
        return;
    if ((about.st_mode & OTHERS) != 0)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, "chmod go= that directory",
                              "others may look into the token's directory %s (mode %04o)", path,
                              about.st_mode & 07777);
}

void stk_examine_files(const struct stk_token *token, uint64_t budget_us,
                       struct stk_diagnosis *diagnosis)
{
    const char *path = token->durable.root;
    struct look look = {0};

    if (path[0] == '\0') {
        stk_diagnosis_fact(diagnosis, "token files", "none that are known of");
        return;
    }
    stk_diagnosis_disk(diagnosis, "token files", path);
    judge_directory(path, diagnosis);
    if (!token->durable.softhsm)
        return;
    look_at_all(path, stk_clock_mono_us() + budget_us, &look);
    stk_diagnosis_fact(diagnosis, "token objects", "%zu files, %zu whole%s", look.objects,
                       look.whole, look.cut_short ? "; not all were looked at" : "");
    judge(path, &look, diagnosis);
}
