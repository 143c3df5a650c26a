/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/notify.h"
#include <inttypes.h>
#include <stdio.h>

#define READ_MS 60000 /* a directory service may be slow, but not for ever */
/* Thousands of grants are a fraction of a second's work, but not on a busy machine; and nobody waits. */
#define TAKE_MS 5000
#define RECORD_MS 10000 /* longer than intake waits for the keeper, shorter than anybody for us */
#define RECORD_AGAIN_MS 1000

void stk_reload_init(struct stk_reload *reload, const char *path)
{
    *reload = (struct stk_reload){
        .path = path, .reader = {.fd = -1}, .next = {.config_fd = -1, .rules_fd = -1}};
}

/* ---- beginning and end */

static void end(struct stk_rooms *rooms, enum stirkeep_status status, const char *text)
{
    struct stk_reload *reload = &rooms->reload;

    stk_reader_stop(&reload->reader);
    stk_reading_free(&reload->next);
    reload->state = STK_RELOAD_IDLE;
    reload->offered_to = 0;
    stk_outcomes_add_all(&reload->outcomes, &reload->serving, status, text);
    if (status == STIRKEEP_OK) {
        stk_log(STK_LOG_INFO, "reload: in force is %s", text);
        stk_notify("READY=1\nSTATUS=The configuration was read again");
    } else {
        stk_log(STK_LOG_ERROR, "reload: %s: nothing has changed", text);
        stk_notify("READY=1\nSTATUS=The configuration was not taken: %s", text);
    }
}

static void end_with(struct stk_rooms *rooms, enum stirkeep_status status, const char *room,
                     const char *why)
{
    struct stk_error error = {0};

    (void)stk_error_set(&error, status, "%s: %s", room, why);
    end(rooms, status, error.message);
}

static void begin(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;
    struct stk_error error = {0};

    reload->serving = reload->waiting;
    reload->waiting.count = 0;
    stk_notify("RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading the configuration again",
               stk_clock_mono_us());
    if (stk_reader_start(&reload->reader, reload->path, rooms->config, &error) != STIRKEEP_OK) {
        end(rooms, STIRKEEP_UNAVAILABLE, error.message);
        return;
    }
    reload->state = STK_RELOAD_READING;
    reload->due_us = stk_due_after(now_us, READ_MS);
}

/* What is not recorded is not done: outcomes that intake has not heard hold up the next. */
static void begin_if_asked(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;

    if (reload->waiting.count == 0 || rooms->phase != STK_PHASE_RUNNING)
        return;
    if (reload->outcomes.count <= STK_RELOAD_UNTOLD_MAX) {
        reload->told_full = false;
        begin(rooms, now_us);
        return;
    }
    if (!reload->told_full)
        stk_log(STK_LOG_WARNING, "reload: waits until intake is there to record those before");
    reload->told_full = true;
}

bool stk_reload_ask(struct stk_rooms *rooms, uint64_t number)
{
    if (rooms->phase == STK_PHASE_STOPPING || rooms->phase == STK_PHASE_STOPPED)
        return stk_outcomes_add(&rooms->reload.outcomes, number, STIRKEEP_UNAVAILABLE,
                                "the service is stopping");
    if (number != 0 && rooms->reload.state == STK_RELOAD_FIRST && rooms->reload.told_first)
        return stk_outcomes_add(&rooms->reload.outcomes, number, STIRKEEP_AUDIT_UNAVAILABLE,
                                "the policy of the start is not recorded yet, since the audit "
                                "trail cannot be written: try again");
    return stk_askers_add(&rooms->reload.waiting, number);
}

void stk_reload_read(struct stk_rooms *rooms)
{
    struct stk_reload *reload = &rooms->reload;
    struct stk_error error = {0};

    if (!stk_reader_done(&reload->reader, &reload->next, &error))
        return;
    if (error.status != STIRKEEP_OK) {
        end(rooms, error.status, error.message);
        return;
    }
    reload->state = STK_RELOAD_RECORDING;
    reload->offered_to = 0;
    reload->due_us = 0;
}

