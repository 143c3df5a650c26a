/* SPDX-License-Identifier: BSD-2-Clause */
#include "yard.h"

#include "base/digest.h"
#include <openssl/rsa.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static enum stirkeep_status say_it(const char *thing, struct stk_secret *ret_passphrase,
                                   struct stk_error *error)
{
    (void)error;
    assert_non_null(thing);
    assert_int_equal(stk_secret_new(ret_passphrase, 64), STIRKEEP_OK);
    memcpy(ret_passphrase->data, YARD_PASSPHRASE, strlen(YARD_PASSPHRASE));
    ret_passphrase->length = strlen(YARD_PASSPHRASE);
    return STIRKEEP_OK;
}

static enum stirkeep_status say_nothing(const char *thing, struct stk_secret *ret_passphrase,
                                        struct stk_error *error)
{
    (void)ret_passphrase;
    return stk_error_set(error, STIRKEEP_IO, "%s: nobody is there", thing);
}

/* The key of leaf.pem, with the chain that belongs to it. */
static void assert_leaf(const struct yard *yard, size_t chain_count)
{
    const struct stk_material *material = &yard->material;

    assert_true(material->key.pkcs8.length > 0);
    assert_memory_equal(&material->key.id, &material->leaf.key_id, sizeof(material->key.id));
    assert_int_equal(stk_chain_count(material->chain), chain_count);
    assert_string_equal(material->leaf.serial, "1267");
    assert_false(material->remains);
}

static void a_pair_is_read_from_files_apart(void **state)
{
    struct yard *yard = *state;
    const struct stk_material_paths paths = {.cert = yard_at(yard, "leaf.pem"),
                                             .chain = yard_at(yard, "ca.pem"),
                                             .key = yard_at(yard, "leaf.key")};

    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_leaf(yard, 2);
    assert_non_null(yard->material.source);
}

static void a_bundle_is_read_in_each_of_its_forms(void **state)
{
    struct yard *yard = *state;
    const char *const open_ones[] = {"bundle.pem", "open.p12"};
    const char *const locked_ones[] = {"locked.pem", "bundle.p12"};

    yard_text(yard, "passphrase", YARD_PASSPHRASE "\r\nnot this\n");
    for (size_t i = 0; i < 2; i++) {
        struct stk_material_paths paths = {.bundle = yard_at(yard, open_ones[i])};

        assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
        assert_leaf(yard, 2);
        paths.bundle = yard_at(yard, locked_ones[i]);
        paths.passphrase = yard_at(yard, "passphrase");
        assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
        assert_leaf(yard, 2);
        paths.passphrase = NULL;
        paths.ask = say_it;
        assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
        assert_leaf(yard, 2);
        assert_null(yard->material.passphrase);
    }
}

static void one_file_given_as_certificate_and_key_is_a_bundle_by_whatever_paths(void **state)
{
    struct yard *yard = *state;
    struct stk_material_paths paths = {.cert = yard_at(yard, "./open.p12"),
                                       .key = yard_at(yard, "open.p12")};

    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_leaf(yard, 2);
    paths.cert = yard_at(yard, "bundle.pem");
    paths.key = paths.cert;
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_leaf(yard, 2);
}

static void more_of_a_bundles_chain_may_come_from_another_file(void **state)
{
    struct yard *yard = *state;
    struct stk_material_paths paths = {.bundle = yard_at(yard, "both"),
                                       .chain = yard_at(yard, "ca.pem")};

    yard_join(yard, "both", "leaf.pem", "leaf.key");
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_leaf(yard, 2);
}

