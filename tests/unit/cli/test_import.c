/* SPDX-License-Identifier: BSD-2-Clause */
#include "../valgrind.h"
#include "program.h"

#include "fake_admin.h"
#include "lab.h"
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SCALAR 32
#define REMAINS "stirkeep: imported, being removed\nnoise"

static struct {
    EVP_PKEY *key;
    EVP_PKEY *wrapping;
    uint8_t scalar[SCALAR];
    char text[4096]; /* leaf.key */
} lab;

/* What the fake service has seen; written by its thread before it ends. */
static struct {
    unsigned imports;
    unsigned removals;
    size_t chain_count;
    size_t sealed_length;
    bool plaintext;
    struct stk_name name;
    uint32_t removed_generation;
    char how[512];
    char source[PATH_MAX];
    char x5u[512];
} seen;

static void make_encrypted_and_wrong_ones(EVP_PKEY *ca_key)
{
    EVP_PKEY *rsa = lab_key("RSA");
    EVP_PKEY *p384 = lab_key("P-384");
    EVP_PKEY *other = lab_key("P-256");

    lab_write_key("locked", lab.key, "open sesame");
    lab_write_key("rsa", rsa, NULL);
    lab_write_key("p384", p384, NULL);
    lab_write_key("other", other, NULL);
    lab_write_certificate("rsa", rsa, "ca", ca_key);
    lab_write_certificate("p384", p384, "ca", ca_key);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(other);
}

static int set_up(void **state)
{
    EVP_PKEY *ca_key = NULL;
    BIGNUM *scalar = NULL;

    if (place_set_up(state) != 0)
        return -1;
    ca_key = lab_key("P-256");
    lab.key = lab_key("P-256");
    lab.wrapping = lab_key("RSA");
    assert_int_equal(EVP_PKEY_get_bn_param(lab.key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar), 1);
    assert_int_equal(BN_bn2binpad(scalar, lab.scalar, SCALAR), SCALAR);
    BN_free(scalar);
    lab_write_certificate("ca", ca_key, NULL, NULL);
    lab_write_certificate("leaf", lab.key, "ca", ca_key);
    lab_write_key("leaf", lab.key, NULL);
    (void)snprintf(lab.text, sizeof(lab.text), "%s", place_read("leaf.key"));
    make_encrypted_and_wrong_ones(ca_key);
    EVP_PKEY_free(ca_key);
    return 0;
}

static int tear_down(void **state)
{
    EVP_PKEY_free(lab.key);
    EVP_PKEY_free(lab.wrapping);
    return place_tear_down(state);
}

/* Each test begins with the key file in place. */
static int renew(void **state)
{
    (void)state;
    (void)unlink(place("leaf.key"));
    (void)unlink(place("second.key"));
    place_text("leaf.key", lab.text);
    memset(&seen, 0, sizeof(seen));
    return 0;
}

static void untouched(void)
{
    assert_string_equal(place_read("leaf.key"), lab.text);
}

/* ---- what is found out before the service is asked: nobody listens */

