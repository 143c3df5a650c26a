/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/softhsm.h"

#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_FILE_MAX (1024 * 1024)

static void add(struct stk_error *error, const char *what, const char *path, const char *why)
{
    (void)stk_error_set(error, error->status, "%s (%s %s: %s)", error->message, what, path, why);
}

/* Why SoftHSM passes over the token of a directory; NULL: it does not. */
static const char *trouble_with(int directory)
{
    struct stk_buffer content = {0};
    const char *why = NULL;
    int fd = openat(directory, "token.object", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return strerror(errno);
    if (stk_file_read_fd(fd, "token.object", TOKEN_FILE_MAX, &content, NULL) != STIRKEEP_OK)
        why = "cannot be read";
    else if (!stk_softhsm_object_whole((struct stk_bytes){content.data, content.length}))
        why = "is damaged";
    stk_buffer_free(&content);
    (void)close(fd);
    return why;
}

/* It does so without a word, and then no slot has the token. */
static void explain_tokens(const char *tokens, struct stk_error *error)
{
    DIR *stream = opendir(tokens);
    const struct dirent *entry = NULL;
    char path[PATH_MAX] = "";
    const char *why = NULL;

    while (stream != NULL && why == NULL && (entry = readdir(stream)) != NULL) {
        int fd = -1;

        if (entry->d_name[0] == '.')
            continue;
        fd = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOTDIR)
            continue;
        why = fd < 0 ? strerror(errno) : trouble_with(fd);
        (void)snprintf(path, sizeof(path), "%s/%s%s", tokens, entry->d_name,
                       fd < 0 ? "" : "/token.object");
        if (fd >= 0)
            (void)close(fd);
    }
    if (why != NULL)
        add(error, "a token's", path, why);
    if (stream != NULL)
        (void)closedir(stream);
}

void stk_softhsm_explain(const struct stk_softhsm *softhsm, struct stk_error *error)
{
    char configuration[PATH_MAX] = "";
    char tokens[PATH_MAX] = "";

    if (softhsm->tokens[0] == '\0' || error == NULL)
        return;
    stk_softhsm_files(softhsm->tokens, configuration, tokens);
    if (configuration[0] != '\0' && access(configuration, R_OK) != 0)
        add(error, "its configuration", configuration, strerror(errno));
    else if (access(tokens, R_OK | W_OK | X_OK) != 0)
        add(error, "its directory of tokens", tokens, strerror(errno));
    else
        explain_tokens(tokens, error);
}
