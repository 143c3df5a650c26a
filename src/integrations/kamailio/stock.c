/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/stock.h"

#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/say.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static struct {
    enum { NOT_ASKED, LOADED, ABSENT } state;
    struct stk_kam_stock functions;
} stock;

static bool find(void *library, const char *name, void *ret_function)
{
    void *found = dlsym(library, name);

    if (found == NULL)
        stk_kam_say(STK_KAM_LOG_ERROR, "%s: has no function %s", stk_kam_library(), name);
    memcpy(ret_function, &found, sizeof(found));
    return found != NULL;
}

static bool find_all(void *library, struct stk_kam_stock *functions)
{
    return find(library, "SecSIPIDCheck", &functions->check) &&
           find(library, "SecSIPIDCheckFull", &functions->check_full) &&
           find(library, "SecSIPIDCheckFullPubKey", &functions->check_full_data) &&
           find(library, "SecSIPIDSetFileCacheOptions", &functions->set_cache) &&
           find(library, "SecSIPIDGetURLContent", &functions->get_url) &&
           find(library, "SecSIPIDOptSetS", &functions->set_text) &&
           find(library, "SecSIPIDOptSetN", &functions->set_number) &&
           find(library, "SecSIPIDOptSetV", &functions->set_pair);
}

static bool load(void)
{
    const char *name = stk_kam_library();
    void *library = NULL;

    if (strcmp(name, "none") == 0)
        return false;
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        stk_kam_say(STK_KAM_LOG_WARNING,
                    "%s; stirkeep's own verifier is used, which fetches no URL", dlerror());
        return false;
    }
    /* A Go library cannot be unloaded: it stays, also when it is of no use. */
    return find_all(library, &stock.functions);
}

static char *writable(const char *text)
{
    /* libsecsipid copies what it is given, although its arguments are not const. */
    char *same = NULL;

    memcpy(&same, &text, sizeof(same));
    return same;
}

static int set_pair(const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *pair = malloc(size);
    int result = STK_KAM_ERROR;

    if (pair == NULL)
        return STK_KAM_ERROR;
    (void)stpcpy(stpcpy(stpcpy(pair, name), "="), value);
    result = stock.functions.set_pair(pair);
    free(pair);
    return result;
}

int stk_kam_stock_option(enum stk_kam_option_kind kind, const char *name, const char *value)
{
    switch (kind) {
    case STK_KAM_OPTION_PAIR:
        return set_pair(name, value);
    case STK_KAM_OPTION_TEXT:
        return stock.functions.set_text(writable(name), writable(value));
    case STK_KAM_OPTION_NUMBER:
        return stock.functions.set_number(writable(name), (int)strtol(value, NULL, 10));
    }
    return STK_KAM_ERROR;
}

static void hand_over(enum stk_kam_option_kind kind, const char *name, const char *value)
{
    if (stk_kam_stock_option(kind, name, value) != STK_KAM_OK)
        stk_kam_say(STK_KAM_LOG_WARNING, "libopt %.60s=%.60s: not taken by %s", name, value,
                    stk_kam_library());
}

const struct stk_kam_stock *stk_kam_stock(void)
{
    if (stock.state == NOT_ASKED) {
        stock.state = load() ? LOADED : ABSENT;
        if (stock.state == LOADED)
            stk_kam_options_each(hand_over);
    }
    return stock.state == LOADED ? &stock.functions : NULL;
}

bool stk_kam_stock_is_loaded(void)
{
    return stock.state == LOADED;
}
