/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "audit/trail.h"
#include "base/digest.h"
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US 1792958784123456 /* 2026-10-25T20:06:24.123456Z */
#define RECORDS 6

static void make_trail(const char *name)
{
    struct stk_trail *trail = NULL;
    struct stk_error error = {0};

    (void)remove(place(name));
    if (stk_trail_open(place(name), STK_TRAIL_NONE, NOW_US, &trail, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    for (uint64_t i = 0; i < RECORDS; i++) {
        const struct stk_record record = {.act = "sign",
                                          .outcome = "ok",
                                          .name = "Alpha",
                                          .request_id = i,
                                          .orig = "12155550121"};

        assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US + (int64_t)i, &error),
                         STIRKEEP_OK);
    }
    stk_trail_close(trail);
}

/* The start of line `number` (from 1); the text's end when there are fewer. */
static char *line_at(char *text, unsigned number)
{
    while (--number > 0 && *text != '\0')
        text = strchr(text, '\n') + 1;
    return text;
}

static void a_good_trail_verifies_and_its_records_are_counted(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    make_trail("trail");
    ran = program(NULL, "audit", "verify", place("trail"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "good: 6 records"));
    ran = program(NULL, "audit", "verify", "--json", place("trail"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"good\": true"));
    assert_non_null(strstr(ran->out, "\"records\": 6"));
}

static void a_changed_digit_is_found_with_its_line(void **state)
{
    char *text = NULL;
    const struct ran *ran = NULL;
    (void)state;

    make_trail("trail");
    text = (char *)place_read("trail");
    *strstr(line_at(text, 3), "12155550121") = '9';
    place_text("changed", text);
    ran = program(NULL, "audit", "verify", place("changed"));
    failed(ran, 1, "/changed", "line 3");
    assert_string_equal(ran->out, "");
    failed(program(NULL, "audit", "verify", "--json", place("changed")), 1, "line 3");
}

static void the_last_line_is_protected_too(void **state)
{
    char *text = NULL;
    (void)state;

    make_trail("trail");
    text = (char *)place_read("trail");
    *strstr(line_at(text, RECORDS), "Alpha") = 'a';
    place_text("changed", text);
    failed(program(NULL, "audit", "verify", place("changed")), 1, "line 6");
}

static void a_line_taken_out_doubled_or_cut_is_found(void **state)
{
    char copy[32 * 1024] = "";
    char *text = NULL;
    (void)state;

    make_trail("trail");
    text = (char *)place_read("trail");
    (void)snprintf(copy, sizeof(copy), "%.*s%s", (int)(line_at(text, 2) - text), text,
                   line_at(text, 3));
    place_text("out", copy);
    failed(program(NULL, "audit", "verify", place("out")), 1, "line 2");
    (void)snprintf(copy, sizeof(copy), "%.*s%s", (int)(line_at(text, 3) - text), text,
                   line_at(text, 2));
    place_text("doubled", copy);
    failed(program(NULL, "audit", "verify", place("doubled")), 1, "line 3");
    place_text("beheaded", line_at(text, 2));
    failed(program(NULL, "audit", "verify", place("beheaded")), 1, "line 1");
    text[strlen(text) - 1] = '\0';
    place_text("cut", text);
    failed(program(NULL, "audit", "verify", place("cut")), 1, "line 6", "no end");
}

static void what_is_no_trail_is_refused(void **state)
{
    static const char zeros[4096];
    (void)state;

    place_write("zeros", zeros, sizeof(zeros));
    failed(program(NULL, "audit", "verify", place("zeros")), 1, "/zeros");
    place_text("text", "not a record\n");
    failed(program(NULL, "audit", "verify", place("text")), 1, "/text", "line 1");
    failed(program(NULL, "audit", "verify", place("missing")), 1, "/missing", "No such file");
    failed(program(NULL, "audit", "verify", place("")), 1, "directory");
}

/* ---- seals, several files, the witness */

static EVP_PKEY *make_key(const char *pem_name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *pem = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;

    assert_int_equal(PEM_write_bio_PUBKEY(pem, key), 1);
    length = BIO_get_mem_data(pem, &text);
    place_write(pem_name, text, (size_t)length);
    (void)BIO_free(pem);
    return key;
}

static void sign(EVP_PKEY *key, struct stk_seal *seal)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    uint8_t spki[STK_SPKI_LENGTH];
    uint8_t digest[STK_DIGEST_LENGTH];
    uint8_t der[80];
    uint8_t *to = spki;
    const uint8_t *from = der;
    size_t length = sizeof(der);
    ECDSA_SIG *pair = NULL;

    assert_int_equal(i2d_PUBKEY(key, &to), STK_SPKI_LENGTH);
    stk_sha256(spki, sizeof(spki), seal->key_id.bytes);
    stk_clock_text(NOW_US, seal->time);
    stk_seal_digest(seal, digest);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &length, digest, sizeof(digest)), 1);
    pair = d2i_ECDSA_SIG(NULL, &from, (long)length);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(pair), seal->signature, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(pair), seal->signature + 32, 32);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
}

/* Six records and a seal over them in sealed.000000000007, then a file with one more; the seal's
 * line in "witness". */
