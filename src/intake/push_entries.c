/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/log.h"
#include "cert/constraints.h"
#include <stdio.h>
#include <string.h>

/* Of one certificate. TOO_LARGE: no room for them any more. */
static enum stirkeep_status read_constraints(struct stk_intake *intake,
                                             struct stk_certificate *certificate,
                                             struct stk_error *error)
{
    struct stk_pushes *pushes = &intake->pushes;
    struct stk_constraints *constraints = NULL;
    struct stk_constraints found = {0};
    struct stk_bytes der = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_arena_reset(&pushes->leaf);
    status = stk_catalog_leaf(intake->catalog, certificate->name.text, certificate->generation,
                              &pushes->leaf, &der, error);
    if (status == STIRKEEP_OK)
        status = stk_der_constraints(der, &pushes->constraints, &found, error);
    if (status != STIRKEEP_OK || !stk_constraints_any(&found))
        return status;
    constraints = stk_arena_take(&pushes->constraints, sizeof(*constraints));
    if (constraints == NULL)
        return STIRKEEP_TOO_LARGE;
    *constraints = found;
    certificate->constraints = constraints;
    return STIRKEEP_OK;
}

/* What it may sign is not known, so it signs nothing. */
static void stop(struct stk_intake *intake, struct stk_certificate *certificate,
                 const struct stk_error *error)
{
    struct stk_pushes *pushes = &intake->pushes;

    certificate->active = false;
    pushes->unread = certificate->name;
    (void)snprintf(pushes->unread_text, sizeof(pushes->unread_text),
                   "%s: generation %u does not sign: %.200s", certificate->name.text,
                   certificate->generation, error->message);
    stk_log(STK_LOG_ERROR, "%s", pushes->unread_text);
}

const char *stk_push_trouble(const struct stk_intake *intake)
{
    return intake->pushes.unread_text;
}

enum stirkeep_status stk_push_constrain(struct stk_intake *intake,
                                        struct stk_certificate *certificates, size_t count,
                                        size_t *ret_done, struct stk_error *error)
{
    size_t done = 0;

    stk_arena_reset(&intake->pushes.constraints);
    for (; done < count; done++) {
        struct stk_certificate *one = &certificates[done];
        enum stirkeep_status status = STIRKEEP_OK;

        one->constraints = NULL;
        if (strcmp(one->name.text, intake->pushes.unread.text) == 0)
            intake->pushes.unread_text[0] = '\0';
        if (!one->active)
            continue; /* signs nothing anyhow */
        status = read_constraints(intake, one, error);
        if (status == STIRKEEP_TOO_LARGE && done > 0)
            break;
        if (status == STIRKEEP_OK)
            continue;
        if (status != STIRKEEP_CERT_INVALID && status != STIRKEEP_UNKNOWN_NAME &&
            status != STIRKEEP_TOO_LARGE)
            return status;
        stop(intake, one, error);
    }
    *ret_done = done;
    return STIRKEEP_OK;
}
