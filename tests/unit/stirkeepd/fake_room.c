/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A room that only does what the porter can see of one, and writes down what it met with: each
 * line of DIRECTORY/events begins with the room's name. How it behaves is the first word of
 * DIRECTORY/ROOM.mode. DIRECTORY is the configuration's token directory.
 */
#include "base/buffer.h"
#include "base/file.h"
#include "room/room.h"
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

extern char **environ;

static enum stk_room self;
static char directory[256];
static char mode[32] = "ready";

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    char path[320] = "";
    char line[1280] = "";
    int length = snprintf(line, sizeof(line), "%s ", stk_room_name(self));
    va_list arguments;
    int fd = -1;

    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof(line) - (size_t)length - 2, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    (void)snprintf(path, sizeof(path), "%s/events", directory);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    (void)!write(fd, line, (size_t)length);
    (void)close(fd);
}

static void read_mode(void)
{
    struct stk_buffer text = {0};
    char path[320] = "";

    (void)snprintf(path, sizeof(path), "%s/%s.mode", directory, stk_room_name(self));
    if (stk_file_read(path, sizeof(mode) - 1, &text, NULL) == STIRKEEP_OK) {
        memcpy(mode, text.data, text.length);
        mode[text.length] = '\0';
    }
    stk_buffer_free(&text);
}

static const char *leads_to(const char *descriptor, char *target, size_t size)
{
    ssize_t length = readlink(descriptor, target, size - 1);

    target[length > 0 ? length : 0] = '\0';
    return target;
}

/* Everything that was inherited, before stk_room_begin tidies up. */
static void look_around(char *inherited, size_t size)
{
    char line[256] = "";
    FILE *status = fopen("/proc/self/status", "re");
    size_t length = (size_t)snprintf(inherited, size, "fds=");

    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && (status == NULL || fd != fileno(status)))
            length += (size_t)snprintf(inherited + length, size - length, "%d,", fd);
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "SigBlk:\t", 8) == 0 || strncmp(line, "SigIgn:\t", 8) == 0)
            length +=
                (size_t)snprintf(inherited + length, size - length, " %.7s%.16s", line, line + 8);
    length += (size_t)snprintf(inherited + length, size - length, " env=");
    for (char **variable = environ; *variable != NULL; variable++)
        length += (size_t)snprintf(inherited + length, size - length, "%s,", *variable);
    length += (size_t)snprintf(inherited + length, size - length, " out=%s",
                               leads_to("/proc/self/fd/1", line, sizeof(line)));
    (void)snprintf(inherited + length, size - length, " err=%s",
                   leads_to("/proc/self/fd/2", line, sizeof(line)));
    if (status != NULL)
        (void)fclose(status);
}

static void note_listener(void)
{
    socklen_t size = sizeof(int);
    int listens = 0;

    (void)getsockopt(STK_FD_FIRST, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    if (self != STK_ROOM_KEEPER)
        note("listens=%d", listens);
}

/* Say hello on both links, with the own name. */
static void greet(int first, int second)
{
    const char *name = stk_room_name(self);

    if (stk_link_send(first, name, strlen(name), 0, NULL) != STIRKEEP_OK ||
        stk_link_send(second, name, strlen(name), 0, NULL) != STIRKEEP_OK)
        note("cannot greet");
}

/* More words than a room has, and one that would be heard were they all listened to. */
static _Noreturn void chatter(void)
{
    struct stk_error error = {0};

    for (int i = 0; i < 40; i++)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, self, NULL);
    (void)stk_error_set(&error, STIRKEEP_TOKEN_ERROR, "a word too late");
    stk_room_fail(self, &error);
}

