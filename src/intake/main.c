/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/file.h"
#include "lockdown/lockdown.h"
#include "room/beside.h"
#include "room/room.h"
#include <limits.h>
#include <signal.h>

/* Its files: the catalog's, with those that SQLite makes beside it, and the spool's. The others are
 * OpenSSL's configuration, and what is mounted where. */
static enum stirkeep_status lock_files(const struct stk_config *config, struct stk_lockdown *lock,
                                       struct stk_error *error)
{
    char catalog[PATH_MAX] = "";
    const struct stk_access accesses[] = {
        {.path = catalog, .write = true, .later = true},
        {.path = config->storage.spool, .write = true, .later = true},
        {.path = "/etc/ssl"},
        {.path = "/usr/lib/ssl"},
        {.path = "/proc"}};

    if (!stk_file_directory_of(config->storage.catalog, catalog, sizeof(catalog)))
        return stk_error_set(error, STIRKEEP_CONFIG, "[storage] catalog: too long");
    return stk_lockdown_files(lock, STK_ROOM_INTAKE, config, accesses,
                              sizeof(accesses) / sizeof(accesses[0]), error);
}

int main(int argc, char **argv)
{
    struct stk_config *config = stk_room_begin(STK_ROOM_INTAKE);
    struct stk_intake *intake = NULL;
    struct stk_lockdown lock = {0};
    struct stk_error error = {0};
    int exit_status = 1;

    /* A catalog at the file size limit is a failed write, not the end of intake. */
    (void)signal(SIGXFSZ, SIG_IGN);
    stk_memory_lock(); /* a key in the spool is here in the clear for as long as sealing it takes */
    stk_room_await_go(STK_ROOM_INTAKE, argc, argv);
    stk_beside_hurry(STK_FD_INTAKE_LISTEN);
    if (lock_files(config, &lock, &error) != STIRKEEP_OK ||
        stk_intake_new(config, &intake, &error) != STIRKEEP_OK ||
        stk_lockdown_calls(&lock, &error) != STIRKEEP_OK)
        stk_room_fail(STK_ROOM_INTAKE, &error);
    stk_lockdown_word(&lock, intake->lockdown);
    exit_status = stk_intake_run(intake);
    stk_intake_free(intake);
    return exit_status;
}
