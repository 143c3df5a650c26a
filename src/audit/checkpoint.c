/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/merkle.h"
#include "audit/state.h"
#include <string.h>

/* What a seal would cover now, but for the root. Under the lock. */
static bool extent_of(struct stk_trail *trail, struct stk_seal *seal)
{
    const struct stk_unsealed *unsealed = &trail->unsealed;
    uint64_t last = trail->sync == STK_TRAIL_NONE ? trail->written.chain.sequence
                                                  : trail->synced.chain.sequence;
    const struct stk_window_entry *head = stk_window_at(&unsealed->window, last);

    if (!stk_unsealed_is_due(unsealed, last) || head == NULL)
        return false;
    seal->from = unsealed->window.first;
    seal->through = last;
    memcpy(seal->head, head->digest, sizeof(seal->head));
    return true;
}

/* Copy the digests from `from` on, up to `through` and to the end of a block. How many; 0: they are
 * not held any more. */
static size_t copy_block(struct stk_trail *trail, uint64_t from, uint64_t through,
                         uint8_t (*digests)[STK_DIGEST_LENGTH])
{
    size_t count = 0;

    (void)pthread_mutex_lock(&trail->lock);
    while (count < STK_WINDOW_BLOCK && from + count <= through) {
        const struct stk_window_entry *entry = stk_window_at(&trail->unsealed.window, from + count);

        if (entry == NULL) {
            count = 0;
            break;
        }
        memcpy(digests[count++], entry->digest, STK_DIGEST_LENGTH);
    }
    (void)pthread_mutex_unlock(&trail->lock);
    return count;
}

/* Nobody waits while the tree is made: the digests are copied block by block. False: the first ones
 * left meanwhile. */
static bool root_of(struct stk_trail *trail, struct stk_seal *seal)
{
    uint8_t digests[STK_WINDOW_BLOCK][STK_DIGEST_LENGTH];
    struct stk_merkle tree = {0};
    uint64_t next = seal->from;

    while (next <= seal->through) {
        size_t count = copy_block(trail, next, seal->through, digests);

        if (count == 0)
            return false;
        for (size_t i = 0; i < count; i++)
            stk_merkle_add(&tree, digests[i]);
        next += count;
    }
    stk_merkle_root(&tree, seal->root);
    return true;
}

bool stk_trail_seal_begin(struct stk_trail *trail, struct stk_seal *ret_seal)
{
    struct stk_seal seal = {0};
    bool due = false;
    bool done = false;

    do {
        (void)pthread_mutex_lock(&trail->lock);
        due = extent_of(trail, &seal);
        (void)pthread_mutex_unlock(&trail->lock);
        done = due && root_of(trail, &seal);
    } while (due && !done);
    if (done)
        *ret_seal = seal;
    return done;
}

/* Would a verifier read from the record what was signed? */
static bool is_readable(const struct stk_seal *seal)
{
    const struct stk_record record = {
        .act = "seal", .outcome = "ok", .key_id = &seal->key_id, .seal = seal};
    struct stk_chain chain = {.sequence = seal->through};
    struct stk_buffer line = {0};
    struct stk_seal read = {0};
    uint8_t written_digest[STK_DIGEST_LENGTH];
    uint8_t read_digest[STK_DIGEST_LENGTH];
    bool readable =
        stk_line_append(&record, "2026-11-25T20:06:24.123456Z", &chain, &line) == STIRKEEP_OK &&
        stk_seal_read(line.data, line.length - 1, &read);

    stk_buffer_free(&line);
    stk_seal_digest(seal, written_digest);
    stk_seal_digest(&read, read_digest);
    return readable && memcmp(written_digest, read_digest, sizeof(read_digest)) == 0;
}

enum stirkeep_status stk_trail_seal_end(struct stk_trail *trail, const struct stk_seal *seal,
                                        int64_t real_us, struct stk_buffer *line,
                                        struct stk_error *error)
{
    if (!is_readable(seal))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: a seal that could not be read back",
                             trail->path);
    return stk_trail_append_seal(trail, seal, real_us, line, error);
}

uint64_t stk_trail_unsealed(struct stk_trail *trail, int64_t *ret_since_us)
{
    uint64_t count = 0;

    (void)pthread_mutex_lock(&trail->lock);
    count = stk_unsealed_count(&trail->unsealed, ret_since_us);
    (void)pthread_mutex_unlock(&trail->lock);
    return count;
}
