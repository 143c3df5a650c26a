/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"
#include "model/uri_number.h"
#include "policy/pattern.h"
#include <string.h>
#include <strings.h>

STK_TAKER(stk_config_take_grant_user)
{
    struct stk_list *uids = &loader->grant.uids;
    uid_t uid = 0;
    gid_t gid = 0;
    enum stirkeep_status status = stk_people_user(loader->people, value, &uid, &gid, error);
    (void)key;

    if (status == STIRKEEP_OK)
        status = stk_list_add_once(uids, &uid, sizeof(uid), STK_LIST_MAX, value, error);
    return status;
}

STK_TAKER(stk_config_take_grant_group)
{
    struct stk_list *gids = &loader->grant.gids;
    gid_t gid = 0;
    enum stirkeep_status status = stk_people_group(loader->people, value, &gid, error);
    (void)key;

    if (status == STIRKEEP_OK)
        status = stk_list_add_once(gids, &gid, sizeof(gid), STK_LIST_MAX, value, error);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* The kernel tells a program's path without detours: one with them would never match. */
STK_TAKER(stk_config_take_grant_executable)
{
    (void)key;

    if (value[0] != '/')
        return stk_error_set(error, STIRKEEP_CONFIG, "a relative path: %s", value);
    if (strlen(value) > STK_EXECUTABLE_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "longer than %d characters",
                             STK_EXECUTABLE_MAX);
    if (strstr(value, "//") != NULL || strstr(value, "/./") != NULL ||
        strstr(value, "/../") != NULL || ends_with(value, "/") || ends_with(value, "/.") ||
        ends_with(value, "/.."))
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "not a program's path as /proc/PID/exe tells it: %s", value);
    if (strchr(value, '*') != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG, "'*' stands for nothing here: %s", value);
    if (ends_with(value, " (deleted)"))
        return stk_error_set(error, STIRKEEP_CONFIG, "a program that is gone: %s", value);
    return stk_list_add_text(&loader->grant.executables, value, error);
}

/* systemd.unit(5). */
STK_TAKER(stk_config_take_grant_unit)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
    const char *end = strrchr(value, '.');
    (void)key;

    if (strlen(value) > STK_UNIT_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "longer than %d characters", STK_UNIT_MAX);
    if (end == NULL || (strcmp(end, ".service") != 0 && strcmp(end, ".scope") != 0))
        return stk_error_set(error, STIRKEEP_CONFIG, "neither a .service nor a .scope: %s", value);
    if (end == value || value[0] == '@' || strspn(value, allowed) != strlen(value))
        return stk_error_set(error, STIRKEEP_CONFIG, "not the name of a unit: %s", value);
    if (end[-1] == '@')
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "a template, which runs nothing itself; name its instances: %s",
                             value);
    return stk_list_add_text(&loader->grant.units, value, error);
}

STK_TAKER(stk_config_take_grant_certificate)
{
    const char *fault = stk_pattern_fault(value);
    (void)key;

    if (fault != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG, "\"%s\": %s", value, fault);
    return stk_list_add_text(&loader->grant.certificates, value, error);
}

/* The typed PASSporT that a text names if case did not count; 0: none. */
static unsigned typed_like(const char *text)
{
    for (unsigned ppt = STK_PPT_BASE; ppt < STK_PPT_OTHER; ppt <<= 1)
        if (strcasecmp(text, stk_ppt_name((enum stk_ppt)ppt)) == 0)
            return ppt;
    return 0;
}

STK_TAKER(stk_config_take_grant_ppt)
{
    unsigned typed = typed_like(value);
    enum stk_ppt ppt = STK_PPT_OTHER;
    (void)key;

    /* Types differ by case: nobody means one called "Shaken". */
    if (typed != 0 && strcmp(value, stk_ppt_name((enum stk_ppt)typed)) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "is written %s: %s",
                             stk_ppt_name((enum stk_ppt)typed), value);
    if ((loader->grant.ppts & typed) != 0)
        return stk_list_twice(value, error);
    loader->grant.ppts |= typed;
    if (typed != 0)
        return STIRKEEP_OK;
    if (!stk_ppt_parse(value, &ppt))
        return stk_error_set(error, STIRKEEP_CONFIG, "not a PASSporT type: %s", value);
    return stk_list_add_text(&loader->grant.other_ppts, value, error);
}

STK_TAKER(stk_config_take_grant_attest)
{
    (void)key;

    if (value[0] < 'A' || value[0] > 'C' || value[1] != '\0')
        return stk_error_set(error, STIRKEEP_CONFIG, "none of A, B, C: %s", value);
    if ((loader->grant.attests & 1u << (value[0] - 'A')) != 0)
        return stk_list_twice(value, error);
    loader->grant.attests |= 1u << (value[0] - 'A');
    return STIRKEEP_OK;
}

/* An item with a ':' is the pattern of a URI. */
STK_TAKER(stk_config_take_grant_orig)
{
    struct stk_grant_draft *draft = &loader->grant;
    struct stk_number_pattern pattern = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    const char *fault = NULL;
    (void)key;

    if (strchr(value, ':') != NULL) {
        fault = stk_uri_pattern_fault(value);
        if (fault != NULL)
            return stk_error_set(error, STIRKEEP_CONFIG, "\"%s\": %s", value, fault);
        if (stk_uri_number(value, NULL) == STK_URI_NUMBER_STATED)
            return stk_error_set(
                error, STIRKEEP_CONFIG,
                "\"%s\": a telephone number, which no PASSporT has as a URI; write "
                "it as one, such as 1415555*",
                value);
        return stk_list_add_text(&draft->uris, value, error);
    }
    status = stk_config_fault(stk_number_pattern_read(value, value, &pattern, error), error);
    if (status == STIRKEEP_OK)
        status = stk_list_add_once(&draft->numbers, &pattern, sizeof(pattern), STK_LIST_MAX, value,
                                   error);
    return status;
}