static void what_a_bundle_lacks_is_said(void **state)
{
    struct yard *yard = *state;
    struct stk_material_paths paths = {.bundle = yard_at(yard, "leaf.key")};

    yard_refused(yard, &paths, STIRKEEP_CERT_INVALID, "leaf.key", "no certificate");
    paths.bundle = yard_at(yard, "chain.pem");
    yard_refused(yard, &paths, STIRKEEP_KEY_UNREADABLE, "chain.pem", "no private key");
    yard_join(yard, "mixed", "other.key", "leaf.pem");
    paths.bundle = yard_at(yard, "mixed");
    yard_refused(yard, &paths, STIRKEEP_KEY_MISMATCH, "do not belong together", "SHA-256");
    yard_join(yard, "two", "mixed", "leaf.key");
    paths.bundle = yard_at(yard, "two");
    yard_refused(yard, &paths, STIRKEEP_KEY_UNREADABLE, "2 private keys", "");
    yard_write(yard, "cut.p12", yard_read(yard, "open.p12"), 100);
    paths.bundle = yard_at(yard, "cut.p12");
    yard_refused(yard, &paths, STIRKEEP_CERT_INVALID, "cut.p12", "");
    paths.bundle = yard_at(yard, "bundle.p12");
    yard_refused(yard, &paths, STIRKEEP_KEY_UNREADABLE, "bundle.p12", "passphrase");
    paths.ask = say_nothing;
    yard_refused(yard, &paths, STIRKEEP_IO, "bundle.p12", "nobody is there");
}

static void a_private_key_among_the_certificates_would_stay_so_it_is_refused(void **state)
{
    struct yard *yard = *state;
    struct stk_material_paths paths = {.cert = yard_at(yard, "bundle.pem"),
                                       .key = yard_at(yard, "leaf.key")};

    yard_refused(yard, &paths, STIRKEEP_SOURCE_UNSAFE, "bundle.pem", "private key in it");
    paths.cert = yard_at(yard, "leaf.pem");
    paths.chain = yard_at(yard, "bundle.pem");
    yard_refused(yard, &paths, STIRKEEP_SOURCE_UNSAFE, "bundle.pem", "private key in it");
    paths.keep_source = true;
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    paths = (struct stk_material_paths){.cert = yard_at(yard, "open.p12"),
                                        .key = yard_at(yard, "leaf.key")};
    yard_refused(yard, &paths, STIRKEEP_CERT_INVALID, "PKCS#12", "bundle");
}

/* ---- sealing */

static struct stk_bytes wrapping_key(EVP_PKEY *rsa)
{
    static uint8_t bytes[1024];
    uint8_t *at = bytes;
    int length = i2d_PUBKEY(rsa, &at);

    assert_true(length > 0);
    return (struct stk_bytes){bytes, (size_t)length};
}

static void what_was_read_is_sealed_and_its_plaintext_is_gone(void **state)
{
    struct yard *yard = *state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    struct stk_material_paths paths = {.bundle = yard_at(yard, "bundle.pem")};

    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_int_equal(stk_material_seal(&paths, wrapping_key(rsa), &yard->material, &yard->error),
                     STIRKEEP_OK);
    assert_null(yard->material.key.pkcs8.data);
    assert_true(yard->material.sealed.sealed.length > 256);
    /* Also when it could not be sealed. */
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_int_equal(stk_material_seal(&paths, (struct stk_bytes){(const uint8_t *)"no", 2},
                                       &yard->material, &yard->error),
                     STIRKEEP_INVALID);
    assert_null(yard->material.key.pkcs8.data);
    assert_null(yard->material.sealed.sealed.data);
    EVP_PKEY_free(rsa);
}

static void what_was_sealed_elsewhere_must_be_of_this_key_and_for_this_token(void **state)
{
    struct yard *yard = *state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    struct stk_bytes spki = wrapping_key(rsa);
    struct stk_material_paths paths = {.cert = yard_at(yard, "leaf.pem"),
                                       .sealed = yard_at(yard, "key.sealed")};
    struct stk_buffer text = {0};

    assert_int_equal(
        yard_material(yard, &(struct stk_material_paths){.bundle = yard_at(yard, "bundle.pem")}),
        STIRKEEP_OK);
    yard->material.sealed.key_id = yard->material.leaf.key_id;
    assert_int_equal(stk_material_seal(&(struct stk_material_paths){.bundle = ""}, spki,
                                       &yard->material, &yard->error),
                     STIRKEEP_OK);
    stk_sha256(spki.data, spki.length, yard->material.sealed.wrapping_key.bytes);
    assert_int_equal(stk_sealed_file_write(&yard->material.sealed, &text), STIRKEEP_OK);
    yard_write(yard, "key.sealed", text.data, text.length);
    stk_buffer_free(&text);

    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_null(yard->material.source);
    assert_int_equal(stk_material_seal(&paths, spki, &yard->material, &yard->error), STIRKEEP_OK);
    spki.length--;
    assert_int_equal(stk_material_seal(&paths, spki, &yard->material, &yard->error),
                     STIRKEEP_KEY_UNREADABLE);
    assert_non_null(strstr(yard->error.message, "another token"));
    paths.cert = yard_at(yard, "other.pem");
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_KEY_MISMATCH);
    EVP_PKEY_free(rsa);
}

