/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/porter.h"

#include "base/clock.h"
#include "base/log.h"
#include "lockdown/lockdown.h"
#include "room/beside.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/rooms.h"
#include "stirkeepd/secret_file.h"
#include "stirkeepd/signals.h"
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCHED (2 + STK_ROOM_COUNT + STK_HANDOVER_FDS) /* signals, the reader, rooms, hand-over */
#define WITNESS_LAST_MS 3000 /* for the last seal to get to the witness */

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

/* The first one here, or the next one of those that serve here. */
static enum stirkeep_status find_sockets(struct stk_rooms *rooms, bool take_over, bool *ret_taken,
                                         struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_taken = false;
    if (take_over)
        status = stk_handover_take(rooms, ret_taken, error);
    if (status == STIRKEEP_OK && !*ret_taken) {
        if (take_over)
            stk_log(STK_LOG_INFO, "nobody is there to take over from");
        status = open_sockets(rooms, error);
    }
    if (status != STIRKEEP_OK)
        return status;
    stk_beside_refuse(rooms->sign.fd);
    stk_beside_refuse(rooms->admin.fd);
    if (!*ret_taken)
        stk_handover_listen(rooms);
    return STIRKEEP_OK;
}

static void reap(struct stk_rooms *rooms)
{
    int wait_status = 0;
    pid_t pid = 0;

    /* Not only our rooms: as the first process of a container we inherit orphans. */
    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        stk_reader_bury(&rooms->reload.reader, pid);
        stk_witness_bury(&rooms->witness, pid, wait_status, stk_clock_mono_us());
        stk_rooms_bury(rooms, pid, wait_status, stk_clock_mono_us());
    }
}

static void take_signals(struct stk_rooms *rooms, int signals)
{
    int number = 0;

    while ((number = stk_signals_next(signals)) != 0) {
        if (number == SIGCHLD)
            reap(rooms);
        else if (number == SIGHUP)
            (void)stk_reload_ask(rooms, 0);
        else
            stk_rooms_stop(rooms, 0, stk_clock_mono_us());
    }
}

static void loop(struct stk_rooms *rooms, int signals)
{
    while (rooms->phase != STK_PHASE_STOPPED) {
        struct pollfd watched[WATCHED] = {{.fd = signals, .events = POLLIN}};
        int wait_ms = stk_rooms_tick(rooms, stk_clock_mono_us());

        if (rooms->phase == STK_PHASE_STOPPED)
            return;
        watched[1] = (struct pollfd){.fd = rooms->reload.reader.fd, .events = POLLIN};
        for (size_t i = 0; i < STK_ROOM_COUNT; i++)
            watched[2 + i] = (struct pollfd){.fd = rooms->records[i].control, .events = POLLIN};
        stk_handover_watch(&rooms->handover, &watched[2 + STK_ROOM_COUNT]);
        if (poll(watched, WATCHED, wait_ms) < 0)
            continue; /* EINTR, or no memory for a moment */
        for (unsigned i = 0; i < STK_ROOM_COUNT; i++)
            if (watched[2 + i].revents != 0 && rooms->records[i].control == watched[2 + i].fd)
                stk_rooms_hear(rooms, (enum stk_room)i, stk_clock_mono_us());
        if (watched[1].revents != 0 && rooms->reload.reader.fd == watched[1].fd)
            stk_reload_read(rooms);
        stk_handover_hear(rooms, &watched[2 + STK_ROOM_COUNT], stk_clock_mono_us());
        if (watched[0].revents != 0)
            take_signals(rooms, signals);
    }
}

