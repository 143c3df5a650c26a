/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/line.h"
#include "audit/merkle.h"
#include "base/digest.h"
#include "faults.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct audit_key key;
static struct stk_verifier_options keyed;

static int make_key(void **state)
{
    (void)state;
    key = audit_key_make();
    keyed.keys = (const uint8_t(*)[STK_SPKI_LENGTH])key.spki;
    keyed.key_count = 1;
    return 0;
}

static int free_key(void **state)
{
    (void)state;
    audit_key_free(&key);
    return 0;
}

static int set_up(void **state)
{
    faults_reset();
    return scratch_set_up(state);
}

static int tear_down(void **state)
{
    faults_reset();
    return scratch_tear_down(state);
}

static enum stirkeep_status append_at(struct stk_trail *trail, int64_t real_us)
{
    struct stk_record record = sign_record(1);

    return stk_trail_append(trail, &record, 1, real_us, NULL);
}

static void assert_unsealed(struct stk_trail *trail, uint64_t count, int64_t since)
{
    int64_t told = 77;

    assert_int_equal(stk_trail_unsealed(trail, &told), count);
    assert_int_equal(told, since);
}

static void assert_extent(const struct stk_seal *seal, uint64_t from, uint64_t through)
{
    assert_int_equal(seal->from, from);
    assert_int_equal(seal->through, through);
}

/* What the seal says, computed from the file's text. */
static void assert_content(const char *path, const struct stk_seal *seal)
{
    struct stk_buffer data = read_whole(path);
    struct stk_merkle tree = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t root[STK_DIGEST_LENGTH] = {0};
    uint64_t sequence = 0;
    const uint8_t *at = data.data;

    while (sequence < seal->through) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(data.data + data.length - at));

        assert_non_null(newline);
        sequence = strtoull((const char *)at + strlen("{\"seq\":"), NULL, 10);
        stk_sha256(at, (size_t)(newline - at), digest);
        if (sequence >= seal->from)
            stk_merkle_add(&tree, digest);
        at = newline + 1;
    }
    stk_merkle_root(&tree, root);
    assert_memory_equal(seal->head, digest, sizeof(digest));
    assert_memory_equal(seal->root, root, sizeof(root));
    stk_buffer_free(&data);
}

static void a_seal_covers_all_since_the_one_before(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_ALWAYS);
    struct stk_verdict verdict = {0};
    struct stk_seal seal = {0};

    append_some(trail, 1, 5);
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 1, 5);
    assert_content(scratch->path, &seal);
    append_some(trail, 6, 2); /* while it is being signed */
    sign_seal(&key, &seal);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, NULL, NULL), STIRKEEP_OK);
    append_some(trail, 8, 1);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 6, 9); /* with the first seal, number 8 */
    assert_content(scratch->path, &seal);
    stk_trail_close(trail);
    verdict = verdict_of(scratch, &keyed);
    assert_int_equal(verdict.records, 10);
    assert_int_equal(verdict.seals, 2);
    assert_int_equal(verdict.sealed, 9);
    assert_int_equal(verdict.uncovered, 0);
}

static void a_large_tree_is_made_block_by_block(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_record records[100];
    struct stk_seal seal = {0};

    for (size_t i = 0; i < 100; i++)
        records[i] = (struct stk_record){.act = "sign", .outcome = "ok"};
    for (size_t i = 0; i < 90; i++)
        assert_int_equal(stk_trail_append(trail, records, 100, NOW_US, NULL), STIRKEEP_OK);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 1, 9000);
    assert_content(scratch->path, &seal);
    append_some(trail, 1, 1);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).sealed, 9000);
}

static void the_witness_gets_the_line_as_it_stands_in_the_file(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_buffer witness = {0};
    struct stk_buffer data = {0};
    struct stk_line line = {0};

    append_some(trail, 1, 3);
    (void)seal_trail(trail, &key, &witness);
    stk_trail_close(trail);
    data = read_whole(scratch->path);
    assert_true(witness.length > 500 && witness.length < 1024);
    assert_memory_equal(data.data + data.length - witness.length, witness.data, witness.length);
    assert_null(stk_line_read(witness.data, witness.length - 1, &line));
    assert_true(line.seals);
    assert_int_equal(line.sequence, 4);
    stk_buffer_free(&data);
    stk_buffer_free(&witness);
}