/* ---- removals that were cut off */

static void the_remains_of_a_bundle_say_of_which_certificate_they_are(void **state)
{
    struct yard *yard = *state;
    struct stk_material_paths paths = {.bundle = yard_at(yard, "bundle.pem")};
    char fingerprint[65] = "";
    char remains[512] = "";

    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    strcpy(fingerprint, yard->material.leaf.fingerprint);
    (void)snprintf(remains, sizeof(remains),
                   "stirkeep: imported, being removed\nnote: certificate %s\n\x01\x02",
                   fingerprint);
    yard_text(yard, "bundle.pem", remains);
    yard_refused(yard, &paths, STIRKEEP_KEY_UNREADABLE, "holds no key any more", "cut off");
    assert_true(yard->material.remains);
    assert_string_equal(stk_material_remains_of(&yard->material), fingerprint);
    /* Of a file by itself the certificate says it; remains that say nothing say nothing. */
    yard_text(yard, "leaf.key", "stirkeep: imported, being removed\nnoise");
    paths = (struct stk_material_paths){.cert = yard_at(yard, "leaf.pem"),
                                        .key = yard_at(yard, "leaf.key")};
    yard_refused(yard, &paths, STIRKEEP_KEY_UNREADABLE, "holds no key any more", "cut off");
    assert_string_equal(stk_material_remains_of(&yard->material), fingerprint);
    yard_text(yard, "bundle.pem", "stirkeep: imported, being removed\nnote: certificate 12\n");
    yard_refused(yard, &(struct stk_material_paths){.bundle = yard_at(yard, "bundle.pem")},
                 STIRKEEP_KEY_UNREADABLE, "holds no key any more", "cut off");
    assert_null(stk_material_remains_of(&yard->material));
}

/* ---- the directory of somebody hostile */

static void in_an_uploads_directory_nothing_is_followed_shared_or_waited_for(void **state)
{
    struct yard *yard = *state;
    static const struct {
        const char *name;
        const char *reason;
    } bad[] = {{"linked", "link"},
               {"shared", "hard links"},
               {"pipe", "not a regular file"},
               {"folder", "not a"},
               {"big", "larger than"},
               {"missing", "No such file"},
               {"../escape", "Invalid"},
               {"", ""}};
    static char big[STK_CERT_FILE_MAX + 1];

    assert_int_equal(symlink("leaf.key", yard_at(yard, "linked")), 0);
    yard_text(yard, "victim", yard_read(yard, "leaf.key"));
    assert_int_equal(link(yard_at(yard, "victim"), yard_at(yard, "shared")), 0);
    assert_int_equal(mkfifo(yard_at(yard, "pipe"), 0600), 0);
    assert_int_equal(mkdir(yard_at(yard, "folder"), 0700), 0);
    yard_write(yard, "big", big, sizeof(big));
    yard_text(yard, "passphrase", YARD_PASSPHRASE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *name = bad[i].name;
        const struct stk_material_paths places[] = {
            {.cert = name, .key = "leaf.key", .directory = &yard->directory},
            {.cert = "leaf.pem", .chain = name, .key = "leaf.key", .directory = &yard->directory},
            {.cert = "leaf.pem", .key = name, .directory = &yard->directory},
            {.cert = "leaf.pem", .sealed = name, .directory = &yard->directory},
            {.bundle = name, .directory = &yard->directory},
            {.bundle = "bundle.p12", .passphrase = name, .directory = &yard->directory}};

        for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
            assert_int_not_equal(yard_material(yard, &places[j]), STIRKEEP_OK);
            if (strstr(yard->error.message, bad[i].reason) == NULL)
                fail_msg("%s, place %zu: %s", name, j, yard->error.message);
        }
    }
}

