/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "cert/pem.h"
#include "ends.h"
#include <dirent.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Uploads that are dropped into the spool, with a keeper that the test plays. */

#define WITHIN_MS (15000 * PATIENCE)

struct spool {
    struct ends *ends;
    struct material alpha;
    EVP_PKEY *wrapping;
    struct stk_buffer spki;
    enum stirkeep_status token_status;      /* what the keeper says to who asks for its token */
    void (*meanwhile)(struct spool *spool); /* while the token imports, once; NULL: nothing */
    struct material bravo;                  /* of whoever interferes */
};

/* A keeper with a wrapping key that keys can be sealed to. */
static bool answers(void *context, const struct stk_custody_order *order,
                    struct stk_custody_answer *answer)
{
    static const uint8_t audit_spki[STK_SPKI_LENGTH] = "an audit key";
    struct spool *spool = context;

    if (order->kind == STK_CUSTODY_IMPORT && spool->meanwhile != NULL) {
        spool->meanwhile(spool);
        spool->meanwhile = NULL;
    }
    if (order->kind != STK_CUSTODY_TOKEN)
        return false;
    answer->status = spool->token_status;
    answer->message = spool->token_status != STIRKEEP_OK ? "not now" : "";
    answer->has_token = spool->token_status == STIRKEEP_OK;
    answer->token =
        (struct stk_token_report){.label = "stirkeep",
                                  .serial = "0123",
                                  .model = "test",
                                  .seal_way = "rsa",
                                  .sign_way = "ecdsa",
                                  .signers = 1,
                                  .wrapping_spki = {spool->spki.data, spool->spki.length},
                                  .audit_writable = true,
                                  .audit_spki = {audit_spki, sizeof(audit_spki)}};
    return true;
}

/* ---- files */

static const char *at(const struct spool *spool, const char *path)
{
    static char paths[8][256];
    static unsigned turn;
    char *whole = paths[turn++ % 8];

    (void)snprintf(whole, sizeof(paths[0]), "%s/spool/%s", spool->ends->born.directory, path);
    return whole;
}

