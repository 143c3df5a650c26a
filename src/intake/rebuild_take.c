/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "cert/assemble.h"
#include "intake/intake.h"
#include "model/uri.h"
#include <stdio.h>
#include <string.h>

/* The second half: name by name, what is new becomes generations. */

static struct stk_act act_of(struct stk_rebuild *rebuild, const struct stk_name *name,
                             const struct stk_key_id *key_id, const char *detail)
{
    return (struct stk_act){.act = "rebuild",
                            .outcome = stirkeep_status_name(STIRKEEP_OK),
                            .name = name->text,
                            .key_id = *key_id,
                            .detail = detail,
                            .peer = rebuild->task->peer,
                            .request_id = rebuild->task->request.id};
}

/* Which of the answer's certificates is the candidate? */
static enum stirkeep_status find(const struct stk_candidate *candidate,
                                 const struct stk_custody_answer *answer, size_t *ret_index,
                                 struct stk_error *error)
{
    bool there = memcmp(&answer->key_id, &candidate->key_id, sizeof(answer->key_id)) == 0;

    for (size_t i = 0; there && i < answer->certificate_count; i++) {
        uint8_t digest[STK_DIGEST_LENGTH] = {0};
        char fingerprint[2 * STK_DIGEST_LENGTH + 1] = "";

        stk_sha256(answer->certificates[i].data, answer->certificates[i].length, digest);
        stk_hex_encode(digest, sizeof(digest), fingerprint);
        if (strcmp(fingerprint, candidate->fingerprint) == 0) {
            *ret_index = i;
            return STIRKEEP_OK;
        }
    }
    return stk_error_set(error, STIRKEEP_UNAVAILABLE, "it is not on the token any more");
}

/* As it was stored with the certificate, else as it would be for a new one. */
static enum stirkeep_status choose_x5u(struct stk_rebuild *rebuild,
                                       const struct stk_candidate *candidate, const char *stored,
                                       char ret_x5u[STK_X5U_MAX + 1], const char **ret_from,
                                       struct stk_error *error)
{
    const char *x5u_template = rebuild->intake->config->signing.x5u_template;

    if (stored[0] != '\0' && stk_x5u_check(stored, NULL) == STIRKEEP_OK) {
        (void)snprintf(ret_x5u, STK_X5U_MAX + 1, "%s", stored);
        *ret_from = "from the token";
        return STIRKEEP_OK;
    }
    *ret_from = "by the template";
    if (x5u_template[0] != '\0' && stk_config_x5u(x5u_template, candidate->name.text,
                                                  candidate->fingerprint, ret_x5u) == STIRKEEP_OK)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_INVALID,
                         "its x5u is not on the token: set [signing] x5u-template, and repeat");
}

/* A key made on the token says so by itself. */
static const char *origin_of(const char *attributes)
{
    return strstr(attributes, " LOCAL=1") != NULL ? "generated" : "imported";
}

static enum stirkeep_status add(struct stk_rebuild *rebuild, const struct stk_candidate *candidate,
                                const struct stk_custody_answer *answer,
                                const struct stk_chain *chain, const struct stk_leaf *leaf,
                                const char *stored_x5u, uint32_t *ret_generation,
                                struct stk_error *error)
{
    char x5u[STK_X5U_MAX + 1] = "";
    char detail[STK_ACT_DETAIL_MAX] = "";
    const char *from = "";
    struct stk_bytes der[STK_CHAIN_MAX] = {{0}};
    struct stk_act act = act_of(rebuild, &candidate->name, &candidate->key_id, detail);
    struct stk_generation about = {.name = candidate->name.text,
                                   .spc = leaf->spc,
                                   .numbers = leaf->numbers,
                                   .subject = leaf->subject,
                                   .issuer = leaf->issuer,
                                   .serial = leaf->serial,
                                   .fingerprint = leaf->fingerprint,
                                   .x5u = x5u,
                                   .not_before = leaf->not_before,
                                   .not_after = leaf->not_after,
                                   .key_id = candidate->key_id,
                                   .origin = origin_of(answer->attributes),
                                   .attributes = answer->attributes,
                                   .created = stk_clock_seconds(),
                                   .created_by = rebuild->task->peer.uid};
    struct stk_new_generation generation = {
        .about = &about, .chain = der, .chain_count = stk_chain_count(chain), .act = &act};
    enum stirkeep_status status = choose_x5u(rebuild, candidate, stored_x5u, x5u, &from, error);

    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < generation.chain_count; i++)
        der[i] = stk_chain_der(chain, i);
    (void)snprintf(detail, sizeof(detail),
                   "found on the token, proven to sign; serial %s, x5u %s %s; %s", leaf->serial,
                   x5u, from, answer->attributes);
    return stk_catalog_recover(rebuild->intake->catalog, &generation, candidate->active,
                               ret_generation, error);
}

