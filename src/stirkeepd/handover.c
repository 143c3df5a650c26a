/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/handover.h"

#include "base/log.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/notify.h"
#include "stirkeepd/rooms.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE 64         /* of those who want to take over: one does */
#define GO_MORE_MS 60000 /* beside what its keeper may take to stand by */
#define UP_MORE_MS 10000 /* beside what its keeper may take to open the token */

void stk_handover_init(struct stk_handover *handover)
{
    *handover = (struct stk_handover){.listener = -1, .to = -1, .from = -1};
    for (size_t i = 0; i < STK_HANDOVER_CALLERS; i++)
        handover->callers[i].fd = -1;
}

/* ---- a place to knock at */

static bool bind_and_listen(struct stk_handover *handover)
{
    const struct sockaddr_un *address = &handover->address;
    mode_t before = umask(0177); /* nobody else may connect, from the first moment on */
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat about = {0};
    bool done = fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
                listen(fd, QUEUE) == 0 && lstat(address->sun_path, &about) == 0;
    int reason = errno;

    (void)umask(before);
    errno = reason;
    if (!done) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    handover->listener = fd;
    handover->device = about.st_dev;
    handover->inode = about.st_ino;
    return true;
}

/* The lock of sign.sock is held: whatever has this name is a former one's. */
void stk_handover_listen(struct stk_rooms *rooms)
{
    struct stk_handover *handover = &rooms->handover;
    struct sockaddr_un *address = &handover->address;
    struct stat about = {0};
    int length = snprintf(address->sun_path, sizeof(address->sun_path), "%s.handover",
                          rooms->config->sockets.sign);

    address->sun_family = AF_UNIX;
    errno = ENAMETOOLONG;
    if (length < 0 || (size_t)length >= sizeof(address->sun_path) ||
        (lstat(address->sun_path, &about) == 0 && S_ISSOCK(about.st_mode) &&
         unlink(address->sun_path) != 0) ||
        !bind_and_listen(handover))
        stk_log(STK_LOG_WARNING, "%s.handover: %s: nobody can take over from this stirkeepd",
                rooms->config->sockets.sign, strerror(errno));
}

/* Has the socket's name still our socket? */
static bool is_ours(const struct stk_handover *handover)
{
    struct stat about = {0};

    return handover->listener >= 0 && lstat(handover->address.sun_path, &about) == 0 &&
           about.st_dev == handover->device && about.st_ino == handover->inode;
}

/* One that was ended as it came up may have put its own in our socket's place. */
static void listen_again(struct stk_rooms *rooms)
{
    struct stk_handover *handover = &rooms->handover;

    if (is_ours(handover))
        return;
    if (handover->listener >= 0)
        (void)close(handover->listener);
    handover->listener = -1;
    stk_handover_listen(rooms);
}

static void send_away(struct stk_caller *caller)
{
    if (caller->fd >= 0)
        (void)close(caller->fd);
    caller->fd = -1;
}

void stk_handover_close(struct stk_handover *handover)
{
    if (!handover->handed_on && is_ours(handover))
        (void)unlink(handover->address.sun_path);
    if (handover->listener >= 0)
        (void)close(handover->listener);
    for (size_t i = 0; i < STK_HANDOVER_CALLERS; i++)
        send_away(&handover->callers[i]);
    if (handover->to >= 0)
        (void)close(handover->to);
    if (handover->from >= 0)
        (void)close(handover->from);
    stk_handover_init(handover);
}

/* ---- who takes over from us */

static void refuse(int fd, const char *reason)
{
    char text[STK_HANDOVER_TEXT_MAX] = "";

    (void)snprintf(text, sizeof(text), "NO %s", reason);
    (void)stk_handover_say(fd, text, NULL, 0);
    (void)close(fd);
}

/* A free place, or that of who came first. */
static struct stk_caller *place_for_caller(struct stk_handover *handover)
{
    struct stk_caller *first = &handover->callers[0];

    for (size_t i = 0; i < STK_HANDOVER_CALLERS; i++) {
        struct stk_caller *caller = &handover->callers[i];

        if (caller->fd < 0)
            return caller;
        if (caller->until_us < first->until_us)
            first = caller;
    }
    send_away(first);
    return first;
}

static void welcome(struct stk_handover *handover, uint64_t now_us)
{
    int fd = accept4(handover->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred who = {0};
    socklen_t size = sizeof(who);

    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.uid != geteuid()) {
        stk_log(STK_LOG_WARNING, "uid %u may not take over from this stirkeepd", (unsigned)who.uid);
        refuse(fd, "it is another user's");
    } else {
        *place_for_caller(handover) = (struct stk_caller){
            .fd = fd, .pid = who.pid, .until_us = stk_due_after(now_us, STK_HANDOVER_SPEAK_MS)};
    }
}