static void without_a_new_record_there_is_nothing_to_seal(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_seal seal = {.from = 77};

    assert_false(stk_trail_seal_begin(trail, &seal));
    assert_unsealed(trail, 0, 0);
    append_some(trail, 1, 1);
    (void)seal_trail(trail, &key, NULL);
    assert_false(stk_trail_seal_begin(trail, &seal)); /* the seal's own record is none */
    assert_unsealed(trail, 0, 0);
    assert_int_equal(seal.from, 77);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    assert_false(stk_trail_seal_begin(trail, &seal));
    assert_unsealed(trail, 0, 0);
    append_some(trail, 2, 1);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 2, 3);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).uncovered, 0);
}

static void how_many_wait_and_since_when_is_told(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_seal seal = {0};

    for (int64_t i = 0; i < 4; i++)
        assert_int_equal(append_at(trail, NOW_US + i * 1000001), STIRKEEP_OK);
    assert_unsealed(trail, 4, NOW_US);
    assert_true(stk_trail_seal_begin(trail, &seal));
    for (int64_t i = 4; i < 6; i++)
        assert_int_equal(append_at(trail, NOW_US + i * 1000001), STIRKEEP_OK);
    assert_unsealed(trail, 6, NOW_US);
    sign_seal(&key, &seal);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US + 9000000, NULL, NULL), STIRKEEP_OK);
    assert_unsealed(trail, 2, NOW_US + 4000004);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    assert_unsealed(trail, 2, NOW_US + 4000004); /* read from the records */
    stk_trail_close(trail);
}

static void what_is_not_on_disk_is_not_sealed(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stk_seal seal = {0};

    append_some(trail, 1, 3);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    faults.fdatasync_errno = EIO;
    append_some(trail, 4, 2);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_AUDIT_UNAVAILABLE);
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 1, 3);
    sign_seal(&key, &seal);
    /* Nothing is written while what was written may be lost. */
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, NULL, NULL),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    faults.fdatasync_errno = 0;
    for (int i = 0; i < 400 && !stk_trail_writable(trail); i++)
        (void)usleep(5000);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, NULL, NULL), STIRKEEP_OK);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 4, 6);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).seals, 2);
}

static void with_none_what_is_written_is_sealed(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_seal seal = {0};

    append_some(trail, 1, 3);
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 1, 3);
    assert_int_equal(faults.fdatasyncs, 0);
    stk_trail_close(trail);
}

static void a_seal_that_cannot_be_written_is_not_there_and_can_be_tried_again(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_ALWAYS);
    struct stk_buffer line = {0};
    struct stk_error error = {0};
    struct stk_seal seal = {0};

    append_some(trail, 1, 3);
    assert_true(stk_trail_seal_begin(trail, &seal));
    sign_seal(&key, &seal);
    faults.write_errno = ENOSPC;
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, &line, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_non_null(strstr(error.message, "No space left on device"));
    assert_false(stk_trail_writable(trail));
    faults.write_errno = 0;
    faults.fdatasync_errno = EIO;
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, &line, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    faults.fdatasync_errno = 0;
    assert_unsealed(trail, 3, NOW_US);
    assert_int_equal(records_in(scratch->path), 3);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, &line, &error), STIRKEEP_OK);
    assert_unsealed(trail, 0, 0);
    assert_true(stk_trail_writable(trail));
    stk_buffer_free(&line);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).sealed, 3);
}

static void assert_not_sealed(struct stk_trail *trail, const struct stk_seal *seal,
                              const char *reason)
{
    struct stk_error error = {0};
    uint64_t before = stk_trail_sequence(trail);

    assert_int_equal(stk_trail_seal_end(trail, seal, NOW_US, NULL, &error), STIRKEEP_INVALID);
    assert_int_equal(error.status, STIRKEEP_INVALID);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error.message, reason);
    assert_int_equal(stk_trail_sequence(trail), before);
    assert_true(stk_trail_writable(trail));
}

