/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/outside.h"

#include "base/file.h"
#include "config/file.h"
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LOOK_NEXT                                                                                  \
    "stirkeepd -c FILE --check, then its log (journalctl -u stirkeep). systemd gives up after "    \
    "some failed starts: systemctl reset-failed stirkeep.socket stirkeep.service, then start both"

static const char *user_name(uid_t uid)
{
    const struct passwd *user = getpwuid(uid);

    return user != NULL ? user->pw_name : "?";
}

/* ---- the lock */

/* Who holds a lock on the file (proc(5), /proc/locks); 0: nobody, as far as can be seen. Asked there
 * and not by trying it: that could keep a stirkeepd from starting. */
static long holder_of(const struct stat *about)
{
    FILE *file = fopen("/proc/locks", "re");
    char line[256] = "";
    char wanted[64] = "";
    long holder = 0;

    if (file == NULL)
        return 0;
    (void)snprintf(wanted, sizeof(wanted), " %02x:%02x:%lu ", major(about->st_dev),
                   minor(about->st_dev), (unsigned long)about->st_ino);
    while (holder == 0 && fgets(line, sizeof(line), file) != NULL) {
        const char *mark = strstr(line, "FLOCK  ADVISORY  WRITE ");

        if (mark != NULL && strstr(line, wanted) != NULL)
            holder = strtol(mark + strlen("FLOCK  ADVISORY  WRITE "), NULL, 10);
    }
    (void)fclose(file);
    return holder;
}

/* Does stirkeepd run? */
static bool look_at_lock(const char *socket_path, struct stk_diagnosis *diagnosis)
{
    char path[PATH_MAX] = "";
    struct stat about = {0};
    long holder = 0;

    (void)snprintf(path, sizeof(path), "%s.lock", socket_path);
    if (lstat(path, &about) != 0) {
        stk_diagnosis_fact(diagnosis, "lock", "%s: %s", path, strerror(errno));
        return false;
    }
    holder = holder_of(&about);
    if (holder != 0)
        stk_diagnosis_fact(diagnosis, "lock", "%s, held by process %ld: stirkeepd runs", path,
                           holder);
    else
        stk_diagnosis_fact(diagnosis, "lock", "%s, held by nobody: no stirkeepd runs there", path);
    return holder != 0;
}

/* ---- the configuration */

enum stirkeep_status stk_outside_trust(const char *admin_socket, const char *config_path,
                                       struct stk_error *error)
{
    char lock[PATH_MAX] = "";
    struct stat about = {0};
    uid_t uid = geteuid();

    (void)snprintf(lock, sizeof(lock), "%s.lock", admin_socket);
    if (lstat(lock, &about) == 0)
        uid = about.st_uid;
    if (stat(config_path, &about) != 0)
        return STIRKEEP_OK;
    return stk_config_trust(config_path, &about, uid, error);
}

static struct stk_config *read_configuration(const char *path, struct stk_diagnosis *diagnosis)
{
    struct stk_buffer text = {0};
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CONFIG_MAX, &text, &error);

    if (status == STIRKEEP_OK)
        status = stk_config_parse((const char *)text.data, text.length, path, &config, &error);
    stk_buffer_free(&text);
    if (status == STIRKEEP_OK)
        stk_diagnosis_fact(diagnosis, "configuration", "%s", path);
    else
        stk_diagnosis_fact(diagnosis, "configuration", "not read: %s", error.message);
    if (status == STIRKEEP_CONFIG)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, "correct it: stirkeepd will not start with it",
                              "the configuration is not usable: %s", error.message);
    return status == STIRKEEP_OK ? config : NULL;
}

static bool is_administrator(const struct stk_config *config, uid_t uid)
{
    for (size_t i = 0; i < config->admin.user_count; i++)
        if (config->admin.users[i] == uid)
            return true;
    return false;
}

static void compare(const struct stk_config *config, const char *admin_socket,
                    struct stk_diagnosis *diagnosis)
{
    uid_t uid = geteuid();

    if (strcmp(config->sockets.admin, admin_socket) != 0)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "ask there: --admin-socket PATH, or STIRKEEP_ADMIN_SOCKET",
                              "the configuration has another socket: %s", config->sockets.admin);
    if (!is_administrator(config, uid))
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "name this user in [admin] user and have that read (SIGHUP to "
                              "stirkeepd), or ask as one who is named there",
                              "user %s (%u) is no administrator by the configuration",
                              user_name(uid), uid);
}

/* ---- the socket */

static void look_at_socket(const char *path, bool runs, struct stk_diagnosis *diagnosis)
{
    struct stat about = {0};

    if (lstat(path, &about) != 0) {
        int reason = errno;

        stk_diagnosis_fact(diagnosis, "socket", "%s: %s", path, strerror(reason));
        if (reason == EACCES)
            stk_diagnosis_trouble(diagnosis, STK_SEVERE, "see the modes of the directories above",
                                  "user %s (%u) may not look into the socket's directory",
                                  user_name(geteuid()), geteuid());
        else
            stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                                  runs ? LOOK_NEXT
                                       : "start stirkeepd; if it is started: " LOOK_NEXT,
                                  "there is no socket: stirkeepd does not run, or has another one");
        return;
    }
    stk_diagnosis_fact(diagnosis, "socket", "%s, owner %s (%u), mode %04o%s", path,
                       user_name(about.st_uid), about.st_uid, about.st_mode & 07777,
                       S_ISSOCK(about.st_mode) ? "" : ", not a socket");
    if (!S_ISSOCK(about.st_mode))
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, "give the path of the socket, or move it away",
                              "%s is not a socket", path);
    else if (access(path, W_OK) != 0)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, "ask as its owner or root",
                              "user %s (%u) may not use it: %s", user_name(geteuid()), geteuid(),
                              strerror(errno));
    else if (!runs)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "start stirkeepd; if it does not stay up: " LOOK_NEXT,
                              "the socket is left of a stirkeepd that has ended");
}

void stk_outside_look(const char *admin_socket, const char *config_path,
                      const struct stk_error *why, struct stk_diagnosis *diagnosis)
{
    uid_t uid = geteuid();
    struct stk_config *config = NULL;
    struct stk_error trust = {0};
    bool runs = false;

    stk_diagnosis_fact(diagnosis, "asked by", "user %s (%u)", user_name(uid), uid);
    runs = look_at_lock(admin_socket, diagnosis);
    stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                          why->status == STIRKEEP_NOT_PERMITTED
                              ? "name this user in [admin] user and restart, or ask as one who is "
                                "named there"
                              : LOOK_NEXT,
                          "the service could not be asked: %s", why->message);
    if (why->status == STIRKEEP_NOT_CONNECTED)
        look_at_socket(admin_socket, runs, diagnosis);
    if (stk_outside_trust(admin_socket, config_path, &trust) != STIRKEEP_OK)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, STK_OUTSIDE_TRUST_CURE, "%s", trust.message);
    config = read_configuration(config_path, diagnosis);
    if (config != NULL)
        compare(config, admin_socket, diagnosis);
    stk_config_free(config);
}
