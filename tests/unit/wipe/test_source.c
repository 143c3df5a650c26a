/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wipe/source.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] = "-----BEGIN PRIVATE KEY-----\nnot really\n-----END PRIVATE KEY-----\n";

struct fixture {
    char directory[64];
    char path[96];
    struct stk_source *source;
    struct stk_secret data;
    struct stk_error error;
};

static void write_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(close(fd), 0);
}

static bool holds(const char *path, const char *content)
{
    char found[256] = "";
    int fd = open(path, O_RDONLY);
    ssize_t length = fd >= 0 ? read(fd, found, sizeof(found) - 1) : -1;

    if (fd >= 0)
        (void)close(fd);
    return length == (ssize_t)strlen(content) && strcmp(found, content) == 0;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/stk-wipe-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/leaf.key", fixture->directory);
    write_file(fixture->path, text);
    *state = fixture;
    return 0;
}

static void remove_all(const char *path)
{
    DIR *directory = opendir(path);
    char name[PATH_MAX] = "";

    for (struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;) {
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (unlink(name) != 0)
            (void)rmdir(name);
    }
    (void)closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stk_source_free(fixture->source);
    stk_secret_free(&fixture->data);
    (void)chmod(fixture->directory, 0700);
    remove_all(fixture->directory);
    free(fixture);
    return 0;
}

static enum stirkeep_status open_source(struct fixture *fixture, bool keep)
{
    return stk_source_open(fixture->path, keep, &fixture->source, &fixture->data, &fixture->error);
}

static enum stirkeep_status remove_source(struct fixture *fixture)
{
    char how[STK_SOURCE_HOW] = "";

    return stk_source_remove(fixture->source, how, &fixture->error);
}

static size_t files_in(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    for (struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2 ? 1 : 0;
    (void)closedir(directory);
    return count;
}

static void what_was_read_is_removed_and_its_blocks_are_overwritten(void **state)
{
    struct fixture *fixture = *state;
    char how[STK_SOURCE_HOW] = "";
    char found[sizeof(text)] = "";
    int witness = open(fixture->path, O_RDONLY); /* sees the blocks after the name is gone */

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_int_equal(fixture->data.length, strlen(text));
    assert_memory_equal(fixture->data.data, text, strlen(text));
    assert_int_equal(stk_source_removable(fixture->source, &fixture->error), STIRKEEP_OK);
    assert_int_equal(stk_source_remove(fixture->source, how, &fixture->error), STIRKEEP_OK);
    assert_int_equal(access(fixture->path, F_OK), -1);
    assert_int_equal(files_in(fixture->directory), 0);
    assert_int_equal(pread(witness, found, sizeof(found), 0), strlen(text));
    assert_memory_not_equal(found, text, strlen(text));
    assert_non_null(strstr(how, "overwritten, synced, unlinked, directory synced, on "));
    (void)close(witness);
}

static void a_symbolic_link_is_refused_unless_it_stays(void **state)
{
    struct fixture *fixture = *state;
    char target[128] = "";

    (void)snprintf(target, sizeof(target), "%s/target", fixture->directory);
    assert_int_equal(rename(fixture->path, target), 0);
    assert_int_equal(symlink("target", fixture->path), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_SOURCE_UNSAFE);
    assert_non_null(strstr(fixture->error.message, "symbolic link"));
    assert_non_null(strstr(fixture->error.message, fixture->path));
    assert_int_equal(open_source(fixture, true), STIRKEEP_OK);
    assert_true(holds(target, text));
}

static void a_file_with_another_hard_link_is_refused_unless_it_stays(void **state)
{
    struct fixture *fixture = *state;
    char other[128] = "";

    (void)snprintf(other, sizeof(other), "%s/other", fixture->directory);
    assert_int_equal(link(fixture->path, other), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_SOURCE_UNSAFE);
    assert_non_null(strstr(fixture->error.message, "hard links"));
    assert_int_equal(open_source(fixture, true), STIRKEEP_OK);
    assert_true(holds(other, text));
}

static void a_hard_link_made_after_reading_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    char other[128] = "";

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    (void)snprintf(other, sizeof(other), "%s/other", fixture->directory);
    assert_int_equal(link(fixture->path, other), 0);
    assert_int_equal(stk_source_removable(fixture->source, &fixture->error),
                     STIRKEEP_SOURCE_UNSAFE);
    assert_non_null(strstr(fixture->error.message, "hard links"));
    assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
    assert_true(holds(fixture->path, text));
    assert_true(holds(other, text));
}