static void in_an_uploads_directory_the_passphrases_file_is_one_that_is_removed(void **state)
{
    struct yard *yard = *state;
    const struct stk_material_paths paths = {
        .bundle = "bundle.p12", .passphrase = "passphrase", .directory = &yard->directory};
    char how[STK_SOURCE_HOW] = "";

    yard_text(yard, "passphrase", YARD_PASSPHRASE);
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_leaf(yard, 2);
    assert_non_null(yard->material.passphrase);
    assert_int_equal(stk_source_remove(yard->material.passphrase, how, &yard->error), STIRKEEP_OK);
    assert_int_equal(stk_source_remove(yard->material.source, how, &yard->error), STIRKEEP_OK);
    assert_false(yard_has(yard, "passphrase"));
    assert_false(yard_has(yard, "bundle.p12"));
}

static void a_directory_that_was_moved_is_still_the_one_that_was_opened(void **state)
{
    struct yard *yard = *state;
    char moved[80] = "";
    const struct stk_material_paths paths = {
        .cert = "leaf.pem", .key = "leaf.key", .directory = &yard->directory};

    (void)snprintf(moved, sizeof(moved), "%s-moved", yard->path);
    assert_int_equal(rename(yard->path, moved), 0);
    assert_int_equal(mkdir(yard->path, 0700), 0);
    assert_int_equal(yard_material(yard, &paths), STIRKEEP_OK);
    assert_leaf(yard, 1);
    assert_int_equal(rmdir(yard->path), 0);
    assert_int_equal(rename(moved, yard->path), 0);
}

/* As nobody, when the tests are root's: root may do everything. */
static void give_to_nobody(const struct yard *yard)
{
    static const char *const names[] = {"leaf.pem", "leaf.key", "."};

    if (geteuid() != 0)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(chown(yard_at(yard, names[i]), NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

static void what_could_not_be_removed_is_refused_before_anything_is_done(void **state)
{
    struct yard *yard = *state;
    const struct stk_material_paths paths = {
        .cert = "leaf.pem", .key = "leaf.key", .directory = &yard->directory};
    const bool root = geteuid() == 0;

    give_to_nobody(yard);
    assert_int_equal(chmod(yard_at(yard, "leaf.key"), 0400), 0);
    yard_refused(yard, &paths, STIRKEEP_SOURCE_UNSAFE, "leaf.key", "may not be written");
    assert_int_equal(chmod(yard_at(yard, "leaf.key"), 0600), 0);
    assert_int_equal(fchmod(yard->directory, 0500), 0);
    yard_refused(yard, &paths, STIRKEEP_SOURCE_UNSAFE, "leaf.key", "directory");
    if (root)
        assert_int_equal(seteuid(0), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, yard_set_up, yard_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_pair_is_read_from_files_apart),
        CASE(a_bundle_is_read_in_each_of_its_forms),
        CASE(one_file_given_as_certificate_and_key_is_a_bundle_by_whatever_paths),
        CASE(more_of_a_bundles_chain_may_come_from_another_file),
        CASE(what_a_bundle_lacks_is_said),
        CASE(a_private_key_among_the_certificates_would_stay_so_it_is_refused),
        CASE(what_was_read_is_sealed_and_its_plaintext_is_gone),
        CASE(what_was_sealed_elsewhere_must_be_of_this_key_and_for_this_token),
        CASE(the_remains_of_a_bundle_say_of_which_certificate_they_are),
        CASE(in_an_uploads_directory_nothing_is_followed_shared_or_waited_for),
        CASE(in_an_uploads_directory_the_passphrases_file_is_one_that_is_removed),
        CASE(a_directory_that_was_moved_is_still_the_one_that_was_opened),
        CASE(what_could_not_be_removed_is_refused_before_anything_is_done),
    };

    return cmocka_run_group_tests_name("upload material", tests, NULL, NULL);
}
