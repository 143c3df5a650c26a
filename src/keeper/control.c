/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/keeper.h"
#include "room/room.h"
#include <poll.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100    /* between two looks of the watchdog, at most */
#define DRAIN_MS 2800  /* to finish what is queued; the porter waits for 5 s */
#define FINISH_MS 1000 /* to finish what was begun, when nobody waits for it any more */
#define CLERK_MS 100   /* to write down what else has happened */
#define SEAL_MS 800    /* for the last seal */
#define LOOK_MS 2      /* between two looks while it ends */

static void pause_ms(long milliseconds)
{
    struct timespec pause = {.tv_nsec = milliseconds * 1000000};

    (void)nanosleep(&pause, NULL);
}

static bool is_queued(int fd)
{
    struct pollfd watch = {.fd = fd, .events = POLLIN};

    return poll(&watch, 1, 0) == 1 && (watch.revents & POLLIN) != 0;
}

static bool is_busy(const struct stk_keeper *keeper)
{
    return is_queued(STK_FD_KEEPER_FRONT) || is_queued(STK_FD_KEEPER_INTAKE) ||
           stk_shift_anyone(keeper);
}

/* Twice in a row: a message that was just taken is neither queued nor yet worked on. */
static void wait_until_idle(struct stk_keeper *keeper, uint64_t until_us)
{
    for (int quiet = 0; quiet < 2 && stk_clock_mono_us() < until_us;) {
        quiet = is_busy(keeper) ? 0 : quiet + 1;
        stk_watchdog_check(keeper);
        pause_ms(LOOK_MS);
    }
}

static bool wait_until_nobody_works(struct stk_keeper *keeper, uint64_t until_us)
{
    while (stk_shift_anyone(keeper)) {
        if (stk_clock_mono_us() >= until_us)
            return false;
        stk_watchdog_check(keeper);
        pause_ms(LOOK_MS);
    }
    return true;
}

/* Begin nothing new, let what is begun end, then leave the token and the trail in order. */
static _Noreturn void finish(struct stk_keeper *keeper, const char *why)
{
    (void)stk_clerk_settle(&keeper->clerk, CLERK_MS);
    atomic_store(&keeper->closed, true);
    if (!wait_until_nobody_works(keeper, stk_clock_mono_us() + FINISH_MS * 1000))
        _exit(1);
    stk_recorder_stop(&keeper->recorder, why);
    /* What hangs in the token has its hands on the trail too: the next start seals what this did not. */
    if (!stk_sealer_end(&keeper->sealer, SEAL_MS))
        _exit(1);
    stk_recorder_close(&keeper->recorder);
    if (keeper->token != NULL) {
        for (size_t i = 0; i < keeper->signer_count; i++)
            stk_signer_free(keeper->signers[i].signer);
        stk_signer_free(atomic_load(&keeper->sealer.signer));
        stk_token_close(keeper->token);
    }
    /* Not exit(): destructors of modules and atexit handlers of OpenSSL meet badly. */
    _exit(0);
}

/* That a room was restarted is told by the one that outlives it. How others are when this one is
 * born is no news. */
static void note_room(struct stk_keeper *keeper, const struct stk_control_message *message)
{
    enum stk_room_sight *sight = &keeper->rooms[message->room];
    const char *name = stk_room_name((enum stk_room)message->room);

    if (message->kind == STK_CONTROL_ROOM_DOWN) {
        if (*sight == STK_SIGHT_UP) {
            stk_clerk_note(&keeper->clerk, "room-down", STIRKEEP_OK, NULL, "%s%s%s", name,
                           message->text[0] != '\0' ? ": " : "", message->text);
            *sight = STK_SIGHT_DOWN;
        }
        return;
    }
    if (*sight == STK_SIGHT_DOWN)
        stk_clerk_note(&keeper->clerk, "room-up", STIRKEEP_OK, NULL, "%s", name);
    *sight = STK_SIGHT_UP;
}

static void obey(struct stk_keeper *keeper)
{
    struct stk_control_message message = {0};
    enum stirkeep_status status = stk_control_receive(STK_FD_CONTROL, &message);

    if (status == STIRKEEP_NOT_CONNECTED)
        finish(keeper, "stirkeepd is gone");
    if (status != STIRKEEP_OK)
        return;
    if (message.kind == STK_CONTROL_ROOM_UP || message.kind == STK_CONTROL_ROOM_DOWN)
        note_room(keeper, &message);
    if (message.kind == STK_CONTROL_PING)
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PONG, STK_ROOM_KEEPER, NULL);
    if (message.kind != STK_CONTROL_DRAIN)
        return;
    wait_until_idle(keeper, stk_clock_mono_us() + DRAIN_MS * 1000);
    finish(keeper, "stopped");
}

/* Often enough to find a hanging call soon after its time is up. */
static int tick_ms(const struct stk_keeper *keeper)
{
    unsigned quarter = keeper->config->token.call_timeout_ms / 4;

    return quarter < 1 ? 1 : quarter > TICK_MS ? TICK_MS : (int)quarter;
}

/* Somebody has put another directory where the trail is, as by mounting one: this process may not
 * use it, and the next one may. */
static void check_trail(struct stk_keeper *keeper)
{
    if (stk_recorder_writable(&keeper->recorder) || !stk_keeper_trail_moved(keeper))
        return;
    stk_log(STK_LOG_WARNING, "audit trail: its directory is another one: a new keeper takes over");
    _exit(1);
}

_Noreturn void stk_control_loop(struct stk_keeper *keeper)
{
    for (;;) {
        struct pollfd watch = {.fd = STK_FD_CONTROL, .events = POLLIN};

        if (poll(&watch, 1, tick_ms(keeper)) > 0)
            obey(keeper);
        stk_watchdog_check(keeper);
        stk_recorder_watch(&keeper->recorder);
        check_trail(keeper);
        (void)stk_large_pages_turn(&keeper->large_pages, stk_clock_mono_us());
    }
}
