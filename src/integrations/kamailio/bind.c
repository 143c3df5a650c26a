/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/papi.h"
#include "integrations/kamailio/say.h"
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_MAX 12
#define VERSION_TEXT 256

/* ---- what Kamailio it is */

static char version[VERSION_TEXT];

const char *module_version = version;
const char *module_flags = "";

/* Kamailio asks right after loading, and compares with its name and version up to the ')'; its
 * constant has more behind that. */
__attribute__((constructor)) static void say_what_the_host_says(void)
{
    const char *host = dlsym(RTLD_DEFAULT, "full_version");
    const char *flags = dlsym(RTLD_DEFAULT, "ver_flags");
    const char *end = host != NULL ? strchr(host, ')') : NULL;

    if (end != NULL && (size_t)(end - host) + 2 <= sizeof(version)) {
        memcpy(version, host, (size_t)(end - host) + 1);
        version[end - host + 1] = '\0';
    }
    if (flags != NULL)
        module_flags = flags;
}

/* ---- how large its table is */

/* The table is a variable of the secsipid module with a size of its own in its symbols. */
static size_t size_by_symbol(const void *table)
{
    Dl_info about = {0};
    void *symbol = NULL;
    const ElfW(Sym) *found = NULL;

    if (dladdr1(table, &about, &symbol, RTLD_DL_SYMENT) == 0 || symbol == NULL ||
        about.dli_saddr != table)
        return 0;
    found = symbol;
    return found->st_size / sizeof(void (*)(void));
}

/* A module stripped of that symbol: the versions that have been looked at. */
static size_t size_by_version(void)
{
    const char *host = dlsym(RTLD_DEFAULT, "ver_version");
    unsigned major = 0;
    unsigned minor = 0;

    if (host == NULL || sscanf(host, "%u.%u", &major, &minor) != 2)
        return 0;
    if (major == 5 && minor == 5)
        return 10;
    if (major == 5 && (minor == 6 || minor == 7))
        return 11;
    return (major == 5 && minor == 8) || (major == 6 && minor <= 1) ? 12 : 0;
}

static size_t size_of(const void *table)
{
    size_t size = size_by_symbol(table);

    return size > 0 ? size : size_by_version();
}

/* ---- filling it in */

/* In the order of the largest table; `since` is the size of the smallest that has it. */
static const struct {
    size_t since;
    void (*function)(void);
} functions[FUNCTIONS_MAX] = {
    {10, (void (*)(void))stk_kam_sign_json},
    {12, (void (*)(void))stk_kam_sign_json}, /* key as data */
    {10, (void (*)(void))stk_kam_get_identity},
    {11, (void (*)(void))stk_kam_get_identity}, /* key as data */
    {10, (void (*)(void))stk_kam_check_passport},
    {10, (void (*)(void))stk_kam_check_full},
    {10, (void (*)(void))stk_kam_check_full_data},
    {10, (void (*)(void))stk_kam_cache_options},
    {10, (void (*)(void))stk_kam_url_content},
    {10, (void (*)(void))stk_kam_option_text},
    {10, (void (*)(void))stk_kam_option_number},
    {10, (void (*)(void))stk_kam_option_pair},
};

int secsipid_proc_bind(void *table)
{
    void (**place)(void) = table;
    size_t size = table != NULL ? size_of(table) : 0;

    if (size < 10 || size > FUNCTIONS_MAX) {
        stk_kam_say(STK_KAM_LOG_ERROR,
                    "\"%s\": its secsipid module has a table of %zu functions; 10 (Kamailio 5.5), "
                    "11 (5.6, 5.7) and 12 (5.8 to 6.1) are known",
                    version, size);
        return -1;
    }
    for (size_t i = 0; i < FUNCTIONS_MAX; i++)
        if (functions[i].since <= size)
            *place++ = functions[i].function;
    return 0;
}
