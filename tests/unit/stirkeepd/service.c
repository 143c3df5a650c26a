/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_US 2000
#define PATIENCE_US (10000000 * PATIENCE)

static const char *stirkeepd_path;
static const char *fake_path;

void service_programs(int argc, char **argv)
{
    static const char *const variables[] = {"JOURNAL_STREAM", "NOTIFY_SOCKET", "LISTEN_PID",
                                            "LISTEN_FDS", "CREDENTIALS_DIRECTORY"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        (void)unsetenv(variables[i]);
    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s STIRKEEPD FAKE-ROOM\n", argv[0]);
        exit(2);
    }
    stirkeepd_path = argv[1];
    fake_path = argv[2];
}

static void copy_program(const char *from, const char *to)
{
    static char block[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ssize_t got = 0;

    assert_true(in >= 0 && out >= 0);
    while ((got = read(in, block, sizeof(block))) > 0)
        assert_int_equal(write(out, block, (size_t)got), got);
    assert_int_equal(fchmod(out, 0755), 0);
    (void)close(in);
    (void)close(out);
}

char *service_read(const struct service *service, const char *name)
{
    char path[256] = "";
    struct stat about = {0};
    char *text = NULL;
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/%s", service->base, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &about), 0);
    text = calloc(1, (size_t)about.st_size + 1);
    assert_non_null(text);
    assert_int_equal(read(fd, text, (size_t)about.st_size), about.st_size);
    (void)close(fd);
    return text;
}

/* NULL when there is no such file. */
static char *read_if_there(const struct service *service, const char *name)
{
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/%s", service->base, name);
    return access(path, F_OK) == 0 ? service_read(service, name) : NULL;
}

/* What valgrind found in stirkeepd and its rooms goes with the file that they say all to. */
static void show_findings(const struct service *service, const char *name)
{
    char *held = read_if_there(service, name);
    char *rest = NULL;

    if (held == NULL)
        return;
    for (char *line = strtok_r(held, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "==", 2) == 0)
            (void)fprintf(stderr, "%s\n", line);
    free(held);
}

void service_write(const struct service *service, const char *name, mode_t mode, const char *text)
{
    char path[256] = "";
    int fd = -1;

    show_findings(service, name);
    (void)snprintf(path, sizeof(path), "%s/%s", service->base, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

void service_write_config(const struct service *service, bool with_rooms)
{
    char text[2048] = "";

    (void)snprintf(text, sizeof(text),
                   "[token]\nmodule = %s/module.so\nlabel = t\npin-file = %s\ndirectory = %s\n"
                   "[token-environment]\nSOFTHSM2_CONF = %s/softhsm2.conf\n"
                   "[sockets]\nsign = %s\nadmin = %s\n"
                   "[storage]\ncatalog = %s/state/catalog.db\n"
                   "[audit]\nfile = %s/trail/audit.jsonl\n"
                   "%s"
                   "[grant g]\nuser = 0\ncertificates = *\nattest = A\n",
                   service->base, service->pin, service->base, service->base, service->sign,
                   service->admin, service->base, service->base,
                   with_rooms && geteuid() == 0 ? "[rooms]\nkeeper-user = 61003\n"
                                                  "intake-user = 61002\nfront-user = 61001\n"
                                                : "");
    service_write(service, "stirkeep.conf", 0644, text);
}

void service_change_config(const struct service *service, const char *from, const char *to)
{
    char *held = service_read(service, "stirkeep.conf");
    char *at = strstr(held, from);
    char text[4096] = "";

    assert_non_null(at);
    *at = '\0';
    (void)snprintf(text, sizeof(text), "%s%s%s", held, to, at + strlen(from));
    service_write(service, "stirkeep.conf", 0644, text);
    free(held);
}

static void make_directory(const struct service *service, const char *name, mode_t mode, uid_t uid)
{
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/%s", service->base, name);
    assert_int_equal(mkdir(path, mode), 0);
    assert_int_equal(chmod(path, mode), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, uid, uid), 0);
}

void service_make(struct service *service)
{
    static const char *const rooms[] = {"keeper", "intake", "front"};
    const char *temporary = getenv("TMPDIR");

    memset(service, 0, sizeof(*service));
    (void)snprintf(service->base, sizeof(service->base), "%s/stirkeepd-XXXXXX",
                   temporary != NULL && strlen(temporary) < 40 ? temporary : "/tmp");
    assert_non_null(mkdtemp(service->base));
    assert_int_equal(chmod(service->base, 0755), 0);
    if (geteuid() == 0) /* it is the token's directory too */
        assert_int_equal(chown(service->base, 61003, 61003), 0);
    (void)snprintf(service->config, sizeof(service->config), "%s/stirkeep.conf", service->base);
    (void)snprintf(service->libexec, sizeof(service->libexec), "%s/libexec", service->base);
    (void)snprintf(service->sign, sizeof(service->sign), "%s/run/sign.sock", service->base);
    (void)snprintf(service->admin, sizeof(service->admin), "%s/run/admin.sock", service->base);
    (void)snprintf(service->pin, sizeof(service->pin), "%s/pin", service->base);
    make_directory(service, "libexec", 0755, 0);
    make_directory(service, "state", 0700, 61002);
    make_directory(service, "trail", 0700, 61003);
    for (size_t i = 0; i < 3; i++) {
        char path[256] = "";
        (void)snprintf(path, sizeof(path), "%s/stirkeep-%s", service->libexec, rooms[i]);
        copy_program(fake_path, path);
        service_mode(service, rooms[i], "ready");
    }
    service_write(service, "events", 0666, "");
    service_write(service, "module.so", 0644, "");
    service_write(service, "softhsm2.conf", 0644, "");
    service_write(service, "pin", 0600, "1234\n");
    service_write_config(service, true);
}

void service_mode(const struct service *service, const char *room, const char *mode)
{
    char name[32] = "";

    (void)snprintf(name, sizeof(name), "%s.mode", room);
    service_write(service, name, 0644, mode);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

void service_remove(struct service *service)
{
    if (service->porter > 0)
        (void)service_end(service, SIGKILL);
    if (service->base[0] != '\0') {
        show_findings(service, "log");
        show_findings(service, "other-log");
        (void)nftw(service->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    service->base[0] = '\0';
}

int service_set_up(void **state)
{
    static struct service service;

    service_make(&service);
    *state = &service;
    return 0;
}

int service_tear_down(void **state)
{
    service_remove(*state);
    return 0;
}

/* As sd_listen_fds(3) describes it. */
static bool give_socket(int given)
{
    char pid[16] = "";

    (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
    return dup2(given, 3) == 3 && fcntl(3, F_SETFD, 0) == 0 && setenv("LISTEN_PID", pid, 1) == 0 &&
           setenv("LISTEN_FDS", "1", 1) == 0;
}

/* What must not reach a room: a variable, a descriptor, ignored and blocked signals. */
static bool litter(int fd)
{
    sigset_t blocked;

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN);
    return setenv("STIRKEEP_TEST_SECRET", "hidden", 1) == 0 && dup2(fd, 40) == 40;
}

static _Noreturn void become_stirkeepd(const struct service *service, const char *argument,
                                       const char *log)
{
    const char *arguments[] = {stirkeepd_path, "-c", service->config, "--libexec", service->libexec,
                               argument,       NULL};
    char path[256] = "";
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/%s", service->base, log);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (!litter(fd) || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(99);
    if (service->given > 0 && !give_socket(service->given))
        _exit(97);
    (void)signal(SIGHUP, SIG_DFL);
    (void)signal(SIGINT, service->ignoring_interrupts ? SIG_IGN : SIG_DFL);
    for (int i = STDIN_FILENO; service->without_standard && i <= STDERR_FILENO; i++)
        (void)close(i);
    (void)execv(stirkeepd_path, (char *const *)arguments);
    _exit(98);
}

static pid_t run(const struct service *service, const char *argument, const char *log)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        become_stirkeepd(service, argument, log);
    return pid;
}

void service_start(struct service *service, const char *argument, bool ready)
{
    service->porter = run(service, argument, "log");
    if (ready)
        service_wait(service, "log", "stirkeepd: ready:", 1);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    for (unsigned waited = 0; waited < PATIENCE_US; waited += STEP_US) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        assert_int_equal(got, 0);
        (void)usleep(STEP_US);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    fail_msg("process %d did not end", (int)pid);
    return -1;
}

int service_start_other(const struct service *service, const char *argument)
{
    return wait_for(run(service, argument, "other-log"));
}

pid_t service_begin_other(const struct service *service, const char *argument)
{
    return run(service, argument, "log");
}

int service_end(struct service *service, int signal)
{
    pid_t pid = service->porter;

    service->porter = 0;
    if (signal != 0)
        (void)kill(pid, signal);
    return wait_for(pid);
}

unsigned service_count(const struct service *service, const char *file, const char *text)
{
    char *held = read_if_there(service, file);
    unsigned count = 0;

    if (held == NULL)
        return 0;
    for (const char *at = held; (at = strstr(at, text)) != NULL; at++)
        count++;
    free(held);
    return count;
}

void service_wait(const struct service *service, const char *file, const char *text, unsigned count)
{
    for (unsigned waited = 0; waited < PATIENCE_US; waited += STEP_US) {
        if (service_count(service, file, text) >= count)
            return;
        (void)usleep(STEP_US);
    }
    char *events = service_read(service, "events");
    char *log = service_read(service, "log");
    (void)fprintf(stderr, "# events:\n%s# log:\n%s", events, log);
    free(events);
    free(log);
    fail_msg("%s: not %u times \"%s\"", file, count, text);
}

bool service_before(const struct service *service, const char *file, const char *first,
                    const char *second)
{
    char *held = service_read(service, file);
    const char *one = strstr(held, first);
    const char *other = strstr(held, second);
    bool before = one != NULL && other != NULL && one < other;

    free(held);
    return before;
}

char *service_start_line(const struct service *service, const char *room)
{
    char *held = service_read(service, "events");
    char text[64] = "";
    char *last = NULL;
    char *line = NULL;

    (void)snprintf(text, sizeof(text), "%s starts ", room);
    for (char *at = held; (at = strstr(at, text)) != NULL; at++)
        last = at;
    assert_non_null(last);
    line = strndup(last, strcspn(last, "\n"));
    assert_non_null(line);
    free(held);
    return line;
}

bool service_connects(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = false;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    connected = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    (void)close(fd);
    return connected;
}

pid_t service_room(const struct service *service, const char *room)
{
    char *line = service_start_line(service, room);
    const char *text = strstr(line, "pid=");
    pid_t pid = 0;

    assert_non_null(text);
    pid = (pid_t)strtol(text + strlen("pid="), NULL, 10);
    free(line);
    assert_true(pid > 1);
    return pid;
}
