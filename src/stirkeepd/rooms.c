/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/rooms.h"

#include "base/log.h"
#include "stirkeepd/birth.h"
#include "stirkeepd/lives.h"
#include <errno.h>
#include <signal.h>

#define READY_MS 30000
#define KEEPER_MORE_MS 60000 /* besides opening the token, which it keeps the time of itself */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_LAST_MS 5000
#define PIN_LOOK_MS 1000

bool stk_room_is_alive(const struct stk_room_record *record)
{
    return record->state == STK_ROOM_STARTING || record->state == STK_ROOM_STANDING ||
           record->state == STK_ROOM_UP || record->state == STK_ROOM_ENDING;
}

void stk_room_kill(struct stk_room_record *record)
{
    if (!record->killed)
        (void)kill(record->pid, SIGKILL);
    record->killed = true;
    record->due_us = STK_DUE_NEVER;
}

void stk_room_expect_end(struct stk_room_record *record, uint64_t now_us, unsigned ms)
{
    record->state = STK_ROOM_ENDING;
    if (!record->killed)
        record->due_us = stk_due_after(now_us, ms);
}

void stk_room_drain(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    (void)stk_control_send(record->control, STK_CONTROL_DRAIN, room, NULL);
    stk_room_expect_end(record, now_us, STK_DRAIN_MS);
}

static void tell(const struct stk_rooms *rooms, enum stk_room to, enum stk_control_kind kind,
                 enum stk_room about, const char *text)
{
    /* One that is gone is about to be buried. */
    if (!stk_control_send(rooms->records[to].control, kind, about, text) && errno != EPIPE &&
        errno != ECONNRESET)
        stk_log(STK_LOG_WARNING, "%s: its control channel takes nothing", stk_room_name(to));
}

/* Who stands by is told nothing before GO, and then how all others are. */
static bool hears_of_others(const struct stk_rooms *rooms, enum stk_room room)
{
    return rooms->phase != STK_PHASE_STANDING_BY && rooms->records[room].state != STK_ROOM_STANDING;
}

void stk_rooms_tell_others(const struct stk_rooms *rooms, enum stk_control_kind kind,
                           enum stk_room about, const char *text)
{
    for (unsigned to = 0; to < STK_ROOM_COUNT; to++)
        if (to != about && stk_room_is_alive(&rooms->records[to]) && !rooms->records[to].killed &&
            rooms->records[to].control >= 0 && hears_of_others(rooms, (enum stk_room)to))
            tell(rooms, (enum stk_room)to, kind, about, text);
}

/*
 * A link that was shut down stays so for every room that has it: all rooms get new ones. Those
 * alive are killed; they come back in the usual way.
 */
static enum stirkeep_status renew_cut_links(struct stk_rooms *rooms, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    struct stk_links links = {0};

    if (!stk_links_are_cut(&rooms->links))
        return STIRKEEP_OK;
    status = stk_links_make(&links, error);
    if (status != STIRKEEP_OK)
        return status;
    stk_log(STK_LOG_ERROR, "a room has shut down a link between rooms: all rooms get new ones");
    stk_links_close(&rooms->links);
    rooms->links = links;
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        if (stk_room_is_alive(&rooms->records[i]))
            stk_room_kill(&rooms->records[i]);
    return STIRKEEP_OK;
}

void stk_room_wait(struct stk_room_record *record, uint64_t now_us)
{
    record->state = STK_ROOM_WAITING;
    record->due_us = stk_due_after(now_us, record->backoff_ms);
    record->backoff_ms = record->backoff_ms == 0 ? BACKOFF_FIRST_MS : record->backoff_ms * 2;
    if (record->backoff_ms > BACKOFF_LAST_MS)
        record->backoff_ms = BACKOFF_LAST_MS;
}

static void give_up_or_wait(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    if (rooms->phase == STK_PHASE_STARTING || rooms->phase == STK_PHASE_STANDING_BY)
        stk_rooms_stop(rooms, 1, now_us);
    else
        stk_room_wait(&rooms->records[room], now_us);
}

/* A new room hears at once how the others are. */
static void tell_newborn(const struct stk_rooms *rooms, enum stk_room room)
{
    for (unsigned other = 0; other < STK_ROOM_COUNT; other++)
        if (other != room)
            tell(rooms, room,
                 rooms->records[other].state == STK_ROOM_UP ? STK_CONTROL_ROOM_UP
                                                            : STK_CONTROL_ROOM_DOWN,
                 (enum stk_room)other, NULL);
}

static unsigned ready_ms(const struct stk_rooms *rooms, enum stk_room room)
{
    return room == STK_ROOM_KEEPER ? rooms->config->token.open_timeout_ms + KEEPER_MORE_MS
                                   : READY_MS;
}

static void expect_ready(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    record->state = STK_ROOM_STARTING;
    record->due_us = stk_due_after(now_us, ready_ms(rooms, room));
}

/* A service does not begin without one, unless its token has just refused it. */
static bool is_pin_needed(const struct stk_rooms *rooms)
{
    return rooms->phase == STK_PHASE_STANDING_BY ||
           (rooms->phase == STK_PHASE_STARTING && rooms->pin.refused_count == 0);
}

