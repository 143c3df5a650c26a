/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/reader.h"
#include "audit/state.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool stk_trail_cut_back(struct stk_trail *trail)
{
    int done = 0;

    do {
        done = ftruncate(trail->fd, trail->written.end);
    } while (done != 0 && errno == EINTR);
    trail->unclean = done != 0;
    return done == 0;
}

/* One fdatasync without the lock, so that others can append meanwhile. Nobody changes `fd` while
 * `syncing` is set. */
static bool sync_once(struct stk_trail *trail)
{
    struct stk_position until = trail->written;
    int fd = trail->fd;
    int done = 0;
    int saved = 0;

    trail->syncing = true;
    (void)pthread_mutex_unlock(&trail->lock);
    done = fdatasync(fd);
    saved = errno;
    (void)pthread_mutex_lock(&trail->lock);
    trail->syncing = false;
    if (done == 0)
        trail->synced = until;
    (void)pthread_cond_broadcast(&trail->changed);
    errno = saved;
    return done == 0;
}

/* None of the unsynced records was answered yet: all who wrote one still wait. */
static void roll_back(struct stk_trail *trail)
{
    stk_trail_step_back(trail, &trail->synced);
    trail->rollbacks++;
    (void)stk_trail_cut_back(trail);
    (void)pthread_cond_broadcast(&trail->changed);
}

enum stirkeep_status stk_trail_sync_through(struct stk_trail *trail, uint64_t sequence,
                                            struct stk_error *error)
{
    uint64_t rollbacks = trail->rollbacks;

    while (trail->rollbacks == rollbacks && trail->synced.chain.sequence < sequence) {
        if (trail->syncing) {
            (void)pthread_cond_wait(&trail->changed, &trail->lock);
        } else if (!sync_once(trail) && trail->rollbacks == rollbacks) {
            stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be synced: %s",
                          trail->path, strerror(errno));
            roll_back(trail);
            return STIRKEEP_AUDIT_UNAVAILABLE;
        }
    }
    if (trail->rollbacks != rollbacks)
        return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE,
                             "%s: could not be synced; the records were taken back", trail->path);
    return STIRKEEP_OK;
}

/* Are the bytes that are to be written again still the records that were written? */
static bool is_intact(struct stk_trail *trail)
{
    struct stk_reader reader = {.fd = trail->fd, .at = trail->synced.end};
    struct stk_chain chain = trail->synced.chain;
    struct stk_line line = {0};
    const uint8_t *data = NULL;
    size_t length = 0;

    while (stk_reader_next(&reader, &data, &length) == STK_READER_LINE)
        if (stk_line_read(data, length, &line) != NULL || stk_line_follow(&line, &chain) != NULL)
            break;
    stk_reader_free(&reader);
    return chain.sequence == trail->written.chain.sequence &&
           memcmp(chain.digest, trail->written.chain.digest, sizeof(chain.digest)) == 0;
}

static bool write_range_again(struct stk_trail *trail)
{
    uint8_t block[8192];
    off_t at = trail->synced.end;

    while (at < trail->written.end) {
        off_t left = trail->written.end - at;
        ssize_t got =
            pread(trail->fd, block, left < (off_t)sizeof(block) ? (size_t)left : sizeof(block), at);
        if (got <= 0 || pwrite(trail->fd, block, (size_t)got, at) != got)
            return false;
        at += got;
    }
    return true;
}

/* After a failed write-back Linux takes the pages for clean: a second fdatasync would succeed
 * without having written anything. So they are made dirty again, in place. False with errno. */
static bool sync_again(struct stk_trail *trail)
{
    int flags = fcntl(trail->fd, F_GETFL);
    bool done = false;

    if (trail->unclean && !stk_trail_cut_back(trail))
        return false;
    if (!is_intact(trail)) {
        errno = EBADMSG; /* records were lost: no sync can help, the service has to be looked at */
        return false;
    }
    (void)fcntl(trail->fd, F_SETFL, flags & ~O_APPEND);
    done = write_range_again(trail) && fdatasync(trail->fd) == 0;
    (void)fcntl(trail->fd, F_SETFL, flags);
    return done;
}

static void sync_in_thread(struct stk_trail *trail)
{
    bool failed_before = trail->sync_failed;
    bool done = failed_before ? sync_again(trail) : sync_once(trail);

    if (!done) {
        trail->sync_errno = errno;
        trail->sync_failed = true;
        trail->writable = false;
    } else if (failed_before) {
        trail->synced = trail->written;
        trail->sync_failed = false;
        trail->writable = true;
    }
}

static void wait_ms(struct stk_trail *trail, long milliseconds)
{
    struct timespec until = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!trail->stopping &&
           pthread_cond_timedwait(&trail->changed, &trail->lock, &until) != ETIMEDOUT)
        continue;
}

static bool is_dirty(const struct stk_trail *trail)
{
    return trail->fd >= 0 && trail->synced.end != trail->written.end;
}

void *stk_trail_sync_thread(void *argument)
{
    struct stk_trail *trail = argument;

    (void)pthread_mutex_lock(&trail->lock);
    while (!trail->stopping) {
        if (!is_dirty(trail)) {
            (void)pthread_cond_wait(&trail->changed, &trail->lock);
            continue;
        }
        wait_ms(trail, trail->sync_failed ? STK_TRAIL_RETRY_MS : STK_TRAIL_INTERVAL_MS);
        if (trail->stopping || !is_dirty(trail))
            continue;
        sync_in_thread(trail);
    }
    (void)pthread_mutex_unlock(&trail->lock);
    return NULL;
}