static void start(int first_link, int second_link)
{
    struct stk_error error = {0};
    static char rubbish[7] = "rubbish";

    if (strcmp(mode, "fail") == 0) {
        (void)stk_error_set(&error, STIRKEEP_TOKEN_ERROR, "no token called t");
        stk_room_fail(self, &error);
    }
    if (strcmp(mode, "exit") == 0)
        _exit(3);
    if (strcmp(mode, "hang") == 0)
        return;
    if (strcmp(mode, "chatter") == 0)
        chatter();
    if (strcmp(mode, "cut") == 0) {
        (void)shutdown(first_link, SHUT_RDWR);
        _exit(4);
    }
    if (strcmp(mode, "refused") == 0)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PIN_REFUSED, self, NULL);
    if (strcmp(mode, "rubbish") == 0)
        (void)!send(STK_FD_CONTROL, rubbish, sizeof(rubbish), 0);
    if (strcmp(mode, "drain-others") == 0)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_DRAIN, self, NULL);
    if (strcmp(mode, "other-name") == 0)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, (self + 1) % STK_ROOM_COUNT,
                               NULL);
    if (strcmp(mode, "stands") == 0)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_STANDING_BY, self, NULL);
    greet(first_link, second_link);
    (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, self, NULL);
    if (strcmp(mode, "brief") == 0)
        _exit(7);
    if (strcmp(mode, "mute") == 0) {
        (void)close(STK_FD_CONTROL);
        for (;;)
            (void)pause();
    }
}

/* Say what became of a configuration, or do not, as the mode says. */
static void take_configuration(const struct stk_control_message *message)
{
    struct stk_control_message taken = {
        .kind = STK_CONTROL_TAKEN, .room = self, .number = message->number};
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    struct stat rules = {0};

    if (stk_room_read_config(message->fds[0], &config, &error) != STIRKEEP_OK)
        note("cannot read: %s", error.message);
    else
        note("config fds=%u first=%s admin=%u rules=%lld", message->fd_count,
             stk_policy_grant(config->policy, 0)->name, (unsigned)config->admin.users[0],
             message->fd_count == 2 && fstat(message->fds[1], &rules) == 0
                 ? (long long)rules.st_size
                 : 0LL);
    stk_config_free(config);
    if (strcmp(mode, "dies") == 0)
        _exit(5);
    if (strcmp(mode, "ignores") == 0)
        return;
    if (strcmp(mode, "keeps") == 0) {
        taken.status = STIRKEEP_NO_MEMORY;
        (void)snprintf(taken.text, sizeof(taken.text), "no room for it");
    }
    if (strcmp(mode, "muddles") == 0) /* an answer to something else, and then its own */
        taken.number++;
    (void)stk_control_send_message(STK_FD_CONTROL, &taken);
    taken.number = message->number;
    if (strcmp(mode, "muddles") == 0)
        (void)stk_control_send_message(STK_FD_CONTROL, &taken);
}

static void note_program(struct stk_control_message *message)
{
    char *newline = strchr(message->text, '\n');

    if (newline != NULL)
        *newline = '|';
    note("program %llu %s", (unsigned long long)message->number, message->text);
}

static void record_policy(const struct stk_control_message *message)
{
    static bool refused;
    struct stk_control_message recorded = {
        .kind = STK_CONTROL_RECORDED, .room = self, .number = message->number};

    note("records %s %s", message->kind == STK_CONTROL_POLICY ? "ok" : "begun", message->text);
    if (strcmp(mode, "dies-recording") == 0 && message->kind == STK_CONTROL_POLICY_NEXT)
        _exit(6);
    if (message->kind == STK_CONTROL_POLICY_NEXT ? strcmp(mode, "unrecorded") == 0
                                                 : strcmp(mode, "late") == 0 && !refused) {
        refused = true;
        recorded.status = STIRKEEP_AUDIT_UNAVAILABLE;
        (void)snprintf(recorded.text, sizeof(recorded.text), "no space left");
    }
    (void)stk_control_send_message(STK_FD_CONTROL, &recorded);
}

