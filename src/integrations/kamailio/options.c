/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/options.h"

#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/papi.h"
#include "integrations/kamailio/say.h"
#include "integrations/kamailio/stock.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32 /* of libsecsipid, which knows seven */
#define NUMBER_TEXT 16

struct option {
    enum stk_kam_option_kind kind;
    char *name;
    char *value;
};

/* Kamailio's functions have no argument for a state of ours: it is the process's. */
static struct {
    char *socket;
    char *library;
    uint32_t timeout_ms; /* 0: not set */
    unsigned version;
    struct option others[OPTIONS_MAX];
    size_t count;
} set;

const char *stk_kam_socket(void)
{
    return set.socket; /* NULL: libstirkeep looks into the environment itself */
}

static bool read_timeout(const char *text, uint32_t *ret_ms)
{
    char *end = NULL;
    long ms = 0;

    errno = 0;
    ms = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || ms < STK_KAM_TIMEOUT_MIN_MS ||
        ms > STK_KAM_TIMEOUT_MAX_MS)
        return false;
    *ret_ms = (uint32_t)ms;
    return true;
}

uint32_t stk_kam_timeout_ms(void)
{
    const char *given = NULL;

    if (set.timeout_ms == 0) {
        set.timeout_ms = STK_KAM_TIMEOUT_DEFAULT_MS;
        given = secure_getenv("STIRKEEP_SIGN_TIMEOUT");
        if (given != NULL && given[0] != '\0' && !read_timeout(given, &set.timeout_ms))
            stk_kam_say(STK_KAM_LOG_ERROR,
                        "STIRKEEP_SIGN_TIMEOUT: \"%.40s\" is not a number of milliseconds from %d "
                        "to %d; it is %d",
                        given, STK_KAM_TIMEOUT_MIN_MS, STK_KAM_TIMEOUT_MAX_MS,
                        STK_KAM_TIMEOUT_DEFAULT_MS);
    }
    return set.timeout_ms;
}

const char *stk_kam_library(void)
{
    const char *given = set.library != NULL ? set.library : secure_getenv("STIRKEEP_LIBSECSIPID");

    return given != NULL && given[0] != '\0' ? given : STK_KAM_LIBRARY;
}

unsigned stk_kam_options_version(void)
{
    return set.version;
}

/* ---- stirkeep's own */

static int replace(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return STK_KAM_ERROR;
    free(*text);
    *text = copy;
    set.version++;
    return STK_KAM_OK;
}

static int set_own(const char *name, const char *value)
{
    if (strcmp(name, "stirkeep_socket") == 0 && value[0] != '\0')
        return replace(&set.socket, value);
    if (strcmp(name, "stirkeep_libsecsipid") == 0 && value[0] != '\0')
        return replace(&set.library, value);
    if (strcmp(name, "stirkeep_timeout") == 0 && read_timeout(value, &set.timeout_ms)) {
        set.version++;
        return STK_KAM_OK;
    }
    if (strcmp(name, "stirkeep_timeout") == 0)
        stk_kam_say(STK_KAM_LOG_ERROR,
                    "libopt stirkeep_timeout: \"%.40s\" is not a number of milliseconds from %d to "
                    "%d; it stays %u",
                    value, STK_KAM_TIMEOUT_MIN_MS, STK_KAM_TIMEOUT_MAX_MS, stk_kam_timeout_ms());
    else
        stk_kam_say(STK_KAM_LOG_ERROR, "libopt %.60s=%.60s: no such option, or nothing in it", name,
                    value);
    return STK_KAM_ERROR;
}

/* ---- libsecsipid's */

void stk_kam_options_each(stk_kam_hand_over *hand_over)
{
    for (size_t i = 0; i < set.count; i++)
        hand_over(set.others[i].kind, set.others[i].name, set.others[i].value);
}

const char *stk_kam_option(const char *name, const char *otherwise)
{
    for (size_t i = set.count; i > 0; i--)
        if (strcmp(set.others[i - 1].name, name) == 0)
            return set.others[i - 1].value;
    return otherwise;
}

int stk_kam_option_int(const char *name, int otherwise)
{
    const char *value = stk_kam_option(name, NULL);
    long number = value != NULL ? strtol(value, NULL, 10) : otherwise;

    return number < INT_MIN || number > INT_MAX ? otherwise : (int)number;
}

/* Room for one of that name: the place it had is given to the last. NULL: there is none. */
static struct option *place_for(const char *name)
{
    for (size_t i = 0; i < set.count; i++) {
        if (strcmp(set.others[i].name, name) != 0)
            continue;
        free(set.others[i].name);
        free(set.others[i].value);
        memmove(&set.others[i], &set.others[i + 1], (set.count - i - 1) * sizeof(set.others[0]));
        set.count--;
        break;
    }
    return set.count < OPTIONS_MAX ? &set.others[set.count] : NULL;
}

static int keep(enum stk_kam_option_kind kind, const char *name, const char *value)
{
    struct option *place = place_for(name);
    char *name_copy = strdup(name);
    char *value_copy = strdup(value);

    if (place == NULL || name_copy == NULL || value_copy == NULL) {
        stk_kam_say(STK_KAM_LOG_ERROR, "libopt %.60s: no room", name);
        free(name_copy);
        free(value_copy);
        return STK_KAM_ERROR;
    }
    *place = (struct option){kind, name_copy, value_copy};
    set.count++;
    return STK_KAM_OK;
}

static int take(enum stk_kam_option_kind kind, const char *name, const char *value)
{
    int result = STK_KAM_OK;

    if (strncmp(name, "stirkeep_", strlen("stirkeep_")) == 0)
        return set_own(name, value);
    result = keep(kind, name, value);
    return result == STK_KAM_OK && stk_kam_stock_is_loaded()
               ? stk_kam_stock_option(kind, name, value)
               : result;
}

int stk_kam_option_text(char *name, char *value)
{
    return name == NULL || value == NULL ? STK_KAM_ERROR : take(STK_KAM_OPTION_TEXT, name, value);
}

int stk_kam_option_number(char *name, int value)
{
    char text[NUMBER_TEXT];

    if (name == NULL)
        return STK_KAM_ERROR;
    (void)snprintf(text, sizeof(text), "%d", value);
    return take(STK_KAM_OPTION_NUMBER, name, text);
}

int stk_kam_option_pair(char *pair)
{
    const char *equals = pair != NULL ? strchr(pair, '=') : NULL;
    char *name = NULL;
    int result = STK_KAM_ERROR;

    /* libsecsipid would end the process at a pair without '='. */
    if (equals == NULL || equals == pair) {
        stk_kam_say(STK_KAM_LOG_ERROR, "libopt \"%.60s\": is not NAME=VALUE",
                    pair != NULL ? pair : "");
        return STK_KAM_ERROR;
    }
    name = strndup(pair, (size_t)(equals - pair));
    if (name != NULL)
        result = take(STK_KAM_OPTION_PAIR, name, equals + 1);
    free(name);
    return result;
}