static void files_that_do_not_fit_are_refused_before_anybody_is_asked(void **state)
{
    static const struct {
        const char *cert;
        const char *key;
        const char *named[2];
    } cases[] = {
        {"none.pem", "leaf.key", {"/none.pem", "No such file"}},
        {"leaf.pem", "none.key", {"/none.key", "No such file"}},
        {"leaf.key", "leaf.key", {"/leaf.key", "certificate"}},
        {"leaf.pem", "leaf.pem", {"/leaf.pem", "private key"}},
        {"leaf.pem", "other.key", {"do not belong together", "SHA-256"}},
        {"leaf.pem", "rsa.key", {"RSA", "P-256"}},
        {"leaf.pem", "p384.key", {"384", "P-256"}},
        {"rsa.pem", "rsa.key", {"/rsa.pem", "P-256"}},
        {"p384.pem", "p384.key", {"/p384.pem", "P-256"}},
        {"leaf.pem", "empty.key", {"/empty.key", ""}},
        {"empty.key", "leaf.key", {"/empty.key", ""}},
        {"leaf.pem", "", {"stirkeep-cli-", ""}},
    };
    (void)state;

    place_text("empty.key", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        failed(program(NULL, "import", "Alpha", "--cert", place(cases[i].cert), "--key",
                       place(cases[i].key)),
               1, cases[i].named[0], cases[i].named[1]);
    untouched();
}

static void a_key_file_with_links_is_refused_unless_it_is_kept(void **state)
{
    (void)state;
    assert_int_equal(symlink("leaf.key", place("second.key")), 0);
    failed(
        program(NULL, "import", "Alpha", "--cert", place("leaf.pem"), "--key", place("second.key")),
        1, "/second.key", "link");
    assert_int_equal(unlink(place("second.key")), 0);
    assert_int_equal(link(place("leaf.key"), place("second.key")), 0);
    failed(
        program(NULL, "import", "Alpha", "--cert", place("leaf.pem"), "--key", place("leaf.key")),
        1, "/leaf.key", "link");
    /* Kept, it gets as far as the service. */
    failed(program(NULL, "import", "Alpha", "--cert", place("leaf.pem"), "--key", place("leaf.key"),
                   "--keep-source"),
           1, "/admin.sock");
    untouched();
}

static void a_locked_key_wants_its_passphrase_and_only_the_right_one(void **state)
{
    const char *cert = place("leaf.pem");
    const char *key = place("locked.key");
    (void)state;

    failed(program(NULL, "import", "Alpha", "--cert", cert, "--key", key), 1, "/locked.key",
           "--passphrase-file");
    place_text("wrong", "open barley\n");
    failed(program(NULL, "import", "Alpha", "--cert", cert, "--key", key, "--passphrase-file",
                   place("wrong")),
           1, "/locked.key", "passphrase");
    place_text("none", "\nopen sesame\n");
    failed(program(NULL, "import", "Alpha", "--cert", cert, "--key", key, "--passphrase-file",
                   place("none")),
           1, "/none", "empty");
    failed(program(NULL, "import", "Alpha", "--cert", cert, "--key", key, "--passphrase-file",
                   place("missing")),
           1, "/missing", "No such file");
    place_text("right", "open sesame\r\nsecond line\n");
    failed(program(NULL, "import", "Alpha", "--cert", cert, "--key", key, "--passphrase-file",
                   place("right")),
           1, "/admin.sock");
}

static void a_bad_name_or_x5u_is_refused(void **state)
{
    (void)state;
    failed(
        program(NULL, "import", "no name", "--cert", place("leaf.pem"), "--key", place("leaf.key")),
        1, "no name");
    failed(program(NULL, "import", "Alpha", "--cert", place("leaf.pem"), "--key", place("leaf.key"),
                   "--x5u", "ftp://example.com/x"),
           1, "x5u");
    untouched();
}

static void without_a_service_the_key_file_is_untouched(void **state)
{
    (void)state;
    failed(
        program(NULL, "import", "Alpha", "--cert", place("leaf.pem"), "--key", place("leaf.key")),
        1, "/admin.sock", "No such file");
    untouched();
}

/* ---- a service that is played */

static void give_wrapping_key(int fd, uint64_t id)
{
    uint8_t *spki = NULL;
    int length = i2d_PUBKEY(lab.wrapping, &spki);
    const struct stk_admin_response answer = {.id = id,
                                              .kind = STK_ADMIN_WRAPPING_KEY,
                                              .spki = {spki, (size_t)length},
                                              .token_label = "played",
                                              .token_serial = "4711"};

    fake_admin_answer(fd, &answer);
    OPENSSL_free(spki);
}

static void note_import(const struct stk_admin_request *request)
{
    seen.imports++;
    seen.name = request->name;
    seen.chain_count = request->chain_count;
    seen.sealed_length = request->sealed.length;
    (void)snprintf(seen.source, sizeof(seen.source), "%s", request->source);
    (void)snprintf(seen.x5u, sizeof(seen.x5u), "%s", request->x5u);
}

static void grant_import(int fd, const struct stk_admin_request *request)
{
    static const char *const warnings[] = {"CRLDP: none"};
    const struct stk_admin_response answer = {.id = request->id,
                                              .kind = STK_ADMIN_IMPORT,
                                              .generation = 3,
                                              .x5u = "https://certs.example.com/played.pem",
                                              .attributes = "SENSITIVE=1 EXTRACTABLE=0",
                                              .warnings = warnings,
                                              .warning_count = 1};

    fake_admin_answer(fd, &answer);
}

static void note_removal(int fd, const struct stk_admin_request *request)
{
    const struct stk_admin_response answer = {.id = request->id, .kind = STK_ADMIN_SOURCE_REMOVED};

    seen.removals++;
    seen.removed_generation = request->generation;
    (void)snprintf(seen.how, sizeof(seen.how), "%s", request->how);
    fake_admin_answer(fd, &answer);
}

/* Up to the import, whose request is left for the play to answer. False: it never came. */
static bool play_to_import(struct fake *fake, int fd, struct stk_admin_request *ret_request)
{
    while (fake_admin_request(fake, fd, ret_request)) {
        if (ret_request->kind == STK_ADMIN_IMPORT) {
            note_import(ret_request);
            return true;
        }
        if (ret_request->kind != STK_ADMIN_WRAPPING_KEY)
            abort();
        give_wrapping_key(fd, ret_request->id);
    }
    return false;
}

static void play_to_end(struct fake *fake, int fd)
{
    struct stk_admin_request request = {0};

    while (fake_admin_request(fake, fd, &request)) {
        if (request.kind != STK_ADMIN_SOURCE_REMOVED)
            abort();
        note_removal(fd, &request);
    }
    fake_close(fake, fd);
}

static void play_good(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    if (play_to_import(fake, fd, &request))
        grant_import(fd, &request);
    play_to_end(fake, fd);
}

static const struct ran *import_from(const struct fake *fake, const char *more)
{
    return program(NULL, "import", "Alpha", "--cert", place("leaf.pem"), "--chain", place("ca.pem"),
                   "--key", place("leaf.key"), "--admin-socket", fake->path, more);
}

static void once_it_is_imported_the_file_is_removed_and_the_service_told_how(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_good);
    ran = import_from(&fake, NULL);
    fake_stop(&fake);
    program_done(ran);
    assert_false(place_has("leaf.key"));
    assert_int_equal(seen.imports, 1);
    assert_string_equal(seen.name.text, "Alpha");
    assert_int_equal(seen.chain_count, 2);
    assert_string_equal(seen.x5u, "");
    assert_string_equal(seen.source, place("leaf.key"));
    assert_int_equal(seen.removals, 1);
    assert_int_equal(seen.removed_generation, 3);
    assert_non_null(strstr(seen.how, "unlinked"));
    assert_non_null(strstr(ran->out, seen.how));
    assert_non_null(strstr(ran->out, "3, active"));
    assert_non_null(strstr(ran->out, "CRLDP: none"));
    assert_non_null(strstr(ran->out, "SENSITIVE=1 EXTRACTABLE=0"));
}