static void a_seal_that_is_not_true_is_refused(void **state)
{
    static const char gone[] = "what the seal covers is not in the trail any more";
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_seal seal = {0};
    struct stk_seal other = {0};

    append_some(trail, 1, 5);
    assert_true(stk_trail_seal_begin(trail, &seal));
    sign_seal(&key, &seal);
    other = seal;
    other.head[5] ^= 1;
    assert_not_sealed(trail, &other, gone);
    other = seal;
    other.through = 4;
    assert_not_sealed(trail, &other, gone);
    other.through = 6;
    assert_not_sealed(trail, &other, gone);
    other = seal;
    other.from = 6;
    assert_not_sealed(trail, &other, "could not be read back");
    other = seal;
    (void)snprintf(other.time, sizeof(other.time), "now");
    assert_not_sealed(trail, &other, "could not be read back");
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, NULL, NULL), STIRKEEP_OK);
    assert_not_sealed(trail, &seal, gone); /* twice */
    append_some(trail, 6, 1);
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 6, 7);
    seal.from = 5; /* which is covered already */
    sign_seal(&key, &seal);
    assert_not_sealed(trail, &seal, gone);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).seals, 1);
}

/* Acts come from rooms that somebody may have taken over: none forges what the trail says. */
static void an_act_that_is_the_trails_own_is_refused(void **state)
{
    static const char *const own[] = {"seal", "continue", "cut"};
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_record records[2] = {sign_record(1), sign_record(2)};
    struct stk_seal seal = {0};
    struct stk_error error = {0};

    for (size_t i = 0; i < 3; i++) {
        records[1].act = own[i];
        assert_int_equal(stk_trail_append(trail, records, 2, NOW_US, &error), STIRKEEP_INVALID);
        assert_non_null(strstr(error.message, "is the trail's own"));
    }
    records[1].act = "sign";
    records[1].seal = &seal;
    assert_int_equal(stk_trail_append(trail, records, 2, NOW_US, &error), STIRKEEP_INVALID);
    assert_int_equal(stk_trail_sequence(trail), 0);
    assert_true(stk_trail_writable(trail));
    records[1] = (struct stk_record){.act = "seal-", .outcome = "ok"};
    assert_int_equal(stk_trail_append(trail, records, 2, NOW_US, &error), STIRKEEP_OK);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, NULL).records, 2);
}

/* ---- over restarts and other files */

static void what_a_former_process_left_unsealed_is_found_again(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stk_seal seal = {0};
    struct stk_seal again = {0};

    append_some(trail, 1, 300);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    assert_true(stk_trail_seal_begin(trail, &seal));
    append_some(trail, 301, 100); /* between what it covers and the seal */
    sign_seal(&key, &seal);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, NULL, NULL), STIRKEEP_OK);
    append_some(trail, 401, 150);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 301, 551);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    assert_unsealed(trail, 250, NOW_US);
    assert_true(stk_trail_seal_begin(trail, &again));
    assert_memory_equal(&seal, &again, sizeof(seal));
    seal = seal_trail(trail, &key, NULL);
    append_some(trail, 1, 1);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 552, 553);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).uncovered, 0);
}

/* The last seal may be far back, in lines of all lengths. */
static void what_is_unsealed_is_found_again_however_much_it_is(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    char text[2001] = "";
    const char *dest[STK_DEST_MAX];
    struct stk_seal seal = {0};
    struct stk_seal again = {0};

    memset(text, 0x01, sizeof(text) - 1);
    for (size_t i = 0; i < STK_DEST_MAX; i++)
        dest[i] = text;
    append_some(trail, 1, 10);
    (void)seal_trail(trail, &key, NULL);
    for (size_t i = 0; i < 400; i++) {
        struct stk_record record = sign_record(i);

        record.detail = i % 7 == 0 ? text + i * 4 : NULL;
        if (i % 50 == 49) { /* nearly 400 KiB a line */
            record.dest = dest;
            record.dest_count = STK_DEST_MAX;
        }
        assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US, NULL), STIRKEEP_OK);
    }
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 11, 411);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    assert_true(stk_trail_seal_begin(trail, &again));
    assert_memory_equal(&seal, &again, sizeof(seal));
    stk_trail_close(trail);
}

