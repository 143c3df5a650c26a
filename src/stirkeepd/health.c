/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/health.h"

#include "base/log.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/notify.h"
#include <stdlib.h>
#include <unistd.h>

/* A number from the environment; 0: none. */
static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : 0;
}

void stk_health_start(struct stk_health *health)
{
    const uint64_t process = number_of("WATCHDOG_PID");

    *health = (struct stk_health){.pings = true};
    /* Half of the time, as sd_watchdog_enabled(3) advises. */
    if (process == 0 || process == (uint64_t)getpid())
        health->watchdog_us = number_of("WATCHDOG_USEC") / 2;
    (void)unsetenv("WATCHDOG_PID");
    (void)unsetenv("WATCHDOG_USEC");
}

void stk_health_answered(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    record->silent_us = 0;
    record->ping_us = stk_due_after(now_us, STK_PING_MS);
}

static uint64_t look_at(struct stk_rooms *rooms, enum stk_room room, uint64_t now_us)
{
    struct stk_room_record *record = &rooms->records[room];

    if (record->state != STK_ROOM_UP || record->killed)
        return STK_DUE_NEVER;
    if (record->silent_us != 0 && now_us >= stk_due_after(record->silent_us, STK_SILENT_MS)) {
        stk_log(STK_LOG_ERROR, "%s: has not answered for %d s: killed", stk_room_name(room),
                STK_SILENT_MS / 1000);
        record->state = STK_ROOM_ENDING;
        record->explained = true;
        stk_room_kill(record);
        return STK_DUE_NEVER;
    }
    if (record->silent_us != 0)
        return stk_due_after(record->silent_us, STK_SILENT_MS);
    if (record->ping_us > now_us)
        return record->ping_us;
    /* A channel that takes nothing has a room behind it that reads nothing. */
    (void)stk_control_send(record->control, STK_CONTROL_PING, room, NULL);
    record->silent_us = now_us;
    return stk_due_after(now_us, STK_SILENT_MS);
}

static uint64_t tell_watchdog(struct stk_health *health, uint64_t now_us)
{
    if (health->watchdog_us == 0)
        return STK_DUE_NEVER;
    if (health->watchdog_at_us <= now_us) {
        stk_notify("WATCHDOG=1");
        health->watchdog_at_us = now_us + health->watchdog_us;
    }
    return health->watchdog_at_us;
}

uint64_t stk_health_tick(struct stk_rooms *rooms, uint64_t now_us)
{
    uint64_t next_us = STK_DUE_NEVER;

    for (unsigned i = 0; rooms->health.pings && i < STK_ROOM_COUNT; i++) {
        uint64_t due_us = look_at(rooms, (enum stk_room)i, now_us);

        if (due_us < next_us)
            next_us = due_us;
    }
    {
        uint64_t due_us = tell_watchdog(&rooms->health, now_us);

        return due_us < next_us ? due_us : next_us;
    }
}