static void a_kept_file_is_kept_and_nobody_is_told_otherwise(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_good);
    ran = import_from(&fake, "--keep-source");
    fake_stop(&fake);
    program_done(ran);
    untouched();
    assert_int_equal(seen.imports, 1);
    assert_int_equal(seen.removals, 0);
    assert_non_null(strstr(ran->out, "kept"));
}

static void json_says_the_same(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_good);
    ran = import_from(&fake, "--json");
    fake_stop(&fake);
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"source_removed\": true"));
    assert_non_null(strstr(ran->out, "\"generation\": 3"));
    assert_non_null(strstr(ran->out, "\"already_held\": false"));
}

/* All that is sent is looked at, before it is decoded. */
static void play_eavesdropper(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    if (!fake_admin_request(fake, fd, &request))
        abort();
    give_wrapping_key(fd, request.id);
    if (!fake_more(fake, fd))
        abort();
    /* The frame is whole when it has come in one piece; what is missing would hide nothing. */
    seen.plaintext = memmem(fake->in.data, fake->in.length, lab.scalar, SCALAR) != NULL;
    if (!fake_admin_request(fake, fd, &request) || request.kind != STK_ADMIN_IMPORT)
        abort();
    note_import(&request);
    fake_close(fake, fd);
}

static void the_key_crosses_the_socket_sealed_only(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_eavesdropper);
    failed(import_from(&fake, NULL), 1, "not known");
    fake_stop(&fake);
    assert_false(seen.plaintext);
    assert_true(seen.sealed_length > 256); /* the RSA part, and the AES part */
}

static void play_refuse(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    if (play_to_import(fake, fd, &request))
        fake_admin_refuse(fd, request.id, STIRKEEP_CERT_EXPIRED, "certificate: expired yesterday");
    play_to_end(fake, fd);
}

