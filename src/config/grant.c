/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/people.h"
#include "config/take.h"
#include "policy/pattern.h"
#include <stdlib.h>
#include <string.h>

void stk_grant_draft_free(struct stk_grant_draft *draft)
{
    for (size_t i = 0; i < draft->certificate_count; i++)
        free(draft->certificates[i]);
    free(draft->certificates);
    free(draft->uids);
    free(draft->gids);
    *draft = (struct stk_grant_draft){0};
}

enum stirkeep_status stk_grant_begin(struct stk_loader *loader, const char *name,
                                     struct stk_error *error)
{
    size_t length = strlen(name);

    if (length > STK_GRANT_NAME_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "the grant's name is longer than %d characters", STK_GRANT_NAME_MAX);
    loader->grant = (struct stk_grant_draft){.open = true};
    memcpy(loader->grant.name, name, length + 1);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_grant_end(struct stk_loader *loader, struct stk_error *error)
{
    struct stk_grant_draft *draft = &loader->grant;
    struct stk_grant grant = {.uids = draft->uids,
                              .uid_count = draft->uid_count,
                              .gids = draft->gids,
                              .gid_count = draft->gid_count,
                              .certificates = (const char *const *)draft->certificates,
                              .certificate_count = draft->certificate_count,
                              .ppts = draft->ppts != 0 ? draft->ppts : STK_PPT_SHAKEN,
                              .attests = draft->attests};
    enum stirkeep_status status = STIRKEEP_OK;

    memcpy(grant.name, draft->name, sizeof(grant.name));
    if ((grant.ppts & STK_PPT_SHAKEN) != 0 && grant.attests == 0)
        status = stk_error_set(error, STIRKEEP_CONFIG,
                               "attest: missing (a grant for shaken says which of A, B, C)");
    else
        status = stk_policy_add(loader->config->policy, &grant, error);
    stk_grant_draft_free(draft);
    return status;
}

/* One more place at the end of a list; NULL with the reason. */
static void *grow(void *list, size_t count, size_t size, struct stk_error *error)
{
    void *grown = NULL;

    if (count == STK_GRANT_LIST_MAX) {
        (void)stk_error_set(error, STIRKEEP_CONFIG, "more than %d in the list", STK_GRANT_LIST_MAX);
        return NULL;
    }
    grown = reallocarray(list, count + 1, size);
    if (grown == NULL)
        (void)stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    return grown;
}

STK_TAKER(stk_config_take_grant_user)
{
    struct stk_grant_draft *draft = &loader->grant;
    uid_t uid = 0;
    gid_t gid = 0;
    uid_t *uids = NULL;
    enum stirkeep_status status = stk_user_find(value, &uid, &gid, error);
    (void)key;

    if (status != STIRKEEP_OK)
        return status;
    uids = grow(draft->uids, draft->uid_count, sizeof(*uids), error);
    if (uids == NULL)
        return STIRKEEP_CONFIG;
    draft->uids = uids;
    uids[draft->uid_count++] = uid;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_grant_group)
{
    struct stk_grant_draft *draft = &loader->grant;
    gid_t gid = 0;
    gid_t *gids = NULL;
    enum stirkeep_status status = stk_group_find(value, &gid, error);
    (void)key;

    if (status != STIRKEEP_OK)
        return status;
    gids = grow(draft->gids, draft->gid_count, sizeof(*gids), error);
    if (gids == NULL)
        return STIRKEEP_CONFIG;
    draft->gids = gids;
    gids[draft->gid_count++] = gid;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_grant_certificate)
{
    struct stk_grant_draft *draft = &loader->grant;
    const char *fault = stk_pattern_fault(value);
    char **certificates = NULL;
    char *copy = NULL;
    (void)key;

    if (fault != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG, "\"%s\": %s", value, fault);
    certificates =
        grow(draft->certificates, draft->certificate_count, sizeof(*certificates), error);
    if (certificates == NULL)
        return STIRKEEP_CONFIG;
    draft->certificates = certificates;
    copy = strdup(value);
    if (copy == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    certificates[draft->certificate_count++] = copy;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_grant_ppt)
{
    static const enum stk_ppt known[] = {STK_PPT_BASE, STK_PPT_SHAKEN};
    (void)key;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(value, stk_ppt_name(known[i])) == 0) {
            loader->grant.ppts |= (unsigned)known[i];
            return STIRKEEP_OK;
        }
    }
    return stk_error_set(error, STIRKEEP_CONFIG, "neither base nor shaken: %s", value);
}

STK_TAKER(stk_config_take_grant_attest)
{
    (void)key;

    if (value[0] < 'A' || value[0] > 'C' || value[1] != '\0')
        return stk_error_set(error, STIRKEEP_CONFIG, "none of A, B, C: %s", value);
    loader->grant.attests |= 1u << (value[0] - 'A');
    return STIRKEEP_OK;
}