/* ---- recording */

static bool can_be_told(const struct stk_room_record *record)
{
    return record->state == STK_ROOM_UP && !record->killed && record->control >= 0;
}

static bool is_offered_to(const struct stk_rooms *rooms, enum stk_room room)
{
    const struct stk_room_record *record = &rooms->records[room];

    return rooms->reload.offered_to == record->pid && can_be_told(record);
}

static bool send_policy(struct stk_rooms *rooms, enum stk_control_kind kind,
                        const struct stk_reading *reading)
{
    const struct stk_room_record *intake = &rooms->records[STK_ROOM_INTAKE];
    struct stk_control_message message = {
        .kind = kind, .room = STK_ROOM_INTAKE, .number = ++rooms->reload.number};

    (void)snprintf(message.text, sizeof(message.text), "%s", reading->text);
    if (!stk_control_send_message(intake->control, &message))
        return false;
    rooms->reload.offered_to = intake->pid;
    return true;
}

/* An intake that is starting is waited for. */
static void care_for_record(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;

    if (reload->due_us == 0)
        reload->due_us = stk_due_after(now_us, RECORD_MS);
    if (reload->offered_to != 0 && !is_offered_to(rooms, STK_ROOM_INTAKE))
        end_with(rooms, STIRKEEP_AUDIT_UNAVAILABLE, "intake",
                 "died when it was to record the policy: try again");
    else if (now_us >= reload->due_us)
        end_with(rooms, STIRKEEP_AUDIT_UNAVAILABLE, "intake",
                 "did not record the policy in time: try again");
    else if (reload->offered_to == 0 && can_be_told(&rooms->records[STK_ROOM_INTAKE]) &&
             !send_policy(rooms, STK_CONTROL_POLICY_NEXT, &reload->next))
        end_with(rooms, STIRKEEP_AUDIT_UNAVAILABLE, "intake", "its control channel takes nothing");
}

static void care_for_first(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;

    if (reload->offered_to != 0 || now_us < reload->due_us ||
        !can_be_told(&rooms->records[STK_ROOM_INTAKE]))
        return;
    if (!send_policy(rooms, STK_CONTROL_POLICY, &rooms->in_force))
        reload->due_us = stk_due_after(now_us, RECORD_AGAIN_MS);
}

static void first_recorded(struct stk_rooms *rooms, const struct stk_control_message *message,
                           uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;

    reload->offered_to = 0;
    if (message->status == STIRKEEP_OK) {
        reload->state = STK_RELOAD_IDLE;
        stk_rooms_bring_up(rooms, STK_ROOM_FRONT, now_us);
        return;
    }
    if (!reload->told_first)
        stk_log(STK_LOG_ERROR,
                "the policy cannot be recorded in the audit trail, and nothing is signed by one "
                "that is not: front is started as soon as it can be: %s",
                message->text);
    reload->told_first = true;
    reload->due_us = stk_due_after(now_us, RECORD_AGAIN_MS);
}

void stk_reload_recorded(struct stk_rooms *rooms, const struct stk_control_message *message,
                         uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;

    if (reload->offered_to == 0 || message->number != reload->number ||
        !is_offered_to(rooms, STK_ROOM_INTAKE))
        return; /* to what was given up */
    if (reload->state == STK_RELOAD_FIRST) {
        first_recorded(rooms, message, now_us);
    } else if (reload->state == STK_RELOAD_RECORDING && message->status == STIRKEEP_OK) {
        reload->state = STK_RELOAD_FRONT;
        reload->offered_to = 0;
    } else if (reload->state == STK_RELOAD_RECORDING) {
        end_with(rooms, STIRKEEP_AUDIT_UNAVAILABLE, "the policy cannot be recorded", message->text);
    }
}

/* ---- handing over */