static void what_changed_after_reading_is_left_alone(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    write_file(fixture->path, "another key\n");
    assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
    assert_non_null(strstr(fixture->error.message, "changed"));
    assert_true(holds(fixture->path, "another key\n"));
}

static void what_took_its_place_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    char fresh[128] = "";

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    (void)snprintf(fresh, sizeof(fresh), "%s/fresh", fixture->directory);
    write_file(fresh, text); /* even with the same content */
    assert_int_equal(rename(fresh, fixture->path), 0);
    assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
    assert_non_null(strstr(fixture->error.message, "another file"));
    assert_true(holds(fixture->path, text));
}

static void a_change_that_hides_its_time_is_found_by_content(void **state)
{
    struct fixture *fixture = *state;
    struct stat about = {0};
    int fd = open(fixture->path, O_RDWR);
    struct timespec times[2] = {0};

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_int_equal(fstat(fd, &about), 0);
    assert_int_equal(pwrite(fd, "X", 1, 0), 1);
    times[0] = about.st_atim;
    times[1] = about.st_mtim;
    assert_int_equal(futimens(fd, times), 0);
    (void)close(fd);
    assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
    assert_int_equal(access(fixture->path, F_OK), 0);
}

/* Times have a granularity (before Linux 6.13, some milliseconds): what is written within it leaves
 * them as they were. */
static void a_change_too_quick_for_the_clock_is_found_by_content(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 100; i++) {
        int fd = -1;

        write_file(fixture->path, text);
        fd = open(fixture->path, O_RDWR | O_CLOEXEC);
        assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
        assert_int_equal(pwrite(fd, "X", 1, 0), 1);
        (void)close(fd);
        assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
        assert_int_equal(access(fixture->path, F_OK), 0);
        stk_source_free(fixture->source);
        fixture->source = NULL;
        stk_secret_free(&fixture->data);
    }
}

/* ---- what happens in the middle of it: the linker puts these between src/wipe and the system */

static const char *newcomer;    /* takes the file's place just before it is moved aside */
static unsigned fsyncs_to_fail; /* bit n: the n-th from now */
static bool unlink_fails;
static const char *occupied; /* this name is taken again when unlinking fails */

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    if (newcomer != NULL && __real_renameat(AT_FDCWD, newcomer, to, old) != 0)
        return -1;
    newcomer = NULL;
    return __real_renameat(from, old, to, new);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    bool fails = (fsyncs_to_fail & 1) != 0;

    fsyncs_to_fail >>= 1;
    if (!fails)
        return __real_fsync(fd);
    errno = EIO;
    return -1;
}

int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags)
{
    if (!unlink_fails)
        return __real_unlinkat(directory, name, flags);
    unlink_fails = false;
    if (occupied != NULL)
        write_file(occupied, "the renewed key\n");
    occupied = NULL;
    errno = EIO;
    return -1;
}

static void what_takes_its_place_in_the_last_moment_is_kept(void **state)
{
    struct fixture *fixture = *state;
    char fresh[128] = "";

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    (void)snprintf(fresh, sizeof(fresh), "%s/fresh", fixture->directory);
    write_file(fresh, "the renewed key\n");
    newcomer = fresh;
    assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
    assert_null(newcomer);
    assert_non_null(strstr(fixture->error.message, "another file has taken its place"));
    assert_true(holds(fixture->path, "the renewed key\n"));
    assert_int_equal(files_in(fixture->directory), 1);
}

