/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"

#include "config/number.h"
#include "config/people.h"
#include "model/uri.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static void *field(struct stk_loader *loader, const struct stk_key *key)
{
    return (char *)loader->config + key->offset;
}

STK_TAKER(stk_config_take_text)
{
    char **text = field(loader, key);
    char *copy = NULL;

    if (key->maximum > 0 && strlen(value) > key->maximum)
        return stk_error_set(error, STIRKEEP_CONFIG, "longer than %u characters",
                             (unsigned)key->maximum);
    copy = strdup(value);
    if (copy == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    free(*text);
    *text = copy;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_path)
{
    size_t length = strlen(value);

    if (length > 0 && value[0] != '/')
        return stk_error_set(error, STIRKEEP_CONFIG, "a relative path: %s", value);
    if (length > 1 && value[length - 1] == '/')
        return stk_error_set(error, STIRKEEP_CONFIG, "ends with '/': %s", value);
    return stk_config_take_text(loader, key, value, error);
}

STK_TAKER(stk_config_take_socket)
{
    const struct sockaddr_un *address = NULL;

    if (strlen(value) >= sizeof(address->sun_path))
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "longer than the %zu characters that a socket's path may have",
                             sizeof(address->sun_path) - 1);
    return stk_config_take_path(loader, key, value, error);
}

STK_TAKER(stk_config_take_number)
{
    uint32_t number = 0;

    if (!stk_number_parse(value, key->minimum, key->maximum, &number))
        return stk_error_set(error, STIRKEEP_CONFIG, "not a number from %u to %u: %s",
                             (unsigned)key->minimum, (unsigned)key->maximum, value);
    *(unsigned *)field(loader, key) = number;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_switch)
{
    bool *on = field(loader, key);

    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "neither yes nor no: %s", value);
    *on = strcmp(value, "yes") == 0;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_sync)
{
    enum stk_sync *sync = field(loader, key);

    if (strcmp(value, "always") == 0)
        *sync = STK_SYNC_ALWAYS;
    else if (strcmp(value, "interval") == 0)
        *sync = STK_SYNC_INTERVAL;
    else if (strcmp(value, "none") == 0)
        *sync = STK_SYNC_NONE;
    else
        return stk_error_set(error, STIRKEEP_CONFIG, "none of always, interval, none: %s", value);
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_profile)
{
    enum stk_profile *profile = field(loader, key);

    if (strcmp(value, "strict") == 0)
        *profile = STK_PROFILE_STRICT;
    else if (strcmp(value, "test") == 0)
        *profile = STK_PROFILE_TEST;
    else
        return stk_error_set(error, STIRKEEP_CONFIG, "neither strict nor test: %s", value);
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_template)
{
    char name[STK_NAME_MAX + 1] = "";
    char fingerprint[2 * STK_DIGEST_LENGTH + 1] = "";
    char x5u[STK_X5U_MAX + 1] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (value[0] == '\0')
        return stk_config_take_text(loader, key, value, error);
    if (strstr(value, "{name}") == NULL && strstr(value, "{fingerprint}") == NULL)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "has neither {name} nor {fingerprint}: all certificates would have "
                             "the same URL");
    /* The longest that can come of it must be an x5u too. */
    memset(name, 'n', sizeof(name) - 1);
    memset(fingerprint, 'f', sizeof(fingerprint) - 1);
    status = stk_config_x5u(value, name, fingerprint, x5u);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_CONFIG, "gives a URL longer than %d characters",
                             STK_X5U_MAX);
    if (stk_x5u_check(x5u, error) != STIRKEEP_OK) {
        if (error != NULL)
            error->status = STIRKEEP_CONFIG;
        return STIRKEEP_CONFIG;
    }
    return stk_config_take_text(loader, key, value, error);
}

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
    enum stirkeep_status status = stk_user_find(value, &uid, &gid, error);
    (void)key;

    if (status != STIRKEEP_OK)
        return status;
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
    enum stirkeep_status status = stk_user_find(value, &uid, &gid, error);

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
