/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/encode.h"
#include "base/log.h"
#include "base/process.h"
#include "keeper/headers.h"
#include "keeper/keeper.h"
#include "room/room.h"
#include "seal/seal.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PKCS8_MAX 512 /* of a P-256 key */
/* Front takes a request of so much by itself; several travel in one message. Touched as needed. */
#define SIGNER_ARENA_MAX ((size_t)STK_BATCH_MAX * STK_DECODE_ARENA_MAX)

/* The porter opened the file and checked whose it is; it never reads it. */
static enum stirkeep_status read_pin(struct stk_secret *ret_pin, struct stk_error *error)
{
    struct stk_secret pin = {0};
    ssize_t got = 0;

    if (stk_secret_new(&pin, STK_PIN_MAX + 3) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "PIN file: out of memory");
    do {
        got = pread(STK_FD_KEEPER_PIN, pin.data, STK_PIN_MAX + 3, 0);
    } while (got < 0 && errno == EINTR);
    /* One end of line, as editors make it; a PIN that is wrong for it would cost a try. */
    if (got > 0 && pin.data[got - 1] == '\n') {
        got--;
        if (got > 0 && pin.data[got - 1] == '\r')
            got--;
    }
    if (got > 0 && got <= STK_PIN_MAX) {
        pin.length = (size_t)got;
        *ret_pin = pin;
        return STIRKEEP_OK;
    }
    stk_secret_free(&pin);
    if (got < 0)
        return stk_error_set(error, STIRKEEP_IO, "PIN file: %s", strerror(errno));
    return got == 0 ? stk_error_set(error, STIRKEEP_CONFIG, "PIN file: is empty")
                    : stk_error_set(error, STIRKEEP_CONFIG,
                                    "PIN file: is longer than a PIN of %d characters", STK_PIN_MAX);
}

static enum stirkeep_status take_pin(struct stk_secret *ret_pin, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (fcntl(STK_FD_KEEPER_PIN, F_GETFD) < 0)
        return stk_error_set(error, STIRKEEP_TOKEN_LOCKED,
                             "the keeper has no PIN: its file cannot be used, or the token refused "
                             "it (the log says which); it waits for another");
    status = read_pin(ret_pin, error);
    (void)close(STK_FD_KEEPER_PIN);
    return status;
}

static bool throw_away_pkcs8(struct stk_secret *ret_pkcs8)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    PKCS8_PRIV_KEY_INFO *info = key == NULL ? NULL : EVP_PKEY2PKCS8(key);
    struct stk_secret pkcs8 = {0};
    int length = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
    bool done = length > 0 && length <= PKCS8_MAX && stk_secret_new(&pkcs8, PKCS8_MAX) == 0;

    if (done) {
        uint8_t *at = pkcs8.data;
        pkcs8.length = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &at);
        *ret_pkcs8 = pkcs8;
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
    return done;
}

/* The wrapping key's modulus in bytes, which is how long the RSA part of a sealed key is. */
static size_t rsa_length_of(struct stk_bytes spki)
{
    const uint8_t *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.length);
    int size = key == NULL ? 0 : EVP_PKEY_get_size(key);

    EVP_PKEY_free(key);
    return size > 0 ? (size_t)size : 0;
}

/* A key of no worth, sealed as an upload is: does the token take it? */
static enum stirkeep_status probe(struct stk_keeper *keeper, struct stk_error *error)
{
    struct stk_bytes spki = stk_token_wrapping_spki(keeper->token);
    struct stk_secret pkcs8 = {0};
    struct stk_buffer sealed = {0};
    enum stirkeep_status status = STIRKEEP_INTERNAL;

    keeper->rsa_length = rsa_length_of(spki);
    if (keeper->rsa_length == 0 || !throw_away_pkcs8(&pkcs8))
        status = stk_error_set(error, STIRKEEP_INTERNAL, "token: its wrapping key is not usable");
    else
        status = stk_seal(spki, &pkcs8, &sealed, error);
    if (status == STIRKEEP_OK)
        stk_token_try_unwrap(keeper->token, (struct stk_bytes){sealed.data, sealed.length});
    stk_buffer_free(&sealed);
    stk_secret_free(&pkcs8);
    return status;
}

/* The trail has one writer, and a SoftHSM token's files have one keeper; others may be open twice.
 * False: nobody is there to say so. */
static bool await_go(void *context)
{
    struct stk_keeper *keeper = context;
    bool told = true;

    (void)pthread_mutex_lock(&keeper->lock);
    if (keeper->stands_by)
        told = stk_control_send(STK_FD_CONTROL, STK_CONTROL_STANDING_BY, STK_ROOM_KEEPER, NULL);
    keeper->waits_for_go = keeper->stands_by;
    while (keeper->stands_by && told)
        (void)pthread_cond_wait(&keeper->changed, &keeper->lock);
    (void)pthread_mutex_unlock(&keeper->lock);
    return told;
}

static void tell_pin(void *context, enum stk_pin_news news, const char *message)
{
    static const enum stk_control_kind kinds[] = {[STK_PIN_TRIED] = STK_CONTROL_PIN_TRIED,
                                                  [STK_PIN_TAKEN] = STK_CONTROL_PIN_TAKEN,
                                                  [STK_PIN_REFUSED] = STK_CONTROL_PIN_REFUSED,
                                                  [STK_PIN_UNJUDGED] = STK_CONTROL_PIN_UNJUDGED};
    (void)context;

    (void)stk_control_send(STK_FD_CONTROL, kinds[news], STK_ROOM_KEEPER, message);
}