static void obey(struct stk_control_message *message)
{
    switch (message->kind) {
    case STK_CONTROL_POLICY:
    case STK_CONTROL_POLICY_NEXT:
        record_policy(message);
        break;
    case STK_CONTROL_DRAIN:
        note("drain");
        if (strcmp(mode, "stay") != 0)
            _exit(0);
        break;
    case STK_CONTROL_CONFIG:
        take_configuration(message);
        break;
    case STK_CONTROL_RELOADED:
        note("reloaded %llu %s %s", (unsigned long long)message->number,
             stirkeep_status_name((enum stirkeep_status)message->status), message->text);
        break;
    case STK_CONTROL_PROGRAM:
        note_program(message);
        break;
    case STK_CONTROL_LOCKED:
        break;
    case STK_CONTROL_PING:
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PONG, self, NULL);
        break;
    default:
        note("hears %s %s", message->kind == STK_CONTROL_ROOM_UP ? "up" : "down",
             stk_room_name((enum stk_room)message->room));
    }
}

static void hear_porter(void)
{
    struct stk_control_message message = {0};

    if (stk_control_receive(STK_FD_CONTROL, &message) != STIRKEEP_OK) {
        note("is alone");
        _exit(0);
    }
    obey(&message);
    stk_control_drop(&message);
}

/* Somebody connects: front asks who it is, intake asks for a reload. */
static void greet_client(void)
{
    struct stk_control_message message = {.room = self};
    int client = accept(STK_FD_FIRST, NULL, NULL);
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);
    static uint64_t number;

    message.number = ++number;
    message.kind = self == STK_ROOM_FRONT ? STK_CONTROL_WHO : STK_CONTROL_RELOAD;
    if (self == STK_ROOM_FRONT) {
        if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
            note("knows no peer");
        (void)snprintf(message.text, sizeof(message.text), "%d", (int)peer.pid);
    }
    (void)stk_control_send_message(STK_FD_CONTROL, &message);
}

/* False when nothing can come any more. */
static bool hear_link(int fd)
{
    static uint8_t data[STK_LINK_MESSAGE_MAX + 1];
    size_t length = 0;

    if (stk_link_receive(fd, 0, data, &length, NULL) != STIRKEEP_OK)
        return false;
    data[length] = '\0';
    note("link %d: %s", fd, (const char *)data);
    return true;
}

static void stand_by(int argc, char **argv)
{
    if (strcmp(mode, "refuses-standing") == 0)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PIN_REFUSED, self, "no");
    if (strcmp(mode, "hasty") == 0) /* it must not count */
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, self, NULL);
    note("stands by");
    stk_room_await_go(self, argc, argv);
    note("goes");
}

int main(int argc, char **argv)
{
    static char inherited[1024];
    const struct stk_config *config = NULL;
    int first_link = STK_FD_FRONT_KEEPER;

    if (argc != 1 && !stk_room_stands_by(argc, argv))
        return 9;
    self = strstr(argv[0], "keeper") != NULL   ? STK_ROOM_KEEPER
           : strstr(argv[0], "intake") != NULL ? STK_ROOM_INTAKE
                                               : STK_ROOM_FRONT;
    if (self == STK_ROOM_KEEPER)
        first_link = STK_FD_KEEPER_FRONT;
    look_around(inherited, sizeof(inherited));
    config = stk_room_begin(self);
    (void)snprintf(directory, sizeof(directory), "%s", config->token.directory);
    read_mode();
    note("starts pid=%d uid=%u gid=%u first=%s %s", (int)getpid(), (unsigned)getuid(),
         (unsigned)getgid(), stk_policy_grant(config->policy, 0)->name, inherited);
    note_listener();
    if (argc > 1)
        stand_by(argc, argv);
    start(first_link, first_link + 1);
    struct pollfd watched[4] = {
        {.fd = STK_FD_CONTROL, .events = POLLIN},
        {.fd = first_link, .events = POLLIN},
        {.fd = first_link + 1, .events = POLLIN},
        {.fd = strcmp(mode, "asks") == 0 ? STK_FD_FIRST : -1, .events = POLLIN}};
    for (;;) {
        (void)poll(watched, 4, -1);
        if (watched[3].revents != 0)
            greet_client();
        if (watched[0].revents != 0)
            hear_porter();
        for (int i = 1; i < 3; i++)
            if (watched[i].revents != 0 && !hear_link(watched[i].fd))
                watched[i].fd = -1;
    }
}
