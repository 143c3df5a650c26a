/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is everything found that is done to a trail, and nothing where nothing was done?
 *
 *   test_mutations [EDITS [SEED]]
 */
#include "mutate.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t edits = 4000;
static uint64_t seed = 20261126;

/* A trail in the making, as a keeper makes one in months. */
struct history {
    struct scratch *scratch;
    struct audit_key key;
    struct stk_buffer witness_lines;
    struct stk_seal *witness;
    size_t witness_count;
    struct stk_verifier_options options;
    enum stk_trail_sync sync;
    struct stk_trail *trail;
    int64_t now_us;
    uint64_t records; /* signed */
};

static void begin(struct history *history, enum stk_trail_sync sync)
{
    *history = (struct history){.sync = sync, .now_us = NOW_US};
    assert_int_equal(scratch_set_up((void **)&history->scratch), 0);
    history->key = audit_key_make();
    history->trail = open_trail(history->scratch, sync);
}

static void end(struct history *history)
{
    stk_trail_close(history->trail);
    stk_buffer_free(&history->witness_lines);
    free(history->witness);
    audit_key_free(&history->key);
    (void)scratch_tear_down((void **)&history->scratch);
}

/* Of all kinds, of which none is quite like another. */
static void sign(struct history *history, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stk_record record = sign_record(history->records++);

        record.iat += (int64_t)history->records;
        if (history->records % 7 == 0)
            record.act = "refuse";
        if (history->records % 5 == 0)
            record.detail = "Gr\xc3\xbc\xc3\x9f \"Gott\"\n";
        assert_int_equal(stk_trail_append(history->trail, &record, 1, history->now_us++, NULL),
                         STIRKEEP_OK);
    }
}

static void seal(struct history *history)
{
    int64_t since = 0;

    assert_int_equal(stk_trail_sync(history->trail, NULL), STIRKEEP_OK);
    if (stk_trail_unsealed(history->trail, &since) > 0)
        (void)seal_trail(history->trail, &history->key, &history->witness_lines);
}

static void rotate(struct history *history)
{
    char name[PATH_MAX] = "";
    uint64_t bytes = 0;
    int64_t begun = 0;

    stk_trail_extent(history->trail, &bytes, &begun);
    if (bytes > 0)
        assert_int_equal(stk_trail_rotate(history->trail, history->now_us++, name, NULL),
                         STIRKEEP_OK);
}

