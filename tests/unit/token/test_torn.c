/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "token/softhsm.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a keeper that was killed leaves in a token's directory, and what of it goes. */

static struct stk_softhsm softhsm = {.lock = -1};

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(softhsm.token, sizeof(softhsm.token), "/tmp/stirkeep-torn-XXXXXX");
    return mkdtemp(softhsm.token) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[PATH_MAX + 16] = "";

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", softhsm.token);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];

    assert_true(snprintf(path, sizeof(path), "%s/%s", softhsm.token, name) < (int)sizeof(path));
    return path;
}

static void put(uint8_t *file, size_t *length, uint64_t number)
{
    for (int i = 7; i >= 0; i--)
        file[(*length)++] = (uint8_t)(number >> (8 * i));
}

static void write_file(const char *name, const uint8_t *data, size_t length)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), (ssize_t)length);
    (void)close(fd);
}

static bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void test_torn_and_empty_objects_go_with_their_locks_and_the_rest_stays(void **state)
{
    uint8_t file[128] = {0};
    size_t empty = 0;
    size_t whole = 0;

    (void)state;
    put(file, &empty, 1);
    put(file, &empty, 0), put(file, &empty, 2), put(file, &empty, 3);     /* CKA_CLASS */
    put(file, &empty, 0x102), put(file, &empty, 3), put(file, &empty, 0); /* CKA_ID */
    whole = empty;
    put(file, &whole, 3), put(file, &whole, 3), put(file, &whole, 2), whole += 2; /* CKA_LABEL */
    write_file("token.object", file, 3); /* the token itself is not an object, whatever it holds */
    write_file("whole.object", file, whole);
    write_file("whole.lock", NULL, 0);
    write_file("empty.object", file, empty);
    write_file("empty.lock", NULL, 0);
    write_file("torn.object", file, whole - 1);
    write_file("torn.lock", NULL, 0);
    write_file("nothing.object", NULL, 0);
    write_file("lockless.object", file, whole);
    write_file("generation", file, 8);
    assert_int_equal(symlink("/nowhere", path_of("link.object")), 0);
    stk_softhsm_mend(&softhsm);
    assert_true(is_there("token.object") && is_there("whole.object") && is_there("whole.lock") &&
                is_there("generation"));
    assert_false(is_there("empty.object") || is_there("empty.lock"));
    assert_false(is_there("torn.object") || is_there("torn.lock"));
    assert_false(is_there("nothing.object") || is_there("nothing.lock"));
    assert_true(is_there("lockless.object") && is_there("lockless.lock"));
    assert_int_equal(unlink(path_of("link.object")), 0);
}

static void test_a_directory_that_is_not_known_is_nobodys(void **state)
{
    struct stk_softhsm unknown = {.lock = -1};

    (void)state;
    stk_softhsm_mend(&unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_torn_and_empty_objects_go_with_their_locks_and_the_rest_stays, set_up, tear_down),
        cmocka_unit_test(test_a_directory_that_is_not_known_is_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
