/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/line.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS 20

struct trail_text {
    struct stk_buffer data;
    size_t line[RECORDS + 1]; /* where each begins, and the end */
};

/* A trail of RECORDS records at the scratch path, and in memory. */
static struct trail_text make_trail(const struct scratch *scratch)
{
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct trail_text text = {0};
    size_t lines = 0;

    append_some(trail, 1, RECORDS);
    stk_trail_close(trail);
    text.data = read_whole(scratch->path);
    for (size_t i = 0; i < text.data.length; i++)
        if (text.data.data[i] == '\n')
            text.line[++lines] = i + 1;
    assert_int_equal(lines, RECORDS);
    return text;
}

static void assert_has(const struct stk_error *error, const char *expected)
{
    if (strstr(error->message, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error->message, expected);
}

static void assert_bad_line(const struct scratch *scratch, const void *data, size_t length,
                            const char *expected)
{
    uint64_t records = 77;
    struct stk_error error = {0};

    write_whole(scratch->path, data, length);
    assert_int_equal(verify_path(scratch->path, &records, &error), STIRKEEP_NOT_VERIFIED);
    assert_has(&error, expected);
    assert_int_equal(records, 77);
}

static void a_whole_trail_verifies(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);

    assert_int_equal(records_in(scratch->path), RECORDS);
    stk_buffer_free(&text.data);
}

static void an_empty_file_has_no_records(void **state)
{
    struct scratch *scratch = *state;

    write_whole(scratch->path, "", 0);
    assert_int_equal(records_in(scratch->path), 0);
}

static void a_flipped_bit_is_found_in_its_line(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    size_t last = text.line[RECORDS - 1] + 60;

    text.data.data[text.line[7] + 100] ^= 1;
    assert_bad_line(scratch, text.data.data, text.data.length,
                    "trail: line 8 (record 8): its sum does not match");
    text.data.data[text.line[7] + 100] ^= 1;
    text.data.data[last] ^= 0x10;
    assert_bad_line(scratch, text.data.data, text.data.length,
                    "trail: line 20 (record 20): its sum does not match");
    text.data.data[last] ^= 0x10;
    text.data.data[0] ^= 1;
    assert_bad_line(scratch, text.data.data, text.data.length, "trail: line 1 (record 1): ");
    stk_buffer_free(&text.data);
}

static void a_line_taken_out_is_found(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    size_t from = text.line[4];
    size_t to = text.line[6];

    memmove(text.data.data + from, text.data.data + to, text.data.length - to);
    assert_bad_line(scratch, text.data.data, text.data.length - (to - from),
                    "trail: line 5 (record 7): its number does not follow record 4: what stood "
                    "between them is missing");
    stk_buffer_free(&text.data);
}

static void a_beginning_cut_off_is_found(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);

    assert_bad_line(scratch, text.data.data + text.line[1], text.data.length - text.line[1],
                    "trail: line 1 (record 2): the trail does not begin here: the records before "
                    "it are missing");
    stk_buffer_free(&text.data);
}

static void a_line_twice_is_found(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    struct stk_buffer twice = {0};

    (void)stk_buffer_add(&twice, text.data.data, text.line[3]);
    (void)stk_buffer_add(&twice, text.data.data + text.line[2], text.data.length - text.line[2]);
    assert_bad_line(scratch, twice.data, twice.length,
                    "trail: line 4 (record 3): its number does not follow record 3: it was put "
                    "in, or stands out of its order");
    stk_buffer_free(&twice);
    stk_buffer_free(&text.data);
}

static void two_lines_in_each_others_place_are_found(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    struct stk_buffer swapped = {0};

    (void)stk_buffer_add(&swapped, text.data.data, text.line[3]);
    (void)stk_buffer_add(&swapped, text.data.data + text.line[4], text.line[5] - text.line[4]);
    (void)stk_buffer_add(&swapped, text.data.data + text.line[3], text.line[4] - text.line[3]);
    (void)stk_buffer_add(&swapped, text.data.data + text.line[5], text.data.length - text.line[5]);
    assert_bad_line(scratch, swapped.data, swapped.length, "trail: line 4 (record 5): ");
    stk_buffer_free(&swapped);
    stk_buffer_free(&text.data);
}

/* A forger who knows the format gives his line a good number, link and sum; the next line tells. */
static void a_forged_line_is_found_by_the_next(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    struct stk_record record = sign_record(666);
    struct stk_line before = {0};
    struct stk_chain chain = {.sequence = 9};
    struct stk_buffer forged = {0};

    assert_null(
        stk_line_read(text.data.data + text.line[8], text.line[9] - text.line[8] - 1, &before));
    memcpy(chain.digest, before.digest, sizeof(chain.digest));
    (void)stk_buffer_add(&forged, text.data.data, text.line[9]);
    assert_int_equal(stk_line_append(&record, "2026-11-25T20:06:24.123456Z", &chain, &forged),
                     STIRKEEP_OK);
    (void)stk_buffer_add(&forged, text.data.data + text.line[10], text.data.length - text.line[10]);
    assert_bad_line(scratch, forged.data, forged.length,
                    "trail: line 11 (record 11): it is not chained to record 10 as that is now: "
                    "one of the two was changed or put in");
    stk_buffer_free(&forged);
    stk_buffer_free(&text.data);
}

