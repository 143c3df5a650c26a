/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/rooms.h"

#include "base/log.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/notify.h"
#include "stirkeepd/program.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEARD_AT_ONCE 16 /* of one room, before the others have their turn */

static void note_all_up(struct stk_rooms *rooms)
{
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        if (rooms->records[i].state != STK_ROOM_UP)
            return;
    if (rooms->phase == STK_PHASE_STARTING) {
        rooms->phase = STK_PHASE_RUNNING;
        stk_log(STK_LOG_INFO, "ready: signing at %s, administration at %s", rooms->sign.path,
                rooms->admin.path);
        stk_notify("READY=1\nSTATUS=All rooms are up");
        stk_handover_all_up(rooms);
    } else {
        stk_notify("STATUS=All rooms are up");
    }
}

/* One process more: `line_number` of those before it. */
static void add_process(struct stk_control_message *message, unsigned line_number, const char *name,
                        pid_t pid, const char *said)
{
    size_t length = strlen(message->text);
    char line[STK_LOCKDOWN_TEXT] = "";

    if (!stk_lockdown_describe((int)pid, said, line))
        message->number |= UINT64_C(1) << line_number;
    (void)snprintf(message->text + length, sizeof(message->text) - length, "%s%s: %s",
                   length > 0 ? "\n" : "", name, line);
}

/* intake has the answer for whoever asks how far the service is locked down. */
static void tell_lockdown(const struct stk_rooms *rooms)
{
    const struct stk_room_record *intake = &rooms->records[STK_ROOM_INTAKE];
    struct stk_control_message message = {.kind = STK_CONTROL_LOCKED, .room = STK_ROOM_INTAKE};
    unsigned lines = 0;

    if (intake->state != STK_ROOM_UP)
        return;
    add_process(&message, lines++, "stirkeepd", getpid(), rooms->lockdown);
    for (unsigned i = 0; i < STK_ROOM_COUNT; i++) {
        const struct stk_room_record *record = &rooms->records[i];

        if (record->state == STK_ROOM_UP)
            add_process(&message, lines++, stk_room_name((enum stk_room)i), record->pid,
                        record->lockdown);
    }
    (void)stk_control_send_message(intake->control, &message);
}

static void note_ready(struct stk_rooms *rooms, enum stk_room room, const char *lockdown,
                       uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    if (record->state != STK_ROOM_STARTING || record->killed ||
        rooms->phase == STK_PHASE_STANDING_BY)
        return;
    record->state = STK_ROOM_UP;
    record->due_us = STK_DUE_NEVER;
    record->up_since_us = now_us;
    record->silent_us = 0;
    record->ping_us = stk_due_after(now_us, STK_PING_MS);
    (void)snprintf(record->lockdown, sizeof(record->lockdown), "%.*s",
                   (int)sizeof(record->lockdown) - 1, lockdown);
    stk_log(STK_LOG_INFO, "%s: ready, pid %d", stk_room_name(room), (int)record->pid);
    stk_rooms_tell_others(rooms, STK_CONTROL_ROOM_UP, room, NULL);
    tell_lockdown(rooms);
    if (room == STK_ROOM_INTAKE && rooms->phase == STK_PHASE_RUNNING)
        stk_reload_intake_up(rooms);
    if (rooms->phase != STK_PHASE_STARTING || room + 1 == STK_ROOM_COUNT)
        note_all_up(rooms);
    else if (room == STK_ROOM_INTAKE)
        stk_reload_first(rooms);
    else
        stk_rooms_bring_up(rooms, (enum stk_room)(room + 1), now_us);
}

static bool note_standing_by(struct stk_rooms *rooms, enum stk_room room)
{
    struct stk_room_record *record = &rooms->records[room];

    if (rooms->phase > STK_PHASE_STANDING_BY && rooms->phase != STK_PHASE_STOPPING)
        return false;
    if (record->state == STK_ROOM_STARTING && !record->killed) {
        record->state = STK_ROOM_STANDING;
        record->due_us = STK_DUE_NEVER;
        stk_handover_stood_by(rooms);
    }
    return true;
}

static void note_pin_refused(struct stk_rooms *rooms, uint64_t now_us)
{
    if (stk_pin_note_refused(&rooms->pin))
        stk_log(STK_LOG_ERROR, "keeper: the token refused the PIN; it is not tried again before "
                               "its file has changed");
    /* The one that serves, or did until now, may have one that works. */
    stk_handover_tell_pin(rooms);
    if (rooms->phase == STK_PHASE_STANDING_BY || stk_handover_may_go_back(rooms))
        stk_rooms_stop(rooms, 1, now_us);
}

