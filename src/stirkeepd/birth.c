/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/birth.h"

#include "base/log.h"
#include "room/beside.h"
#include "stirkeepd/spawn.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENVIRONMENT_OWN 4 /* PATH, LANG, JOURNAL_STREAM, GLIBC_TUNABLES */
#define VARIABLE_MAX 128

static void place_descriptors(const struct stk_rooms *rooms, enum stk_room room, int pin,
                              int fds[STK_BIRTH_FDS])
{
    const struct stk_links *links = &rooms->links;

    switch (room) {
    case STK_ROOM_KEEPER:
        fds[STK_FD_KEEPER_FRONT] = links->ends[STK_LINK_FRONT_KEEPER][1];
        fds[STK_FD_KEEPER_INTAKE] = links->ends[STK_LINK_INTAKE_KEEPER][1];
        fds[STK_FD_KEEPER_PIN] = pin;
        fds[STK_FD_KEEPER_NUMBERS] = rooms->number_key;
        break;
    case STK_ROOM_INTAKE:
        fds[STK_FD_INTAKE_LISTEN] = rooms->admin.fd;
        fds[STK_FD_INTAKE_KEEPER] = links->ends[STK_LINK_INTAKE_KEEPER][0];
        fds[STK_FD_INTAKE_FRONT] = links->ends[STK_LINK_FRONT_INTAKE][1];
        break;
    default:
        fds[STK_FD_FRONT_LISTEN] = rooms->sign.fd;
        fds[STK_FD_FRONT_KEEPER] = links->ends[STK_LINK_FRONT_KEEPER][0];
        fds[STK_FD_FRONT_INTAKE] = links->ends[STK_LINK_FRONT_INTAKE][0];
        fds[STK_FD_FRONT_RULES] = rooms->in_force.rules_fd;
    }
}

static enum stirkeep_status find_pin(struct stk_rooms *rooms, bool needed, int *ret_pin,
                                     struct stk_error *error)
{
    enum stirkeep_status status =
        stk_pin_hand_out(&rooms->pin, rooms->config->token.pin_file,
                         rooms->users[STK_ROOM_KEEPER].uid, ret_pin, error);

    if (status == STIRKEEP_OK || needed)
        return status;
    stk_log(STK_LOG_ERROR, "keeper: starts without a PIN: %s", error->message);
    return STIRKEEP_OK;
}

static enum stirkeep_status spawn(struct stk_rooms *rooms, enum stk_room room, int pin,
                                  const int control[2], struct stk_error *error)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char journal[VARIABLE_MAX] = "";
    char path[] = "PATH=/usr/bin:/bin";
    char language[] = "LANG=C";
    /* A signature is hundreds of small allocations: they shall not leave the thread's own store. */
    char tunables[] = "GLIBC_TUNABLES=glibc.malloc.tcache_count=127";
    char *environment[ENVIRONMENT_OWN + STK_TOKEN_ENVIRONMENT_MAX + 1] = {path, language};
    size_t count = 2;
    struct stk_birth birth = {.room = room,
                              .libexec = rooms->libexec,
                              .environment = environment,
                              .user = &rooms->users[room],
                              .stand_by = rooms->phase == STK_PHASE_STANDING_BY};

    if (stream != NULL &&
        snprintf(journal, sizeof(journal), "JOURNAL_STREAM=%s", stream) < (int)sizeof(journal))
        environment[count++] = journal;
    if (room == STK_ROOM_KEEPER)
        environment[count++] = tunables;
    for (size_t i = 0; room == STK_ROOM_KEEPER && i < STK_TOKEN_ENVIRONMENT_MAX; i++)
        if (rooms->config->token.environment[i] != NULL)
            environment[count++] = rooms->config->token.environment[i];
    memset(birth.fds, 0xff, sizeof(birth.fds)); /* -1 each */
    birth.fds[STK_FD_CONTROL] = control[1];
    birth.fds[STK_FD_CONFIG] = rooms->in_force.config_fd;
    place_descriptors(rooms, room, pin, birth.fds);
    return stk_spawn(&birth, &rooms->records[room].pid, error);
}

enum stirkeep_status stk_birth_give(struct stk_rooms *rooms, enum stk_room room, bool pin_needed,
                                    struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    int control[2] = {-1, -1};
    int pin = -1;

    if (room == STK_ROOM_KEEPER)
        status = find_pin(rooms, pin_needed, &pin, error);
    if (status != STIRKEEP_OK)
        return status;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
        status = stk_error_set(error, STIRKEEP_IO, "%s: no control channel: %s",
                               stk_room_name(room), strerror(errno));
    else
        stk_beside_refuse(control[0]);
    if (status == STIRKEEP_OK)
        status = spawn(rooms, room, pin, control, error);
    if (pin >= 0)
        (void)close(pin);
    if (control[1] >= 0)
        (void)close(control[1]);
    if (status == STIRKEEP_OK)
        rooms->records[room].control = control[0];
    else if (control[0] >= 0)
        (void)close(control[0]);
    return status;
}