static void a_disk_that_fails_is_told_with_how_far_it_got(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_false(stk_source_is_remains(&fixture->data));
    fsyncs_to_fail = 1;
    assert_int_equal(remove_source(fixture), STIRKEEP_IO);
    assert_non_null(strstr(fixture->error.message, "overwriting it failed: "));
    assert_int_equal(access(fixture->path, F_OK), 0); /* never unlinked before it is overwritten */
    stk_source_free(fixture->source);
    fixture->source = NULL;
    stk_secret_free(&fixture->data);
    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_true(stk_source_is_remains(&fixture->data));
    unlink_fails = true;
    assert_int_equal(remove_source(fixture), STIRKEEP_IO);
    assert_non_null(strstr(fixture->error.message, "not unlinked: Input/output error"));
    assert_int_equal(access(fixture->path, F_OK), 0); /* not left under a name that nobody knows */
    assert_int_equal(files_in(fixture->directory), 1);
}

/* The key is gone: a failure would ask for something to be done, and there is nothing to do. */
static void a_directory_that_cannot_be_synced_is_told_and_is_no_failure(void **state)
{
    struct fixture *fixture = *state;
    char how[STK_SOURCE_HOW] = "";

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    fsyncs_to_fail = 2;
    assert_int_equal(stk_source_remove(fixture->source, how, &fixture->error), STIRKEEP_OK);
    assert_non_null(strstr(how, "directory NOT synced (Input/output error)"));
    assert_int_equal(access(fixture->path, F_OK), -1);
}

/* What the file is when its removal stops before the unlinking. */
static void leave_remains(struct fixture *fixture, const char *note)
{
    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    stk_source_set_note(fixture->source, note);
    fsyncs_to_fail = 1;
    assert_int_equal(remove_source(fixture), STIRKEEP_IO);
    stk_source_free(fixture->source);
    fixture->source = NULL;
    stk_secret_free(&fixture->data);
    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
}

static void remains_bear_a_note_where_they_have_room_for_it(void **state)
{
    struct fixture *fixture = *state;
    char note[STK_SOURCE_NOTE] = "untouched";

    leave_remains(fixture, "of whom");
    assert_true(stk_source_is_remains(&fixture->data));
    assert_true(stk_source_remains_note(&fixture->data, note));
    assert_string_equal(note, "of whom");
    assert_int_equal(fixture->data.length, sizeof(text) - 1);
    /* They are removed like any file. */
    assert_int_equal(remove_source(fixture), STIRKEEP_OK);

    write_file(fixture->path, text);
    stk_source_free(fixture->source);
    stk_secret_free(&fixture->data);
    leave_remains(fixture,
                  "a line that is longer than what remains of a file as short as this one");
    assert_true(stk_source_is_remains(&fixture->data));
    assert_false(stk_source_remains_note(&fixture->data, note));
    assert_int_equal(fixture->data.length, sizeof(text) - 1);
}

static void what_looks_like_a_note_and_is_none_is_not_read(void **state)
{
    static const char *const files[] = {"",
                                        "note: nothing before it\n",
                                        "stirkeep: imported, being removed\n",
                                        "stirkeep: imported, being removed\nnote: ",
                                        "stirkeep: imported, being removed\nnote: cut",
                                        "stirkeep: imported, being removed\nnote: \x80\n",
                                        "stirkeep: imported, being removed\nNote: other\n"};
    struct stk_secret data = {0};
    char note[STK_SOURCE_NOTE] = "untouched";
    char longest[256] = "stirkeep: imported, being removed\nnote: ";
    (void)state;

    assert_int_equal(stk_secret_new(&data, sizeof(longest)), STIRKEEP_OK);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        data.length = strlen(files[i]);
        memcpy(data.data, files[i], data.length);
        assert_false(stk_source_remains_note(&data, note));
    }
    data.length = strlen(longest) + STK_SOURCE_NOTE;
    memset(longest + strlen(longest), 'x', STK_SOURCE_NOTE);
    longest[data.length++] = '\n';
    memcpy(data.data, longest, data.length);
    assert_false(stk_source_remains_note(&data, note));
    assert_string_equal(note, "untouched");
    stk_secret_free(&data);
}

