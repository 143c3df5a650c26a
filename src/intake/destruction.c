/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/destruction.h"

#include "base/digest.h"
#include "intake/intake.h"
#include <stdio.h>
#include <stdlib.h>

#define DESTROY_TIMEOUT_MS 10000

struct destroying {
    struct stk_errand errand;
    struct stk_intake *intake;
    struct stk_intent intent;
    struct stk_peer peer;
    uint64_t request_id;
    struct stk_destruction result;
    stk_destruction_done *done;
    void *context;
};

static void end(struct destroying *self, const struct stk_error *error)
{
    self->done(self->context, error == NULL ? &self->result : NULL, error);
    stk_errand_end(self);
}

static enum stirkeep_status commit(struct destroying *self, struct stk_error *error)
{
    struct stk_act act = {.act = "destroy",
                          .outcome = "ok",
                          .name = self->intent.name.text,
                          .key_id = self->intent.key_id,
                          .detail = self->result.proof,
                          .peer = self->peer,
                          .request_id = self->request_id};
    enum stirkeep_status status = stk_catalog_destroyed(self->intake->catalog, self->intent.id,
                                                        &act, &self->result.generations, error);

    if (status == STIRKEEP_OK)
        self->intake->acts_waiting = true;
    return status;
}

/* The proof: the keeper, asked to sign with the key, has no such key. */
static void asked(void *context, enum stirkeep_status status,
                  const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct destroying *self = context;
    struct stk_error reason = *error;

    (void)answer;
    if (status == STIRKEEP_OK)
        status = stk_error_set(&reason, STIRKEEP_TOKEN_ERROR,
                               "%s: the token says that the key is destroyed, but STILL SIGNS with "
                               "it",
                               self->intent.name.text);
    else if (status == STIRKEEP_KEY_UNAVAILABLE)
        status = commit(self, &reason);
    end(self, status == STIRKEEP_OK ? NULL : &reason);
}

static void destroyed(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct destroying *self = context;
    struct stk_custody_order order = {.kind = STK_CUSTODY_PROVE, .key_id = self->intent.key_id};

    if (status != STIRKEEP_OK && status != STIRKEEP_KEY_UNAVAILABLE) {
        end(self, error);
        return;
    }
    (void)snprintf(self->result.proof, sizeof(self->result.proof),
                   "%s; asked to sign with it, the keeper finds no such key",
                   status == STIRKEEP_OK && answer->has_destroyed
                       ? answer->proof
                       : "the token had no such key any more");
    stk_random(order.challenge, sizeof(order.challenge));
    stk_call(self->intake, &order, DESTROY_TIMEOUT_MS, asked, self);
}

void stk_destruct(struct stk_intake *intake, const struct stk_intent *intent,
                  const struct stk_peer *peer, uint64_t request_id, stk_destruction_done *done,
                  void *context)
{
    struct destroying *self = stk_errand_new(&intake->errands, sizeof(*self), NULL);
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY, .key_id = intent->key_id};

    if (self == NULL)
        abort(); /* the journal takes it from here */
    self->intake = intake;
    self->intent = *intent;
    self->peer = *peer;
    self->request_id = request_id;
    self->done = done;
    self->context = context;
    stk_call(intake, &order, DESTROY_TIMEOUT_MS, destroyed, self);
}
