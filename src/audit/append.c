/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/state.h"
#include "base/file.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define WRITE_TRIES 2   /* the second one is for a file that was removed under the first */
#define BODY_LIKELY 640 /* bytes of a record before its ends are added */

/* What one call appends. */
struct batch {
    const struct stk_buffer *const *bodies; /* in them, of each record its length, a size_t, and
                                               stk_line_body */
    size_t count;
    int64_t real_us;
    const struct stk_seal *seal; /* it is the one record, if it is still true */
    struct stk_buffer *line;     /* that gets its line; else NULL */
};

/* Whatever does not depend on the chain is made before the lock is taken. */
static enum stirkeep_status compose(const struct stk_record *records, size_t count,
                                    struct stk_buffer *bodies)
{
    size_t before = bodies->length;
    enum stirkeep_status status = stk_buffer_reserve(bodies, count * BODY_LIKELY);

    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++) {
        size_t start = bodies->length;
        size_t length = 0;

        status = stk_buffer_add(bodies, &length, sizeof(length));
        if (status == STIRKEEP_OK)
            status = stk_line_body(&records[i], bodies);
        length = bodies->length - start - sizeof(length);
        if (status == STIRKEEP_OK)
            memcpy(bodies->data + start, &length, sizeof(length));
    }
    if (status != STIRKEEP_OK)
        bodies->length = before;
    return status;
}

static enum stirkeep_status add_line(struct stk_trail *trail, const uint8_t *body, size_t length,
                                     const struct batch *batch, struct stk_chain *chain)
{
    enum stirkeep_status status = STIRKEEP_OK;

    trail->last_line = trail->lines.length;
    status = stk_line_finish(body, length, stk_trail_time_text(trail, batch->real_us), chain,
                             &trail->lines);
    if (status == STIRKEEP_OK)
        stk_unsealed_add(&trail->unsealed, chain->sequence, chain->digest, batch->seal != NULL,
                         batch->real_us);
    return status;
}

static enum stirkeep_status add_lines(struct stk_trail *trail, const struct stk_buffer *bodies,
                                      const struct batch *batch, struct stk_chain *chain)
{
    enum stirkeep_status status = STIRKEEP_OK;
    size_t at = 0;

    while (at < bodies->length && status == STIRKEEP_OK) {
        size_t length = 0;

        memcpy(&length, bodies->data + at, sizeof(length));
        at += sizeof(length);
        status = add_line(trail, bodies->data + at, length, batch, chain);
        at += length;
    }
    return status;
}

static enum stirkeep_status add_note_line(struct stk_trail *trail, const struct batch *batch,
                                          struct stk_chain *chain)
{
    struct stk_record note = {.act = trail->note_act, .outcome = "ok", .detail = trail->note};
    struct batch alone = {.real_us = batch->real_us};
    struct stk_buffer body = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (trail->note_act == NULL || trail->note_sequence != 0)
        return STIRKEEP_OK;
    status = stk_line_body(&note, &body);
    if (status == STIRKEEP_OK)
        status = add_line(trail, body.data, body.length, &alone, chain);
    stk_buffer_free(&body);
    return status;
}

/* All lines of one append into `lines`; `chain` moves on with them. */
static enum stirkeep_status make_lines(struct stk_trail *trail, const struct batch *batch,
                                       struct stk_chain *chain)
{
    enum stirkeep_status status = STIRKEEP_OK;

    trail->lines.length = 0;
    status = add_note_line(trail, batch, chain);
    for (size_t i = 0; i < batch->count && status == STIRKEEP_OK; i++)
        status = add_lines(trail, batch->bodies[i], batch, chain);
    if (status == STIRKEEP_OK && batch->line != NULL) {
        batch->line->length = 0;
        status = stk_buffer_add(batch->line, trail->lines.data + trail->last_line,
                                trail->lines.length - trail->last_line - 1);
    }
    return status;
}

/* Write what was composed. On failure the file is as it was, or `unclean`. */
static enum stirkeep_status write_lines(struct stk_trail *trail, const struct stk_chain *chain,
                                        int64_t real_us, struct stk_error *error)
{
    bool was_clean = trail->written.end == trail->synced.end;

    if (!stk_file_write_all(trail->fd, trail->lines.data, trail->lines.length)) {
        stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be written: %s", trail->path,
                      strerror(errno));
        (void)stk_trail_cut_back(trail);
        return STIRKEEP_AUDIT_UNAVAILABLE;
    }
    if (trail->written.end == 0)
        trail->begun_us = real_us;
    if (trail->note_act != NULL && trail->note_sequence == 0)
        trail->note_sequence = trail->written.chain.sequence + 1;
    trail->written.chain = *chain;
    trail->written.end += (off_t)trail->lines.length;
    if (was_clean && trail->has_thread)
        (void)pthread_cond_broadcast(&trail->changed);
    return STIRKEEP_OK;
}

/* Is the file still one that can be found? If it was removed between the look and the write, the
 * lines are nowhere; when it was only renamed they are where its owner took it. */
static bool is_linked(const struct stk_trail *trail)
{
    struct stat about = {0};

    return fstat(trail->fd, &about) == 0 && about.st_nlink > 0;
}