static void behind_a_damaged_record_a_new_tree_begins(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_seal seal = {0};
    struct stk_buffer data = {0};
    uint8_t *place = NULL;

    append_some(trail, 1, 50);
    stk_trail_close(trail);
    data = read_whole(scratch->path);
    place = memmem(data.data, data.length, "\"request_id\":\"30\"", 17);
    assert_non_null(place);
    place[15] ^= 1;
    write_whole(scratch->path, data.data, data.length);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    assert_false(stk_trail_seal_begin(trail, &seal));
    append_some(trail, 51, 2);
    assert_true(stk_trail_seal_begin(trail, &seal));
    assert_extent(&seal, 51, 52);
    stk_trail_close(trail);
    stk_buffer_free(&data);
}

static void a_file_renamed_meanwhile_stays_in_the_tree(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stk_verdict verdict = {0};
    struct stk_seal seal = {0};
    char old[PATH_MAX + 16] = "";

    append_some(trail, 1, 5);
    (void)snprintf(old, sizeof(old), "%s.000000000005", scratch->path);
    assert_int_equal(rename(scratch->path, old), 0);
    append_some(trail, 6, 2);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 1, 8);
    stk_trail_close(trail);
    verdict = verdict_of(scratch, &keyed);
    assert_int_equal(verdict.files, 2);
    assert_int_equal(verdict.uncovered, 0);
}

static void records_of_a_file_that_is_gone_are_covered_by_the_chain_alone(void **state)
{
    for (int cut = 0; cut < 2; cut++) {
        struct scratch *scratch = *state;
        struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
        struct stk_seal seal = {0};
        struct stk_seal late = {0};
        int64_t since = 0;

        append_some(trail, 1, 5);
        assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
        assert_true(stk_trail_seal_begin(trail, &late));
        sign_seal(&key, &late);
        assert_int_equal(cut ? truncate(scratch->path, 0) : unlink(scratch->path), 0);
        append_some(trail, 6, 2);
        assert_int_equal(stk_trail_unsealed(trail, &since), 8);
        assert_not_sealed(trail, &late, "not in the trail any more");
        assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
        seal = seal_trail(trail, &key, NULL);
        assert_extent(&seal, 6, 8);
        assert_unsealed(trail, 0, 0);
        stk_trail_close(trail);
        assert_int_equal(verdict_of(scratch, &keyed).first, 6);
        assert_int_equal(unlink(scratch->path), 0);
    }
}

/* A torn seal is none: the one before it tells where the next begins. */
static void a_torn_seal_covers_nothing(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_buffer data = {0};
    struct stk_seal seal = {0};

    append_some(trail, 1, 5);
    (void)seal_trail(trail, &key, NULL);
    append_some(trail, 7, 3);
    (void)seal_trail(trail, &key, NULL);
    stk_trail_close(trail);
    data = read_whole(scratch->path);
    write_whole(scratch->path, data.data, data.length - 200);
    stk_buffer_free(&data);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    append_some(trail, 10, 1);
    seal = seal_trail(trail, &key, NULL);
    assert_extent(&seal, 6, 11); /* with the records "cut" and the new one */
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, &keyed).uncovered, 0);
}

/* ---- all at once */

#define WRITERS 4

struct busy {
    struct stk_trail *trail;
    atomic_bool stop;
    atomic_int seals;
    atomic_int rotations;
    pthread_mutex_t lock;
    struct stk_error error; /* the first one */
};

/* False when it was to stop anyway. */
static bool went_well(struct busy *busy, enum stirkeep_status status, const struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        return true;
    (void)pthread_mutex_lock(&busy->lock);
    if (busy->error.status == STIRKEEP_OK)
        busy->error = *error;
    (void)pthread_mutex_unlock(&busy->lock);
    return false;
}

static void *write_until_stopped(void *argument)
{
    struct busy *busy = argument;
    struct stk_record records[5];
    struct stk_error error = {0};

    for (size_t i = 0; i < 5; i++)
        records[i] = sign_record(i);
    while (!busy->stop &&
           went_well(busy, stk_trail_append(busy->trail, records, 5, NOW_US, &error), &error))
        continue;
    return NULL;
}

