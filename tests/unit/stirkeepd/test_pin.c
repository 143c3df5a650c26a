/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stirkeepd/pin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char directory[64];
    char path[96];
    struct stk_pin pin;
    struct stk_error error;
};

static void write_pin(const char *path, const char *content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/stk-pin-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/pin", fixture->directory);
    write_pin(fixture->path, "1234\n", 0600);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    if (unlink(fixture->path) != 0)
        (void)rmdir(fixture->path);
    (void)rmdir(fixture->directory);
    free(fixture);
    return 0;
}

/* OK closes what was opened. */
static enum stirkeep_status open_pin(struct fixture *fixture, const char *path, uid_t keeper)
{
    struct stk_pin_identity identity = {0};
    int fd = -1;
    enum stirkeep_status status = stk_pin_open(path, keeper, &fd, &identity, &fixture->error);

    assert_true((status == STIRKEEP_OK) == (fd >= 0));
    if (fd >= 0)
        (void)close(fd);
    return status;
}

static enum stirkeep_status hand_out(struct fixture *fixture)
{
    int fd = -1;
    enum stirkeep_status status =
        stk_pin_hand_out(&fixture->pin, fixture->path, geteuid(), &fd, &fixture->error);

    assert_true((status == STIRKEEP_OK) == (fd >= 0));
    if (fd >= 0)
        (void)close(fd);
    return status;
}

static void the_descriptor_reads_from_the_start_and_only_reads(void **state)
{
    struct fixture *fixture = *state;
    struct stk_pin_identity identity = {0};
    char text[8] = "";
    int fd = -1;

    assert_int_equal(stk_pin_open(fixture->path, geteuid(), &fd, &identity, &fixture->error),
                     STIRKEEP_OK);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof(text)), 5);
    assert_string_equal(text, "1234\n");
    assert_int_equal(identity.size, 5);
    (void)close(fd);
}

static void rights_of_others_are_refused_and_named(void **state)
{
    struct fixture *fixture = *state;

    for (mode_t bit = 1; bit <= 040; bit <<= 1) {
        char mode[16] = "";

        assert_int_equal(chmod(fixture->path, 0600 | bit), 0);
        assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
        (void)snprintf(mode, sizeof(mode), "mode %04o ", (unsigned)(0600 | bit));
        assert_non_null(strstr(fixture->error.message, mode));
        assert_non_null(strstr(fixture->error.message, fixture->path));
    }
    assert_int_equal(chmod(fixture->path, 0400), 0);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_OK);
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
    struct fixture *fixture = *state;
    char target[128] = "";

    (void)snprintf(target, sizeof(target), "%s/target", fixture->directory);
    assert_int_equal(rename(fixture->path, target), 0);
    assert_int_equal(symlink("target", fixture->path), 0);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "a symbolic link"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(unlink(target), 0);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "not a regular file"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "not a regular file"));
}

static void an_empty_file_is_refused(void **state)
{
    struct fixture *fixture = *state;

    write_pin(fixture->path, "", 0600);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "empty"));
}

static void only_root_the_porter_and_the_keeper_may_own_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chown(fixture->path, 61003, 61003), 0);
    assert_int_equal(open_pin(fixture, fixture->path, 61003), STIRKEEP_OK);
    assert_int_equal(open_pin(fixture, fixture->path, 61001), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "owned by uid 61003"));
}

