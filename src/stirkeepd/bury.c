/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/rooms.h"

#include "base/log.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/notify.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_WORDS_MAX 16 /* a room has few to say: of the PIN, FAILED, its last seals */
#define LONG_LIFE_US (10 * 1000000ULL) /* after it, a death is the first one again */
#define DEATH_TEXT 80

static void describe_death(int wait_status, char ret_text[DEATH_TEXT])
{
    if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS)
        (void)snprintf(ret_text, DEATH_TEXT,
                       "killed by SIGSYS: a system call its filter does not allow");
    else if (WIFSIGNALED(wait_status))
        (void)snprintf(ret_text, DEATH_TEXT, "ended by signal %d (%s)", WTERMSIG(wait_status),
                       strsignal(WTERMSIG(wait_status)));
    else
        (void)snprintf(ret_text, DEATH_TEXT, "ended with status %d", WEXITSTATUS(wait_status));
}

static void log_death(const struct stk_rooms *rooms, enum stk_room room, int wait_status)
{
    const char *when = rooms->phase <= STK_PHASE_STARTING ? " before the service was ready" : "";
    char how[DEATH_TEXT] = "";

    if (rooms->records[room].explained ||
        (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 &&
         rooms->phase == STK_PHASE_STOPPING))
        return;
    describe_death(wait_status, how);
    stk_log(STK_LOG_ERROR, "%s: %s%s", stk_room_name(room), how, when);
}

static bool is_last_word(uint32_t kind)
{
    return kind == STK_CONTROL_FAILED || kind == STK_CONTROL_SEALED ||
           kind == STK_CONTROL_PIN_REFUSED || kind == STK_CONTROL_PIN_TRIED ||
           kind == STK_CONTROL_PIN_TAKEN || kind == STK_CONTROL_PIN_UNJUDGED;
}

/* The last words are still on the channel. READY, and what asks for an answer, comes too late. They
 * are counted, as a child that the room left behind could go on talking for ever. */
static void hear_last_words(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];
    struct stk_control_message message = {0};

    if (record->control < 0)
        return;
    for (unsigned i = 0;
         i < LAST_WORDS_MAX && stk_control_receive(record->control, &message) == STIRKEEP_OK; i++) {
        if (is_last_word(message.kind))
            (void)stk_rooms_take_message(rooms, room, &message, now_us);
        stk_control_drop(&message);
    }
    (void)close(record->control);
    record->control = -1;
}

/* Take leave of the rooms in the reverse of their order, one at a time. */
static void drain_next(struct stk_rooms *rooms, uint64_t now_us)
{
    for (unsigned i = STK_ROOM_COUNT; i-- > 0;) {
        const struct stk_room_record *record = &rooms->records[i];

        if (!stk_room_is_alive(record))
            continue;
        if (record->state != STK_ROOM_ENDING)
            stk_room_drain(rooms, (enum stk_room)i, now_us);
        return;
    }
    if (!rooms->handover.is_wanted)
        rooms->phase = STK_PHASE_STOPPED;
    else if (stk_handover_gone(rooms, now_us))
        rooms->phase = STK_PHASE_HANDED_OVER;
    else
        stk_rooms_revive(rooms, now_us);
}

/* While the service starts, a death ends it, and who started it starts it again: a PIN of which nobody
 * can tell whether it is right would be tried for ever. */
static bool is_about_the_pin(struct stk_rooms *rooms, enum stk_room room)
{
    enum stk_pin_end end = room == STK_ROOM_KEEPER ? stk_pin_note_end(&rooms->pin) : STK_PIN_NO_TRY;

    if (end == STK_PIN_GIVEN_UP)
        stk_log(STK_LOG_ERROR,
                "keeper: it has ended twice while the token was given the PIN, which may be wrong: "
                "it is not tried again before its file has changed");
    return end != STK_PIN_NO_TRY && rooms->phase == STK_PHASE_STARTING && !rooms->handover.taken;
}

static void go_on_after_death(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    if (is_about_the_pin(rooms, room)) {
        stk_room_wait(record, now_us);
        return;
    }
    switch (rooms->phase) {
    case STK_PHASE_STANDING_BY:
    case STK_PHASE_STARTING:
        stk_rooms_stop(rooms, 1, now_us);
        break;
    case STK_PHASE_RUNNING:
        if (record->up_since_us != 0 && now_us - record->up_since_us >= LONG_LIFE_US)
            record->backoff_ms = 0;
        stk_room_wait(record, now_us);
        stk_notify("STATUS=%s is being restarted", stk_room_name(room));
        break;
    default:
        drain_next(rooms, now_us);
    }
}

void stk_rooms_bury(struct stk_rooms *rooms, pid_t pid, int wait_status, uint64_t now_us)
{
    for (unsigned i = 0; i < STK_ROOM_COUNT; i++) {
        struct stk_room_record *record = &rooms->records[i];
        char how[DEATH_TEXT] = "";

        if (!stk_room_is_alive(record) || record->pid != pid)
            continue;
        hear_last_words(rooms, (enum stk_room)i, now_us);
        log_death(rooms, (enum stk_room)i, wait_status);
        record->state = STK_ROOM_ABSENT;
        record->pid = 0;
        describe_death(wait_status, how);
        if (record->up_since_us != 0)
            stk_rooms_tell_others(rooms, STK_CONTROL_ROOM_DOWN, (enum stk_room)i, how);
        if (i == STK_ROOM_INTAKE)
            stk_reload_intake_down(rooms);
        go_on_after_death(rooms, (enum stk_room)i, now_us);
        return;
    }
}

void stk_rooms_hand_on(struct stk_rooms *rooms)
{
    rooms->sign.bound = false;
    rooms->admin.bound = false;
    rooms->handover.handed_on = true;
    rooms->phase = STK_PHASE_STOPPED;
}

void stk_rooms_stop(struct stk_rooms *rooms, int exit_status, uint64_t now_us)
{
    if (rooms->phase == STK_PHASE_HANDED_OVER)
        stk_rooms_hand_on(rooms);
    if (rooms->phase == STK_PHASE_STOPPING)
        rooms->handover.is_wanted = false; /* whoever was to take over does not, then */
    if (rooms->phase == STK_PHASE_STOPPING || rooms->phase == STK_PHASE_STOPPED)
        return;
    rooms->phase = STK_PHASE_STOPPING;
    rooms->exit_status = exit_status;
    stk_notify("STOPPING=1\nSTATUS=Finishing what is in flight");
    if (exit_status == 0)
        stk_log(STK_LOG_INFO, rooms->handover.is_wanted ? "handing over" : "stopping");
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        if (rooms->records[i].state == STK_ROOM_WAITING)
            rooms->records[i].state = STK_ROOM_ABSENT;
    /* From here on nobody finds the service; who is connected is still answered. With another one to
     * come, who connects now is answered by that. */
    if (!rooms->handover.is_wanted) {
        stk_listener_unlink(&rooms->sign);
        stk_listener_unlink(&rooms->admin);
    }
    stk_reload_stop(rooms, now_us);
    drain_next(rooms, now_us);
}