static void *rotate_now_and_then(void *argument)
{
    struct busy *busy = argument;
    struct stk_error error = {0};
    char name[PATH_MAX] = "";

    while (!busy->stop && busy->rotations < 20 &&
           went_well(busy, stk_trail_rotate(busy->trail, NOW_US, name, &error), &error)) {
        busy->rotations++;
        (void)usleep(20000);
    }
    return NULL;
}

static void *seal_all_the_time(void *argument)
{
    struct busy *busy = argument;
    struct stk_error error = {0};
    int64_t since = 0;

    while (!busy->stop) {
        struct stk_seal seal = {0};

        (void)stk_trail_unsealed(busy->trail, &since);
        if (!stk_trail_seal_begin(busy->trail, &seal)) {
            (void)usleep(1000);
            continue;
        }
        sign_seal(&key, &seal);
        if (!went_well(busy, stk_trail_seal_end(busy->trail, &seal, NOW_US, NULL, &error), &error))
            break;
        busy->seals++;
    }
    return NULL;
}

static void sealing_and_rotating_hold_up_no_writer_and_lose_nothing(void **state)
{
    static const enum stk_trail_sync modes[] = {STK_TRAIL_NONE, STK_TRAIL_INTERVAL,
                                                STK_TRAIL_ALWAYS};

    for (size_t mode = 0; mode < 3; mode++) {
        struct scratch *scratch = NULL;
        struct busy busy = {.lock = PTHREAD_MUTEX_INITIALIZER};
        struct stk_verdict verdict = {0};
        pthread_t threads[WRITERS + 2];
        uint64_t written = 0;

        assert_int_equal(scratch_set_up((void **)&scratch), 0);
        busy.trail = open_trail(scratch, modes[mode]);
        append_some(busy.trail, 1, 1); /* an empty file is not rotated */
        for (size_t i = 0; i < WRITERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, write_until_stopped, &busy), 0);
        assert_int_equal(pthread_create(&threads[WRITERS], NULL, seal_all_the_time, &busy), 0);
        assert_int_equal(pthread_create(&threads[WRITERS + 1], NULL, rotate_now_and_then, &busy),
                         0);
        (void)usleep(100000);
        for (int i = 0; i < 1000 && (busy.seals < 3 || busy.rotations < 3); i++)
            (void)usleep(5000);
        busy.stop = true;
        for (size_t i = 0; i < WRITERS + 2; i++)
            (void)pthread_join(threads[i], NULL);
        if (busy.error.status != STIRKEEP_OK)
            fail_msg("%s", busy.error.message);
        written = stk_trail_sequence(busy.trail);
        stk_trail_close(busy.trail);
        verdict = verdict_of(scratch, &keyed);
        assert_int_equal(verdict.records, written);
        assert_int_equal(verdict.seals, busy.seals);
        assert_true(busy.seals >= 3 && busy.rotations >= 3);
        assert_int_equal(verdict.uncovered, 0);
        assert_int_equal(verdict.files, busy.rotations + 1);
        (void)scratch_tear_down((void **)&scratch);
    }
    (void)state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_seal_covers_all_since_the_one_before),
        TEST(a_large_tree_is_made_block_by_block),
        TEST(the_witness_gets_the_line_as_it_stands_in_the_file),
        TEST(without_a_new_record_there_is_nothing_to_seal),
        TEST(how_many_wait_and_since_when_is_told),
        TEST(what_is_not_on_disk_is_not_sealed),
        TEST(with_none_what_is_written_is_sealed),
        TEST(a_seal_that_cannot_be_written_is_not_there_and_can_be_tried_again),
        TEST(a_seal_that_is_not_true_is_refused),
        TEST(an_act_that_is_the_trails_own_is_refused),
        TEST(what_a_former_process_left_unsealed_is_found_again),
        TEST(what_is_unsealed_is_found_again_however_much_it_is),
        TEST(behind_a_damaged_record_a_new_tree_begins),
        TEST(a_file_renamed_meanwhile_stays_in_the_tree),
        TEST(records_of_a_file_that_is_gone_are_covered_by_the_chain_alone),
        TEST(a_torn_seal_covers_nothing),
        TEST(sealing_and_rotating_hold_up_no_writer_and_lose_nothing),
    };

    return cmocka_run_group_tests(tests, make_key, free_key);
}
