/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/keeper.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_US 1000000
#define ROUNDS 64 /* seals at a time, each of as many records as one can have */

static void complain(struct stk_sealer *self, const struct stk_error *why)
{
    if (!self->told_unsealed)
        stk_log(STK_LOG_ERROR,
                "audit trail: not sealed: %s: it is written on, and sealed when that can be done",
                why->message);
    self->told_unsealed = true;
    self->seal_again = stk_clock_mono_us() + AGAIN_US;
}

static void rejoice(struct stk_sealer *self)
{
    if (self->told_unsealed)
        stk_log(STK_LOG_INFO, "audit trail: sealed again");
    self->told_unsealed = false;
}

/* The token may have had no session for it when it started. */
static struct stk_signer *signer_of(struct stk_sealer *self, struct stk_error *error)
{
    struct stk_signer *signer = atomic_load(&self->signer);

    if (signer == NULL && stk_signer_new(self->keeper->token, &signer, error) == STIRKEEP_OK)
        atomic_store(&self->signer, signer);
    return signer;
}

static bool sign(struct stk_sealer *self, struct stk_seal *seal)
{
    struct stk_keeper *keeper = self->keeper;
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_error error = {0};
    struct stk_signer *signer = signer_of(self, &error);
    enum stirkeep_status status = error.status;

    seal->key_id = keeper->audit_key.key_id;
    stk_clock_text(stk_clock_real_us(), seal->time);
    stk_seal_digest(seal, digest);
    if (signer != NULL)
        status = stk_signer_seal(signer, &seal->key_id, digest, seal->signature, &error);
    if (signer != NULL && status == STIRKEEP_OK)
        return true;
    complain(self, &error);
    /* Custody looks for it, and makes another when there is none any more. */
    if (status == STIRKEEP_KEY_UNAVAILABLE)
        atomic_store(&keeper->has_audit_key, false);
    return false;
}

/* Only the newest waits: it stands for those before it. */
static void tell_porter(struct stk_sealer *self, uint64_t through)
{
    self->unsent = (struct stk_control_message){
        .kind = STK_CONTROL_SEALED, .room = STK_ROOM_KEEPER, .number = through};
    if (self->line.length >= sizeof(self->unsent.text)) {
        self->unsent.kind = 0; /* no seal is so long */
        return;
    }
    memcpy(self->unsent.text, self->line.data, self->line.length);
    stk_sealing_send(self);
}

void stk_sealing_send(struct stk_sealer *self)
{
    if (self->unsent.kind != 0 && stk_control_send_message(STK_FD_CONTROL, &self->unsent))
        self->unsent.kind = 0;
}

/* False: not now. */
static bool seal_once(struct stk_sealer *self, struct stk_trail *trail, bool *ret_nothing)
{
    struct stk_seal seal = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_nothing = !stk_trail_seal_begin(trail, &seal);
    if (*ret_nothing)
        return true;
    if (!sign(self, &seal))
        return false;
    status = stk_trail_seal_end(trail, &seal, stk_clock_real_us(), &self->line, &error);
    if (status == STIRKEEP_INVALID)
        return true; /* what it covered was taken back: another one */
    if (status != STIRKEEP_OK) {
        self->seal_again = stk_clock_mono_us() + AGAIN_US; /* the recorder tells of the trail */
        return false;
    }
    atomic_store(&self->sealed, seal.through);
    rejoice(self);
    tell_porter(self, seal.through);
    return true;
}

bool stk_sealing_do(struct stk_sealer *self, struct stk_trail *trail)
{
    bool nothing = false;

    if (!atomic_load(&self->keeper->has_audit_key) || stk_clock_mono_us() < self->seal_again)
        return false;
    /* What is not on the disk yet cannot be sealed. */
    if (stk_trail_sync(trail, NULL) != STIRKEEP_OK)
        return false;
    for (int round = 0; round < ROUNDS && !nothing; round++) {
        uint64_t before = stk_trail_sequence(trail);

        if (!seal_once(self, trail, &nothing))
            return false;
        /* While others write on, the rest waits for its own time. */
        if (!nothing && atomic_load(&self->sealed) + STK_SEAL_RECORDS_MAX > before)
            nothing = true;
    }
    self->waiting_since = 0;
    return true;
}

void stk_sealing_if_due(struct stk_sealer *self, struct stk_trail *trail)
{
    const struct stk_config *config = self->keeper->config;
    uint64_t now = stk_clock_mono_us();
    int64_t since = 0;
    uint64_t count = stk_trail_unsealed(trail, &since);

    if (count == 0)
        self->waiting_since = 0;
    else if (self->waiting_since == 0)
        self->waiting_since = now;
    if (self->begun && (count == 0 || (count < config->audit.seal_records &&
                                       now - self->waiting_since <
                                           (uint64_t)config->audit.seal_seconds * 1000000)))
        return;
    if (count == 0 || stk_sealing_do(self, trail))
        self->begun = true;
}