static void a_credential_is_found_where_the_service_manager_says(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_pin(fixture, "", geteuid()), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "CREDENTIALS_DIRECTORY is not set"));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", fixture->directory, 1), 0);
    assert_int_equal(open_pin(fixture, "", geteuid()), STIRKEEP_OK);
    /* systemd gives the service's user its right by an access list, which shows as root's group's;
     * more than reading, or another group, is none of its doing. */
    assert_int_equal(chmod(fixture->path, 0440), 0);
    assert_int_equal(open_pin(fixture, "", geteuid()),
                     geteuid() == 0 && getegid() == 0 ? STIRKEEP_OK : STIRKEEP_CONFIG);
    assert_int_equal(chmod(fixture->path, 0460), 0);
    assert_int_equal(open_pin(fixture, "", geteuid()), STIRKEEP_CONFIG);
    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(open_pin(fixture, "", geteuid()), STIRKEEP_CONFIG);
    assert_int_equal(chmod(fixture->path, 0440), 0);
    assert_int_equal(open_pin(fixture, fixture->path, geteuid()), STIRKEEP_CONFIG);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_refused_pin_stays_refused_until_its_file_changes(void **state)
{
    struct fixture *fixture = *state;
    const struct timespec later[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1900000000}};
    char fresh[128] = "";

    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    /* Another time of change. */
    assert_int_equal(utimensat(AT_FDCWD, fixture->path, later, 0), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    /* Another file, of the same size and time. */
    (void)snprintf(fresh, sizeof(fresh), "%s/fresh", fixture->directory);
    write_pin(fresh, "4321\n", 0600);
    assert_int_equal(utimensat(AT_FDCWD, fresh, later, 0), 0);
    assert_int_equal(rename(fresh, fixture->path), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    /* Another size. */
    write_pin(fixture->path, "43210\n", 0600);
    assert_int_equal(utimensat(AT_FDCWD, fixture->path, later, 0), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
}

/* A keeper that was given nothing has tried nothing: what it says must not clear or move the mark. */
static void a_refusal_of_what_was_not_handed_out_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    assert_int_equal(chmod(fixture->path, 0644), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_CONFIG);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(chmod(fixture->path, 0600), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
}

/* While the file is unusable the mark stays: giving it its rights back is no new PIN. */
static void a_refusal_outlives_a_file_that_is_unusable_meanwhile(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(chmod(fixture->path, 0644), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_CONFIG);
    stk_pin_note_refused(&fixture->pin);
    assert_int_equal(chmod(fixture->path, 0600), 0);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
}

/* What comes of a try that nobody told of is not known: one more, and no other. */
static void a_pin_with_which_the_keeper_dies_twice_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct stk_pin *pin = &fixture->pin;

    for (int lives = 0; lives < 3; lives++) { /* it dies of other things */
        assert_int_equal(hand_out(fixture), STIRKEEP_OK);
        assert_int_equal(stk_pin_note_end(pin), STK_PIN_NO_TRY);
    }
    for (int tries = 1; tries <= STK_PIN_UNHEARD_MAX; tries++) {
        assert_int_equal(hand_out(fixture), STIRKEEP_OK);
        assert_false(stk_pin_is_lacking(pin));
        stk_pin_note_tried(pin);
        assert_int_equal(stk_pin_note_end(pin),
                         tries == STK_PIN_UNHEARD_MAX ? STK_PIN_GIVEN_UP : STK_PIN_UNHEARD);
    }
    assert_true(stk_pin_is_lacking(pin));
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(stk_pin_note_end(pin), STK_PIN_NO_TRY);
    /* Another one has its own tries. */
    write_pin(fixture->path, "43210\n", 0600);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_tried(pin);
    assert_int_equal(stk_pin_note_end(pin), STK_PIN_UNHEARD);
    write_pin(fixture->path, "432100\n", 0600);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_tried(pin);
    assert_int_equal(stk_pin_note_end(pin), STK_PIN_UNHEARD);
    /* An answer, if not about the PIN, is one. */
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_tried(pin);
    stk_pin_note_unjudged(pin);
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_tried(pin);
    assert_int_equal(stk_pin_note_end(pin), STK_PIN_UNHEARD);
}

static void one_that_was_right_is_not_what_the_keeper_dies_of(void **state)
{
    struct fixture *fixture = *state;
    struct stk_pin *pin = &fixture->pin;

    stk_pin_note_taken(pin); /* of nothing that was tried */
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_taken(pin);
    assert_false(pin->is_taken);
    stk_pin_note_tried(pin);
    stk_pin_note_taken(pin);
    for (int tries = 0; tries < 3 * STK_PIN_UNHEARD_MAX; tries++) {
        assert_int_equal(hand_out(fixture), STIRKEEP_OK);
        stk_pin_note_tried(pin);
        assert_int_equal(stk_pin_note_end(pin), STK_PIN_NO_TRY);
    }
    /* But it may be changed on the token. */
    stk_pin_note_tried(pin);
    assert_true(stk_pin_note_refused(pin));
    assert_false(stk_pin_note_refused(pin));
    assert_int_equal(stk_pin_note_end(pin), STK_PIN_NO_TRY);
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
}

static void what_was_refused_can_be_told_to_another(void **state)
{
    struct fixture *fixture = *state;
    struct stk_config *config = calloc(1, sizeof(*config));
    struct stk_pin other = {0};
    char words[STK_PIN_WORDS] = "";

    assert_non_null(config);
    config->token.module = (char[]){"m"};
    config->token.label = (char[]){"t"};
    stk_pin_init(&fixture->pin, config);
    stk_pin_init(&other, config);
    stk_pin_words(&fixture->pin, words);
    assert_string_equal(words, "");
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    stk_pin_words(&fixture->pin, words);
    assert_true(stk_pin_take_words(&other, words));
    fixture->pin = other;
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    /* Of another token it says nothing. */
    config->token.label = (char[]){"u"};
    stk_pin_init(&fixture->pin, config);
    assert_true(stk_pin_take_words(&fixture->pin, words));
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    free(config);
    for (const char *const *bad =
             (const char *const[]){"", " ", "UP", " PIN-REFUSED", " PIN-REFUSED 1 2 3 4 5",
                                   " PIN-REFUSED 1 2 3 4 5 6 7", " PIN-REFUSED 1 2 3 4 5 x",
                                   " PIN-REFUSED 1 2 3 4 5 6 PIN-REFUSED", NULL};
         *bad != NULL; bad++)
        assert_false(stk_pin_take_words(&other, *bad));
}

/* Nor does a later one make it forget an earlier one. */
static void several_refused_ones_are_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct stk_pin other = {0};
    char words[STK_PIN_WORDS] = "";
    char kept[STK_PIN_REFUSED_MAX][128];

    for (int i = 0; i < STK_PIN_REFUSED_MAX; i++) {
        (void)snprintf(kept[i], sizeof(kept[i]), "%s/kept-%d", fixture->directory, i);
        assert_int_equal(hand_out(fixture), STIRKEEP_OK);
        stk_pin_note_refused(&fixture->pin);
        assert_int_equal(rename(fixture->path, kept[i]), 0);
        write_pin(fixture->path, "43210\n", 0600);
    }
    stk_pin_words(&fixture->pin, words);
    assert_true(stk_pin_take_words(&other, words));
    assert_int_equal(other.refused_count, STK_PIN_REFUSED_MAX);
    assert_memory_equal(other.refused, fixture->pin.refused, sizeof(other.refused));
    for (int i = 0; i < STK_PIN_REFUSED_MAX; i++) {
        assert_int_equal(rename(kept[i], fixture->path), 0);
        assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
        assert_true(stk_pin_is_lacking(&fixture->pin));
    }
}