void stk_rooms_give_birth(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];
    struct stk_error error = {0};
    enum stirkeep_status status = renew_cut_links(rooms, &error);

    if (status == STIRKEEP_OK)
        status = stk_birth_give(rooms, room, is_pin_needed(rooms), &error);
    if (status != STIRKEEP_OK) {
        stk_log(STK_LOG_ERROR, "%s", error.message);
        record->state = STK_ROOM_ABSENT;
        give_up_or_wait(rooms, room, now_us);
        return;
    }
    expect_ready(rooms, room, now_us);
    record->up_since_us = 0;
    record->killed = false;
    record->explained = false;
    if (rooms->phase != STK_PHASE_STANDING_BY)
        tell_newborn(rooms, room);
}

void stk_room_let_go(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    expect_ready(rooms, room, now_us);
    tell(rooms, room, STK_CONTROL_GO, room, NULL);
    tell_newborn(rooms, room);
}

void stk_rooms_bring_up(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    if (rooms->records[room].state == STK_ROOM_STANDING)
        stk_room_let_go(rooms, room, now_us);
    else
        stk_rooms_give_birth(rooms, room, now_us);
}

static void begin(struct stk_rooms *rooms, enum stk_phase phase)
{
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        rooms->records[i] = (struct stk_room_record){.state = STK_ROOM_ABSENT, .control = -1};
    rooms->phase = phase;
    rooms->exit_status = 0;
}

void stk_rooms_begin(struct stk_rooms *rooms, uint64_t now_us)
{
    begin(rooms, STK_PHASE_STARTING);
    stk_rooms_give_birth(rooms, STK_ROOM_KEEPER, now_us);
}

void stk_rooms_stand_by(struct stk_rooms *rooms, uint64_t now_us)
{
    begin(rooms, STK_PHASE_STANDING_BY);
    for (unsigned i = 0; i < STK_ROOM_COUNT && rooms->phase == STK_PHASE_STANDING_BY; i++)
        stk_rooms_give_birth(rooms, (enum stk_room)i, now_us);
}

void stk_rooms_go(struct stk_rooms *rooms, uint64_t now_us)
{
    rooms->phase = STK_PHASE_STARTING;
    stk_room_let_go(rooms, STK_ROOM_KEEPER, now_us);
}

void stk_rooms_revive(struct stk_rooms *rooms, uint64_t now_us)
{
    stk_log(STK_LOG_ERROR, "the stirkeepd that was taking over has ended: serving again");
    begin(rooms, STK_PHASE_RUNNING);
    rooms->handover.is_wanted = false;
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        stk_room_wait(&rooms->records[i], now_us);
}

static void be_due(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    if (record->state == STK_ROOM_WAITING) {
        stk_rooms_give_birth(rooms, room, now_us);
        return;
    }
    if (record->state == STK_ROOM_STARTING)
        stk_log(STK_LOG_ERROR, "%s: not ready within %u s: killed", stk_room_name(room),
                ready_ms(rooms, room) / 1000);
    else
        stk_log(STK_LOG_ERROR, "%s: does not end: killed", stk_room_name(room));
    record->state = STK_ROOM_ENDING;
    record->explained = true;
    stk_room_kill(record);
}

static bool has_due(const struct stk_room_record *record)
{
    return record->due_us != STK_DUE_NEVER && record->state != STK_ROOM_ABSENT &&
           record->state != STK_ROOM_UP && record->state != STK_ROOM_STANDING;
}

/* A keeper that has no PIN, or one that the token refused, is started anew when there is another. */
static void look_for_pin(struct stk_rooms *rooms, uint64_t now_us)
{
    struct stk_room_record *keeper = &rooms->records[STK_ROOM_KEEPER];
    bool lacks = rooms->phase == STK_PHASE_RUNNING && keeper->state == STK_ROOM_UP &&
                 stk_pin_is_lacking(&rooms->pin);

    if (lacks && rooms->pin_look_us != 0 && rooms->pin_look_us > now_us)
        return;
    if (lacks && rooms->pin_look_us != 0 &&
        stk_pin_look(&rooms->pin, rooms->config->token.pin_file,
                     rooms->users[STK_ROOM_KEEPER].uid)) {
        stk_log(STK_LOG_INFO, "keeper: there is another PIN file: started anew with it");
        keeper->explained = true;
        stk_room_drain(rooms, STK_ROOM_KEEPER, now_us);
        lacks = false;
    }
    rooms->pin_look_us = lacks ? stk_due_after(now_us, PIN_LOOK_MS) : 0;
}

int stk_rooms_tick(struct stk_rooms *rooms, uint64_t now_us)
{
    uint64_t next_us = stk_reload_tick(rooms, now_us);
    uint64_t witness_us = stk_witness_tick(&rooms->witness, now_us);
    uint64_t health_us = stk_health_tick(rooms, now_us);
    uint64_t handover_us = stk_handover_tick(rooms, now_us);

    if (handover_us < next_us)
        next_us = handover_us;
    if (witness_us < next_us)
        next_us = witness_us;
    if (health_us < next_us)
        next_us = health_us;
    look_for_pin(rooms, now_us);
    for (unsigned i = 0; i < STK_ROOM_COUNT; i++)
        if (has_due(&rooms->records[i]) && rooms->records[i].due_us <= now_us)
            be_due(rooms, (enum stk_room)i, now_us);
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        if (has_due(&rooms->records[i]) && rooms->records[i].due_us < next_us)
            next_us = rooms->records[i].due_us;
    if (rooms->pin_look_us != 0 && rooms->pin_look_us < next_us)
        next_us = rooms->pin_look_us;
    if (next_us == STK_DUE_NEVER)
        return -1;
    return next_us <= now_us ? 0 : (int)((next_us - now_us + 999) / 1000);
}
