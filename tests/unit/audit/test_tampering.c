/* SPDX-License-Identifier: BSD-2-Clause */
#include "forge.h"
#include "scratch.h"

#include "base/encode.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/*
 * A trail of three files, which every test tampers with in its own way:
 *   1: records  1-12, among them seal 11 over 1-10
 *   2: record  13 continue, 14-22 signed, 23 seal over 11-22, 24 and 25 signed
 *   3: record  26 continue, 27-36 signed, 37 seal over 23-36, 38-40 signed and never sealed
 */
struct made {
    struct scratch *scratch;
    struct audit_key key;
    struct stk_buffer witness_lines;
    struct stk_seal *witness;
    size_t witness_count;
    struct forgery trail;
    struct stk_verifier_options plain; /* no key, no witness */
    struct stk_verifier_options keyed;
    struct stk_verifier_options full;
};

static void read_witness(struct made *made)
{
    struct stk_error error = {0};
    size_t passed_over = 77;
    char path[PATH_MAX + 16] = "";
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s.witness", made->scratch->path);
    write_whole(path, made->witness_lines.data, made->witness_lines.length);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(
        stk_witness_read(fd, "witness", &made->witness, &made->witness_count, &passed_over, &error),
        STIRKEEP_OK);
    assert_int_equal(passed_over, 0);
    (void)close(fd);
}

static void write_trail(struct made *made)
{
    struct stk_trail *trail = open_trail(made->scratch, STK_TRAIL_NONE);
    char name[PATH_MAX] = "";

    append_some(trail, 1, 10);
    (void)seal_trail(trail, &made->key, &made->witness_lines);
    append_some(trail, 11, 1);
    assert_int_equal(stk_trail_rotate(trail, NOW_US, name, NULL), STIRKEEP_OK);
    append_some(trail, 12, 9);
    (void)seal_trail(trail, &made->key, &made->witness_lines);
    append_some(trail, 21, 2);
    assert_int_equal(stk_trail_rotate(trail, NOW_US, name, NULL), STIRKEEP_OK);
    append_some(trail, 23, 10);
    (void)seal_trail(trail, &made->key, &made->witness_lines);
    append_some(trail, 33, 3);
    stk_trail_close(trail);
}

static int set_up(void **state)
{
    struct made *made = calloc(1, sizeof(*made));
    struct files *files = calloc(1, sizeof(*files));

    if (made == NULL || files == NULL || scratch_set_up((void **)&made->scratch) != 0)
        return -1;
    made->key = audit_key_make();
    write_trail(made);
    read_witness(made);
    find_files(made->scratch, files);
    made->trail = forgery_load(files);
    free(files);
    made->keyed = (struct stk_verifier_options){
        .keys = (const uint8_t(*)[STK_SPKI_LENGTH])made->key.spki, .key_count = 1};
    made->full = made->keyed;
    made->full.witness = made->witness;
    made->full.witness_count = made->witness_count;
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    struct made *made = *state;

    forgery_free(&made->trail);
    stk_buffer_free(&made->witness_lines);
    free(made->witness);
    audit_key_free(&made->key);
    (void)scratch_tear_down((void **)&made->scratch);
    free(made);
    return 0;
}

