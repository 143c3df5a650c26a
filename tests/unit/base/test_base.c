/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void base64url_has_no_padding_and_reads_back(void **state)
{
    /* RFC 4648 section 10, without the padding. */
    static const struct {
        const char *plain;
        const char *text;
    } vectors[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
                   {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    (void)state;

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char text[16] = "";
        uint8_t back[16] = {0};
        size_t length = strlen(vectors[i].plain);
        size_t written = stk_base64url_encode(vectors[i].plain, length, text);
        size_t read = 0;

        assert_int_equal(written, strlen(vectors[i].text));
        assert_int_equal(written, STK_BASE64URL_LENGTH(length));
        assert_memory_equal(text, vectors[i].text, written);
        assert_true(stk_base64url_decode(text, written, back, sizeof(back), &read));
        assert_int_equal(read, length);
        assert_memory_equal(back, vectors[i].plain, length);
    }
}

static void base64url_refuses_what_has_a_second_reading(void **state)
{
    static const char *const bad[] = {"Zg==", "Zh", "Zm9", "Z", "Zm+v", "Zm/v", "Zm v", "Zm9vY"};
    uint8_t data[16] = {0};
    size_t length = 0;
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(stk_base64url_decode(bad[i], strlen(bad[i]), data, sizeof(data), &length));
    assert_false(stk_base64url_decode("Zm9vYmFy", 8, data, 5, &length));
}

static void hex_reads_back_and_refuses_other_lengths(void **state)
{
    const uint8_t data[3] = {0x00, 0xaf, 0xff};
    uint8_t back[3] = {0};
    char text[7] = "";
    (void)state;

    stk_hex_encode(data, sizeof(data), text);
    assert_string_equal(text, "00afff");
    assert_true(stk_hex_decode("00AFff", back, 3));
    assert_memory_equal(back, data, 3);
    assert_false(stk_hex_decode("00af", back, 3));
    assert_false(stk_hex_decode("00afff0", back, 3));
    assert_false(stk_hex_decode("00afxx", back, 3));
}

static void a_buffer_stops_at_its_ceiling_and_keeps_what_it_had(void **state)
{
    struct stk_buffer buffer = {.ceiling = 300};
    uint8_t block[200] = {7};
    (void)state;

    assert_int_equal(stk_buffer_add(&buffer, block, sizeof(block)), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&buffer, block, sizeof(block)), STIRKEEP_TOO_LARGE);
    assert_int_equal(buffer.length, 200);
    assert_int_equal(stk_buffer_reserve(&buffer, SIZE_MAX), STIRKEEP_TOO_LARGE);
    stk_buffer_drop(&buffer, 199);
    assert_int_equal(buffer.length, 1);
    stk_buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.ceiling, 300);
}

static void an_arena_stops_at_its_ceiling(void **state)
{
    struct stk_arena arena = {0};
    (void)state;

    assert_int_equal(stk_arena_new(&arena, 64), STIRKEEP_OK);
    assert_non_null(stk_arena_take(&arena, 1));
    assert_non_null(stk_arena_take(&arena, 48));
    assert_null(stk_arena_take(&arena, 1));
    assert_null(stk_arena_take(&arena, SIZE_MAX));
    stk_arena_reset(&arena);
    assert_string_equal(stk_arena_copy(&arena, "name", 4), "name");
    assert_null(stk_arena_copy(&arena, "x", SIZE_MAX));
    stk_arena_free(&arena);
}

static void a_secret_is_empty_after_it_was_freed(void **state)
{
    struct stk_secret secret = {0};
    (void)state;

    assert_int_equal(stk_secret_new(&secret, 5000), STIRKEEP_OK);
    assert_true(secret.mapped >= 5000);
    memset(secret.data, 0x5a, secret.capacity);
    stk_secret_free(&secret);
    assert_null(secret.data);
    stk_secret_free(&secret);
}

static void sha256_gives_the_standard_digest(void **state)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t in_two[STK_DIGEST_LENGTH] = {0};
    char text[65] = "";
    (void)state;

    stk_sha256("abc", 3, digest);
    stk_hex_encode(digest, sizeof(digest), text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    stk_sha256_two("a", 1, "bc", 2, in_two);
    assert_memory_equal(digest, in_two, sizeof(digest));
}

