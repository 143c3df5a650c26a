/* SPDX-License-Identifier: BSD-2-Clause */
#include "born.h"

#include "base/file.h"
#include "wire/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BORN_FDS (STK_FD_FRONT_RULES - STK_FD_CONTROL + 1)
/* Generous: for a busy machine. Nothing waits that long when all is well. */
#define WITHIN_MS (15000 * PATIENCE)
#define FRAME_MAX (2 * 1024 * 1024)

extern char **environ;

static struct sockaddr_un address_of(const struct born *born)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", born->socket);
    return address;
}

/* Everybody may connect: who may ask is the room's question. */
static void listen_on(struct born *born)
{
    struct sockaddr_un address = address_of(born);

    born->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(born->listener >= 0);
    assert_int_equal(bind(born->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(born->listener, 4096), 0);
    assert_int_equal(chmod(born->directory, 0755), 0);
    assert_int_equal(chmod(born->socket, 0666), 0);
}

static void link_pair(int *ret_theirs, int *ret_rooms)
{
    int ends[2] = {-1, -1};

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    *ret_theirs = ends[0];
    *ret_rooms = ends[1];
}

void born_new(struct born *born, enum stk_room room, const char *variable)
{
    *born = (struct born){.room = room, .program = getenv(variable), .control = -1, .rules = -1};
    assert_non_null(born->program);
    (void)snprintf(born->directory, sizeof(born->directory), "/tmp/stk-%s-XXXXXX",
                   stk_room_name(room));
    assert_non_null(mkdtemp(born->directory));
    (void)snprintf(born->socket, sizeof(born->socket), "%s/socket", born->directory);
    listen_on(born);
    link_pair(&born->keeper, &born->room_keeper);
    link_pair(&born->other, &born->room_other);
}

void born_kill(struct born *born)
{
    if (born->pid != 0) {
        (void)kill(born->pid, SIGKILL);
        (void)waitpid(born->pid, NULL, 0);
        born->pid = 0;
    }
    if (born->control >= 0)
        (void)close(born->control);
    born->control = -1;
}

void born_free(struct born *born)
{
    char *arguments[] = {(char[]){"rm"}, (char[]){"-rf"}, born->directory, NULL};
    int fds[] = {born->listener,    born->keeper,     born->other,
                 born->room_keeper, born->room_other, born->rules};
    pid_t child = 0;

    born_kill(born);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        (void)close(fds[i]);
    assert_int_equal(posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* ---- birth */

/* In the child: `fds` become 3, 4, ...; first out of each other's way. What is not given is closed. */
static _Noreturn void become(const char *program, int fds[BORN_FDS])
{
    char *arguments[] = {(char[]){"room"}, NULL};
    char *environment[] = {NULL};

    for (int i = 0; i < BORN_FDS; i++)
        fds[i] = fcntl(fds[i], F_DUPFD, 64);
    for (int i = 0; i < BORN_FDS; i++)
        if (dup2(fds[i], STK_FD_CONTROL + i) < 0)
            (void)close(STK_FD_CONTROL + i);
    (void)execve(program, arguments, environment);
    _exit(126);
}

int born_sealed(const void *data, size_t length)
{
    int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    assert_true(stk_file_write_all(fd, data, length));
    assert_int_equal(
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
    return fd;
}

int born_config(const char *config)
{
    struct stk_config *parsed = NULL;
    struct stk_buffer resolved = {0};
    struct stk_error error = {0};
    int fd = -1;

    if (stk_config_resolve(config, strlen(config), "test", &parsed, &resolved, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    fd = born_sealed(resolved.data, resolved.length);
    stk_config_free(parsed);
    stk_buffer_free(&resolved);
    return fd;
}

void born_reload(const struct born *born, uint64_t number, int config, int rules)
{
    struct stk_control_message message = {.kind = STK_CONTROL_CONFIG,
                                          .room = born->room,
                                          .number = number,
                                          .fd_count = rules >= 0 ? 2 : 1,
                                          .fds = {config, rules}};

    assert_true(stk_control_send_message(born->control, &message));
    (void)close(config);
    if (rules >= 0)
        (void)close(rules);
}

struct stk_control_message born_hear(const struct born *born)
{
    struct stk_control_message said = {0};

    assert_true(born_readable(born->control, WITHIN_MS));
    assert_int_equal(stk_control_receive(born->control, &said), STIRKEEP_OK);
    return said;
}

void born_start(struct born *born, const char *config)
{
    int control[2] = {-1, -1};
    int text = born_config(config);
    int fds[BORN_FDS] = {-1,         text, born->listener, born->room_keeper, born->room_other,
                         born->rules};
    struct stk_control_message said = {0};

    born_kill(born);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
    fds[0] = control[1];
    born->pid = fork();
    assert_true(born->pid >= 0);
    if (born->pid == 0)
        become(born->program, fds);
    (void)close(control[1]);
    (void)close(text);
    born->control = control[0];
    said = born_hear(born);
    if (said.kind != STK_CONTROL_READY)
        fail_msg("%s", said.text);
    assert_int_equal(said.room, born->room);
}

int born_wait(struct born *born)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int status = 0;

    for (int i = 0; i < 2000 * PATIENCE; i++) {
        if (waitpid(born->pid, &status, WNOHANG) == born->pid) {
            born->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("%s does not end", stk_room_name(born->room));
    return -1;
}

bool born_runs(const struct born *born)
{
    siginfo_t information = {0};

    return born->pid != 0 &&
           waitid(P_PID, (id_t)born->pid, &information, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           information.si_pid == 0;
}

void born_tell(const struct born *born, enum stk_control_kind kind, enum stk_room room)
{
    assert_true(stk_control_send(born->control, kind, room, NULL));
}

bool born_readable(int fd, int milliseconds)
{
    struct pollfd watch = {.fd = fd, .events = POLLIN};

    return poll(&watch, 1, milliseconds) == 1;
}

/* ---- clients */

struct client client_new(const struct born *born)
{
    struct sockaddr_un address = address_of(born);
    struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    assert_true(client.fd >= 0);
    assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

void client_free(struct client *client)
{
    (void)close(client->fd);
    stk_buffer_free(&client->in);
}

void client_send(const struct client *client, const void *data, size_t length)
{
    const uint8_t *at = data;

    while (length > 0) {
        ssize_t sent = send(client->fd, at, length, MSG_NOSIGNAL);

        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return; /* turned away meanwhile: its answer tells */
        if (sent < 0)
            fail_msg("send: %s", strerror(errno));
        at += sent;
        length -= (size_t)sent;
    }
}

static bool take_frame(struct client *client, struct stk_bytes *ret_message)
{
    struct stk_buffer *in = &client->in;
    enum stk_frame_state state = STK_FRAME_NONE;

    stk_buffer_drop(in, client->seen);
    client->seen = 0;
    state = stk_frame_next(in->data, in->length, FRAME_MAX, ret_message, &client->seen);
    assert_true(state == STK_FRAME_NONE || state == STK_FRAME_WHOLE);
    return state == STK_FRAME_WHOLE;
}

bool client_has_frame(struct client *client)
{
    struct stk_bytes message = {0};
    bool has = take_frame(client, &message);

    client->seen = 0;
    return has;
}

struct stk_bytes client_frame(struct client *client)
{
    struct stk_bytes message = {0};
    uint8_t piece[16384];

    while (!take_frame(client, &message)) {
        ssize_t got = 0;

        assert_true(born_readable(client->fd, WITHIN_MS));
        got = recv(client->fd, piece, sizeof(piece), 0);
        if (got <= 0)
            fail_msg("the conversation ended instead of an answer");
        assert_int_equal(stk_buffer_add(&client->in, piece, (size_t)got), STIRKEEP_OK);
    }
    return message;
}

bool client_ended(const struct client *client)
{
    char byte = 0;

    return born_readable(client->fd, WITHIN_MS) && recv(client->fd, &byte, 1, 0) <= 0;
}