static void a_file_is_found_in_its_directory_wherever_that_has_gone(void **state)
{
    struct fixture *fixture = *state;
    char moved[96] = "";
    char how[STK_SOURCE_HOW] = "";
    int directory = open(fixture->directory, O_RDONLY | O_DIRECTORY);

    (void)snprintf(moved, sizeof(moved), "%s-moved", fixture->directory);
    assert_int_equal(rename(fixture->directory, moved), 0);
    assert_int_equal(stk_source_open_at(directory, "leaf.key", "the key", false, &fixture->source,
                                        &fixture->data, &fixture->error),
                     STIRKEEP_OK);
    assert_int_equal(stk_source_remove(fixture->source, how, &fixture->error), STIRKEEP_OK);
    assert_int_equal(files_in(moved), 0);
    assert_int_equal(rename(moved, fixture->directory), 0);
    (void)close(directory);
}

static void in_a_directory_only_its_own_files_are_opened(void **state)
{
    static const char *const names[] = {"../leaf.key", "/etc/passwd", "", ".", "..", "none"};
    struct fixture *fixture = *state;
    int directory = open(fixture->directory, O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_not_equal(stk_source_open_at(directory, names[i], "it", false, &fixture->source,
                                                &fixture->data, &fixture->error),
                             STIRKEEP_OK);
        assert_memory_equal(fixture->error.message, "it: ", 4);
        assert_null(fixture->source);
    }
    (void)close(directory);
}

static void what_is_left_when_unlinking_fails_is_named_and_worthless(void **state)
{
    struct fixture *fixture = *state;
    const char *aside = NULL;
    char path[160] = "";

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    unlink_fails = true;
    occupied = fixture->path;
    assert_int_equal(remove_source(fixture), STIRKEEP_IO);
    assert_true(holds(fixture->path, "the renewed key\n"));
    aside = strstr(fixture->error.message, ".stirkeep-removed-");
    assert_non_null(aside);
    (void)snprintf(path, sizeof(path), "%s/%.*s", fixture->directory, (int)strcspn(aside, ","),
                   aside);
    assert_int_equal(access(path, F_OK), 0);
    assert_false(holds(path, text));
}

static void what_is_gone_is_told(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(remove_source(fixture), STIRKEEP_SOURCE_UNSAFE);
    assert_int_equal(open_source(fixture, false), STIRKEEP_IO);
    assert_non_null(strstr(fixture->error.message, strerror(ENOENT)));
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_SOURCE_UNSAFE);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_SOURCE_UNSAFE);
    assert_non_null(strstr(fixture->error.message, "not a regular file"));
}

static void a_file_too_large_to_be_a_key_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(truncate(fixture->path, STK_CERT_FILE_MAX + 1), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_TOO_LARGE);
    assert_int_equal(truncate(fixture->path, STK_CERT_FILE_MAX), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
}

static void an_empty_file_is_read_and_removed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(truncate(fixture->path, 0), 0);
    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_int_equal(fixture->data.length, 0);
    assert_int_equal(remove_source(fixture), STIRKEEP_OK);
    assert_int_equal(access(fixture->path, F_OK), -1);
}

static void names_that_cannot_be_are_refused(void **state)
{
    struct fixture *fixture = *state;
    char name[NAME_MAX + 16];

    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(
        stk_source_open(name, false, &fixture->source, &fixture->data, &fixture->error),
        STIRKEEP_IO);
    assert_int_equal(stk_source_open("", false, &fixture->source, &fixture->data, &fixture->error),
                     STIRKEEP_IO);
    assert_int_equal(
        stk_source_open("/tmp/", false, &fixture->source, &fixture->data, &fixture->error),
        STIRKEEP_IO);
}

/* As an ordinary user: what root may do says nothing. The child's exit status is its verdict. */
static void as_nobody(struct fixture *fixture, int (*look)(struct fixture *))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(99);
        _exit(look(fixture));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int look_is_unsafe(struct fixture *fixture)
{
    if (open_source(fixture, false) != STIRKEEP_OK)
        return 1;
    if (stk_source_removable(fixture->source, &fixture->error) != STIRKEEP_SOURCE_UNSAFE)
        return 2;
    return remove_source(fixture) == STIRKEEP_SOURCE_UNSAFE ? 0 : 3;
}

static void what_its_user_may_not_write_is_refused_before_anything_is_done(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(chmod(fixture->directory, 0777), 0);
    as_nobody(fixture, look_is_unsafe);
    assert_int_equal(chmod(fixture->path, 0666), 0);
    assert_int_equal(chmod(fixture->directory, 0555), 0);
    as_nobody(fixture, look_is_unsafe);
    assert_true(holds(fixture->path, text));
}