/* False: it is nothing of the keeper's PIN. */
static bool note_pin(struct stk_rooms *rooms, uint32_t kind, uint64_t now_us)
{
    switch (kind) {
    case STK_CONTROL_PIN_REFUSED:
        note_pin_refused(rooms, now_us);
        return true;
    case STK_CONTROL_PIN_TRIED:
        stk_pin_note_tried(&rooms->pin);
        return true;
    case STK_CONTROL_PIN_TAKEN:
        stk_pin_note_taken(&rooms->pin);
        return true;
    case STK_CONTROL_PIN_UNJUDGED:
        stk_pin_note_unjudged(&rooms->pin);
        return true;
    default:
        return false;
    }
}

static void note_failed(struct stk_rooms *rooms, enum stk_room room, const char *why,
                        uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    if (!record->explained)
        stk_log(STK_LOG_ERROR, "%s: %s", stk_room_name(room), why);
    record->explained = true;
    if (record->state != STK_ROOM_ENDING)
        stk_room_expect_end(record, now_us, STK_LEAVE_MS);
}

/* Without an answer front takes the program for unknown. False: that is no process id. */
static bool answer_who(const struct stk_room_record *front,
                       const struct stk_control_message *question)
{
    char *end = NULL;
    const long pid = strtol(question->text, &end, 10);
    struct stk_control_message answer = {
        .kind = STK_CONTROL_PROGRAM, .room = STK_ROOM_FRONT, .number = question->number};
    struct stk_program program = {0};

    if (end == question->text || *end != '\0' || pid <= 0 || pid > INT32_MAX)
        return false;
    stk_program_find((pid_t)pid, &program);
    (void)snprintf(answer.text, sizeof(answer.text), "%s\n%s", program.executable, program.unit);
    if (front->control >= 0)
        (void)stk_control_send_message(front->control, &answer);
    return true;
}

bool stk_rooms_take_message(struct stk_rooms *rooms, enum stk_room room,
                            const struct stk_control_message *message, uint64_t now_us)
{
    if (message->room != room)
        return false;
    switch (message->kind) {
    case STK_CONTROL_READY:
        note_ready(rooms, room, message->text, now_us);
        return true;
    case STK_CONTROL_STANDING_BY:
        return note_standing_by(rooms, room);
    case STK_CONTROL_SEALED:
        return room == STK_ROOM_KEEPER &&
               stk_witness_take(&rooms->witness, message->text, message->number);
    case STK_CONTROL_PONG:
        stk_health_answered(rooms, room, now_us);
        return true;
    case STK_CONTROL_FAILED:
        note_failed(rooms, room, message->text, now_us);
        return true;
    case STK_CONTROL_RELOAD:
        return room == STK_ROOM_INTAKE && message->number != 0 &&
               stk_reload_ask(rooms, message->number);
    case STK_CONTROL_TAKEN:
        if (room == STK_ROOM_KEEPER)
            return false;
        stk_reload_taken(rooms, room, message);
        return true;
    case STK_CONTROL_RECORDED:
        if (room == STK_ROOM_INTAKE)
            stk_reload_recorded(rooms, message, now_us);
        return room == STK_ROOM_INTAKE;
    case STK_CONTROL_WHO:
        return room == STK_ROOM_FRONT && answer_who(&rooms->records[room], message);
    default:
        return room == STK_ROOM_KEEPER && note_pin(rooms, message->kind, now_us);
    }
}

/* Take the next message; false when there is none, or the room is not to be heard any more. */
static bool hear_one(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];
    struct stk_control_message message = {0};
    enum stirkeep_status status = stk_control_receive(record->control, &message);
    bool taken = false;

    if (status == STIRKEEP_UNAVAILABLE)
        return false;
    if (status == STIRKEEP_OK) {
        taken = stk_rooms_take_message(rooms, room, &message, now_us);
        stk_control_drop(&message);
    }
    if (taken)
        return true;
    if (status == STIRKEEP_NOT_CONNECTED) {
        (void)close(record->control);
        record->control = -1;
        if (record->state != STK_ROOM_ENDING)
            stk_room_expect_end(record, now_us, STK_LEAVE_MS);
        return false;
    }
    if (!record->killed)
        stk_log(STK_LOG_ERROR, "%s: says what a room does not say: killed", stk_room_name(room));
    record->state = STK_ROOM_ENDING;
    record->explained = true;
    stk_room_kill(record);
    return false;
}

void stk_rooms_hear(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    for (unsigned i = 0; i < HEARD_AT_ONCE && rooms->records[room].control >= 0; i++)
        if (!hear_one(rooms, room, now_us))
            return;
}
