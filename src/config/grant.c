/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"
#include "policy/pattern.h"
#include <string.h>

void stk_grant_draft_free(struct stk_grant_draft *draft)
{
    stk_list_free(&draft->uids);
    stk_list_free(&draft->gids);
    stk_list_free_texts(&draft->executables);
    stk_list_free_texts(&draft->units);
    stk_list_free_texts(&draft->certificates);
    stk_list_free_texts(&draft->other_ppts);
    stk_list_free(&draft->numbers);
    stk_list_free_texts(&draft->uris);
    *draft = (struct stk_grant_draft){0};
}

enum stirkeep_status stk_grant_begin(struct stk_loader *loader, struct stk_error *error)
{
    if (strlen(loader->name) > STK_GRANT_NAME_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "the grant's name is longer than %d characters", STK_GRANT_NAME_MAX);
    loader->rate = (struct stk_rate){0};
    return STIRKEEP_OK;
}

enum stirkeep_status stk_grant_end(struct stk_loader *loader, struct stk_error *error)
{
    struct stk_grant_draft *draft = &loader->grant;
    struct stk_grant grant = {.uids = draft->uids.items,
                              .uid_count = draft->uids.count,
                              .gids = draft->gids.items,
                              .gid_count = draft->gids.count,
                              .executables = draft->executables.items,
                              .executable_count = draft->executables.count,
                              .units = draft->units.items,
                              .unit_count = draft->units.count,
                              .certificates = draft->certificates.items,
                              .certificate_count = draft->certificates.count,
                              .ppts = draft->ppts,
                              .other_ppts = draft->other_ppts.items,
                              .other_ppt_count = draft->other_ppts.count,
                              .attests = draft->attests,
                              .numbers = draft->numbers.items,
                              .number_count = draft->numbers.count,
                              .uris = draft->uris.items,
                              .uri_count = draft->uris.count,
                              .sign_input = draft->sign_input,
                              .rate = loader->rate};
    enum stirkeep_status status = STIRKEEP_OK;

    if (grant.ppts == 0 && grant.other_ppt_count == 0)
        grant.ppts = STK_PPT_SHAKEN;
    memcpy(grant.name, loader->name, strlen(loader->name) + 1);
    if ((grant.ppts & STK_PPT_SHAKEN) != 0 && grant.attests == 0)
        status = stk_error_set(error, STIRKEEP_CONFIG,
                               "attest: missing (a grant for shaken says which of A, B, C)");
    else
        status = stk_policy_add(loader->config->policy, &grant, error);
    stk_grant_draft_free(draft);
    return status;
}

enum stirkeep_status stk_certificate_begin(struct stk_loader *loader, struct stk_error *error)
{
    const char *fault = stk_pattern_fault(loader->name);

    loader->rate = (struct stk_rate){0};
    return fault == NULL ? STIRKEEP_OK : stk_error_set(error, STIRKEEP_CONFIG, "%s", fault);
}

enum stirkeep_status stk_certificate_end(struct stk_loader *loader, struct stk_error *error)
{
    struct stk_certificate_limit limit = {.pattern = loader->name, .rate = loader->rate};

    return stk_policy_limit(loader->config->policy, &limit, error);
}
