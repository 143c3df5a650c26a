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
    stk_trail_tell(trail, false);
    errno = saved;
    return done == 0;
}

void stk_trail_tell(struct stk_trail *trail, bool taken_back)
{
    for (struct stk_waiter *waiter = trail->waiters; waiter != NULL; waiter = waiter->next) {
        if (waiter->state != STK_WAITING)
            continue;
        if (waiter->sequence <= trail->synced.chain.sequence)
            waiter->state = STK_ON_DISK;
        else if (taken_back)
            waiter->state = STK_TAKEN_BACK;
    }
    (void)pthread_cond_broadcast(&trail->changed);
}

/* None of the unsynced records was answered yet: all who wrote one still wait. */
static void roll_back(struct stk_trail *trail)
{
    stk_trail_step_back(trail, &trail->synced);
    (void)stk_trail_cut_back(trail);
    stk_trail_tell(trail, true);
}

static void leave(struct stk_trail *trail, const struct stk_waiter *waiter)
{
    struct stk_waiter **link = &trail->waiters;

    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
}

enum stirkeep_status stk_trail_sync_through(struct stk_trail *trail, uint64_t sequence,
                                            struct stk_error *error)
{
    struct stk_waiter self = {.next = trail->waiters, .sequence = sequence};
    int why = 0;

    trail->waiters = &self;
    while (self.state == STK_WAITING) {
        if (trail->syncing) {
            (void)pthread_cond_wait(&trail->changed, &trail->lock);
        } else if (!sync_once(trail)) {
            why = errno;
            roll_back(trail);
        }
    }
    leave(trail, &self);
    if (self.state == STK_ON_DISK)
        return STIRKEEP_OK;
    return why != 0
               ? stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be synced: %s",
                               trail->path, strerror(why))
               : stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE,
                               "%s: could not be synced; the records were taken back", trail->path);
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

static void sync_failed(struct stk_trail *trail)
{
    trail->sync_errno = errno;
    trail->sync_failed = true;
    trail->writable = false;
}

static bool is_dirty(const struct stk_trail *trail)
{
    return trail->fd >= 0 && trail->synced.end != trail->written.end;
}

enum stirkeep_status stk_trail_sync_held(struct stk_trail *trail, struct stk_error *error)
{
    bool wanted = trail->sync == STK_TRAIL_NONE || is_dirty(trail);
    bool done = !wanted || sync_once(trail);
    int why = errno;

    /* What was appended meanwhile, without letting go of the lock. */
    if (wanted && done && is_dirty(trail)) {
        done = fdatasync(trail->fd) == 0;
        why = errno;
        if (done)
            trail->synced = trail->written;
        stk_trail_tell(trail, false);
    }
    if (done)
        return STIRKEEP_OK;
    errno = why;
    if (trail->sync == STK_TRAIL_ALWAYS)
        roll_back(trail);
    else if (trail->sync == STK_TRAIL_INTERVAL)
        sync_failed(trail); /* the thread syncs it again */
    return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be synced: %s", trail->path,
                         strerror(why));
}

static void sync_in_thread(struct stk_trail *trail)
{
    bool failed_before = trail->sync_failed;
    bool done = failed_before ? sync_again(trail) : sync_once(trail);

    if (!done) {
        sync_failed(trail);
    } else if (failed_before) {
        trail->synced = trail->written;
        trail->sync_failed = false;
        trail->writable = true;
    }
}

enum stirkeep_status stk_trail_sync(struct stk_trail *trail, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    uint64_t sequence = 0;

    if (trail->sync != STK_TRAIL_INTERVAL) /* done already, or not wanted */
        return STIRKEEP_OK;
    (void)pthread_mutex_lock(&trail->lock);
    sequence = trail->written.chain.sequence;
    while (!trail->sync_failed && trail->synced.chain.sequence < sequence) {
        if (trail->syncing)
            (void)pthread_cond_wait(&trail->changed, &trail->lock);
        else if (!sync_once(trail))
            sync_failed(trail); /* the thread syncs it again */
    }
    if (trail->sync_failed)
        status = stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be synced: %s",
                               trail->path, strerror(trail->sync_errno));
    (void)pthread_mutex_unlock(&trail->lock);
    return status;
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
        if (trail->stopping || trail->syncing || !is_dirty(trail))
            continue; /* another one's sync may be under way: then it is looked at again */
        sync_in_thread(trail);
    }
    (void)pthread_mutex_unlock(&trail->lock);
    return NULL;
}
