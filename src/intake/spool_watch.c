/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_inside.h"

#include "base/log.h"
#include "room/spool.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* What inotify says is a hint where to look, never a fact: events are lost, and names are swapped. */

#define INCOMING_EVENTS                                                                            \
    (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
#define UPLOAD_EVENTS                                                                              \
    (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |            \
     IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

/* The directory is whole, says its owner. It stays so, whatever happens to this process. */
static void moved_in(struct stk_spool *spool, const struct stk_name *name)
{
    struct stk_spool_note *note = stk_spool_note_make(&spool->notes, name);
    struct stk_spool_dir dir = {.fd = -1};

    if (!stk_spool_dir_open(spool->incoming, name->text, &dir))
        return;
    if (!stk_spool_dir_mark(dir.fd) && note != NULL)
        note->moved = dir.about.st_ino;
    stk_spool_dir_close(&dir);
}

static void incoming_event(struct stk_spool *spool, const struct inotify_event *event)
{
    struct stk_name name = {0};

    if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
        spool->incoming_watch = -1;
        stk_spool_rescan_soon(spool);
        return;
    }
    if (event->len == 0 || (event->mask & IN_ISDIR) == 0)
        return;
    if (stk_name_parse(event->name, &name, NULL) != STIRKEEP_OK) {
        if (event->name[0] != '.')
            stk_spool_rescan_soon(spool);
        return;
    }
    if ((event->mask & IN_MOVED_TO) != 0)
        moved_in(spool, &name);
    stk_spool_hint(spool, &name);
}

static void upload_event(struct stk_spool *spool, const struct inotify_event *event)
{
    struct stk_spool_note *note = stk_spool_note_watched(&spool->notes, event->wd);

    if (note == NULL)
        return;
    if ((event->mask & IN_IGNORED) != 0)
        stk_spool_note_set_watch(&spool->notes, note, -1);
    stk_spool_note_hint(&spool->notes, note);
    stk_spool_soon(spool);
}

static void take_event(struct stk_spool *spool, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        stk_spool_rescan_soon(spool);
    } else if (event->wd == spool->incoming_watch) {
        incoming_event(spool, event);
    } else {
        upload_event(spool, event);
    }
}

static void changed(evutil_socket_t fd, short what, void *context)
{
    struct stk_spool *spool = context;
    _Alignas(struct inotify_event) char events[16 * 1024];
    ssize_t length = read(fd, events, sizeof(events));
    (void)what;

    for (ssize_t at = 0; at < length;) {
        struct inotify_event event;

        memcpy(&event, events + at, sizeof(event));
        take_event(spool, (const struct inotify_event *)(const void *)(events + at));
        at += (ssize_t)(sizeof(event) + event.len);
    }
}

bool stk_spool_watch_incoming(struct stk_spool *spool)
{
    char path[PATH_MAX] = "";

    if (spool->incoming_watch >= 0)
        (void)inotify_rm_watch(spool->inotify, spool->incoming_watch);
    (void)snprintf(path, sizeof(path), "%s/" STK_SPOOL_INCOMING_NAME, spool->directory);
    spool->incoming_watch = inotify_add_watch(spool->inotify, path, INCOMING_EVENTS);
    return spool->incoming_watch >= 0;
}

void stk_spool_watch(struct stk_spool *spool, struct stk_spool_note *note)
{
    char path[PATH_MAX] = "";
    int watch = -1;

    if (note->watch >= 0 || spool->notes.watches >= STK_SPOOL_WATCHES_MAX)
        return;
    (void)snprintf(path, sizeof(path), "%s/" STK_SPOOL_INCOMING_NAME "/%s", spool->directory,
                   note->name.text);
    watch = inotify_add_watch(spool->inotify, path, UPLOAD_EVENTS);
    /* One directory under two names, the second of which it has just been given: it has one watch. */
    if (watch < 0 || stk_spool_note_watched(&spool->notes, watch) != NULL)
        return;
    stk_spool_note_set_watch(&spool->notes, note, watch);
    /* What came between the look and this would be seen by nobody. */
    stk_spool_note_hint(&spool->notes, note);
    stk_spool_soon(spool);
}

void stk_spool_unwatch(struct stk_spool *spool, struct stk_spool_note *note)
{
    if (note->watch < 0)
        return;
    (void)inotify_rm_watch(spool->inotify, note->watch);
    stk_spool_note_set_watch(&spool->notes, note, -1);
}

bool stk_spool_watch_start(struct stk_spool *spool)
{
    spool->incoming_watch = -1;
    spool->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return spool->inotify >= 0 &&
           event_assign(&spool->changes, spool->intake->base, spool->inotify, EV_READ | EV_PERSIST,
                        changed, spool) == 0 &&
           event_add(&spool->changes, NULL) == 0;
}

void stk_spool_watch_stop(struct stk_spool *spool)
{
    if (spool->inotify < 0)
        return;
    (void)event_del(&spool->changes);
    (void)close(spool->inotify);
}