static enum stirkeep_status take(struct stk_rebuild *rebuild, const struct stk_candidate *candidate,
                                 const struct stk_custody_answer *answer, uint32_t *ret_generation,
                                 struct stk_error *error)
{
    struct stk_chain *chain = NULL;
    struct stk_leaf leaf = {0};
    size_t index = 0;
    enum stirkeep_status status = find(candidate, answer, &index, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_assemble(answer->certificates, answer->certificate_count, index, &chain,
                                    error);
    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(chain, &rebuild->arena, &leaf, error);
    if (status == STIRKEEP_OK)
        status = add(rebuild, candidate, answer, chain, &leaf, answer->x5u[index], ret_generation,
                     error);
    stk_chain_free(chain);
    return status;
}

enum stirkeep_status stk_rebuild_take_key(struct stk_rebuild *rebuild, const char *attributes,
                                          struct stk_error *error)
{
    const struct stk_name *name = &rebuild->name;
    const struct stk_key_id *key_id = &rebuild->key_id;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(rebuild, name, key_id, detail);
    struct stk_new_key key = {.name = name->text,
                              .key_id = *key_id,
                              .attributes = attributes,
                              .created = stk_clock_seconds(),
                              .created_by = rebuild->task->peer.uid,
                              .act = &act};

    (void)snprintf(detail, sizeof(detail),
                   "found on the token without a certificate, proven to sign; %s", attributes);
    return stk_catalog_hold_key(rebuild->intake->catalog, &key, error);
}

/* ---- one after the other */

/* Front learns of a name when all of it is there. */
static void end_name(struct stk_rebuild *rebuild, const struct stk_candidate *last)
{
    struct stk_certificate certificate = {0};

    if (rebuild->added == 0)
        return;
    rebuild->names += rebuild->new_name ? 1 : 0;
    rebuild->push = stk_push_name(rebuild->intake, &last->name);
    if (stk_catalog_certificate(rebuild->intake->catalog, last->name.text, &certificate, NULL) ==
            STIRKEEP_OK &&
        !certificate.active)
        stk_rebuild_problem(
            rebuild, &last->name, &last->key_id,
            "taken in as a previous generation, and nothing is active under this name: it was "
            "retired, or the one that should be active has a problem");
}

static void begin_name(struct stk_rebuild *rebuild, const struct stk_candidate *first)
{
    struct stk_certificate certificate = {0};

    rebuild->added = 0;
    rebuild->new_name = stk_catalog_certificate(rebuild->intake->catalog, first->name.text,
                                                &certificate, NULL) == STIRKEEP_UNKNOWN_NAME;
}

static void fetched(void *context, enum stirkeep_status status,
                    const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_rebuild *rebuild = context;
    const struct stk_candidate *candidate = &rebuild->plan.items[rebuild->at];
    struct stk_error reason = *error;
    uint32_t generation = 0;

    stk_arena_reset(&rebuild->arena);
    if (status == STIRKEEP_OK && !answer->has_inventory)
        status = stk_error_set(&reason, STIRKEEP_INTERNAL, "the keeper's answer is no inventory");
    if (status == STIRKEEP_OK)
        status = take(rebuild, candidate, answer, &generation, &reason);
    if (answer == NULL || (status != STIRKEEP_OK && !stk_rebuild_spares(status))) {
        end_name(rebuild, candidate);
        stk_rebuild_stop(rebuild, &reason);
        return;
    }
    if (status != STIRKEEP_OK)
        stk_rebuild_problem(rebuild, &candidate->name, &candidate->key_id, reason.message);
    rebuild->added += generation != 0 ? 1 : 0;
    rebuild->generations += generation != 0 ? 1 : 0;
    rebuild->intake->acts_waiting = true;
    stk_acts_flush(rebuild->intake);
    rebuild->at++;
    if (rebuild->at == rebuild->plan.count ||
        strcmp(rebuild->plan.items[rebuild->at].name.text, candidate->name.text) != 0)
        end_name(rebuild, candidate);
    stk_rebuild_carry(rebuild);
}

/* The id before, so that the key comes next. */
static struct stk_key_id before(const struct stk_key_id *key_id)
{
    struct stk_key_id id = *key_id;

    for (size_t i = sizeof(id.bytes); i > 0 && id.bytes[i - 1]-- == 0; i--)
        continue;
    return id;
}

void stk_rebuild_carry(struct stk_rebuild *rebuild)
{
    const struct stk_candidate *items = rebuild->plan.items;
    size_t at = rebuild->at;
    struct stk_key_id after = {0};

    if (stk_rebuild_drains(rebuild))
        return;
    if (at == rebuild->plan.count) {
        stk_rebuild_finish(rebuild);
        return;
    }
    if (at == 0 || strcmp(items[at].name.text, items[at - 1].name.text) != 0)
        begin_name(rebuild, &items[at]);
    after = before(&items[at].key_id);
    stk_rebuild_ask(rebuild, &after, fetched);
}