static void start(struct history *history)
{
    struct stk_error error = {0};

    if (stk_trail_open(history->scratch->path, history->sync, history->now_us++, &history->trail,
                       &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

/* A keeper that is killed: the records that it wrote stay, nothing was closed. */
static void die(struct history *history, size_t count)
{
    pid_t child = 0;
    int status = 0;

    stk_trail_close(history->trail);
    child = fork();
    if (child == 0) {
        start(history);
        sign(history, count);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    history->records += count;
    history->now_us += 1000000;
    start(history);
}

/* A power cut in the middle of a write. */
static void tear(struct history *history)
{
    static const char torn[] = "{\"seq\":4711,\"time\":\"2026-11-25T20:06:24.1234";
    int fd = -1;

    stk_trail_close(history->trail);
    fd = open(history->scratch->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, torn, sizeof(torn) - 1), sizeof(torn) - 1);
    (void)close(fd);
    start(history);
}

/* logrotate, without asking; the next record begins the new file. */
static void rename_file(struct history *history)
{
    char name[PATH_MAX + 32] = "";

    sign(history, 1);
    (void)snprintf(name, sizeof(name), "%s.%012" PRIu64, history->scratch->path,
                   stk_trail_sequence(history->trail));
    assert_int_equal(rename(history->scratch->path, name), 0);
    sign(history, 1);
}

static void read_witness(struct history *history)
{
    char path[PATH_MAX + 16] = "";
    size_t passed_over = 0;
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s.witness", history->scratch->path);
    write_whole(path, history->witness_lines.data, history->witness_lines.length);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    free(history->witness);
    history->witness = NULL;
    assert_int_equal(stk_witness_read(fd, "witness", &history->witness, &history->witness_count,
                                      &passed_over, NULL),
                     STIRKEEP_OK);
    assert_int_equal(passed_over, 0);
    (void)close(fd);
    history->options =
        (struct stk_verifier_options){.keys = (const uint8_t(*)[STK_SPKI_LENGTH])history->key.spki,
                                      .key_count = 1,
                                      .witness = history->witness,
                                      .witness_count = history->witness_count};
}

static struct stk_verdict verdict_now(struct history *history)
{
    assert_int_equal(stk_trail_sync(history->trail, NULL), STIRKEEP_OK);
    read_witness(history);
    return verdict_of(history->scratch, &history->options);
}

/* Whatever happens to a service, its trail is a good one, and all of it is there. */
static void no_untouched_trail_is_reported(void **state)
{
    uint64_t dice = seed;
    (void)state;

    for (size_t i = 0; i < 30; i++) {
        struct history history;
        struct stk_verdict verdict = {0};

        begin(&history, (enum stk_trail_sync)(i % 3));
        for (size_t step = 0; step < 25; step++) {
            size_t chance = random_below(&dice, 16);

            if (chance < 6)
                sign(&history, random_below(&dice, 12));
            else if (chance < 9)
                seal(&history);
            else if (chance < 11)
                rotate(&history);
            else if (chance < 12)
                die(&history, random_below(&dice, 12));
            else if (chance < 13)
                tear(&history);
            else if (chance < 14)
                rename_file(&history);
            else
                (void)verdict_now(&history);
        }
        verdict = verdict_now(&history);
        assert_int_equal(verdict.first, verdict.records > 0 ? 1 : 0);
        assert_int_equal(verdict.last, stk_trail_sequence(history.trail));
        assert_true(verdict.records >= history.records);
        assert_int_equal(verdict.seals, history.witness_count);
        end(&history);
    }
}

/* Six files and two hundred records, with all that can happen in it. */
static void make_history(struct history *history)
{
    begin(history, STK_TRAIL_INTERVAL);
    sign(history, 15);
    seal(history);
    sign(history, 5);
    rotate(history);
    sign(history, 30);
    seal(history);
    rename_file(history);
    sign(history, 10);
    tear(history);
    sign(history, 5);
    seal(history);
    rotate(history);
    die(history, 20);
    sign(history, 3);
    seal(history);
    sign(history, 12);
    seal(history);
    sign(history, 2);
    rotate(history);
    sign(history, 40);
    seal(history);
    rotate(history);
    sign(history, 20);
    seal(history);
    sign(history, 6);
}

/* The line that a message names ("file 2: line 5 ..."), counted over all files from 0; SIZE_MAX:
 * it names none. */
static size_t named_line(const struct mutant *mutant, const char *message)
{
    size_t file = 0;
    size_t line = 0;
    size_t before = 0;

    if (sscanf(message, "file %zu: line %zu", &file, &line) != 2)
        return SIZE_MAX;
    for (size_t i = 0; i + 1 < file; i++)
        for (size_t at = 0; at < mutant->files[i].length; at++)
            before += mutant->files[i].data[at] == '\n';
    return before + line - 1;
}

static void every_edit_is_found(void **state)
{
    static const struct stk_verifier_options nothing;
    struct history history;
    struct files *files = calloc(1, sizeof(*files));
    struct original *original = calloc(1, sizeof(*original));
    struct audit_key other = audit_key_make();
    struct stk_verdict verdict = {0};
    uint64_t dice = seed;
    size_t done = 0;
    size_t by_chain = 0;
    (void)state;

    assert_true(files != NULL && original != NULL);
    make_history(&history);
    verdict = verdict_now(&history);
    assert_true(verdict.files == 6 && verdict.records > 170 && verdict.seals == 7);
    find_files(history.scratch, files);
    original->trail = forgery_load(files);
    original->sealed = (size_t)verdict.sealed - 1;
    original->other_key = &other;
    for (size_t i = 0; i < original->trail.files; i++)
        original->files[i] = forgery_file(&original->trail, i);
    assert_int_equal(
        verify_buffers(original->files, original->trail.files, &history.options, &verdict, NULL),
        STIRKEEP_OK);
    for (size_t way = 0; done < edits; way = (way + 1) % mutate_ways) {
        uint64_t before = dice;
        struct mutant mutant = {0};
        struct stk_error error = {0};

        if (!mutate(original, way, &dice, &mutant))
            continue;
        if (verify_buffers(mutant.files, mutant.count, &history.options, &verdict, &error) !=
            STIRKEEP_NOT_VERIFIED)
            fail_msg("edit %zu, %s (dice %" PRIu64 "): not found: %s", done, mutant.how, before,
                     error.message);
        if (named_line(&mutant, error.message) < mutant.touched)
            fail_msg("edit %zu, %s (dice %" PRIu64 "): nothing before line %zu was touched: %s",
                     done, mutant.how, before, mutant.touched, error.message);
        if (done % 10 == 0)
            by_chain += verify_buffers(mutant.files, mutant.count, &nothing, &verdict, NULL) ==
                        STIRKEEP_NOT_VERIFIED;
        mutant_free(&mutant);
        done++;
    }
    print_message("# %zu edits in %zu ways, each one found; of one in ten, %zu of %zu without key "
                  "and witness\n",
                  done, mutate_ways, by_chain, (done + 9) / 10);
    for (size_t i = 0; i < original->trail.files; i++)
        stk_buffer_free(&original->files[i]);
    forgery_free(&original->trail);
    audit_key_free(&other);
    free(original);
    free(files);
    end(&history);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_untouched_trail_is_reported),
        cmocka_unit_test(every_edit_is_found),
    };

    if (argc > 1)
        edits = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