static void an_error_stays_one_line_and_may_quote_itself(void **state)
{
    struct stk_error error = {0};
    char longer[2 * STK_ERROR_MAX] = "";
    (void)state;

    assert_int_equal(stk_error_set(&error, STIRKEEP_IO, "a\nb\x1b[31m"), STIRKEEP_IO);
    assert_string_equal(error.message, "a?b?[31m");
    (void)stk_error_prefix(&error, "file");
    assert_string_equal(error.message, "file: a?b?[31m");
    memset(longer, 'x', sizeof(longer) - 1);
    (void)stk_error_set(&error, STIRKEEP_IO, "%s", longer);
    assert_int_equal(strlen(error.message), STK_ERROR_MAX - 1);
    assert_int_equal(stk_error_set(NULL, STIRKEEP_IO, "nobody listens"), STIRKEEP_IO);
}

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int status = 0; status < STIRKEEP_STATUS_COUNT; status++) {
        assert_string_not_equal(stirkeep_status_name((enum stirkeep_status)status), "unknown");
        assert_string_not_equal(stirkeep_status_text((enum stirkeep_status)status),
                                "unknown status");
    }
    assert_string_equal(stirkeep_status_name((enum stirkeep_status)9999), "unknown");
}

static void a_file_is_read_whole_or_refused_with_its_name(void **state)
{
    char path[] = "/tmp/stk-base-XXXXXX";
    struct stk_buffer data = {0};
    struct stk_error error = {0};
    int fd = mkstemp(path);
    (void)state;

    assert_true(fd >= 0);
    assert_true(stk_file_write_all(fd, "0123456789", 10));
    (void)close(fd);
    assert_int_equal(stk_file_read(path, 10, &data, &error), STIRKEEP_OK);
    assert_int_equal(data.length, 10);
    assert_memory_equal(data.data, "0123456789", 10);
    stk_buffer_free(&data);
    assert_int_equal(stk_file_read(path, 9, &data, &error), STIRKEEP_TOO_LARGE);
    assert_non_null(strstr(error.message, path));
    (void)unlink(path);
    assert_int_equal(stk_file_read(path, 9, &data, &error), STIRKEEP_IO);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(stk_file_read(path, 9, &data, &error), STIRKEEP_INVALID);
    (void)unlink(path);
}

static void the_directory_of_a_path(void **state)
{
    char directory[16] = "";
    (void)state;

    assert_true(stk_file_directory_of("/a/b/c", directory, sizeof(directory)));
    assert_string_equal(directory, "/a/b");
    assert_true(stk_file_directory_of("c", directory, sizeof(directory)));
    assert_string_equal(directory, ".");
    assert_true(stk_file_directory_of("/c", directory, sizeof(directory)));
    assert_string_equal(directory, "/");
    assert_false(stk_file_directory_of("/0123456789abcdef/c", directory, sizeof(directory)));
}

static void times_are_told_in_rfc_3339(void **state)
{
    char text[STK_TIME_TEXT] = "";
    (void)state;

    stk_clock_text(1471375418000042, text);
    assert_string_equal(text, "2016-08-16T19:23:38.000042Z");
}

/* Standard error as a pipe, filled to the brim. */
static int fill_standard_error(int *ret_before)
{
    static const char filler[4096];
    int ends[2] = {-1, -1};

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(ends[1], filler, sizeof(filler)) > 0)
        continue;
    *ret_before = dup(STDERR_FILENO);
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    (void)close(ends[1]);
    return ends[0];
}

static void a_log_that_nobody_reads_stops_nobody(void **state)
{
    char text[4096] = "";
    int before = -1;
    int reader = fill_standard_error(&before);
    ssize_t got = 0;
    (void)state;

    (void)alarm(20);
    stk_log_open("test");
    stk_log(STK_LOG_INFO, "not read");
    stk_log(STK_LOG_INFO, "not read either");
    while (read(reader, text, sizeof(text)) > 0)
        memset(text, 0, sizeof(text));
    stk_log(STK_LOG_INFO, "read");
    got = read(reader, text, sizeof(text) - 1);
    (void)alarm(0);
    (void)dup2(before, STDERR_FILENO);
    (void)close(before);
    (void)close(reader);
    assert_true(got > 0);
    assert_string_equal(text, "test: 2 lines were lost: nobody read the log\ntest: read\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_has_no_padding_and_reads_back),
        cmocka_unit_test(base64url_refuses_what_has_a_second_reading),
        cmocka_unit_test(hex_reads_back_and_refuses_other_lengths),
        cmocka_unit_test(a_buffer_stops_at_its_ceiling_and_keeps_what_it_had),
        cmocka_unit_test(an_arena_stops_at_its_ceiling),
        cmocka_unit_test(a_secret_is_empty_after_it_was_freed),
        cmocka_unit_test(sha256_gives_the_standard_digest),
        cmocka_unit_test(an_error_stays_one_line_and_may_quote_itself),
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(a_file_is_read_whole_or_refused_with_its_name),
        cmocka_unit_test(the_directory_of_a_path),
        cmocka_unit_test(times_are_told_in_rfc_3339),
        cmocka_unit_test(a_log_that_nobody_reads_stops_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