static void a_torn_end_is_found_wherever_it_is_torn(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    static const char expected[] = "trail: line 20 (record 20): it has no end";

    for (size_t cut = text.line[RECORDS - 1] + 1; cut < text.data.length; cut += 13)
        assert_bad_line(scratch, text.data.data, cut, expected);
    assert_bad_line(scratch, text.data.data, text.data.length - 1, expected);
    stk_buffer_free(&text.data);
}

static void other_bytes_are_no_trail(void **state)
{
    static const char nothing[600] = {0};
    struct scratch *scratch = *state;

    assert_bad_line(scratch, "\n", 1, "trail: line 1 (record 1): ");
    assert_bad_line(scratch, "root:x:0:0\n", 11,
                    "trail: line 1 (record 1): it does not end like a record");
    assert_bad_line(scratch, nothing, sizeof(nothing), "trail: line 1 (record 1): it has no end");
}

static void a_line_without_end_takes_no_more_memory_than_a_line(void **state)
{
    struct scratch *scratch = *state;
    struct stk_buffer data = {0};

    assert_int_equal(stk_buffer_reserve(&data, (size_t)4 * STK_LINE_MAX), STIRKEEP_OK);
    memset(data.data, 'x', (size_t)4 * STK_LINE_MAX);
    assert_bad_line(scratch, data.data, (size_t)4 * STK_LINE_MAX,
                    "trail: line 1 (record 1): it is longer than any record");
    stk_buffer_free(&data);
}

static void a_trail_is_read_from_a_pipe_as_well(void **state)
{
    struct scratch *scratch = *state;
    struct trail_text text = make_trail(scratch);
    static const struct stk_verifier_options none;
    struct stk_verifier *verifier = NULL;
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    int pipe_fds[2] = {-1, -1};

    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(write(pipe_fds[1], text.data.data, text.data.length), text.data.length);
    (void)close(pipe_fds[1]);
    assert_int_equal(stk_verifier_new(&none, &verifier, &error), STIRKEEP_OK);
    assert_int_equal(stk_verifier_file(verifier, pipe_fds[0], "-", &error), STIRKEEP_OK);
    assert_int_equal(stk_verifier_end(verifier, &verdict, &error), STIRKEEP_OK);
    assert_int_equal(verdict.records, RECORDS);
    assert_int_equal(verdict.files, 1);
    stk_verifier_free(verifier);
    (void)close(pipe_fds[0]);
    stk_buffer_free(&text.data);
}

static void a_directory_cannot_be_read(void **state)
{
    struct scratch *scratch = *state;
    uint64_t records = 0;
    struct stk_error error = {0};

    assert_int_equal(verify_path(scratch->directory, &records, &error), STIRKEEP_IO);
    assert_string_equal(error.message, "trail: Is a directory");
}

static void after_a_failure_no_further_file_is_taken(void **state)
{
    static const struct stk_verifier_options none;
    struct scratch *scratch = *state;
    struct stk_verifier *verifier = NULL;
    struct stk_verdict verdict = {.records = 77};
    struct stk_error error = {0};
    int fd = -1;

    write_whole(scratch->path, "x\n", 2);
    fd = open(scratch->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(stk_verifier_new(&none, &verifier, &error), STIRKEEP_OK);
    assert_int_equal(stk_verifier_file(verifier, fd, "a", &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(stk_verifier_file(verifier, fd, "b", &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(stk_verifier_end(verifier, &verdict, &error), STIRKEEP_NOT_VERIFIED);
    assert_int_equal(verdict.records, 77);
    stk_verifier_free(verifier);
    (void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_trail_verifies),
        TEST(an_empty_file_has_no_records),
        TEST(a_flipped_bit_is_found_in_its_line),
        TEST(a_line_taken_out_is_found),
        TEST(a_beginning_cut_off_is_found),
        TEST(a_line_twice_is_found),
        TEST(two_lines_in_each_others_place_are_found),
        TEST(a_forged_line_is_found_by_the_next),
        TEST(a_torn_end_is_found_wherever_it_is_torn),
        TEST(other_bytes_are_no_trail),
        TEST(a_line_without_end_takes_no_more_memory_than_a_line),
        TEST(a_trail_is_read_from_a_pipe_as_well),
        TEST(a_directory_cannot_be_read),
        TEST(after_a_failure_no_further_file_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
