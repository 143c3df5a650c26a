/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/check.h"

#include "base/file.h"
#include "base/log.h"
#include "config/doubts.h"
#include "room/room.h"
#include "room/spool.h"
#include "stirkeepd/check_audit.h"
#include "stirkeepd/pin.h"
#include "stirkeepd/reading.h"
#include "stirkeepd/secret_file.h"
#include "stirkeepd/sockets.h"
#include "stirkeepd/user.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a room has to be able to do with a path. */
struct need {
    const char *path;
    int access; /* of access(2) */
    bool optional;
};

static int tell(enum stirkeep_status status, const struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        return 0;
    stk_log(STK_LOG_ERROR, "%s", error->message);
    return 1;
}

static const char *words_for(int access)
{
    if (access == X_OK)
        return "run";
    return (access & W_OK) != 0 ? "write to" : "read";
}

static int check_need(const struct need *need, const char *room, uid_t uid)
{
    struct stat about = {0};

    if (need->path[0] == '\0' || access(need->path, need->access) == 0)
        return 0;
    if (errno == ENOENT && need->optional && stat(need->path, &about) != 0)
        return 0;
    stk_log(STK_LOG_ERROR, "%s: %s, as uid %u, cannot %s it: %s", need->path, room, (unsigned)uid,
            words_for(need->access), strerror(errno));
    return 1;
}

/* Who owns a directory or a file, or may write to it, decides what is in it. */
static int check_owner(const char *path, uid_t uid)
{
    struct stat about = {0};

    if (path[0] == '\0' || stat(path, &about) != 0)
        return 0; /* told by the room that needs it */
    if (about.st_uid != 0 && about.st_uid != geteuid() && about.st_uid != uid) {
        stk_log(STK_LOG_ERROR, "%s: owned by uid %u, who is neither root nor its room's user", path,
                (unsigned)about.st_uid);
        return 1;
    }
    if ((about.st_mode & S_IWOTH) != 0) {
        stk_log(STK_LOG_ERROR, "%s: everybody may write to it (mode %04o)", path,
                (unsigned)(about.st_mode & 07777));
        return 1;
    }
    return 0;
}

/* A file whose contents a room runs or goes by. */
static int check_file(const char *path, uid_t uid)
{
    struct stat about = {0};

    if (path[0] != '\0' && stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        stk_log(STK_LOG_ERROR, "%s: not a regular file", path);
        return 1;
    }
    return check_owner(path, uid);
}

/* "": there is none. */
static int check_spool(const char *directory)
{
    struct stk_error error = {0};
    int problems = 0;

    if (directory[0] == '\0')
        return 0;
    if (tell(stk_spool_check(directory, STK_SPOOL_BASE, &error), &error) != 0)
        return 1;
    for (unsigned place = STK_SPOOL_INCOMING; place < STK_SPOOL_PLACE_COUNT; place++)
        problems += tell(stk_spool_check(directory, (enum stk_spool_place)place, &error), &error);
    return problems;
}

/* In a child that becomes the room's user, so that the kernel answers, access lists included. */
static int check_as_room(enum stk_room room, const struct stk_user *user, const struct need *needs,
                         size_t count, const char *spool)
{
    const char *name = stk_room_name(room);
    int wait_status = 0;
    int problems = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (!stk_user_become(user)) {
            stk_log(STK_LOG_ERROR, "%s: changing to uid %u: %s", name, (unsigned)user->uid,
                    strerror(errno));
            _exit(1);
        }
        for (size_t i = 0; i < count; i++)
            problems += check_need(&needs[i], name, user->uid);
        _exit(problems + check_spool(spool));
    }
    while (pid > 0 && waitpid(pid, &wait_status, 0) < 0)
        if (errno != EINTR)
            pid = -1;
    if (pid > 0 && WIFEXITED(wait_status))
        return WEXITSTATUS(wait_status);
    stk_log(STK_LOG_ERROR, "%s: could not be checked: %s", name,
            pid > 0 ? "the check itself died" : strerror(errno));
    return 1;
}

/* The file that the default module reads before anything else, where it is named; "" otherwise. */
static const char *softhsm_configuration(const struct stk_config *config)
{
    static const char name[] = "SOFTHSM2_CONF=";

    for (size_t i = 0; config->token.environment[i] != NULL; i++)
        if (strncmp(config->token.environment[i], name, sizeof(name) - 1) == 0)
            return config->token.environment[i] + sizeof(name) - 1;
    return "";
}