static void a_refused_import_leaves_the_file_untouched(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_refuse);
    failed(import_from(&fake, NULL), 1, "Alpha", "expired yesterday");
    fake_stop(&fake);
    untouched();
    assert_int_equal(seen.removals, 0);
}

static void play_break(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    (void)play_to_import(fake, fd, &request);
    fake_close(fake, fd);
}

static void a_break_before_the_answer_leaves_the_file_untouched_and_says_what_to_do(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_break);
    failed(import_from(&fake, NULL), 1, "not known", "same command", "untouched");
    fake_stop(&fake);
    assert_int_equal(seen.imports, 1);
    untouched();
}

static void play_break_after(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    if (play_to_import(fake, fd, &request))
        grant_import(fd, &request);
    fake_close(fake, fd);
    play_to_end(fake, fake_accept(fake));
}

static void a_break_after_the_answer_is_made_good_on_a_new_connection(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_break_after);
    program_done(import_from(&fake, NULL));
    fake_stop(&fake);
    assert_false(place_has("leaf.key"));
    assert_int_equal(seen.removals, 1);
}

static void play_unrecorded(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    if (play_to_import(fake, fd, &request))
        grant_import(fd, &request);
    if (fake_admin_request(fake, fd, &request))
        fake_admin_refuse(fd, request.id, STIRKEEP_STORAGE, "catalog: disk full");
    fake_close(fake, fd);
}

static void a_removal_that_is_not_recorded_is_no_success(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_unrecorded);
    failed(import_from(&fake, NULL), 1, "is imported", "audit trail", "disk full");
    fake_stop(&fake);
    assert_false(place_has("leaf.key"));
}

static void play_change_the_file(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    if (play_to_import(fake, fd, &request)) {
        place_text("leaf.key", "somebody else's file\n");
        grant_import(fd, &request);
    }
    play_to_end(fake, fd);
}

static void a_file_that_changed_meanwhile_is_not_removed_and_that_is_said_loudly(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_change_the_file);
    failed(import_from(&fake, NULL), 1, "STILL THERE", "/leaf.key");
    fake_stop(&fake);
    assert_string_equal(place_read("leaf.key"), "somebody else's file\n");
    assert_int_equal(seen.removals, 0);
}

/* ---- certificate and key in one file */

static void a_bundle_is_imported_and_removed_as_a_key_is(void **state)
{
    static const char *const options[][4] = {{"--bundle", NULL, NULL, NULL},
                                             {"--cert", NULL, "--key", NULL},
                                             {"--cert", NULL, NULL, NULL}};
    static const char *const names[] = {"both.pem", "both.p12"};
    char both[8192] = "";
    (void)state;

    (void)snprintf(both, sizeof(both), "%s%s", lab.text, place_read("leaf.pem"));
    for (size_t i = 0; i < 6; i++) {
        const char *path = place(names[i % 2]);
        struct fake fake;

        if (i % 2 == 0)
            place_text("both.pem", both);
        else
            lab_write_pkcs12("both.p12", lab.key, "leaf");
        if (i == 4) { /* a PEM file called the certificate may be one without a key */
            failed(program(NULL, "import", "Alpha", "--cert", path), 2, "--bundle");
            continue;
        }
        memset(&seen, 0, sizeof(seen));
        fake_start(&fake, play_good);
        program_done(program(NULL, "import", "Alpha", "--admin-socket", fake.path, "--chain",
                             place("ca.pem"), options[i / 2][0], path,
                             options[i / 2][2] != NULL ? "--key" : NULL, path));
        fake_stop(&fake);
        assert_int_equal(seen.imports, 1);
        assert_int_equal(seen.chain_count, 2);
        assert_int_equal(seen.removals, 1);
        assert_string_equal(seen.source, path);
        assert_false(place_has(names[i % 2]));
    }
}

static void a_bundle_stands_for_certificate_and_key_and_nothing_else_of_these(void **state)
{
    const char *bundle = place("leaf.pem");
    (void)state;

    failed(program(NULL, "import", "Alpha", "--bundle", bundle, "--cert", bundle), 2, "--bundle");
    failed(program(NULL, "import", "Alpha", "--bundle", bundle, "--key", bundle), 2, "--bundle");
    failed(program(NULL, "import", "Alpha", "--bundle", bundle, "--sealed", bundle), 2, "--bundle");
    failed(program(NULL, "import", "Alpha", "--cert", bundle), 2, "--bundle");
    failed(program(NULL, "import", "Alpha", "--key", bundle), 2, "--bundle");
    failed(program(NULL, "import", "Alpha"), 2, "--bundle");
}

