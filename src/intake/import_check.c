/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/encode.h"
#include "cert/gate.h"
#include <stdio.h>
#include <string.h>

/* What an import has to pass before the keeper hears of it. */

#define LOOK_MAX 64 /* generations, the newest */

/* A staged certificate has to be valid from its activation on. */
static int64_t signs_from(const struct stk_import *import)
{
    int64_t now = stk_clock_seconds();

    return import->request->activate_at > now ? import->request->activate_at : now;
}

/* Findings that do not refuse go back with the answer. */
static enum stirkeep_status judge(struct stk_import *import, struct stk_error *error)
{
    struct stk_gate_report report = {0};
    bool strict = import->intake->config->signing.profile == STK_PROFILE_STRICT;
    const char **warnings = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_gate_judge(import->chain, strict, signs_from(import), &report);
    status = stk_gate_verdict(&report, error);
    if (status != STIRKEEP_OK)
        return status;
    warnings = stk_arena_take(import->arena, STK_GATE_FINDINGS_MAX * sizeof(*warnings));
    if (warnings == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "chain: takes too much memory");
    for (size_t i = 0; i < report.count; i++) {
        char text[256] = "";

        (void)snprintf(text, sizeof(text), "%s: %s", report.findings[i].code,
                       report.findings[i].message);
        warnings[i] = stk_arena_copy(import->arena, text, strlen(text));
        if (warnings[i] == NULL)
            return stk_error_set(error, STIRKEEP_TOO_LARGE, "chain: takes too much memory");
    }
    import->warnings = warnings;
    import->warning_count = report.count;
    return STIRKEEP_OK;
}

static enum stirkeep_status choose_x5u(struct stk_import *import, struct stk_error *error)
{
    const struct stk_config *config = import->intake->config;
    const struct stk_admin_request *request = import->request;

    if (request->x5u[0] != '\0') {
        (void)snprintf(import->x5u, sizeof(import->x5u), "%s", request->x5u);
        return STIRKEEP_OK;
    }
    if (config->signing.x5u_template[0] == '\0')
        return stk_error_set(
            error, STIRKEEP_INVALID,
            "x5u: neither given nor in the configuration ([signing] x5u-template)");
    if (stk_config_x5u(config->signing.x5u_template, request->name.text, import->leaf.fingerprint,
                       import->x5u) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "x5u: longer than %d characters",
                             STK_X5U_MAX);
    return STIRKEEP_OK;
}

static bool is_same_chain(const struct stk_admin_request *request, const struct stk_bytes *chain,
                          size_t count)
{
    if (count == 0 || count != request->chain_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (chain[i].length != request->chain[i].length ||
            memcmp(chain[i].data, request->chain[i].data, chain[i].length) != 0)
            return false;
    return true;
}

/* Is what is asked for this generation as it is? */
static enum stirkeep_status look_at(struct stk_import *import, const struct stk_generation *about,
                                    struct stk_error *error)
{
    const struct stk_admin_request *request = import->request;
    struct stk_bytes chain[STK_CHAIN_MAX] = {0};
    bool staged = strcmp(about->state, "staged") == 0;
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if ((!staged && strcmp(about->state, "active") != 0) ||
        strcmp(about->fingerprint, import->leaf.fingerprint) != 0 ||
        (request->x5u[0] != '\0' && strcmp(request->x5u, about->x5u) != 0))
        return STIRKEEP_OK;
    status = stk_catalog_chain(import->intake->catalog, request->name.text, about->generation,
                               import->arena, chain, &count, error);
    if (status != STIRKEEP_OK || !is_same_chain(request, chain, count))
        return status;
    import->held = true;
    import->staged = staged;
    import->generation = about->generation;
    import->activate_at = staged ? request->activate_at : 0;
    (void)snprintf(import->x5u, sizeof(import->x5u), "%s", about->x5u);
    return STIRKEEP_OK;
}

/* The active one before those that are staged, and of these the newest. */
static enum stirkeep_status look_for_held(struct stk_import *import, struct stk_error *error)
{
    struct stk_generation *about = stk_arena_take(import->arena, LOOK_MAX * sizeof(*about));
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (about == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_catalog_show(import->intake->catalog, import->request->name.text, import->arena,
                              about, LOOK_MAX, &count, error);
    if (status == STIRKEEP_UNKNOWN_NAME)
        return STIRKEEP_OK; /* it has the key alone, which waits for this certificate */
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        if (!import->held || strcmp(about[i].state, "active") == 0)
            status = look_at(import, &about[i], error);
    return status;
}

static enum stirkeep_status no_holder(const struct stk_import *import, struct stk_error *error)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";

    if (import->request->kind == STK_ADMIN_IMPORT)
        return STIRKEEP_OK;
    stk_hex_encode(import->leaf.key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                         "the certificate is for the key %s, which is not held: import it with its "
                         "key, or install the certificate that was issued for a request made here",
                         key_id);
}

/* Who has the key already? And is what is asked for there as it is? */
static enum stirkeep_status check_holder(struct stk_import *import, struct stk_error *error)
{
    struct stk_name holder = {0};
    enum stirkeep_status status =
        stk_catalog_holder(import->intake->catalog, &import->leaf.key_id, &holder, error);

    if (status == STIRKEEP_UNKNOWN_NAME)
        return no_holder(import, error);
    if (status != STIRKEEP_OK)
        return status;
    if (strcmp(holder.text, import->request->name.text) != 0)
        return stk_error_set(error, STIRKEEP_CONFLICT, "this key is held under the name %s already",
                             holder.text);
    return look_for_held(import, error);
}

/* A time that has passed is a slip of the pen, except in a command given again. */
static enum stirkeep_status check_time(struct stk_import *import, struct stk_error *error)
{
    int64_t at = import->request->activate_at;
    char text[STK_SECONDS_TEXT] = "";

    if (import->held)
        return STIRKEEP_OK;
    import->activate_at = at;
    stk_seconds_text(at, text);
    if (at != 0 && at < stk_clock_seconds())
        return stk_error_set(error, STIRKEEP_INVALID, "activate-at: %s is in the past", text);
    return STIRKEEP_OK;
}

static enum stirkeep_status intend(struct stk_import *import, struct stk_error *error)
{
    const struct stk_admin_request *request = import->request;
    const char *source = request->kind == STK_ADMIN_IMPORT ? request->source : "";
    int64_t intent = 0;
    enum stirkeep_status status =
        stk_catalog_intend(import->intake->catalog, STK_INTENT_IMPORT, request->name.text,
                           &import->leaf.key_id, source, stk_clock_seconds(), &intent, error);

    if (status == STIRKEEP_OK)
        stk_claim_take(import->intake, &import->claim, intent);
    return status;
}

enum stirkeep_status stk_import_check(struct stk_import *import, struct stk_error *error)
{
    enum stirkeep_status status = stk_chain_from_der(
        import->request->chain, import->request->chain_count, &import->chain, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(import->chain, import->arena, &import->leaf, error);
    if (status == STIRKEEP_OK)
        status = judge(import, error);
    if (status == STIRKEEP_OK)
        status = choose_x5u(import, error);
    if (status == STIRKEEP_OK)
        status = check_holder(import, error);
    if (status == STIRKEEP_OK)
        status = check_time(import, error);
    return status == STIRKEEP_OK ? intend(import, error) : status;
}