static bool offer(struct stk_rooms *rooms, enum stk_room room, const struct stk_reading *reading)
{
    struct stk_control_message message = {
        .kind = STK_CONTROL_CONFIG, .room = room, .number = ++rooms->reload.number, .fd_count = 1};

    message.fds[0] = reading->config_fd;
    if (room == STK_ROOM_FRONT && reading->rules_fd >= 0)
        message.fds[message.fd_count++] = reading->rules_fd;
    return stk_control_send_message(rooms->records[room].control, &message);
}

static void replace_room(struct stk_rooms *rooms, enum stk_room room)
{
    struct stk_room_record *record = &rooms->records[room];

    stk_log(STK_LOG_ERROR, "%s: does not take the configuration: killed", stk_room_name(room));
    record->state = STK_ROOM_ENDING;
    record->explained = true;
    stk_room_kill(record);
}

/* From here on every room is born with it. */
static void put_in_force(struct stk_rooms *rooms)
{
    stk_reading_free(&rooms->in_force);
    rooms->in_force = rooms->reload.next;
    rooms->reload.next = (struct stk_reading){.config_fd = -1, .rules_fd = -1};
    rooms->reload.state = STK_RELOAD_INTAKE;
    rooms->reload.offered_to = 0;
}

/* It may still take it, later than anybody waits: then it is given back what is in force. */
static void give_up_front(struct stk_rooms *rooms)
{
    if (!offer(rooms, STK_ROOM_FRONT, &rooms->in_force))
        replace_room(rooms, STK_ROOM_FRONT);
    end_with(rooms, STIRKEEP_UNAVAILABLE, "front", "did not take the configuration in time");
}

static void care_for_front(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;
    const struct stk_room_record *front = &rooms->records[STK_ROOM_FRONT];

    if (reload->offered_to != 0) {
        if (!is_offered_to(rooms, STK_ROOM_FRONT))
            end_with(rooms, STIRKEEP_UNAVAILABLE, "front",
                     "died when it was to take the configuration: try again");
        else if (now_us >= reload->due_us)
            give_up_front(rooms);
    } else if (!stk_room_is_alive(front)) {
        put_in_force(rooms);
    } else if (can_be_told(front)) {
        if (!offer(rooms, STK_ROOM_FRONT, &reload->next)) {
            end_with(rooms, STIRKEEP_UNAVAILABLE, "front", "its control channel takes nothing");
            return;
        }
        reload->offered_to = front->pid;
        reload->due_us = stk_due_after(now_us, TAKE_MS);
    }
}

static void care_for_intake(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;
    const struct stk_room_record *intake = &rooms->records[STK_ROOM_INTAKE];
    bool over = !stk_room_is_alive(intake);

    if (reload->offered_to != 0) {
        over = over || !is_offered_to(rooms, STK_ROOM_INTAKE);
        if (!over && now_us >= reload->due_us) {
            replace_room(rooms, STK_ROOM_INTAKE);
            over = true;
        }
    } else if (!over && can_be_told(intake)) {
        if (!offer(rooms, STK_ROOM_INTAKE, &rooms->in_force)) {
            replace_room(rooms, STK_ROOM_INTAKE);
            over = true;
        }
        reload->offered_to = intake->pid;
        reload->due_us = stk_due_after(now_us, TAKE_MS);
    }
    if (over)
        end(rooms, STIRKEEP_OK, rooms->in_force.text);
}

void stk_reload_taken(struct stk_rooms *rooms, enum stk_room room,
                      const struct stk_control_message *message)
{
    struct stk_reload *reload = &rooms->reload;
    bool is_good = message->status == STIRKEEP_OK;

    if (reload->offered_to == 0 || message->number != reload->number || !is_offered_to(rooms, room))
        return; /* to an offer that was given up */
    if (reload->state == STK_RELOAD_FRONT && room == STK_ROOM_FRONT) {
        if (is_good)
            put_in_force(rooms);
        else
            end_with(rooms, (enum stirkeep_status)message->status, "front", message->text);
    } else if (reload->state == STK_RELOAD_INTAKE && room == STK_ROOM_INTAKE) {
        if (!is_good) {
            stk_log(STK_LOG_ERROR, "intake: %s", message->text);
            replace_room(rooms, STK_ROOM_INTAKE);
        }
        end(rooms, STIRKEEP_OK, rooms->in_force.text);
    }
}

