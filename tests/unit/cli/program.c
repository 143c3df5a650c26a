/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 20000
#define WORDS_MAX 40
#define TURNS 16

static const char *program_path;
static int output = -1;
static char directory[64];

void program_set(const char *path)
{
    program_path = path;
}

void program_output(int fd)
{
    output = fd;
}

static void child(int input, int out, int err, const char *const *words)
{
    const char *argv[WORDS_MAX + 2] = {program_path};

    for (size_t i = 0; words[i] != NULL && i < WORDS_MAX; i++)
        argv[i + 1] = words[i];
    (void)setsid(); /* no terminal to ask on */
    if (dup2(input, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(err, STDERR_FILENO) < 0)
        _exit(125);
    (void)execv(program_path, (char *const *)argv);
    _exit(126);
}

static long now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False at the end. */
static bool take(int fd, char *text, size_t size, size_t *length)
{
    ssize_t got = read(fd, text + *length, size - 1 - *length);

    if (got > 0)
        *length += (size_t)got;
    return got > 0;
}

static void read_both(pid_t pid, int out, int err, struct ran *ran)
{
    struct pollfd items[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    size_t out_length = 0;
    size_t err_length = 0;
    long until = now_ms() + LIMIT_MS;

    while (items[0].fd >= 0 || items[1].fd >= 0) {
        long left = until - now_ms();

        if (left <= 0) {
            (void)kill(pid, SIGKILL);
            fail_msg("%s: not done within %d ms", program_path, LIMIT_MS);
        }
        (void)poll(items, 2, (int)left);
        if (items[0].fd >= 0 && items[0].revents != 0 &&
            !take(out, ran->out, sizeof(ran->out), &out_length))
            items[0].fd = -1;
        if (items[1].fd >= 0 && items[1].revents != 0 &&
            !take(err, ran->err, sizeof(ran->err), &err_length))
            items[1].fd = -1;
    }
}

/* A file, so that no size of it can block. */
static int input_of(const char *input)
{
    FILE *file = tmpfile();
    int fd = -1;

    assert_non_null(file);
    assert_true(input == NULL || fputs(input, file) >= 0);
    assert_int_equal(fflush(file), 0);
    fd = dup(fileno(file));
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    (void)fclose(file);
    return fd;
}

const struct ran *program_run(const char *input, const char *const *words)
{
    static struct ran ran;
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    int given = input_of(input);
    int state = 0;
    pid_t pid = -1;

    memset(&ran, 0, sizeof(ran));
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(given, output >= 0 ? output : out[1], err[1], words);
    output = -1;
    (void)close(given);
    (void)close(out[1]);
    (void)close(err[1]);
    read_both(pid, out[0], err[0], &ran);
    (void)close(out[0]);
    (void)close(err[0]);
    assert_int_equal(waitpid(pid, &state, 0), pid);
    ran.status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return &ran;
}

void program_failed(const struct ran *ran, int status, const char *const *texts)
{
    const char *end = strchr(ran->err, '\n');

    if (ran->status != status)
        fail_msg("exit status %d, not %d: %s", ran->status, status, ran->err);
    if (strncmp(ran->err, "stirkeep: ", 10) != 0 || end == NULL || end[1] != '\0')
        fail_msg("not one line that begins with \"stirkeep: \": %s", ran->err);
    for (size_t i = 0; texts[i] != NULL; i++)
        if (strstr(ran->err, texts[i]) == NULL)
            fail_msg("\"%s\" is not in: %s", texts[i], ran->err);
}

void program_done(const struct ran *ran)
{
    if (ran->status != 0 || ran->err[0] != '\0')
        fail_msg("exit status %d: %s", ran->status, ran->err);
}

int place_set_up(void **state)
{
    (void)state;
    (void)umask(022); /* a configuration that one's group may write to is refused */
    (void)snprintf(directory, sizeof(directory), "/tmp/stirkeep-cli-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    return setenv("STIRKEEP_SIGN_SOCKET", place("sign.sock"), 1) ||
           setenv("STIRKEEP_ADMIN_SOCKET", place("admin.sock"), 1);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

int place_tear_down(void **state)
{
    (void)state;
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *place(const char *name)
{
    static char paths[TURNS][PATH_MAX];
    static atomic_uint turn; /* a fake service's thread writes files, too */
    char *path = paths[atomic_fetch_add(&turn, 1) % TURNS];

    (void)snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return path;
}

void place_write(const char *name, const void *data, size_t length)
{
    FILE *file = fopen(place(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

void place_text(const char *name, const char *text)
{
    place_write(name, text, strlen(text));
}

bool place_has(const char *name)
{
    struct stat about = {0};

    return lstat(place(name), &about) == 0;
}

const char *place_read(const char *name)
{
    static char texts[TURNS][32 * 1024];
    static unsigned turn;
    char *text = texts[turn++ % TURNS];
    FILE *file = fopen(place(name), "r");
    size_t length = 0;

    assert_non_null(file);
    length = fread(text, 1, sizeof(texts[0]) - 1, file);
    text[length] = '\0';
    (void)fclose(file);
    return text;
}