/* What another one was refused with is no reason to do without the login that there is. */
static void a_keeper_that_has_logged_in_lacks_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stk_pin other = {0};
    char words[STK_PIN_WORDS] = "";

    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    other = fixture->pin;
    stk_pin_note_tried(&fixture->pin);
    stk_pin_note_taken(&fixture->pin);
    stk_pin_note_refused(&other);
    stk_pin_words(&other, words);
    assert_true(stk_pin_take_words(&fixture->pin, words));
    assert_false(stk_pin_is_lacking(&fixture->pin));
    assert_int_equal(hand_out(fixture), STIRKEEP_TOKEN_LOCKED);
    assert_true(stk_pin_is_lacking(&fixture->pin));
}

static void another_pin_is_seen_once_its_file_rests(void **state)
{
    struct fixture *fixture = *state;
    const char *path = fixture->path;

    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
    stk_pin_note_refused(&fixture->pin);
    for (int i = 0; i < 3; i++)
        assert_false(stk_pin_look(&fixture->pin, path, geteuid()));
    write_pin(path, "", 0600);
    assert_false(stk_pin_look(&fixture->pin, path, geteuid()));
    write_pin(path, "43", 0600); /* it is still being written */
    assert_false(stk_pin_look(&fixture->pin, path, geteuid()));
    write_pin(path, "43210", 0600);
    assert_false(stk_pin_look(&fixture->pin, path, geteuid()));
    assert_true(stk_pin_look(&fixture->pin, path, geteuid()));
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(stk_pin_look(&fixture->pin, path, geteuid()));
    assert_int_equal(chmod(path, 0600), 0);
    assert_false(stk_pin_look(&fixture->pin, path, geteuid())); /* it was away */
    assert_true(stk_pin_look(&fixture->pin, path, geteuid()));
    assert_int_equal(hand_out(fixture), STIRKEEP_OK);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(the_descriptor_reads_from_the_start_and_only_reads),
        TEST(rights_of_others_are_refused_and_named),
        TEST(what_is_no_file_is_refused_without_waiting),
        TEST(an_empty_file_is_refused),
        TEST(a_credential_is_found_where_the_service_manager_says),
        TEST(a_refused_pin_stays_refused_until_its_file_changes),
        TEST(a_refusal_of_what_was_not_handed_out_changes_nothing),
        TEST(a_refusal_outlives_a_file_that_is_unusable_meanwhile),
        TEST(a_pin_with_which_the_keeper_dies_twice_is_refused),
        TEST(one_that_was_right_is_not_what_the_keeper_dies_of),
        TEST(what_was_refused_can_be_told_to_another),
        TEST(several_refused_ones_are_remembered),
        TEST(a_keeper_that_has_logged_in_lacks_nothing),
        TEST(another_pin_is_seen_once_its_file_rests),
    };

    /* Files of other users are needed. */
    const struct CMUnitTest as_root[] = {
        TEST(only_root_the_porter_and_the_keeper_may_own_it),
    };
    (void)argv;

    if (argc > 1 && geteuid() != 0) {
        (void)printf("1..0 # SKIP needs root\n");
        return 0;
    }
    if (argc > 1)
        return cmocka_run_group_tests_name("pin as root", as_root, NULL, NULL);
    return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
