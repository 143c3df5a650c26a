/* SPDX-License-Identifier: BSD-2-Clause */
#include "yard.h"

#include "base/digest.h"
#include "upload/passphrase.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void take(const char *text, enum stirkeep_status status, const char *taken)
{
    struct stk_secret data = {0};
    struct stk_secret line = {0};
    struct stk_error error = {0};

    assert_int_equal(stk_secret_new(&data, strlen(text) + 1), STIRKEEP_OK);
    memcpy(data.data, text, strlen(text));
    data.length = strlen(text);
    assert_int_equal(stk_passphrase_take(&data, "it", &line, &error), status);
    assert_int_equal(line.length, strlen(taken));
    assert_memory_equal(line.data != NULL ? line.data : (const uint8_t *)"", taken, line.length);
    assert_int_equal(error.status, status);
    stk_secret_free(&line);
    stk_secret_free(&data);
}

static void a_passphrase_is_a_files_first_line_without_its_end(void **state)
{
    static char longest[1200];
    (void)state;

    take("one\ntwo\n", STIRKEEP_OK, "one");
    take("one\r\ntwo", STIRKEEP_OK, "one");
    take("one", STIRKEEP_OK, "one");
    take("one\r", STIRKEEP_OK, "one");
    take(" a b \n", STIRKEEP_OK, " a b ");
    take("", STIRKEEP_INVALID, "");
    take("\r\n", STIRKEEP_INVALID, "");
    take("\ntwo", STIRKEEP_INVALID, "");
    memset(longest, 'x', 1023);
    take(longest, STIRKEEP_OK, longest);
    longest[1023] = 'x';
    take(longest, STIRKEEP_TOO_LARGE, "");
}

static void a_passphrase_may_come_through_a_pipe_and_its_longest_line_is_taken_whole(void **state)
{
    struct stk_secret line = {0};
    struct stk_error error = {0};
    char text[1100] = "";
    char path[32] = "";
    int ends[2] = {-1, -1};
    (void)state;

    for (size_t length = 1022; length <= 1024; length++) {
        memset(text, 'x', length);
        strcpy(text + length, "\r\nmore");
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
        assert_int_equal(close(ends[1]), 0);
        (void)snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
        assert_int_equal(stk_passphrase_file(path, &line, &error),
                         length <= 1023 ? STIRKEEP_OK : STIRKEEP_TOO_LARGE);
        assert_int_equal(line.length, length <= 1023 ? length : 0);
        stk_secret_free(&line);
        assert_int_equal(close(ends[0]), 0);
    }
    assert_int_equal(stk_passphrase_file("/nonexistent", &line, &error), STIRKEEP_IO);
}

static void refused(const char *text, const char *reason)
{
    struct stk_sealed_file file = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_sealed_file_parse(
        (struct stk_bytes){(const uint8_t *)text, strlen(text)}, "it", &file, &error);

    if (status != STIRKEEP_KEY_UNREADABLE || strstr(error.message, reason) == NULL)
        fail_msg("%s instead of '%s'", error.message, reason);
    assert_null(file.sealed.data);
}

static void a_sealed_file_that_is_none_or_damaged_is_refused(void **state)
{
    static char text[8192];
    const char *id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    (void)state;

    refused("", "no sealed key");
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no sealed key");
    refused("-----BEGIN STIRKEEP SEALED KEY-----\nAAAA\n", "truncated");
    refused("-----BEGIN STIRKEEP SEALED KEY-----\nAAAA\n-----END STIRKEEP SEALED KEY-----\n",
            "headers");
    (void)snprintf(text, sizeof(text),
                   "-----BEGIN STIRKEEP SEALED KEY-----\nKey-Id: %s\nWrapping-Key: %.63s\n\n"
                   "AAAA\n-----END STIRKEEP SEALED KEY-----\n",
                   id, id);
    refused(text, "headers");
    (void)snprintf(text, sizeof(text),
                   "-----BEGIN STIRKEEP SEALED KEY-----\nKey-Id: %s\nWrapping-Key: %s\n\n"
                   "A*AA\n-----END STIRKEEP SEALED KEY-----\n",
                   id, id);
    refused(text, "not base64");
    (void)snprintf(text, sizeof(text),
                   "-----BEGIN STIRKEEP SEALED KEY-----\nKey-Id: %s\nWrapping-Key: %s\n\n"
                   "%04000d\n-----END STIRKEEP SEALED KEY-----\n",
                   id, id, 0);
    refused(text, "not as long");
}

static void a_wrapping_key_is_the_first_block_and_a_public_key(void **state)
{
    struct yard *yard = *state;
    struct stk_buffer spki = {0};

    yard_text(yard, "good", "text\n-----BEGIN PUBLIC KEY-----\nAAEC\n-----END PUBLIC KEY-----\n");
    assert_int_equal(stk_wrapping_key_read(yard_at(yard, "good"), &spki, &yard->error),
                     STIRKEEP_OK);
    assert_int_equal(spki.length, 3);
    assert_memory_equal(spki.data, "\0\1\2", 3);
    stk_buffer_free(&spki);
    assert_int_equal(stk_wrapping_key_read(yard_at(yard, "leaf.pem"), &spki, &yard->error),
                     STIRKEEP_INVALID);
    assert_non_null(strstr(yard->error.message, "leaf.pem: no PUBLIC KEY"));
    yard_text(yard, "bad", "-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n");
    assert_int_equal(stk_wrapping_key_read(yard_at(yard, "bad"), &spki, &yard->error),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_wrapping_key_read(yard_at(yard, "none"), &spki, &yard->error),
                     STIRKEEP_IO);
    assert_int_equal(spki.length, 0);
    stk_buffer_free(&spki);
}

static void private_keys_are_seen_in_what_is_to_be_public(void **state)
{
    struct yard *yard = *state;
    static const struct {
        const char *name;
        bool key;
    } cases[] = {{"leaf.key", true},   {"locked.key", true}, {"bundle.pem", true},
                 {"locked.pem", true}, {"leaf.pem", false},  {"chain.pem", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = yard_read(yard, cases[i].name);

        assert_int_equal(
            stk_holds_private_key((struct stk_bytes){(const uint8_t *)text, strlen(text)}),
            cases[i].key);
    }
    assert_false(stk_holds_private_key((struct stk_bytes){0}));
    assert_true(stk_is_pkcs12_file(yard_at(yard, "bundle.p12")));
    assert_false(stk_is_pkcs12_file(yard_at(yard, "bundle.pem")));
    assert_false(stk_is_pkcs12_file(yard_at(yard, "none")));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, yard_set_up, yard_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_passphrase_is_a_files_first_line_without_its_end),
        CASE(a_passphrase_may_come_through_a_pipe_and_its_longest_line_is_taken_whole),
        CASE(a_sealed_file_that_is_none_or_damaged_is_refused),
        CASE(a_wrapping_key_is_the_first_block_and_a_public_key),
        CASE(private_keys_are_seen_in_what_is_to_be_public),
    };

    return cmocka_run_group_tests_name("upload files", tests, NULL, NULL);
}
