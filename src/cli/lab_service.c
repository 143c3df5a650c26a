/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "token/fresh.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIN_BYTES 16
#define LABEL "stirkeep"
#define TEXT_MAX 16384
#define COPY_STEP (64 * 1024)

static const char softhsm_conf[] = "directories.tokendir = %s/service/tokens\n"
                                   "objectstore.backend = file\n"
                                   "log.level = ERROR\n"
                                   "slots.removable = false\n"
                                   "library.reset_on_fork = true\n";

static const char service_conf[] = "[token]\n"
                                   "module = %s\n"
                                   "label = " LABEL "\n"
                                   "pin-file = %s/service/pin\n"
                                   "[token-environment]\n"
                                   "SOFTHSM2_CONF = %s/service/softhsm2.conf\n"
                                   "[sockets]\n"
                                   "sign = %s/service/sign.sock\n"
                                   "admin = %s/service/admin.sock\n"
                                   "[storage]\n"
                                   "catalog = %s/service/catalog.db\n"
                                   "[audit]\n"
                                   "file = %s/service/audit.jsonl\n"
                                   "sync = none\n"
                                   "[signing]\n"
                                   "x5u-template = %s\n"
                                   "[import]\n"
                                   "profile = test\n"
                                   "[admin]\n"
                                   "user = %u\n"
                                   "[grant lab]\n"
                                   "user = %u\n"
                                   "certificates = *\n"
                                   "ppt = base, shaken, div, div-o, rph, rcd\n"
                                   "attest = A, B, C\n"
                                   "sign-input = yes\n";

static enum stirkeep_status write_configuration(const struct stk_lab *lab,
                                                const struct stk_lab_place *place, uid_t user,
                                                struct stk_error *error)
{
    const char *at = place->path;
    char text[TEXT_MAX] = "";
    int length = snprintf(text, sizeof(text), softhsm_conf, at);
    enum stirkeep_status status =
        stk_lab_write(place, "service/softhsm2.conf", text, (size_t)length, error);

    length = snprintf(text, sizeof(text), service_conf, lab->module, at, at, at, at, at, at,
                      lab->x5u_template, (unsigned)user, (unsigned)user);
    if (length >= (int)sizeof(text))
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "the configuration is too long");
    return status == STIRKEEP_OK
               ? stk_lab_write(place, "service/stirkeep.conf", text, (size_t)length, error)
               : status;
}

static void make_pin(char ret_pin[2 * PIN_BYTES + 1])
{
    uint8_t bytes[PIN_BYTES] = {0};

    stk_random(bytes, sizeof(bytes));
    stk_hex_encode(bytes, sizeof(bytes), ret_pin);
}

enum stirkeep_status stk_lab_prepare(const struct stk_lab *lab, const struct stk_lab_place *place,
                                     struct stk_error *error)
{
    uid_t user = geteuid(); /* before it changes: who may use the service */
    char so_pin[2 * PIN_BYTES + 1] = "";
    char pin[2 * PIN_BYTES + 1] = "";
    char path[PATH_MAX] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_lab_user_become(lab))
        return stk_error_set(
            error, STIRKEEP_CONFIG,
            "root's service needs a user of its own, and uid %u cannot be had: %s; "
            "an ordinary user can start a lab, too",
            (unsigned)lab->uid, strerror(errno));
    (void)stk_lab_path(place, "service/tokens", path);
    if (mkdir(path, 0700) != 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    make_pin(so_pin);
    make_pin(pin);
    status = write_configuration(lab, place, user, error);
    if (status == STIRKEEP_OK)
        status = stk_lab_write(place, "service/pin", pin, strlen(pin), error);
    (void)stk_lab_path(place, "service/softhsm2.conf", path);
    if (status == STIRKEEP_OK && setenv("SOFTHSM2_CONF", path, 1) != 0)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    return status == STIRKEEP_OK ? stk_token_make(lab->module, LABEL, so_pin, pin, error) : status;
}

/* ---- programs */

static bool copy_program(const char *from, const char *to)
{
    static char step[COPY_STEP];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
    ssize_t got = -1;
    bool done = in >= 0 && out >= 0;

    while (done && (got = read(in, step, sizeof(step))) > 0)
        done = stk_file_write_all(out, step, (size_t)got);
    done = done && got == 0 && fchmod(out, 0755) == 0;
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        done = close(out) == 0 && done;
    return done;
}

/* Can the service's user run it where it is? Asked in a child of its own, which becomes that user. */
static bool is_reachable(const struct stk_lab *lab, const char *program)
{
    int status = 0;
    pid_t pid = lab->uid == geteuid() ? 0 : fork();

    if (lab->uid == geteuid())
        return true;
    if (pid == 0)
        _exit(stk_lab_user_become(lab) && access(program, X_OK) == 0 ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

enum stirkeep_status stk_lab_link_programs(const struct stk_lab *lab,
                                           const struct stk_lab_place *place,
                                           struct stk_error *error)
{
    const char *const programs[] = {lab->porter, lab->rooms[0], lab->rooms[1], lab->rooms[2]};
    char path[PATH_MAX] = "";
    bool done =
        stk_lab_path(place, "programs", path) && mkdir(path, 0755) == 0 && chmod(path, 0755) == 0;

    for (size_t i = 0; done && i < sizeof(programs) / sizeof(programs[0]); i++) {
        char name[PATH_MAX] = "";

        (void)snprintf(name, sizeof(name), "programs%.128s", strrchr(programs[i], '/'));
        done = stk_lab_path(place, name, path) &&
               (is_reachable(lab, programs[i]) ? symlink(programs[i], path) == 0
                                               : copy_program(programs[i], path));
    }
    return done ? STIRKEEP_OK : stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
}

/* The log is opened as who may write to the directory, before the user changes; the new user's process
 * has forgotten by then that it ends with the guardian. */
_Noreturn void stk_lab_become_porter(const struct stk_lab *lab, const struct stk_lab_place *place,
                                     pid_t guardian)
{
    char log_path[PATH_MAX] = "";
    char configuration[PATH_MAX] = "";
    char libexec[PATH_MAX] = "";
    char porter[PATH_MAX] = "";
    char name[] = "stirkeepd";
    char config_option[] = "-c";
    char libexec_option[] = "--libexec";
    char *const arguments[] = {name, config_option, configuration, libexec_option, libexec, NULL};
    char *const environment[] = {NULL};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = -1;

    if (!stk_lab_path(place, "service.log", log_path) ||
        !stk_lab_path(place, "service/stirkeep.conf", configuration) ||
        !stk_lab_path(place, "programs", libexec) ||
        !stk_lab_path(place, "programs/stirkeepd", porter))
        _exit(1);
    log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || !stk_lab_user_become(lab))
        _exit(1);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guardian)
        _exit(1);
    (void)execve(porter, arguments, environment);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", porter, strerror(errno));
    _exit(1);
}
