/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/lockdown.h"

#include "base/log.h"
#include "lockdown/filter.h"
#include "lockdown/landlock.h"
#include "lockdown/rights.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LISTS_MAX 6

struct lists {
    struct stk_syscalls of[LISTS_MAX];
    size_t count;
};

static void add(struct lists *lists, const struct stk_syscalls *list)
{
    lists->of[lists->count++] = *list;
}

/* What the system does not have is the end of it, or is told, as [lock-down] require says. valgrind has
 * no seccomp(2). */
static enum stirkeep_status without(const struct stk_config *config, enum stk_require needed_by,
                                    enum stirkeep_status status, struct stk_error *error)
{
    char reason[STK_ERROR_MAX] = "";
    struct stk_error none = {0};

    if (status != STIRKEEP_UNAVAILABLE)
        return status;
    if (error == NULL)
        error = &none;
    if (config->lock_down.require >= needed_by && !STK_LOCKDOWN_RELAXED) {
        (void)snprintf(reason, sizeof(reason), "%s", error->message);
        return stk_error_set(error, status, "cannot be locked down: %s ([lock-down] require)",
                             reason);
    }
    stk_log(needed_by == STK_REQUIRE_LANDLOCK ? STK_LOG_INFO : STK_LOG_WARNING, "goes without: %s",
            error->message);
    error->status = STIRKEEP_OK;
    error->message[0] = '\0';
    return STIRKEEP_OK;
}

/* `status`: how making the filter went. */
static enum stirkeep_status enter(const struct stk_config *config, enum stirkeep_status status,
                                  const struct stk_filter *filter, bool *ret_filtered,
                                  struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        status = stk_filter_enter(filter, error);
    *ret_filtered = status == STIRKEEP_OK;
    return without(config, STK_REQUIRE_SECCOMP, status, error);
}

enum stirkeep_status stk_lockdown_files(struct stk_lockdown *lock, enum stk_room room,
                                        const struct stk_config *config,
                                        const struct stk_access *accesses, size_t count,
                                        struct stk_error *error)
{
    const bool isolated = room != STK_ROOM_KEEPER || config->lock_down.keeper == STK_KEEPER_STRICT;
    enum stirkeep_status status = STIRKEEP_OK;

    *lock = (struct stk_lockdown){.room = room, .config = config};
    tzset(); /* gmtime_r opens the time zone's file when it is called first */
    if (STK_LOCKDOWN_RELAXED)
        return STIRKEEP_OK;
    status = stk_landlock_enter(accesses, count, isolated, &lock->landlock, error);
    return without(config, STK_REQUIRE_LANDLOCK, status, error);
}

static void choose(const struct stk_lockdown *lock, struct lists *lists)
{
    if (STK_LOCKDOWN_RELAXED) {
        add(lists, &stk_syscalls_never);
        return;
    }
    add(lists, &stk_syscalls_common);
    if (lock->room != STK_ROOM_KEEPER)
        add(lists, &stk_syscalls_loop);
    if (lock->room == STK_ROOM_FRONT) {
        add(lists, &stk_syscalls_front);
        return;
    }
    add(lists, &stk_syscalls_files);
    add(lists, &stk_syscalls_threads);
    if (lock->room == STK_ROOM_INTAKE) {
        add(lists, &stk_syscalls_intake);
        return;
    }
    add(lists, &stk_syscalls_keeper);
    add(lists, &stk_syscalls_loading);
    add(lists, lock->config->lock_down.keeper == STK_KEEPER_STRICT ? &stk_syscalls_keeper_strict
                                                                   : &stk_syscalls_keeper_module);
}

static enum stirkeep_status enter_lists(struct stk_lockdown *lock, struct stk_error *error)
{
    struct stk_filter filter = {0};
    struct lists lists = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (STK_LOCKDOWN_RELAXED)
        stk_log(STK_LOG_WARNING, "this build is for sanitizers and is not locked down");
    choose(lock, &lists);
    status = stk_filter_make(lists.of, lists.count, STK_LOCKDOWN_RELAXED, &filter, error);
    status = enter(lock->config, status, &filter, &lock->filtered, error);
    stk_filter_free(&filter);
    return status;
}

enum stirkeep_status stk_lockdown_before_module(struct stk_lockdown *lock, struct stk_error *error)
{
    const bool strict = lock->config->lock_down.keeper == STK_KEEPER_STRICT;
    enum stirkeep_status status = STIRKEEP_OK;

    /* Made now, for making it takes calls that the first one forbids. A vendor's module may load the
     * next part of itself at any time. */
    if (strict && !STK_LOCKDOWN_RELAXED)
        status = stk_filter_make(&stk_syscalls_loaded, 1, true, &lock->next, error);
    /* Where there are no filters, entering says so. */
    return status == STIRKEEP_INTERNAL ? status : enter_lists(lock, error);
}

enum stirkeep_status stk_lockdown_calls(struct stk_lockdown *lock, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (lock->room == STK_ROOM_FRONT && !STK_LOCKDOWN_RELAXED && !stk_rights_of_front())
        return stk_error_set(error, STIRKEEP_INTERNAL, "cannot be locked down: limits: %s",
                             strerror(errno));
    if (lock->room != STK_ROOM_KEEPER)
        return enter_lists(lock, error);
    if (lock->next.code != NULL && lock->filtered)
        status = enter(lock->config, STIRKEEP_OK, &lock->next, &lock->filtered, error);
    stk_filter_free(&lock->next);
    return status;
}

void stk_lockdown_word(const struct stk_lockdown *lock, char ret_word[STK_LOCKDOWN_WORD])
{
    if (STK_LOCKDOWN_RELAXED)
        (void)snprintf(ret_word, STK_LOCKDOWN_WORD, "relaxed");
    else
        (void)snprintf(ret_word, STK_LOCKDOWN_WORD, "%s landlock %u",
                       lock->filtered ? "filtered" : "open", lock->landlock);
}

enum stirkeep_status stk_lockdown_porter(const struct stk_config *config,
                                         char ret_word[STK_LOCKDOWN_WORD], struct stk_error *error)
{
    const struct stk_syscalls *list =
        STK_LOCKDOWN_RELAXED ? &stk_syscalls_never_of_porter : &stk_syscalls_porter;
    struct stk_filter filter = {0};
    bool filtered = false;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_rights_of_porter())
        return stk_error_set(error, STIRKEEP_INTERNAL, "capabilities: %s", strerror(errno));
    status = stk_filter_make(list, 1, true, &filter, error);
    status = enter(config, status, &filter, &filtered, error);
    stk_filter_free(&filter);
    (void)snprintf(ret_word, STK_LOCKDOWN_WORD, "%s porter",
                   STK_LOCKDOWN_RELAXED ? "relaxed"
                   : filtered           ? "filtered"
                                        : "open");
    return status;
}
