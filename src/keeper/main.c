/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/keeper.h"
#include "room/room.h"
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)1024 * 1024) /* of a thread */
#define OPEN_TICK_MS 100

static _Noreturn void fail(enum stirkeep_status status, const char *message)
{
    struct stk_error error = {0};

    (void)stk_error_set(&error, status, "%s", message);
    stk_room_fail(STK_ROOM_KEEPER, &error);
}

static void start_thread(pthread_t *ret_thread, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, STACK_SIZE) != 0 ||
        pthread_create(ret_thread, &attributes, run, argument) != 0)
        fail(STIRKEEP_INTERNAL, "cannot start a thread");
    (void)pthread_attr_destroy(&attributes);
}

/* Has the porter gone, or changed its mind, while the token is still being opened? Or may one that
 * stands by go on? */
static bool is_called_off(struct stk_keeper *keeper)
{
    struct stk_control_message message = {0};
    enum stirkeep_status status = stk_control_receive(STK_FD_CONTROL, &message);

    if (status == STIRKEEP_OK && message.kind == STK_CONTROL_GO) {
        keeper->stands_by = false;
        (void)pthread_cond_broadcast(&keeper->changed);
    }
    return status == STIRKEEP_NOT_CONNECTED ||
           (status == STIRKEEP_OK && message.kind == STK_CONTROL_DRAIN);
}

static void wait_for_tick(struct stk_keeper *keeper)
{
    struct timespec until = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += OPEN_TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until);
}

/* Modules seldom say why they cannot begin. */
static void hint_at_lock_down(const struct stk_config *config)
{
    if (config->lock_down.keeper == STK_KEEPER_STRICT &&
        strstr(config->token.module, "softhsm") == NULL)
        stk_log(STK_LOG_INFO,
                "the module has no sockets, devices and shared memory: one that needs "
                "them takes [lock-down] keeper = module");
}

/* The custody thread waits for GO, and that comes through here. */
static void wait_for_go(struct stk_keeper *keeper)
{
    struct pollfd watch = {.fd = STK_FD_CONTROL, .events = POLLIN};

    (void)pthread_mutex_unlock(&keeper->lock);
    (void)poll(&watch, 1, OPEN_TICK_MS);
    (void)pthread_mutex_lock(&keeper->lock);
}

/* In a call to the token, or in all. Whatever hangs is left alone. */
static void check_opening(const struct stk_keeper *keeper, uint64_t began)
{
    uint64_t since = atomic_load(&keeper->busy_since);
    uint64_t now = stk_clock_mono_us();
    unsigned call_ms = keeper->config->token.call_timeout_ms;
    unsigned open_ms = keeper->config->token.open_timeout_ms;
    struct stk_error error = {0};

    if (since != 0 && now > since && now - since > (uint64_t)call_ms * 1000)
        (void)stk_error_set(&error, STIRKEEP_TOKEN_ERROR,
                            "token: a call has hung for %u ms while it was opened",
                            (unsigned)((now - since) / 1000));
    else if (now - began > (uint64_t)open_ms * 1000)
        (void)stk_error_set(&error, STIRKEEP_TOKEN_ERROR, "token: it did not open within %u ms",
                            open_ms);
    else
        return;
    stk_room_fail(STK_ROOM_KEEPER, &error);
}

/* No module, no PIN and no key in the hands of another thread than custody's: main only waits. */
static void open_token(struct stk_keeper *keeper)
{
    uint64_t began = stk_clock_mono_us();

    start_thread(&keeper->custody.thread, stk_custody_thread_run, &keeper->custody);
    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->opened) {
        if (keeper->stands_by && keeper->waits_for_go) {
            wait_for_go(keeper);
            began = stk_clock_mono_us();
        } else {
            wait_for_tick(keeper);
        }
        if (!keeper->opened && is_called_off(keeper))
            _exit(0);
        if (!keeper->opened)
            check_opening(keeper, began);
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    if (keeper->open_status == STIRKEEP_OK)
        return;
    (void)pthread_join(keeper->custody.thread, NULL); /* it ends when it cannot open the token */
    hint_at_lock_down(keeper->config);
    stk_room_fail(STK_ROOM_KEEPER, &keeper->open_error);
}

static struct stk_keeper *new_keeper(struct stk_config *config)
{
    struct stk_keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t attributes;

    if (keeper == NULL ||
        stk_arena_new(&keeper->custody.arena, STK_DECODE_ARENA_MAX) != STIRKEEP_OK)
        fail(STIRKEEP_NO_MEMORY, "out of memory");
    keeper->config = config;
    keeper->started_us = stk_clock_mono_us();
    keeper->custody.keeper = keeper;
    keeper->clerk_thread.keeper = keeper;
    stk_outbox_init(&keeper->outbox, &keeper->recorder, config->audit.sync == STK_SYNC_ALWAYS);
    stk_clerk_init(&keeper->clerk);
    stk_sealer_init(&keeper->sealer, keeper);
    stk_compressor_init(&keeper->compressor, config->audit.file);
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return keeper;
}

int main(int argc, char **argv)
{
    struct stk_config *config = stk_room_begin(STK_ROOM_KEEPER);
    struct stk_keeper *keeper = NULL;
    char word[STK_LOCKDOWN_WORD] = "";
    struct stk_lockdown lock = {0};
    struct stk_error error = {0};
    pthread_t compressor;

    /* A trail at the file size limit is a failed write, not the end of the keeper. */
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    stk_memory_lock();
    if (stk_keeper_lock_files(config, &lock, &error) != STIRKEEP_OK ||
        stk_lockdown_before_module(&lock, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_KEEPER, &error);
    keeper = new_keeper(config);
    keeper->stands_by = stk_room_stands_by(argc, argv);
    if (lock.landlock > 0)
        stk_keeper_note_trail(keeper);
    if (stk_keeper_read_number_key(keeper, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_KEEPER, &error);
    open_token(keeper);
    start_thread(&keeper->outbox.thread, stk_outbox_run, &keeper->outbox);
    for (size_t i = 0; i < keeper->signer_count; i++)
        start_thread(&keeper->signers[i].thread, stk_signer_thread_run, &keeper->signers[i]);
    if (stk_lockdown_calls(&lock, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_KEEPER, &error);
    stk_lockdown_word(&lock, word);
    if (!stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, STK_ROOM_KEEPER, word))
        fail(STIRKEEP_NOT_CONNECTED, "control channel: closed");
    start_thread(&keeper->clerk_thread.thread, stk_clerk_thread_run, &keeper->clerk_thread);
    start_thread(&keeper->sealer.thread, stk_sealer_thread_run, &keeper->sealer);
    if (config->audit.compress)
        start_thread(&compressor, stk_compressor_run, &keeper->compressor);
    stk_control_loop(keeper);
}