static struct stk_verdict assert_good(const struct forgery *trail,
                                      const struct stk_verifier_options *options)
{
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    if (forgery_verify(trail, options, &verdict, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return verdict;
}

static void assert_message(const struct stk_error *error, const char *expected)
{
    if (strstr(error->message, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error->message, expected);
}

static void assert_bad(const struct forgery *trail, const struct stk_verifier_options *options,
                       const char *expected)
{
    struct stk_verdict verdict = {.records = 77};
    struct stk_error error = {0};

    assert_int_equal(forgery_verify(trail, options, &verdict, &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(error.status, STIRKEEP_NOT_VERIFIED);
    assert_int_equal(verdict.records, 77);
    assert_message(&error, expected);
}

static void an_untouched_trail_verifies_with_its_numbers(void **state)
{
    struct made *made = *state;
    struct stk_verdict verdict = assert_good(&made->trail, &made->full);

    assert_int_equal(made->witness_count, 3);
    assert_int_equal(verdict.records, 40);
    assert_int_equal(verdict.first, 1);
    assert_int_equal(verdict.last, 40);
    assert_int_equal(verdict.seals, 3);
    assert_int_equal(verdict.sealed, 36);
    assert_int_equal(verdict.files, 3);
    assert_int_equal(verdict.uncovered, 0);
    (void)assert_good(&made->trail, &made->plain);
    (void)assert_good(&made->trail, &made->keyed);
}

static void a_changed_record_with_a_new_sum_breaks_the_link_behind_it(void **state)
{
    struct made *made = *state;

    forgery_replace(&made->trail, 4, "12155550131", "12155550139");
    forgery_relink(&made->trail, 4);
    assert_bad(&made->trail, &made->plain,
               "file 1: line 6 (record 6): it is not chained to record 5 as that is now");
}

static void a_changed_record_with_all_links_made_anew_is_found_by_the_next_seal(void **state)
{
    struct made *made = *state;

    forgery_replace(&made->trail, 15, "12155550131", "12155550139");
    forgery_rechain(&made->trail, 15);
    assert_bad(&made->trail, &made->plain,
               "file 2: line 11 (record 23): the seal is not over record 22 as it is now: that "
               "one or others since record 11 were changed, put in or taken out");
}

static void a_record_put_in_with_all_links_made_anew_is_found_by_the_next_seal(void **state)
{
    struct made *made = *state;

    forgery_insert(&made->trail, 15, made->trail.lines[14].text);
    forgery_rechain(&made->trail, 15);
    assert_bad(&made->trail, &made->plain, "(record 24): the seal is not over record 22 as it is");
}

static void a_record_taken_out_with_all_links_made_anew_is_found_by_the_next_seal(void **state)
{
    struct made *made = *state;

    forgery_remove(&made->trail, 15);
    forgery_rechain(&made->trail, 15);
    /* The seal now stands where the last record that it covers stood. */
    assert_bad(&made->trail, &made->plain, "file 2: line 10 (record 22): it is no seal as one is");
}

static void records_exchanged_with_all_links_made_anew_are_found_by_the_next_seal(void **state)
{
    struct made *made = *state;
    char *text = made->trail.lines[15].text;

    made->trail.lines[15].text = made->trail.lines[17].text;
    made->trail.lines[17].text = text;
    forgery_rechain(&made->trail, 15);
    assert_bad(&made->trail, &made->plain, "(record 23): the seal is not over record 22 as it is");
}

/* The one thing that cannot be found without a witness: everything anew from some record on, and
 * no seal since. */
static void a_trail_written_anew_without_its_seals_is_found_by_the_witness_alone(void **state)
{
    struct made *made = *state;
    struct stk_verdict verdict = {0};

    forgery_replace(&made->trail, 15, "12155550131", "12155550139");
    for (size_t i = made->trail.count; i-- > 15;)
        if (forgery_is_seal(&made->trail, i))
            forgery_remove(&made->trail, i);
    forgery_rechain(&made->trail, 15);
    verdict = assert_good(&made->trail, &made->keyed);
    assert_int_equal(verdict.sealed, 10);
    assert_int_equal(verdict.last, 38);
    assert_bad(
        &made->trail, &made->full,
        "file 2: line 10 (record 22): it is not the record that the witness has seen sealed "
        "at 2026-10-25T20:06:24.123456Z: the trail was written anew up to here, or put back");
}

static void seals_of_the_forgers_own_key_are_found_by_the_audit_key(void **state)
{
    struct made *made = *state;
    struct audit_key own = audit_key_make();
    struct stk_verifier_options both = made->keyed;
    uint8_t keys[2][STK_SPKI_LENGTH];

    forgery_replace(&made->trail, 15, "12155550131", "12155550139");
    forgery_rechain(&made->trail, 15);
    for (size_t i = 15; i < made->trail.count; i++)
        if (forgery_is_seal(&made->trail, i)) {
            forgery_reseal(&made->trail, i, &own);
            forgery_rechain(&made->trail, i);
        }
    (void)assert_good(&made->trail, &made->plain);
    assert_bad(&made->trail, &made->keyed, "which is none of those given");
    assert_bad(&made->trail, &made->keyed, "file 2: line 11 (record 23): the seal is by key ");
    memcpy(keys[0], own.spki[0], STK_SPKI_LENGTH);
    memcpy(keys[1], made->key.spki[0], STK_SPKI_LENGTH);
    both.keys = (const uint8_t(*)[STK_SPKI_LENGTH])keys;
    both.key_count = 2;
    (void)assert_good(&made->trail, &both); /* whoever gives the forger's key trusts the forger */
    audit_key_free(&own);
}

static void a_seal_with_a_forged_signature_is_found(void **state)
{
    struct made *made = *state;

    forgery_replace(&made->trail, 36, "\"sealed\":\"2026-10-25", "\"sealed\":\"2026-10-26");
    forgery_rechain(&made->trail, 36);
    (void)assert_good(&made->trail, &made->plain);
    assert_bad(&made->trail, &made->keyed,
               "file 3: line 12 (record 37): the seal's signature is not by its audit key ");
}

/* A keeper gone wrong, or taken over: its signature is good, what it signed is not so. */
static void a_seal_over_a_wrong_tree_is_found(void **state)
{
    struct made *made = *state;
    struct stk_trail *trail = open_trail(made->scratch, STK_TRAIL_NONE);
    struct stk_seal seal = {0};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    struct files *files = calloc(1, sizeof(*files));

    assert_non_null(files);
    assert_true(stk_trail_seal_begin(trail, &seal));
    seal.root[9] ^= 1;
    sign_seal(&made->key, &seal);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, NULL, &error), STIRKEEP_OK);
    stk_trail_close(trail);
    find_files(made->scratch, files);
    assert_int_equal(verify_files(files, &made->keyed, &verdict, &error), STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "audit.jsonl: line 16 (record 41): the seal's tree is not that of "
                           "records 37 to 40");
    free(files);
}

/* A seal that was once good, put in again as a new record. */
static void a_seal_used_twice_is_found(void **state)
{
    struct made *made = *state;

    forgery_insert(&made->trail, 39, made->trail.lines[36].text);
    forgery_rechain(&made->trail, 39);
    assert_bad(&made->trail, &made->keyed,
               "(record 40): the seal covers record 23, which the seal before it covers already");
}

/* Behind the last seal, where links can be made to fit. */
static void a_number_that_does_not_follow_is_found_though_its_link_fits(void **state)
{
    struct made *made = *state;

    forgery_replace(&made->trail, 38, "{\"seq\":39,", "{\"seq\":40,");
    forgery_relink(&made->trail, 38);
    forgery_relink(&made->trail, 39);
    assert_bad(&made->trail, &made->plain,
               "file 3: line 14 (record 40): its number does not follow record 38: what stood "
               "between them is missing");
}

static void a_file_missing_in_the_middle_is_named(void **state)
{
    struct made *made = *state;
    struct stk_buffer files[2] = {forgery_file(&made->trail, 0), forgery_file(&made->trail, 2)};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    assert_int_equal(verify_buffers(files, 2, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "file 2: line 1 (record 26): the file before ended with record 12: a "
                           "file is missing between them, or they are not in order");
    stk_buffer_free(&files[0]);
    stk_buffer_free(&files[1]);
}

static void files_out_of_order_or_given_twice_are_named(void **state)
{
    struct made *made = *state;
    struct stk_buffer files[3] = {forgery_file(&made->trail, 1), forgery_file(&made->trail, 0),
                                  forgery_file(&made->trail, 1)};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    assert_int_equal(verify_buffers(files, 2, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "file 2: line 1 (record 1): the file before ended with record 25: they "
                           "are not in order, one of them is there twice, or the trail was begun "
                           "anew");
    assert_int_equal(verify_buffers(files + 1, 2, &made->plain, &verdict, &error), STIRKEEP_OK);
    stk_buffer_free(&files[1]);
    files[1] = files[2];
    assert_int_equal(verify_buffers(files, 2, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "file 2: line 1 (record 13): the file before ended with record 25");
    stk_buffer_free(&files[0]);
    stk_buffer_free(&files[1]);
}

/* Of another trail with the same numbers, say. */
static void a_file_put_in_the_place_of_another_is_named(void **state)
{
    struct made *made = *state;

    forgery_replace(&made->trail, 11, "kamailio", "opensips");
    forgery_relink(&made->trail, 11);
    assert_bad(&made->trail, &made->plain,
               "file 2: line 1 (record 13): it is not chained to record 12, with which the file "
               "before ended: one of the two files was changed or replaced");
}

static void a_trail_cut_at_a_lines_end_is_found_by_the_witness(void **state)
{
    struct made *made = *state;

    while (made->trail.count > 35)
        forgery_remove(&made->trail, made->trail.count - 1);
    (void)assert_good(&made->trail, &made->keyed);
    assert_bad(&made->trail, &made->full,
               "the trail ends with record 35, but the witness has seen record 36 sealed at "
               "2026-10-25T20:06:24.123456Z: it was cut off, or is an old copy");
}

/* Nobody can tell; what is sealed is all there, and the seal itself is with the witness. */
static void a_trail_cut_behind_its_last_sealed_record_is_a_shorter_trail(void **state)
{
    struct made *made = *state;

    while (made->trail.count > 36)
        forgery_remove(&made->trail, made->trail.count - 1);
    (void)assert_good(&made->trail, &made->full);
}

static void last_files_taken_away_are_found_by_the_witness(void **state)
{
    struct made *made = *state;

    made->trail.files = 1;
    assert_bad(&made->trail, &made->full,
               "the trail ends with record 12, but the witness has seen record 22");
    made->trail.files = 0;
    assert_bad(&made->trail, &made->full,
               "the trail ends with record 0, but the witness has seen record 10");
}

static void a_trail_begun_anew_is_found_by_the_witness(void **state)
{
    struct made *made = *state;
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    struct stk_buffer file = {0};
    struct stk_trail *trail = NULL;

    assert_int_equal(unlink(made->scratch->path), 0);
    trail = open_trail(made->scratch, STK_TRAIL_NONE);
    append_some(trail, 100, 50);
    stk_trail_close(trail);
    file = read_whole(made->scratch->path);
    assert_int_equal(verify_buffers(&file, 1, &made->keyed, &verdict, &error), STIRKEEP_OK);
    assert_int_equal(verify_buffers(&file, 1, &made->full, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "file 1: line 10 (record 10): it is not the record that the witness has "
                           "seen sealed");
    stk_buffer_free(&file);
}

static void the_last_files_verify_without_the_first_ones(void **state)
{
    struct made *made = *state;
    struct stk_buffer files[2] = {forgery_file(&made->trail, 1), forgery_file(&made->trail, 2)};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    assert_int_equal(verify_buffers(files, 2, &made->full, &verdict, &error), STIRKEEP_OK);
    assert_int_equal(verdict.first, 13);
    assert_int_equal(verdict.last, 40);
    assert_int_equal(verdict.records, 28);
    assert_int_equal(verdict.seals, 2);
    assert_int_equal(verdict.sealed, 36);
    assert_int_equal(verdict.uncovered, 10); /* 13 to 22: their tree begins before what is given */
    assert_int_equal(verdict.witnessed, 2);
    assert_int_equal(verdict.unwitnessed, 1);
    stk_buffer_free(&files[0]);
    stk_buffer_free(&files[1]);
}

/* Else a trail of somebody's own, that only has to begin far enough behind, would be a good one. */
static void
a_trail_that_begins_behind_all_that_the_witness_has_seen_is_shown_by_nothing(void **state)
{
    struct made *made = *state;
    struct stk_buffer file = {0};
    struct stk_verdict verdict = {.records = 77};
    struct stk_error error = {0};

    for (size_t i = 0; i < 12; i++)
        forgery_remove(&made->trail, 0);
    forgery_replace(&made->trail, 0, "{\"seq\":", "{\"seq\":50");
    while (made->trail.count > 1)
        forgery_remove(&made->trail, 1);
    forgery_relink(&made->trail, 0);
    file = forgery_file(&made->trail, made->trail.lines[0].file);
    assert_int_equal(verify_buffers(&file, 1, &made->keyed, &verdict, &error), STIRKEEP_OK);
    verdict.records = 77;
    assert_int_equal(verify_buffers(&file, 1, &made->full, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_int_equal(verdict.records, 77);
    assert_message(&error,
                   "the witness shows nothing of what was given: it has seen sealed through "
                   "record 36, and the first one given is record 5013");
    stk_buffer_free(&file);
}

/* Its tree cannot be made, but where it looked can be held against the chain. */
static void
a_seal_that_reaches_back_before_the_first_file_is_still_held_against_the_chain(void **state)
{
    struct made *made = *state;
    struct stk_buffer file = {0};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    forgery_replace(&made->trail, 15, "12155550131", "12155550139");
    forgery_rechain(&made->trail, 15);
    file = forgery_file(&made->trail, 1);
    assert_int_equal(verify_buffers(&file, 1, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "file 1: line 11 (record 23): the seal is not over record 22 as it is");
    stk_buffer_free(&file);
}

static void a_forged_witness_accuses_no_trail(void **state)
{
    struct made *made = *state;
    struct stk_seal forged = made->witness[2];
    struct stk_verifier_options options = made->keyed;

    options.witness = &forged;
    options.witness_count = 1;
    forged.through = 4000;
    assert_bad(&made->trail, &options,
               "the witness's seal through record 4000 is not by an audit key that was given");
    forged.through = 36;
    forged.head[0] ^= 1;
    assert_bad(&made->trail, &options,
               "the witness's seal through record 36 is not by an audit key that was given");
}

static void the_witness_may_be_in_any_order_and_hold_a_seal_twice(void **state)
{
    struct made *made = *state;
    struct stk_seal seals[5] = {made->witness[2], made->witness[0], made->witness[2],
                                made->witness[1], made->witness[0]};
    struct stk_verifier_options options = made->keyed;

    options.witness = seals;
    options.witness_count = 5;
    (void)assert_good(&made->trail, &options);
    while (made->trail.count > 35)
        forgery_remove(&made->trail, made->trail.count - 1);
    assert_bad(&made->trail, &options, "but the witness has seen record 36");
}

static void lines_of_a_witness_that_are_no_seals_are_passed_over_and_counted(void **state)
{
    struct made *made = *state;
    struct stk_buffer text = {0};
    struct stk_seal *seals = NULL;
    struct stk_error error = {0};
    char path[PATH_MAX + 16] = "";
    size_t count = 0;
    size_t passed_over = 0;
    int fd = -1;

    (void)stk_buffer_add_text(&text, made->trail.lines[0].text); /* a record, but no seal */
    (void)stk_buffer_add_text(&text, "\n\n{\"seq\":11,\"time\":\"2026\n");
    (void)stk_buffer_add(&text, made->witness_lines.data, made->witness_lines.length);
    (void)stk_buffer_add(&text, made->witness_lines.data, 300); /* torn */
    (void)snprintf(path, sizeof(path), "%s.other", made->scratch->path);
    write_whole(path, text.data, text.length);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(stk_witness_read(fd, "witness", &seals, &count, &passed_over, &error),
                     STIRKEEP_OK);
    assert_int_equal(count, 3);
    assert_int_equal(passed_over, 4);
    assert_memory_equal(seals, made->witness, 3 * sizeof(*seals));
    free(seals);
    (void)close(fd);
    stk_buffer_free(&text);
}

static void a_key_that_is_none_is_refused(void **state)
{
    static const uint8_t none[1][STK_SPKI_LENGTH] = {{0x30, 0x59}};
    const struct stk_verifier_options options = {.keys = none, .key_count = 1};
    struct stk_verifier *verifier = NULL;
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_verifier_new(&options, &verifier, &error), STIRKEEP_INVALID);
    assert_null(verifier);
    assert_string_equal(error.message, "audit key 1 is no P-256 public key");
}

/* ---- zstd */

static struct stk_buffer packed(const struct stk_buffer *plain, size_t frames)
{
    struct stk_buffer out = {0};
    size_t at = 0;

    for (size_t i = 0; i < frames; i++) {
        size_t length = i + 1 == frames ? plain->length - at : plain->length / frames;
        size_t room = ZSTD_compressBound(length);
        size_t got = 0;

        assert_int_equal(stk_buffer_reserve(&out, room), STIRKEEP_OK);
        got = ZSTD_compress(out.data + out.length, room, plain->data + at, length, 3);
        assert_false(ZSTD_isError(got));
        out.length += got;
        at += length;
    }
    return out;
}

static void packed_files_are_read_as_what_is_in_them(void **state)
{
    struct made *made = *state;
    struct stk_buffer files[3];
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    for (size_t i = 0; i < 3; i++) {
        struct stk_buffer plain = forgery_file(&made->trail, i);

        files[i] = i == 2 ? plain : packed(&plain, i + 1);
        if (i != 2)
            stk_buffer_free(&plain);
    }
    assert_int_equal(verify_buffers(files, 3, &made->full, &verdict, &error), STIRKEEP_OK);
    assert_int_equal(verdict.records, 40);
    for (size_t i = 0; i < 3; i++)
        stk_buffer_free(&files[i]);
}

static void tampering_inside_of_a_packed_file_is_found(void **state)
{
    struct made *made = *state;
    struct stk_buffer plain = {0};
    struct stk_buffer file = {0};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    forgery_replace(&made->trail, 4, "12155550131", "12155550139");
    plain = forgery_file(&made->trail, 0);
    file = packed(&plain, 1);
    assert_int_equal(verify_buffers(&file, 1, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "file 1: line 5 (record 5): its sum does not match: it was changed");
    stk_buffer_free(&plain);
    stk_buffer_free(&file);
}

static void a_packed_file_that_is_cut_or_damaged_is_found_wherever(void **state)
{
    struct made *made = *state;
    struct stk_buffer plain = forgery_file(&made->trail, 0);
    struct stk_buffer file = packed(&plain, 2);
    size_t whole = file.length;
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    for (file.length = whole - 1; file.length > 0; file.length -= file.length > 7 ? 7 : 1) {
        /* Where the first frame ends, a whole, shorter trail ends, which the witness shows. */
        assert_int_equal(verify_buffers(&file, 1, &made->full, &verdict, &error),
                         STIRKEEP_NOT_VERIFIED);
    }
    file.length = whole - 1;
    assert_int_equal(verify_buffers(&file, 1, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "the file cannot be unpacked: it ends too early");
    file.length = whole;
    assert_int_equal(stk_buffer_add_text(&file, "more"), STIRKEEP_OK);
    assert_int_equal(verify_buffers(&file, 1, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "the file cannot be unpacked: ");
    stk_buffer_free(&plain);
    stk_buffer_free(&file);
}

/* A few bytes that unpack to very many. */
static void a_packed_file_of_one_endless_line_takes_no_more_memory_than_a_line(void **state)
{
    struct made *made = *state;
    struct stk_buffer plain = {0};
    struct stk_buffer file = {0};
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};

    assert_int_equal(stk_buffer_reserve(&plain, (size_t)64 << 20), STIRKEEP_OK);
    plain.length = (size_t)64 << 20;
    memset(plain.data, 'x', plain.length);
    file = packed(&plain, 1);
    assert_true(file.length < 65536);
    assert_int_equal(verify_buffers(&file, 1, &made->plain, &verdict, &error),
                     STIRKEEP_NOT_VERIFIED);
    assert_message(&error, "line 1 (record 1): it is longer than any record");
    stk_buffer_free(&plain);
    stk_buffer_free(&file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_untouched_trail_verifies_with_its_numbers),
        TEST(a_changed_record_with_a_new_sum_breaks_the_link_behind_it),
        TEST(a_changed_record_with_all_links_made_anew_is_found_by_the_next_seal),
        TEST(a_record_put_in_with_all_links_made_anew_is_found_by_the_next_seal),
        TEST(a_record_taken_out_with_all_links_made_anew_is_found_by_the_next_seal),
        TEST(records_exchanged_with_all_links_made_anew_are_found_by_the_next_seal),
        TEST(a_trail_written_anew_without_its_seals_is_found_by_the_witness_alone),
        TEST(seals_of_the_forgers_own_key_are_found_by_the_audit_key),
        TEST(a_seal_with_a_forged_signature_is_found),
        TEST(a_seal_over_a_wrong_tree_is_found),
        TEST(a_seal_used_twice_is_found),
        TEST(a_number_that_does_not_follow_is_found_though_its_link_fits),
        TEST(a_file_missing_in_the_middle_is_named),
        TEST(files_out_of_order_or_given_twice_are_named),
        TEST(a_file_put_in_the_place_of_another_is_named),
        TEST(a_trail_cut_at_a_lines_end_is_found_by_the_witness),
        TEST(a_trail_cut_behind_its_last_sealed_record_is_a_shorter_trail),
        TEST(last_files_taken_away_are_found_by_the_witness),
        TEST(a_trail_begun_anew_is_found_by_the_witness),
        TEST(the_last_files_verify_without_the_first_ones),
        TEST(a_trail_that_begins_behind_all_that_the_witness_has_seen_is_shown_by_nothing),
        TEST(a_seal_that_reaches_back_before_the_first_file_is_still_held_against_the_chain),
        TEST(a_forged_witness_accuses_no_trail),
        TEST(the_witness_may_be_in_any_order_and_hold_a_seal_twice),
        TEST(lines_of_a_witness_that_are_no_seals_are_passed_over_and_counted),
        TEST(a_key_that_is_none_is_refused),
        TEST(packed_files_are_read_as_what_is_in_them),
        TEST(tampering_inside_of_a_packed_file_is_found),
        TEST(a_packed_file_that_is_cut_or_damaged_is_found_wherever),
        TEST(a_packed_file_of_one_endless_line_takes_no_more_memory_than_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
