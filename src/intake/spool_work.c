/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_work.h"

#include "base/time_text.h"
#include "model/uri.h"
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LENGTH 1024
#define STOP_S 2

/* ---- in the thread */

/* The only line of a file of the upload. */
static enum stirkeep_status read_line(const struct stk_spool_work *work, enum stk_spool_file file,
                                      char *ret_line, size_t size, struct stk_error *error)
{
    const char *name = stk_spool_files[file];
    struct stk_source *source = NULL;
    struct stk_secret data = {0};
    size_t length = 0;
    enum stirkeep_status status =
        stk_source_open_at(work->directory, name, name, false, &source, &data, error);

    stk_source_free(source);
    if (status != STIRKEEP_OK)
        return status;
    length = data.length;
    if (length > 0 && data.data[length - 1] == '\n')
        length--;
    if (length > 0 && data.data[length - 1] == '\r')
        length--;
    if (length == 0 || length >= size || memchr(data.data, '\n', length) != NULL ||
        memchr(data.data, '\0', length) != NULL) {
        status = stk_error_set(error, STIRKEEP_INVALID,
                               "%s: has to be one line of 1 to %zu characters", name, size - 1);
    } else {
        memcpy(ret_line, data.data, length);
        ret_line[length] = '\0';
    }
    stk_secret_free(&data);
    return status;
}

/* In an upload a span of time has no beginning: it may be tried again later. */
static enum stirkeep_status read_activate_at(struct stk_spool_work *work, struct stk_error *error)
{
    const char *name = stk_spool_files[STK_SPOOL_ACTIVATE_AT];
    char text[LINE_MAX_LENGTH + 1] = "";
    enum stirkeep_status status = read_line(work, STK_SPOOL_ACTIVATE_AT, text, sizeof(text), error);

    if (status == STIRKEEP_OK && text[0] == '+')
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: a moment is wanted, not a span: 2026-12-31T00:00:00Z or @seconds",
                             name);
    if (status == STIRKEEP_OK &&
        (status = stk_time_parse(text, 0, &work->activate_at, error)) != STIRKEEP_OK)
        (void)stk_error_prefix(error, name);
    return status;
}

static enum stirkeep_status read_all(struct stk_spool_work *work, struct stk_error *error)
{
    const struct stk_bytes spki = {work->wrapping_spki.data, work->wrapping_spki.length};
    enum stirkeep_status status = STIRKEEP_OK;

    if (work->has_x5u)
        status = read_line(work, STK_SPOOL_X5U, work->x5u, sizeof(work->x5u), error);
    if (status == STIRKEEP_OK && work->has_x5u)
        status = stk_x5u_check(work->x5u, error);
    if (status == STIRKEEP_OK && work->has_activate_at)
        status = read_activate_at(work, error);
    if (status == STIRKEEP_OK)
        status = stk_material_read(&work->paths, &work->material, error);
    if (status == STIRKEEP_OK)
        status = stk_material_seal(&work->paths, spki, &work->material, error);
    return status;
}

static void *run(void *context)
{
    struct stk_spool_work *work = context;
    const uint64_t one = 1;

    (void)read_all(work, &work->error);
    /* Cannot fail: the counter is at 0. */
    while (write(work->signal, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
    return NULL;
}

/* ---- in the loop */

bool stk_spool_work_start(struct stk_spool_work *work, struct event_base *base,
                          void (*done)(evutil_socket_t fd, short what, void *context),
                          void *context)
{
    work->signal = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return work->signal >= 0 &&
           event_assign(&work->done, base, work->signal, EV_READ | EV_PERSIST, done, context) ==
               0 &&
           event_add(&work->done, NULL) == 0;
}

bool stk_spool_work_begin(struct stk_spool_work *work)
{
    int problem = pthread_create(&work->thread, NULL, run, work);

    work->running = problem == 0;
    if (!work->running)
        (void)stk_error_set(&work->error, STIRKEEP_UNAVAILABLE, "no thread: %s", strerror(problem));
    return work->running;
}

bool stk_spool_work_end(struct stk_spool_work *work)
{
    uint64_t count = 0;

    if (read(work->signal, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return false;
    (void)pthread_join(work->thread, NULL);
    work->running = false;
    return true;
}

void stk_spool_work_clear(struct stk_spool_work *work)
{
    stk_material_free(&work->material);
    stk_buffer_free(&work->wrapping_spki);
    work->x5u[0] = '\0';
    work->activate_at = 0;
    work->error = (struct stk_error){0};
}

bool stk_spool_work_stop(struct stk_spool_work *work)
{
    struct timespec until = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_S;
    if (work->running && pthread_clockjoin_np(work->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
        return false;
    work->running = false;
    (void)event_del(&work->done);
    if (work->signal >= 0)
        (void)close(work->signal);
    stk_spool_work_clear(work);
    return true;
}
