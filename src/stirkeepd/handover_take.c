/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/handover.h"

#include "base/log.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/rooms.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OFFER_MS 10000 /* the old one does nothing that takes longer without hearing */

static bool is_nobody(int reason)
{
    return reason == ENOENT || reason == ECONNREFUSED;
}

static int knock(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int reason = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return fd;
    reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

/* Who listens there could hand us anything. */
static bool is_same_user(int fd)
{
    struct ucred who = {0};
    socklen_t size = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == geteuid();
}

/* A listening socket of that path, as the configuration has it. */
static bool is_listener_at(int fd, const char *path)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address) - 1;
    socklen_t value_size = sizeof(int);
    int listens = 0;

    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &value_size) == 0 &&
           listens == 1 && getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           address.sun_family == AF_UNIX && strcmp(address.sun_path, path) == 0;
}

static enum stirkeep_status take_listener(const char *path, const int given[2],
                                          struct stk_listener *ret_listener,
                                          struct stk_error *error)
{
    struct stat about = {0};

    if (!is_listener_at(given[0], path) || lstat(path, &about) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "taking over: %s: not where the one that runs listens: only a restart "
                             "takes a change of it",
                             path);
    *ret_listener = (struct stk_listener){.path = path,
                                          .fd = given[0],
                                          .lock = given[1],
                                          .device = about.st_dev,
                                          .inode = about.st_ino};
    return STIRKEEP_OK;
}

static void drop(const int fds[STK_HANDOVER_GIVEN])
{
    for (size_t i = 0; i < STK_HANDOVER_GIVEN; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* Perhaps with PIN files that were refused. */
static bool is_offer(struct stk_rooms *rooms, const char *text)
{
    const size_t length = strlen("OFFER");

    return strncmp(text, "OFFER", length) == 0 &&
           (text[length] == '\0' || stk_pin_take_words(&rooms->pin, text + length));
}

static enum stirkeep_status take_offer(struct stk_rooms *rooms, int fd, struct stk_error *error)
{
    char text[STK_HANDOVER_TEXT_MAX + 1] = "";
    int fds[STK_HANDOVER_GIVEN];
    struct stk_listener sign = {.fd = -1, .lock = -1};
    struct stk_listener admin = {.fd = -1, .lock = -1};
    enum stirkeep_status status = stk_handover_get(fd, OFFER_MS, text, fds);

    if (status != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_UNAVAILABLE,
                               "taking over: the one that runs does not answer");
    else if (strncmp(text, "NO ", 3) == 0)
        status = stk_error_set(error, STIRKEEP_BUSY, "taking over: refused: %s", text + 3);
    else if (!is_offer(rooms, text) || fds[STK_HANDOVER_GIVEN - 1] < 0)
        status = stk_error_set(error, STIRKEEP_MALFORMED,
                               "taking over: the one that runs says what it should not");
    if (status == STIRKEEP_OK)
        status = take_listener(rooms->config->sockets.sign, &fds[0], &sign, error);
    if (status == STIRKEEP_OK)
        status = take_listener(rooms->config->sockets.admin, &fds[2], &admin, error);
    if (status != STIRKEEP_OK) {
        drop(fds);
        return status;
    }
    rooms->sign = sign;
    rooms->admin = admin;
    return STIRKEEP_OK;
}

/* Where one serves whose sign.sock is that of our configuration; false: it has no such place. */
static bool address_of(const struct stk_rooms *rooms, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s.handover",
                          rooms->config->sockets.sign);

    *ret_address = address;
    return length > 0 && (size_t)length < sizeof(address.sun_path);
}

enum stirkeep_status stk_handover_take(struct stk_rooms *rooms, bool *ret_found,
                                       struct stk_error *error)
{
    struct stk_handover *handover = &rooms->handover;
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    *ret_found = false;
    if (!address_of(rooms, &handover->address))
        return stk_error_set(error, STIRKEEP_CONFIG, "taking over: %s: too long a path for it",
                             rooms->config->sockets.sign);
    fd = knock(&handover->address);
    if (fd < 0 && is_nobody(errno))
        return STIRKEEP_OK;
    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "taking over: %s: %s", handover->address.sun_path,
                             strerror(errno));
    if (!is_same_user(fd))
        status = stk_error_set(error, STIRKEEP_CONFIG, "taking over: %s: another user's",
                               handover->address.sun_path);
    else if (!stk_handover_say(fd, "TAKE 1 " STIRKEEP_VERSION, NULL, 0))
        status = stk_error_set(error, STIRKEEP_IO, "taking over: %s: %s",
                               handover->address.sun_path, strerror(errno));
    else
        status = take_offer(rooms, fd, error);
    if (status != STIRKEEP_OK) {
        (void)close(fd);
        return status;
    }
    handover->from = fd;
    *ret_found = true;
    return STIRKEEP_OK;
}

void stk_handover_stood_by(struct stk_rooms *rooms)
{
    struct stk_handover *handover = &rooms->handover;

    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        if (rooms->records[i].state != STK_ROOM_STANDING)
            return;
    if (rooms->phase != STK_PHASE_STANDING_BY || handover->go_said)
        return;
    stk_log(STK_LOG_INFO, "all rooms stand by: taking over");
    handover->go_said = true;
    (void)stk_handover_say(handover->from, "GO", NULL, 0); /* if it is gone, that is heard */
}

void stk_handover_tell_pin(struct stk_rooms *rooms)
{
    char words[STK_PIN_WORDS] = "";

    stk_pin_words(&rooms->pin, words);
    if (rooms->handover.from >= 0 && words[0] != '\0')
        (void)stk_handover_say(rooms->handover.from, words, NULL, 0);
}

bool stk_handover_may_go_back(const struct stk_rooms *rooms)
{
    return rooms->handover.taken && rooms->handover.from >= 0;
}

void stk_handover_all_up(struct stk_rooms *rooms)
{
    struct stk_handover *handover = &rooms->handover;

    if (!handover->taken)
        return;
    handover->taken = false;
    if (handover->from >= 0) {
        (void)stk_handover_say(handover->from, "UP", NULL, 0);
        (void)close(handover->from);
        handover->from = -1;
    }
    rooms->sign.bound = true;
    rooms->admin.bound = true;
    stk_handover_listen(rooms);
}