/* Is what the seal covers still in the trail, and covered by no other seal? */
static bool is_true(const struct stk_trail *trail, const struct stk_seal *seal)
{
    const struct stk_window_entry *head = stk_window_at(&trail->unsealed.window, seal->through);

    return head != NULL && memcmp(head->digest, seal->head, sizeof(seal->head)) == 0 &&
           seal->from <= seal->through && seal->from > trail->unsealed.sealed;
}

static enum stirkeep_status append_once(struct stk_trail *trail, const struct batch *batch,
                                        bool *ret_linked, struct stk_error *error)
{
    struct stk_position before = trail->written;
    struct stk_chain chain = trail->written.chain;
    enum stirkeep_status status = make_lines(trail, batch, &chain);

    if (status != STIRKEEP_OK)
        stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: out of memory", trail->path);
    else
        status = write_lines(trail, &chain, batch->real_us, error);
    if (status != STIRKEEP_OK) {
        stk_unsealed_take_back(&trail->unsealed, before.chain.sequence);
        return STIRKEEP_AUDIT_UNAVAILABLE;
    }
    *ret_linked = is_linked(trail);
    if (!*ret_linked)
        stk_trail_step_back(trail, &before);
    else if (trail->sync == STK_TRAIL_ALWAYS)
        status = stk_trail_sync_through(trail, chain.sequence, error);
    return status;
}

static enum stirkeep_status append_locked(struct stk_trail *trail, const struct batch *batch,
                                          struct stk_error *error)
{
    for (int try = 0; try < WRITE_TRIES; try++) {
        bool linked = false;
        enum stirkeep_status status = stk_trail_make_ready(trail, batch->real_us, error);

        if (status != STIRKEEP_OK)
            return STIRKEEP_AUDIT_UNAVAILABLE;
        if (batch->seal != NULL && !is_true(trail, batch->seal))
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "%s: what the seal covers is not in the trail any more",
                                 trail->path);
        status = append_once(trail, batch, &linked, error);
        if (status != STIRKEEP_OK || linked)
            return status;
    }
    return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: is removed again and again",
                         trail->path);
}

static enum stirkeep_status append(struct stk_trail *trail, const struct batch *batch,
                                   struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    (void)pthread_mutex_lock(&trail->lock);
    status = append_locked(trail, batch, error);
    if (status == STIRKEEP_OK && batch->seal != NULL)
        stk_unsealed_sealed(&trail->unsealed, batch->seal->through);
    if (status != STIRKEEP_INVALID)
        trail->writable = status == STIRKEEP_OK && !trail->sync_failed;
    (void)pthread_mutex_unlock(&trail->lock);
    if (status != STIRKEEP_OK && error != NULL)
        error->status = status;
    return status;
}

/* What only the trail itself may say. Acts come from other rooms, too. */
static bool is_own(const struct stk_record *record)
{
    static const char *const own[] = {"seal", "continue", "cut"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(record->act, own[i]) == 0)
            return true;
    return record->seal != NULL;
}

enum stirkeep_status stk_trail_compose(const struct stk_record *records, size_t count,
                                       struct stk_buffer *bodies, struct stk_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (is_own(&records[i]))
            return stk_error_set(error, STIRKEEP_INVALID, "the act %s is the trail's own",
                                 records[i].act);
    if (compose(records, count, bodies) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "a record: out of memory");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_trail_append_composed(struct stk_trail *trail,
                                               const struct stk_buffer *const *bodies, size_t count,
                                               int64_t real_us, struct stk_error *error)
{
    const struct batch batch = {.bodies = bodies, .count = count, .real_us = real_us};

    return append(trail, &batch, error);
}

static enum stirkeep_status no_memory(const struct stk_trail *trail, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: out of memory", trail->path);
}

enum stirkeep_status stk_trail_append(struct stk_trail *trail, const struct stk_record *records,
                                      size_t count, int64_t real_us, struct stk_error *error)
{
    struct stk_buffer own = {0};
    const struct stk_buffer *bodies = &own;
    enum stirkeep_status status = stk_trail_compose(records, count, &own, error);

    if (status == STIRKEEP_OK)
        status = stk_trail_append_composed(trail, &bodies, 1, real_us, error);
    else if (status == STIRKEEP_NO_MEMORY)
        status = no_memory(trail, error);
    stk_buffer_free(&own);
    return status;
}

enum stirkeep_status stk_trail_append_seal(struct stk_trail *trail, const struct stk_seal *seal,
                                           int64_t real_us, struct stk_buffer *line,
                                           struct stk_error *error)
{
    const struct stk_record record = {
        .act = "seal", .outcome = "ok", .key_id = &seal->key_id, .seal = seal};
    struct stk_buffer own = {0};
    const struct stk_buffer *bodies = &own;
    const struct batch batch = {
        .bodies = &bodies, .count = 1, .real_us = real_us, .seal = seal, .line = line};
    enum stirkeep_status status = compose(&record, 1, &own);

    status = status == STIRKEEP_OK ? append(trail, &batch, error) : no_memory(trail, error);
    stk_buffer_free(&own);
    return status;
}
