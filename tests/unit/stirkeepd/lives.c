/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lives.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int lives_setup(void **state)
{
    struct lives *lives = calloc(1, sizeof(*lives));
    struct stk_rooms *rooms = NULL;

    assert_non_null(lives);
    *state = lives;
    rooms = &lives->rooms;
    lives->now = 1000 * SECOND;
    service_make(&lives->service);
    stk_reload_init(&rooms->reload, lives->service.config);
    assert_int_equal(stk_reading_take(lives->service.config, NULL, &rooms->in_force, NULL),
                     STIRKEEP_OK);
    rooms->config = lives->config = rooms->in_force.config;
    rooms->in_force.config = NULL;
    rooms->libexec = lives->service.libexec;
    rooms->number_key = -1;
    stk_handover_init(&rooms->handover);
    stk_witness_init(&rooms->witness, lives->config);
    assert_int_equal(stk_users_find(lives->config, "configuration", rooms->users, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_listener_open(lives->service.sign, -1, &rooms->sign, NULL), STIRKEEP_OK);
    assert_int_equal(stk_listener_open(lives->service.admin, -1, &rooms->admin, NULL), STIRKEEP_OK);
    assert_int_equal(stk_links_make(&rooms->links, NULL), STIRKEEP_OK);
    return 0;
}

int lives_teardown(void **state)
{
    struct lives *lives = *state;
    pid_t reader = lives->rooms.reload.reader.pid;

    for (size_t i = 0; i < STK_ROOM_COUNT; i++) {
        struct stk_room_record *record = &lives->rooms.records[i];

        if (record->pid > 0 && kill(record->pid, SIGKILL) == 0)
            (void)waitpid(record->pid, NULL, 0);
        if (record->pid > 0 && record->control >= 0)
            (void)close(record->control);
    }
    stk_reload_stop(&lives->rooms, lives->now);
    if (reader > 0)
        (void)waitpid(reader, NULL, 0);
    stk_links_close(&lives->rooms.links);
    stk_listener_close(&lives->rooms.sign);
    stk_listener_close(&lives->rooms.admin);
    stk_users_free(lives->rooms.users);
    stk_witness_free(&lives->rooms.witness);
    stk_reading_free(&lives->rooms.in_force);
    stk_config_free(lives->config);
    service_remove(&lives->service);
    free(lives);
    return 0;
}

struct stk_room_record *record_of(struct lives *lives, enum stk_room room)
{
    return &lives->rooms.records[room];
}

void hear(struct lives *lives, enum stk_room room)
{
    struct pollfd watch = {.fd = record_of(lives, room)->control, .events = POLLIN};

    assert_int_equal(poll(&watch, 1, 10000), 1);
    stk_rooms_hear(&lives->rooms, room, lives->now);
}

int bury(struct lives *lives, enum stk_room room)
{
    pid_t pid = record_of(lives, room)->pid;
    int status = 0;

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    stk_rooms_bury(&lives->rooms, pid, status, lives->now);
    return status;
}

void kill_and_bury(struct lives *lives, enum stk_room room)
{
    assert_int_equal(kill(record_of(lives, room)->pid, SIGKILL), 0);
    (void)bury(lives, room);
}

int tick(struct lives *lives)
{
    return stk_rooms_tick(&lives->rooms, lives->now);
}

void start_all(struct lives *lives)
{
    stk_rooms_begin(&lives->rooms, lives->now);
    for (unsigned room = 0; room < STK_ROOM_COUNT; room++) {
        hear(lives, (enum stk_room)room);
        if (room != STK_ROOM_INTAKE)
            continue;
        (void)tick(lives);
        hear(lives, STK_ROOM_INTAKE); /* the policy is recorded */
    }
    assert_int_equal(lives->rooms.phase, STK_PHASE_RUNNING);
    assert_int_equal(tick(lives), -1); /* nothing is to be done */
}