static int check_rooms(const struct stk_options *options, const struct stk_config *config,
                       const struct stk_user users[STK_ROOM_COUNT])
{
    char programs[STK_ROOM_COUNT][PATH_MAX] = {{0}};
    char trail[PATH_MAX] = "";
    char catalog[PATH_MAX] = "";
    int problems = 0;

    for (unsigned i = 0; i < STK_ROOM_COUNT; i++)
        if (snprintf(programs[i], PATH_MAX, "%s/stirkeep-%s", options->libexec,
                     stk_room_name((enum stk_room)i)) >= PATH_MAX)
            return tell(STIRKEEP_CONFIG, &(struct stk_error){.message = "--libexec: too long"});
    if (!stk_file_directory_of(config->audit.file, trail, sizeof(trail)) ||
        !stk_file_directory_of(config->storage.catalog, catalog, sizeof(catalog)))
        return tell(STIRKEEP_CONFIG, &(struct stk_error){.message = "a path is too long"});
    const struct need keeper[] = {{programs[STK_ROOM_KEEPER], X_OK, false},
                                  {config->token.module, R_OK, false},
                                  {softhsm_configuration(config), R_OK, false},
                                  {config->token.directory, R_OK | W_OK | X_OK, false},
                                  {trail, W_OK | X_OK, false},
                                  {config->audit.file, R_OK | W_OK, true}};
    const struct need intake[] = {{programs[STK_ROOM_INTAKE], X_OK, false},
                                  {catalog, W_OK | X_OK, false},
                                  {config->storage.catalog, R_OK | W_OK, true}};
    const struct need front[] = {{programs[STK_ROOM_FRONT], X_OK, false}};

    problems += check_as_room(STK_ROOM_KEEPER, &users[STK_ROOM_KEEPER], keeper, 6, "");
    problems +=
        check_as_room(STK_ROOM_INTAKE, &users[STK_ROOM_INTAKE], intake, 3, config->storage.spool);
    problems += check_as_room(STK_ROOM_FRONT, &users[STK_ROOM_FRONT], front, 1, "");
    problems += check_owner(options->libexec, geteuid());
    for (unsigned i = 0; i < STK_ROOM_COUNT; i++)
        problems += check_file(programs[i], geteuid());
    problems += check_file(config->token.module, geteuid());
    problems += check_file(softhsm_configuration(config), users[STK_ROOM_KEEPER].uid);
    problems += check_owner(trail, users[STK_ROOM_KEEPER].uid);
    problems += stk_check_trail(config->audit.file, users[STK_ROOM_KEEPER].uid);
    problems += check_owner(config->token.directory, users[STK_ROOM_KEEPER].uid);
    problems += check_owner(catalog, users[STK_ROOM_INTAKE].uid);
    return problems;
}

static int check_pin(const struct stk_config *config, uid_t keeper_uid)
{
    const bool is_credential = config->token.pin_file[0] == '\0';
    struct stk_pin_identity identity = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    /* A credential is there only when the service manager starts the service. */
    if (is_credential && getenv("CREDENTIALS_DIRECTORY") == NULL)
        return 0;
    status = stk_pin_open(config->token.pin_file, keeper_uid, &fd, &identity, &error);
    if (fd >= 0)
        (void)close(fd);
    return tell(status, &error);
}

/* A credential is there only when the service manager starts the service. */
static int check_number_key(const struct stk_config *config, uid_t keeper_uid)
{
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    if (!config->audit.numbers_hashed ||
        (config->audit.number_key[0] == '\0' && getenv("CREDENTIALS_DIRECTORY") == NULL))
        return 0;
    status = stk_number_key_open(config->audit.number_key, keeper_uid, &fd, &error);
    if (fd >= 0)
        (void)close(fd);
    return tell(status, &error);
}

/* By stirkeepd itself: who keeps seals must not be in the keeper's hands. */
static int check_witness(const struct stk_config *config)
{
    char directory[PATH_MAX] = "";
    char program[PATH_MAX] = "";
    size_t length = strcspn(config->audit.witness_command, " \t");
    int problems = 0;

    if (config->audit.witness[0] != '\0' &&
        stk_file_directory_of(config->audit.witness, directory, sizeof(directory))) {
        const struct need needs[] = {{directory, W_OK | X_OK, false},
                                     {config->audit.witness, R_OK | W_OK, true}};

        for (size_t i = 0; i < 2; i++)
            problems += check_need(&needs[i], "stirkeepd", geteuid());
        problems += check_owner(directory, geteuid());
        problems += stk_check_witness_file(config->audit.witness);
    }
    if (length > 0 && length < sizeof(program)) {
        memcpy(program, config->audit.witness_command, length);
        problems += check_need(&(struct need){program, X_OK, false}, "stirkeepd", geteuid());
    }
    problems += stk_check_witness_command(config->audit.witness_command);
    return problems;
}

/* No reason not to start. */
static void tell_doubts(const struct stk_config *config)
{
    struct stk_buffer lines = {0};
    size_t length = 0;

    if (stk_config_doubts(config, &lines) == STIRKEEP_OK)
        for (size_t at = 0; at < lines.length; at += length + 1) {
            length = strcspn((const char *)lines.data + at, "\n");
            stk_log(STK_LOG_WARNING, "%s: %.*s", config->name, (int)length,
                    (const char *)lines.data + at);
        }
    stk_buffer_free(&lines);
}

int stk_check_run(const struct stk_options *options)
{
    struct stk_reading reading = {.config_fd = -1, .rules_fd = -1};
    struct stk_user users[STK_ROOM_COUNT] = {0};
    const struct stk_config *config = NULL;
    struct stk_error error = {0};
    int problems = 0;

    /* Who started us may have left it ignored: then no child could be waited for. */
    (void)signal(SIGCHLD, SIG_DFL);
    problems = tell(stk_reading_take(options->config, NULL, &reading, &error), &error);
    config = reading.config;
    if (problems == 0)
        problems = tell(stk_users_find(config, options->config, users, &error), &error);
    if (problems == 0) {
        problems += check_pin(config, users[STK_ROOM_KEEPER].uid);
        problems += check_number_key(config, users[STK_ROOM_KEEPER].uid);
        problems += check_witness(config);
        problems += tell(stk_listener_check(config->sockets.sign, &error), &error);
        problems += tell(stk_listener_check(config->sockets.admin, &error), &error);
        problems += check_rooms(options, config, users);
        tell_doubts(config);
    }
    if (problems == 0)
        (void)printf("%s: ok: grants %zu, attestation rules %zu\n", options->config,
                     reading.grant_count, reading.rule_count);
    stk_users_free(users);
    stk_reading_free(&reading);
    return problems == 0 ? 0 : 1;
}
