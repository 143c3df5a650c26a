/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYNCED_MAX 512

/* The program's own fsync: what was synced, in what state; or a disk that fails. */
static struct synced {
    char path[256];
    off_t size;
} synced[SYNCED_MAX];
static size_t synced_count;
static bool sync_fails;

int fsync(int fd)
{
    char link[64] = "";
    struct stat about = {0};

    if (sync_fails) {
        errno = EIO;
        return -1;
    }
    if (synced_count < SYNCED_MAX && fstat(fd, &about) == 0) {
        struct synced *one = &synced[synced_count];
        ssize_t length = 0;

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        length = readlink(link, one->path, sizeof(one->path) - 1);
        one->path[length < 0 ? 0 : length] = '\0';
        one->size = about.st_size;
        synced_count++;
    }
    return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(const char *path, off_t size)
{
    for (size_t i = 0; i < synced_count; i++)
        if (strcmp(synced[i].path, path) == 0 && synced[i].size == size)
            return true;
    return false;
}

static char root[64];
static struct stk_durable durable;

static void path_of(const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", root, name);
}

static void write_file(const char *name, const void *data, size_t length)
{
    char path[128] = "";
    FILE *file = NULL;

    path_of(name, path);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static bool exists(const char *name)
{
    char path[128] = "";

    path_of(name, path);
    return access(path, F_OK) == 0;
}

/* Generation 1; one boolean and one string. */
static const uint8_t object[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,   0,
                                 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 3,   0,
                                 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 2, 'h', 'i'};

static int begin(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/stirkeep-durable-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    durable = (struct stk_durable){.softhsm = true};
    (void)snprintf(durable.root, sizeof(durable.root), "%s", root);
    synced_count = 0;
    sync_fails = false;
    return 0;
}

static int end(void **state)
{
    char command[128] = "";

    (void)state;
    sync_fails = false;
    stk_durable_free(&durable);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static void test_what_is_new_or_changed_is_synced_and_its_directory(void **state)
{
    char path[128] = "";
    char below[128] = "";

    (void)state;
    path_of("below", below);
    assert_int_equal(mkdir(below, 0700), 0);
    write_file("below/one.object", object, sizeof(object));
    assert_int_equal(stk_durable_sync(&durable, NULL), STIRKEEP_OK);
    path_of("below/one.object", path);
    assert_true(was_synced(path, sizeof(object)));
    assert_string_equal(synced[synced_count - 1].path, root);
    assert_string_equal(synced[synced_count - 2].path, below); /* after what is in it */
    synced_count = 0;
    write_file("below/two.object", object, sizeof(object));
    assert_int_equal(stk_durable_sync(&durable, NULL), STIRKEEP_OK);
    path_of("below/two.object", path);
    assert_true(was_synced(path, sizeof(object)));
    assert_string_equal(synced[synced_count - 2].path, below);
}

static void test_a_disk_that_fails_to_sync_is_told(void **state)
{
    struct stk_error error = {0};

    (void)state;
    write_file("one.object", object, sizeof(object));
    sync_fails = true;
    assert_int_equal(stk_durable_sync(&durable, &error), STIRKEEP_STORAGE);
    assert_non_null(strstr(error.message, "one.object"));
    assert_non_null(strstr(error.message, strerror(EIO)));
    sync_fails = false;
    synced_count = 0;
    assert_int_equal(stk_durable_sync(&durable, &error), STIRKEEP_OK);
    assert_true(synced_count >= 2); /* not taken for done */
}

static void test_a_torn_object_is_told_when_it_comes(void **state)
{
    struct stk_error error = {0};

    (void)state;
    write_file("old.object", object, 20); /* was there before: not this process's doing */
    assert_int_equal(stk_durable_sync(&durable, &error), STIRKEEP_OK);
    write_file("new.object", object, 20);
    assert_int_equal(stk_durable_sync(&durable, &error), STIRKEEP_STORAGE);
    assert_non_null(strstr(error.message, "new.object"));
    assert_int_equal(stk_durable_sync(&durable, &error), STIRKEEP_STORAGE); /* it stays told */
    write_file("new.object", object, sizeof(object));
    assert_int_equal(stk_durable_sync(&durable, &error), STIRKEEP_OK);
}

static void test_undoing_removes_what_is_torn_and_new_and_nothing_else(void **state)
{
    (void)state;
    write_file("old-torn.object", object, 20);
    write_file("old.object", object, sizeof(object));
    assert_int_equal(stk_durable_sync(&durable, NULL), STIRKEEP_OK);
    write_file("new.object", object, sizeof(object));
    write_file("new-torn.object", object, 20);
    write_file("new-empty.object", object, 0);
    write_file("new-other.file", object, 20);
    assert_int_equal(stk_durable_undo(&durable, NULL), STIRKEEP_OK);
    assert_true(exists("old-torn.object"));
    assert_true(exists("old.object"));
    assert_true(exists("new.object"));
    assert_false(exists("new-torn.object"));
    assert_false(exists("new-empty.object"));
    assert_true(exists("new-other.file"));
    write_file("old.object", object, 20); /* torn while it was rewritten: never removed */
    assert_int_equal(stk_durable_undo(&durable, NULL), STIRKEEP_STORAGE);
    assert_true(exists("old.object"));
}

static void test_links_pipes_and_other_peoples_files_do_not_stop_it(void **state)
{
    char path[128] = "";

    (void)state;
    path_of("pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    path_of("link.object", path);
    assert_int_equal(symlink("/nonexistent", path), 0);
    path_of("loop", path);
    assert_int_equal(symlink(root, path), 0);
    assert_int_equal(stk_durable_sync(&durable, NULL), STIRKEEP_OK);
    path_of("gone", durable.root);
    assert_int_equal(stk_durable_sync(&durable, NULL), STIRKEEP_STORAGE);
    durable.root[0] = '\0'; /* a token without files */
    assert_int_equal(stk_durable_sync(&durable, NULL), STIRKEEP_OK);
}

/* ---- with a token */

static void assert_all_synced(const char *directory, size_t least)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry = NULL;
    size_t count = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        char path[PATH_MAX + 256] = "";
        struct stat about = {0};

        if (strstr(entry->d_name, ".object") == NULL || strcmp(entry->d_name, "token.object") == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        assert_int_equal(stat(path, &about), 0);
        if (!was_synced(path, about.st_size))
            fail_msg("%s was not synced as it is", path);
        count++;
    }
    assert_true(count >= least);
    (void)closedir(stream);
}

static void test_an_import_is_on_the_disk_before_it_succeeds(void **state)
{
    struct fx_key key = {0};
    struct stk_token *token = NULL;

    (void)state;
    fx_require();
    token = fx_open();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_all_synced(token->softhsm.token, 4); /* RSA pair, key, certificate */
    assert_string_equal(synced[synced_count - 1].path, token->softhsm.token);
    stk_token_close(token);
    fx_key_free(&key);
}

static void test_an_import_that_cannot_be_synced_fails_and_leaves_no_key(void **state)
{
    struct fx_key key = {0};
    struct stk_buffer sealed = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = {0};
    struct stk_error error = {0};
    struct stk_token *token = NULL;

    (void)state;
    fx_require();
    token = fx_open();
    fx_key_new(&key);
    fx_seal(token, &key.pkcs8, &sealed);
    import = fx_import_of(&key, &sealed, chain);
    sync_fails = true;
    assert_int_equal(stk_token_import(token, &import, &error), STIRKEEP_STORAGE);
    assert_non_null(strstr(error.message, "may be left")); /* its removal is not on the disk */
    assert_int_equal(fx_count(token, &key.key_id, CK_UNAVAILABLE_INFORMATION), 0);
    sync_fails = false;
    fx_import(token, &key);
    sync_fails = true;
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_STORAGE);
    sync_fails = false;
    stk_token_close(token);
    stk_buffer_free(&sealed);
    fx_key_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_new_or_changed_is_synced_and_its_directory),
        TEST(test_a_disk_that_fails_to_sync_is_told),
        TEST(test_a_torn_object_is_told_when_it_comes),
        TEST(test_undoing_removes_what_is_torn_and_new_and_nothing_else),
        TEST(test_links_pipes_and_other_peoples_files_do_not_stop_it),
        TEST(test_an_import_is_on_the_disk_before_it_succeeds),
        TEST(test_an_import_that_cannot_be_synced_fails_and_leaves_no_key),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