static void another_users_file_in_a_sticky_directory_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chmod(fixture->path, 0666), 0);
    assert_int_equal(chmod(fixture->directory, 01777), 0);
    as_nobody(fixture, look_is_unsafe);
    assert_true(holds(fixture->path, text));
}

/* Sets the flags as chattr(1) does; false where that cannot be. */
static bool set_flags(int fd, int flags)
{
    return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

static void a_file_marked_by_chattr_is_refused_before_anything_is_done(void **state)
{
    static const int marks[] = {FS_IMMUTABLE_FL, FS_APPEND_FL};
    struct fixture *fixture = *state;
    int fd = open(fixture->path, O_RDONLY);
    int flags = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || !set_flags(fd, flags | marks[i])) {
            print_message("# this file system or machine takes no such marks\n");
            break;
        }
        stk_source_free(fixture->source);
        fixture->source = NULL;
        stk_secret_free(&fixture->data);
        status = open_source(fixture, false);
        if (status == STIRKEEP_OK)
            status = stk_source_removable(fixture->source, &fixture->error);
        assert_true(set_flags(fd, flags));
        assert_int_equal(status, STIRKEEP_SOURCE_UNSAFE);
    }
    (void)close(fd);
}

static void the_answer_names_the_file_system(void **state)
{
    struct fixture *fixture = *state;
    char how[STK_SOURCE_HOW] = "";

    if (mount("tmpfs", fixture->directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=700") !=
        0) {
        print_message("# this machine mounts nothing\n");
        return;
    }
    write_file(fixture->path, text);
    assert_int_equal(open_source(fixture, false), STIRKEEP_OK);
    assert_int_equal(stk_source_remove(fixture->source, how, &fixture->error), STIRKEEP_OK);
    stk_source_free(fixture->source);
    fixture->source = NULL;
    assert_int_equal(umount(fixture->directory), 0);
    assert_non_null(strstr(how, "on tmpfs: it was in memory only"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* With an argument: what needs root. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_is_removed_and_its_blocks_are_overwritten),
        TEST(a_symbolic_link_is_refused_unless_it_stays),
        TEST(a_file_with_another_hard_link_is_refused_unless_it_stays),
        TEST(a_hard_link_made_after_reading_is_noticed),
        TEST(what_changed_after_reading_is_left_alone),
        TEST(what_took_its_place_is_left_alone),
        TEST(a_change_that_hides_its_time_is_found_by_content),
        TEST(a_change_too_quick_for_the_clock_is_found_by_content),
        TEST(what_takes_its_place_in_the_last_moment_is_kept),
        TEST(a_disk_that_fails_is_told_with_how_far_it_got),
        TEST(a_directory_that_cannot_be_synced_is_told_and_is_no_failure),
        TEST(remains_bear_a_note_where_they_have_room_for_it),
        TEST(what_looks_like_a_note_and_is_none_is_not_read),
        TEST(a_file_is_found_in_its_directory_wherever_that_has_gone),
        TEST(in_a_directory_only_its_own_files_are_opened),
        TEST(what_is_left_when_unlinking_fails_is_named_and_worthless),
        TEST(what_is_gone_is_told),
        TEST(what_is_no_file_is_refused_without_waiting),
        TEST(a_file_too_large_to_be_a_key_is_refused),
        TEST(an_empty_file_is_read_and_removed),
        TEST(names_that_cannot_be_are_refused),
        TEST(what_its_user_may_not_write_is_refused_before_anything_is_done),
    };
    const struct CMUnitTest as_root[] = {
        TEST(another_users_file_in_a_sticky_directory_is_refused),
        TEST(a_file_marked_by_chattr_is_refused_before_anything_is_done),
        TEST(the_answer_names_the_file_system),
    };
    (void)argv;

    if (argc > 1 && geteuid() != 0) {
        (void)printf("1..0 # SKIP needs root\n");
        return 0;
    }
    if (argc > 1)
        return cmocka_run_group_tests_name("wipe as root", as_root, NULL, NULL);

    return cmocka_run_group_tests_name("wipe", tests, NULL, NULL);
}
