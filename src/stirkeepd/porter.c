/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/porter.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "stirkeepd/rooms.h"
#include "stirkeepd/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Sealed: no room can change what another one, or its own successor, will read. */
static enum stirkeep_status seal_text(const struct stk_buffer *text, int *ret_fd,
                                      struct stk_error *error)
{
    int fd = memfd_create("stirkeep.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && stk_file_write_all(fd, text->data, text->length) &&
        fcntl(fd, F_ADD_SEALS, CONFIG_SEALS) == 0) {
        *ret_fd = fd;
        return STIRKEEP_OK;
    }
    (void)stk_error_set(error, STIRKEEP_IO, "configuration for the rooms: %s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return STIRKEEP_IO;
}

enum stirkeep_status stk_porter_read_config(const char *path, struct stk_config **ret_config,
                                            int *ret_fd, struct stk_error *error)
{
    struct stk_buffer text = {0};
    struct stk_config *config = NULL;
    enum stirkeep_status status = stk_file_read(path, STK_CONFIG_MAX, &text, error);

    if (status == STIRKEEP_OK)
        status = stk_config_parse((const char *)text.data, text.length, path, &config, error);
    if (status == STIRKEEP_OK)
        status = seal_text(&text, ret_fd, error);
    if (status == STIRKEEP_OK)
        *ret_config = config;
    else
        stk_config_free(config);
    stk_buffer_free(&text);
    return status;
}

static enum stirkeep_status open_sockets(struct stk_rooms *rooms, struct stk_error *error)
{
    const char *const paths[2] = {rooms->config->sockets.sign, rooms->config->sockets.admin};
    int given[2] = {-1, -1};
    enum stirkeep_status status = stk_activation_take(paths, 2, given, error);

    if (status == STIRKEEP_OK)
        status = stk_listener_open(paths[0], given[0], &rooms->sign, error);
    if (status == STIRKEEP_OK)
        status = stk_listener_open(paths[1], given[1], &rooms->admin, error);
    return status;
}

static void reap(struct stk_rooms *rooms)
{
    int wait_status = 0;
    pid_t pid = 0;

    /* Not only our rooms: as the first process of a container we inherit orphans. */
    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
        stk_rooms_bury(rooms, pid, wait_status, stk_clock_mono_us());
}

static void take_signals(struct stk_rooms *rooms, int signals)
{
    int number = 0;

    while ((number = stk_signals_next(signals)) != 0) {
        if (number == SIGCHLD)
            reap(rooms);
        else if (number == SIGHUP)
            stk_log(STK_LOG_WARNING, "SIGHUP: this version does not read its configuration again "
                                     "while it runs; restart it instead");
        else
            stk_rooms_stop(rooms, 0, stk_clock_mono_us());
    }
}

static void loop(struct stk_rooms *rooms, int signals)
{
    while (rooms->phase != STK_PHASE_STOPPED) {
        struct pollfd watched[1 + STK_ROOM_COUNT] = {{.fd = signals, .events = POLLIN}};
        int wait_ms = stk_rooms_tick(rooms, stk_clock_mono_us());

        if (rooms->phase == STK_PHASE_STOPPED)
            return;
        for (size_t i = 0; i < STK_ROOM_COUNT; i++)
            watched[1 + i] = (struct pollfd){.fd = rooms->records[i].control, .events = POLLIN};
        if (poll(watched, 1 + STK_ROOM_COUNT, wait_ms) < 0)
            continue; /* EINTR, or no memory for a moment */
        for (unsigned i = 0; i < STK_ROOM_COUNT; i++)
            if (watched[1 + i].revents != 0 && rooms->records[i].control == watched[1 + i].fd)
                stk_rooms_hear(rooms, (enum stk_room)i, stk_clock_mono_us());
        if (watched[0].revents != 0)
            take_signals(rooms, signals);
    }
}

int stk_porter_run(const struct stk_options *options)
{
    struct stk_rooms rooms = {.libexec = options->libexec,
                              .config_fd = -1,
                              .sign = {.fd = -1, .lock = -1},
                              .admin = {.fd = -1, .lock = -1},
                              .exit_status = 1};
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    int signals = -1;
    enum stirkeep_status status = STIRKEEP_OK;

    memset(&rooms.links, 0xff, sizeof(rooms.links)); /* -1 each */
    status = stk_porter_read_config(options->config, &config, &rooms.config_fd, &error);
    rooms.config = config;
    if (status == STIRKEEP_OK)
        status = stk_users_find(config, options->config, rooms.users, &error);
    if (status == STIRKEEP_OK)
        status = stk_signals_open(&signals, &error);
    if (status == STIRKEEP_OK)
        status = open_sockets(&rooms, &error);
    if (status == STIRKEEP_OK)
        status = stk_links_make(&rooms.links, &error);
    if (status == STIRKEEP_OK) {
        stk_rooms_begin(&rooms, stk_clock_mono_us());
        loop(&rooms, signals);
    } else {
        stk_log(STK_LOG_ERROR, "%s", error.message);
    }
    stk_links_close(&rooms.links);
    stk_listener_unlink(&rooms.sign);
    stk_listener_unlink(&rooms.admin);
    stk_listener_close(&rooms.sign);
    stk_listener_close(&rooms.admin);
    stk_users_free(rooms.users);
    if (rooms.config_fd >= 0)
        (void)close(rooms.config_fd);
    if (signals >= 0)
        (void)close(signals);
    stk_config_free(config);
    return rooms.exit_status;
}
