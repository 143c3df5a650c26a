/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/digest.h"
#include "intake/intake.h"
#include "intake/proof.h"
#include <string.h>

/* The first half: which keys of the token are new, and do they sign? */

#define LIST_TIMEOUT_MS 30000 /* the first order of a walk lists the whole token */
#define PROVE_TIMEOUT_MS 10000

static void drop_key(struct stk_rebuild *rebuild, const struct stk_error *error)
{
    rebuild->plan.count = rebuild->plan_before;
    if (!stk_rebuild_spares(error->status)) {
        stk_rebuild_stop(rebuild, error);
        return;
    }
    stk_rebuild_problem(rebuild, &rebuild->name, &rebuild->key_id, error->message);
    stk_rebuild_walk(rebuild);
}

/* A key that waits for its certificate: one that is known to nobody is nobody's mistake. */
static enum stirkeep_status take_bare(struct stk_rebuild *rebuild, const char *attributes,
                                      struct stk_error *error)
{
    struct stk_catalog *catalog = rebuild->intake->catalog;
    struct stk_certificate certificate = {0};
    struct stk_requested_key other = {0};
    size_t count = 0;
    bool known =
        stk_catalog_certificate(catalog, rebuild->name.text, &certificate, NULL) == STIRKEEP_OK;
    enum stirkeep_status status = stk_catalog_requested(catalog, rebuild->name.text,
                                                        &rebuild->arena, &other, 1, &count, error);

    if (status == STIRKEEP_OK)
        status = stk_rebuild_take_key(rebuild, attributes, error);
    if (status == STIRKEEP_OK && !known && count == 0)
        rebuild->names++;
    rebuild->intake->acts_waiting = true;
    stk_acts_flush(rebuild->intake);
    return status;
}

static void proven(void *context, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_rebuild *rebuild = context;
    struct stk_error reason = *error;

    if (answer == NULL) {
        stk_rebuild_stop(rebuild, error);
        return;
    }
    stk_arena_reset(&rebuild->arena);
    if (status == STIRKEEP_OK &&
        !(answer->has_proof &&
          (rebuild->leaf == NULL ||
           stk_proof_verifies(rebuild->leaf, rebuild->challenge, answer->signature))))
        status = stk_error_set(&reason, STIRKEEP_NOT_VERIFIED,
                               "the token's signature does not verify with its certificate");
    if (status == STIRKEEP_OK && rebuild->leaf == NULL)
        status = take_bare(rebuild, answer->attributes, &reason);
    if (status == STIRKEEP_OK)
        stk_rebuild_walk(rebuild);
    else
        drop_key(rebuild, &reason);
}

static void prove(struct stk_rebuild *rebuild)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_PROVE, .key_id = rebuild->key_id};

    stk_random(rebuild->challenge, sizeof(rebuild->challenge));
    memcpy(order.challenge, rebuild->challenge, sizeof(order.challenge));
    stk_call(rebuild->intake, &order, PROVE_TIMEOUT_MS, proven, rebuild);
}

/* Is this one of the key's own certificates, and new? Then it is a candidate. */
static enum stirkeep_status look_at(struct stk_rebuild *rebuild, const struct stk_bytes *der,
                                    struct stk_error *error)
{
    struct stk_chain *chain = NULL;
    struct stk_leaf leaf = {0};
    struct stk_candidate candidate = {.name = rebuild->name, .key_id = rebuild->key_id};
    bool known = false;
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_chain_from_der(der, 1, &chain, NULL) != STIRKEEP_OK)
        return STIRKEEP_OK;
    stk_arena_reset(&rebuild->arena);
    if (stk_chain_leaf(chain, &rebuild->arena, &leaf, NULL) != STIRKEEP_OK || !leaf.p256 ||
        memcmp(&leaf.key_id, &rebuild->key_id, sizeof(leaf.key_id)) != 0)
        goto out;
    status = stk_catalog_knows(rebuild->intake->catalog, rebuild->name.text, leaf.fingerprint,
                               &known, error);
    if (status == STIRKEEP_OK && !known) {
        memcpy(candidate.fingerprint, leaf.fingerprint, sizeof(candidate.fingerprint));
        candidate.not_before = leaf.not_before;
        candidate.not_after = leaf.not_after;
        if (stk_plan_add(&rebuild->plan, &candidate) != STIRKEEP_OK)
            status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    if (rebuild->leaf == NULL) {
        rebuild->leaf = chain;
        chain = NULL;
    }
out:
    stk_chain_free(chain);
    return status;
}

/* OK and `*ret_new`: it is to prove itself. */
static enum stirkeep_status look(struct stk_rebuild *rebuild,
                                 const struct stk_custody_answer *answer, bool *ret_new,
                                 struct stk_error *error)
{
    struct stk_catalog *catalog = rebuild->intake->catalog;
    enum stirkeep_status status =
        stk_catalog_holder(catalog, &rebuild->key_id, &rebuild->name, error);
    bool held = status == STIRKEEP_OK;

    if (status == STIRKEEP_UNKNOWN_NAME)
        status = stk_name_parse(answer->name, &rebuild->name, error);
    rebuild->known += held ? 1 : 0;
    rebuild->plan_before = rebuild->plan.count;
    for (size_t i = 0; status == STIRKEEP_OK && i < answer->certificate_count; i++)
        status = look_at(rebuild, &answer->certificates[i], error);
    *ret_new = rebuild->plan.count > rebuild->plan_before || (!held && rebuild->leaf == NULL);
    if (status == STIRKEEP_OK && *ret_new)
        status = stk_catalog_idle(catalog, rebuild->name.text, &rebuild->key_id, error);
    return status;
}

static void listed(void *context, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    static const struct stk_key_id none;
    struct stk_rebuild *rebuild = context;
    struct stk_error reason = *error;
    bool is_new = false;

    if (status == STIRKEEP_OK && !answer->has_inventory)
        status = stk_error_set(&reason, STIRKEEP_INTERNAL, "the keeper's answer is no inventory");
    if (status != STIRKEEP_OK) {
        stk_rebuild_stop(rebuild, &reason);
        return;
    }
    if (memcmp(&answer->key_id, &none, sizeof(none)) == 0) {
        stk_plan_settle(&rebuild->plan, stk_clock_seconds());
        stk_rebuild_carry(rebuild);
        return;
    }
    rebuild->key_id = answer->key_id;
    status = look(rebuild, answer, &is_new, &reason);
    if (status != STIRKEEP_OK)
        drop_key(rebuild, &reason);
    else if (is_new)
        prove(rebuild);
    else
        stk_rebuild_walk(rebuild);
}

void stk_rebuild_ask(struct stk_rebuild *rebuild, const struct stk_key_id *after,
                     stk_call_done *done)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_INVENTORY, .key_id = *after};

    stk_call(rebuild->intake, &order, LIST_TIMEOUT_MS, done, rebuild);
}

void stk_rebuild_walk(struct stk_rebuild *rebuild)
{
    stk_rebuild_forget_key(rebuild);
    if (!stk_rebuild_drains(rebuild))
        stk_rebuild_ask(rebuild, &rebuild->key_id, listed);
}
