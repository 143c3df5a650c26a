/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SO_PIN "security officer 42"

static char directory[64];
static struct rlimit limit_before;
static CK_FUNCTION_LIST *real_calls;
static CK_FUNCTION_LIST intercepted;

const char *fx_module(void)
{
    static const char *const places[] = {
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

const char *fx_directory(void)
{
    return directory;
}

void fx_require(void)
{
    if (fx_module() != NULL && directory[0] != '\0')
        return;
    if (getenv("CI") != NULL)
        fail_msg("SoftHSM is missing, and CI is set");
    skip();
}

static int run(const char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int state = -1;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ) == 0)
        (void)waitpid(child, &state, 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    return state;
}

void fx_init_token(const char *label)
{
    const char *const arguments[] = {"softhsm2-util", "--init-token", "--free", "--label", label,
                                     "--so-pin",      SO_PIN,         "--pin",  FX_PIN,    NULL};

    if (run(arguments) != 0)
        abort();
}

void fx_configure(const char *extra)
{
    char path[128] = "";
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/softhsm2.conf", directory);
    file = fopen(path, "w");
    if (file == NULL ||
        fprintf(file,
                "directories.tokendir = %s/tokens\nobjectstore.backend = file\n"
                "log.level = ERROR\nslots.removable = false\n%s",
                directory, extra) < 0 ||
        fclose(file) != 0)
        abort();
    (void)setenv("SOFTHSM2_CONF", path, 1);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    return where->level == 0 ? 0 : remove(path);
}

static void empty(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fx_renew(void)
{
    char tokens[128] = "";

    (void)snprintf(tokens, sizeof(tokens), "%s/tokens", directory);
    empty(tokens);
    fx_configure("");
    fx_init_token(FX_LABEL);
}

void fx_token_file(const char *name, char *ret_path, size_t size)
{
    char tokens[128] = "";
    const struct dirent *entry = NULL;
    DIR *stream = NULL;

    (void)snprintf(tokens, sizeof(tokens), "%s/tokens", directory);
    stream = opendir(tokens);
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL)
        if (entry->d_name[0] != '.')
            (void)snprintf(ret_path, size, "%s/%s/%s", tokens, entry->d_name, name);
    (void)closedir(stream);
}

int fx_group_begin(void **state)
{
    char tokens[128] = "";

    (void)state;
    if (fx_module() == NULL)
        return 0;
    /* Keys are made ten times as fast in memory. */
    (void)snprintf(directory, sizeof(directory), "%s/stirkeep-token-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(tokens, sizeof(tokens), "%s/tokens", directory);
    if (mkdir(tokens, 0700) != 0)
        return -1;
    fx_renew();
    return 0;
}

int fx_group_end(void **state)
{
    (void)state;
    if (directory[0] == '\0')
        return 0;
    empty(directory);
    return rmdir(directory);
}

enum stirkeep_status fx_try_open(const char *label, const char *pin, struct stk_token **ret_token,
                                 struct stk_error *error)
{
    const struct stk_token_options options = {
        .module = fx_module(), .label = label, .directory = ""};
    struct stk_secret secret = {0};

    assert_int_equal(stk_secret_new(&secret, 512), STIRKEEP_OK);
    secret.length = strlen(pin);
    memcpy(secret.data, pin, secret.length);
    return stk_token_open(&options, &secret, ret_token, error);
}

struct stk_token *fx_open(void)
{
    struct stk_token *token = NULL;
    struct stk_error error = {0};

    if (fx_try_open(FX_LABEL, FX_PIN, &token, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return token;
}

void fx_disk_full(unsigned long bytes)
{
    struct rlimit limit = {0};

    (void)signal(SIGXFSZ, SIG_IGN);
    (void)getrlimit(RLIMIT_FSIZE, &limit_before);
    limit = limit_before;
    limit.rlim_cur = bytes;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

void fx_disk_free(void)
{
    (void)setrlimit(RLIMIT_FSIZE, &limit_before);
}

CK_FUNCTION_LIST *fx_intercept(struct stk_token *token)
{
    if (token->p11 != &intercepted)
        real_calls = token->p11;
    intercepted = *real_calls;
    token->p11 = &intercepted;
    return &intercepted;
}

CK_FUNCTION_LIST *fx_real(void)
{
    return real_calls;
}