/* A token that has refused the PIN is left as it is: a call that crashed or hung now would have a new
 * keeper made, and nothing is to be had from it. */
static enum stirkeep_status open_it(struct stk_keeper *keeper, struct stk_error *error)
{
    const struct stk_config *config = keeper->config;
    const struct stk_token_options options = {.module = config->token.module,
                                              .label = config->token.label,
                                              .directory = config->token.directory,
                                              .require_hardware = config->token.require_hardware,
                                              .await_turn = await_go,
                                              .tell_pin = tell_pin,
                                              .context = keeper,
                                              .verify_sampled = config->token.verify_sampled,
                                              .busy = &keeper->busy_since};
    struct stk_secret pin = {0};
    struct stk_token *token = NULL;
    enum stirkeep_status status = take_pin(&pin, error);

    if (status != STIRKEEP_OK)
        return status;
    status = stk_token_open(&options, &pin, &token, error);
    if (status == STIRKEEP_OK)
        keeper->token = token;
    else
        keeper->left = token;
    return status == STIRKEEP_OK ? probe(keeper, error) : status;
}

static bool prepare_thread(struct stk_keeper *keeper, struct stk_signer_thread *self,
                           size_t signers)
{
    self->keeper = keeper;
    stk_awake_init(&self->awake, signers);
    return stk_arena_new(&self->arena, SIGNER_ARENA_MAX) == STIRKEEP_OK &&
           stk_headers_new(signers, &self->headers) == STIRKEEP_OK;
}

/* As many as the token has sessions for, at least one. */
static enum stirkeep_status make_signers(struct stk_keeper *keeper, struct stk_error *error)
{
    const size_t wanted = stk_config_signers(keeper->config);
    enum stirkeep_status status = STIRKEEP_OK;

    keeper->signers = calloc(wanted, sizeof(*keeper->signers));
    if (keeper->signers == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "signers: out of memory");
    for (size_t i = 0; i < wanted; i++) {
        if (!prepare_thread(keeper, &keeper->signers[i], wanted))
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "signers: out of memory");
        if (keeper->token != NULL)
            status = stk_signer_new(keeper->token, &keeper->signers[i].signer, error);
        if (status != STIRKEEP_OK)
            break;
        keeper->signer_count++;
    }
    if (keeper->signer_count == 0)
        return status;
    if (keeper->signer_count < wanted)
        stk_log(STK_LOG_WARNING, "%zu signers instead of %zu: %s", keeper->signer_count, wanted,
                error->message);
    return STIRKEEP_OK;
}

/* The trail is worth a session: where there is none left, a signer of several gives up its own. */
static void make_sealer(struct stk_keeper *keeper)
{
    struct stk_signer_thread *last = &keeper->signers[keeper->signer_count - 1];
    struct stk_signer *signer = NULL;

    if (keeper->token == NULL)
        return;
    if (stk_signer_new(keeper->token, &signer, NULL) != STIRKEEP_OK && keeper->signer_count > 1) {
        stk_log(STK_LOG_WARNING, "one signer less: the audit trail's seals need its session");
        signer = last->signer;
        last->signer = NULL;
        keeper->signer_count--;
    }
    atomic_store(&keeper->sealer.signer, signer);
}

static enum stk_trail_sync sync_of(const struct stk_config *config)
{
    switch (config->audit.sync) {
    case STK_SYNC_ALWAYS:
        return STK_TRAIL_ALWAYS;
    case STK_SYNC_NONE:
        return STK_TRAIL_NONE;
    case STK_SYNC_INTERVAL:
        break;
    }
    return STK_TRAIL_INTERVAL;
}

static void begin_records(struct stk_keeper *keeper)
{
    char *detail = keeper->start_detail;
    size_t size = sizeof(keeper->start_detail);

    if (keeper->token == NULL) {
        (void)snprintf(detail, size, "%s", keeper->locked.message);
    } else {
        const struct stk_token_info *info = stk_token_info(keeper->token);
        char audit_key[2 * STK_KEY_ID_LENGTH + 1] = "none";

        if (atomic_load(&keeper->has_audit_key))
            stk_hex_encode(keeper->audit_key.key_id.bytes, STK_KEY_ID_LENGTH, audit_key);
        (void)snprintf(detail, size, "token %s, serial %s, model %s, audit key %s", info->label,
                       info->serial, info->model, audit_key);
    }
    stk_recorder_begin(&keeper->recorder, keeper->config->audit.file, sync_of(keeper->config),
                       detail);
}

enum stirkeep_status stk_keeper_open_token(struct stk_keeper *keeper, struct stk_error *error)
{
    enum stirkeep_status status = open_it(keeper, error);

    if (status == STIRKEEP_TOKEN_LOCKED) {
        keeper->locked = *error;
        stk_log(STK_LOG_ERROR, "%s: every request is answered \"%s\" from now on", error->message,
                stirkeep_status_name(status));
    } else if (status != STIRKEEP_OK) {
        return status;
    }
    stk_keeper_find_audit_key(keeper);
    status = make_signers(keeper, error);
    if (status != STIRKEEP_OK)
        return status;
    make_sealer(keeper);
    if (!await_go(keeper))
        return stk_error_set(error, STIRKEEP_NOT_CONNECTED, "control channel: closed");
    begin_records(keeper);
    return STIRKEEP_OK;
}