static void make_sealed_trail(EVP_PKEY *key)
{
    const struct stk_record record = {.act = "sign", .outcome = "ok", .name = "Beta"};
    struct stk_trail *trail = NULL;
    struct stk_seal seal = {0};
    struct stk_buffer line = {0};
    char name[PATH_MAX] = "";

    (void)remove(place("sealed.000000000007"));
    make_trail("sealed");
    assert_int_equal(stk_trail_open(place("sealed"), STK_TRAIL_NONE, NOW_US, &trail, NULL),
                     STIRKEEP_OK);
    assert_true(stk_trail_seal_begin(trail, &seal));
    sign(key, &seal);
    assert_int_equal(stk_trail_seal_end(trail, &seal, NOW_US, &line, NULL), STIRKEEP_OK);
    (void)stk_buffer_add(&line, "\n", 1);
    place_write("witness", line.data, line.length);
    stk_buffer_free(&line);
    assert_int_equal(stk_trail_rotate(trail, NOW_US, name, NULL), STIRKEEP_OK);
    assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US, NULL), STIRKEEP_OK);
    stk_trail_close(trail);
}

static void a_sealed_trail_of_two_files_verifies_with_key_and_witness(void **state)
{
    EVP_PKEY *key = make_key("key.pem");
    const struct ran *ran = NULL;
    (void)state;

    make_sealed_trail(key);
    ran = program(NULL, "audit", "verify", "--key", place("key.pem"), "--witness", place("witness"),
                  place("sealed.000000000007"), place("sealed"));
    program_done(ran);
    assert_string_equal(ran->out,
                        "good: 9 records, from 1 to 9\n"
                        "sealed: through record 6; seals: 1, each signed by an audit key that was "
                        "given\n"
                        "not sealed yet: the last 3 records\n"
                        "witness: all is there that it has seen; seals: 1\n");
    ran = program(NULL, "audit", "verify", "--json", place("sealed.000000000007"), place("sealed"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"sealed\": 6"));
    assert_non_null(strstr(ran->out, "\"unsealed\": 3"));
    assert_non_null(strstr(ran->out, "\"files\": 2"));
    ran = program(NULL, "audit", "verify", place("sealed"));
    program_done(ran);
    assert_non_null(strstr(ran->out, "not given: records 1 to 7\n"));
    failed(program(NULL, "audit", "verify", "--witness", place("witness"), place("sealed")), 1,
           "the witness shows nothing", "through record 6", "the first one given is record 8");
    EVP_PKEY_free(key);
}

static void files_in_the_wrong_order_are_named(void **state)
{
    EVP_PKEY *key = make_key("key.pem");
    const struct ran *ran = NULL;
    (void)state;

    make_sealed_trail(key);
    failed(program(NULL, "audit", "verify", place("sealed"), place("sealed.000000000007")), 1,
           "sealed.000000000007: line 1 (record 1)", "not in order");
    ran = program(NULL, "audit", "verify", "--json", place("sealed"), place("sealed"));
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "\"good\": false"));
    assert_non_null(strstr(ran->out, "line 1 (record 8)"));
    EVP_PKEY_free(key);
}

static void a_seal_of_another_key_is_found(void **state)
{
    EVP_PKEY *key = make_key("key.pem");
    EVP_PKEY *other = make_key("other.pem");
    (void)state;

    make_sealed_trail(key);
    failed(
        program(NULL, "audit", "verify", "--key", place("other.pem"), place("sealed.000000000007")),
        1, "line 7 (record 7)", "none of those given");
    program_done(program(NULL, "audit", "verify", "--key", place("other.pem"), "--key",
                         place("key.pem"), place("sealed.000000000007")));
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void a_trail_shorter_than_the_witness_has_seen_it_is_found(void **state)
{
    EVP_PKEY *key = make_key("key.pem");
    char *text = NULL;
    (void)state;

    make_sealed_trail(key);
    text = (char *)place_read("sealed.000000000007");
    *line_at(text, 5) = '\0';
    place_text("short", text);
    program_done(program(NULL, "audit", "verify", "--key", place("key.pem"), place("short")));
    failed(program(NULL, "audit", "verify", "--witness", place("witness"), place("short")), 1,
           "ends with record 4", "seen record 6", "cut off");
    EVP_PKEY_free(key);
}

static void a_key_or_witness_that_is_none_is_refused(void **state)
{
    (void)state;
    make_trail("trail");
    place_text("empty", "");
    place_text("bad.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    failed(program(NULL, "audit", "verify", "--key", place("empty"), place("trail")), 1, "/empty",
           "no PUBLIC KEY");
    failed(program(NULL, "audit", "verify", "--key", place("bad.pem"), place("trail")), 1,
           "/bad.pem", "not a P-256 public key");
    failed(program(NULL, "audit", "verify", "--key", place("missing"), place("trail")), 1,
           "/missing", "No such file");
    place_text("cut.pem", "-----BEGIN PUBLIC KEY-----\nMFkw\n");
    failed(program(NULL, "audit", "verify", "--key", place("cut.pem"), place("trail")), 1,
           "/cut.pem: ", "has no END");
    failed(program(NULL, "audit", "verify", "--witness", place("empty"), place("trail")), 1,
           "/empty", "it holds no seal");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_trail_verifies_and_its_records_are_counted),
        cmocka_unit_test(a_changed_digit_is_found_with_its_line),
        cmocka_unit_test(the_last_line_is_protected_too),
        cmocka_unit_test(a_line_taken_out_doubled_or_cut_is_found),
        cmocka_unit_test(what_is_no_trail_is_refused),
        cmocka_unit_test(a_sealed_trail_of_two_files_verifies_with_key_and_witness),
        cmocka_unit_test(files_in_the_wrong_order_are_named),
        cmocka_unit_test(a_seal_of_another_key_is_found),
        cmocka_unit_test(a_trail_shorter_than_the_witness_has_seen_it_is_found),
        cmocka_unit_test(a_key_or_witness_that_is_none_is_refused),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli audit verify", tests, place_set_up, place_tear_down);
}