/* ---- a removal that was cut off */

static void fingerprint_of_leaf(char ret_hex[2 * SHA256_DIGEST_LENGTH + 1])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    FILE *file = fopen(place("leaf.pem"), "r");
    X509 *leaf = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);

    if (leaf == NULL || X509_digest(leaf, EVP_sha256(), digest, NULL) != 1)
        abort();
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)sprintf(ret_hex + 2 * i, "%02x", digest[i]);
    X509_free(leaf);
    (void)fclose(file);
}

/* It holds the leaf as generation 5, in the state that the test wants. */
static const char *held_state;

static void play_holder(struct fake *fake)
{
    char fingerprint[2 * SHA256_DIGEST_LENGTH + 1] = "";
    struct stk_generation held = {.name = "Alpha",
                                  .generation = 5,
                                  .state = held_state,
                                  .spc = "709J",
                                  .subject = "CN=leaf",
                                  .issuer = "CN=ca",
                                  .serial = "01",
                                  .x5u = "https://certs.example.com/held.pem",
                                  .origin = "imported",
                                  .attributes = "SENSITIVE=1",
                                  .fingerprint = fingerprint};
    struct stk_admin_request request = {0};
    struct stk_admin_response answer = {
        .kind = STK_ADMIN_SHOW, .generations = &held, .generation_count = 1};
    int fd = fake_accept(fake);

    fingerprint_of_leaf(fingerprint);
    while (fake_admin_request(fake, fd, &request)) {
        answer.id = request.id;
        if (request.kind == STK_ADMIN_WRAPPING_KEY)
            give_wrapping_key(fd, request.id);
        else if (request.kind == STK_ADMIN_SHOW)
            fake_admin_answer(fd, &answer);
        else if (request.kind == STK_ADMIN_SOURCE_REMOVED)
            note_removal(fd, &request);
        else
            abort();
    }
    fake_close(fake, fd);
}

static void what_a_removal_that_was_cut_off_left_is_removed_by_the_same_command(void **state)
{
    const struct ran *ran = NULL;
    struct fake fake;
    (void)state;

    place_text("leaf.key", REMAINS);
    held_state = "active";
    fake_start(&fake, play_holder);
    ran = import_from(&fake, NULL);
    fake_stop(&fake);
    program_done(ran);
    assert_false(place_has("leaf.key"));
    assert_int_equal(seen.removals, 1);
    assert_int_equal(seen.removed_generation, 5);
    assert_non_null(strstr(ran->out, "5, active"));
    assert_non_null(strstr(ran->out, "held already"));
}

static void what_is_left_of_a_bundle_says_itself_whose_it_was(void **state)
{
    char fingerprint[2 * SHA256_DIGEST_LENGTH + 1] = "";
    char remains[256] = "";
    struct fake fake;
    (void)state;

    fingerprint_of_leaf(fingerprint);
    (void)snprintf(remains, sizeof(remains),
                   "stirkeep: imported, being removed\nnote: certificate %s\nnoise", fingerprint);
    place_text("second.key", remains);
    held_state = "active";
    fake_start(&fake, play_holder);
    program_done(program(NULL, "import", "Alpha", "--bundle", place("second.key"), "--admin-socket",
                         fake.path));
    fake_stop(&fake);
    assert_false(place_has("second.key"));
    assert_int_equal(seen.removals, 1);
    place_text("second.key", REMAINS);
    failed(program(NULL, "import", "Alpha", "--bundle", place("second.key")), 1, "cut off",
           "cannot be told");
    assert_true(place_has("second.key"));
}

static void what_it_left_stays_when_the_key_is_not_in_use(void **state)
{
    struct fake fake;
    (void)state;

    place_text("leaf.key", REMAINS);
    failed(import_from(&(struct fake){.path = "/none.sock"}, NULL), 1, "holds no key any more",
           "cut off", "/none.sock");
    held_state = "retired";
    fake_start(&fake, play_holder);
    failed(import_from(&fake, NULL), 1, "holds no key any more", "not active");
    fake_stop(&fake);
    assert_string_equal(place_read("leaf.key"), REMAINS);
    assert_int_equal(seen.removals, 0);
}