/* ---- intake's knowledge */

void stk_reload_first(struct stk_rooms *rooms)
{
    rooms->reload.state = STK_RELOAD_FIRST;
    rooms->reload.offered_to = 0;
    rooms->reload.due_us = 0;
}

void stk_reload_intake_up(struct stk_rooms *rooms)
{
    struct stk_reload *reload = &rooms->reload;

    if (reload->state != STK_RELOAD_INTAKE &&
        !stk_outcomes_tell_of(&reload->outcomes, rooms->in_force.text))
        (void)stk_outcomes_add(&reload->outcomes, 0, STIRKEEP_OK, rooms->in_force.text);
}

void stk_reload_intake_down(struct stk_rooms *rooms)
{
    stk_askers_forget(&rooms->reload.serving);
    stk_askers_forget(&rooms->reload.waiting);
    stk_outcomes_forget(&rooms->reload.outcomes);
}

static uint64_t tell_intake(struct stk_rooms *rooms, uint64_t now_us)
{
    const struct stk_room_record *intake = &rooms->records[STK_ROOM_INTAKE];

    if (rooms->reload.outcomes.count == 0 || !can_be_told(intake))
        return STK_DUE_NEVER;
    return stk_outcomes_tell(&rooms->reload.outcomes, intake->control, now_us);
}

/* ---- time */

static void go_on(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;

    if (reload->state == STK_RELOAD_READING && now_us >= reload->due_us)
        end(rooms, STIRKEEP_UNAVAILABLE, "the configuration could not be read in time");
    if (reload->state == STK_RELOAD_FIRST)
        care_for_first(rooms, now_us);
    if (reload->state == STK_RELOAD_RECORDING)
        care_for_record(rooms, now_us);
    if (reload->state == STK_RELOAD_FRONT)
        care_for_front(rooms, now_us);
    if (reload->state == STK_RELOAD_INTAKE)
        care_for_intake(rooms, now_us);
}

/* Does something happen at due_us? */
static bool is_due(const struct stk_reload *reload)
{
    if (reload->state == STK_RELOAD_FIRST)
        return reload->offered_to == 0;
    return reload->state == STK_RELOAD_READING || reload->state == STK_RELOAD_RECORDING ||
           reload->offered_to != 0;
}

uint64_t stk_reload_tick(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_reload *reload = &rooms->reload;
    uint64_t next_us = 0;

    go_on(rooms, now_us);
    (void)tell_intake(rooms, now_us); /* may make room for the next */
    if (reload->state == STK_RELOAD_IDLE)
        begin_if_asked(rooms, now_us);
    next_us = tell_intake(rooms, now_us);
    if (is_due(reload) && reload->due_us < next_us)
        next_us = reload->due_us;
    return next_us;
}

void stk_reload_stop(struct stk_rooms *rooms, uint64_t now_us)
{
    static const char why[] = "the service is stopping";
    struct stk_reload *reload = &rooms->reload;

    if (reload->state == STK_RELOAD_INTAKE)
        stk_outcomes_add_all(&reload->outcomes, &reload->serving, STIRKEEP_OK,
                             rooms->in_force.text);
    stk_outcomes_add_all(&reload->outcomes, &reload->serving, STIRKEEP_UNAVAILABLE, why);
    stk_outcomes_add_all(&reload->outcomes, &reload->waiting, STIRKEEP_UNAVAILABLE, why);
    stk_reader_stop(&reload->reader);
    stk_reading_free(&reload->next);
    reload->state = STK_RELOAD_IDLE;
    reload->offered_to = 0;
    (void)tell_intake(rooms, now_us);
}
