/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* These come from stirkeepd itself. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"PATH", "LANG", "JOURNAL_STREAM"};

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

enum stirkeep_status stk_environment_add(struct stk_loader *loader, const char *name,
                                         const char *value, struct stk_error *error)
{
    char **environment = loader->config->token.environment;
    size_t length = strlen(name);
    char *entry = NULL;

    if (length == 0 || (name[0] >= '0' && name[0] <= '9') ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != length)
        return stk_error_set(error, STIRKEEP_CONFIG, "not the name of an environment variable");
    if (is_reserved(name))
        return stk_error_set(error, STIRKEEP_CONFIG, "is set by stirkeepd itself");
    for (size_t i = 0; i < loader->environment_count; i++)
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return stk_error_set(error, STIRKEEP_CONFIG, "given twice");
    if (loader->environment_count == STK_TOKEN_ENVIRONMENT_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "more than %d variables",
                             STK_TOKEN_ENVIRONMENT_MAX);
    if (asprintf(&entry, "%s=%s", name, value) < 0)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    environment[loader->environment_count++] = entry;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_admin)
{
    struct stk_config *config = loader->config;
    uid_t uid = 0;
    gid_t gid = 0;
    enum stirkeep_status status = stk_people_user(loader->people, value, &uid, &gid, error);
    (void)key;

    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < config->admin.user_count; i++)
        if (config->admin.users[i] == uid)
            return stk_list_twice(value, error);
    if (config->admin.user_count == STK_ADMIN_USERS_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "more than %d users", STK_ADMIN_USERS_MAX);
    config->admin.users[config->admin.user_count++] = uid;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_room_user)
{
    struct stk_config *config = loader->config;
    size_t room = key->minimum;
    uid_t uid = 0;
    gid_t gid = 0;
    enum stirkeep_status status = stk_people_user(loader->people, value, &uid, &gid, error);

    if (status != STIRKEEP_OK)
        return status;
    if (uid == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "root may not be a room's user");
    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        if (config->rooms.given[i] && config->rooms.uid[i] == uid)
            return stk_error_set(error, STIRKEEP_CONFIG, "is another room's user already: %s",
                                 value);
    config->rooms.given[room] = true;
    config->rooms.uid[room] = uid;
    config->rooms.gid[room] = gid;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_require)
{
    enum stk_require *require = stk_config_field(loader, key);

    if (strcmp(value, "nothing") == 0)
        *require = STK_REQUIRE_NOTHING;
    else if (strcmp(value, "seccomp") == 0)
        *require = STK_REQUIRE_SECCOMP;
    else if (strcmp(value, "landlock") == 0)
        *require = STK_REQUIRE_LANDLOCK;
    else
        return stk_error_set(error, STIRKEEP_CONFIG, "none of nothing, seccomp, landlock: %s",
                             value);
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_keeper)
{
    enum stk_keeper_lock *keeper = stk_config_field(loader, key);

    if (strcmp(value, "strict") != 0 && strcmp(value, "module") != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "neither strict nor module: %s", value);
    *keeper = strcmp(value, "strict") == 0 ? STK_KEEPER_STRICT : STK_KEEPER_MODULE;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_module_path)
{
    char **paths = stk_config_field(loader, key);
    char *all = NULL;

    if (value[0] == '\0')
        return STIRKEEP_OK;
    if (value[0] != '/')
        return stk_error_set(error, STIRKEEP_CONFIG, "a relative path: %s", value);
    if (asprintf(&all, "%s%s%s", *paths, (*paths)[0] != '\0' ? "," : "", value) < 0)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    free(*paths);
    *paths = all;
    return STIRKEEP_OK;
}