static void a_key_file_that_was_removed_before_is_said_to_be_imported(void **state)
{
    struct fake fake;
    (void)state;

    assert_int_equal(unlink(place("leaf.key")), 0);
    held_state = "active";
    fake_start(&fake, play_holder);
    failed(import_from(&fake, NULL), 1, "/leaf.key", "No such file", "generation 5 of Alpha");
    fake_stop(&fake);
    assert_int_equal(seen.removals, 0);
}

static void a_file_that_cannot_be_overwritten_is_said_to_be_there_still(void **state)
{
    struct rlimit before = {0};
    struct rlimit none = {0};
    struct fake fake;
    (void)state;

    if (is_under_valgrind("it writes files of its own first"))
        return;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none.rlim_max = before.rlim_max;
#ifdef __SANITIZE_THREAD__
    (void)signal(SIGXFSZ, SIG_IGN); /* it writes a file of its own before the program's main */
#endif
    fake_start(&fake, play_good);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    failed(import_from(&fake, NULL), 1, "STILL THERE", "/leaf.key", "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    fake_stop(&fake);
    untouched();
    assert_int_equal(seen.removals, 0);
}

static void play_bad_wrapping_key(struct fake *fake)
{
    struct stk_admin_request request = {0};
    struct stk_admin_response answer = {.kind = STK_ADMIN_WRAPPING_KEY,
                                        .spki = {(const uint8_t *)"nonsense", 8},
                                        .token_label = "played",
                                        .token_serial = "4711"};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request)) {
        seen.imports += request.kind == STK_ADMIN_IMPORT;
        answer.id = request.id;
        fake_admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static void nothing_is_sealed_to_what_is_no_wrapping_key(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake, play_bad_wrapping_key);
    failed(import_from(&fake, NULL), 1, "Alpha");
    fake_stop(&fake);
    assert_int_equal(seen.imports, 0);
    untouched();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(files_that_do_not_fit_are_refused_before_anybody_is_asked, renew),
        cmocka_unit_test_setup(a_key_file_with_links_is_refused_unless_it_is_kept, renew),
        cmocka_unit_test_setup(a_locked_key_wants_its_passphrase_and_only_the_right_one, renew),
        cmocka_unit_test_setup(a_bad_name_or_x5u_is_refused, renew),
        cmocka_unit_test_setup(without_a_service_the_key_file_is_untouched, renew),
        cmocka_unit_test_setup(once_it_is_imported_the_file_is_removed_and_the_service_told_how,
                               renew),
        cmocka_unit_test_setup(a_kept_file_is_kept_and_nobody_is_told_otherwise, renew),
        cmocka_unit_test_setup(json_says_the_same, renew),
        cmocka_unit_test_setup(the_key_crosses_the_socket_sealed_only, renew),
        cmocka_unit_test_setup(a_refused_import_leaves_the_file_untouched, renew),
        cmocka_unit_test_setup(
            a_break_before_the_answer_leaves_the_file_untouched_and_says_what_to_do, renew),
        cmocka_unit_test_setup(a_break_after_the_answer_is_made_good_on_a_new_connection, renew),
        cmocka_unit_test_setup(a_removal_that_is_not_recorded_is_no_success, renew),
        cmocka_unit_test_setup(a_file_that_changed_meanwhile_is_not_removed_and_that_is_said_loudly,
                               renew),
        cmocka_unit_test_setup(a_bundle_is_imported_and_removed_as_a_key_is, renew),
        cmocka_unit_test_setup(a_bundle_stands_for_certificate_and_key_and_nothing_else_of_these,
                               renew),
        cmocka_unit_test_setup(what_is_left_of_a_bundle_says_itself_whose_it_was, renew),
        cmocka_unit_test_setup(what_a_removal_that_was_cut_off_left_is_removed_by_the_same_command,
                               renew),
        cmocka_unit_test_setup(what_it_left_stays_when_the_key_is_not_in_use, renew),
        cmocka_unit_test_setup(a_key_file_that_was_removed_before_is_said_to_be_imported, renew),
        cmocka_unit_test_setup(a_file_that_cannot_be_overwritten_is_said_to_be_there_still, renew),
        cmocka_unit_test_setup(nothing_is_sealed_to_what_is_no_wrapping_key, renew),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli import", tests, set_up, tear_down);
}
