/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"

#include "config/number.h"
#include "model/uri.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

void *stk_config_field(struct stk_loader *loader, const struct stk_key *key)
{
    void *base = loader->section->kind == STK_SECTION_NAMED ? (void *)loader : loader->config;

    return (char *)base + key->offset;
}

enum stirkeep_status stk_config_fault(enum stirkeep_status status, struct stk_error *error)
{
    if (status == STIRKEEP_OK || status == STIRKEEP_NO_MEMORY)
        return status;
    if (error != NULL)
        error->status = STIRKEEP_CONFIG;
    return STIRKEEP_CONFIG;
}

STK_TAKER(stk_config_take_text)
{
    char **text = stk_config_field(loader, key);
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

static enum stirkeep_status read_number(const struct stk_key *key, const char *value,
                                        uint64_t *ret_number, struct stk_error *error)
{
    uint64_t number = 0;

    if (value[0] != '\0' && !stk_number_parse(value, key->minimum, key->maximum, &number))
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "not a number from %" PRIu64 " to %" PRIu64 ": %s", key->minimum,
                             key->maximum, value);
    *ret_number = number;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_number)
{
    unsigned *field = stk_config_field(loader, key);
    uint64_t number = 0;
    enum stirkeep_status status = read_number(key, value, &number, error);

    if (status == STIRKEEP_OK)
        *field = (unsigned)number;
    return status;
}

STK_TAKER(stk_config_take_amount)
{
    return read_number(key, value, stk_config_field(loader, key), error);
}

STK_TAKER(stk_config_take_switch)
{
    bool *on = stk_config_field(loader, key);

    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "neither yes nor no: %s", value);
    *on = strcmp(value, "yes") == 0;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_sync)
{
    enum stk_sync *sync = stk_config_field(loader, key);

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

STK_TAKER(stk_config_take_verify)
{
    bool *sampled = stk_config_field(loader, key);

    if (strcmp(value, "always") != 0 && strcmp(value, "sampled") != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "neither always nor sampled: %s", value);
    *sampled = strcmp(value, "sampled") == 0;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_profile)
{
    enum stk_profile *profile = stk_config_field(loader, key);

    if (strcmp(value, "strict") == 0)
        *profile = STK_PROFILE_STRICT;
    else if (strcmp(value, "test") == 0)
        *profile = STK_PROFILE_TEST;
    else
        return stk_error_set(error, STIRKEEP_CONFIG, "neither strict nor test: %s", value);
    return STIRKEEP_OK;
}

/* Is there a mark in the host? Not every certificate's name is a part of one. The template is an x5u
 * but for its marks, so that "://" is in it. */
static bool has_mark_in_host(const char *x5u_template)
{
    const char *host = strstr(x5u_template, "://");

    return host != NULL && host[3 + strcspn(host + 3, "/{")] == '{';
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
    status = stk_config_fault(stk_x5u_check(x5u, error), error);
    if (status != STIRKEEP_OK)
        return status;
    if (has_mark_in_host(value))
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "{name} and {fingerprint} may stand only behind the host");
    return stk_config_take_text(loader, key, value, error);
}