static bool has(const struct spool *spool, const char *path)
{
    return faccessat(AT_FDCWD, at(spool, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(const struct spool *spool, const char *path, const void *data, size_t length)
{
    int fd = open(at(spool, path), O_WRONLY | O_CREAT | O_TRUNC, 0660);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), length);
    assert_int_equal(close(fd), 0);
}

static void put_text(const struct spool *spool, const char *path, const char *text)
{
    put(spool, path, text, strlen(text));
}

/* Whole, '\0' behind it; "" when it is not there. */
static const char *content(const struct spool *spool, const char *path)
{
    static char texts[4][16384];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    int fd = open(at(spool, path), O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(texts[0]) - 1);

    if (fd >= 0)
        (void)close(fd);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static const char *chain_text(const struct material *material)
{
    static struct stk_buffer out;

    out.length = 0;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            stk_pem_add(&out, "CERTIFICATE", "",
                        (struct stk_bytes){material->der[i].data, material->der[i].length}),
            STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    return (const char *)out.data;
}

static void put_key(const struct spool *spool, const char *path, EVP_PKEY *key)
{
    FILE *file = fopen(at(spool, path), "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

/* incoming/NAME with certificate and key; `ready` is the test's. */
static void fill(const struct spool *spool, const char *name, const struct material *material)
{
    char path[128] = "";

    (void)snprintf(path, sizeof(path), "incoming/%s", name);
    assert_int_equal(mkdir(at(spool, path), 0770), 0);
    (void)snprintf(path, sizeof(path), "incoming/%s/cert.pem", name);
    put_text(spool, path, chain_text(material));
    (void)snprintf(path, sizeof(path), "incoming/%s/key.pem", name);
    put_key(spool, path, material->key);
}

static void drop(const struct spool *spool, const char *name, const struct material *material)
{
    char path[128] = "";

    fill(spool, name, material);
    (void)snprintf(path, sizeof(path), "incoming/%s/ready", name);
    put_text(spool, path, "");
}

/* Files in a directory whose names begin so; the last one's name. */
static size_t count(const struct spool *spool, const char *path, const char *begin, char *ret_name)
{
    DIR *directory = opendir(at(spool, path));
    size_t found = 0;

    assert_non_null(directory);
    for (struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strncmp(entry->d_name, begin, strlen(begin)) == 0) {
            found++;
            if (ret_name != NULL)
                (void)snprintf(ret_name, 256, "%s", entry->d_name);
        }
    (void)closedir(directory);
    return found;
}

/* ---- waiting */

static void await(struct spool *spool, const char *path, bool there)
{
    uint64_t until = stk_clock_mono_us() + (uint64_t)WITHIN_MS * 1000;

    while (has(spool, path) != there && stk_clock_mono_us() < until)
        (void)ends_work(spool->ends, -1, 10);
    if (has(spool, path) != there)
        fail_msg("%s is %s", path, there ? "not there" : "still there");
}

static void await_error(struct spool *spool, const char *path, const char *part)
{
    uint64_t until = stk_clock_mono_us() + (uint64_t)WITHIN_MS * 1000;

    while (strstr(content(spool, path), part) == NULL && stk_clock_mono_us() < until)
        (void)ends_work(spool->ends, -1, 10);
    if (strstr(content(spool, path), part) == NULL)
        fail_msg("%s: '%s' instead of '%s'", path, content(spool, path), part);
}

/* Nothing may come of it. */
static void idle(struct spool *spool, int milliseconds)
{
    (void)ends_work(spool->ends, -1, milliseconds);
}

static const char *evidence(struct spool *spool, const char *name)
{
    char path[300] = "done/";
    char begin[80] = "";

    (void)snprintf(begin, sizeof(begin), "%s-2", name);
    assert_int_equal(count(spool, "done", begin, path + strlen(path)), 1);
    return content(spool, path);
}

/* ---- set-up */

static int set_up(void **state)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    unsigned char *spki = NULL;
    int length = 0;

    assert_int_equal(ends_set_up(state), 0);
    spool->ends = *state;
    spool->alpha = material_new(NULL, SOUND);
    spool->bravo = material_new(NULL, SOUND);
    spool->wrapping = EVP_RSA_gen(2048);
    length = i2d_PUBKEY(spool->wrapping, &spki);
    assert_true(length > 0);
    assert_int_equal(stk_buffer_add(&spool->spki, spki, (size_t)length), STIRKEEP_OK);
    OPENSSL_free(spki);
    spool->ends->spool = true;
    spool->ends->instead = answers;
    spool->ends->instead_context = spool;
    spool->ends->prover = spool->alpha.key;
    assert_int_equal(mkdir(at(spool, ""), 0755), 0);
    assert_int_equal(mkdir(at(spool, "incoming"), 0770), 0);
    assert_int_equal(mkdir(at(spool, "done"), 0750), 0);
    assert_int_equal(mkdir(at(spool, "staging"), 0770), 0);
    *state = spool;
    return 0;
}

static int tear_down(void **state)
{
    struct spool *spool = *state;
    void *ends = spool->ends;

    material_free(&spool->alpha);
    material_free(&spool->bravo);
    EVP_PKEY_free(spool->wrapping);
    stk_buffer_free(&spool->spki);
    free(spool);
    return ends_tear_down(&ends);
}

/* ---- what is right */

static void an_upload_is_sealed_imported_and_removed_with_evidence(void **state)
{
    struct spool *spool = *state;
    const char *told = NULL;

    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    await(spool, "incoming/Alpha", false);
    assert_int_equal(spool->ends->orders[STK_CUSTODY_IMPORT], 1);
    assert_true(spool->ends->sealed_length > 256);
    assert_non_null(ends_known(spool->ends, "Alpha"));
    told = evidence(spool, "Alpha");
    assert_non_null(strstr(told, "\"source_removed\": true"));
    assert_non_null(strstr(told, "overwritten, synced, unlinked"));
    assert_non_null(strstr(told, "\"generation\": 1"));
    assert_null(strstr(told, "PRIVATE KEY"));
    ends_await_act(spool->ends, "source-removed", "Alpha", 1);
    assert_non_null(strstr(ends_last_act(spool->ends, "import")->detail, "/incoming/Alpha (owner"));
    assert_non_null(strstr(ends_last_act(spool->ends, "source-removed")->detail, "overwritten"));
    assert_int_equal(ends_drain(spool->ends), 0);
    assert_int_equal(count(spool, "done", "", NULL), 1);
    assert_false(ends_intent_open(spool->ends));
}

static void one_that_was_there_before_the_start_is_found(void **state)
{
    struct spool *spool = *state;

    drop(spool, "Alpha", &spool->alpha);
    fill(spool, "Bravo", &spool->alpha);
    ends_start(spool->ends);
    await(spool, "incoming/Alpha", false);
    idle(spool, 300);
    assert_true(has(spool, "incoming/Bravo/key.pem"));
    assert_int_equal(spool->ends->orders[STK_CUSTODY_IMPORT], 1);
}

/* Also when it is killed before it could be tried. */
static void what_is_renamed_in_stays_whole_whatever_happens(void **state)
{
    struct spool *spool = *state;

    spool->token_status = STIRKEEP_TOKEN_LOCKED;
    ends_start(spool->ends);
    idle(spool, 200);
    fill(spool, "../staging/Alpha", &spool->alpha);
    assert_int_equal(rename(at(spool, "staging/Alpha"), at(spool, "incoming/Alpha")), 0);
    await(spool, "incoming/Alpha/ready", true);
    born_kill(&spool->ends->born);
    spool->token_status = STIRKEEP_OK;
    ends_start(spool->ends);
    await(spool, "incoming/Alpha", false);
}

static void staging_names_and_names_that_are_none_are_left_alone(void **state)
{
    struct spool *spool = *state;

    ends_start(spool->ends);
    drop(spool, ".Alpha.part", &spool->alpha);
    drop(spool, "no name", &spool->alpha);
    fill(spool, "Alpha\nBravo", &spool->alpha);
    await_error(spool, "incoming/no name/error.txt", "certificate name");
    assert_false(has(spool, "incoming/.Alpha.part/error.txt"));
    assert_int_equal(spool->ends->orders[STK_CUSTODY_TOKEN], 0);
    assert_int_equal(rename(at(spool, "incoming/.Alpha.part"), at(spool, "incoming/Alpha")), 0);
    await(spool, "incoming/Alpha", false);
}

/* ---- what is refused */

static void a_refusal_is_told_once_and_what_was_uploaded_is_untouched(void **state)
{
    struct spool *spool = *state;
    struct material bravo = material_new(NULL, EXPIRED);
    char key[4096] = "";

    ends_start(spool->ends);
    drop(spool, "Bravo", &bravo);
    (void)snprintf(key, sizeof(key), "%s", content(spool, "incoming/Bravo/key.pem"));
    await_error(spool, "incoming/Bravo/error.txt", "expired");
    assert_non_null(strstr(content(spool, "incoming/Bravo/error.txt"), "status: cert-expired"));
    assert_string_equal(content(spool, "incoming/Bravo/key.pem"), key);
    assert_string_equal(content(spool, "incoming/Bravo/cert.pem"), chain_text(&bravo));
    idle(spool, 500);
    assert_int_equal(spool->ends->orders[STK_CUSTODY_TOKEN], 1);
    assert_int_equal(spool->ends->orders[STK_CUSTODY_IMPORT], 0);
    born_kill(&spool->ends->born);
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    await(spool, "incoming/Alpha", false);
    assert_int_equal(spool->ends->orders[STK_CUSTODY_TOKEN], 2);
    assert_int_equal(count(spool, "done", "Bravo", NULL), 0);
    material_free(&bravo);
}

static void what_was_put_right_is_tried_when_it_has_settled(void **state)
{
    struct spool *spool = *state;
    struct material bravo = material_new(NULL, SOUND);

    ends_start(spool->ends);
    drop(spool, "Bravo", &bravo);
    put_key(spool, "incoming/Bravo/key.pem", spool->alpha.key);
    /* Whichever of the two was read: */
    idle(spool, 300);
    if (has(spool, "incoming/Bravo")) {
        await_error(spool, "incoming/Bravo/error.txt", "do not belong together");
        assert_int_equal(unlink(at(spool, "incoming/Bravo/ready")), 0);
        put_key(spool, "incoming/Bravo/key.pem", bravo.key);
        idle(spool, 3500);
        assert_true(has(spool, "incoming/Bravo/key.pem"));
        spool->ends->prover = bravo.key;
        put_text(spool, "incoming/Bravo/ready", "");
        await(spool, "incoming/Bravo", false);
    }
    material_free(&bravo);
}

static void where_error_txt_cannot_be_written_it_is_not_tried_in_a_loop(void **state)
{
    struct spool *spool = *state;

    ends_start(spool->ends);
    fill(spool, "Alpha", &spool->alpha);
    assert_int_equal(mkdir(at(spool, "incoming/Alpha/error.txt"), 0700), 0);
    put_text(spool, "incoming/Alpha/error.txt/file", "");
    spool->ends->import_status = STIRKEEP_KEY_MISMATCH;
    put_text(spool, "incoming/Alpha/ready", "");
    ends_await_act(spool->ends, "import", "Alpha", 1);
    idle(spool, 1500);
    assert_int_equal(spool->ends->orders[STK_CUSTODY_IMPORT], 1);
    assert_true(has(spool, "incoming/Alpha/key.pem"));
}

/* ---- what passes */

static void a_locked_token_is_waited_for_without_a_word(void **state)
{
    struct spool *spool = *state;

    spool->token_status = STIRKEEP_TOKEN_LOCKED;
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    idle(spool, 1500);
    assert_true(spool->ends->orders[STK_CUSTODY_TOKEN] >= 1);
    assert_true(spool->ends->orders[STK_CUSTODY_TOKEN] <= 4);
    assert_true(has(spool, "incoming/Alpha/key.pem"));
    assert_false(has(spool, "incoming/Alpha/error.txt"));
    assert_int_equal(spool->ends->orders[STK_CUSTODY_IMPORT], 0);
    /* A keeper that comes back is asked at once. */
    spool->token_status = STIRKEEP_OK;
    born_tell(&spool->ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    await(spool, "incoming/Alpha", false);
}

static void what_is_not_the_uploads_fault_is_tried_again(void **state)
{
    static const enum stirkeep_status passing[] = {STIRKEEP_BUSY, STIRKEEP_TOKEN_ERROR,
                                                   STIRKEEP_STORAGE};
    struct spool *spool = *state;
    struct ends *ends = spool->ends;

    ends_start(ends);
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        ends->import_status = passing[i];
        drop(spool, "Alpha", &spool->alpha);
        ends_await_act(ends, "import", "Alpha", 2 * i + 1);
        idle(spool, 200);
        assert_non_null(strstr(content(spool, "incoming/Alpha/key.pem"), "PRIVATE KEY"));
        assert_false(has(spool, "incoming/Alpha/error.txt"));
        ends->import_status = STIRKEEP_OK;
        await(spool, "incoming/Alpha", false);
        ends_await_act(ends, "import", "Alpha", 2 * i + 2);
    }
}

/* Each time that the keeper comes back is a try. */
static void try_often(struct spool *spool, unsigned tries)
{
    for (unsigned i = 0; i < tries; i++) {
        born_tell(&spool->ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
        idle(spool, 150 * PATIENCE);
    }
}

static void what_lasts_is_told_the_uploader_and_goes_on_being_tried(void **state)
{
    struct spool *spool = *state;
    unsigned before = 0;

    spool->token_status = STIRKEEP_TOKEN_LOCKED;
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    idle(spool, 300);
    try_often(spool, 8);
    assert_non_null(strstr(content(spool, "incoming/Alpha/error.txt"), "goes on being tried"));
    before = spool->ends->orders[STK_CUSTODY_TOKEN];
    try_often(spool, 1);
    assert_true(spool->ends->orders[STK_CUSTODY_TOKEN] > before);
    /* Also after a restart, which remembers nothing. */
    born_kill(&spool->ends->born);
    spool->token_status = STIRKEEP_OK;
    ends_start(spool->ends);
    await(spool, "incoming/Alpha", false);
}

static void what_may_be_either_is_refused_when_it_does_not_pass(void **state)
{
    struct spool *spool = *state;

    spool->ends->import_status = STIRKEEP_TOKEN_ERROR;
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    idle(spool, 300);
    try_often(spool, 8);
    await_error(spool, "incoming/Alpha/error.txt", "was refused");
    assert_non_null(strstr(content(spool, "incoming/Alpha/key.pem"), "PRIVATE KEY"));
    assert_true(spool->ends->orders[STK_CUSTODY_IMPORT] <= 7);
}

/* ---- what is cut off */

static void without_a_place_for_evidence_nothing_is_removed(void **state)
{
    struct spool *spool = *state;

    assert_int_equal(mkdir(at(spool, "done/.Alpha.removing"), 0700), 0);
    put_text(spool, "done/.Alpha.removing/file", "");
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    ends_await_act(spool->ends, "import", "Alpha", 2);
    assert_non_null(strstr(content(spool, "incoming/Alpha/key.pem"), "PRIVATE KEY"));
    assert_int_equal(ends_acts(spool->ends, "source-removed", "Alpha"), 0);
    assert_int_equal(unlink(at(spool, "done/.Alpha.removing/file")), 0);
    assert_int_equal(rmdir(at(spool, "done/.Alpha.removing")), 0);
    await(spool, "incoming/Alpha", false);
    assert_non_null(strstr(evidence(spool, "Alpha"), "\"already_held\": true"));
}

static void drain_meanwhile(struct spool *spool)
{
    born_tell(&spool->ends->born, STK_CONTROL_DRAIN, STK_ROOM_INTAKE);
    drop(spool, "Bravo", &spool->bravo);
    (void)usleep(300000);
    assert_true(born_runs(&spool->ends->born));
}

static void draining_waits_for_the_upload_under_way_and_begins_no_other(void **state)
{
    struct spool *spool = *state;
    struct ends *ends = spool->ends;

    spool->meanwhile = drain_meanwhile;
    ends_start(ends);
    drop(spool, "Alpha", &spool->alpha);
    await(spool, "incoming/Alpha", false);
    idle(spool, 300);
    assert_int_equal(born_wait(&ends->born), 0);
    assert_true(has(spool, "incoming/Bravo/key.pem"));
    assert_non_null(strstr(evidence(spool, "Alpha"), "\"source_removed\": true"));
    assert_false(ends_intent_open(ends));
}

static void killed_while_the_token_imports_the_next_start_finishes(void **state)
{
    struct spool *spool = *state;
    struct ends *ends = spool->ends;

    ends_start(ends);
    ends->keeper_stops = true; /* it has imported, and nobody hears of it */
    drop(spool, "Alpha", &spool->alpha);
    while (ends->orders[STK_CUSTODY_IMPORT] == 0)
        idle(spool, 5);
    born_kill(&ends->born);
    assert_true(has(spool, "incoming/Alpha/key.pem") || has(spool, "done/.Alpha.removing") ||
                count(spool, "done", "Alpha", NULL) == 1);
    ends->keeper_stops = false;
    ends->keeper_silent = false;
    ends_start(ends);
    await(spool, "incoming/Alpha", false);
    assert_non_null(strstr(evidence(spool, "Alpha"), "\"source_removed\": true"));
    assert_int_equal(ends_drain(ends), 0);
    assert_false(ends_intent_open(ends));
}

/* ---- who changes things meanwhile */

/* An upload, and what happens to it while the token imports it. */
static void interfere(struct spool *spool, void (*meanwhile)(struct spool *spool))
{
    spool->meanwhile = meanwhile;
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
}

static void change_the_key(struct spool *spool)
{
    put_key(spool, "incoming/Alpha/key.pem", spool->bravo.key);
}

static void a_key_file_that_changes_meanwhile_is_not_removed(void **state)
{
    struct spool *spool = *state;

    interfere(spool, change_the_key);
    await_error(spool, "incoming/Alpha/error.txt", "STILL HERE");
    assert_non_null(strstr(content(spool, "incoming/Alpha/error.txt"), "changed"));
    assert_non_null(strstr(content(spool, "incoming/Alpha/key.pem"), "PRIVATE KEY"));
    assert_int_equal(ends_acts(spool->ends, "source-removed", "Alpha"), 0);
    /* It is another upload now, and judged as one. */
    await_error(spool, "incoming/Alpha/error.txt", "do not belong together");
}

static void bring_more(struct spool *spool)
{
    put_text(spool, "incoming/Alpha/cert.pem", chain_text(&spool->bravo));
    put_text(spool, "incoming/Alpha/new", "");
}

static void what_comes_into_the_directory_meanwhile_stays(void **state)
{
    struct spool *spool = *state;

    interfere(spool, bring_more);
    ends_await_act(spool->ends, "source-removed", "Alpha", 1);
    await(spool, "done/.Alpha.removing", false);
    assert_false(has(spool, "incoming/Alpha/key.pem"));
    assert_false(has(spool, "incoming/Alpha/ready"));
    assert_true(has(spool, "incoming/Alpha/new"));
    assert_string_equal(content(spool, "incoming/Alpha/cert.pem"), chain_text(&spool->bravo));
}

static void swap_directories(struct spool *spool)
{
    assert_int_equal(rename(at(spool, "incoming/Alpha"), at(spool, "staging/old")), 0);
    fill(spool, "Alpha", &spool->bravo);
}

static void a_directory_that_is_swapped_meanwhile_is_not_the_one_that_is_emptied(void **state)
{
    struct spool *spool = *state;

    interfere(spool, swap_directories);
    ends_await_act(spool->ends, "source-removed", "Alpha", 1);
    await(spool, "done/.Alpha.removing", false);
    assert_false(has(spool, "staging/old/key.pem"));
    assert_non_null(strstr(content(spool, "incoming/Alpha/key.pem"), "PRIVATE KEY"));
    assert_string_equal(content(spool, "incoming/Alpha/cert.pem"), chain_text(&spool->bravo));
}

/* ---- directories */

static void directories_that_go_and_come_are_found_again(void **state)
{
    struct spool *spool = *state;

    assert_int_equal(rmdir(at(spool, "done")), 0);
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    idle(spool, 300);
    assert_true(has(spool, "incoming/Alpha/key.pem"));
    assert_int_equal(spool->ends->orders[STK_CUSTODY_TOKEN], 0);
    assert_int_equal(mkdir(at(spool, "done"), 0750), 0);
    await(spool, "incoming/Alpha", false);
    /* Another incoming in the place of the one that is watched. */
    assert_int_equal(rename(at(spool, "incoming"), at(spool, "staging/incoming")), 0);
    assert_int_equal(mkdir(at(spool, "incoming"), 0770), 0);
    idle(spool, 300);
    drop(spool, "Alpha", &spool->alpha);
    await(spool, "incoming/Alpha", false);
}

static void what_everybody_may_write_to_is_not_used(void **state)
{
    struct spool *spool = *state;

    assert_int_equal(chmod(at(spool, "incoming"), 0777), 0);
    ends_start(spool->ends);
    drop(spool, "Alpha", &spool->alpha);
    idle(spool, 500);
    assert_true(has(spool, "incoming/Alpha/key.pem"));
    assert_int_equal(spool->ends->orders[STK_CUSTODY_TOKEN], 0);
    /* The rest of the service does its work, and tells. */
    {
        struct stk_admin_response status =
            call(spool->ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});

        assert_true(status.service.ready);
        assert_int_equal(status.service.warning_count, 1);
        assert_non_null(strstr(status.service.warnings[0], "without the sticky bit"));
    }
    assert_int_equal(
        call(spool->ends, (struct stk_admin_request){.kind = STK_ADMIN_LIST, .after = ""}).status,
        STIRKEEP_OK);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_upload_is_sealed_imported_and_removed_with_evidence),
        CASE(one_that_was_there_before_the_start_is_found),
        CASE(what_is_renamed_in_stays_whole_whatever_happens),
        CASE(staging_names_and_names_that_are_none_are_left_alone),
        CASE(a_refusal_is_told_once_and_what_was_uploaded_is_untouched),
        CASE(what_was_put_right_is_tried_when_it_has_settled),
        CASE(where_error_txt_cannot_be_written_it_is_not_tried_in_a_loop),
        CASE(a_locked_token_is_waited_for_without_a_word),
        CASE(what_is_not_the_uploads_fault_is_tried_again),
        CASE(what_lasts_is_told_the_uploader_and_goes_on_being_tried),
        CASE(what_may_be_either_is_refused_when_it_does_not_pass),
        CASE(without_a_place_for_evidence_nothing_is_removed),
        CASE(draining_waits_for_the_upload_under_way_and_begins_no_other),
        CASE(killed_while_the_token_imports_the_next_start_finishes),
        CASE(a_key_file_that_changes_meanwhile_is_not_removed),
        CASE(what_comes_into_the_directory_meanwhile_stays),
        CASE(a_directory_that_is_swapped_meanwhile_is_not_the_one_that_is_emptied),
        CASE(directories_that_go_and_come_are_found_again),
        CASE(what_everybody_may_write_to_is_not_used),
    };

    return cmocka_run_group_tests_name("intake spool", tests, NULL, NULL);
}