/* The rooms are gone; the last seal has still to get to those who keep it. */
static void settle_witness(struct stk_rooms *rooms, int signals)
{
    uint64_t until_us = stk_due_after(stk_clock_mono_us(), WITNESS_LAST_MS);

    stk_witness_hurry(&rooms->witness);
    for (;;) {
        struct pollfd watched = {.fd = signals, .events = POLLIN};
        uint64_t now_us = stk_clock_mono_us();

        (void)stk_witness_tick(&rooms->witness, now_us);
        if (stk_witness_is_done(&rooms->witness))
            return;
        if (now_us >= until_us) {
            stk_log(STK_LOG_ERROR, "audit witness: has not got the last seals in time");
            return;
        }
        (void)poll(&watched, 1, (int)((until_us - now_us + 999) / 1000));
        while (stk_signals_next(signals) != 0)
            continue;
        reap(rooms);
    }
}

static enum stirkeep_status open_number_key(struct stk_rooms *rooms, struct stk_error *error)
{
    const struct stk_config *config = rooms->config;

    if (!config->audit.numbers_hashed)
        return STIRKEEP_OK;
    return stk_number_key_open(config->audit.number_key, rooms->users[STK_ROOM_KEEPER].uid,
                               &rooms->number_key, error);
}

/* Whose program a client is, the kernel tells root only with a capability of its own. */
static void warn_of_programs(const struct stk_config *config)
{
    if (geteuid() == 0 && stk_policy_needs_program(config->policy) && !stk_lockdown_sees_programs())
        stk_log(STK_LOG_WARNING,
                "grants with an executable or a unit are nobody's: stirkeepd has not "
                "got CAP_SYS_PTRACE");
}

int stk_porter_run(const struct stk_options *options)
{
    struct stk_rooms rooms = {.libexec = options->libexec,
                              .in_force = {.config_fd = -1, .rules_fd = -1},
                              .sign = {.fd = -1, .lock = -1},
                              .admin = {.fd = -1, .lock = -1},
                              .number_key = -1,
                              .witness = {.file = "", .command = ""},
                              .exit_status = 1};
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    int signals = -1;
    bool taken = false;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_handover_init(&rooms.handover);
    memset(&rooms.links, 0xff, sizeof(rooms.links)); /* -1 each */
    stk_reload_init(&rooms.reload, options->config);
    status = stk_reading_take(options->config, NULL, &rooms.in_force, &error);
    config = rooms.in_force.config;
    rooms.in_force.config = NULL;
    rooms.config = config;
    if (status == STIRKEEP_OK)
        stk_pin_init(&rooms.pin, config);
    if (status == STIRKEEP_OK)
        status = stk_users_find(config, options->config, rooms.users, &error);
    if (status == STIRKEEP_OK)
        status = open_number_key(&rooms, &error);
    if (status == STIRKEEP_OK)
        status = stk_signals_open(&signals, &error);
    if (status == STIRKEEP_OK)
        status = find_sockets(&rooms, options->take_over, &taken, &error);
    if (status == STIRKEEP_OK)
        status = stk_links_make(&rooms.links, &error);
    if (status == STIRKEEP_OK)
        status = stk_lockdown_porter(config, rooms.lockdown, &error);
    if (status == STIRKEEP_OK) {
        warn_of_programs(config);
        stk_witness_init(&rooms.witness, config);
        stk_health_start(&rooms.health);
        if (taken)
            stk_rooms_stand_by(&rooms, stk_clock_mono_us());
        else
            stk_rooms_begin(&rooms, stk_clock_mono_us());
        loop(&rooms, signals);
        settle_witness(&rooms, signals);
    } else {
        stk_log(STK_LOG_ERROR, "%s", error.message);
    }
    stk_links_close(&rooms.links);
    stk_handover_close(&rooms.handover);
    stk_listener_unlink(&rooms.sign);
    stk_listener_unlink(&rooms.admin);
    stk_listener_close(&rooms.sign);
    stk_listener_close(&rooms.admin);
    stk_witness_free(&rooms.witness);
    if (rooms.number_key >= 0)
        (void)close(rooms.number_key);
    stk_users_free(rooms.users);
    stk_reading_free(&rooms.in_force);
    if (signals >= 0)
        (void)close(signals);
    stk_config_free(config);
    return rooms.exit_status;
}