/* A word without waiting; who takes over from whom gives nothing beside one. */
static enum stirkeep_status hear_word(int fd, char ret_text[STK_HANDOVER_TEXT_MAX + 1])
{
    int fds[STK_HANDOVER_GIVEN];
    enum stirkeep_status status = stk_handover_get(fd, 0, ret_text, fds);

    for (size_t i = 0; i < STK_HANDOVER_GIVEN; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    return status;
}

static void part(struct stk_handover *handover)
{
    (void)close(handover->to);
    handover->to = -1;
}

static const char *why_not(const struct stk_rooms *rooms, const char *text)
{
    if (rooms->handover.to >= 0)
        return "another one is taking over";
    if (strncmp(text, "TAKE 1 ", 7) != 0)
        return "this one does not know how to hand over to such a version";
    if (!rooms->sign.bound)
        return "its sockets are the service manager's, and outlive a restart by it";
    if (rooms->pin.is_tried)
        return "its keeper is just logging in, and a PIN is tried by one at a time";
    return rooms->phase == STK_PHASE_RUNNING ? NULL : "it is starting or ending";
}

static void offer(struct stk_rooms *rooms, const struct stk_caller *caller, const char *text,
                  uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;
    const int fds[STK_HANDOVER_GIVEN] = {rooms->sign.fd, rooms->sign.lock, rooms->admin.fd,
                                         rooms->admin.lock};
    const char *reason = why_not(rooms, text);
    char refused[STK_PIN_WORDS] = "";
    char words[STK_PIN_WORDS + sizeof("OFFER")] = "";

    if (reason != NULL) {
        refuse(caller->fd, reason);
        return;
    }
    stk_pin_words(&rooms->pin, refused);
    (void)snprintf(words, sizeof(words), "OFFER%s", refused);
    if (!stk_handover_say(caller->fd, words, fds, STK_HANDOVER_GIVEN)) {
        (void)close(caller->fd);
        return;
    }
    handover->to = caller->fd;
    handover->to_pid = caller->pid;
    handover->to_killed = false;
    handover->to_until_us =
        stk_due_after(now_us, rooms->config->token.open_timeout_ms + GO_MORE_MS);
    stk_log(STK_LOG_INFO, "pid %d, version %s, is preparing to take over", (int)handover->to_pid,
            text + 7);
}

/* The first word of one who knocked: it is no caller any more. */
static void hear_caller(struct stk_rooms *rooms, struct stk_caller *caller, uint64_t now_us)
{
    const struct stk_caller who = *caller;
    char text[STK_HANDOVER_TEXT_MAX + 1] = "";
    enum stirkeep_status status = hear_word(who.fd, text);

    if (status == STIRKEEP_UNAVAILABLE)
        return;
    caller->fd = -1;
    if (status == STIRKEEP_OK)
        offer(rooms, &who, text, now_us);
    else
        (void)close(who.fd);
}

static void succeeded(struct stk_rooms *rooms)
{
    stk_log(STK_LOG_INFO, "handed over to pid %d", (int)rooms->handover.to_pid);
    stk_notify("MAINPID=%d", (int)rooms->handover.to_pid);
    stk_rooms_hand_on(rooms);
}

/* It is not there any more, or says what it should not. */
static void failed(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;

    part(handover);
    if (rooms->phase == STK_PHASE_HANDED_OVER) {
        stk_rooms_revive(rooms, now_us);
        listen_again(rooms);
    } else if (!handover->is_wanted) {
        stk_log(STK_LOG_WARNING, "pid %d does not take over: serving on", (int)handover->to_pid);
    }
}

static void hear_next(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;
    char text[STK_HANDOVER_TEXT_MAX + 1] = "";
    enum stirkeep_status status = hear_word(handover->to, text);

    if (status == STIRKEEP_UNAVAILABLE)
        return;
    if (status == STIRKEEP_OK && strcmp(text, "GO") == 0 && rooms->phase == STK_PHASE_RUNNING) {
        handover->is_wanted = true;
        stk_rooms_stop(rooms, 0, now_us);
    } else if (status == STIRKEEP_OK && strcmp(text, "UP") == 0 &&
               rooms->phase == STK_PHASE_HANDED_OVER && !handover->to_killed) {
        succeeded(rooms);
    } else if (status != STIRKEEP_OK ||
               (!stk_pin_take_words(&rooms->pin, text) && !handover->to_killed)) {
        failed(rooms, now_us);
    }
}

bool stk_handover_gone(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;

    handover->to_until_us =
        stk_due_after(now_us, rooms->config->token.open_timeout_ms + UP_MORE_MS);
    return handover->to >= 0 && stk_handover_say(handover->to, "GONE", NULL, 0);
}

/* It may hold the token and the trail, so it has to end before we serve again: that it did is heard
 * as the end of its connection, which is its own as long as that has not come. No pid is known of
 * one in a container's own pid namespace. */
static void end_the_silent(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;

    stk_log(STK_LOG_ERROR, "pid %d has taken over and does not serve in time: killed",
            (int)handover->to_pid);
    handover->to_until_us = STK_DUE_NEVER;
    handover->to_killed = true;
    if (handover->to_pid <= 1 || kill(handover->to_pid, SIGKILL) != 0)
        failed(rooms, now_us);
}

/* It may have said what it has to while nobody was listening. */
static void end_its_time(struct stk_rooms *rooms, uint64_t now_us)
{
    const struct stk_handover *handover = &rooms->handover;

    hear_next(rooms, now_us);
    if (handover->to < 0 || handover->to_until_us > now_us)
        return;
    if (rooms->phase == STK_PHASE_HANDED_OVER)
        end_the_silent(rooms, now_us);
    else if (!handover->is_wanted)
        failed(rooms, now_us);
}

/* ---- whom we take over from */

static void hear_former(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;
    char text[STK_HANDOVER_TEXT_MAX + 1] = "";
    enum stirkeep_status status = hear_word(handover->from, text);

    if (status == STIRKEEP_UNAVAILABLE)
        return;
    if (status == STIRKEEP_OK && strcmp(text, "GONE") == 0 && handover->go_said &&
        rooms->phase == STK_PHASE_STANDING_BY) {
        handover->taken = true;
        stk_rooms_go(rooms, now_us);
        return;
    }
    if (rooms->phase == STK_PHASE_STANDING_BY) {
        stk_log(STK_LOG_ERROR, "taking over: the one before has ended without handing over");
        stk_rooms_stop(rooms, 1, now_us);
    }
    /* After GONE there is nothing that it could do for us. */
    (void)close(handover->from);
    handover->from = -1;
}

/* ---- both */

void stk_handover_watch(const struct stk_handover *handover,
                        struct pollfd ret_watched[STK_HANDOVER_FDS])
{
    ret_watched[0] = (struct pollfd){.fd = handover->listener, .events = POLLIN};
    ret_watched[1] = (struct pollfd){.fd = handover->to, .events = POLLIN};
    ret_watched[2] = (struct pollfd){.fd = handover->from, .events = POLLIN};
    for (size_t i = 0; i < STK_HANDOVER_CALLERS; i++)
        ret_watched[3 + i] = (struct pollfd){.fd = handover->callers[i].fd, .events = POLLIN};
}

void stk_handover_hear(struct stk_rooms *rooms, const struct pollfd watched[STK_HANDOVER_FDS],
                       uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;

    if (watched[2].revents != 0 && handover->from == watched[2].fd)
        hear_former(rooms, now_us);
    if (watched[1].revents != 0 && handover->to == watched[1].fd)
        hear_next(rooms, now_us);
    for (size_t i = 0; i < STK_HANDOVER_CALLERS; i++)
        if (watched[3 + i].revents != 0 && handover->callers[i].fd == watched[3 + i].fd)
            hear_caller(rooms, &handover->callers[i], now_us);
    if (watched[0].revents != 0 && handover->listener == watched[0].fd)
        welcome(handover, now_us);
}

uint64_t stk_handover_tick(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_handover *handover = &rooms->handover;
    uint64_t next_us = STK_DUE_NEVER;

    for (size_t i = 0; i < STK_HANDOVER_CALLERS; i++) {
        struct stk_caller *caller = &handover->callers[i];

        if (caller->fd >= 0 && caller->until_us <= now_us)
            send_away(caller);
        if (caller->fd >= 0 && caller->until_us < next_us)
            next_us = caller->until_us;
    }
    /* Between its GO and our GONE it is our rooms that have to hurry. */
    if (handover->to < 0 || (handover->is_wanted && rooms->phase != STK_PHASE_HANDED_OVER))
        return next_us;
    if (handover->to_until_us <= now_us)
        end_its_time(rooms, now_us);
    return handover->to >= 0 && handover->to_until_us < next_us ? handover->to_until_us : next_us;
}
