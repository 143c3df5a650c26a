/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "keeper/keeper.h"
#include "token/softhsm.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ACCESSES_MAX 64

struct accesses {
    struct stk_access of[ACCESSES_MAX];
    size_t count;
};

/* Where programs, libraries and their configuration are. What is secret there only its owner reads. */
static const char *const read_only[] = {"/etc",   "/usr",  "/lib",
                                        "/lib64", "/proc", "/sys/devices/system"};
static const char *const devices[] = {"/dev/null", "/dev/urandom", "/dev/random"};

static void add(struct accesses *accesses, const char *path, bool write)
{
    if (path[0] == '/' && accesses->count < ACCESSES_MAX)
        accesses->of[accesses->count++] = (struct stk_access){.path = path, .write = write};
}

static void add_all(struct accesses *accesses, const char *const *paths, size_t count, bool write)
{
    for (size_t i = 0; i < count; i++)
        add(accesses, paths[i], write);
}

/* The variables that are paths: whatever the module is told by them, it is told to use. */
static void add_environment(struct accesses *accesses, const struct stk_config *config)
{
    for (size_t i = 0; config->token.environment[i] != NULL; i++)
        add(accesses, strchr(config->token.environment[i], '=') + 1, true);
}

/* Cuts `paths` into its items. */
static void add_module_paths(struct accesses *accesses, char *paths)
{
    char *path = NULL;

    while ((path = strsep(&paths, ",")) != NULL)
        add(accesses, path, true);
}

/* A directory of the same name is another one for Landlock. */
static ino_t directory_of_trail(const struct stk_config *config)
{
    char path[PATH_MAX] = "";
    struct stat about = {0};

    if (!stk_file_directory_of(config->audit.file, path, sizeof(path)) || stat(path, &about) != 0)
        return 0;
    return about.st_ino;
}

bool stk_keeper_trail_moved(const struct stk_keeper *keeper)
{
    const ino_t now = directory_of_trail(keeper->config);

    return keeper->trail_directory != 0 && now != 0 && now != keeper->trail_directory;
}

void stk_keeper_note_trail(struct stk_keeper *keeper)
{
    keeper->trail_directory = directory_of_trail(keeper->config);
}

enum stirkeep_status stk_keeper_lock_files(const struct stk_config *config,
                                           struct stk_lockdown *lock, struct stk_error *error)
{
    const char *given = config->lock_down.module_paths;
    struct accesses accesses = {0};
    char *module_paths = NULL;
    char module[PATH_MAX] = "";
    char trail[PATH_MAX] = "";
    char softhsm[PATH_MAX] = "";
    char tokens[PATH_MAX] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    /* What a vendor's module opens only its administrator knows. */
    if (config->lock_down.keeper == STK_KEEPER_MODULE && given[0] == '\0')
        return stk_lockdown_files(lock, STK_ROOM_KEEPER, config, NULL, 0, error);
    module_paths = strdup(given);
    if (module_paths == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (!stk_file_directory_of(config->token.module, module, sizeof(module)) ||
        !stk_file_directory_of(config->audit.file, trail, sizeof(trail))) {
        status = stk_error_set(error, STIRKEEP_CONFIG, "a path is too long");
        goto out;
    }
    stk_softhsm_files(config->token.directory, softhsm, tokens);
    add_all(&accesses, read_only, sizeof(read_only) / sizeof(read_only[0]), false);
    add_all(&accesses, devices, sizeof(devices) / sizeof(devices[0]), true);
    add(&accesses, module, false);
    add(&accesses, softhsm, false);
    add(&accesses, tokens, true);
    accesses.of[accesses.count++] =
        (struct stk_access){.path = trail, .write = true, .later = true};
    add_environment(&accesses, config);
    add_module_paths(&accesses, module_paths);
    status = stk_lockdown_files(lock, STK_ROOM_KEEPER, config, accesses.of, accesses.count, error);
out:
    free(module_paths);
    return status;
}
