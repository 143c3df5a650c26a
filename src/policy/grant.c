/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include "policy/pattern.h"
#include <stdlib.h>
#include <string.h>

/* ---- checks */

enum stirkeep_status stk_rate_check(const struct stk_rate *rate, struct stk_error *error)
{
    if (rate->rate == 0 && rate->burst > 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "burst: without a rate");
    return STIRKEEP_OK;
}

static const char *executable_fault(const char *path)
{
    if (path[0] != '/')
        return "is no absolute path";
    if (strlen(path) > STK_EXECUTABLE_MAX)
        return "is too long";
    return NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static const char *unit_fault(const char *unit)
{
    if (strlen(unit) > STK_UNIT_MAX)
        return "is too long";
    if (strchr(unit, '/') != NULL)
        return "is no name of a unit";
    if (!ends_with(unit, ".service") && !ends_with(unit, ".scope"))
        return "is neither a .service nor a .scope";
    return NULL;
}

static const char *other_fault(const char *ppt)
{
    enum stk_ppt parsed = STK_PPT_BASE;

    if (!stk_ppt_parse(ppt, &parsed))
        return "is no name of a type";
    return parsed == STK_PPT_OTHER ? NULL : "is a type of its own";
}

static enum stirkeep_status check_texts(const char *key, const char *const *texts, size_t count,
                                        const char *(*fault_of)(const char *),
                                        struct stk_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *fault = fault_of(texts[i]);

        if (fault != NULL)
            return stk_error_set(error, STIRKEEP_CONFIG, "%s: \"%.100s\": %s", key, texts[i],
                                 fault);
    }
    return STIRKEEP_OK;
}

static enum stirkeep_status check_numbers(const struct stk_grant *grant, struct stk_error *error)
{
    for (size_t i = 0; i < grant->number_count; i++) {
        const struct stk_number_pattern *pattern = &grant->numbers[i];
        bool sound = pattern->kind == STK_NUMBER_PREFIX
                         ? strnlen(pattern->prefix, STK_TN_MAX + 1) <= STK_TN_MAX
                         : pattern->range.first <= pattern->range.last &&
                               pattern->range.first >> 60 == pattern->range.last >> 60;

        if (!sound)
            return stk_error_set(error, STIRKEEP_CONFIG, "orig: item %zu is no range", i + 1);
    }
    return STIRKEEP_OK;
}

static enum stirkeep_status check_types(const struct stk_grant *grant, struct stk_error *error)
{
    if ((grant->ppts & ~(unsigned)(STK_PPTS_TYPED | STK_PPT_OTHER)) != 0 ||
        ((grant->ppts & STK_PPT_OTHER) != 0 && grant->other_ppt_count == 0))
        return stk_error_set(error, STIRKEEP_CONFIG, "ppt: not known");
    if ((grant->attests & ~STK_ATTESTS_KNOWN) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "attest: not A, B or C");
    return check_texts("ppt", grant->other_ppts, grant->other_ppt_count, other_fault, error);
}

enum stirkeep_status stk_grant_check(const struct stk_grant *grant, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_pattern_fault(grant->name) != NULL || strchr(grant->name, '*') != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "the grant's name: 1-%d of A-Z a-z 0-9 . _ -, first a letter or digit",
                             STK_GRANT_NAME_MAX);
    if (grant->uid_count == 0 && grant->gid_count == 0 && grant->executable_count == 0 &&
        grant->unit_count == 0)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "names nobody: no user, group, executable or unit");
    if (grant->certificate_count == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "names no certificate");
    status = check_texts("certificates", grant->certificates, grant->certificate_count,
                         stk_pattern_fault, error);
    if (status == STIRKEEP_OK)
        status = check_texts("executable", grant->executables, grant->executable_count,
                             executable_fault, error);
    if (status == STIRKEEP_OK)
        status = check_texts("unit", grant->units, grant->unit_count, unit_fault, error);
    if (status == STIRKEEP_OK)
        status = check_texts("orig", grant->uris, grant->uri_count, stk_uri_pattern_fault, error);
    if (status == STIRKEEP_OK)
        status = check_types(grant, error);
    if (status == STIRKEEP_OK)
        status = check_numbers(grant, error);
    return status == STIRKEEP_OK ? stk_rate_check(&grant->rate, error) : status;
}

