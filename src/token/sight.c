/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 * SoftHSM gives an object up for as long as the process lives when it fails once to open its file
 * (no descriptor left, an I/O error), or to remove it: the key is on the disk, and "not on the
 * token". Whether it sees less than there is can be told from the number of files.
 */

#define OBJECT_FILE_MAX (1024 * 1024)
#define REST_FACTOR 9 /* who signs looks for a tenth of the time, at most */

static bool is_whole(int directory, const char *name)
{
    struct stk_buffer content = {0};
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    bool whole = fd >= 0 &&
                 stk_file_read_fd(fd, name, OBJECT_FILE_MAX, &content, NULL) == STIRKEEP_OK &&
                 stk_softhsm_object_whole((struct stk_bytes){content.data, content.length});

    stk_buffer_free(&content);
    if (fd >= 0)
        (void)close(fd);
    return whole || fd < 0; /* one that cannot be read may be whole */
}

/* False: the directory could not be read. */
static bool count_files(const struct stk_softhsm *softhsm, bool whole_only, size_t *ret_count)
{
    DIR *stream = opendir(softhsm->token);
    const struct dirent *entry = NULL;
    size_t count = 0;

    if (stream == NULL)
        return false;
    while ((entry = readdir(stream)) != NULL)
        if (stk_softhsm_is_object_file(entry->d_name) &&
            (!whole_only || is_whole(dirfd(stream), entry->d_name)))
            count++;
    (void)closedir(stream);
    *ret_count = count;
    return true;
}

static bool count_objects(struct stk_session *session, size_t *ret_count)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = {CKA_TOKEN, &yes, sizeof(yes)};
    struct stk_handles seen = {0};

    if (stk_session_find(session, &on_token, 1, &seen) != CKR_OK)
        return false;
    *ret_count = seen.count;
    stk_handles_free(&seen);
    return true;
}

/* Files of which SoftHSM shows no object: torn ones, and those that it has given up. False: it
 * cannot be told, or objects are made or destroyed meanwhile. */
static bool count_hidden(struct stk_session *session, bool whole_only, size_t *ret_hidden)
{
    size_t before = 0;
    size_t files = 0;
    size_t after = 0;

    if (!count_objects(session, &before) ||
        !count_files(&session->token->softhsm, whole_only, &files) ||
        !count_objects(session, &after) || before != after)
        return false;
    *ret_hidden = files > after ? files - after : 0;
    return true;
}

void stk_sight_begin(struct stk_token *token)
{
    struct stk_sight *sight = &token->sight;

    (void)pthread_mutex_init(&sight->lock, NULL);
    sight->begun =
        token->softhsm.token[0] != '\0' && count_hidden(&token->custody, false, &sight->hidden);
}

/* A new process sees no more than this one while the disk, or the lack of descriptors, is as it is. */
static bool can_be_mended(const struct stk_token *token)
{
    return stk_durable_try(&token->durable, NULL) == STIRKEEP_OK;
}

static bool look(struct stk_session *session)
{
    struct stk_token *token = session->token;
    size_t hidden = 0;

    token->sight.doubt = !count_hidden(session, false, &hidden);
    if (token->sight.doubt || hidden <= token->sight.hidden)
        return true;
    if (can_be_mended(token) && !atomic_exchange(&token->blind, true))
        stk_log(STK_LOG_ERROR,
                "token \"%s\": SoftHSM does not see all of its objects any more (%zu of its files "
                "are hidden)",
                token->label, hidden - token->sight.hidden);
    return false;
}

bool stk_sight_is_whole(struct stk_session *session)
{
    struct stk_sight *sight = &session->token->sight;
    uint64_t now = stk_clock_mono_us();
    bool whole = true;

    if (!sight->begun)
        return true;
    if (session->writable)
        (void)pthread_mutex_lock(&sight->lock);
    else if (pthread_mutex_trylock(&sight->lock) != 0)
        return true;
    if (session->writable || now >= sight->again) {
        whole = look(session);
        sight->again = stk_clock_mono_us() + REST_FACTOR * (stk_clock_mono_us() - now);
    }
    (void)pthread_mutex_unlock(&sight->lock);
    return whole;
}

bool stk_sight_in_doubt(struct stk_token *token)
{
    struct stk_sight *sight = &token->sight;
    bool doubt = false;

    if (!sight->begun)
        return false;
    (void)pthread_mutex_lock(&sight->lock);
    doubt = sight->doubt;
    (void)pthread_mutex_unlock(&sight->lock);
    return doubt;
}

bool stk_sight_is_sure(struct stk_session *session)
{
    return session->token->sight.begun && stk_sight_is_whole(session) &&
           !stk_sight_in_doubt(session->token);
}

bool stk_sight_hides_whole(struct stk_token *token)
{
    size_t hidden = 0;

    return token->softhsm.token[0] != '\0' && count_hidden(&token->custody, true, &hidden) &&
           hidden > 0;
}

bool stk_token_is_blind(const struct stk_token *token)
{
    return atomic_load_explicit(&token->blind, memory_order_relaxed);
}
