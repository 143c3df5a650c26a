/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "intake/spool_dir.h"
#include "intake/spool_error.h"
#include "intake/spool_note.h"
#include "intake/spool_record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the spool is made of, each by itself. */

struct yard {
    char path[64];
    int fd;
};

static int set_up(void **state)
{
    struct yard *yard = calloc(1, sizeof(*yard));

    (void)snprintf(yard->path, sizeof(yard->path), "/tmp/stk-spool-XXXXXX");
    assert_non_null(mkdtemp(yard->path));
    yard->fd = open(yard->path, O_RDONLY | O_DIRECTORY);
    assert_true(yard->fd >= 0);
    assert_int_equal(mkdirat(yard->fd, "Alpha", 0770), 0);
    *state = yard;
    return 0;
}

static int tear_down(void **state)
{
    struct yard *yard = *state;
    char command[128] = "";

    (void)close(yard->fd);
    (void)snprintf(command, sizeof(command), "rm -rf %s", yard->path);
    assert_int_equal(system(command), 0);
    free(yard);
    return 0;
}

static void put(const struct yard *yard, const char *path, const char *text)
{
    int fd = openat(yard->fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0660);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static struct stk_spool_dir look(const struct yard *yard)
{
    struct stk_spool_dir dir = {.fd = -1};

    assert_true(stk_spool_dir_open(yard->fd, "Alpha", &dir));
    stk_spool_dir_close(&dir);
    return dir;
}

/* ---- listing */

static void ready_is_an_empty_regular_file_and_nothing_else(void **state)
{
    struct yard *yard = *state;

    assert_false(look(yard).ready);
    put(yard, "Alpha/ready", "x");
    assert_false(look(yard).ready);
    put(yard, "Alpha/ready", "");
    assert_true(look(yard).ready);
    assert_int_equal(unlinkat(yard->fd, "Alpha/ready", 0), 0);
    assert_int_equal(mkdirat(yard->fd, "Alpha/ready", 0700), 0);
    assert_false(look(yard).ready);
    assert_int_equal(unlinkat(yard->fd, "Alpha/ready", AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat("/dev/null", yard->fd, "Alpha/ready"), 0);
    assert_false(look(yard).ready);
    assert_true(look(yard).has[STK_SPOOL_READY]);
}

static void the_state_changes_with_every_file_but_not_with_error_txt(void **state)
{
    struct yard *yard = *state;
    struct stk_spool_dir before = look(yard);
    struct stk_spool_dir now = {0};

    put(yard, "Alpha/cert.pem", "one");
    now = look(yard);
    assert_memory_not_equal(now.state, before.state, sizeof(now.state));
    before = now;
    put(yard, "Alpha/error.txt", "why");
    put(yard, "Alpha/.stirkeep-new-0123", "ours");
    now = look(yard);
    assert_memory_equal(now.state, before.state, sizeof(now.state));
    assert_int_equal(now.bad.status, STIRKEEP_OK);
    put(yard, "Alpha/cert.pem", "another length");
    now = look(yard);
    assert_memory_not_equal(now.state, before.state, sizeof(now.state));
    before = now;
    assert_int_equal(renameat(yard->fd, "Alpha/cert.pem", yard->fd, "Alpha/key.pem"), 0);
    now = look(yard);
    assert_memory_not_equal(now.state, before.state, sizeof(now.state));
    before = now;
    assert_int_equal(fchmodat(yard->fd, "Alpha/key.pem", 0600, 0), 0);
    now = look(yard);
    assert_memory_not_equal(now.state, before.state, sizeof(now.state));
    before = now;
    assert_int_equal(fchmodat(yard->fd, "Alpha", 0700, 0), 0);
    now = look(yard);
    assert_memory_not_equal(now.state, before.state, sizeof(now.state));
}

/* Files as one text with blanks between. */
static struct stk_error paths_of(struct yard *yard, const char *files,
                                 struct stk_material_paths *ret_paths)
{
    struct stk_spool_dir dir = {.fd = -1};
    struct stk_error error = {0};
    char text[256] = "";
    char *rest = text;

    (void)snprintf(text, sizeof(text), "%s", files);
    for (char *file = NULL; (file = strsep(&rest, " ")) != NULL;) {
        char path[64] = "";

        (void)snprintf(path, sizeof(path), "Alpha/%s", file);
        put(yard, path, "");
    }
    assert_true(stk_spool_dir_open(yard->fd, "Alpha", &dir));
    (void)stk_spool_dir_paths(&dir, ret_paths, &error);
    for (size_t i = 0; i < STK_SPOOL_FILE_COUNT; i++)
        (void)unlinkat(dir.fd, stk_spool_files[i], 0);
    (void)unlinkat(dir.fd, "other", 0);
    stk_spool_dir_close(&dir);
    return error;
}

static bool is(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static void the_files_of_an_upload_say_what_kind_it_is(void **state)
{
    static const struct {
        const char *files;
        struct stk_material_paths paths;
    } cases[] = {
        {"cert.pem key.pem ready", {.cert = "cert.pem", .key = "key.pem"}},
        {"cert.pem chain.pem key.pem passphrase x5u activate-at ready",
         {.cert = "cert.pem", .chain = "chain.pem", .key = "key.pem", .passphrase = "passphrase"}},
        {"bundle.pem error.txt ready", {.bundle = "bundle.pem"}},
        {"bundle.p12 chain.pem passphrase ready",
         {.bundle = "bundle.p12", .chain = "chain.pem", .passphrase = "passphrase"}},
        {"cert.pem key.sealed ready", {.cert = "cert.pem", .sealed = "key.sealed"}},
    };
    struct yard *yard = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stk_material_paths paths = {0};
        struct stk_error error = paths_of(yard, cases[i].files, &paths);

        if (error.status != STIRKEEP_OK || !is(paths.cert, cases[i].paths.cert) ||
            !is(paths.chain, cases[i].paths.chain) || !is(paths.key, cases[i].paths.key) ||
            !is(paths.bundle, cases[i].paths.bundle) || !is(paths.sealed, cases[i].paths.sealed) ||
            !is(paths.passphrase, cases[i].paths.passphrase) || paths.keep_source)
            fail_msg("%s: %s", cases[i].files, error.message);
    }
}

static void what_is_too_much_or_too_little_is_named(void **state)
{
    static const struct {
        const char *files;
        const char *reason;
    } cases[] = {
        {"ready", "no key in it"},
        {"cert.pem ready", "no key in it"},
        {"key.pem ready", "no certificate"},
        {"key.sealed ready", "no certificate"},
        {"cert.pem key.pem key.sealed ready", "more than one of"},
        {"bundle.pem bundle.p12 ready", "more than one of"},
        {"cert.pem key.pem bundle.p12 ready", "more than one of"},
        {"cert.pem bundle.pem ready", "cert.pem and a bundle"},
        {"cert.pem key.sealed passphrase ready", "needs none"},
        {"cert.pem key.pem other ready", "other: not a file of an upload"},
    };
    struct yard *yard = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stk_material_paths paths = {.cert = "untouched"};
        struct stk_error error = paths_of(yard, cases[i].files, &paths);

        if (error.status == STIRKEEP_OK || strstr(error.message, cases[i].reason) == NULL)
            fail_msg("%s: %s", cases[i].files, error.message);
        assert_string_equal(paths.cert, "untouched");
    }
}

static void only_directories_are_uploads(void **state)
{
    struct yard *yard = *state;
    struct stk_spool_dir dir = {.fd = -1};

    put(yard, "Plain", "");
    assert_int_equal(symlinkat("Alpha", yard->fd, "Link"), 0);
    assert_false(stk_spool_dir_open(yard->fd, "Plain", &dir));
    assert_int_equal(errno, ENOTDIR);
    assert_false(stk_spool_dir_open(yard->fd, "Link", &dir));
    assert_true(errno == ELOOP || errno == ENOTDIR);
    assert_false(stk_spool_dir_open(yard->fd, "None", &dir));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(dir.fd, -1);
}

static void what_was_listed_is_cleared_and_what_is_new_stays(void **state)
{
    struct yard *yard = *state;
    struct stk_spool_dir dir = {.fd = -1};

    put(yard, "Alpha/cert.pem", "one");
    put(yard, "Alpha/chain.pem", "two");
    put(yard, "Alpha/ready", "");
    put(yard, "Alpha/.stirkeep-removed-0011223344556677", "noise");
    assert_true(stk_spool_dir_open(yard->fd, "Alpha", &dir));
    assert_int_equal(unlinkat(dir.fd, "chain.pem", 0), 0);
    put(yard, "Alpha/chain.pem", "another file");
    put(yard, "Alpha/x5u", "new");
    assert_true(stk_spool_dir_clear(&dir));
    assert_int_equal(faccessat(dir.fd, "cert.pem", F_OK, 0), -1);
    assert_int_equal(faccessat(dir.fd, "ready", F_OK, 0), -1);
    assert_int_equal(faccessat(dir.fd, ".stirkeep-removed-0011223344556677", F_OK, 0), -1);
    assert_int_equal(faccessat(dir.fd, "chain.pem", F_OK, 0), 0);
    assert_int_equal(faccessat(dir.fd, "x5u", F_OK, 0), 0);
    stk_spool_dir_close(&dir);
}

static void a_mark_is_another_one_each_time(void **state)
{
    struct yard *yard = *state;
    struct stk_spool_dir before = {0};
    struct stk_spool_dir now = {0};
    int fd = openat(yard->fd, "Alpha", O_RDONLY | O_DIRECTORY);

    assert_true(stk_spool_dir_mark(fd));
    before = look(yard);
    assert_true(before.ready);
    put(yard, "Alpha/ready", "not empty");
    assert_true(stk_spool_dir_mark(fd));
    now = look(yard);
    assert_true(now.ready);
    assert_memory_not_equal(now.state, before.state, sizeof(now.state));
    (void)close(fd);
}

/* ---- error.txt */

static void a_refused_state_is_read_back_and_nothing_else_is_one(void **state)
{
    struct yard *yard = *state;
    const struct stk_error why = {.status = STIRKEEP_INVALID, .message = "state: none"};
    uint8_t given[STK_DIGEST_LENGTH] = {1, 2, 3, 255};
    uint8_t read_back[STK_DIGEST_LENGTH] = {0};
    int fd = openat(yard->fd, "Alpha", O_RDONLY | O_DIRECTORY);

    assert_false(stk_spool_error_read(fd, read_back));
    assert_true(stk_spool_error_write(fd, "Alpha", STK_SPOOL_REFUSED, &why, given, 1795664022));
    assert_true(stk_spool_error_read(fd, read_back));
    assert_memory_equal(read_back, given, sizeof(given));
    assert_true(stk_spool_error_write(fd, "Alpha", STK_SPOOL_IMPORTED, &why, given, 0));
    assert_true(stk_spool_error_read(fd, read_back));
    /* What goes on being tried is not refused; nor is what anybody wrote there. */
    assert_true(stk_spool_error_write(fd, "Alpha", STK_SPOOL_LASTING, &why, given, 0));
    assert_false(stk_spool_error_read(fd, read_back));
    put(yard, "Alpha/error.txt", "\nstate: 0123\n");
    assert_false(stk_spool_error_read(fd, read_back));
    put(yard, "Alpha/error.txt",
        "\nstate: zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
    assert_false(stk_spool_error_read(fd, read_back));
    assert_int_equal(unlinkat(fd, "error.txt", 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", fd, "error.txt"), 0);
    assert_false(stk_spool_error_read(fd, read_back));
    /* Written in the place of a link, not through it. */
    assert_true(stk_spool_error_write(fd, "A\nB", STK_SPOOL_REFUSED, &why, given, 0));
    assert_true(stk_spool_error_read(fd, read_back));
    (void)close(fd);
}

/* ---- memory */

static struct stk_name named(unsigned number)
{
    struct stk_name name = {{0}};

    (void)snprintf(name.text, sizeof(name.text), "N%u", number);
    return name;
}

static void notes_are_bounded_and_what_must_not_be_forgotten_is_not(void **state)
{
    static struct stk_spool_notes notes;
    struct stk_spool_note *note = NULL;
    struct stk_name name = {{0}};
    (void)state;

    stk_spool_notes_init(&notes);
    for (unsigned i = 0; i < STK_SPOOL_NOTES_MAX; i++) {
        name = named(i);
        note = stk_spool_note_make(&notes, &name);
        assert_non_null(note);
        note->refused = i != 7;
    }
    /* The only one that says nothing makes room, wherever it stands. */
    for (unsigned i = 0; i < 100 && stk_spool_note_find(&notes, "N7") != NULL; i++) {
        name = named(90000 + i);
        (void)stk_spool_note_make(&notes, &name);
    }
    assert_null(stk_spool_note_find(&notes, "N7"));
    assert_int_equal(notes.count, STK_SPOOL_NOTES_MAX);
    note = stk_spool_note_find(&notes, "N90000");
    assert_non_null(note);
    note->refused = true;
    for (unsigned i = 0; i < 200; i++) {
        name = named(91000 + i);
        assert_null(stk_spool_note_make(&notes, &name));
    }
    assert_non_null(stk_spool_note_find(&notes, "N0"));
    assert_int_equal(notes.count, STK_SPOOL_NOTES_MAX);
    while ((note = TAILQ_FIRST(&notes.all)) != NULL)
        stk_spool_note_drop(&notes, note);
    assert_int_equal(notes.count, 0);
}

static void notes_are_found_by_name_and_by_watch_and_hinted_once(void **state)
{
    static struct stk_spool_notes notes;
    struct stk_name names[2] = {named(1), named(2)};
    struct stk_spool_note *one = NULL;
    struct stk_spool_note *two = NULL;
    (void)state;

    stk_spool_notes_init(&notes);
    one = stk_spool_note_make(&notes, &names[0]);
    two = stk_spool_note_make(&notes, &names[1]);
    assert_ptr_equal(stk_spool_note_make(&notes, &names[0]), one);
    stk_spool_note_set_watch(&notes, one, 5);
    stk_spool_note_set_watch(&notes, two, 5 + STK_SPOOL_BUCKETS);
    assert_ptr_equal(stk_spool_note_watched(&notes, 5), one);
    assert_ptr_equal(stk_spool_note_watched(&notes, 5 + STK_SPOOL_BUCKETS), two);
    assert_int_equal(notes.watches, 2);
    stk_spool_note_set_watch(&notes, one, -1);
    assert_null(stk_spool_note_watched(&notes, 5));
    stk_spool_note_hint(&notes, two);
    stk_spool_note_hint(&notes, one);
    stk_spool_note_hint(&notes, two);
    assert_ptr_equal(stk_spool_note_next(&notes), two);
    stk_spool_note_hint(&notes, two);
    stk_spool_note_drop(&notes, one);
    assert_ptr_equal(stk_spool_note_next(&notes), two);
    assert_null(stk_spool_note_next(&notes));
    assert_true(stk_spool_note_tells(two, "a reason"));
    assert_false(stk_spool_note_tells(two, "a reason"));
    assert_true(stk_spool_note_tells(two, "another"));
    stk_spool_note_drop(&notes, two);
    assert_int_equal(notes.watches, 0);
}

static void who_is_refused_often_waits_and_the_others_do_not(void **state)
{
    struct stk_spool_pace pace = {0};
    uint64_t now = 1000000000;
    unsigned tries = 0;
    (void)state;

    while (stk_spool_pace_allows(&pace, 1000, now) && tries < 1000) {
        stk_spool_pace_charge(&pace, 1000, now);
        tries++;
    }
    assert_in_range(tries, 10, 40);
    assert_true(stk_spool_pace_allows(&pace, 1001, now));
    assert_true(stk_spool_pace_allows(&pace, 1000, now + 3000000));
    stk_spool_pace_charge(&pace, 1000, now + 3000000);
    assert_false(stk_spool_pace_allows(&pace, 1000, now + 3000000));
    /* More uploaders than there are places take none from the one who floods. */
    for (uid_t uid = 2000; uid < 2000 + 3 * STK_SPOOL_OWNERS; uid++)
        stk_spool_pace_charge(&pace, uid, now + 3000000);
    assert_false(stk_spool_pace_allows(&pace, 1000, now + 3000000));
    /* In the end it is forgiven. */
    assert_true(stk_spool_pace_allows(&pace, 1000, now + 600000000));
}

/* ---- records */

static struct stk_spool_facts facts_of(const struct stk_generation *about)
{
    return (struct stk_spool_facts){.about = about,
                                    .token_label = "stirkeep",
                                    .token_serial = "01",
                                    .source = "/spool/incoming/Alpha",
                                    .owner = {.uid = 1000, .gid = 100},
                                    .now = 1795664022};
}

static const struct stk_generation generation = {.name = "Alpha",
                                                 .generation = 3,
                                                 .state = "active",
                                                 .spc = "709J",
                                                 .numbers = "",
                                                 .subject = "CN=caf\xe9",
                                                 .issuer = "CN=ca",
                                                 .serial = "0A",
                                                 .fingerprint = "ff00",
                                                 .x5u = "https://c.example.com/a.pem",
                                                 .not_before = 1,
                                                 .not_after = 2,
                                                 .key_id = {{0xab}},
                                                 .origin = "imported",
                                                 .attributes = "SENSITIVE=1"};

static void a_record_comes_back_as_it_was_and_is_of_its_directory_alone(void **state)
{
    struct yard *yard = *state;
    struct stk_spool_dir dir = look(yard);
    struct stk_spool_dir other = dir;
    struct stk_spool_facts facts = facts_of(&generation);
    const struct stk_spool_record none = {0};
    struct stk_spool_record made = {0};
    struct stk_spool_record loaded = {0};
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = {0};
    struct stk_name name = {{0}};

    dir.has[STK_SPOOL_BUNDLE] = true;
    assert_false(stk_spool_record_load(yard->fd, "Alpha", &loaded));
    assert_int_equal(errno, ENOENT);
    assert_true(stk_spool_record_make(yard->fd, &dir, &facts, &none, &made));
    assert_string_equal(made.file, "Alpha-20261126T033342Z-g3.json");
    assert_true(stk_spool_record_save(yard->fd, "Alpha", &made));
    assert_true(stk_spool_record_exists(yard->fd, "Alpha"));
    assert_true(stk_spool_record_name(".Alpha.removing", &name));
    assert_string_equal(name.text, "Alpha");
    assert_false(stk_spool_record_name("..removing", &name));
    assert_false(stk_spool_record_name(".a b.removing", &name));
    assert_false(stk_spool_record_name("Alpha-20261126T033342Z-g3.json", &name));
    assert_true(stk_spool_record_load(yard->fd, "Alpha", &loaded));
    assert_true(json_equal(loaded.evidence, made.evidence));
    assert_string_equal(loaded.file, made.file);
    assert_int_equal(loaded.key, STK_SPOOL_BUNDLE);
    assert_false(loaded.recorded);
    assert_true(stk_spool_record_is_of(&loaded, &dir));
    other.about.st_ino++;
    assert_false(stk_spool_record_is_of(&loaded, &other));
    assert_null(stk_spool_record_how(&loaded));
    stk_spool_record_set_how(&loaded, "how", "overwritten", 1795664099);
    act = stk_spool_record_act(&loaded, detail);
    assert_string_equal(act.name, "Alpha");
    assert_int_equal(act.generation, 3);
    assert_int_equal(act.key_id.bytes[0], 0xab);
    assert_int_equal(act.peer.uid, 1000);
    assert_string_equal(detail, "/spool/incoming/Alpha (owner: uid 1000, gid 100): overwritten");
    stk_spool_record_free(&made);
    stk_spool_record_free(&loaded);
    stk_spool_record_drop(yard->fd, "Alpha");
    assert_false(stk_spool_record_exists(yard->fd, "Alpha"));
}

static void evidence_is_published_under_a_name_of_its_own(void **state)
{
    struct yard *yard = *state;
    struct stk_spool_dir dir = look(yard);
    struct stk_spool_facts facts = facts_of(&generation);
    struct stk_generation next = generation;
    const struct stk_spool_record none = {0};
    struct stk_spool_record one = {0};
    struct stk_spool_record two = {0};
    struct stk_spool_record three = {0};

    assert_true(stk_spool_record_make(yard->fd, &dir, &facts, &none, &one));
    assert_true(stk_spool_record_publish(yard->fd, &one));
    assert_true(stk_spool_record_make(yard->fd, &dir, &facts, &none, &two));
    assert_string_not_equal(two.file, one.file);
    stk_spool_record_free(&two);
    /* The same generation in a further attempt keeps its file; another one does not. */
    facts.now++;
    facts.already_held = true;
    assert_true(stk_spool_record_make(yard->fd, &dir, &facts, &one, &two));
    assert_string_equal(two.file, one.file);
    assert_true(json_equal(json_object_get(two.evidence, "imported"),
                           json_object_get(one.evidence, "imported")));
    assert_true(json_is_false(json_object_get(two.evidence, "already_held")));
    next.generation++;
    facts.about = &next;
    assert_true(stk_spool_record_make(yard->fd, &dir, &facts, &one, &three));
    assert_string_not_equal(three.file, one.file);
    stk_spool_record_free(&one);
    stk_spool_record_free(&two);
    stk_spool_record_free(&three);
}

static void records_that_are_none_are_not_read(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"evidence\": {}}",
        "{\"evidence\": [], \"file\": \"f\", \"ino\": 1, \"born_ns\": 2, \"key\": \"key.pem\", "
        "\"recorded\": false}",
        "{\"evidence\": {}, \"file\": \"../f\", \"ino\": 1, \"born_ns\": 2, \"key\": \"key.pem\", "
        "\"recorded\": false}",
        "{\"evidence\": {}, \"file\": \"f\", \"ino\": 1, \"born_ns\": 2, \"key\": \"none\", "
        "\"recorded\": false}"};
    struct yard *yard = *state;
    struct stk_spool_record record = {0};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put(yard, ".Alpha.removing", texts[i]);
        assert_false(stk_spool_record_load(yard->fd, "Alpha", &record));
        assert_int_equal(errno, EBADMSG);
        assert_null(record.evidence);
    }
    put(yard, ".Alpha.removing",
        "{\"evidence\": {}, \"file\": \"f\", \"ino\": 1, \"born_ns\": 2, \"key\": \"key.pem\", "
        "\"recorded\": true}");
    assert_true(stk_spool_record_load(yard->fd, "Alpha", &record));
    assert_true(record.recorded);
    stk_spool_record_free(&record);
    if (geteuid() == 0) { /* another user's word */
        assert_int_equal(fchownat(yard->fd, ".Alpha.removing", 65534, 65534, 0), 0);
        assert_false(stk_spool_record_load(yard->fd, "Alpha", &record));
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(ready_is_an_empty_regular_file_and_nothing_else),
        CASE(the_state_changes_with_every_file_but_not_with_error_txt),
        CASE(the_files_of_an_upload_say_what_kind_it_is),
        CASE(what_is_too_much_or_too_little_is_named),
        CASE(only_directories_are_uploads),
        CASE(what_was_listed_is_cleared_and_what_is_new_stays),
        CASE(a_mark_is_another_one_each_time),
        CASE(a_refused_state_is_read_back_and_nothing_else_is_one),
        CASE(notes_are_bounded_and_what_must_not_be_forgotten_is_not),
        CASE(notes_are_found_by_name_and_by_watch_and_hinted_once),
        CASE(who_is_refused_often_waits_and_the_others_do_not),
        CASE(a_record_comes_back_as_it_was_and_is_of_its_directory_alone),
        CASE(evidence_is_published_under_a_name_of_its_own),
        CASE(records_that_are_none_are_not_read),
    };

    return cmocka_run_group_tests_name("intake spool parts", tests, NULL, NULL);
}