/* ---- copies */

static bool copy_list(const void *list, size_t count, size_t size, void *ret_copy)
{
    void *copy = NULL;

    if (count > 0) {
        copy = calloc(count, size);
        if (copy == NULL)
            return false;
        memcpy(copy, list, count * size);
    }
    memcpy(ret_copy, &copy, sizeof(copy));
    return true;
}

/* In one piece: the pointers and behind them the texts. */
static bool copy_texts(const char *const *texts, size_t count, const char *const **ret_copy)
{
    size_t size = count * sizeof(char *);
    char **copy = NULL;
    char *at = NULL;

    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        size += strlen(texts[i]) + 1;
    copy = malloc(size);
    if (copy == NULL)
        return false;
    at = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(texts[i]) + 1;

        copy[i] = memcpy(at, texts[i], length);
        at += length;
    }
    *ret_copy = (const char *const *)copy;
    return true;
}

static int by_value(const void *a, const void *b)
{
    _Static_assert(sizeof(uid_t) == sizeof(uint32_t) && sizeof(gid_t) == sizeof(uint32_t),
                   "ids are 32 bits");
    const uint32_t *left = a;
    const uint32_t *right = b;

    return *left < *right ? -1 : *left > *right;
}

static void sort_ids(const uint32_t *ids, size_t count)
{
    if (count > 0)
        qsort((void *)ids, count, sizeof(*ids), by_value);
}

struct stk_held_grant *stk_held_grant_new(const struct stk_grant *from)
{
    struct stk_held_grant *held = calloc(1, sizeof(*held));
    struct stk_grant *grant = NULL;

    if (held == NULL)
        return NULL;
    grant = &held->grant;
    *grant = *from;
    grant->uids = NULL;
    grant->gids = NULL;
    grant->executables = NULL;
    grant->units = NULL;
    grant->certificates = NULL;
    grant->other_ppts = NULL;
    grant->numbers = NULL;
    grant->uris = NULL;
    if (!copy_list(from->uids, from->uid_count, sizeof(*from->uids), &grant->uids) ||
        !copy_list(from->gids, from->gid_count, sizeof(*from->gids), &grant->gids) ||
        !copy_list(from->numbers, from->number_count, sizeof(*from->numbers), &grant->numbers) ||
        !copy_texts(from->executables, from->executable_count, &grant->executables) ||
        !copy_texts(from->units, from->unit_count, &grant->units) ||
        !copy_texts(from->certificates, from->certificate_count, &grant->certificates) ||
        !copy_texts(from->other_ppts, from->other_ppt_count, &grant->other_ppts) ||
        !copy_texts(from->uris, from->uri_count, &grant->uris)) {
        stk_held_grant_free(held);
        return NULL;
    }
    sort_ids(grant->uids, grant->uid_count);
    sort_ids(grant->gids, grant->gid_count);
    if (grant->ppts == 0 && grant->other_ppt_count == 0)
        grant->ppts = STK_PPT_SHAKEN;
    if (grant->other_ppt_count > 0)
        grant->ppts |= STK_PPT_OTHER;
    return held;
}

void stk_held_grant_free(struct stk_held_grant *held)
{
    if (held == NULL)
        return;
    free((void *)held->grant.uids);
    free((void *)held->grant.gids);
    free((void *)held->grant.executables);
    free((void *)held->grant.units);
    free((void *)held->grant.certificates);
    free((void *)held->grant.other_ppts);
    free((void *)held->grant.numbers);
    free((void *)held->grant.uris);
    free(held);
}
