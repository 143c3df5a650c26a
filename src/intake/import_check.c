/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "cert/gate.h"
#include <stdio.h>
#include <string.h>

/* What an import has to pass before the keeper hears of it. */

/* Findings that do not refuse go back with the answer. */
static enum stirkeep_status judge(struct stk_import *import, struct stk_error *error)
{
    struct stk_task *task = import->task;
    struct stk_gate_report report = {0};
    bool strict = task->intake->config->signing.profile == STK_PROFILE_STRICT;
    const char **warnings = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_gate_judge(import->chain, strict, stk_clock_seconds(), &report);
    status = stk_gate_verdict(&report, error);
    if (status != STIRKEEP_OK)
        return status;
    warnings = stk_arena_take(&task->arena, STK_GATE_FINDINGS_MAX * sizeof(*warnings));
    if (warnings == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "chain: takes too much memory");
    for (size_t i = 0; i < report.count; i++) {
        char text[256] = "";

        (void)snprintf(text, sizeof(text), "%s: %s", report.findings[i].code,
                       report.findings[i].message);
        warnings[i] = stk_arena_copy(&task->arena, text, strlen(text));
        if (warnings[i] == NULL)
            return stk_error_set(error, STIRKEEP_TOO_LARGE, "chain: takes too much memory");
    }
    task->response.warnings = warnings;
    task->response.warning_count = report.count;
    return STIRKEEP_OK;
}

static enum stirkeep_status choose_x5u(struct stk_import *import, struct stk_error *error)
{
    const struct stk_config *config = import->task->intake->config;
    const struct stk_admin_request *request = &import->task->request;

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

/* Who has the key already? And is what is asked for the active generation as it is? */
static enum stirkeep_status check_holder(struct stk_import *import, struct stk_error *error)
{
    struct stk_task *task = import->task;
    struct stk_catalog *catalog = task->intake->catalog;
    struct stk_certificate active = {0};
    struct stk_name holder = {0};
    struct stk_bytes chain[STK_CHAIN_MAX] = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_catalog_holder(catalog, &import->leaf.key_id, &holder, error);

    if (status == STIRKEEP_UNKNOWN_NAME)
        return STIRKEEP_OK;
    if (status != STIRKEEP_OK)
        return status;
    if (strcmp(holder.text, task->request.name.text) != 0)
        return stk_error_set(error, STIRKEEP_CONFLICT, "this key is held under the name %s already",
                             holder.text);
    status = stk_catalog_certificate(catalog, holder.text, &active, error);
    if (status == STIRKEEP_OK)
        status = stk_catalog_chain(catalog, holder.text, active.generation, &task->arena, chain,
                                   &count, error);
    if (status != STIRKEEP_OK)
        return status;
    import->held = active.active && is_same_chain(&task->request, chain, count) &&
                   (task->request.x5u[0] == '\0' || strcmp(task->request.x5u, active.x5u) == 0);
    if (import->held) {
        import->generation = active.generation;
        (void)snprintf(import->x5u, sizeof(import->x5u), "%s", active.x5u);
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_import_check(struct stk_import *import, struct stk_error *error)
{
    struct stk_task *task = import->task;
    enum stirkeep_status status =
        stk_chain_from_der(task->request.chain, task->request.chain_count, &import->chain, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(import->chain, &task->arena, &import->leaf, error);
    if (status == STIRKEEP_OK)
        status = judge(import, error);
    if (status == STIRKEEP_OK)
        status = choose_x5u(import, error);
    if (status == STIRKEEP_OK)
        status = check_holder(import, error);
    if (status == STIRKEEP_OK)
        status =
            stk_catalog_intend(task->intake->catalog, task->request.name.text, &import->leaf.key_id,
                               task->request.source, stk_clock_seconds(), &import->intent, error);
    return status;
}
